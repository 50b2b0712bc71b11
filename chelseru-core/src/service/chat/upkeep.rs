//! What sockets need in the background: what the bus brings, what it loses, and who has gone.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{StreamExt, future, stream};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::Chelseru;
use crate::chat::{Heard, Question, Report, RoomId};
use crate::clock::Timestamp;
use crate::store::{Span, StoreResult};
use crate::user::UserId;

/// How many entries of a log are read at once.
const BATCH: u32 = 200;

/// How many rooms are asked about at once.
const ROOMS_A_QUERY: usize = 500;

/// How many rooms are looked after at the same time.
const AT_ONCE: usize = 8;

/// How often it is looked whether rooms went on unheard.
const RECONCILE_EVERY: u32 = 5;

/// How often the other servers are told who is here. What they are told lasts twice as long and more.
const HERE_EVERY: u32 = 30;

/// How far the clock may move away from real time in a second before it counts as set.
const CLOCK_WAS_SET: Duration = Duration::from_secs(2);

/// Nobody: a log is read as those see it who have hidden nothing.
const NOBODY: UserId = UserId(0);

/// The work in the background that the sockets of a service need: one task for all of them.
///
/// Without it sockets are told of what happens on the same server, but neither of other servers nor of
/// who was banned.
#[derive(Debug)]
pub struct ChatUpkeep {
    chelseru: Chelseru,
}

impl Chelseru {
    /// The right to do the [work](ChatUpkeep) of this service's sockets; `None` while somebody has it.
    pub fn claim_chat_upkeep(&self) -> Option<ChatUpkeep> {
        let was_claimed = self.inner.upkeep_claimed.swap(true, Ordering::SeqCst);
        (!was_claimed).then(|| ChatUpkeep {
            chelseru: self.clone(),
        })
    }

    /// Tells every client with a socket to come back in a moment, each at another time, and closes. New
    /// sockets are refused from now on. Wait then until [`chat_sockets`](Self::chat_sockets) is 0, which
    /// takes as long as the slowest client, before the server stops.
    pub fn close_chat_sockets(&self) {
        self.hub().stop();
    }

    /// How many sockets are open.
    pub fn chat_sockets(&self) -> usize {
        self.hub().socket_count()
    }
}

impl Drop for ChatUpkeep {
    fn drop(&mut self) {
        let claimed = &self.chelseru.inner.upkeep_claimed;
        claimed.store(false, Ordering::SeqCst);
    }
}

impl ChatUpkeep {
    /// Works until it is dropped.
    pub async fn run(&mut self) {
        let chelseru = &self.chelseru;
        future::join3(
            chelseru.hear(),
            chelseru.look_after_rooms(),
            chelseru.tick(),
        )
        .await;
    }
}

impl Chelseru {
    async fn hear(&self) {
        let heard = |heard: Heard| self.hub().heard(heard, self.now());
        self.hub().bus().run(&heard).await;
    }

    async fn look_after_rooms(&self) {
        loop {
            let rooms = stream::iter(self.hub().rooms_due().await);
            rooms
                .for_each_concurrent(AT_ONCE, |room| self.look_after(room))
                .await;
        }
    }

    async fn look_after(&self, room: RoomId) {
        let Some(question) = self.hub().question(room) else {
            return;
        };
        match self.ask_about(room, &question).await {
            Ok(report) => self.hub().answered(room, &question, report),
            Err(error) => {
                tracing::warn!(?error, room = room.0, "a room cannot be read");
                self.hub().unanswered(room);
            }
        }
    }

    async fn ask_about(&self, room: RoomId, question: &Question) -> StoreResult<Report> {
        let entries = match question.log_after {
            None => Vec::new(),
            Some(after) => {
                let span = Span::After(after);
                self.store().read_log(room, NOBODY, span, BATCH).await?
            }
        };
        let state = self.store().room_states(&[room]).await?.pop();
        let mut members = Vec::new();
        for users in question.users.chunks(ROOMS_A_QUERY) {
            let found = self.store().memberships(room, users).await?;
            let found = found
                .into_iter()
                .filter(|member| member.banned_at.is_none());
            members.extend(found.map(|member| member.user));
        }
        Ok(Report {
            entries,
            state,
            members,
        })
    }

    async fn tick(&self) {
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = (Instant::now(), self.now());
        for second in 0_u32.. {
            seconds.tick().await;
            last = self.look_at_clock(last);
            if self.config().chat.presence {
                self.hub().tell_who_is_gone(self.now());
                if second % HERE_EVERY == 0 {
                    self.hub().tell_who_is_here();
                }
            }
            if second % RECONCILE_EVERY == 0
                && let Err(error) = self.reconcile().await
            {
                tracing::warn!(?error, "rooms cannot be looked at");
            }
        }
    }

    /// A clock that was set makes other times due.
    fn look_at_clock(&self, last: (Instant, Timestamp)) -> (Instant, Timestamp) {
        let now = (Instant::now(), self.now());
        let really = i128::try_from(now.0.duration_since(last.0).as_millis()).unwrap_or(0);
        let shown = i128::from(now.1.as_millis()) - i128::from(last.1.as_millis());
        if (shown - really).unsigned_abs() > CLOCK_WAS_SET.as_millis() {
            self.hub().wake_all();
        }
        now
    }

    /// Finds what nobody told of.
    async fn reconcile(&self) -> StoreResult<()> {
        let rooms = self.hub().listened_rooms();
        for rooms in rooms.chunks(ROOMS_A_QUERY) {
            let states = self.store().room_states(rooms).await?;
            for room in rooms {
                match states.iter().find(|state| state.room == *room) {
                    Some(state) => self.hub().saw(*room, state.last_seq, state.revision),
                    None => self.hub().deleted(*room),
                }
            }
        }
        Ok(())
    }
}
