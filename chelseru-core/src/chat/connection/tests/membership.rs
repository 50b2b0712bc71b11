//! Who is out of a room gets nothing more of it.

use serde_json::json;

use super::Server;
use crate::chat::Close;
use crate::chat::connection::BATCH;

#[tokio::test]
async fn who_is_banned_gets_nothing_that_comes_after() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut socket = server.open_room(&other, room).await;
    let mut all_rooms = server.open_all(&other).await;
    let mut owner = server.open_room(&one, room).await;
    server.post(&one, room, "before").await;
    server
        .chelseru
        .ban(&one.user, room, other.user.id)
        .await
        .unwrap();
    for _ in 0..10 {
        server.post(&one, room, "after").await;
    }
    for socket in [&mut socket, &mut all_rooms, &mut owner] {
        assert_eq!(socket.frame().await["message"], "before");
        // Nobody knows yet who may have the rest.
        assert_eq!(socket.sent_now().await, []);
    }
    let _upkeep = server.keep_up();
    assert_eq!(socket.closed().await, (Close::NotAMember, vec![]));
    let left = json!({"type": "room_left", "room": room});
    assert_eq!(all_rooms.frame().await, left);
    assert_eq!(all_rooms.sent_now().await, []);
    assert_eq!(owner.seqs(10).await, (2..=11).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_is_banned_while_reading_up_gets_nothing_more() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    for _ in 0..BATCH + 10 {
        server.post(&one, room, "a").await;
    }
    let mut socket = server
        .open(&other, &format!("/chat/{}/?since=0", room.0))
        .await;
    assert_eq!(socket.frame().await["seq"], 1);
    server
        .chelseru
        .ban(&one.user, room, other.user.id)
        .await
        .unwrap();
    let (close, frames) = socket.closed().await;
    assert_eq!(close, Close::NotAMember);
    assert!(frames.len() < BATCH as usize, "{}", frames.len());
}

#[tokio::test]
async fn a_deleted_room_closes_its_sockets() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    let mut all_rooms = server.open_all(&one).await;
    server
        .chelseru
        .delete_chat_room(&one.user, room)
        .await
        .unwrap();
    assert_eq!(socket.closed().await.0, Close::NotAMember);
    assert_eq!(all_rooms.frame().await["type"], "room_left");
}
