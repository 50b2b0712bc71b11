//! Sockets driven by hand, over a store in memory and a clock that is set.

use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::poll_fn;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::timing::HELD_AT_MOST;
use super::{BATCH, Connection, MOST_STRIKES, Received, Step};
use crate::Config;
use crate::api::{Handshake, Request};
use crate::chat::{Bus, Close, Heard, Hint, MessageType, RoomId};
use crate::clock::Clock;
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
async fn since_gives_everything_after_it_then_says_so_and_then_it_is_live() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let history = i64::from(BATCH) * 2 + 7;
    for _ in 0..history {
        server.post(&one, room, "a").await;
    }
    let mut socket = server
        .open(&one, &format!("/chat/{}/?since=3", room.0))
        .await;
    for seq in 4..=history {
        assert_eq!(socket.frame().await["seq"], seq);
        if seq % 100 == 0 {
            // Live ones come while it reads.
            server.post(&one, room, "b").await;
        }
    }
    let newest = history + history / 100;
    let rest = usize::try_from(newest - history).unwrap();
    assert_eq!(socket.seqs(rest).await.last(), Some(&newest));
    let synced = socket.frame().await;
    assert_eq!(
        synced,
        json!({"type": "synced", "room": room, "seq": newest})
    );
    server.post(&one, room, "c").await;
    assert_eq!(socket.frame().await["seq"], newest + 1);
}

#[tokio::test]
async fn who_has_missed_too_much_is_told_so_and_goes_on_from_the_end() {
    let server = Server::with(|config| config.chat_max_replay(5));
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    for _ in 0..7 {
        server.post(&one, room, "a").await;
    }
    let mut socket = server
        .open(&one, &format!("/chat/{}/?since=1", room.0))
        .await;
    let frame = socket.frame().await;
    assert_eq!(
        frame,
        json!({"type": "too_far", "room": room, "since": 1, "seq": 7})
    );
    assert_eq!(socket.frame().await["type"], "synced");
    server.post(&one, room, "b").await;
    assert_eq!(socket.frame().await["seq"], 8);
}

#[tokio::test]
async fn the_socket_for_all_rooms_holds_everything_until_the_client_says_what_it_has() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let (first, second) = (server.group(&one, &[]).await, server.group(&one, &[]).await);
    for room in [first, first, second] {
        server.post(&one, room, "a").await;
    }
    let elsewhere = server.group(&other, &[]).await;
    let mut socket = server.open(&one, "/chat/").await;
    let hello = socket.frame().await;
    assert_eq!(hello["user"]["id"], json!(one.user.id));
    let rooms = json!({first.0.to_string(): {"seq": 2}, second.0.to_string(): {"seq": 1}});
    assert_eq!(hello["rooms"], rooms);
    server.post(&one, second, "b").await;
    assert_eq!(socket.sent_now().await, []);

    let resume = json!({first.0.to_string(): 1, elsewhere.0.to_string(): 0});
    socket.say(json!({"type": "resume", "rooms": resume}));
    let mut frames = Vec::new();
    for _ in 0..5 {
        frames.push(socket.frame().await);
    }
    let of = |room: RoomId| {
        let of_room = frames
            .iter()
            .filter(move |frame| frame["room"] == json!(room));
        let parts = of_room.map(|frame| json!([frame["type"], frame["seq"]]));
        Value::Array(parts.collect())
    };
    assert_eq!(of(first), json!([["chat_message", 2], ["synced", 2]]));
    assert_eq!(of(second), json!([["synced", 1], ["chat_message", 2]]));
    assert_eq!(of(elsewhere), json!([["room_left", null]]));
    let again = socket.errors(r#"{"type":"resume","rooms":{}}"#).await;
    assert_eq!(again["code"], "not_first");
}

#[tokio::test]
async fn without_a_first_frame_it_begins_where_the_rooms_are() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open(&one, "/chat/").await;
    assert_eq!(socket.frame().await["type"], "hello");
    server.post(&one, room, "a").await;
    server.clock.advance(seconds(4));
    assert_eq!(socket.sent_now().await, []);
    server.clock.advance(seconds(1));
    // What came after hello is not lost.
    assert_eq!(socket.frame().await["seq"], 1);
}

