//! How often one user writes, makes rooms, looks others up, and is told to be typing.
//!
//! The counters are the store's, so they hold over all servers. A counter a message would make writing
//! twice as dear, so a server takes a part of a user's minute at once and spends it: never more than the
//! limit, and with several servers perhaps a little less.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Chelseru;
use crate::chat::RoomId;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::events::Limit;
use crate::store::{Correction, Take, TakeResult, Taken};
use crate::user::UserId;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Into how many parts a user's minute is divided.
const PARTS: u32 = 10;

/// From how many entries on what has ended is looked for and removed.
const CROWDED: usize = 10_000;

/// What ends, by what it is of: small, in memory, and forgotten in time.
#[derive(Debug)]
pub(super) struct Fleeting<K, V>(Mutex<HashMap<K, (V, Timestamp)>>);

impl<K, V> Default for Fleeting<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V> Fleeting<K, V> {
    fn entries(&self) -> MutexGuard<'_, HashMap<K, (V, Timestamp)>> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The entries, without what has ended if they are many.
    fn tidied(&self, now: Timestamp) -> MutexGuard<'_, HashMap<K, (V, Timestamp)>> {
        let mut entries = self.entries();
        if entries.len() >= CROWDED {
            entries.retain(|_, (_, ends_at)| *ends_at > now);
        }
        entries
    }
}

/// How many messages each user may send before the store is asked again.
pub(super) type Allowances = Fleeting<UserId, u64>;

/// Who was told to be typing where, and until when that is enough.
pub(super) type Typing = Fleeting<(UserId, RoomId), ()>;

impl Allowances {
    fn spend(&self, user: UserId, now: Timestamp) -> bool {
        let mut entries = self.entries();
        match entries.get_mut(&user) {
            Some((left, ends_at)) if *left > 0 && *ends_at > now => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    fn add(&self, user: UserId, amount: u64, ends_at: Timestamp, now: Timestamp) {
        let mut entries = self.tidied(now);
        let entry = entries.entry(user).or_insert((0, ends_at));
        // What is left of another window is not worth anything in this one.
        let left = if entry.1 == ends_at { entry.0 } else { 0 };
        *entry = (left.saturating_add(amount), ends_at);
    }
}

impl Typing {
    pub(super) fn is_told(&self, user: UserId, room: RoomId, now: Timestamp) -> bool {
        let entries = self.entries();
        let told = entries.get(&(user, room));
        told.is_some_and(|((), until)| *until > now)
    }

    pub(super) fn tell(&self, user: UserId, room: RoomId, now: Timestamp, every: Duration) {
        self.tidied(now).insert((user, room), ((), now + every));
    }
}

impl Chelseru {
    /// Takes one message or edit from what the user may send.
    pub(super) async fn permit_message(&self, user: UserId) -> Result<(), Error> {
        let size = self.config().chat.limits.messages_per_user_per_minute;
        let allowances = &self.inner.chats.allowances;
        let now = self.now();
        if size == 0 || allowances.spend(user, now) {
            return Ok(());
        }
        let take = |amount| Take {
            key: format!("chat/messages/{}", user.0),
            amount,
            limit: size.into(),
            window: MINUTE,
        };
        let part = u64::from((size / PARTS).max(1));
        for amount in [part, 1] {
            match self.take_one(take(amount), now).await? {
                Ok(taken) => {
                    allowances.add(user, amount - 1, taken.ends_at, now);
                    return Ok(());
                }
                Err(_) if amount > 1 => {}
                // Another message of this user may have taken the last part in the meantime.
                Err(_) if allowances.spend(user, now) => return Ok(()),
                Err(ends_at) => {
                    return Err(reached(Limit::MessagesPerUserPerMinute, ends_at, now));
                }
            }
        }
        Ok(())
    }

    /// Takes one room from what the user may make; it can be given back.
    pub(super) async fn permit_room(&self, user: UserId) -> Result<Option<Correction>, Error> {
        let size = self.config().chat.limits.rooms_per_user_per_day;
        self.permit_one(Limit::RoomsPerUserPerDay, "rooms", user, size, DAY)
            .await
    }

    /// Takes one look-up from what the user may do.
    pub(super) async fn permit_lookup(&self, user: UserId) -> Result<(), Error> {
        let size = self.config().chat.limits.lookups_per_user_per_hour;
        let limit = Limit::LookupsPerUserPerHour;
        let permit = self.permit_one(limit, "lookups", user, size, HOUR).await;
        permit.map(drop)
    }

    /// Gives back what was taken for nothing.
    pub(super) async fn give_back_room(&self, permit: Option<Correction>) {
        let Some(permit) = permit else { return };
        // What was done is done: that it counts wrongly is no reason to refuse it.
        if let Err(error) = self.store().correct(&[permit]).await {
            tracing::error!(?error, "a limit could not be corrected");
        }
    }

    async fn permit_one(
        &self,
        limit: Limit,
        name: &str,
        user: UserId,
        size: u32,
        window: Duration,
    ) -> Result<Option<Correction>, Error> {
        if size == 0 {
            return Ok(None);
        }
        let now = self.now();
        let take = Take {
            key: format!("chat/{name}/{}", user.0),
            amount: 1,
            limit: size.into(),
            window,
        };
        let key = take.key.clone();
        match self.take_one(take, now).await? {
            Ok(taken) => Ok(Some(Correction {
                key,
                ends_at: taken.ends_at,
                change: -1,
            })),
            Err(ends_at) => Err(reached(limit, ends_at, now)),
        }
    }

    /// What was taken, or when there is room again.
    async fn take_one(
        &self,
        take: Take,
        now: Timestamp,
    ) -> Result<Result<Taken, Timestamp>, Error> {
        let all = Taken {
            total: take.amount,
            ends_at: now + take.window,
        };
        Ok(match self.store().take(&[take], now).await? {
            TakeResult::Taken(taken) => Ok(taken.first().copied().unwrap_or(all)),
            TakeResult::Exhausted { ends_at, .. } => Err(ends_at),
        })
    }
}

fn reached(limit: Limit, ends_at: Timestamp, now: Timestamp) -> Error {
    Error::LimitReached {
        limit,
        wait: ends_at.since(now),
    }
}
