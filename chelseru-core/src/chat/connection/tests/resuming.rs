//! Catching up and going live, without a gap.

use serde_json::Value;
use serde_json::json;

use super::{Server, seconds};
use crate::chat::RoomId;
use crate::chat::connection::BATCH;

#[tokio::test]
async fn since_gives_everything_after_it_then_says_so_and_then_it_is_live() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let history = i64::from(BATCH) * 2 + 7;
    for _ in 0..history {
        server.post(&one, room, "a").await;
    }
    let mut socket = server
        .open(&one, &format!("/chat/{}/?since=3", room.0))
        .await;
    for seq in 4..=history {
        assert_eq!(socket.frame().await["seq"], seq);
        if seq % 100 == 0 {
            // Live ones come while it reads.
            server.post(&one, room, "b").await;
        }
    }
    let newest = history + history / 100;
    let rest = usize::try_from(newest - history).unwrap();
    assert_eq!(socket.seqs(rest).await.last(), Some(&newest));
    let synced = socket.frame().await;
    assert_eq!(
        synced,
        json!({"type": "synced", "room": room, "seq": newest})
    );
    server.post(&one, room, "c").await;
    assert_eq!(socket.frame().await["seq"], newest + 1);
}

#[tokio::test]
async fn who_has_missed_too_much_is_told_so_and_goes_on_from_the_end() {
    let server = Server::with(|config| config.chat_max_replay(5));
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    for _ in 0..7 {
        server.post(&one, room, "a").await;
    }
    let mut socket = server
        .open(&one, &format!("/chat/{}/?since=1", room.0))
        .await;
    let frame = socket.frame().await;
    assert_eq!(
        frame,
        json!({"type": "too_far", "room": room, "since": 1, "seq": 7})
    );
    assert_eq!(socket.frame().await["type"], "synced");
    server.post(&one, room, "b").await;
    assert_eq!(socket.frame().await["seq"], 8);
}

#[tokio::test]
async fn the_socket_for_all_rooms_holds_everything_until_the_client_says_what_it_has() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let (first, second) = (server.group(&one, &[]).await, server.group(&one, &[]).await);
    for room in [first, first, second] {
        server.post(&one, room, "a").await;
    }
    let elsewhere = server.group(&other, &[]).await;
    let mut socket = server.open(&one, "/chat/").await;
    let hello = socket.frame().await;
    assert_eq!(hello["user"]["id"], json!(one.user.id));
    let rooms = json!({first.0.to_string(): {"seq": 2}, second.0.to_string(): {"seq": 1}});
    assert_eq!(hello["rooms"], rooms);
    server.post(&one, second, "b").await;
    assert_eq!(socket.sent_now().await, []);

    let resume = json!({first.0.to_string(): 1, elsewhere.0.to_string(): 0});
    socket.say(json!({"type": "resume", "rooms": resume}));
    let mut frames = Vec::new();
    for _ in 0..5 {
        frames.push(socket.frame().await);
    }
    let of = |room: RoomId| {
        let of_room = frames
            .iter()
            .filter(move |frame| frame["room"] == json!(room));
        let parts = of_room.map(|frame| json!([frame["type"], frame["seq"]]));
        Value::Array(parts.collect())
    };
    assert_eq!(of(first), json!([["chat_message", 2], ["synced", 2]]));
    assert_eq!(of(second), json!([["synced", 1], ["chat_message", 2]]));
    assert_eq!(of(elsewhere), json!([["room_left", null]]));
    let again = socket.errors(r#"{"type":"resume","rooms":{}}"#).await;
    assert_eq!(again["code"], "not_first");
}

#[tokio::test]
async fn without_a_first_frame_it_begins_where_the_rooms_are() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open(&one, "/chat/").await;
    assert_eq!(socket.frame().await["type"], "hello");
    server.post(&one, room, "a").await;
    server.clock.advance(seconds(4));
    assert_eq!(socket.sent_now().await, []);
    server.clock.advance(seconds(1));
    // What came after hello is not lost.
    assert_eq!(socket.frame().await["seq"], 1);
}

#[tokio::test]
async fn who_comes_into_a_room_hears_of_it_and_from_it() {
    let server = Server::new();
    let _upkeep = server.keep_up();
    let [one, other] = server.people().await;
    let mut socket = server.open_all(&other).await;
    let room = server.group(&one, &[&other]).await;
    let changed = json!({"type": "room_changed", "room": room, "seq": 0});
    assert_eq!(socket.frame().await, changed);
    socket.settle().await;
    server.post(&one, room, "a").await;
    assert_eq!(socket.frame().await["seq"], 1);
    server
        .chelseru
        .kick(&one.user, room, other.user.id)
        .await
        .unwrap();
    let left = json!({"type": "room_left", "room": room});
    assert_eq!(socket.frame().await, left);
    server.post(&one, room, "b").await;
    assert_eq!(socket.sent_now().await, []);
}
