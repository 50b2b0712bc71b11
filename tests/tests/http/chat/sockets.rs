//! The sockets of the chat: who may open one, what comes over it, and what closes it.

use std::time::Duration;

use chelseru_core::chat::{Bus, Heard, Hint};
use chelseru_tests::{
    ChatSocket, Database, Setup, TestServer, Tokens, log_in, on_both_databases, until,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::{Person, Scene, apart};

on_both_databases! {
    the_socket_of_a_room_is_as_the_packages_clients_know_it
    an_http_server_has_the_same_sockets
    the_socket_for_all_rooms_resumes_without_a_gap_or_a_duplicate
    the_same_client_id_over_socket_and_rest_is_one_message
    a_handshake_without_the_right_to_it_is_refused
    a_token_may_come_in_a_header_or_a_subprotocol
    pages_of_other_hosts_are_refused
    a_request_that_is_no_handshake_is_told_so
    of_a_banned_member_none_of_the_next_messages_arrives
    a_session_that_ends_closes_its_sockets
    a_token_is_renewed_on_a_living_socket_or_the_socket_closes
    frames_that_make_no_sense_are_answered_and_hurt_nobody_else
    a_frame_that_is_too_big_closes_before_it_has_come
    a_reader_that_does_not_read_is_closed_and_others_go_on
    a_server_that_stops_tells_its_clients
    the_other_one_of_a_pair_is_shown_to_be_here
}

on_both_databases! {
    postgres only:
    two_servers_are_one_chat
    two_servers_are_one_chat_even_when_the_bus_loses_everything
    of_a_banned_member_none_arrives_from_another_server
    of_a_banned_member_none_arrives_although_the_bus_loses_everything
}

async fn the_socket_of_a_room_is_as_the_packages_clients_know_it(database: Database) {
    let Scene { server, people } = Scene::<2>::new(database).await;
    let [one, other] = &people;
    let room = one.pair(&server, other).await;
    let mut of_one = ChatSocket::open(&server, &one.room_path(room)).await;
    let mut of_other = ChatSocket::open(&server, &other.room_path(room)).await;
    of_one
        .say(&json!({"message": "سلام", "client_id": "7f3"}))
        .await;

    let told = of_other.frame().await;
    assert_eq!(told["type"], "chat_message");
    assert_eq!(told["message"], "سلام");
    assert_eq!(told["message_type"], "text");
    assert_eq!((&told["room"], &told["seq"]), (&json!(room), &json!(1)));
    assert_eq!(told["sender"], one.username.as_str());
    assert_eq!(told["sender_id"], one.id);
    assert_eq!(told["client_id"], "7f3");
    let ack = of_one.frame_of("ack").await;
    let expected = json!({
        "type": "ack", "client_id": "7f3", "id": told["id"], "room": room, "seq": 1,
        "created_at": told["created_at"],
    });
    assert_eq!(ack, expected);
    // It was stored before anybody was told.
    assert_eq!(other.texts(&server, room).await, ["سلام"]);

    other.say(&server, room, "over REST").await;
    assert_eq!(of_other.frame_of("chat_message").await["seq"], 2);
    of_one.say(&json!({"message": "again"})).await;
    assert_eq!(of_other.frame().await["seq"], 3);
}

async fn an_http_server_has_the_same_sockets(database: Database) {
    let server = Setup::new(database).await.in_http_server().start().await;
    let Scene { server, people } = Scene::<2>::on(server).await;
    let [one, other] = &people;
    let room = one.group(&server, &[other]).await;
    let mut of_one = ChatSocket::open(&server, &one.room_path(room)).await;
    let mut of_other = ChatSocket::open(&server, &other.room_path(room)).await;
    of_one
        .say(&json!({"message": "سلام", "client_id": "7f3"}))
        .await;
    assert_eq!(of_other.frame_of("chat_message").await["message"], "سلام");
    assert_eq!(of_one.frame_of("ack").await["client_id"], "7f3");

    of_other.send(Message::Ping(Bytes::from_static(b"?"))).await;
    one.post(
        &server,
        &format!("chatrooms/{room}/bans/"),
        &json!({"user": other.id}),
    )
    .await
    .assert_status(201);
    assert_eq!(of_other.closed().await.1, Some(4403));
    let refused = ChatSocket::try_open(&server, &other.room_path(room), &[]).await;
    assert_eq!(refused.err(), Some(404));
}

async fn the_socket_for_all_rooms_resumes_without_a_gap_or_a_duplicate(database: Database) {
    let Scene { server, people } = Scene::<2>::new(database).await;
    let [one, other] = &people;
    let (first, second) = (
        one.pair(&server, other).await,
        one.group(&server, &[other]).await,
    );
    let mut socket = ChatSocket::open(&server, &other.all_path()).await;
    assert_eq!(socket.frame().await["type"], "hello");
    socket.say(&json!({"type": "resume", "rooms": {}})).await;
    for _ in 0..2 {
        socket.frame_of("synced").await;
    }
    one.say(&server, first, "a").await;
    assert_eq!(socket.frame().await["seq"], 1);
    drop(socket);

    let edited = one.say(&server, first, "b").await;
    one.say(&server, second, "c").await;
    let text = json!({"text": "better"});
    one.patch(&server, &format!("messages/{edited}/"), &text)
        .await
        .assert_status(200);
    let mut back = ChatSocket::open(&server, &other.all_path()).await;
    let hello = back.frame().await;
    assert_eq!(hello["user"], other.json());
    let first_key = first.to_string();
    assert_eq!(hello["rooms"][&first_key]["seq"], 3);
    let second_key = second.to_string();
    let places = json!({"type": "resume", "rooms": {first_key: 1, second_key: 0}});
    back.say(&places).await;
    let mut frames = Vec::new();
    for _ in 0..5 {
        frames.push(back.frame().await);
    }
    let of = |room: i64| -> Vec<Value> {
        let of_room = frames.iter().filter(|frame| frame["room"] == room);
        of_room
            .map(|frame| json!([frame["type"], frame["seq"]]))
            .collect()
    };
    let expected = [
        json!(["chat_message", 2]),
        json!(["message_edited", 3]),
        json!(["synced", 3]),
    ];
    assert_eq!(of(first), expected);
    assert_eq!(
        of(second),
        [json!(["chat_message", 1]), json!(["synced", 1])]
    );
    one.say(&server, first, "d").await;
    assert_eq!(back.frame().await["seq"], 4);
}

async fn the_same_client_id_over_socket_and_rest_is_one_message(database: Database) {
    let Scene { server, people } = Scene::<1>::new(database).await;
    let [one] = &people;
    let room = one.group(&server, &[]).await;
    let mut socket = ChatSocket::open(&server, &one.room_path(room)).await;
    let frame = json!({"message": "a", "client_id": "k"});
    socket.say(&frame).await;
    socket.say(&frame).await;
    let body = json!({"chat_room": room, "text": "a", "client_id": "k"});
    let by_rest = one.post(&server, "messages/", &body).await;
    for _ in 0..2 {
        assert_eq!(socket.frame_of("ack").await["id"], by_rest.field("id"));
    }
    assert_eq!(one.texts(&server, room).await, ["a"]);
    socket.say(&json!({"message": "b", "client_id": "k"})).await;
    assert_eq!(socket.frame_of("error").await["code"], "client_id_taken");
}

async fn a_handshake_without_the_right_to_it_is_refused(database: Database) {
    let Scene { server, people } = Scene::<3>::new(database).await;
    let [one, other, banned] = &people;
    let room = one.group(&server, &[banned]).await;
    let ban = json!({"user": banned.id});
    one.post(&server, &format!("chatrooms/{room}/bans/"), &ban)
        .await;
    for (path, status) in [
        ("/api/chat/".to_owned(), 401),
        ("/api/chat/?token=x".to_owned(), 401),
        (format!("/api/chat/{room}/"), 401),
        (other.room_path(room), 404),
        (banned.room_path(room), 404),
        (one.room_path(room + 1000), 404),
        (format!("{}&since=x", one.room_path(room)), 400),
        (format!("{}&since=-1", one.room_path(room)), 400),
    ] {
        let refused = ChatSocket::try_open(&server, &path, &[]).await;
        assert_eq!(refused.map(drop), Err(status), "{path}");
    }
}

async fn a_token_may_come_in_a_header_or_a_subprotocol(database: Database) {
    let Scene { server, people } = Scene::<1>::new(database).await;
    let [one] = &people;
    let bearer = format!("Bearer {}", one.access);
    let in_header = [("authorization", bearer.as_str())];
    let mut socket = ChatSocket::try_open(&server, "/api/chat/", &in_header)
        .await
        .unwrap();
    assert_eq!(socket.frame().await["type"], "hello");
    let protocols = format!("chelseru.v1, bearer.{}", one.access);
    let in_protocol = [("sec-websocket-protocol", protocols.as_str())];
    let mut socket = ChatSocket::try_open(&server, "/api/chat", &in_protocol)
        .await
        .unwrap();
    assert_eq!(
        socket.handshake.headers()["sec-websocket-protocol"],
        "chelseru.v1"
    );
    assert_eq!(socket.frame().await["type"], "hello");
}

async fn pages_of_other_hosts_are_refused(database: Database) {
    let Scene { server, people } = Scene::<1>::new(database).await;
    let [one] = &people;
    let own = format!("http://{}", server.address());
    for (origin, expected) in [
        (own.as_str(), Ok(())),
        ("https://evil.example", Err(403)),
        ("null", Err(403)),
    ] {
        let headers = [("origin", origin)];
        let opened = ChatSocket::try_open(&server, &one.all_path(), &headers).await;
        assert_eq!(opened.map(drop), expected, "{origin}");
    }
}

async fn a_request_that_is_no_handshake_is_told_so(database: Database) {
    let Scene { server, people } = Scene::<1>::new(database).await;
    let [one] = &people;
    let plain = one.get(&server, "").await;
    plain
        .assert_status(426)
        .assert_header("upgrade", "websocket");
    let wrong = one.post(&server, "", &json!({"message": "a"})).await;
    wrong.assert_status(405).assert_header("allow", "GET");
}

async fn of_a_banned_member_none_of_the_next_messages_arrives(database: Database) {
    let Scene { server, people } = Scene::<3>::new(database).await;
    nothing_arrives_after_a_ban(&server, &server, &people).await;
}

async fn of_a_banned_member_none_arrives_from_another_server(database: Database) {
    let Scene { server, people } = Scene::<3>::new(database).await;
    let beside = server.beside().await;
    nothing_arrives_after_a_ban(&server, &beside, &people).await;
}

async fn of_a_banned_member_none_arrives_although_the_bus_loses_everything(database: Database) {
    let setup = Setup::new(database).await.bus(Void);
    let Scene { server, people } = Scene::<3>::on(setup.start().await).await;
    let beside = server.beside().await;
    nothing_arrives_after_a_ban(&server, &beside, &people).await;
}

/// The ban and the messages happen on `here`, the sockets are `there`.
async fn nothing_arrives_after_a_ban(here: &TestServer, there: &TestServer, people: &[Person; 3]) {
    const MESSAGES: usize = 1000;
    let [one, other, third] = people;
    let room = one.group(here, &[other, third]).await;
    let mut of_room = ChatSocket::open(there, &other.room_path(room)).await;
    let mut of_all = ChatSocket::open(there, &other.all_path()).await;
    let mut of_third = ChatSocket::open(there, &third.room_path(room)).await;
    of_all.frame_of("hello").await;
    of_all.say(&json!({"type": "resume", "rooms": {}})).await;
    of_all.frame_of("synced").await;
    one.say(here, room, "before").await;
    for socket in [&mut of_room, &mut of_all, &mut of_third] {
        assert_eq!(socket.frame_of("chat_message").await["message"], "before");
    }
    let ban = json!({"user": other.id});
    let bans = format!("chatrooms/{room}/bans/");
    one.post(here, &bans, &ban).await.assert_status(201);
    for _ in 0..MESSAGES {
        one.say(here, room, "after").await;
    }
    for _ in 0..MESSAGES {
        assert_eq!(of_third.frame_of("chat_message").await["message"], "after");
    }
    let (frames, code) = of_room.closed().await;
    assert_eq!(code, Some(4403));
    assert!(!frames.iter().any(|frame| frame["message"] == "after"));
    loop {
        let frame = of_all.frame().await;
        assert_ne!(frame["message"], "after");
        if frame == json!({"type": "room_left", "room": room}) {
            break;
        }
    }
    of_all
        .say(&json!({"type": "send", "room": room, "message": "x"}))
        .await;
    let refused = of_all.frame().await;
    assert_eq!(refused["code"], "no_such_room", "{refused}");
}

async fn a_session_that_ends_closes_its_sockets(database: Database) {
    let setup = Setup::new(database).await;
    let Scene { server, people } = Scene::<2>::on(setup.start().await).await;
    let [one, other] = &people;
    let room = one.group(&server, &[other]).await;
    let mut ending = ChatSocket::open(&server, &other.room_path(room)).await;
    let mut staying = ChatSocket::open(&server, &one.room_path(room)).await;
    other.log_out(&server).await;
    one.say(&server, room, "after").await;
    let (frames, code) = ending.closed().await;
    assert_eq!(code, Some(4401));
    assert!(!frames.iter().any(|frame| frame["message"] == "after"));
    assert_eq!(staying.frame_of("chat_message").await["message"], "after");
}

async fn a_token_is_renewed_on_a_living_socket_or_the_socket_closes(database: Database) {
    let Scene { server, people } = Scene::<1>::new(database).await;
    let [owner] = &people;
    let tokens = log_in(&server, "09129999999").await;
    let room = owner.group(&server, &[]).await;
    let path = format!("/api/chat/?token={}", tokens.access);
    let mut renewed = ChatSocket::open(&server, &path).await;
    let mut forgotten = ChatSocket::open(&server, &owner.room_path(room)).await;
    renewed.frame_of("hello").await;
    for _ in 0..10 {
        server.clock.advance(Duration::from_secs(25));
        for socket in [&mut renewed, &mut forgotten] {
            socket.say(&json!({"type": "ping"})).await;
            socket.frame_of("pong").await;
        }
    }
    // The server notices by itself that time has passed.
    server.clock.advance(Duration::from_secs(25));
    renewed.frame_of("token_expiring").await;
    let refresh = json!({"refresh": tokens.refresh});
    let fresh = server.post("/api/token/refresh/").json(&refresh).await;
    let token = Tokens::of(&fresh).access;
    renewed.say(&json!({"type": "auth", "token": token})).await;
    for _ in 0..3 {
        renewed.say(&json!({"type": "ping"})).await;
        renewed.frame_of("pong").await;
        server.clock.advance(Duration::from_secs(20));
        forgotten.send(Message::Ping(Bytes::new())).await;
    }
    let (_, code) = forgotten.closed().await;
    assert_eq!(code, Some(4401));
    renewed.say(&json!({"type": "ping"})).await;
    renewed.frame_of("pong").await;
}

async fn frames_that_make_no_sense_are_answered_and_hurt_nobody_else(database: Database) {
    let Scene { server, people } = Scene::<2>::new(database).await;
    let [one, other] = &people;
    let room = one.group(&server, &[other]).await;
    let mut bad = ChatSocket::open(&server, &one.room_path(room)).await;
    let mut good = ChatSocket::open(&server, &other.room_path(room)).await;
    let long = "x".repeat(4097);
    for (frame, code) in [
        ("{".to_owned(), "bad_json"),
        ("[]".to_owned(), "invalid_frame"),
        (json!({"type": "shout"}).to_string(), "unknown_type"),
        (json!({"message": long}).to_string(), "invalid_field"),
        (json!({"message": "a\u{0}b"}).to_string(), "invalid_field"),
    ] {
        bad.send(Message::text(frame)).await;
        assert_eq!(bad.frame_of("error").await["code"], code);
    }
    bad.send(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(bad.frame_of("error").await["code"], "binary_frame");
    for _ in 0..10 {
        bad.send(Message::text("{")).await;
    }
    assert_eq!(bad.closed().await.1, Some(4400));
    other.say(&server, room, "still here").await;
    assert_eq!(good.frame_of("chat_message").await["message"], "still here");
}

async fn a_frame_that_is_too_big_closes_before_it_has_come(database: Database) {
    let Scene { server, people } = Scene::<1>::new(database).await;
    let [one] = &people;
    let mut socket = ChatSocket::open(&server, &one.all_path()).await;
    socket.frame_of("hello").await;
    socket.send(Message::text("x".repeat(40_000))).await;
    assert_eq!(socket.closed().await.1, Some(1009));

    // Only the head is sent: nobody waits for the gigabyte that it announces.
    let mut raw = chelseru_tests::open(server.address()).await;
    let handshake = format!(
        "GET {} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        one.all_path()
    );
    raw.write_all(handshake.as_bytes()).await.unwrap();
    let head = [0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4];
    raw.write_all(&head).await.unwrap();
    let mut answer = Vec::new();
    let read = raw.read_to_end(&mut answer);
    let read = tokio::time::timeout(Duration::from_secs(60), read).await;
    read.expect("the server closes").unwrap();
    let code = 1009_u16.to_be_bytes();
    assert!(
        answer.windows(2).any(|bytes| bytes == code),
        "no close 1009"
    );
}

async fn a_reader_that_does_not_read_is_closed_and_others_go_on(database: Database) {
    let setup = Setup::new(database).await;
    let setup = setup.config(|config| {
        let config = config.chat_messages_per_user_per_minute(0);
        config.chat_frames_per_socket_per_second(0)
    });
    let Scene { server, people } = Scene::<2>::on(setup.start().await).await;
    let [one, other] = &people;
    let room = one.group(&server, &[other]).await;
    let mut slow = ChatSocket::open(&server, &other.room_path(room)).await;
    let mut quick = ChatSocket::open(&server, &one.room_path(room)).await;
    let mut sender = ChatSocket::open(&server, &one.room_path(room)).await;
    let text = "سلام ".repeat(800);
    for seq in 1..=2500 {
        sender.say(&json!({"message": text})).await;
        assert_eq!(sender.frame_of("chat_message").await["seq"], seq);
        assert_eq!(quick.frame_of("chat_message").await["seq"], seq);
    }
    // What is not read by now does not fit anywhere.
    until("the slow socket is closed", async || {
        server.chelseru.chat_sockets() == 2
    })
    .await;
    let (_, code) = slow.closed().await;
    assert!(matches!(code, None | Some(4508)), "{code:?}");
}

async fn a_server_that_stops_tells_its_clients(database: Database) {
    let Scene { server, people } = Scene::<1>::new(database).await;
    let [one] = &people;
    let mut socket = ChatSocket::open(&server, &one.all_path()).await;
    socket.frame_of("hello").await;
    server.chelseru.close_chat_sockets();
    let (frames, code) = socket.closed().await;
    assert_eq!(code, Some(1001));
    assert_eq!(frames.last().unwrap()["type"], "reconnect");
    until("it is gone", async || server.chelseru.chat_sockets() == 0).await;
    let refused = ChatSocket::try_open(&server, &one.all_path(), &[]).await;
    assert_eq!(refused.map(drop), Err(503));
}

async fn the_other_one_of_a_pair_is_shown_to_be_here(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    assert_eq!(one.room(server, room).await["online"], false);
    let socket = ChatSocket::open(server, &other.all_path()).await;
    assert_eq!(one.room(server, room).await["online"], true);
    assert_eq!(other.room(server, room).await["online"], false);
    drop(socket);
}

/// Whose turn it is, and on which server.
fn in_turn<T>(seq: i32, one: T, other: T) -> T {
    if seq % 2 == 0 { one } else { other }
}

async fn two_servers_are_one_chat(database: Database) {
    let Scene { server, people } = Scene::<2>::new(database).await;
    let beside = server.beside().await;
    let [one, other] = &people;
    let (room, [mut here, mut there]) = apart(&people, &server, &beside).await;
    for seq in 1..=20 {
        let (sender, server) = in_turn(seq, (one, &server), (other, &beside));
        sender.say(server, room, "a").await;
        for socket in [&mut here, &mut there] {
            assert_eq!(socket.frame_of("chat_message").await["seq"], seq);
        }
    }
    there.say(&json!({"type": "typing"})).await;
    assert_eq!(here.frame_of("typing").await["user"], other.id);
    other.log_out(&server).await;
    assert_eq!(there.closed().await.1, Some(4401));
}

/// Takes everything and passes nothing on.
#[derive(Debug)]
struct Void;

#[async_trait::async_trait]
impl Bus for Void {
    fn publish(&self, _: Hint) {}

    async fn run(&self, _: &(dyn Fn(Heard) + Send + Sync)) {
        std::future::pending::<()>().await;
    }
}

async fn two_servers_are_one_chat_even_when_the_bus_loses_everything(database: Database) {
    let setup = Setup::new(database).await.bus(Void);
    let Scene { server, people } = Scene::<2>::on(setup.start().await).await;
    let beside = server.beside().await;
    let [one, other] = &people;
    let (room, [mut here, mut there]) = apart(&people, &server, &beside).await;
    for seq in 1..=20 {
        let (sender, server) = in_turn(seq, (one, &server), (other, &beside));
        sender.say(server, room, "a").await;
    }
    for socket in [&mut here, &mut there] {
        for seq in 1..=20 {
            assert_eq!(socket.frame_of("chat_message").await["seq"], seq);
        }
    }
}
