//! One socket as a state machine, without I/O: an adapter hands it what a client sent, and asks for the
//! next thing to do.
//!
//! - Every entry of a room's log is sent once, in order, and to nobody whose membership ended before it
//!   was stored.
//! - Memory is bounded: what waits to be sent, what waits to be served, and how much of a log is read at
//!   once. A client that reads too slowly is closed; one that sends too fast is not read from.
//! - Nobody waits for it: what needs the store runs as a task of its own.
//!
//! A room that is not live is *catching up*: its log is read piece by piece, each piece when the one
//! before is sent, until the hub says that the rest comes by itself.

mod incoming;
mod pace;
mod rooms;
mod timing;
mod work;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytestring::ByteString;

use self::pace::{Pace, Verdict};
use self::timing::Times;
use self::work::Order;
pub(crate) use self::work::Outcome;
use super::hub::{Mailbox, Notice, Taken, text_of};
use super::{ClientFrame, Close, RoomId, SendFrame, Seq, ServerFrame};
use crate::clock::Timestamp;
use crate::service::{Chelseru, CurrentUser};
use crate::store::StoreResult;

/// How many entries of a log are read at once.
const BATCH: u32 = 200;

/// How many frames of a client wait to be served before no more are read.
const MOST_UNSERVED: usize = 32;

/// How many frames wait to be sent before no more are read from the client: it does not read its answers.
const MOST_UNSENT: usize = 256;

/// How many frames in a row may make no sense.
const MOST_STRIKES: u32 = 10;

/// How long after the start of a shutdown clients come back: each at another time in this span.
const COME_BACK_WITHIN: Duration = Duration::from_secs(5);

/// Which rooms a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One room: everything after `since`, or after the end of its log when the handshake was accepted.
    One {
        room: RoomId,
        since: Option<Seq>,
        end: Seq,
    },
    /// All rooms of the user.
    All,
}

/// What came from a client.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received<'a> {
    /// A text frame, whole.
    Text(&'a str),
    /// A binary frame, which is no part of the protocol.
    Binary,
    /// A ping or a pong, or a part of a frame.
    Sign,
    /// A frame that is longer than `CHAT.LIMITS.MAX_FRAME_BYTES`.
    TooBig,
    /// The client closes the socket.
    Close,
}

/// Shows no text.
impl std::fmt::Debug for Received<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(***)",
            Self::Binary => "Binary",
            Self::Sign => "Sign",
            Self::TooBig => "TooBig",
            Self::Close => "Close",
        })
    }
}

/// What an adapter does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this text frame.
    Send(ByteString),
    /// Send a ping.
    Ping,
    /// Send a closing frame and then nothing more.
    Close(Close),
}

/// One socket. Dropping it ends it.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and any of them may hold together"
)]
pub struct Connection {
    chelseru: Chelseru,
    mailbox: Arc<Mailbox>,
    user: Arc<CurrentUser>,
    scope: Scope,
    phase: Phase,
    rooms: BTreeMap<RoomId, Place>,
    /// Rooms to be looked at: the user may have come into them.
    to_enter: VecDeque<RoomId>,
    /// Rooms whose logs are to be read on.
    to_read: VecDeque<RoomId>,
    must_list: bool,
    unserved: VecDeque<ClientFrame>,
    unsent: VecDeque<ByteString>,
    is_busy: bool,
    /// Whose turn it is when a client asks and a log is to be read: one never starves the other.
    reads_next: bool,
    check: Check,
    closing: Option<Close>,
    is_stopping: bool,
    is_over: bool,
    must_ping: bool,
    pace: Pace,
    strikes: u32,
    failures: u32,
    times: Times,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The rooms are not known yet.
    Entering,
    /// The rooms are known; the client may say where it stands.
    Waiting {
        until: Timestamp,
    },
    Live,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    None,
    /// Nothing is sent before its outcome.
    Due,
    Running {
        holds: bool,
    },
}

/// A room to which the socket listens.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// What the client has; `None` when it is live.
    cursor: Option<Seq>,
    /// On which revision the user was seen to be a member.
    revision: i64,
    /// Whether the client is told when it has everything.
    tells_synced: bool,
}

