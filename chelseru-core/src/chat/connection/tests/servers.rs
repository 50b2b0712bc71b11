//! Several servers, and what is lost between them.

use serde_json::json;

use super::Wire;
use crate::chat::Close;

#[tokio::test]
async fn what_another_server_does_is_told_at_once() {
    let [here, there] = Wire::new().servers();
    let [one, other] = here.people().await;
    let room = here.group(&one, &[&other]).await;
    let (_upkeep, _other_upkeep) = (here.keep_up(), there.keep_up());
    tokio::task::yield_now().await;
    let mut socket = here.open_room(&other, room).await;
    there.post(&one, room, "a").await;
    assert_eq!(socket.frame().await["message"], "a");
    there.chelseru.tell_typing(&one.user, room).await.unwrap();
    assert_eq!(socket.frame().await["type"], "typing");
    there
        .chelseru
        .mark_read(&other.user, room, crate::chat::Seq(1))
        .await
        .unwrap();
    let read = json!({"type": "read", "room": room, "user": other.user.id, "seq": 1});
    assert_eq!(socket.frame().await, read);
    there.chelseru.end_all_sessions(&other.user).await.unwrap();
    assert_eq!(socket.closed().await.0, Close::Unauthorized);
}

#[tokio::test]
async fn what_the_bus_loses_is_read_from_the_store_in_order() {
    let wire = Wire::new();
    let [here, there] = wire.servers();
    let [one] = here.people().await;
    let room = here.group(&one, &[]).await;
    let _upkeep = here.keep_up();
    let mut socket = here.open_room(&one, room).await;
    wire.cut(true);
    for nth in 1..=600 {
        // Every third comes from here, and so before those that are lost.
        let server = if nth % 3 == 0 { &here } else { &there };
        assert_eq!(server.post(&one, room, "a").await, nth);
    }
    assert_eq!(socket.seqs(600).await, (1..=600).collect::<Vec<_>>());
    // Nothing at all is heard of the last ones.
    there.post(&one, room, "b").await;
    assert_eq!(socket.frame().await["message"], "b");
}

#[tokio::test]
async fn a_ban_that_the_bus_loses_is_found() {
    let wire = Wire::new();
    let [here, there] = wire.servers();
    let [one, other] = here.people().await;
    let room = here.group(&one, &[&other]).await;
    let _upkeep = here.keep_up();
    let mut socket = here.open_room(&other, room).await;
    wire.cut(true);
    there
        .chelseru
        .ban(&one.user, room, other.user.id)
        .await
        .unwrap();
    // The message says on which revision it was stored.
    here.post(&one, room, "after").await;
    assert_eq!(socket.closed().await, (Close::NotAMember, vec![]));
}
