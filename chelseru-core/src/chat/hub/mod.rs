//! Who listens to which room in this process, and telling them.
//!
//! Telling never waits: neither for a slow client nor for another server. What the bus loses and what
//! came out of order is read from the store by [the upkeep](crate::ChatUpkeep).

mod mailbox;
mod people;
mod room;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytestring::ByteString;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use self::mailbox::{Mailbox, Notice, Taken};
use self::people::{Leaving, People};
pub(crate) use self::room::Joined;
use self::room::{Held, ListenedRoom, Need};
use super::bus::News;
use super::{Bus, Heard, Hint, LogEntry, RoomId, Seq, ServerFrame};
use crate::clock::Timestamp;
use crate::store::RoomState;
use crate::user::UserId;

/// Rooms are spread over so many locks.
const SHARDS: usize = 64;

/// How long a missing entry may be on its way before it is read from the store.
const ON_ITS_WAY: Duration = Duration::from_millis(100);

/// After how long the store is asked again when it failed.
const AGAIN: Duration = Duration::from_secs(1);

/// Presence is told in rooms to which at most so many listen: in larger ones those who come and go would
/// be most of the traffic, and nobody looks.
const SMALL_ROOM: usize = 50;

/// How many ids go into one hint.
const IDS_A_HINT: usize = 300;

/// Something that the members of a room who are there should know. Told after its commit.
#[derive(Clone, Debug)]
pub(crate) enum RoomEvent {
    /// The log has another entry, stored on that revision of the room.
    Entry { entry: LogEntry, revision: i64 },
    /// A member's read pointer has moved.
    Read {
        room: RoomId,
        user: UserId,
        seq: Seq,
    },
    /// A member is typing. Never stored.
    Typing {
        room: RoomId,
        user: UserId,
        username: String,
    },
    /// The room, its members, their permissions or its bans have changed: it is on this revision now, and
    /// these users may have come in.
    Changed {
        room: RoomId,
        revision: i64,
        users: Vec<UserId>,
    },
    /// The room is gone.
    Deleted { room: RoomId },
}

/// The listeners of this process.
#[derive(Debug)]
pub(crate) struct Hub {
    /// Tells this process from the others on the bus.
    server: u64,
    bus: Arc<dyn Bus>,
    shards: Vec<Mutex<HashMap<RoomId, ListenedRoom>>>,
    people: Mutex<People>,
    /// The rooms for which the store has to be asked, and when.
    due: Mutex<HashMap<RoomId, Instant>>,
    has_due: Notify,
    is_stopping: AtomicBool,
}

/// What is to be asked about a room.
#[derive(Debug)]
pub(crate) struct Question {
    /// Whose memberships; in order.
    pub(crate) users: Vec<UserId>,
    /// After which entry the log is to be read, if at all.
    pub(crate) log_after: Option<Seq>,
}

/// What the store says of a room. The entries were read first, the state after them, the members last: so
/// a member could read the entries, and is one on that revision or a later one.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) entries: Vec<LogEntry>,
    pub(crate) state: Option<RoomState>,
    pub(crate) members: Vec<UserId>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The text of a frame.
pub(crate) fn text_of(frame: &impl Serialize) -> ByteString {
    // Frames are plain structs with text keys: they always serialise.
    serde_json::to_string(frame).unwrap_or_default().into()
}

