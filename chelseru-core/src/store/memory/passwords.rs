//! Accounts that have a password.

use async_trait::async_trait;

use super::{MemoryStore, Tables, fault};
use crate::clock::Timestamp;
use crate::mobile::MobileNumber;
use crate::password::PasswordHash;
use crate::session::SessionId;
use crate::store::{
    AccountName, CodeId, KnownPassword, NewAccount, NewPassword, PasswordChange, PasswordReset,
    PasswordSession, PasswordStore, Registered, StoreResult,
};
use crate::user::{User, UserId};

impl Tables {
    fn named(&self, name: &AccountName) -> Option<&User> {
        match name {
            AccountName::Id(id) => self.users.get(id),
            AccountName::Number {
                mobile_number,
                group,
            } => self.account(*mobile_number, *group),
            AccountName::Username { key: Some(key), .. } => {
                let mut keys = self.username_keys.iter();
                let (owner, _) = keys.find(|(_, kept)| *kept == key)?;
                self.users.get(owner)
            }
            AccountName::Username { name, key: None } => {
                self.users.values().find(|user| user.username == *name)
            }
        }
    }

    pub(super) fn is_good_code(&self, number: MobileNumber, id: CodeId, now: Timestamp) -> bool {
        let code = self.codes.get(&number);
        code.is_some_and(|code| code.id == id && code.expires_at > now)
    }

    /// Whether an account has a name like that, or had one until it was deleted.
    fn has_username_key(&self, key: &str) -> bool {
        self.username_keys.values().any(|kept| kept == key) || self.retired_usernames.contains(key)
    }

    /// Whether the account may be used with a password of this hash.
    fn has_password(&self, user: UserId, hash: &PasswordHash) -> bool {
        let is_active = self.users.get(&user).is_some_and(|user| user.is_active);
        is_active && self.passwords.get(&user) == Some(hash)
    }

    pub(super) fn end_sessions_but(
        &mut self,
        user: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
    ) {
        for session in self.live_sessions(user, now) {
            if Some(session.id) != keep {
                session.ended_at = Some(now);
            }
        }
    }
}

#[async_trait]
impl PasswordStore for MemoryStore {
    async fn find_password(&self, name: &AccountName) -> StoreResult<Option<KnownPassword>> {
        let tables = self.tables();
        let user = tables.named(name);
        Ok(user.map(|user| (user.clone(), tables.passwords.get(&user.id).cloned())))
    }

    async fn register(&self, code: CodeId, account: &NewAccount) -> StoreResult<Registered> {
        let mut tables = self.tables();
        let number = account.mobile_number;
        if !tables.is_good_code(number, code, account.now) {
            return Ok(Registered::AlreadyUsed);
        }
        if tables.account(number, account.group).is_some() {
            return Ok(Registered::NumberTaken);
        }
        let key = account.username_key.as_ref();
        let mut users = tables.users.values();
        let is_taken = users.any(|user| user.username == account.username)
            || key.is_some_and(|key| tables.has_username_key(key));
        if is_taken {
            return Ok(Registered::UsernameTaken);
        }
        if tables.has_session_key(&account.session.key) {
            return Err(fault("the session key is taken"));
        }

        // Nothing can fail from here on.
        tables.codes.remove(&number);
        let user = tables.add_user(number, account.group, &account.username, account.now);
        tables.passwords.insert(user.id, account.password.clone());
        if let Some(key) = &account.username_key {
            tables.username_keys.insert(user.id, key.clone());
        }
        let session = tables.open_session(user.id, &account.session, account.now);
        Ok(Registered::Done { user, session })
    }

    async fn open_password_session(
        &self,
        login: &PasswordSession,
    ) -> StoreResult<Option<SessionId>> {
        let mut tables = self.tables();
        if !tables.has_password(login.user, &login.verified) {
            return Ok(None);
        }
        if tables.has_session_key(&login.session.key) {
            return Err(fault("the session key is taken"));
        }
        if let Some(replacement) = &login.replacement {
            tables.passwords.insert(login.user, replacement.clone());
        }
        Ok(Some(tables.open_session(
            login.user,
            &login.session,
            login.now,
        )))
    }

    async fn change_password(&self, change: &PasswordChange) -> StoreResult<bool> {
        let mut tables = self.tables();
        if !tables.has_password(change.user, &change.from) {
            return Ok(false);
        }
        tables.passwords.insert(change.user, change.to.clone());
        tables.end_sessions_but(change.user, change.keep, change.now);
        tables.changes.note(change.user, change.now);
        Ok(true)
    }

    async fn reset_password(
        &self,
        code: CodeId,
        password: &NewPassword,
    ) -> StoreResult<PasswordReset> {
        let mut tables = self.tables();
        let number = password.mobile_number;
        if !tables.is_good_code(number, code, password.now) {
            return Ok(PasswordReset::AlreadyUsed);
        }
        let user = match tables.account(number, password.group) {
            None => return Ok(PasswordReset::NoAccount),
            Some(user) if !user.is_active => return Ok(PasswordReset::Inactive),
            Some(user) => user.clone(),
        };
        if tables.has_session_key(&password.session.key) {
            return Err(fault("the session key is taken"));
        }
        tables.codes.remove(&number);
        tables.passwords.insert(user.id, password.password.clone());
        tables.end_sessions_but(user.id, None, password.now);
        tables.changes.note(user.id, password.now);
        let session = tables.open_session(user.id, &password.session, password.now);
        Ok(PasswordReset::Done { user, session })
    }
}
