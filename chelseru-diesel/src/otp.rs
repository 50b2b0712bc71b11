//! One-time codes, and the login that a code opens.

use async_trait::async_trait;
use chelseru_core::store::{
    CodeId, CountedCode, LiveCode, NewCode, NewLogin, OtpStore, Redeemed, Reservation, StoreResult,
};
use chelseru_core::{MobileNumber, SessionId, Timestamp, User};
use diesel::prelude::*;
use diesel::query_dsl::methods;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use crate::DieselStore;
use crate::prepared::Prepare;
use crate::rows::{NewSessionRow, UserRow, hash};
use crate::run::{Outcome, run};
use crate::schema::{
    chelseru_otp_codes as codes, chelseru_sessions as sessions, chelseru_users as users,
};
use crate::sessions::{end_surplus, lock_account};

/// How often a live code may vanish between two statements before the caller is told to come back.
const RESERVE_TRIES: usize = 16;

/// Uses a code up: how many there were, none or one. First of all, for its row is the lock for which
/// others with a code of the number wait.
macro_rules! use_code_up {
    ($connection:expr, $number:expr, $id:expr, $now:expr) => {
        diesel::delete(crate::schema::chelseru_otp_codes::table.find($number.as_str()))
            .filter(crate::schema::chelseru_otp_codes::code_id.eq($id.0))
            .filter(crate::schema::chelseru_otp_codes::expires_at.gt($now.as_millis()))
            .execute($connection)
            .await?
    };
}
pub(crate) use use_code_up;

#[async_trait]
impl OtpStore for DieselStore {
    async fn reserve_code(&self, code: &NewCode) -> StoreResult<Reservation> {
        let code = code.clone();
        run!(self, write, |connection| {
            for _ in 0..RESERVE_TRIES {
                let replace = diesel::insert_into(codes::table)
                    .values((
                        codes::mobile_number.eq(code.mobile_number.as_str()),
                        codes::code_id.eq(code.id.0),
                        codes::code_hash.eq(code.hash.as_slice()),
                        codes::attempts.eq(0),
                        codes::created_at.eq(code.created_at.as_millis()),
                        codes::expires_at.eq(code.expires_at.as_millis()),
                    ))
                    .on_conflict(codes::mobile_number)
                    .do_update()
                    .set((
                        codes::code_id.eq(excluded(codes::code_id)),
                        codes::code_hash.eq(excluded(codes::code_hash)),
                        codes::attempts.eq(excluded(codes::attempts)),
                        codes::created_at.eq(excluded(codes::created_at)),
                        codes::expires_at.eq(excluded(codes::expires_at)),
                    ));
                let has_ended = codes::expires_at.le(excluded(codes::created_at));
                let kept = methods::FilterDsl::filter(replace, has_ended)
                    .prepared()
                    .execute(connection)
                    .await?;
                if kept == 1 {
                    return Ok(Reservation::Reserved);
                }
                let live = codes::table
                    .find(code.mobile_number.as_str())
                    .filter(codes::expires_at.gt(code.created_at.as_millis()))
                    .select((
                        codes::code_id,
                        codes::code_hash,
                        codes::attempts,
                        codes::expires_at,
                    ))
                    .first::<(i64, Vec<u8>, i64, i64)>(connection)
                    .await
                    .optional()?;
                if let Some((id, bytes, attempts, until)) = live {
                    return Ok(Reservation::Live(LiveCode {
                        id: CodeId(id),
                        hash: hash(&bytes)?,
                        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
                        until: Timestamp::from_millis(until),
                    }));
                }
                // It was withdrawn or redeemed in between: its place is free again.
            }
            Err(Error::DatabaseError(
                DatabaseErrorKind::SerializationFailure,
                Box::new("the number's codes come and go too fast".to_owned()),
            ))
        })
    }

    async fn withdraw_code(&self, mobile_number: MobileNumber, id: CodeId) -> StoreResult<()> {
        run!(self, write, |connection| {
            diesel::delete(codes::table.find(mobile_number.as_str()))
                .filter(codes::code_id.eq(id.0))
                .execute(connection)
                .await?;
            Ok(())
        })
    }

    async fn count_attempt(
        &self,
        mobile_number: MobileNumber,
        now: Timestamp,
        max_attempts: u32,
    ) -> StoreResult<Option<CountedCode>> {
        run!(self, write, |connection| {
            let counted = diesel::update(codes::table.find(mobile_number.as_str()))
                .filter(codes::expires_at.gt(now.as_millis()))
                .filter(codes::attempts.lt(i64::from(max_attempts)))
                .set(codes::attempts.eq(codes::attempts + 1))
                .returning((codes::code_id, codes::code_hash))
                .prepared()
                .get_result::<(i64, Vec<u8>)>(connection)
                .await
                .optional()?;
            counted
                .map(|(id, bytes)| {
                    Ok(CountedCode {
                        id: CodeId(id),
                        hash: hash(&bytes)?,
                    })
                })
                .transpose()
        })
    }

    async fn redeem_code(&self, id: CodeId, login: &NewLogin) -> StoreResult<Redeemed> {
        let login = login.clone();
        run!(self, transaction, |connection| {
            let number = login.mobile_number.as_str();
            if use_code_up!(connection, login.mobile_number, id, login.now) == 0 {
                return Ok(Outcome::RollBack(Redeemed::AlreadyUsed));
            }

            let known = users::table
                .filter(users::mobile_number.eq(number))
                .filter(users::group_id.eq(login.group))
                .select(UserRow::as_select())
                .first(connection)
                .await
                .optional()?;
            let is_new = known.is_none();
            let row = match known {
                Some(row) => row,
                None if !login.may_sign_up => {
                    return Ok(Outcome::RollBack(Redeemed::SignUpClosed));
                }
                None => {
                    diesel::insert_into(users::table)
                        .values((
                            users::mobile_number.eq(number),
                            users::group_id.eq(login.group),
                            users::username.eq(login.username.as_str()),
                            users::is_active.eq(true),
                            users::created_at.eq(login.now.as_millis()),
                        ))
                        // Should the account have appeared just now, the update that changes
                        // nothing gives its row.
                        .on_conflict((users::mobile_number, users::group_id))
                        .do_update()
                        .set(users::group_id.eq(excluded(users::group_id)))
                        .returning(UserRow::as_returning())
                        .prepared()
                        .get_result(connection)
                        .await?
                }
            };
            let user = User::try_from(row)?;
            if !user.is_active {
                return Ok(Outcome::RollBack(Redeemed::Inactive));
            }

            if login.session.at_most.is_some() {
                lock_account!(connection, user.id);
            }
            let session = diesel::insert_into(sessions::table)
                .values(NewSessionRow::new(user.id, &login.session, login.now))
                .returning(sessions::id)
                .get_result::<i64>(connection)
                .await?;
            if let Some(at_most) = login.session.at_most {
                end_surplus!(connection, user.id, session, at_most, login.now);
            }
            let is_new = is_new && user.username == login.username;
            Ok(Outcome::Commit(Redeemed::LoggedIn {
                user,
                session: SessionId(session),
                is_new,
            }))
        })
    }
}
