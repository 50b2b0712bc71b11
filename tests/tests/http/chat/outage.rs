//! The database goes away and comes back.

use std::time::Duration;

use chelseru_tests::{
    Answer, Call, ChatSocket, Database, Proxy, Setup, TestServer, on_both_databases, until,
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Person, Scene};

on_both_databases! { postgres only:
    while_the_database_is_away_nothing_is_acknowledged_and_later_all_works
    while_the_database_is_away_sockets_say_so_and_a_resend_is_told_once
}

fn calls(server: &TestServer, one: &Person, room: i64, id: i64) -> Vec<Call> {
    let empty = json!({});
    let path = format!("chatrooms/{room}/");
    vec![
        one.send(server, room, "lost"),
        one.send(server, room, "lost as well"),
        one.patch(server, &format!("messages/{id}/"), &json!({ "text": "b" })),
        one.delete(server, &format!("messages/{id}/")),
        one.get(server, &format!("messages/?chat_room={room}")),
        one.get(server, "chatrooms/"),
        one.get(server, &path),
        one.patch(server, &path, &json!({ "name": "x" })),
        one.delete(server, &path),
        one.get(server, &format!("{path}members/")),
        one.post(server, &format!("{path}read/"), &json!({ "seq": 1 })),
        one.post(server, &format!("{path}typing/"), &empty),
        one.post(server, &format!("{path}leave/"), &empty),
        one.get(server, "users/?username=x"),
    ]
}

#[track_caller]
fn assert_unavailable(answer: &Answer) {
    answer.assert_status(503);
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    assert_eq!(
        answer.json(),
        json!({ "error": "The service is temporarily unavailable." })
    );
}

/// What stands between a server and its database, and the people on that server.
async fn behind_a_proxy(database: Database) -> (Proxy, Scene<2>) {
    let setup = Setup::new(database).await;
    let proxy = Proxy::to(setup.database().address()).await;
    let server = setup.behind(proxy.address()).start().await;
    (proxy, Scene::on(server).await)
}

async fn while_the_database_is_away_nothing_is_acknowledged_and_later_all_works(
    database: Database,
) {
    let (mut proxy, scene) = behind_a_proxy(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.group(server, &[other]).await;
    let id = one.say(server, room, "a").await;
    for hangs in [false, true] {
        if hangs {
            proxy.hang();
        } else {
            proxy.refuse().await;
        }
        let calls = calls(server, one, room, id).into_iter();
        for answer in join_all(calls.map(IntoFuture::into_future)).await {
            assert_unavailable(&answer);
        }
        proxy.recover().await;
        until("the service is back", async || {
            server.get("/whoami").bearer(&one.access).await.status == 200
        })
        .await;
        assert_eq!(other.texts(server, room).await, ["a"]);
    }
    one.say(server, room, "b").await;
    assert_eq!(other.texts(server, room).await, ["b", "a"]);
    assert_eq!(other.room(server, room).await["last_seq"], 2);
}

/// The next frame, while the server's clock goes on: a socket that could not look whether it may stay looks
/// again after a second.
async fn frame_in_time(server: &TestServer, socket: &mut ChatSocket) -> Value {
    let clock = async {
        loop {
            let tick = Duration::from_millis(50);
            tokio::time::sleep(tick).await;
            server.clock.advance(tick);
        }
    };
    tokio::select! {
        frame = socket.frame() => frame,
        never = clock => never,
    }
}

/// Sends it again and again, as a client does, until it is acknowledged; all that came meanwhile.
async fn resend(server: &TestServer, socket: &mut ChatSocket, message: &Value) -> Vec<Value> {
    let mut frames = Vec::new();
    socket.say(message).await;
    loop {
        let frame = frame_in_time(server, socket).await;
        let is_refusal = frame["type"] == "error";
        let is_ack = frame["type"] == "ack" && frame["client_id"] == message["client_id"];
        if is_refusal {
            assert_eq!(frame["code"], "unavailable", "{frame}");
            socket.say(message).await;
        }
        frames.push(frame);
        if is_ack {
            return frames;
        }
    }
}

async fn while_the_database_is_away_sockets_say_so_and_a_resend_is_told_once(database: Database) {
    for hangs in [false, true] {
        let (mut proxy, scene) = behind_a_proxy(database).await;
        let Scene { server, people } = &scene;
        let [one, other] = people;
        let room = one.group(server, &[other]).await;
        let mut of_one = ChatSocket::open(server, &one.room_path(room)).await;
        let mut of_other = ChatSocket::open(server, &other.room_path(room)).await;
        one.say(server, room, "before").await;
        for socket in [&mut of_one, &mut of_other] {
            assert_eq!(socket.frame().await["message"], "before");
        }

        if hangs {
            proxy.hang();
        } else {
            proxy.refuse().await;
        }
        let message = json!({ "message": "kept", "client_id": "k" });
        for _ in 0..2 {
            of_one.say(&message).await;
            let refused = of_one.frame().await;
            assert_eq!(refused["type"], "error", "{refused}");
            assert_eq!(refused["code"], "unavailable");
            assert_eq!(refused["client_id"], "k");
            assert!(refused["retry_after_ms"].is_u64(), "{refused}");
        }
        of_other.say(&json!({ "type": "ping" })).await;
        assert_eq!(of_other.frame().await["type"], "pong", "and nothing else");

        proxy.recover().await;
        let frames = resend(server, &mut of_one, &message).await;
        assert_eq!(frames.last().unwrap()["seq"], 2);
        let told = frame_in_time(server, &mut of_other).await;
        assert_eq!(
            (&told["message"], &told["seq"]),
            (&json!("kept"), &json!(2))
        );
        let is_message = |frame: &&Value| frame["type"] == "chat_message";
        if frames.iter().filter(is_message).count() == 0 {
            let own = frame_in_time(server, &mut of_one).await;
            assert_eq!((&own["message"], &own["seq"]), (&json!("kept"), &json!(2)));
        }
        // Nothing was told twice: the next that comes is the next that happens.
        one.say(server, room, "after").await;
        for socket in [&mut of_one, &mut of_other] {
            let next = frame_in_time(server, socket).await;
            assert_eq!(
                (&next["message"], &next["seq"]),
                (&json!("after"), &json!(3))
            );
        }
        assert_eq!(other.texts(server, room).await, ["after", "kept", "before"]);
    }
}