#[tokio::test]
async fn who_comes_into_a_room_hears_of_it_and_from_it() {
    let server = Server::new();
    let _upkeep = server.keep_up();
    let [one, other] = server.people().await;
    let mut socket = server.open_all(&other).await;
    let room = server.group(&one, &[&other]).await;
    let changed = json!({"type": "room_changed", "room": room, "seq": 0});
    assert_eq!(socket.frame().await, changed);
    socket.settle().await;
    server.post(&one, room, "a").await;
    assert_eq!(socket.frame().await["seq"], 1);
    server
        .chelseru
        .kick(&one.user, room, other.user.id)
        .await
        .unwrap();
    let left = json!({"type": "room_left", "room": room});
    assert_eq!(socket.frame().await, left);
    server.post(&one, room, "b").await;
    assert_eq!(socket.sent_now().await, []);
}

#[tokio::test]
async fn who_is_banned_gets_nothing_that_comes_after() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut socket = server.open_room(&other, room).await;
    let mut all_rooms = server.open_all(&other).await;
    let mut owner = server.open_room(&one, room).await;
    server.post(&one, room, "before").await;
    server
        .chelseru
        .ban(&one.user, room, other.user.id)
        .await
        .unwrap();
    for _ in 0..10 {
        server.post(&one, room, "after").await;
    }
    for socket in [&mut socket, &mut all_rooms, &mut owner] {
        assert_eq!(socket.frame().await["message"], "before");
        // Nobody knows yet who may have the rest.
        assert_eq!(socket.sent_now().await, []);
    }
    let _upkeep = server.keep_up();
    assert_eq!(socket.closed().await, (Close::NotAMember, vec![]));
    let left = json!({"type": "room_left", "room": room});
    assert_eq!(all_rooms.frame().await, left);
    assert_eq!(all_rooms.sent_now().await, []);
    assert_eq!(owner.seqs(10).await, (2..=11).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_is_banned_while_reading_up_gets_nothing_more() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    for _ in 0..BATCH + 10 {
        server.post(&one, room, "a").await;
    }
    let mut socket = server
        .open(&other, &format!("/chat/{}/?since=0", room.0))
        .await;
    assert_eq!(socket.frame().await["seq"], 1);
    server
        .chelseru
        .ban(&one.user, room, other.user.id)
        .await
        .unwrap();
    let (close, frames) = socket.closed().await;
    assert_eq!(close, Close::NotAMember);
    assert!(frames.len() < BATCH as usize, "{}", frames.len());
}

#[tokio::test]
async fn a_deleted_room_closes_its_sockets() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    let mut all_rooms = server.open_all(&one).await;
    server
        .chelseru
        .delete_chat_room(&one.user, room)
        .await
        .unwrap();
    assert_eq!(socket.closed().await.0, Close::NotAMember);
    assert_eq!(all_rooms.frame().await["type"], "room_left");
}

#[tokio::test]
async fn what_another_server_does_is_told_at_once() {
    let (store, clock, wire) = (
        Arc::new(MemoryStore::new()),
        ManualClock::default(),
        Wire::new(),
    );
    let here = Server::over(store.clone(), clock.clone(), wire.clone(), |config| config);
    let there = Server::over(store, clock, wire, |config| config);
    let [one, other] = here.people().await;
    let room = here.group(&one, &[&other]).await;
    let (_upkeep, _other_upkeep) = (here.keep_up(), there.keep_up());
    tokio::task::yield_now().await;
    let mut socket = here.open_room(&other, room).await;
    there.post(&one, room, "a").await;
    assert_eq!(socket.frame().await["message"], "a");
    there.chelseru.tell_typing(&one.user, room).await.unwrap();
    assert_eq!(socket.frame().await["type"], "typing");
    there
        .chelseru
        .mark_read(&other.user, room, crate::chat::Seq(1))
        .await
        .unwrap();
    let read = json!({"type": "read", "room": room, "user": other.user.id, "seq": 1});
    assert_eq!(socket.frame().await, read);
    there.chelseru.end_all_sessions(&other.user).await.unwrap();
    assert_eq!(socket.closed().await.0, Close::Unauthorized);
}

