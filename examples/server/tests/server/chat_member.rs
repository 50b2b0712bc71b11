//! Members of a room who chat as docs/websocket.md tells a client to, and what the database has of it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use chelseru_core::UserId;
use chelseru_core::chat::{RoomId, Seq};
use chelseru_core::store::{MessageStore, Span};
use chelseru_diesel::DieselStore;
use chelseru_tests::ChatSocket;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::harness::{Installation, Server};

/// So many messages of one member are under way at the same time.
const UNDER_WAY: usize = 8;

/// Where the servers are now, and how far the chat is.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) addresses: Mutex<Vec<SocketAddr>>,
    /// How many messages were acknowledged, those twice that were sent again.
    pub(crate) acks: watch::Sender<usize>,
    /// How many more messages may be sent.
    turns: Semaphore,
}

impl Stage {
    /// Everybody sends as fast as may be.
    pub(crate) fn free() -> Self {
        Self::with_turns(Semaphore::MAX_PERMITS)
    }

    /// Nobody sends before [a turn is given](Self::give).
    pub(crate) fn in_turns() -> Self {
        Self::with_turns(0)
    }

    fn with_turns(turns: usize) -> Self {
        Self {
            addresses: Mutex::default(),
            acks: watch::Sender::default(),
            turns: Semaphore::new(turns),
        }
    }

    /// Lets so many more messages be sent, by whomever.
    pub(crate) fn give(&self, turns: usize) {
        self.turns.add_permits(turns);
    }
}

/// A place of a room's log, as a member or the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) seq: i64,
    pub(crate) id: i64,
    pub(crate) text: String,
    pub(crate) client_id: Option<String>,
}

/// As much of a frame as a member looks at.
#[derive(Deserialize)]
pub(crate) struct Frame<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'a str,
    pub(crate) seq: Option<i64>,
    id: Option<i64>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow)]
    client_id: Option<Cow<'a, str>>,
}

impl<'a> Frame<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    pub(crate) fn entry(self) -> Option<Entry> {
        Some(Entry {
            seq: self.seq?,
            id: self.id?,
            text: self.message?.into_owned(),
            client_id: self.client_id.map(Cow::into_owned),
        })
    }
}

/// Somebody who is logged in and in the room.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) access: String,
    pub(crate) room: i64,
}

impl Person {
    /// The path of the socket that gives everything after a place.
    pub(crate) fn path(&self, since: i64) -> String {
        let Self { access, room } = self;
        format!("/api/chat/{room}/?since={since}&token={access}")
    }
}

/// Lets so many people log in and meet in a room.
pub(crate) async fn people(server: &Server, count: usize) -> Vec<Person> {
    let mut tokens = Vec::new();
    let mut ids = Vec::new();
    for nth in 0..count {
        let number = format!("0912{nth:07}");
        let access = server.log_in(&number).await.unwrap().access;
        ids.push(id_of(server.http.get(server.url("/api/me/")), &access).await);
        tokens.push(access);
    }
    let group = json!({ "name": "گروه", "users": ids[1..] });
    let create = server.http.post(server.url("/api/chat/chatrooms/"));
    let room = id_of(create.json(&group), &tokens[0]).await;
    let people = tokens.into_iter();
    people.map(|access| Person { access, room }).collect()
}

/// A call with a token, and the id in its answer.
async fn id_of(request: reqwest::RequestBuilder, access: &str) -> i64 {
    let answer = request.bearer_auth(access).send().await.unwrap();
    let body: Value = answer.json().await.unwrap();
    body["id"].as_i64().unwrap_or_else(|| panic!("{body}"))
}

/// The log of a room as the database has it.
pub(crate) async fn stored(installation: &Installation, room: i64) -> Vec<Entry> {
    let store = DieselStore::open(installation.database().url()).await;
    let store = store.expect("the database");
    let nobody = UserId(0);
    let log = store.read_log(RoomId(room), nobody, Span::After(Seq(0)), u32::MAX / 4);
    let log = log.await.unwrap().into_iter();
    log.map(|entry| Entry {
        seq: entry.seq.0,
        id: entry.message.id.0,
        text: entry.message.text,
        client_id: entry.message.client_id,
    })
    .collect()
}

