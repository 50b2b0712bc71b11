//! A store in memory: the reference for the conformance suite, and good for tests and demonstrations.
//!
//! Every method takes the one lock once and never waits while it holds it, so each is atomic.

mod changes;
mod chat;
mod passwords;
mod profiles;
mod rates;
mod sms;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use self::changes::Changes;
use self::chat::Chats;
use self::sms::Request;
use super::{
    Adopted, CodeHash, CodeId, CountedCode, LiveCode, Maintenance, NewCode, NewLogin, NewSession,
    OtpStore, Redeemed, Reservation, Rotated, Rotation, SessionStore, SmsId, SmsRecord,
    SmsRequestId, StoreError, StoreResult, Taken, UserSearch, UserStore,
};
use crate::clock::Timestamp;
use crate::mobile::MobileNumber;
use crate::password::PasswordHash;
use crate::session::{ClientInfo, ReplacedToken, Session, SessionId};
use crate::user::{User, UserId};

/// Keeps everything in memory, until it is dropped.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use chelseru_core::UserId;
/// use chelseru_core::store::{MemoryStore, UserStore};
///
/// let store = MemoryStore::new();
/// assert_eq!(store.find_user(UserId(1)).await?, None);
/// # Ok::<(), chelseru_core::store::StoreError>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    codes: HashMap<MobileNumber, Code>,
    users: BTreeMap<UserId, User>,
    passwords: HashMap<UserId, PasswordHash>,
    username_keys: HashMap<UserId, String>,
    retired_usernames: HashSet<String>,
    sessions: BTreeMap<SessionId, Session>,
    sms: BTreeMap<SmsId, SmsRecord>,
    requests: BTreeMap<SmsRequestId, Request>,
    rates: HashMap<String, Taken>,
    chats: Chats,
    changes: Changes,
    last_user: i64,
    last_session: i64,
    last_sms: i64,
    last_request: i64,
}

#[derive(Debug)]
struct Code {
    id: CodeId,
    hash: CodeHash,
    attempts: u32,
    expires_at: Timestamp,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // No method panics between two changes, so a poisoned lock still guards whole data.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn account(&self, number: MobileNumber, group: i64) -> Option<&User> {
        self.users
            .values()
            .find(|user| user.mobile_number == number && user.group == group)
    }

    fn add_user(
        &mut self,
        mobile_number: MobileNumber,
        group: i64,
        username: &str,
        now: Timestamp,
    ) -> User {
        self.last_user += 1;
        let user = User {
            id: UserId(self.last_user),
            mobile_number,
            group,
            username: username.to_owned(),
            is_active: true,
            created_at: now,
        };
        self.users.insert(user.id, user.clone());
        user
    }

    fn has_session_key(&self, key: &str) -> bool {
        self.sessions.values().any(|session| session.key == key)
    }

    fn open_session(&mut self, user: UserId, new: &NewSession, now: Timestamp) -> SessionId {
        if let Some(at_most) = new.at_most {
            let mut others: Vec<_> = self.live_sessions(user, now).collect();
            others.sort_by_key(|session| std::cmp::Reverse((session.last_seen, session.id)));
            let mut ends_any = false;
            for surplus in others.into_iter().skip(at_most.get() as usize - 1) {
                surplus.ended_at = Some(now);
                ends_any = true;
            }
            if ends_any {
                self.changes.note(user, now);
            }
        }
        self.last_session += 1;
        let id = SessionId(self.last_session);
        let session = Session {
            id,
            user,
            key: new.key.clone(),
            refresh_hash: new.refresh_hash,
            replaced: None,
            client: new.client.clone(),
            last_seen: now,
            created_at: now,
            expires_at: new.expires_at,
            ended_at: None,
        };
        self.sessions.insert(id, session);
        id
    }

    /// The account's sessions that can be used at `now`.
    fn live_sessions(
        &mut self,
        user: UserId,
        now: Timestamp,
    ) -> impl Iterator<Item = &mut Session> {
        self.sessions
            .values_mut()
            .filter(move |session| session.user == user && session.is_live(now))
    }
}

/// When the presented token was exchanged for the session's present one, if that may be repeated.
fn repeated_exchange(session: &Session, rotation: &Rotation) -> Option<Timestamp> {
    let successor = rotation.successor.as_ref()?;
    let since = successor.repeat_since?;
    let replaced = session.replaced?;
    (replaced.hash == rotation.presented && replaced.at >= since).then_some(replaced.at)
}

fn fault(text: &'static str) -> StoreError {
    StoreError::Fault(text.into())
}