#[tokio::test]
async fn what_the_bus_loses_is_read_from_the_store_in_order() {
    let (store, clock, wire) = (
        Arc::new(MemoryStore::new()),
        ManualClock::default(),
        Wire::new(),
    );
    let here = Server::over(store.clone(), clock.clone(), wire.clone(), |config| config);
    let there = Server::over(store, clock, wire.clone(), |config| config);
    let [one] = here.people().await;
    let room = here.group(&one, &[]).await;
    let _upkeep = here.keep_up();
    let mut socket = here.open_room(&one, room).await;
    wire.cut(true);
    for nth in 1..=600 {
        // Every third comes from here, and so before those that are lost.
        let server = if nth % 3 == 0 { &here } else { &there };
        assert_eq!(server.post(&one, room, "a").await, nth);
    }
    assert_eq!(socket.seqs(600).await, (1..=600).collect::<Vec<_>>());
    // Nothing at all is heard of the last ones.
    there.post(&one, room, "b").await;
    assert_eq!(socket.frame().await["message"], "b");
}

#[tokio::test]
async fn a_ban_that_the_bus_loses_is_found() {
    let (store, clock, wire) = (
        Arc::new(MemoryStore::new()),
        ManualClock::default(),
        Wire::new(),
    );
    let here = Server::over(store.clone(), clock.clone(), wire.clone(), |config| config);
    let there = Server::over(store, clock, wire.clone(), |config| config);
    let [one, other] = here.people().await;
    let room = here.group(&one, &[&other]).await;
    let _upkeep = here.keep_up();
    let mut socket = here.open_room(&other, room).await;
    wire.cut(true);
    there
        .chelseru
        .ban(&one.user, room, other.user.id)
        .await
        .unwrap();
    // The message says on which revision it was stored.
    here.post(&one, room, "after").await;
    assert_eq!(socket.closed().await, (Close::NotAMember, vec![]));
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_closed_and_nobody_else() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut slow = server.open_room(&other, room).await;
    let mut quick = server.open_room(&one, room).await;
    for nth in 1..=1100 {
        server.post(&one, room, "a").await;
        assert_eq!(quick.frame().await["seq"], nth);
    }
    assert_eq!(slow.closed().await, (Close::TooSlow, vec![]));
    let mut back = server
        .open(&other, &format!("/chat/{}/?since=0", room.0))
        .await;
    assert_eq!(back.seqs(1100).await, (1..=1100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_session_that_ends_closes_its_sockets_and_nothing_more_is_sent() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut socket = server.open_room(&other, room).await;
    server
        .chelseru
        .log_out(&other.refresh, crate::LogoutScope::This)
        .await
        .unwrap();
    server.post(&one, room, "a").await;
    assert_eq!(socket.closed().await, (Close::Unauthorized, vec![]));
}

/// The store answers nothing: the task that asks it has no turn here.
#[tokio::test]
async fn a_client_of_whom_nobody_knows_whether_he_may_stay_is_sent_away_after_a_while() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    server.chelseru.hub().account_changed(one.user.id);
    assert_eq!(socket.next_now().await, None);
    socket.say(json!({"message": "a", "client_id": "a"}));
    assert!(socket.0.time_to_deadline() <= HELD_AT_MOST);
    server.clock.advance(HELD_AT_MOST / 2);
    assert_eq!(socket.next_now().await, None);
    server.clock.advance(HELD_AT_MOST / 2);
    let closed = Some(Step::Close(Close::Unavailable));
    assert_eq!(socket.next_now().await, closed);
}

#[tokio::test]
async fn another_session_of_the_same_user_goes_on() {
    let server = Server::with(|config| config.otp_per_number_per_hour(0));
    let phone = server.person(1).await;
    server.clock.advance(seconds(240));
    let laptop = server.person(1).await;
    let room = server.group(&phone, &[]).await;
    let mut socket = server.open_room(&laptop, room).await;
    server
        .chelseru
        .log_out(&phone.refresh, crate::LogoutScope::This)
        .await
        .unwrap();
    server.post(&laptop, room, "a").await;
    assert_eq!(socket.frame().await["message"], "a");
}

#[tokio::test]
async fn a_disabled_account_is_found_within_a_minute() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    server
        .chelseru
        .store()
        .set_user_active(one.user.id, false, server.clock.now())
        .await
        .unwrap();
    for _ in 0..3 {
        server.clock.advance(seconds(20));
        socket.0.receive(Received::Sign);
    }
    assert_eq!(socket.closed().await.0, Close::Unauthorized);
}