impl Connection {
    /// How often a client is pinged.
    pub const PING_EVERY: Duration = Duration::from_secs(25);

    /// After how long without a sign of the client the socket is closed.
    pub const DEAD_AFTER: Duration = Duration::from_secs(35);

    /// How long what is sent may take to reach a client that does not read, before the adapter breaks the
    /// connection off.
    pub const WRITE_TIME: Duration = Duration::from_secs(20);

    pub(crate) fn new(
        chelseru: Chelseru,
        user: CurrentUser,
        token_ends: Timestamp,
        scope: Scope,
    ) -> Self {
        let now = chelseru.now();
        let mailbox = Arc::new(Mailbox::new(user.id));
        let chat = &chelseru.config().chat;
        let at_most = chat.limits.sockets_per_user;
        chelseru.hub().open(&mailbox, scope == Scope::All, at_most);
        Self {
            pace: Pace::new(chat.limits.frames_per_socket_per_second, now),
            mailbox,
            user: Arc::new(user),
            scope,
            phase: Phase::Entering,
            rooms: BTreeMap::new(),
            to_enter: VecDeque::new(),
            to_read: VecDeque::new(),
            must_list: scope == Scope::All,
            unserved: VecDeque::new(),
            unsent: VecDeque::new(),
            is_busy: false,
            reads_next: false,
            check: Check::None,
            closing: None,
            is_stopping: false,
            is_over: false,
            must_ping: false,
            strikes: 0,
            failures: 0,
            times: Times::new(now, token_ends),
            chelseru,
        }
        .entering()
    }

    fn entering(mut self) -> Self {
        if let Scope::One { room, .. } = self.scope {
            self.listen(room);
            self.to_enter.push_back(room);
        }
        self
    }

    /// Whether the adapter is to read from the client; when it is not, it asks again after the next step.
    pub fn wants_input(&self) -> bool {
        self.closing.is_none()
            && !self.is_stopping
            && self.unserved.len() < MOST_UNSERVED
            && self.unsent.len() < MOST_UNSENT
    }

    /// When [`poll_step`](Self::poll_step) is to be called again although nothing has come.
    pub fn next_deadline(&self) -> Timestamp {
        self.times.due()
    }

    /// How long to wait for [`next_deadline`](Self::next_deadline).
    pub fn time_to_deadline(&self) -> Duration {
        self.times.due().since(self.chelseru.now())
    }

    /// Takes what a client sent.
    pub fn receive(&mut self, received: Received<'_>) {
        if self.closing.is_some() {
            return;
        }
        let now = self.chelseru.now();
        self.times.heard_at(now);
        match self.pace.frame(now) {
            Verdict::Served => {}
            Verdict::Hopeless => return self.close(Close::TooManyFrames),
            Verdict::Refused { retry_after_ms } => {
                // Signs are cheap, but not free.
                if let Received::Text(text) = received {
                    self.refuse_too_fast(text, retry_after_ms);
                }
                return;
            }
        }
        match received {
            Received::Sign => {}
            Received::Close => self.close(Close::Normal),
            Received::TooBig => self.close(Close::FrameTooBig),
            Received::Binary => self.strike("binary_frame", "frames are JSON in text frames"),
            Received::Text(text) => match incoming::read(text) {
                Ok(frame) => {
                    self.strikes = 0;
                    self.unserved.push_back(frame);
                }
                Err(unreadable) => self.strike(unreadable.code, &unreadable.detail),
            },
        }
    }

