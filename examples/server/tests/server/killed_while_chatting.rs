//! SIGKILL of a server in the middle of a chat: what was acknowledged is there, what was not is sent again,
//! and everyone has the same.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chelseru_core::UserId;
use chelseru_core::chat::{RoomId, Seq};
use chelseru_core::store::{MessageStore, Span};
use chelseru_diesel::DieselStore;
use chelseru_tests::{ChatSocket, Database, on_both_databases};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::harness::{Installation, Server};

on_both_databases! { a_chat_goes_on_over_the_kill_of_a_server_and_all_have_the_same }

const MEMBERS: usize = 8;
const MESSAGES: usize = 150;
const ALL: usize = MEMBERS * MESSAGES;
const ACKS_BEFORE_THE_KILL: usize = ALL / 3;

/// So many messages of one member are under way at the same time.
const UNDER_WAY: usize = 8;

/// Where the servers are now, and how far the chat is.
#[derive(Default)]
struct Stage {
    addresses: Mutex<Vec<SocketAddr>>,
    acks: AtomicUsize,
    enough: Notify,
}

/// A place of the log as a member or the database has it.
type Entry = (i64, i64, String, Option<String>);

fn entry(frame: &Value) -> Entry {
    let number = |name: &str| frame[name].as_i64().unwrap();
    let text = |name: &str| frame[name].as_str().map(str::to_owned);
    let message = text("message").unwrap();
    (number("seq"), number("id"), message, text("client_id"))
}

async fn send(socket: &mut ChatSocket, key: &str) {
    let message = format!("پیام {key}");
    let frame = json!({ "message": message, "client_id": key });
    socket.say(&frame).await;
}

/// A client as docs/websocket.md describes it.
struct Member {
    nth: usize,
    access: String,
    room: i64,
    log: Vec<Entry>,
    /// What is not sent yet, and what is not acknowledged.
    to_send: VecDeque<String>,
    outbox: VecDeque<String>,
    connections: usize,
}

impl Member {
    fn new(nth: usize, access: String, room: i64) -> Self {
        Self {
            nth,
            access,
            room,
            log: Vec::new(),
            to_send: (0..MESSAGES)
                .map(|count| format!("{nth}-{count}"))
                .collect(),
            outbox: VecDeque::new(),
            connections: 0,
        }
    }

    fn has_all(&self) -> bool {
        self.log.len() >= ALL && self.outbox.is_empty() && self.to_send.is_empty()
    }

