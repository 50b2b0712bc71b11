//! Nonsense: it is refused, and changes nothing.

use chelseru_tests::{Database, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

use super::Scene;

on_both_databases! {
    a_value_that_makes_no_sense_is_refused_in_every_field_of_every_route
    bytes_that_make_no_sense_are_refused_by_every_route
    a_query_that_makes_no_sense_is_refused
    methods_that_a_route_does_not_have_are_refused
}

/// Every route that reads a body, with fields that must be there.
const ROUTES: [(Method, &str); 9] = [
    (Method::POST, "chatrooms/"),
    (Method::POST, "messages/"),
    (Method::POST, "messages/?chat_room=ROOM"),
    (Method::PATCH, "messages/MESSAGE/"),
    (Method::POST, "chatrooms/ROOM/members/"),
    (Method::PATCH, "chatrooms/ROOM/members/USER/"),
    (Method::POST, "chatrooms/ROOM/bans/"),
    (Method::POST, "chatrooms/ROOM/owner/"),
    (Method::POST, "chatrooms/ROOM/read/"),
];

/// A room with a member and a message, and what it was before the nonsense.
struct Nonsense {
    scene: Scene<2>,
    room: i64,
    message: i64,
    before: Value,
}

impl Nonsense {
    async fn new(database: Database) -> Self {
        let scene = Scene::<2>::new(database).await;
        let Scene { server, people } = &scene;
        let [owner, member] = people;
        let room = owner.group(server, &[member]).await;
        let message = owner.say(server, room, "a").await;
        let before = owner.room(server, room).await;
        Self {
            scene,
            room,
            message,
            before,
        }
    }

    fn path(&self, path: &str) -> String {
        path.replace("ROOM", &self.room.to_string())
            .replace("MESSAGE", &self.message.to_string())
            .replace("USER", &self.scene.people[1].id.to_string())
    }

    async fn send(&self, method: &Method, path: &str, body: impl Into<Vec<u8>>) {
        let Scene { server, people } = &self.scene;
        let body = body.into();
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let call = people[0].call(server, method.clone(), &self.path(path));
        let answer = call.body("application/json", body).await;
        assert!((400..500).contains(&answer.status), "{shown}: {answer:?}");
    }

    async fn assert_unchanged(&self) {
        let Scene { server, people } = &self.scene;
        let owner = &people[0];
        assert_eq!(owner.room(server, self.room).await, self.before);
        let rooms = owner.get(server, "chatrooms/").await;
        assert_eq!(super::results(&rooms).len(), 1);
        assert_eq!(owner.texts(server, self.room).await, ["a"]);
    }
}

async fn a_value_that_makes_no_sense_is_refused_in_every_field_of_every_route(database: Database) {
    let nonsense = Nonsense::new(database).await;
    for value in [
        json!(null),
        json!(true),
        json!([[]]),
        json!({}),
        json!({ "id": 1 }),
        json!(""),
        json!(" "),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!("\u{0}"),
        json!("1\u{0}"),
        json!("x".repeat(20_000)),
        json!("9".repeat(20_000)),
        json!("\u{200C}\u{FEFF}"),
    ] {
        // A number can be read as a text.
        let text = match &value {
            Value::Number(_) => json!([value]),
            _ => value.clone(),
        };
        // In every field that any route knows.
        let body = json!({
            "user": value, "user_id": value, "username": value, "users": value, "name": text,
            "description": value, "avatar_url": value, "status": value, "pinned": value,
            "muted": value, "read_seq": value, "seq": value, "permissions": value,
            "chat_room": value, "text": text, "message": text, "client_id": value,
            "reply_to": value, "attachment": value, "message_type": value,
        });
        for (method, path) in ROUTES {
            nonsense.send(&method, path, body.to_string()).await;
        }
        nonsense
            .send(&Method::PATCH, "chatrooms/ROOM/", body.to_string())
            .await;
    }
    nonsense.assert_unchanged().await;
}

async fn bytes_that_make_no_sense_are_refused_by_every_route(database: Database) {
    let nonsense = Nonsense::new(database).await;
    let deep = "[".repeat(1000) + &"]".repeat(1000);
    let deep_field = format!(r#"{{"users":{deep},"name":"x","text":{deep},"user":{deep}}}"#);
    let never_closed = "[".repeat(60_000);
    for body in [
        b"{".as_slice(),
        b"}",
        b"null",
        b"NaN",
        b"[1]",
        b"\"",
        b"\0",
        b"\xff\xfe{\0}\0",
        b"{\"text\":\"\xff\",\"user\":1}",
        br#"{"text":"\ud800","user":1}"#,
        br#"{"text":"a","user":2}x"#,
        deep.as_bytes(),
        deep_field.as_bytes(),
        never_closed.as_bytes(),
    ] {
        for (method, path) in ROUTES {
            nonsense.send(&method, path, body).await;
        }
        nonsense.send(&Method::PATCH, "chatrooms/ROOM/", body).await;
    }
    nonsense.assert_unchanged().await;
}

async fn a_query_that_makes_no_sense_is_refused(database: Database) {
    let nonsense = Nonsense::new(database).await;
    let Scene { server, people } = &nonsense.scene;
    for (path, refused) in [
        ("messages/?chat_room=%FF", true),
        ("messages/?chat_room=ROOM&chat_room=x", true),
        ("messages/?chat_room=ROOM&page_size=1e3", true),
        ("messages/?chat_room=ROOM&since=%00", true),
        ("messages/?chat_room=ROOM&search=%00", true),
        ("messages/?chat_room=ROOM&cursor=%F0%9F%98%80", true),
        ("messages/?chat_room=x&chat_room=ROOM", false),
        ("messages/?chat_room=ROOM&&&=&x=y&%%%", false),
        ("chatrooms/?search=x", false),
    ] {
        let answer = people[0].get(server, &nonsense.path(path)).await;
        let is_refused = (400..500).contains(&answer.status);
        assert_eq!(is_refused, refused, "{answer:?}");
        assert!(answer.status < 500, "{answer:?}");
    }
    for path in [
        "chatrooms/x/",
        "chatrooms/-1/",
        "chatrooms/1e3/",
        "chatrooms/99999999999999999999/",
        "chatrooms/ROOM/members/x/",
        "chatrooms/ROOM/nothing/",
        "chatrooms//members/",
        "messages/x/",
        "rooms/",
        "users/1/",
        "chatrooms/ROOM/members/USER/x/",
    ] {
        let answer = people[0].get(server, &nonsense.path(path)).await;
        answer.assert_status(404);
    }
    nonsense.assert_unchanged().await;
}

async fn methods_that_a_route_does_not_have_are_refused(database: Database) {
    let nonsense = Nonsense::new(database).await;
    let Scene { server, people } = &nonsense.scene;
    for (path, allowed) in [
        ("chatrooms/", "GET, POST"),
        ("chatrooms/ROOM/", "GET, PUT, PATCH, DELETE"),
        ("chatrooms/ROOM/members/", "GET, POST"),
        ("chatrooms/ROOM/members/USER/", "PUT, PATCH, DELETE"),
        ("chatrooms/ROOM/bans/", "GET, POST"),
        ("chatrooms/ROOM/bans/USER/", "DELETE"),
        ("chatrooms/ROOM/leave/", "POST"),
        ("chatrooms/ROOM/owner/", "POST"),
        ("chatrooms/ROOM/read/", "POST"),
        ("chatrooms/ROOM/typing/", "POST"),
        ("messages/", "GET, POST"),
        ("messages/MESSAGE/", "GET, PUT, PATCH, DELETE"),
        ("users/", "GET"),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            if allowed.split(", ").any(|one| one == method) {
                continue;
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let call = people[0].call(server, method, &nonsense.path(path));
            call.await
                .assert_status(405)
                .assert_header("allow", allowed);
        }
    }
    nonsense.assert_unchanged().await;
}
