//! Messages: acknowledged, in order, refused.

use serde_json::json;

use super::Server;

#[tokio::test]
async fn a_message_is_acknowledged_to_its_sender_and_told_to_all_members() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut sender = server.open_room(&one, room).await;
    let mut reader = server.open_room(&other, room).await;
    sender.say(json!({"message": "سلام", "client_id": "a"}));
    let mut types = [sender.frame().await, sender.frame().await];
    let told = reader.frame().await;
    assert_eq!(told["type"], "chat_message");
    assert_eq!((&told["message"], &told["seq"]), (&json!("سلام"), &json!(1)));
    assert_eq!(told["sender"], one.user.username.as_str());
    types.sort_by_key(|frame| frame["type"].to_string());
    assert_eq!(types[0]["type"], "ack");
    assert_eq!(types[0]["client_id"], "a");
    assert_eq!(types[0]["id"], told["id"]);
    assert_eq!(types[1], told);
}

#[tokio::test]
async fn a_message_without_a_client_id_is_not_acknowledged() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    socket.say(json!({"message": "a"}));
    assert_eq!(socket.frame().await["type"], "chat_message");
    assert_eq!(socket.sent_now().await, []);
}

#[tokio::test]
async fn messages_that_are_sent_at_once_are_stored_in_that_order_and_a_bad_one_leaves_the_others_alone()
 {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    for text in ["a", "b", " ", "c", "d"] {
        socket.say(json!({"message": text, "client_id": text}));
    }
    let (mut acks, mut texts, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    while acks.len() + texts.len() + refused.len() < 9 {
        let frame = socket.frame().await;
        match frame["type"].as_str().unwrap() {
            "ack" => acks.push((frame["client_id"].clone(), frame["seq"].clone())),
            "chat_message" => texts.push(frame["message"].clone()),
            _ => refused.push((frame["code"].clone(), frame["client_id"].clone())),
        }
    }
    assert_eq!(texts, ["a", "b", "c", "d"]);
    let expected = ["a", "b", "c", "d"].into_iter().zip(1..);
    let expected = expected.map(|(key, seq)| (json!(key), json!(seq)));
    assert_eq!(acks, expected.collect::<Vec<_>>());
    assert_eq!(refused, [(json!("invalid_field"), json!(" "))]);
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_the_key_of_the_message() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[]).await;
    let elsewhere = server.group(&other, &[]).await;
    let mut socket = server.open_all(&one).await;
    for (frame, code) in [
        (
            json!({"type": "send", "message": "a", "client_id": "k"}),
            "invalid_frame",
        ),
        (
            json!({"type": "send", "room": room, "message": "", "client_id": "k"}),
            "invalid_field",
        ),
        (
            json!({"type": "send", "room": elsewhere, "message": "a", "client_id": "k"}),
            "no_such_room",
        ),
        (
            json!({"type": "send", "room": 999, "message": "a", "client_id": "k"}),
            "no_such_room",
        ),
    ] {
        let error = socket.errors(&frame.to_string()).await;
        assert_eq!(
            (&error["code"], &error["client_id"]),
            (&json!(code), &json!("k")),
            "{frame}"
        );
    }
    for kind in ["read", "typing"] {
        let frame = json!({"type": kind, "room": elsewhere, "seq": 1});
        assert_eq!(
            socket.errors(&frame.to_string()).await["code"],
            "no_such_room"
        );
    }
}

#[tokio::test]
async fn a_socket_of_one_room_is_for_that_room_alone() {
    let server = Server::new();
    let [one] = server.people().await;
    let (room, another) = (server.group(&one, &[]).await, server.group(&one, &[]).await);
    let mut socket = server.open_room(&one, room).await;
    socket.say(json!({"type": "send", "room": another, "message": "a"}));
    assert_eq!(socket.frame().await["room"], json!(room));
}
