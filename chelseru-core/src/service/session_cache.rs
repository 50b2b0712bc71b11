//! Sessions and accounts that were found good, so that the next request with their tokens asks nobody.
//!
//! An answer from here is never older than [`FRESH`]: it is given only while the watch
//! ([`Chelseru::watch`](super::Chelseru::watch)) has read all changes within that time. What raced with
//! a change is not kept. The number of entries has a bound; those that were not used for the longest
//! time go first.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::session::{Session, SessionId};
use crate::user::{User, UserId};

/// How old an answer may be.
const FRESH: Duration = Duration::from_secs(1);

/// Accounts and sessions that are kept at most, a few tens of megabytes.
const ENTRIES: usize = 100_000;

/// So many threads can look at once without waiting for each other.
const SHARDS: usize = 16;

/// Entries of a shard in each of its two halves.
const ROOM: usize = ENTRIES / SHARDS / 2;

/// Sessions of one account that are kept: nobody has more devices.
const SESSIONS_OF_ACCOUNT: usize = 256;

/// Nobody has read the changes.
const NEVER: i64 = i64::MIN;

#[derive(Debug)]
pub(super) struct SessionCache {
    shards: [Mutex<Shard>; SHARDS],
    /// Grows whenever something is forgotten.
    forgotten: AtomicU64,
    /// When the last reading of the changes began that read them all, in milliseconds.
    caught_up_at: AtomicI64,
}

/// What had been forgotten before the store was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before(u64);

/// A session that was found good. Whether its time has run out is the caller's to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KnownSession {
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) last_seen: Timestamp,
}

impl From<&Session> for KnownSession {
    fn from(session: &Session) -> Self {
        Self {
            created_at: session.created_at,
            expires_at: session.expires_at,
            last_seen: session.last_seen,
        }
    }
}

impl SessionCache {
    pub(super) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::new(Shard::new())),
            forgotten: AtomicU64::new(0),
            caught_up_at: AtomicI64::new(NEVER),
        }
    }

    /// Whether the changes were all read so short a time ago that nothing here is too old.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        let at = self.caught_up_at.load(Ordering::SeqCst);
        let at_or_after = Timestamp::from_millis(at);
        // A clock that was set back says nothing of how much time has passed.
        at != NEVER && at_or_after <= now && now.since(at_or_after) < FRESH
    }

    /// Notes that whatever was committed before `began_at` has been forgotten here.
    pub(super) fn caught_up(&self, began_at: Timestamp) {
        let at = began_at.as_millis();
        self.caught_up_at.store(at, Ordering::SeqCst);
    }

    /// To be asked for before the store is asked for what is then to be [kept](Self::keep).
    pub(super) fn before(&self) -> Before {
        Before(self.forgotten.load(Ordering::SeqCst))
    }

    /// Keeps an account that may come in, and a session that is live, unless anything was forgotten since
    /// the store was asked: that may have been this one.
    pub(super) fn keep(&self, user: &User, session: Option<&Session>, before: Before) {
        let mut shard = self.shard(user.id);
        // Whoever forgets counts first and takes the lock afterwards: either it is seen here, or it finds
        // what is put in here.
        if self.forgotten.load(Ordering::SeqCst) == before.0 {
            shard.keep(user, session);
        }
    }

    /// The account, if it is known to be good.
    pub(super) fn user(&self, id: UserId) -> Option<User> {
        let mut shard = self.shard(id);
        shard.account(id).map(|account| account.user.clone())
    }

    /// The session and its account, if they are known to be good.
    pub(super) fn session(&self, user: UserId, id: SessionId) -> Option<(KnownSession, User)> {
        let mut shard = self.shard(user);
        let account = shard.account(user)?;
        let session = account.sessions.get(&id)?;
        Some((*session, account.user.clone()))
    }

    /// Notes the use of a session; true once for each `precision`.
    pub(super) fn is_touched(
        &self,
        user: UserId,
        id: SessionId,
        precision: Duration,
        now: Timestamp,
    ) -> bool {
        let mut shard = self.shard(user);
        let session = shard
            .account(user)
            .and_then(|account| account.sessions.get_mut(&id));
        let Some(session) = session.filter(|known| now.since(known.last_seen) >= precision) else {
            return false;
        };
        session.last_seen = now;
        true
    }

    /// Forgets an account and its sessions.
    pub(super) fn forget(&self, user: UserId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.shard(user).forget(user);
    }

    /// Forgets everything.
    pub(super) fn forget_all(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        for shard in &self.shards {
            *locked(shard) = Shard::new();
        }
    }

    fn shard(&self, user: UserId) -> MutexGuard<'_, Shard> {
        // Ids follow each other, so they spread by themselves.
        let place = user.0.unsigned_abs() % SHARDS as u64;
        locked(&self.shards[usize::try_from(place).unwrap_or(0)])
    }
}

