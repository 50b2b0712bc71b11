//! What waits for one connection: frames, and what it has to look at.
//!
//! Bounded in frames and in bytes. Whoever puts something in never waits: when a message does not fit,
//! the connection is too slow and ends, and what waited for it is dropped at once.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use bytestring::ByteString;

use crate::chat::connection::Outcome;
use crate::chat::{Close, RoomId};
use crate::user::UserId;

/// How many frames may wait: a busy room's messages of some seconds.
pub(crate) const MOST_FRAMES: usize = 1024;

/// How many bytes may wait.
pub(crate) const MOST_BYTES: usize = 1024 * 1024;

/// A queue that was longer than this once gives its memory back when it is empty.
const KEPT_FRAMES: usize = 32;

/// Something that a connection has to look at.
#[derive(Debug)]
pub(crate) enum Notice {
    /// The user's session or account may have changed: nothing more is sent before that is known.
    Account,
    /// The user may have come into this room.
    Entered(RoomId),
    /// The user is no member any more, or the room is gone: nothing more comes of it.
    Left(RoomId),
    /// The user may have come into rooms that nobody named.
    Rooms,
    /// The server stops.
    Stopping,
    /// Work that the connection began is done.
    Done(Box<Outcome>),
}

/// What waits for one connection.
#[derive(Debug)]
pub(crate) struct Mailbox {
    user: UserId,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    frames: VecDeque<ByteString>,
    bytes: usize,
    notices: VecDeque<Notice>,
    end: Option<Close>,
    waker: Option<Waker>,
}

impl Mailbox {
    pub(crate) fn new(user: UserId) -> Self {
        Self {
            user,
            state: Mutex::new(State {
                frames: VecDeque::new(),
                bytes: 0,
                notices: VecDeque::new(),
                end: None,
                waker: None,
            }),
        }
    }

    /// Whose connection it is.
    pub(crate) fn user(&self) -> UserId {
        self.user
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an entry of a log in. False when the connection is over, or is now because it does not fit.
    pub(crate) fn put_entry(&self, frame: &ByteString) -> bool {
        let mut state = self.state();
        if state.end.is_some() {
            return false;
        }
        if !state.has_room_for(frame) {
            tracing::info!(user = self.user.0, "a socket is too slow and is closed");
            state.finish(Close::TooSlow);
            return false;
        }
        state.put(frame);
        true
    }

    /// Puts in what nobody misses for good: left out where it does not fit.
    pub(crate) fn put_passing(&self, frame: &ByteString) {
        let mut state = self.state();
        if state.end.is_none() && state.has_room_for(frame) {
            state.put(frame);
        }
    }

    pub(crate) fn notify(&self, notice: Notice) {
        let mut state = self.state();
        if state.end.is_none() {
            state.notices.push_back(notice);
            state.wake();
        }
    }

    /// Ends the connection; the first reason counts.
    pub(crate) fn end(&self, close: Close) {
        let mut state = self.state();
        if state.end.is_none() {
            state.finish(close);
        }
    }

    /// Has the connection look at the time again.
    pub(crate) fn wake(&self) {
        self.state().wake();
    }

    pub(crate) fn next_notice(&self) -> Option<Notice> {
        self.state().notices.pop_front()
    }

    /// Everything that waits; the waker is told of what comes then.
    pub(crate) fn take_frames(&self, into: &mut VecDeque<ByteString>, waker: &Waker) -> Taken {
        let mut state = self.state();
        if let Some(close) = state.end {
            return Taken::Ended(close);
        }
        if !state.notices.is_empty() {
            return Taken::Notices;
        }
        state.bytes = 0;
        if into.is_empty() && into.capacity() <= KEPT_FRAMES {
            std::mem::swap(into, &mut state.frames);
        } else {
            into.append(&mut state.frames);
        }
        if state.frames.capacity() > KEPT_FRAMES {
            state.frames = VecDeque::new();
        }
        state.listen(waker);
        Taken::Frames
    }

    /// Waits for a notice or the end, and leaves the frames where they are.
    pub(crate) fn await_notice(&self, waker: &Waker) -> Taken {
        let mut state = self.state();
        if let Some(close) = state.end {
            return Taken::Ended(close);
        }
        if !state.notices.is_empty() {
            return Taken::Notices;
        }
        state.listen(waker);
        Taken::Frames
    }
}

/// What [`Mailbox::take_frames`] found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The frames were taken, perhaps none.
    Frames,
    /// There are notices to be looked at first.
    Notices,
    /// It is over.
    Ended(Close),
}

impl State {
    fn has_room_for(&self, frame: &ByteString) -> bool {
        self.frames.len() < MOST_FRAMES && self.bytes + frame.len() <= MOST_BYTES
    }

    fn put(&mut self, frame: &ByteString) {
        self.bytes += frame.len();
        self.frames.push_back(frame.clone());
        self.wake();
    }

    fn finish(&mut self, close: Close) {
        self.end = Some(close);
        self.frames = VecDeque::new();
        self.notices = VecDeque::new();
        self.bytes = 0;
        self.wake();
    }

    fn listen(&mut self, waker: &Waker) {
        if !self
            .waker
            .as_ref()
            .is_some_and(|known| known.will_wake(waker))
        {
            self.waker = Some(waker.clone());
        }
    }

    /// The waker goes with it, so that a hundred frames wake the connection once.
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