/// A member who sends messages, and reads until the log is as long as it shall be.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) nth: usize,
    person: Person,
    pub(crate) log: Vec<Entry>,
    shall_have: usize,
    /// What is not sent yet, and what is not acknowledged.
    to_send: VecDeque<String>,
    outbox: VecDeque<String>,
    /// How many characters a message has at least.
    length: usize,
    pub(crate) connections: usize,
}

impl Member {
    pub(crate) fn new(nth: usize, person: Person, messages: usize, shall_have: usize) -> Self {
        Self {
            nth,
            person,
            log: Vec::new(),
            length: 0,
            shall_have,
            to_send: (0..messages)
                .map(|count| format!("{nth}-{count}"))
                .collect(),
            outbox: VecDeque::new(),
            connections: 0,
        }
    }

    /// With messages of so many characters.
    pub(crate) fn at_length(mut self, characters: usize) -> Self {
        self.length = characters;
        self
    }

    /// With what the member has already.
    pub(crate) fn with_log(mut self, log: Vec<Entry>) -> Self {
        self.log = log;
        self
    }

    async fn send(&self, socket: &mut ChatSocket, key: &str) {
        let message = format!("پیام {key} ");
        let message = format!("{message:س<width$}", width = self.length);
        let frame = json!({ "message": message, "client_id": key });
        socket.say(&frame).await;
    }

    fn has_all(&self) -> bool {
        self.log.len() >= self.shall_have && self.outbox.is_empty() && self.to_send.is_empty()
    }

    fn at(&self) -> i64 {
        self.log.last().map_or(0, |entry| entry.seq)
    }

    async fn connect(&mut self, stage: &Stage) -> ChatSocket {
        let path = self.person.path(self.at());
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

    /// Chats until everything is said and read, over as many connections as it takes.
    pub(crate) async fn take_part(mut self, stage: &Stage) -> Self {
        while !self.has_all() {
            let mut socket = self.connect(stage).await;
            for key in self.outbox.clone() {
                self.send(&mut socket, &key).await;
            }
            self.chat(&mut socket, stage).await;
        }
        self
    }

    /// Until all is done or the connection is gone.
    async fn chat(&mut self, socket: &mut ChatSocket, stage: &Stage) {
        loop {
            if self.has_all() {
                return;
            }
            let may_send = self.outbox.len() < UNDER_WAY && !self.to_send.is_empty();
            let text = tokio::select! {
                turn = stage.turns.acquire(), if may_send => {
                    turn.unwrap().forget();
                    let key = self.to_send.pop_front().unwrap();
                    self.send(socket, &key).await;
                    self.outbox.push_back(key);
                    continue;
                }
                text = socket.text_if_open() => text,
            };
            let Some(text) = text else {
                return;
            };
            let frame = Frame::read(&text);
            match frame.kind {
                "chat_message" => {
                    let entry = frame.entry().unwrap_or_else(|| panic!("{text}"));
                    assert_eq!(entry.seq, self.at() + 1, "a gap or a duplicate");
                    self.log.push(entry);
                }
                "ack" => {
                    self.outbox
                        .retain(|waiting| frame.client_id.as_deref() != Some(waiting));
                    stage.acks.send_modify(|acks| *acks += 1);
                }
                "error" => panic!("{text}"),
                _ => {}
            }
        }
    }
}

/// Those who took part, when all are done. Fails with the first who fails: the others would wait for ever.
pub(crate) async fn all_of(mut taking_part: JoinSet<Member>) -> Vec<Member> {
    let mut members = Vec::new();
    while let Some(member) = taking_part.join_next().await {
        members.push(member.unwrap());
    }
    members
}