    async fn connect(&mut self, stage: &Stage) -> ChatSocket {
        let since = self.log.last().map_or(0, |entry| entry.0);
        let path = format!(
            "/api/chat/{}/?since={since}&token={}",
            self.room, self.access
        );
        loop {
            let address = {
                let addresses = stage.addresses.lock().unwrap();
                addresses[(self.nth + self.connections) % addresses.len()]
            };
            self.connections += 1;
            if let Some(socket) = ChatSocket::reach(address, &path).await {
                return socket;
            }
            // Until there is a server again, which the test starts.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn take_part(mut self, stage: Arc<Stage>) -> Self {
        while !self.has_all() {
            let mut socket = self.connect(&stage).await;
            for key in self.outbox.clone() {
                send(&mut socket, &key).await;
            }
            self.chat(&mut socket, &stage).await;
        }
        self
    }

    /// Until all is done or the connection is gone.
    async fn chat(&mut self, socket: &mut ChatSocket, stage: &Stage) {
        loop {
            while self.outbox.len() < UNDER_WAY
                && let Some(key) = self.to_send.pop_front()
            {
                send(socket, &key).await;
                self.outbox.push_back(key);
            }
            if self.has_all() {
                return;
            }
            let Some(frame) = socket.frame_if_open().await else {
                return;
            };
            match frame["type"].as_str() {
                Some("chat_message") => {
                    let last = self.log.last().map_or(0, |entry| entry.0);
                    assert_eq!(frame["seq"], last + 1, "a gap or a duplicate");
                    self.log.push(entry(&frame));
                }
                Some("ack") => {
                    let key = frame["client_id"].as_str().unwrap();
                    self.outbox.retain(|waiting| waiting != key);
                    if stage.acks.fetch_add(1, Ordering::SeqCst) + 1 == ACKS_BEFORE_THE_KILL {
                        stage.enough.notify_one();
                    }
                }
                Some("error") => panic!("{frame}"),
                _ => {}
            }
        }
    }
}

/// A call with a token, and the id in its answer.
async fn id_of(request: reqwest::RequestBuilder, access: &str) -> i64 {
    let answer = request.bearer_auth(access).send().await.unwrap();
    let body: Value = answer.json().await.unwrap();
    body["id"].as_i64().unwrap_or_else(|| panic!("{body}"))
}

async fn members(server: &Server) -> Vec<Member> {
    let mut tokens = Vec::new();
    let mut ids = Vec::new();
    for nth in 0..MEMBERS {
        let number = format!("0912{nth:07}");
        let access = server.log_in(&number).await.unwrap().access;
        ids.push(id_of(server.http.get(server.url("/api/me/")), &access).await);
        tokens.push(access);
    }
    let group = json!({ "name": "گروه", "users": ids[1..] });
    let create = server.http.post(server.url("/api/chat/chatrooms/"));
    let room = id_of(create.json(&group), &tokens[0]).await;
    let members = tokens.into_iter().enumerate();
    members
        .map(|(nth, access)| Member::new(nth, access, room))
        .collect()
}

async fn stored(installation: &Installation, room: i64) -> Vec<Entry> {
    let store = DieselStore::open(installation.database().url()).await;
    let store = store.expect("the database");
    let nobody = UserId(0);
    let limit = u32::try_from(2 * ALL).unwrap();
    let log = store.read_log(RoomId(room), nobody, Span::After(Seq(0)), limit);
    let log = log.await.unwrap().into_iter();
    log.map(|entry| {
        let message = entry.message;
        (entry.seq.0, message.id.0, message.text, message.client_id)
    })
    .collect()
}

async fn a_chat_goes_on_over_the_kill_of_a_server_and_all_have_the_same(database: Database) {
    let installation = Installation::new(database)
        .await
        .set("CHELSERU_CHAT__LIMITS__MESSAGES_PER_USER_PER_MINUTE", "0")
        .set("CHELSERU_CHAT__LIMITS__FRAMES_PER_SOCKET_PER_SECOND", "0");
    let mut servers = vec![installation.start()];
    if database == Database::Postgres {
        servers.push(installation.start());
    }
    let members = members(&servers[0]).await;
    let room = members[0].room;
    let address = |server: &Server| server.address().parse::<SocketAddr>().unwrap();
    let stage = Arc::new(Stage::default());
    *stage.addresses.lock().unwrap() = servers.iter().map(address).collect();
    let mut taking_part = JoinSet::new();
    for member in members {
        taking_part.spawn(member.take_part(Arc::clone(&stage)));
    }

    stage.enough.notified().await;
    servers[0].kill();
    assert!(
        stage.acks.load(Ordering::SeqCst) < ALL,
        "they were still sending"
    );
    if database == Database::Sqlite {
        drop(servers.remove(0));
        servers.push(installation.start());
        *stage.addresses.lock().unwrap() = servers.iter().map(address).collect();
    }
    let members = taking_part.join_all().await;

    let stored = stored(&installation, room).await;
    let keys: BTreeSet<_> = stored.iter().map(|entry| entry.3.clone()).collect();
    assert_eq!((stored.len(), keys.len()), (ALL, ALL), "each message once");
    let cut = members.iter().filter(|member| member.connections > 1);
    assert!(
        cut.count() >= MEMBERS / 2,
        "half of them were on the server that was killed"
    );
    for member in &members {
        assert!(
            member.log == stored,
            "member {} has another log",
            member.nth
        );
    }
}