fn locked(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // Nothing panics between two changes, so a poisoned lock still guards whole data.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
struct Account {
    user: User,
    sessions: HashMap<SessionId, KnownSession>,
}

/// Two halves: when the younger is full it becomes the older one, whose entries go unless they are used
/// again.
#[derive(Debug)]
struct Shard {
    young: HashMap<UserId, Account>,
    old: HashMap<UserId, Account>,
    /// How many more entries the younger half takes.
    room: usize,
}

impl Shard {
    fn new() -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            room: ROOM,
        }
    }

    fn account(&mut self, id: UserId) -> Option<&mut Account> {
        if let Some(account) = self.old.remove(&id) {
            self.make_room(1 + account.sessions.len());
            self.young.insert(id, account);
        }
        self.young.get_mut(&id)
    }

    fn keep(&mut self, user: &User, session: Option<&Session>) {
        self.make_room(2);
        if self.account(user.id).is_none() {
            let account = Account {
                user: user.clone(),
                sessions: HashMap::new(),
            };
            self.young.insert(user.id, account);
        }
        let Some(account) = self.young.get_mut(&user.id) else {
            return;
        };
        account.user = user.clone();
        if let Some(session) = session {
            if account.sessions.len() >= SESSIONS_OF_ACCOUNT {
                account.sessions.clear();
            }
            account.sessions.insert(session.id, session.into());
        }
    }

    fn make_room(&mut self, entries: usize) {
        if self.room < entries {
            self.old = std::mem::take(&mut self.young);
            self.room = ROOM;
        }
        self.room = self.room.saturating_sub(entries);
    }

    fn forget(&mut self, user: UserId) {
        self.young.remove(&user);
        self.old.remove(&user);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ENTRIES, ROOM, SESSIONS_OF_ACCOUNT, SHARDS, SessionCache};
    use crate::clock::Timestamp;
    use crate::session::{ClientInfo, Session, SessionId};
    use crate::user::{User, UserId};

    const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);
    const MINUTE: Duration = Duration::from_secs(60);

    fn signed(number: usize) -> i64 {
        i64::try_from(number).unwrap()
    }

    fn user(id: i64) -> User {
        User {
            id: UserId(id),
            mobile_number: "09121234567".parse().unwrap(),
            group: 0,
            username: format!("u{id}"),
            is_active: true,
            created_at: NOW,
        }
    }

    fn session(id: i64, user: i64) -> Session {
        Session {
            id: SessionId(id),
            user: UserId(user),
            key: String::new(),
            refresh_hash: [0; 32],
            replaced: None,
            client: ClientInfo::default(),
            last_seen: NOW,
            created_at: NOW,
            expires_at: NOW + MINUTE,
            ended_at: None,
        }
    }

    fn keep(cache: &SessionCache, id: i64, of_user: i64) {
        let before = cache.before();
        cache.keep(&user(of_user), Some(&session(id, of_user)), before);
    }

    fn knows(cache: &SessionCache, id: i64, of_user: i64) -> bool {
        cache.session(UserId(of_user), SessionId(id)).is_some()
    }

    #[test]
    fn nothing_is_fresh_before_the_changes_were_read_and_a_second_later() {
        let cache = SessionCache::new();
        assert!(!cache.is_fresh(NOW));
        assert!(!cache.is_fresh(Timestamp::from_millis(i64::MIN)));
        cache.caught_up(NOW);
        assert!(cache.is_fresh(NOW));
        assert!(cache.is_fresh(NOW + Duration::from_millis(999)));
        assert!(!cache.is_fresh(NOW + Duration::from_secs(1)));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nothing_fresh() {
        let cache = SessionCache::new();
        cache.caught_up(NOW);
        assert!(!cache.is_fresh(NOW - Duration::from_millis(1)));
        assert!(!cache.is_fresh(NOW - MINUTE));
    }

    #[test]
    fn what_is_kept_is_found_by_its_account_and_session_alone() {
        let cache = SessionCache::new();
        keep(&cache, 7, 1);
        let (known, found) = cache.session(UserId(1), SessionId(7)).unwrap();
        assert_eq!((known, found), ((&session(7, 1)).into(), user(1)));
        assert_eq!(cache.user(UserId(1)), Some(user(1)));
        assert!(!knows(&cache, 8, 1));
        assert!(!knows(&cache, 7, 1 + signed(SHARDS)));
    }

    #[test]
    fn a_forgotten_account_takes_its_sessions_along_and_nobody_elses() {
        let cache = SessionCache::new();
        let neighbour = 1 + signed(SHARDS);
        for (id, of_user) in [(1, 1), (2, 1), (3, neighbour)] {
            keep(&cache, id, of_user);
        }
        cache.forget(UserId(1));
        assert!(!knows(&cache, 1, 1) && !knows(&cache, 2, 1));
        assert_eq!(cache.user(UserId(1)), None);
        assert!(knows(&cache, 3, neighbour));
        cache.forget_all();
        assert!(!knows(&cache, 3, neighbour));
    }

    #[test]
    fn what_was_read_before_something_was_forgotten_is_not_kept() {
        let cache = SessionCache::new();
        let before = cache.before();
        cache.forget(UserId(1));
        cache.keep(&user(1), Some(&session(1, 1)), before);
        assert!(!knows(&cache, 1, 1));

        let before = cache.before();
        cache.forget_all();
        cache.keep(&user(1), Some(&session(1, 1)), before);
        assert!(!knows(&cache, 1, 1));
    }

    #[test]
    fn the_use_of_a_session_is_noted_once_a_minute() {
        let cache = SessionCache::new();
        keep(&cache, 1, 1);
        let touched = |at| cache.is_touched(UserId(1), SessionId(1), MINUTE, at);
        assert!(!touched(NOW + MINUTE - Duration::from_millis(1)));
        assert!(touched(NOW + MINUTE));
        assert!(!touched(NOW + MINUTE));
        assert!(touched(NOW + 2 * MINUTE));
    }

    #[test]
    fn what_is_used_stays_when_others_are_too_many() {
        let cache = SessionCache::new();
        keep(&cache, 1, 0);
        keep(&cache, 2, signed(SHARDS));
        for id in 2..20 * signed(ROOM) {
            keep(&cache, 10 + id, id * signed(SHARDS));
            assert!(knows(&cache, 1, 0), "after {id} others");
        }
        assert!(!knows(&cache, 2, signed(SHARDS)));
    }

    #[test]
    fn there_are_never_more_entries_than_there_may_be() {
        let cache = SessionCache::new();
        for id in 0..3 * signed(ENTRIES) {
            keep(&cache, id, id / 3);
        }
        let count = |shard: &std::sync::Mutex<super::Shard>| {
            let shard = shard.lock().unwrap();
            let accounts = shard.young.values().chain(shard.old.values());
            accounts
                .map(|account| 1 + account.sessions.len())
                .sum::<usize>()
        };
        let entries: usize = cache.shards.iter().map(count).sum();
        assert!((ENTRIES / 4..=ENTRIES).contains(&entries), "{entries}");
    }

    #[test]
    fn an_account_of_very_many_sessions_has_a_bound_of_its_own() {
        let cache = SessionCache::new();
        for id in 0..10 * signed(SESSIONS_OF_ACCOUNT) {
            keep(&cache, id, 1);
            assert!(knows(&cache, id, 1));
        }
        let mut shard = cache.shard(UserId(1));
        let kept = shard.account(UserId(1)).unwrap().sessions.len();
        assert!(kept <= SESSIONS_OF_ACCOUNT, "{kept}");
    }
}