    /// The next thing to do. After [`Step::Close`] there is nothing more.
    pub fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        loop {
            if self.is_over {
                return Poll::Pending;
            }
            self.look_at_time();
            while let Some(notice) = self.mailbox.next_notice() {
                self.notice(notice);
            }
            self.work();
            if let Some(close) = self.closing {
                if close.is_said_last()
                    && let Some(frame) = self.unsent.pop_front()
                {
                    return Poll::Ready(Step::Send(frame));
                }
                self.is_over = true;
                return Poll::Ready(Step::Close(close));
            }
            if std::mem::take(&mut self.must_ping) {
                return Poll::Ready(Step::Ping);
            }
            let taken = if self.is_held() {
                self.mailbox.await_notice(context.waker())
            } else if let Some(frame) = self.unsent.pop_front() {
                return Poll::Ready(Step::Send(frame));
            } else {
                self.mailbox.take_frames(&mut self.unsent, context.waker())
            };
            match taken {
                Taken::Ended(close) => self.close(close),
                Taken::Notices => {}
                Taken::Frames if !self.is_held() && !self.unsent.is_empty() => {}
                Taken::Frames => return Poll::Pending,
            }
        }
    }

    /// The first reason counts.
    fn close(&mut self, close: Close) {
        self.closing.get_or_insert(close);
    }

    fn is_held(&self) -> bool {
        matches!(self.check, Check::Due | Check::Running { holds: true })
    }

    fn send(&mut self, frame: &ServerFrame) {
        self.unsent.push_back(text_of(frame));
    }

    fn strike(&mut self, code: &'static str, detail: &str) {
        self.send(&ServerFrame::error(code, detail));
        self.strikes += 1;
        if self.strikes >= MOST_STRIKES {
            self.close(Close::Protocol);
        }
    }

    fn refuse_too_fast(&mut self, text: &str, retry_after_ms: u64) {
        let client_id = match incoming::read(text) {
            Ok(ClientFrame::Send(frame)) => frame.client_id,
            _ => None,
        };
        self.send(&ServerFrame::Error {
            code: "too_many_frames",
            detail: "too many frames, send this one again later".to_owned(),
            client_id,
            room: None,
            retry_after_ms: Some(retry_after_ms),
        });
    }
}

/// What the connection has done for it.
impl Connection {
    fn begin(&mut self, order: Order) {
        work::begin(&self.chelseru, &self.user, &self.mailbox, order);
    }

    fn begin_check(&mut self, holds: bool) {
        self.check = Check::Running { holds };
        if holds {
            self.times.held_at(self.chelseru.now());
        }
        self.begin(Order::Check);
    }

    /// Begins the next thing, if nothing is under way.
    fn work(&mut self) {
        while !self.is_busy && self.closing.is_none() && !self.is_held() {
            if self.is_stopping && self.unserved.is_empty() {
                return self.say_goodbye();
            }
            let may_ask = !self.times.is_waiting();
            if may_ask && let Some(order) = self.next_look() {
                self.is_busy = true;
                self.begin(order);
                return;
            }
            let may_read = may_ask && self.unsent.is_empty() && !self.to_read.is_empty();
            let may_serve = self.phase != Phase::Entering && !self.unserved.is_empty();
            if may_read && (self.reads_next || !may_serve) {
                self.reads_next = false;
                self.read_on();
            } else if may_serve {
                self.reads_next = true;
                self.serve_next();
            } else {
                return;
            }
        }
    }

    fn next_look(&mut self) -> Option<Order> {
        if std::mem::take(&mut self.must_list) {
            return Some(Order::List);
        }
        self.to_enter.pop_front().map(Order::Enter)
    }

    fn read_on(&mut self) {
        let Some(room) = self.to_read.pop_front() else {
            return;
        };
        if let Some(cursor) = self.rooms.get(&room).and_then(|place| place.cursor) {
            self.is_busy = true;
            self.begin(Order::Read(room, cursor));
        }
    }

    fn serve_next(&mut self) {
        let Some(frame) = self.unserved.pop_front() else {
            return;
        };
        if let Phase::Waiting { .. } = self.phase {
            if let ClientFrame::Resume { rooms } = frame {
                return self.go_live(Some(rooms));
            }
            self.go_live(None);
        }
        match frame {
            ClientFrame::Ping => self.send(&ServerFrame::Pong),
            ClientFrame::Resume { .. } => self.send(&ServerFrame::error(
                "not_first",
                "resume is the first frame of the socket for all rooms",
            )),
            ClientFrame::Send(frame) => {
                self.is_busy = true;
                let messages = self.with_those_that_follow(frame);
                self.begin(Order::Post(messages));
            }
            frame => {
                self.is_busy = true;
                let frame = self.in_its_room(frame);
                self.begin(Order::Serve(frame));
            }
        }
    }

