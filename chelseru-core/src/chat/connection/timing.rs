//! What time does to a connection: pings, tokens that end, sessions that are looked at, and waiting.

use std::time::Duration;

use super::{Check, Connection, Phase, Scope};
use crate::chat::{Close, ServerFrame};
use crate::clock::Timestamp;

/// How often the store may fail in a row before the client is sent away.
const MOST_FAILURES: u32 = 5;

/// How long nothing is sent because nobody knows whether the user may still be here. Then the client is
/// sent away: what it asked for is not answered, and it is to know that.
pub(super) const HELD_AT_MOST: Duration = Duration::from_secs(10);

/// How long before a token's end its client is told.
const WARNING: Duration = Duration::from_secs(30);

/// How often a session is looked at although nobody said that it has changed.
const CHECK_EVERY: Duration = Duration::from_secs(60);

/// When something was last done, and when something is due.
#[derive(Debug)]
pub(super) struct Times {
    /// Nothing is due before.
    due: Timestamp,
    heard: Timestamp,
    pinged: Timestamp,
    token_ends: Timestamp,
    was_warned: bool,
    checked: Timestamp,
    /// Since when nothing is sent before a check's outcome.
    held: Option<Timestamp>,
    /// Work goes on then, after the store failed.
    again: Option<Timestamp>,
}

impl Times {
    pub(super) fn new(now: Timestamp, token_ends: Timestamp) -> Self {
        Self {
            due: now,
            heard: now,
            pinged: now,
            token_ends,
            was_warned: false,
            checked: now,
            held: None,
            again: None,
        }
    }

    pub(super) fn due(&self) -> Timestamp {
        self.due
    }

    /// Something is due then, if not before.
    pub(super) fn due_by(&mut self, at: Timestamp) {
        self.due = self.due.min(at);
    }

    pub(super) fn heard_at(&mut self, now: Timestamp) {
        self.heard = now;
    }

    /// Nothing is sent from now on, or from an earlier time on.
    pub(super) fn held_at(&mut self, now: Timestamp) {
        let held = *self.held.get_or_insert(now);
        self.due_by(held + HELD_AT_MOST);
    }

    /// What is to be sent is sent again.
    pub(super) fn let_go(&mut self) {
        self.held = None;
    }

    /// The client has a token that is good until then.
    pub(super) fn renewed(&mut self, token_ends: Timestamp, now: Timestamp) {
        self.token_ends = token_ends;
        self.was_warned = false;
        // When something is due now is found out by looking.
        self.due = now;
    }

    /// Whether the store has failed and is to be asked later.
    pub(super) fn is_waiting(&self) -> bool {
        self.again.is_some()
    }
}

impl Connection {
    pub(super) fn look_at_time(&mut self) {
        let now = self.chelseru.now();
        if now < self.times.due {
            return;
        }
        if !self.wants_input() {
            // That nothing is heard is our own doing.
            self.times.heard = now;
        }
        if now.since(self.times.heard) >= Self::DEAD_AFTER {
            self.close(Close::HalfOpen);
        }
        if now.since(self.times.pinged) >= Self::PING_EVERY {
            self.times.pinged = now;
            self.must_ping = true;
        }
        self.look_at_token(now);
        if now.since(self.times.checked) >= CHECK_EVERY {
            self.times.checked = now;
            self.must_list = self.scope == Scope::All;
            if self.check == Check::None {
                self.begin_check(false);
            }
        }
        if self.times.again.is_some_and(|again| now >= again) {
            self.times.again = None;
            if self.check == Check::Due {
                self.begin_check(true);
            }
        }
        if let Phase::Waiting { until } = self.phase
            && now >= until
        {
            self.go_live(None);
        }
        let held_for = self.times.held.map(|held| now.since(held));
        if held_for.is_some_and(|time| time >= HELD_AT_MOST) {
            self.close(Close::Unavailable);
        }
        self.times.due = self.next_due();
    }

    fn look_at_token(&mut self, now: Timestamp) {
        let closes_at = self.times.token_ends + self.chelseru.config().chat.token_grace;
        if now >= closes_at {
            self.close(Close::Unauthorized);
        } else if !self.times.was_warned && now + WARNING >= self.times.token_ends {
            self.times.was_warned = true;
            self.send(&ServerFrame::TokenExpiring { closes_at });
        }
    }

    fn next_due(&self) -> Timestamp {
        let times = &self.times;
        let token = if times.was_warned {
            times.token_ends + self.chelseru.config().chat.token_grace
        } else {
            times.token_ends - WARNING
        };
        let mut due = (times.heard + Self::DEAD_AFTER)
            .min(times.pinged + Self::PING_EVERY)
            .min(times.checked + CHECK_EVERY)
            .min(token);
        if let Phase::Waiting { until } = self.phase {
            due = due.min(until);
        }
        let held_until = times.held.map(|held| held + HELD_AT_MOST);
        let others = [times.again, held_until].into_iter().flatten();
        others.fold(due, Timestamp::min)
    }

    /// The store failed: later again, and not for ever.
    pub(super) fn failed(&mut self) {
        self.failures += 1;
        if self.failures > MOST_FAILURES {
            return self.close(Close::Unavailable);
        }
        let again = self.chelseru.now() + Duration::from_secs(1);
        self.times.again = Some(again);
        self.times.due_by(again);
    }
}