impl Hub {
    pub(crate) fn new(bus: Arc<dyn Bus>) -> Self {
        Self {
            server: rand::random(),
            bus,
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            people: Mutex::default(),
            due: Mutex::default(),
            has_due: Notify::new(),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// Tells everyone who listens, here and in the other processes. Never waits.
    pub(crate) fn tell(&self, event: RoomEvent) {
        match event {
            RoomEvent::Entry { entry, revision } => {
                let (room, seq) = (entry.message.room, entry.seq);
                let frame = text_of(&ServerFrame::from(entry));
                self.entry(room, seq, revision, &frame);
                let news = News::Entry {
                    room,
                    seq,
                    revision,
                };
                self.publish(news, Some(frame));
            }
            RoomEvent::Read { room, user, seq } => {
                let frame = text_of(&ServerFrame::Read { room, user, seq });
                self.pass(room, frame, None);
            }
            RoomEvent::Typing {
                room,
                user,
                username,
            } => {
                let sender = username;
                let frame = text_of(&ServerFrame::Typing { room, user, sender });
                self.pass(room, frame, Some(user));
            }
            RoomEvent::Changed {
                room,
                revision,
                users,
            } => {
                self.changed(room, revision, &users);
                for users in chunks(&users) {
                    let users = users.to_vec();
                    let news = News::Changed {
                        room,
                        revision,
                        users,
                    };
                    self.publish(news, None);
                }
            }
            RoomEvent::Deleted { room } => {
                self.deleted(room);
                self.publish(News::Deleted { room }, None);
            }
        }
    }

    /// The sessions or the account of a user have changed: the user's sockets ask whether they may stay.
    pub(crate) fn account_changed(&self, user: UserId) {
        self.look_at_account(user);
        self.publish(News::Account { user }, None);
    }

    /// Any account may have changed, and nobody knows which.
    pub(crate) fn accounts_changed(&self) {
        for mailbox in lock(&self.people).sockets() {
            mailbox.notify(Notice::Account);
        }
    }

    /// What another server says, or that it may have said something.
    pub(crate) fn heard(&self, heard: Heard, now: Timestamp) {
        let Heard::Hint(Hint { from, news, frame }) = heard else {
            self.may_have_missed();
            return;
        };
        if from == self.server {
            return;
        }
        match (news, frame) {
            (
                News::Entry {
                    room,
                    seq,
                    revision,
                },
                Some(frame),
            ) => self.entry(room, seq, revision, &frame),
            (
                News::Entry {
                    room,
                    seq,
                    revision,
                },
                None,
            ) => self.saw(room, seq, revision),
            (News::Passing { room, but }, Some(frame)) => {
                self.in_room(room, |room| room.pass(&frame, but));
            }
            (
                News::Changed {
                    room,
                    revision,
                    users,
                },
                _,
            ) => self.changed(room, revision, &users),
            (News::Deleted { room }, _) => self.deleted(room),
            (News::Account { user }, _) => self.look_at_account(user),
            (News::Online { users }, _) => {
                let mut people = lock(&self.people);
                for user in users {
                    people.is_elsewhere(user, from, now);
                }
            }
            (News::Came { user, rooms }, _) => {
                lock(&self.people).is_elsewhere(user, from, now);
                self.show(&rooms, user, true, None);
            }
            (
                News::Gone {
                    user,
                    rooms,
                    last_seen_ms,
                },
                _,
            ) => {
                let is_online = {
                    let mut people = lock(&self.people);
                    people.left(user, from);
                    people.is_online(user, now)
                };
                if !is_online {
                    let last_seen = Timestamp::from_millis(last_seen_ms);
                    self.show(&rooms, user, false, Some(last_seen));
                }
            }
            (News::Passing { .. }, None) | (News::Unknown, _) => {}
        }
    }

    fn publish(&self, news: News, frame: Option<ByteString>) {
        self.bus.publish(Hint {
            from: self.server,
            news,
            frame,
        });
    }

    pub(crate) fn bus(&self) -> &dyn Bus {
        &*self.bus
    }
}

fn chunks(users: &[UserId]) -> Vec<&[UserId]> {
    if users.is_empty() {
        return vec![users];
    }
    users.chunks(IDS_A_HINT).collect()
}

/// Rooms.
impl Hub {
    fn shard(&self, room: RoomId) -> MutexGuard<'_, HashMap<RoomId, ListenedRoom>> {
        let place = usize::try_from(room.0.unsigned_abs()).unwrap_or(0) % SHARDS;
        lock(&self.shards[place])
    }

    /// Does something in a room to which somebody listens, and notes what it needs then.
    fn in_room<T>(&self, id: RoomId, act: impl FnOnce(&mut ListenedRoom) -> T) -> Option<T> {
        let mut rooms = self.shard(id);
        let room = rooms.get_mut(&id)?;
        let done = act(room);
        let need = room.need();
        if room.is_empty() {
            rooms.remove(&id);
        }
        drop(rooms);
        match need {
            Need::Nothing => {}
            Need::Entries => self.ask(id, ON_ITS_WAY),
            Need::Members => self.ask(id, Duration::ZERO),
        }
        Some(done)
    }

    fn ask(&self, room: RoomId, after: Duration) {
        let at = Instant::now() + after;
        let mut due = lock(&self.due);
        let known = due.entry(room).or_insert(at);
        if *known >= at {
            *known = at;
            self.has_due.notify_one();
        }
    }

    /// Lets a connection listen to a room. It is given entries once it has [joined](Self::join), and all
    /// else from now on.
    pub(crate) fn listen(&self, room: RoomId, mailbox: &Arc<Mailbox>) {
        let mut rooms = self.shard(room);
        rooms.entry(room).or_default().add(Arc::clone(mailbox));
    }

    /// Gives a listener every entry after `cursor`, if that is where the room is: the listener has
    /// everything up to there and was a member on that revision, and read both while it listened.
    pub(crate) fn join(
        &self,
        room: RoomId,
        mailbox: &Arc<Mailbox>,
        cursor: Seq,
        revision: i64,
    ) -> Joined {
        self.in_room(room, |room| room.join(mailbox, cursor, revision))
            .unwrap_or(Joined::Out)
    }

    pub(crate) fn stop_listening(&self, room: RoomId, mailbox: &Arc<Mailbox>) {
        self.in_room(room, |room| room.remove(mailbox));
    }

    fn entry(&self, room: RoomId, seq: Seq, revision: i64, frame: &ByteString) {
        let frame = frame.clone();
        self.in_room(room, |room| room.entry(seq, Held { frame, revision }));
    }

    /// What is known of a room, from a hint without a frame or from the store.
    pub(crate) fn saw(&self, room: RoomId, newest: Seq, revision: i64) {
        self.in_room(room, |room| room.saw(newest, revision));
    }

    fn pass(&self, room: RoomId, frame: ByteString, but: Option<UserId>) {
        self.in_room(room, |room| room.pass(&frame, but));
        self.publish(News::Passing { room, but }, Some(frame));
    }

    fn changed(&self, room: RoomId, revision: i64, users: &[UserId]) {
        self.in_room(room, |room| room.saw(Seq(0), revision));
        let people = lock(&self.people);
        for user in users {
            for mailbox in people.sockets_for_all_of(*user) {
                mailbox.notify(Notice::Entered(room));
            }
        }
    }

    /// The room is gone: nobody listens to it any more.
    pub(crate) fn deleted(&self, id: RoomId) {
        let room = self.shard(id).remove(&id);
        for mailbox in room.iter().flat_map(ListenedRoom::mailboxes) {
            mailbox.notify(Notice::Left(id));
        }
    }

    /// The rooms to which somebody listens.
    pub(crate) fn listened_rooms(&self) -> Vec<RoomId> {
        let ids = |shard: &Mutex<HashMap<RoomId, ListenedRoom>>| {
            lock(shard).keys().copied().collect::<Vec<_>>()
        };
        self.shards.iter().flat_map(ids).collect()
    }

    /// The rooms about which the store is to be asked now. Waits for the first.
    pub(crate) async fn rooms_due(&self) -> Vec<RoomId> {
        loop {
            let first = lock(&self.due).values().min().copied();
            let news = self.has_due.notified();
            match first {
                None => news.await,
                Some(at) if at > Instant::now() => {
                    let _ = tokio::time::timeout_at(at, news).await;
                }
                Some(_) => {
                    let now = Instant::now();
                    let due = lock(&self.due)
                        .extract_if(|_, at| *at <= now)
                        .collect::<Vec<_>>();
                    return due.into_iter().map(|(room, _)| room).collect();
                }
            }
        }
    }

    /// What to ask about a room; nothing when it has found what it needs by itself.
    pub(crate) fn question(&self, room: RoomId) -> Option<Question> {
        let rooms = self.shard(room);
        let room = rooms.get(&room)?;
        (room.need() != Need::Nothing).then(|| Question {
            users: room.users(),
            log_after: room.missing_after(),
        })
    }

    /// The store did not answer.
    pub(crate) fn unanswered(&self, room: RoomId) {
        self.ask(room, AGAIN);
    }

    /// Tells those who listen what the store says.
    pub(crate) fn answered(&self, id: RoomId, question: &Question, report: Report) {
        let Some(state) = report.state else {
            self.deleted(id);
            return;
        };
        let out = self.in_room(id, |room| {
            room.saw(state.last_seq, state.revision);
            let (is_news, out) = room.check(&question.users, &report.members, state.revision);
            if is_news {
                let seq = room.newest();
                let changed = ServerFrame::RoomChanged { room: id, seq };
                room.pass(&text_of(&changed), None);
            }
            // Everyone who is still here is a member, and was one when these were read.
            for entry in report.entries {
                let (seq, frame) = (entry.seq, text_of(&ServerFrame::from(entry)));
                let revision = state.revision;
                room.entry(seq, Held { frame, revision });
            }
            room.hand_out();
            out
        });
        for mailbox in out.into_iter().flatten() {
            mailbox.notify(Notice::Left(id));
        }
        // A long gap takes several batches, and none of it is on its way.
        if self.question(id).is_some() {
            self.ask(id, Duration::ZERO);
        }
    }
}

/// People.
impl Hub {
    /// Notes a socket; of more than so many of one user, the oldest ends.
    pub(crate) fn open(&self, mailbox: &Arc<Mailbox>, is_for_all: bool, at_most: u32) {
        lock(&self.people).add(Arc::clone(mailbox), is_for_all, at_most);
        if self.is_stopping() {
            mailbox.notify(Notice::Stopping);
        }
    }

