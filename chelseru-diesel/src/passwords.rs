//! Accounts that have a password.

use async_trait::async_trait;
use chelseru_core::store::{
    AccountName, CodeId, KnownPassword, NewAccount, NewPassword, PasswordChange, PasswordReset,
    PasswordSession, PasswordStore, Registered, StoreResult,
};
use chelseru_core::{PasswordHash, SessionId, User};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::select;
use diesel_async::RunQueryDsl;

use crate::DieselStore;
use crate::changes::note_change;
use crate::otp::use_code_up;
use crate::prepared::Prepare;
use crate::rows::{NewSessionRow, UserRow};
use crate::run::{Outcome, run};
use crate::schema::{
    chelseru_retired_usernames as retired, chelseru_sessions as sessions, chelseru_users as users,
};
use crate::sessions::{end_sessions_but, end_surplus};

/// Opens a session of an account whose row this transaction has written, and so locked.
macro_rules! open_session {
    ($connection:expr, $user:expr, $session:expr, $now:expr) => {{
        let id = diesel::insert_into(sessions::table)
            .values(NewSessionRow::new($user, &$session, $now))
            .returning(sessions::id)
            .get_result::<i64>($connection)
            .await?;
        if let Some(at_most) = $session.at_most {
            end_surplus!($connection, $user, id, at_most, $now);
        }
        SessionId(id)
    }};
}

#[async_trait]
impl PasswordStore for DieselStore {
    async fn find_password(&self, name: &AccountName) -> StoreResult<Option<KnownPassword>> {
        let name = name.clone();
        run!(self, read, |connection| {
            let known = users::table.select((UserRow::as_select(), users::password_hash));
            let found = match &name {
                AccountName::Id(id) => {
                    let of_it = known.filter(users::id.eq(id.0));
                    of_it.first::<(UserRow, Option<String>)>(connection).await
                }
                AccountName::Number {
                    mobile_number,
                    group,
                } => {
                    let of_it = known
                        .filter(users::mobile_number.eq(mobile_number.as_str()))
                        .filter(users::group_id.eq(group));
                    of_it.first::<(UserRow, Option<String>)>(connection).await
                }
                AccountName::Username { key: Some(key), .. } => {
                    let of_it = known.filter(users::username_key.eq(key));
                    of_it.first::<(UserRow, Option<String>)>(connection).await
                }
                AccountName::Username { name, key: None } => {
                    let of_it = known.filter(users::username.eq(name));
                    of_it.first::<(UserRow, Option<String>)>(connection).await
                }
            };
            let found = found.optional()?;
            found
                .map(|(row, hash)| Ok((row.try_into()?, hash.map(PasswordHash::new))))
                .transpose()
        })
    }

    async fn register(&self, code: CodeId, account: &NewAccount) -> StoreResult<Registered> {
        let account = account.clone();
        run!(self, transaction, |connection| {
            let (number, now) = (account.mobile_number, account.now);
            if use_code_up!(connection, number, code, now) == 0 {
                return Ok(Outcome::RollBack(Registered::AlreadyUsed));
            }
            let made = diesel::insert_into(users::table)
                .values((
                    users::mobile_number.eq(number.as_str()),
                    users::group_id.eq(account.group),
                    users::username.eq(account.username.as_str()),
                    users::username_key.eq(account.username_key.as_deref()),
                    users::is_active.eq(true),
                    users::created_at.eq(now.as_millis()),
                    users::password_hash.eq(account.password.expose()),
                ))
                .on_conflict_do_nothing()
                .returning(UserRow::as_returning())
                .get_result(connection)
                .await
                .optional()?;
            let Some(row) = made else {
                let of_number = users::table
                    .filter(users::mobile_number.eq(number.as_str()))
                    .filter(users::group_id.eq(account.group))
                    .select(users::id)
                    .first::<i64>(connection)
                    .await
                    .optional()?;
                return Ok(Outcome::RollBack(match of_number {
                    Some(_) => Registered::NumberTaken,
                    None => Registered::UsernameTaken,
                }));
            };
            // Only now: the insertion has waited for whoever was deleting an account of that name.
            if let Some(key) = &account.username_key {
                let is_retired = select(exists(retired::table.find(key.as_str())))
                    .get_result::<bool>(connection)
                    .await?;
                if is_retired {
                    return Ok(Outcome::RollBack(Registered::UsernameTaken));
                }
            }
            let user = User::try_from(row)?;
            let session = open_session!(connection, user.id, account.session, now);
            Ok(Outcome::Commit(Registered::Done { user, session }))
        })
    }

    async fn open_password_session(
        &self,
        login: &PasswordSession,
    ) -> StoreResult<Option<SessionId>> {
        let login = login.clone();
        run!(self, transaction, |connection| {
            let verified = login.verified.expose();
            let kept = login.replacement.as_ref().unwrap_or(&login.verified);
            // Also where it changes nothing: whoever changes the password waits for this session, and
            // then ends it.
            let is_still_right = diesel::update(users::table.find(login.user.0))
                .filter(users::password_hash.eq(verified))
                .filter(users::is_active.eq(true))
                .set(users::password_hash.eq(kept.expose()))
                .prepared()
                .execute(connection)
                .await?;
            if is_still_right == 0 {
                return Ok(Outcome::RollBack(None));
            }
            let session = open_session!(connection, login.user, login.session, login.now);
            Ok(Outcome::Commit(Some(session)))
        })
    }

    async fn change_password(&self, change: &PasswordChange) -> StoreResult<bool> {
        let change = change.clone();
        run!(self, transaction, |connection| {
            let changed = diesel::update(users::table.find(change.user.0))
                .filter(users::password_hash.eq(change.from.expose()))
                .filter(users::is_active.eq(true))
                .set(users::password_hash.eq(change.to.expose()))
                .prepared()
                .execute(connection)
                .await?;
            if changed == 0 {
                return Ok(Outcome::RollBack(false));
            }
            let keep = change.keep.map_or(0, |session| session.0);
            end_sessions_but!(connection, change.user, keep, change.now);
            note_change!(connection, change.user, change.now);
            Ok(Outcome::Commit(true))
        })
    }

    async fn reset_password(
        &self,
        code: CodeId,
        password: &NewPassword,
    ) -> StoreResult<PasswordReset> {
        let new = password.clone();
        run!(self, transaction, |connection| {
            let (number, now) = (new.mobile_number, new.now);
            if use_code_up!(connection, number, code, now) == 0 {
                return Ok(Outcome::RollBack(PasswordReset::AlreadyUsed));
            }
            let account = diesel::update(users::table)
                .filter(users::mobile_number.eq(number.as_str()))
                .filter(users::group_id.eq(new.group))
                .set(users::password_hash.eq(new.password.expose()))
                .returning(UserRow::as_returning())
                .prepared()
                .get_result(connection)
                .await
                .optional()?;
            let Some(row) = account else {
                return Ok(Outcome::RollBack(PasswordReset::NoAccount));
            };
            let user = User::try_from(row)?;
            if !user.is_active {
                return Ok(Outcome::RollBack(PasswordReset::Inactive));
            }
            end_sessions_but!(connection, user.id, 0, now);
            let session = open_session!(connection, user.id, new.session, now);
            note_change!(connection, user.id, now);
            Ok(Outcome::Commit(PasswordReset::Done { user, session }))
        })
    }
}
