//! Chat: who may do what, what is stored and found again, and what happens when many ask at once.

mod accounts;
mod bus;
mod closed;
mod files;
mod messages;
mod nonsense;
mod outage;
mod pages;
mod permissions;
mod races;
mod rooms;
mod search;
mod sockets;
mod sockets_permissions;
mod switched_off;
mod users;

use chelseru_core::UserId;
use chelseru_tests::{Answer, Call, ChatSocket, Database, TestServer, log_in};
use reqwest::Method;
use serde_json::{Value, json};

/// Somebody who is logged in.
struct Person {
    id: i64,
    username: String,
    access: String,
}

/// A server and the people on it.
struct Scene<const N: usize> {
    server: TestServer,
    people: [Person; N],
}

impl<const N: usize> Scene<N> {
    async fn new(database: Database) -> Self {
        Self::on(TestServer::start(database).await).await
    }

    async fn on(server: TestServer) -> Self {
        let mut people = Vec::new();
        for nth in 0..N {
            people.push(log_in_as(&server, &format!("091200000{nth:02}")).await);
        }
        let people = people.try_into();
        Self {
            people: people.unwrap_or_else(|_| panic!("not {N} people")),
            server,
        }
    }
}

async fn log_in_as(server: &TestServer, number: &str) -> Person {
    let access = log_in(server, number).await.access;
    let whoami = server.get("/whoami").bearer(&access).await.body;
    let id = whoami.split(' ').next().unwrap().parse().unwrap();
    let user = server.store().find_user(UserId(id)).await.unwrap();
    Person {
        id,
        username: user.unwrap().username,
        access,
    }
}

impl Person {
    fn call(&self, server: &TestServer, method: Method, path: &str) -> Call {
        let path = format!("/api/chat/{path}");
        server.call(method, &path).bearer(&self.access)
    }

    fn get(&self, server: &TestServer, path: &str) -> Call {
        self.call(server, Method::GET, path)
    }

    fn delete(&self, server: &TestServer, path: &str) -> Call {
        self.call(server, Method::DELETE, path)
    }

    fn post(&self, server: &TestServer, path: &str, body: &Value) -> Call {
        self.call(server, Method::POST, path).json(body)
    }

    fn patch(&self, server: &TestServer, path: &str, body: &Value) -> Call {
        self.call(server, Method::PATCH, path).json(body)
    }

    /// A link that a page gave.
    fn follow(&self, server: &TestServer, link: &Value) -> Call {
        let link = link.as_str().unwrap_or_else(|| panic!("no link: {link}"));
        server.get(link).bearer(&self.access)
    }

    fn json(&self) -> Value {
        json!({ "id": self.id, "username": self.username })
    }

    /// The path of the socket for one room.
    fn room_path(&self, room: i64) -> String {
        format!("/api/chat/{room}/?token={}", self.access)
    }

    /// The path of the socket for all rooms.
    fn all_path(&self) -> String {
        format!("/api/chat/?token={}", self.access)
    }

    /// Makes a group and gives its id.
    async fn group(&self, server: &TestServer, members: &[&Person]) -> i64 {
        let users: Vec<_> = members.iter().map(|member| member.id).collect();
        let body = json!({ "name": "گروه", "users": users });
        let answer = self.post(server, "chatrooms/", &body).await;
        answer.assert_status(201);
        id_of(&answer)
    }

    /// Opens the room of the two and gives its id.
    async fn pair(&self, server: &TestServer, other: &Person) -> i64 {
        let body = json!({ "user": other.id });
        id_of(&self.post(server, "chatrooms/", &body).await)
    }

    async fn log_out(&self, server: &TestServer) {
        let log_out = server.post("/api/logout/").bearer(&self.access);
        log_out.json(&json!({})).await.assert_status(200);
    }

    /// Sends a text.
    fn send(&self, server: &TestServer, room: i64, text: &str) -> Call {
        let body = json!({ "chat_room": room, "text": text });
        self.post(server, "messages/", &body)
    }

    /// Sends a text, and gives the message's id.
    async fn say(&self, server: &TestServer, room: i64, text: &str) -> i64 {
        let answer = self.send(server, room, text).await;
        answer.assert_status(201);
        id_of(&answer)
    }

    async fn room(&self, server: &TestServer, room: i64) -> Value {
        let answer = self.get(server, &format!("chatrooms/{room}/")).await;
        answer.assert_status(200).json()
    }

    /// The texts of the newest messages, the newest first.
    async fn texts(&self, server: &TestServer, room: i64) -> Vec<String> {
        let path = format!("messages/?chat_room={room}&page_size=100");
        texts(&self.get(server, &path).await)
    }
}

/// Opens the room of the two, and a socket of each: of the one here, of the other there.
async fn apart(
    [one, other]: &[Person; 2],
    here: &TestServer,
    there: &TestServer,
) -> (i64, [ChatSocket; 2]) {
    let room = one.pair(here, other).await;
    let sockets = [
        ChatSocket::open(here, &one.room_path(room)).await,
        ChatSocket::open(there, &other.room_path(room)).await,
    ];
    (room, sockets)
}

#[track_caller]
fn id_of(answer: &Answer) -> i64 {
    answer.field("id").as_i64().unwrap()
}

#[track_caller]
fn results(answer: &Answer) -> Vec<Value> {
    answer.assert_status(200);
    answer.field("results").as_array().unwrap().clone()
}

#[track_caller]
fn texts(answer: &Answer) -> Vec<String> {
    let results = results(answer).into_iter();
    results
        .map(|message| message["text"].as_str().unwrap().to_owned())
        .collect()
}
