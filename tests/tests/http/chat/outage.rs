//! The database goes away and comes back.

use chelseru_tests::{Answer, Call, Database, Proxy, Setup, TestServer, on_both_databases, until};
use futures_util::future::join_all;
use serde_json::json;

use super::{Person, Scene};

on_both_databases! { postgres only:
    while_the_database_is_away_nothing_is_acknowledged_and_later_all_works
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

async fn while_the_database_is_away_nothing_is_acknowledged_and_later_all_works(
    database: Database,
) {
    let setup = Setup::new(database).await;
    let mut proxy = Proxy::to(setup.database().address()).await;
    let server = setup.behind(proxy.address()).start().await;
    let scene = Scene::<2>::on(server).await;
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
