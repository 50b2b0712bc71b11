//! Who is here, and who has gone.

use serde_json::json;

use super::{Server, seconds};

#[tokio::test]
async fn members_are_told_who_comes_and_after_a_while_who_has_gone() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut socket = server.open_room(&one, room).await;
    let leaving = server.open_room(&other, room).await;
    let came = json!({"type": "presence", "user": other.user.id, "online": true});
    assert_eq!(socket.presence().await, came);
    drop(leaving);
    let hub = server.chelseru.hub();
    server.clock.advance(seconds(9));
    hub.tell_who_is_gone(server.chelseru.now());
    assert_eq!(socket.sent_now().await, []);
    assert!(hub.is_online(other.user.id, server.chelseru.now()));
    server.clock.advance(seconds(1));
    hub.tell_who_is_gone(server.chelseru.now());
    let gone = socket.presence().await;
    assert_eq!(gone["online"], false);
    assert_eq!(gone["last_seen"], "2026-01-01T00:00:00.000Z");
    assert!(!hub.is_online(other.user.id, server.chelseru.now()));
}

#[tokio::test]
async fn who_comes_back_at_once_has_not_gone() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut socket = server.open_room(&one, room).await;
    drop(server.open_room(&other, room).await);
    let _back = server.open_room(&other, room).await;
    socket.settle().await;
    server.clock.advance(seconds(20));
    server
        .chelseru
        .hub()
        .tell_who_is_gone(server.chelseru.now());
    assert_eq!(socket.sent_now().await, []);
}

#[tokio::test]
async fn presence_can_be_switched_off() {
    let server = Server::with(|config| config.chat_presence(false));
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut socket = server.open_room(&one, room).await;
    let _other = server.open_room(&other, room).await;
    assert_eq!(socket.sent_now().await, []);
}