    /// Forgets a socket and what it listens to.
    pub(crate) fn close(&self, mailbox: &Arc<Mailbox>, rooms: Vec<RoomId>, now: Timestamp) {
        for room in &rooms {
            self.stop_listening(*room, mailbox);
        }
        lock(&self.people).remove(mailbox, rooms, now);
    }

    /// Tells those in the rooms that the user is here.
    pub(crate) fn came(&self, user: UserId, rooms: &[RoomId]) {
        self.show(rooms, user, true, None);
        for rooms in rooms.chunks(IDS_A_HINT) {
            let rooms = rooms.to_vec();
            self.publish(News::Came { user, rooms }, None);
        }
    }

    /// Tells of those who have gone, and lets the other servers know who is here.
    pub(crate) fn tell_who_is_gone(&self, now: Timestamp) {
        let gone = lock(&self.people).gone(now);
        for Leaving {
            user,
            rooms,
            last_seen,
        } in gone
        {
            if !self.is_online(user, now) {
                self.show(&rooms, user, false, Some(last_seen));
            }
            for rooms in rooms.chunks(IDS_A_HINT) {
                let news = News::Gone {
                    user,
                    rooms: rooms.to_vec(),
                    last_seen_ms: last_seen.as_millis(),
                };
                self.publish(news, None);
            }
        }
    }