    /// A message and those that came after it, up to the first frame that is another.
    fn with_those_that_follow(&mut self, first: SendFrame) -> Vec<SendFrame> {
        let mut messages = vec![first];
        while let Some(ClientFrame::Send(_)) = self.unserved.front()
            && let Some(ClientFrame::Send(next)) = self.unserved.pop_front()
        {
            messages.push(next);
        }
        if let Scope::One { room, .. } = self.scope {
            for message in &mut messages {
                message.room = Some(room);
            }
        }
        messages
    }

    /// On the socket of one room, frames are for that room.
    fn in_its_room(&self, mut frame: ClientFrame) -> ClientFrame {
        if let Scope::One { room: own, .. } = self.scope {
            match &mut frame {
                ClientFrame::Read { room, .. } | ClientFrame::Typing { room } => *room = Some(own),
                ClientFrame::Send(_)
                | ClientFrame::Resume { .. }
                | ClientFrame::Auth { .. }
                | ClientFrame::Ping => {}
            }
        }
        frame
    }

    fn say_goodbye(&mut self) {
        let span = u64::try_from(COME_BACK_WITHIN.as_millis()).unwrap_or(u64::MAX);
        let after_ms = rand::random_range(0..=span);
        self.send(&ServerFrame::Reconnect { after_ms });
        self.close(Close::Stopping);
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Account if matches!(self.check, Check::Running { .. }) => {
                // What is under way may have looked before the change.
                self.check = Check::Due;
            }
            Notice::Account => self.begin_check(true),
            Notice::Entered(room) => {
                if self.scope == Scope::All && !self.rooms.contains_key(&room) {
                    self.to_enter.push_back(room);
                }
            }
            Notice::Left(room) => self.left(room),
            Notice::Rooms => self.must_list = self.scope == Scope::All,
            Notice::Stopping => self.is_stopping = true,
            Notice::Done(outcome) => self.done(*outcome),
        }
    }

    fn done(&mut self, outcome: Outcome) {
        if let Outcome::Checked(user) = outcome {
            return self.checked(user);
        }
        self.is_busy = false;
        match outcome {
            Outcome::Checked(_) => {}
            Outcome::Broken => self.close(Close::Unavailable),
            Outcome::Served(answers) => {
                for frame in &answers {
                    self.send(frame);
                }
            }
            Outcome::Renewed(token_ends) => {
                self.times.renewed(token_ends, self.chelseru.now());
            }
            Outcome::Listed(rooms) => match self.unless_failed(rooms) {
                Some(rooms) => self.listed(&rooms),
                None => self.must_list = true,
            },
            Outcome::Entered(room, state) => match self.unless_failed(state) {
                Some(state) => self.entered(room, state),
                None => self.to_enter.push_front(room),
            },
            Outcome::Read(room, batch) => match self.unless_failed(batch) {
                Some(Some(batch)) => self.was_read(room, batch),
                Some(None) => self.left(room),
                None => self.to_read.push_front(room),
            },
        }
    }

    fn checked(&mut self, user: StoreResult<Option<CurrentUser>>) {
        let was_due = self.check == Check::Due;
        match user {
            Ok(None) => self.close(Close::Unauthorized),
            Ok(Some(_)) if was_due => self.begin_check(true),
            Ok(Some(user)) => {
                // The account may have another name now.
                self.user = Arc::new(user);
                self.check = Check::None;
                self.times.let_go();
                self.failures = 0;
            }
            Err(error) => {
                tracing::warn!(?error, "the session of a socket could not be looked at");
                self.check = match self.check {
                    Check::Running { holds: false } => Check::None,
                    _ => Check::Due,
                };
                self.failed();
            }
        }
    }

    fn unless_failed<T>(&mut self, result: StoreResult<T>) -> Option<T> {
        match result {
            Ok(found) => {
                self.failures = 0;
                Some(found)
            }
            Err(error) => {
                tracing::warn!(?error, "a socket cannot read the store");
                self.failed();
                None
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let rooms = std::mem::take(&mut self.rooms).into_keys().collect();
        self.mailbox.end(Close::Normal);
        let now = self.chelseru.now();
        self.chelseru.hub().close(&self.mailbox, rooms, now);
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("user", &self.user.id)
            .field("scope", &self.scope)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
