//! Sockets driven by hand, over a store in memory and a clock that is set.

mod limits;
mod membership;
mod messages;
mod presence;
mod resuming;
mod servers;
mod sessions;

use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::poll_fn;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::Config;
use crate::api::{Handshake, Request};
use crate::chat::connection::{Connection, Received, Step};
use crate::chat::{Bus, Close, Heard, Hint, MessageType, RoomId};
use crate::config::ConfigBuilder;
use crate::device::Client as Device;
use crate::service::{Chelseru, CurrentUser, GroupDraft, Login, Post};
use crate::store::{MemoryStore, Store};
use crate::testing::{ManualClock, StubProvider};

/// How long anything may take; not a measure of speed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server.
struct Server {
    chelseru: Chelseru,
    clock: ManualClock,
    sms: StubProvider,
}

#[derive(Clone)]
struct Person {
    user: CurrentUser,
    access: String,
    refresh: String,
}

impl Server {
    fn new() -> Self {
        Self::with(|config| config)
    }

    fn with(change: impl FnOnce(ConfigBuilder) -> ConfigBuilder) -> Self {
        let store = Arc::new(MemoryStore::new());
        Self::over(store, ManualClock::default(), crate::chat::LocalBus, change)
    }

    fn over(
        store: Arc<dyn Store>,
        clock: ManualClock,
        bus: impl Bus + 'static,
        change: impl FnOnce(ConfigBuilder) -> ConfigBuilder,
    ) -> Self {
        let config = Config::builder()
            .signing_key("a key of at least 32 bytes, for tests")
            .access_token_lifetime(Duration::from_secs(600))
            .chat_messages_per_user_per_minute(0);
        let sms = StubProvider::new();
        let chelseru = Chelseru::builder(change(config).build().unwrap())
            .store(store)
            .sms(sms.clone())
            .clock(clock.clone())
            .bus(bus)
            .build()
            .unwrap();
        Self {
            chelseru,
            clock,
            sms,
        }
    }

    fn keep_up(&self) -> tokio::task::JoinHandle<()> {
        let mut upkeep = self.chelseru.claim_chat_upkeep().unwrap();
        tokio::spawn(async move { upkeep.run().await })
    }

    async fn person(&self, nth: u8) -> Person {
        let mobile_number = format!("091200000{nth:02}").parse().unwrap();
        let client = Device::default();
        let chelseru = &self.chelseru;
        chelseru.send_code(mobile_number, client).await.unwrap();
        let code = self.sms.last_code_for(mobile_number.as_str()).unwrap();
        let login = Login {
            mobile_number,
            code: code.parse().unwrap(),
            group: 0,
            client,
        };
        let tokens = chelseru.log_in(login).await.unwrap();
        let user = chelseru.authenticate(&tokens.access, client).await.unwrap();
        Person {
            user,
            access: tokens.access,
            refresh: tokens.refresh.unwrap(),
        }
    }

    async fn people<const N: usize>(&self) -> [Person; N] {
        let mut people = Vec::new();
        for nth in 0..N {
            people.push(self.person(u8::try_from(nth).unwrap()).await);
        }
        people.try_into().unwrap_or_else(|_| panic!())
    }

    async fn group(&self, owner: &Person, members: &[&Person]) -> RoomId {
        let draft = GroupDraft {
            name: "group".to_owned(),
            description: None,
            avatar_url: None,
            members: members.iter().map(|member| member.user.id).collect(),
        };
        let group = self.chelseru.create_group(&owner.user, draft).await;
        group.unwrap().listing.room.id
    }

    async fn post(&self, person: &Person, room: RoomId, text: &str) -> i64 {
        let post = Post {
            room,
            text: text.to_owned(),
            client_id: None,
            message_type: MessageType::Text,
            reply_to: None,
            attachment: None,
        };
        let posted = self.chelseru.post_message(&person.user, post).await;
        posted.unwrap().message.seq.0
    }

    async fn open(&self, person: &Person, path: &str) -> Socket {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query = format!("{query}&token={}", person.access);
        let request = Request {
            method: "GET",
            path,
            query: &query,
            ..Request::default()
        };
        let handshake = Handshake {
            request,
            is_upgrade: true,
            ..Handshake::default()
        };
        let accepted = self.chelseru.open_socket(handshake).await.unwrap();
        Socket(accepted.connection)
    }