    /// Lets the other servers know who is here.
    pub(crate) fn tell_who_is_here(&self) {
        let users = lock(&self.people).are_here();
        for users in users.chunks(IDS_A_HINT) {
            let users = users.to_vec();
            self.publish(News::Online { users }, None);
        }
    }

    /// Whether the user has a socket open, on any server.
    pub(crate) fn is_online(&self, user: UserId, now: Timestamp) -> bool {
        lock(&self.people).is_online(user, now)
    }

    fn show(&self, rooms: &[RoomId], user: UserId, online: bool, last_seen: Option<Timestamp>) {
        let frame = text_of(&ServerFrame::Presence {
            user,
            online,
            last_seen,
        });
        for room in rooms {
            self.in_room(*room, |room| {
                if room.mailboxes().len() <= SMALL_ROOM {
                    room.pass(&frame, Some(user));
                }
            });
        }
    }

    fn look_at_account(&self, user: UserId) {
        for mailbox in lock(&self.people).sockets_of(user) {
            mailbox.notify(Notice::Account);
        }
    }

    /// Everything may have changed: everyone looks.
    fn may_have_missed(&self) {
        for mailbox in lock(&self.people).sockets() {
            mailbox.notify(Notice::Account);
            mailbox.notify(Notice::Rooms);
        }
    }

    /// Has every connection look at the time: the clock was set.
    pub(crate) fn wake_all(&self) {
        for mailbox in lock(&self.people).sockets() {
            mailbox.wake();
        }
    }

    /// Tells every client to come back to another server, or to this one in a while, and closes.
    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        for mailbox in lock(&self.people).sockets() {
            mailbox.notify(Notice::Stopping);
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }

    /// How many sockets are open.
    pub(crate) fn socket_count(&self) -> usize {
        lock(&self.people).sockets().count()
    }
}