#[async_trait]
impl OtpStore for MemoryStore {
    async fn reserve_code(&self, code: &NewCode) -> StoreResult<Reservation> {
        let mut tables = self.tables();
        if let Some(live) = tables
            .codes
            .get(&code.mobile_number)
            .filter(|kept| kept.expires_at > code.created_at)
        {
            return Ok(Reservation::Live(LiveCode {
                id: live.id,
                hash: live.hash,
                attempts: live.attempts,
                until: live.expires_at,
            }));
        }
        let kept = Code {
            id: code.id,
            hash: code.hash,
            attempts: 0,
            expires_at: code.expires_at,
        };
        tables.codes.insert(code.mobile_number, kept);
        Ok(Reservation::Reserved)
    }

    async fn withdraw_code(&self, mobile_number: MobileNumber, id: CodeId) -> StoreResult<()> {
        let mut tables = self.tables();
        if tables
            .codes
            .get(&mobile_number)
            .is_some_and(|code| code.id == id)
        {
            tables.codes.remove(&mobile_number);
        }
        Ok(())
    }

    async fn count_attempt(
        &self,
        mobile_number: MobileNumber,
        now: Timestamp,
        max_attempts: u32,
    ) -> StoreResult<Option<CountedCode>> {
        let mut tables = self.tables();
        let counted = tables
            .codes
            .get_mut(&mobile_number)
            .filter(|code| code.expires_at > now && code.attempts < max_attempts)
            .map(|code| {
                code.attempts += 1;
                CountedCode {
                    id: code.id,
                    hash: code.hash,
                }
            });
        Ok(counted)
    }

    async fn redeem_code(&self, id: CodeId, login: &NewLogin) -> StoreResult<Redeemed> {
        let mut tables = self.tables();
        let number = login.mobile_number;
        let is_good = |code: &Code| code.id == id && code.expires_at > login.now;
        if !tables.codes.get(&number).is_some_and(is_good) {
            return Ok(Redeemed::AlreadyUsed);
        }
        let known = tables.account(number, login.group).cloned();
        match &known {
            None if !login.may_sign_up => return Ok(Redeemed::SignUpClosed),
            Some(user) if !user.is_active => return Ok(Redeemed::Inactive),
            None if tables
                .users
                .values()
                .any(|user| user.username == login.username) =>
            {
                return Err(fault("the username is taken"));
            }
            _ if tables.has_session_key(&login.session.key) => {
                return Err(fault("the session key is taken"));
            }
            _ => {}
        }

        // Nothing can fail from here on.
        tables.codes.remove(&number);
        let is_new = known.is_none();
        let user = known
            .unwrap_or_else(|| tables.add_user(number, login.group, &login.username, login.now));
        let session = tables.open_session(user.id, &login.session, login.now);
        Ok(Redeemed::LoggedIn {
            user,
            session,
            is_new,
        })
    }
}

#[async_trait]
impl UserStore for MemoryStore {
    async fn find_user(&self, id: UserId) -> StoreResult<Option<User>> {
        Ok(self.tables().users.get(&id).cloned())
    }

    async fn is_known_number(&self, mobile_number: MobileNumber) -> StoreResult<bool> {
        let tables = self.tables();
        Ok(tables
            .users
            .values()
            .any(|user| user.mobile_number == mobile_number && user.is_active))
    }

    async fn find_user_by_name(&self, username: &str) -> StoreResult<Option<User>> {
        let tables = self.tables();
        let mut users = tables.users.values();
        Ok(users.find(|user| user.username == username).cloned())
    }

    async fn set_user_active(&self, id: UserId, active: bool, now: Timestamp) -> StoreResult<bool> {
        let mut tables = self.tables();
        let Some(user) = tables.users.get_mut(&id) else {
            return Ok(false);
        };
        user.is_active = active;
        tables.changes.note(id, now);
        Ok(true)
    }
}

#[async_trait]
impl UserSearch for MemoryStore {
    async fn find_users_with_number(&self, mobile_number: MobileNumber) -> StoreResult<Vec<User>> {
        let tables = self.tables();
        let of_number = tables
            .users
            .values()
            .filter(|user| user.mobile_number == mobile_number);
        let mut users: Vec<_> = of_number.cloned().collect();
        users.sort_by_key(|user| user.group);
        Ok(users)
    }