    async fn open_room(&self, person: &Person, room: RoomId) -> Socket {
        let mut socket = self.open(person, &format!("/chat/{}/", room.0)).await;
        socket.settle().await;
        socket
    }

    async fn open_all(&self, person: &Person) -> Socket {
        let mut socket = self.open(person, "/chat/").await;
        assert_eq!(socket.frame().await["type"], "hello");
        socket.say(json!({"type": "ping"}));
        assert_eq!(socket.frame().await["type"], "pong");
        socket.settle().await;
        socket
    }
}

struct Socket(Connection);

impl Socket {
    #[allow(clippy::needless_pass_by_value, reason = "made where it is said")]
    fn say(&mut self, frame: Value) {
        self.0.receive(Received::Text(&frame.to_string()));
    }

    async fn step(&mut self) -> Step {
        let step = poll_fn(|context| self.0.poll_step(context));
        tokio::time::timeout(PATIENCE, step).await.expect("a step")
    }

    /// The next text frame; presence is left out.
    async fn frame(&mut self) -> Value {
        loop {
            match self.step().await {
                Step::Send(text) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["type"] != "presence" {
                        return frame;
                    }
                }
                Step::Ping => {}
                Step::Close(close) => panic!("closed: {close:?}"),
            }
        }
    }

    async fn presence(&mut self) -> Value {
        loop {
            if let Step::Send(text) = self.step().await {
                let frame: Value = serde_json::from_str(&text).unwrap();
                if frame["type"] == "presence" {
                    return frame;
                }
            }
        }
    }

    async fn seqs(&mut self, count: usize) -> Vec<i64> {
        let mut seqs = Vec::new();
        while seqs.len() < count {
            let frame = self.frame().await;
            if frame["type"] == "chat_message" {
                seqs.push(frame["seq"].as_i64().unwrap());
            }
        }
        seqs
    }

    /// The close, and what was sent before it.
    async fn closed(&mut self) -> (Close, Vec<Value>) {
        let mut frames = Vec::new();
        loop {
            match self.step().await {
                Step::Send(text) => frames.push(serde_json::from_str(&text).unwrap()),
                Step::Ping => {}
                Step::Close(close) => return (close, frames),
            }
        }
    }

    /// Lets everything that is under way come to its end; what is sent is thrown away.
    async fn settle(&mut self) {
        while !self.sent_now().await.is_empty() {}
    }

    /// The next step if there is one at once. Nobody else has a turn.
    async fn next_now(&mut self) -> Option<Step> {
        let step = poll_fn(|context| Poll::Ready(self.0.poll_step(context)));
        match step.await {
            Poll::Ready(step) => Some(step),
            Poll::Pending => None,
        }
    }

    /// What is sent without anything else happening.
    async fn sent_now(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        for _ in 0..50 {
            steps.extend(self.next_now().await);
            tokio::task::yield_now().await;
        }
        steps
    }

    async fn errors(&mut self, frame: &str) -> Value {
        self.0.receive(Received::Text(frame));
        let error = self.frame().await;
        assert_eq!(error["type"], "error", "{error}");
        error
    }
}

/// Servers over one store, and what they tell each other while `is_cut` is not set.
#[derive(Clone, Debug)]
struct Wire {
    hints: broadcast::Sender<String>,
    is_cut: Arc<Mutex<bool>>,
}

impl Wire {
    fn new() -> Self {
        Self {
            hints: broadcast::channel(1024).0,
            is_cut: Arc::default(),
        }
    }

    fn servers(&self) -> [Server; 2] {
        let (store, clock) = (Arc::new(MemoryStore::new()), ManualClock::default());
        [(); 2].map(|()| Server::over(store.clone(), clock.clone(), self.clone(), |config| config))
    }

    fn cut(&self, is_cut: bool) {
        *self.is_cut.lock().unwrap() = is_cut;
    }
}

#[async_trait::async_trait]
impl Bus for Wire {
    fn publish(&self, hint: Hint) {
        if !*self.is_cut.lock().unwrap() {
            let _ = self.hints.send(hint.text(8000).unwrap());
        }
    }

    async fn run(&self, heard: &(dyn Fn(Heard) + Send + Sync)) {
        let mut hints = self.hints.subscribe();
        loop {
            match hints.recv().await {
                Ok(text) => heard(Heard::Hint(Hint::read(&text))),
                Err(_) => heard(Heard::Lost),
            }
        }
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