#[tokio::test]
async fn a_client_is_pinged_and_closed_when_it_gives_no_sign() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    assert_eq!(socket.0.time_to_deadline(), seconds(25));
    server.clock.advance(seconds(25));
    assert_eq!(socket.step().await, Step::Ping);
    socket.0.receive(Received::Sign);
    server.clock.advance(seconds(25));
    assert_eq!(socket.step().await, Step::Ping);
    server.clock.advance(seconds(9));
    assert_eq!(socket.sent_now().await, []);
    server.clock.advance(seconds(1));
    assert_eq!(socket.step().await, Step::Close(Close::HalfOpen));
}

#[tokio::test]
async fn a_token_that_ends_is_announced_and_then_closes_the_socket_after_the_grace() {
    let server = Server::with(|config| config.access_token_lifetime(seconds(60)));
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    server.clock.advance(seconds(30));
    let frame = socket.frame().await;
    assert_eq!(frame["type"], "token_expiring");
    assert_eq!(frame["closes_at"], "2026-01-01T00:01:30.000Z");
    server.clock.advance(seconds(30));
    socket.0.receive(Received::Sign);
    server.clock.advance(seconds(29));
    socket.say(json!({"message": "still"}));
    assert_eq!(socket.frame().await["message"], "still");
    server.clock.advance(seconds(1));
    assert_eq!(socket.closed().await.0, Close::Unauthorized);
}

#[tokio::test]
async fn a_fresh_token_keeps_the_socket() {
    let server = Server::with(|config| config.access_token_lifetime(seconds(60)));
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut socket = server.open_room(&one, room).await;
    server.clock.advance(seconds(30));
    assert_eq!(socket.frame().await["type"], "token_expiring");
    let fresh = server
        .chelseru
        .refresh(&one.refresh, Device::default())
        .await;
    socket.say(json!({"type": "auth", "token": fresh.unwrap().access}));
    socket.settle().await;
    for _ in 0..2 {
        server.clock.advance(seconds(30));
        socket.0.receive(Received::Sign);
        socket.settle().await;
    }
    socket.say(json!({"message": "a"}));
    loop {
        if socket.frame().await["type"] == "chat_message" {
            break;
        }
    }
}

#[tokio::test]
async fn a_token_of_somebody_else_or_none_is_refused() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    let auth = |token: &str| json!({"type": "auth", "token": token}).to_string();
    let error = socket.errors(&auth(&other.access)).await;
    assert_eq!(error["code"], "other_session");
    for token in ["x", &one.refresh] {
        assert_eq!(socket.errors(&auth(token)).await["code"], "token_refused");
    }
}

#[tokio::test]
async fn frames_that_make_no_sense_are_answered_and_after_several_the_socket_is_closed() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    for _ in 0..MOST_STRIKES - 1 {
        assert_eq!(socket.errors("{").await["code"], "bad_json");
    }
    socket.say(json!({"type": "ping"}));
    assert_eq!(socket.frame().await["type"], "pong");
    for _ in 0..MOST_STRIKES {
        socket.0.receive(Received::Binary);
    }
    let (close, frames) = socket.closed().await;
    assert_eq!(close, Close::Protocol);
    assert_eq!(frames.last().unwrap()["code"], "binary_frame");
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

#[tokio::test]
async fn too_many_frames_are_refused_and_many_more_close_the_socket() {
    let server = Server::with(|config| config.chat_frames_per_socket_per_second(2));
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    for _ in 0..6 {
        socket.say(json!({"type": "ping"}));
        assert_eq!(socket.frame().await["type"], "pong");
    }
    socket.say(json!({"message": "a", "client_id": "k"}));
    let refused = socket.frame().await;
    assert_eq!(refused["code"], "too_many_frames");
    assert_eq!(refused["client_id"], "k");
    assert_eq!(refused["retry_after_ms"], 500);
    for _ in 0..6 {
        socket.0.receive(Received::Sign);
    }
    assert_eq!(socket.closed().await.0, Close::TooManyFrames);
}