    async fn find_user_named(&self, username: &str) -> StoreResult<Option<User>> {
        let tables = self.tables();
        let mut users = tables.users.values();
        Ok(users.find(|user| user.username == username).cloned())
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn find_session(&self, id: SessionId) -> StoreResult<Option<(Session, User)>> {
        let tables = self.tables();
        let found = tables.sessions.get(&id).and_then(|session| {
            let user = tables.users.get(&session.user)?;
            Some((session.clone(), user.clone()))
        });
        Ok(found)
    }

    async fn list_sessions(&self, user: UserId, now: Timestamp) -> StoreResult<Vec<Session>> {
        let mut tables = self.tables();
        if !tables.users.get(&user).is_some_and(|user| user.is_active) {
            return Ok(Vec::new());
        }
        let mut sessions: Vec<_> = tables.live_sessions(user, now).map(|s| s.clone()).collect();
        sessions.sort_by_key(|session| std::cmp::Reverse((session.created_at, session.id)));
        Ok(sessions)
    }

    async fn touch_session(
        &self,
        id: SessionId,
        client: &ClientInfo,
        now: Timestamp,
    ) -> StoreResult<()> {
        if let Some(session) = self.tables().sessions.get_mut(&id) {
            session.client = client.clone();
            session.last_seen = now;
        }
        Ok(())
    }

    async fn rotate_refresh(&self, rotation: &Rotation) -> StoreResult<Rotated> {
        let mut tables = self.tables();
        let Some(session) = tables
            .sessions
            .get_mut(&rotation.session)
            .filter(|session| session.is_live(rotation.now))
        else {
            return Ok(Rotated::Gone);
        };
        let at = if session.refresh_hash == rotation.presented {
            if let Some(successor) = &rotation.successor {
                session.replaced = Some(ReplacedToken {
                    hash: rotation.presented,
                    at: rotation.now,
                });
                session.refresh_hash = successor.hash;
                session.expires_at = successor.expires_at;
            }
            rotation.now
        } else if let Some(at) = repeated_exchange(session, rotation) {
            at
        } else {
            session.ended_at = Some(rotation.now);
            let user = session.user;
            tables.changes.note(user, rotation.now);
            return Ok(Rotated::Reused);
        };
        session.client = rotation.client.clone();
        session.last_seen = rotation.now;
        Ok(Rotated::Done {
            successor: session.refresh_hash,
            at,
        })
    }

    async fn adopt_session(
        &self,
        user: UserId,
        session: &NewSession,
        repeat_since: Option<Timestamp>,
        now: Timestamp,
    ) -> StoreResult<Option<Adopted>> {
        let mut tables = self.tables();
        if !tables.users.contains_key(&user) {
            return Err(fault("there is no such account"));
        }
        if !tables.has_session_key(&session.key) {
            let id = tables.open_session(user, session, now);
            return Ok(Some(Adopted {
                session: id,
                refresh_hash: session.refresh_hash,
                at: now,
            }));
        }
        let mut sessions = tables.live_sessions(user, now);
        let Some(known) = sessions.find(|known| known.key == session.key) else {
            return Ok(None);
        };
        let is_recent = repeat_since.is_some_and(|since| known.created_at >= since);
        if is_recent && known.replaced.is_none() {
            return Ok(Some(Adopted {
                session: known.id,
                refresh_hash: known.refresh_hash,
                at: known.created_at,
            }));
        }
        known.ended_at = Some(now);
        drop(sessions);
        tables.changes.note(user, now);
        Ok(None)
    }

    async fn end_session(&self, user: UserId, id: SessionId, now: Timestamp) -> StoreResult<bool> {
        let mut tables = self.tables();
        let session = tables
            .live_sessions(user, now)
            .find(|session| session.id == id);
        let Some(session) = session else {
            return Ok(false);
        };
        session.ended_at = Some(now);
        tables.changes.note(user, now);
        Ok(true)
    }

    async fn end_sessions(
        &self,
        user: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> StoreResult<u64> {
        let mut ended = 0;
        let mut tables = self.tables();
        for session in tables.live_sessions(user, now) {
            if Some(session.id) != keep {
                session.ended_at = Some(now);
                ended += 1;
            }
        }
        if ended > 0 {
            tables.changes.note(user, now);
        }
        Ok(ended)
    }
}

#[async_trait]
impl Maintenance for MemoryStore {
    async fn ping(&self) -> StoreResult<()> {
        Ok(())
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> StoreResult<u64> {
        let limit = limit as usize;
        let mut tables = self.tables();
        let removed_codes = tables
            .codes
            .extract_if(|_, code| code.expires_at <= now)
            .take(limit)
            .count();
        let over: Vec<_> = tables
            .sessions
            .values()
            .filter(|session| session.expires_at <= now)
            .map(|session| session.id)
            .take(limit)
            .collect();
        for id in &over {
            tables.sessions.remove(id);
        }
        let removed_windows = tables
            .rates
            .extract_if(|_, taken| taken.ends_at <= now)
            .take(limit)
            .count();
        let removed_requests = tables.purge_requests(now, limit);
        let removed_changes = tables.changes.purge(now, limit);
        let removed = removed_codes + over.len() + removed_windows;
        Ok((removed + removed_requests + removed_changes) as u64)
    }

    async fn purge_sms(&self, made_before: Timestamp, limit: u32) -> StoreResult<u64> {
        Ok(self.tables().purge_sms(made_before, limit as usize) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryStore;

    crate::store_conformance!(async { (MemoryStore::new(), ()) });
}
