//! What the owner of an account changes about it.

use async_trait::async_trait;
use chelseru_core::store::{
    CodeId, Deletion, NumberChange, NumberChanged, ProfileStore, Rename, Renamed, StoreResult,
};
use chelseru_core::{MobileNumber, User};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::select;
use diesel_async::RunQueryDsl;

use crate::DieselStore;
use crate::changes::note_change;
use crate::otp::use_code_up;
use crate::prepared::Prepare;
use crate::rows::UserRow;
use crate::run::{Outcome, run};
use crate::schema::{
    chelseru_retired_usernames as retired, chelseru_sms_log as log, chelseru_users as users,
};
use crate::sessions::end_sessions_but;

fn is_taken(error: &Error) -> bool {
    matches!(
        error,
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)
    )
}

#[async_trait]
impl ProfileStore for DieselStore {
    async fn rename_user(&self, rename: &Rename) -> StoreResult<Renamed> {
        let rename = rename.clone();
        run!(self, transaction, |connection| {
            let renamed = diesel::update(users::table.find(rename.user.0))
                .filter(users::is_active.eq(true))
                .set((
                    users::username.eq(rename.username.as_str()),
                    users::username_key.eq(rename.username.key()),
                ))
                .returning(UserRow::as_returning())
                .prepared()
                .get_result::<UserRow>(connection)
                .await;
            let row = match renamed {
                Err(error) if is_taken(&error) => return Ok(Outcome::RollBack(Renamed::Taken)),
                renamed => renamed.optional()?,
            };
            let Some(row) = row else {
                return Ok(Outcome::RollBack(Renamed::Gone));
            };
            // Only now: the update has waited for whoever was deleting an account of that name.
            let is_retired = select(exists(retired::table.find(rename.username.key())))
                .get_result::<bool>(connection)
                .await?;
            if is_retired {
                return Ok(Outcome::RollBack(Renamed::Taken));
            }
            note_change!(connection, rename.user, rename.now);
            Ok(Outcome::Commit(Renamed::Done(User::try_from(row)?)))
        })
    }

    async fn change_number(
        &self,
        code: CodeId,
        change: &NumberChange,
    ) -> StoreResult<NumberChanged> {
        let change = change.clone();
        run!(self, transaction, |connection| {
            let (user, number, now) = (change.user, change.mobile_number, change.now);
            if use_code_up!(connection, number, code, now) == 0 {
                return Ok(Outcome::RollBack(NumberChanged::AlreadyUsed));
            }
            if let Some(replacement) = &change.username {
                diesel::update(users::table.find(user.0))
                    .filter(users::username.eq(replacement.from.as_str()))
                    .set(users::username.eq(replacement.to.as_str()))
                    .prepared()
                    .execute(connection)
                    .await?;
            }
            let changed = diesel::update(users::table.find(user.0))
                .filter(users::is_active.eq(true))
                .set(users::mobile_number.eq(number.as_str()))
                .returning(UserRow::as_returning())
                .prepared()
                .get_result::<UserRow>(connection)
                .await;
            let row = match changed {
                Err(error) if is_taken(&error) => {
                    return Ok(Outcome::RollBack(NumberChanged::Taken));
                }
                changed => changed.optional()?,
            };
            let Some(row) = row else {
                return Ok(Outcome::RollBack(NumberChanged::Gone));
            };
            // Ids begin at 1, so 0 keeps none.
            let keep = change.keep.map_or(0, |id| id.0);
            end_sessions_but!(connection, user, keep, now);
            note_change!(connection, user, now);
            Ok(Outcome::Commit(NumberChanged::Done(User::try_from(row)?)))
        })
    }

    async fn delete_user(&self, code: CodeId, deletion: &Deletion) -> StoreResult<bool> {
        let deletion = deletion.clone();
        run!(self, transaction, |connection| {
            let (user, number, now) = (deletion.user, deletion.mobile_number, deletion.now);
            if use_code_up!(connection, number, code, now) == 0 {
                return Ok(Outcome::RollBack(false));
            }
            // Its sessions and requests go with it, by their foreign keys.
            let deleted = diesel::delete(users::table.find(user.0))
                .filter(users::mobile_number.eq(number.as_str()))
                .filter(users::is_active.eq(true))
                .returning(users::username_key)
                .get_result::<Option<String>>(connection)
                .await
                .optional()?;
            let Some(key) = deleted else {
                return Ok(Outcome::RollBack(false));
            };
            if let Some(key) = key {
                diesel::insert_into(retired::table)
                    .values((
                        retired::username_key.eq(key),
                        retired::retired_at.eq(now.as_millis()),
                    ))
                    .on_conflict_do_nothing()
                    .execute(connection)
                    .await?;
            }
            diesel::update(log::table)
                .filter(log::mobile_number.eq(number.as_str()))
                .set(log::mobile_number.eq(MobileNumber::ERASED.as_str()))
                .prepared()
                .execute(connection)
                .await?;
            note_change!(connection, user, now);
            Ok(Outcome::Commit(true))
        })
    }
}
