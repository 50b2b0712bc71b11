//! What happens to an account happens to its living sockets, on every server.

use chelseru_core::{Clock, UserId};
use chelseru_tests::{ChatSocket, Database, TestServer, on_both_databases};
use reqwest::Method;
use serde_json::json;

use super::{Person, Scene};

on_both_databases! {
    a_new_name_is_told_by_sockets_that_live
    a_deleted_account_has_no_sockets
    an_account_that_is_kept_out_has_no_sockets
    a_server_that_begins_to_watch_looks_at_the_sockets_that_it_has
}

/// A room of two people, and two servers, of which the one watches what the other does to accounts.
struct Servers {
    server: TestServer,
    beside: TestServer,
    one: Person,
    other: Person,
    room: i64,
}

impl Servers {
    async fn new(database: Database) -> Self {
        let Scene { server, people } = Scene::<2>::new(database).await;
        let beside = server.beside().await;
        let [one, other] = people;
        let room = one.group(&server, &[&other]).await;
        Self {
            server,
            beside,
            one,
            other,
            room,
        }
    }

    async fn watch(&self) {
        for server in [&self.server, &self.beside] {
            server.chelseru.watch().await.unwrap();
        }
    }

    /// Sockets of somebody, both kinds on both servers.
    async fn sockets(&self, person: &Person) -> Vec<ChatSocket> {
        let mut sockets = Vec::new();
        for server in [&self.server, &self.beside] {
            sockets.push(ChatSocket::open(server, &person.room_path(self.room)).await);
            let mut of_all = ChatSocket::open(server, &person.all_path()).await;
            of_all.frame_of("hello").await;
            of_all.say(&json!({"type": "resume", "rooms": {}})).await;
            of_all.frame_of("synced").await;
            sockets.push(of_all);
        }
        sockets
    }

    /// They are closed for good, and nothing that is said from now on comes over them.
    async fn assert_gone(&self, sockets: Vec<ChatSocket>) {
        for server in [&self.server, &self.beside] {
            for _ in 0..10 {
                self.one.say(server, self.room, "after").await;
            }
        }
        for mut socket in sockets {
            let (frames, code) = socket.closed().await;
            assert_eq!(code, Some(4401));
            assert!(!frames.iter().any(|frame| frame["message"] == "after"));
        }
        for server in [&self.server, &self.beside] {
            let path = self.other.all_path();
            let refused = ChatSocket::try_open(server, &path, &[]).await;
            assert_eq!(refused.map(drop), Err(401));
        }
    }
}

async fn a_new_name_is_told_by_sockets_that_live(database: Database) {
    let scene = Servers::new(database).await;
    let Servers { one, other, .. } = &scene;
    scene.watch().await;
    let mut of_one = scene.sockets(one).await;
    let mut of_other = scene.sockets(other).await;
    let renamed = scene.server.call(Method::PATCH, "/api/me/");
    let renamed = renamed
        .bearer(&other.access)
        .json(&json!({"username": "another_name"}));
    renamed.await.assert_status(200);
    scene.watch().await;
    for (place, socket) in of_other.iter_mut().enumerate() {
        // Typing is told once in some seconds on each server.
        if place % 2 == 0 {
            socket
                .say(&json!({"type": "typing", "room": scene.room}))
                .await;
        }
        let send = json!({"type": "send", "room": scene.room, "message": "a"});
        socket.say(&send).await;
        socket.frame_of("chat_message").await;
        // A server that hears of it is the same as the one where it was said.
        let heard = &mut of_one[place];
        if place % 2 == 0 {
            let typing = heard.frame_of("typing").await;
            assert_eq!(typing["sender"], "another_name", "{place}");
        }
        let message = heard.frame_of("chat_message").await;
        assert_eq!(message["sender"], "another_name", "{place}");
    }
}

async fn a_deleted_account_has_no_sockets(database: Database) {
    let scene = Servers::new(database).await;
    let Servers { server, other, .. } = &scene;
    scene.watch().await;
    let sockets = scene.sockets(other).await;
    let sent = server.post("/api/me/delete/send/").bearer(&other.access);
    sent.await.assert_status(200);
    let code = server.sms.last_code_for("09120000001").unwrap();
    let deleted = server.post("/api/me/delete/").bearer(&other.access);
    let deleted = deleted.json(&json!({"code": code}));
    deleted.await.assert_status(204);
    scene.watch().await;
    scene.assert_gone(sockets).await;
}

/// As an operator does it, beside the servers.
async fn keep_out(scene: &Servers) {
    let store = scene.server.store();
    let now = scene.server.clock.now();
    let done = store.set_user_active(UserId(scene.other.id), false, now);
    assert!(done.await.unwrap());
}

async fn an_account_that_is_kept_out_has_no_sockets(database: Database) {
    let scene = Servers::new(database).await;
    scene.watch().await;
    let sockets = scene.sockets(&scene.other).await;
    keep_out(&scene).await;
    scene.watch().await;
    scene.assert_gone(sockets).await;
}

async fn a_server_that_begins_to_watch_looks_at_the_sockets_that_it_has(database: Database) {
    let scene = Servers::new(database).await;
    let sockets = scene.sockets(&scene.other).await;
    keep_out(&scene).await;
    scene.watch().await;
    scene.assert_gone(sockets).await;
}
