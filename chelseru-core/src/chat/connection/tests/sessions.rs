//! Sessions and tokens that end while a socket lives.

use serde_json::json;

use super::{Server, seconds};
use crate::chat::Close;
use crate::chat::connection::timing::HELD_AT_MOST;
use crate::chat::connection::{Received, Step};
use crate::clock::Clock;
use crate::device::Client as Device;

#[tokio::test]
async fn a_session_that_ends_closes_its_sockets_and_nothing_more_is_sent() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut socket = server.open_room(&other, room).await;
    server
        .chelseru
        .log_out(&other.refresh, crate::LogoutScope::This)
        .await
        .unwrap();
    server.post(&one, room, "a").await;
    assert_eq!(socket.closed().await, (Close::Unauthorized, vec![]));
}

/// The store answers nothing: the task that asks it has no turn here.
#[tokio::test]
async fn a_client_of_whom_nobody_knows_whether_he_may_stay_is_sent_away_after_a_while() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    server.chelseru.hub().account_changed(one.user.id);
    assert_eq!(socket.next_now().await, None);
    socket.say(json!({"message": "a", "client_id": "a"}));
    assert!(socket.0.time_to_deadline() <= HELD_AT_MOST);
    server.clock.advance(HELD_AT_MOST / 2);
    assert_eq!(socket.next_now().await, None);
    server.clock.advance(HELD_AT_MOST / 2);
    let closed = Some(Step::Close(Close::Unavailable));
    assert_eq!(socket.next_now().await, closed);
}

#[tokio::test]
async fn another_session_of_the_same_user_goes_on() {
    let server = Server::with(|config| config.otp_per_number_per_hour(0));
    let phone = server.person(1).await;
    server.clock.advance(seconds(240));
    let laptop = server.person(1).await;
    let room = server.group(&phone, &[]).await;
    let mut socket = server.open_room(&laptop, room).await;
    server
        .chelseru
        .log_out(&phone.refresh, crate::LogoutScope::This)
        .await
        .unwrap();
    server.post(&laptop, room, "a").await;
    assert_eq!(socket.frame().await["message"], "a");
}

#[tokio::test]
async fn a_disabled_account_is_found_within_a_minute() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    server
        .chelseru
        .store()
        .set_user_active(one.user.id, false, server.clock.now())
        .await
        .unwrap();
    for _ in 0..3 {
        server.clock.advance(seconds(20));
        socket.0.receive(Received::Sign);
    }
    assert_eq!(socket.closed().await.0, Close::Unauthorized);
}

#[tokio::test]
async fn a_token_that_ends_is_announced_and_then_closes_the_socket_after_the_grace() {
    let server = Server::with(|config| config.access_token_lifetime(seconds(60)));
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    server.clock.advance(seconds(30));
    let frame = socket.frame().await;
    assert_eq!(frame["type"], "token_expiring");
    assert_eq!(frame["closes_at"], "2026-01-01T00:01:30.000Z");
    server.clock.advance(seconds(30));
    socket.0.receive(Received::Sign);
    server.clock.advance(seconds(29));
    socket.say(json!({"message": "still"}));
    assert_eq!(socket.frame().await["message"], "still");
    server.clock.advance(seconds(1));
    assert_eq!(socket.closed().await.0, Close::Unauthorized);
}

#[tokio::test]
async fn a_fresh_token_keeps_the_socket() {
    let server = Server::with(|config| config.access_token_lifetime(seconds(60)));
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut socket = server.open_room(&one, room).await;
    server.clock.advance(seconds(30));
    assert_eq!(socket.frame().await["type"], "token_expiring");
    let fresh = server
        .chelseru
        .refresh(&one.refresh, Device::default())
        .await;
    socket.say(json!({"type": "auth", "token": fresh.unwrap().access}));
    socket.settle().await;
    for _ in 0..2 {
        server.clock.advance(seconds(30));
        socket.0.receive(Received::Sign);
        socket.settle().await;
    }
    socket.say(json!({"message": "a"}));
    loop {
        if socket.frame().await["type"] == "chat_message" {
            break;
        }
    }
}

#[tokio::test]
async fn a_token_of_somebody_else_or_none_is_refused() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    let auth = |token: &str| json!({"type": "auth", "token": token}).to_string();
    let error = socket.errors(&auth(&other.access)).await;
    assert_eq!(error["code"], "other_session");
    for token in ["x", &one.refresh] {
        assert_eq!(socket.errors(&auth(token)).await["code"], "token_refused");
    }
}