#[tokio::test]
async fn the_oldest_socket_of_too_many_is_closed() {
    let server = Server::with(|config| config.chat_sockets_per_user(2));
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut first = server.open_room(&one, room).await;
    let mut second = server.open_room(&one, room).await;
    let mut of_other = server.open_room(&other, room).await;
    let mut third = server.open_room(&one, room).await;
    assert_eq!(first.closed().await.0, Close::TooManySockets);
    drop(first);
    server.post(&one, room, "a").await;
    for socket in [&mut second, &mut of_other, &mut third] {
        assert_eq!(socket.frame().await["message"], "a");
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answers_is_not_read_from() {
    let server = Server::with(|config| config.chat_frames_per_socket_per_second(0));
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    let mut said = 0;
    while socket.0.wants_input() {
        socket.say(json!({"type": "ping"}));
        said += 1;
        assert!(said < 1000, "it is never full");
    }
    for _ in 0..said {
        assert_eq!(socket.frame().await["type"], "pong");
    }
    assert!(socket.0.wants_input());
}

#[tokio::test]
async fn a_server_that_stops_sends_everyone_away_and_lets_nobody_in() {
    let server = Server::new();
    let [one] = server.people().await;
    let room = server.group(&one, &[]).await;
    let mut socket = server.open_room(&one, room).await;
    socket.say(json!({"message": "a", "client_id": "last"}));
    server.chelseru.close_chat_sockets();
    let (close, frames) = socket.closed().await;
    assert_eq!(close, Close::Stopping);
    assert!(
        frames.iter().any(|frame| frame["type"] == "ack"),
        "{frames:?}"
    );
    let last = frames.last().unwrap();
    assert_eq!(last["type"], "reconnect");
    assert!(last["after_ms"].as_u64().unwrap() <= 5000);
    drop(socket);
    assert_eq!(server.chelseru.chat_sockets(), 0);

    let query = format!("token={}", one.access);
    let request = Request {
        method: "GET",
        path: "/chat/",
        query: &query,
        ..Request::default()
    };
    let handshake = Handshake {
        request,
        is_upgrade: true,
        ..Handshake::default()
    };
    let refused = server.chelseru.open_socket(handshake).await.unwrap_err();
    assert_eq!(refused.status(), 503);
}

#[tokio::test]
async fn members_are_told_who_comes_and_after_a_while_who_has_gone() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut socket = server.open_room(&one, room).await;
    let leaving = server.open_room(&other, room).await;
    let came = json!({"type": "presence", "user": other.user.id, "online": true});
    assert_eq!(socket.presence().await, came);
    drop(leaving);
    let hub = server.chelseru.hub();
    server.clock.advance(seconds(9));
    hub.tell_who_is_gone(server.chelseru.now());
    assert_eq!(socket.sent_now().await, []);
    assert!(hub.is_online(other.user.id, server.chelseru.now()));
    server.clock.advance(seconds(1));
    hub.tell_who_is_gone(server.chelseru.now());
    let gone = socket.presence().await;
    assert_eq!(gone["online"], false);
    assert_eq!(gone["last_seen"], "2026-01-01T00:00:00.000Z");
    assert!(!hub.is_online(other.user.id, server.chelseru.now()));
}

#[tokio::test]
async fn who_comes_back_at_once_has_not_gone() {
    let server = Server::new();
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut socket = server.open_room(&one, room).await;
    drop(server.open_room(&other, room).await);
    let _back = server.open_room(&other, room).await;
    socket.settle().await;
    server.clock.advance(seconds(20));
    server
        .chelseru
        .hub()
        .tell_who_is_gone(server.chelseru.now());
    assert_eq!(socket.sent_now().await, []);
}

#[tokio::test]
async fn presence_can_be_switched_off() {
    let server = Server::with(|config| config.chat_presence(false));
    let [one, other] = server.people().await;
    let room = server.group(&one, &[&other]).await;
    let mut socket = server.open_room(&one, room).await;
    let _other = server.open_room(&other, room).await;
    assert_eq!(socket.sent_now().await, []);
}
