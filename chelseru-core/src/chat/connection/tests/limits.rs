//! Clients that send too much, read too slowly, or are gone.

use serde_json::json;

use super::{Server, seconds};
use crate::api::{Handshake, Request};
use crate::chat::Close;
use crate::chat::connection::{MOST_STRIKES, Received, Step};

#[tokio::test]
async fn a_reader_that_is_too_slow_is_closed_and_nobody_else() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut slow = server.open_room(&other, room).await;
    let mut quick = server.open_room(&one, room).await;
    for nth in 1..=1100 {
        server.post(&one, room, "a").await;
        assert_eq!(quick.frame().await["seq"], nth);
    }
    assert_eq!(slow.closed().await, (Close::TooSlow, vec![]));
    let mut back = server
        .open(&other, &format!("/chat/{}/?since=0", room.0))
        .await;
    assert_eq!(back.seqs(1100).await, (1..=1100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_client_is_pinged_and_closed_when_it_gives_no_sign() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    assert_eq!(socket.0.time_to_deadline(), seconds(25));
    server.clock.advance(seconds(25));
    assert_eq!(socket.step().await, Step::Ping);
    socket.0.receive(Received::Sign);
    server.clock.advance(seconds(25));
    assert_eq!(socket.step().await, Step::Ping);
    server.clock.advance(seconds(9));
    assert_eq!(socket.sent_now().await, []);
    server.clock.advance(seconds(1));
    assert_eq!(socket.step().await, Step::Close(Close::HalfOpen));
}

#[tokio::test]
async fn frames_that_make_no_sense_are_answered_and_after_several_the_socket_is_closed() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    for _ in 0..MOST_STRIKES - 1 {
        assert_eq!(socket.errors("{").await["code"], "bad_json");
    }
    socket.say(json!({"type": "ping"}));
    assert_eq!(socket.frame().await["type"], "pong");
    for _ in 0..MOST_STRIKES {
        socket.0.receive(Received::Binary);
    }
    let (close, frames) = socket.closed().await;
    assert_eq!(close, Close::Protocol);
    assert_eq!(frames.last().unwrap()["code"], "binary_frame");
}

#[tokio::test]
async fn too_many_frames_are_refused_and_many_more_close_the_socket() {
    let server = Server::with(|config| config.chat_frames_per_socket_per_second(2));
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    for _ in 0..6 {
        socket.say(json!({"type": "ping"}));
        assert_eq!(socket.frame().await["type"], "pong");
    }
    socket.say(json!({"message": "a", "client_id": "k"}));
    let refused = socket.frame().await;
    assert_eq!(refused["code"], "too_many_frames");
    assert_eq!(refused["client_id"], "k");
    assert_eq!(refused["retry_after_ms"], 500);
    for _ in 0..6 {
        socket.0.receive(Received::Sign);
    }
    assert_eq!(socket.closed().await.0, Close::TooManyFrames);
}

#[tokio::test]
async fn the_oldest_socket_of_too_many_is_closed() {
    let server = Server::with(|config| config.chat_sockets_per_user(2));
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut first = server.open_room(&one, room).await;
    let mut second = server.open_room(&one, room).await;
    let mut of_other = server.open_room(&other, room).await;
    let mut third = server.open_room(&one, room).await;
    assert_eq!(first.closed().await.0, Close::TooManySockets);
    drop(first);
    server.post(&one, room, "a").await;
    for socket in [&mut second, &mut of_other, &mut third] {
        assert_eq!(socket.frame().await["message"], "a");
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answers_is_not_read_from() {
    let server = Server::with(|config| config.chat_frames_per_socket_per_second(0));
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    let mut said = 0;
    while socket.0.wants_input() {
        socket.say(json!({"type": "ping"}));
        said += 1;
        assert!(said < 1000, "it is never full");
    }
    for _ in 0..said {
        assert_eq!(socket.frame().await["type"], "pong");
    }
    assert!(socket.0.wants_input());
}

#[tokio::test]
async fn a_server_that_stops_sends_everyone_away_and_lets_nobody_in() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    socket.say(json!({"message": "a", "client_id": "last"}));
    server.chelseru.close_chat_sockets();
    let (close, frames) = socket.closed().await;
    assert_eq!(close, Close::Stopping);
    assert!(
        frames.iter().any(|frame| frame["type"] == "ack"),
        "{frames:?}"
    );
    let last = frames.last().unwrap();
    assert_eq!(last["type"], "reconnect");
    assert!(last["after_ms"].as_u64().unwrap() <= 5000);
    drop(socket);
    assert_eq!(server.chelseru.chat_sockets(), 0);

    let query = format!("token={}", one.access);
    let request = Request {
        method: "GET",
        path: "/chat/",
        query: &query,
        ..Request::default()
    };
    let handshake = Handshake {
        request,
        is_upgrade: true,
        ..Handshake::default()
    };
    let refused = server.chelseru.open_socket(handshake).await.unwrap_err();
    assert_eq!(refused.status(), 503);
}
