//! What the owner of an account changes about it.

use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::mobile::MobileNumber;
use crate::store::{
    CodeId, Deletion, NumberChange, NumberChanged, ProfileStore, Rename, Renamed, StoreResult,
};
use crate::user::{User, UserId};

impl Tables {
    fn active_user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id).filter(|user| user.is_active)
    }
}

#[async_trait]
impl ProfileStore for MemoryStore {
    async fn rename_user(&self, rename: &Rename) -> StoreResult<Renamed> {
        let mut tables = self.tables();
        let (id, key) = (rename.user, rename.username.key());
        if tables.active_user(id).is_none() {
            return Ok(Renamed::Gone);
        }
        let mut keys = tables.username_keys.iter();
        let is_taken = keys.any(|(owner, taken)| *owner != id && taken == key);
        if is_taken || tables.retired_usernames.contains(key) {
            return Ok(Renamed::Taken);
        }
        tables.username_keys.insert(id, key.to_owned());
        tables.changes.note(id, rename.now);
        let user = tables.users.get_mut(&id).map(|user| {
            rename.username.as_str().clone_into(&mut user.username);
            user.clone()
        });
        Ok(user.map_or(Renamed::Gone, Renamed::Done))
    }

    async fn change_number(
        &self,
        code: CodeId,
        change: &NumberChange,
    ) -> StoreResult<NumberChanged> {
        let mut tables = self.tables();
        if !tables.is_good_code(change.mobile_number, code, change.now) {
            return Ok(NumberChanged::AlreadyUsed);
        }
        let Some(user) = tables.active_user(change.user) else {
            return Ok(NumberChanged::Gone);
        };
        let owner = tables.account(change.mobile_number, user.group);
        if owner.is_some_and(|owner| owner.id != change.user) {
            return Ok(NumberChanged::Taken);
        }
        tables.codes.remove(&change.mobile_number);
        tables.end_sessions_but(change.user, change.keep, change.now);
        tables.changes.note(change.user, change.now);
        let user = tables.users.get_mut(&change.user).map(|user| {
            user.mobile_number = change.mobile_number;
            if let Some(replacement) = &change.username
                && user.username == replacement.from
            {
                user.username.clone_from(&replacement.to);
            }
            user.clone()
        });
        Ok(user.map_or(NumberChanged::Gone, NumberChanged::Done))
    }

    async fn delete_user(&self, code: CodeId, deletion: &Deletion) -> StoreResult<bool> {
        let mut tables = self.tables();
        let number = deletion.mobile_number;
        let is_right = tables
            .active_user(deletion.user)
            .is_some_and(|user| user.mobile_number == number);
        if !is_right || !tables.is_good_code(number, code, deletion.now) {
            return Ok(false);
        }
        tables.codes.remove(&number);
        tables.users.remove(&deletion.user);
        tables.passwords.remove(&deletion.user);
        tables.changes.note(deletion.user, deletion.now);
        if let Some(key) = tables.username_keys.remove(&deletion.user) {
            tables.retired_usernames.insert(key);
        }
        let is_its_own = |user: UserId| user == deletion.user;
        tables
            .sessions
            .retain(|_, session| !is_its_own(session.user));
        tables.remove_requests_of(deletion.user);
        for record in tables.sms.values_mut() {
            record.sms.user.take_if(|user| is_its_own(*user));
            if record.sms.mobile_number == number {
                record.sms.mobile_number = MobileNumber::ERASED;
            }
        }
        Ok(true)
    }
}
