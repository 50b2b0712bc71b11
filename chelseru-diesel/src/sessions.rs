//! Sessions.

use async_trait::async_trait;
use chelseru_core::store::{Adopted, NewSession, Rotated, Rotation, SessionStore, StoreResult};
use chelseru_core::{ClientInfo, Session, SessionId, Timestamp, User, UserId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::DieselStore;
use crate::changes::note_change;
use crate::prepared::Prepare;
use crate::rows::{LastUse, NewSessionRow, SessionRow, UserRow, hash};
use crate::run::{Outcome, begin, end, run};
use crate::schema::{chelseru_sessions as sessions, chelseru_users as users};

/// Ends the sessions of account `$2` but session `$3` and the `$4` that were used last of the others.
pub(crate) const END_SURPLUS: &str = "UPDATE chelseru_sessions SET ended_at = $1 \
    WHERE ended_at IS NULL AND id IN (SELECT id FROM chelseru_sessions \
    WHERE user_id = $2 AND id <> $3 AND ended_at IS NULL AND expires_at > $1 \
    ORDER BY last_seen DESC, id DESC LIMIT 1000000000 OFFSET $4)";

/// Makes whoever else opens a session of the account wait for the end of the transaction: else each
/// of two would count without the other.
macro_rules! lock_account {
    ($connection:expr, $user:expr) => {
        diesel::update(crate::schema::chelseru_users::table.find($user.0))
            .set(
                crate::schema::chelseru_users::group_id.eq(crate::schema::chelseru_users::group_id),
            )
            .prepared()
            .execute($connection)
            .await?
    };
}
pub(crate) use lock_account;

/// After [`lock_account!`] and the insertion of the new session, ends those that are one too many. The
/// last statements of the transaction, as [`note_change!`] wants it.
macro_rules! end_surplus {
    ($connection:expr, $user:expr, $new:expr, $at_most:expr, $now:expr) => {
        let ended = diesel::sql_query(crate::sessions::END_SURPLUS)
            .bind::<diesel::sql_types::BigInt, _>($now.as_millis())
            .bind::<diesel::sql_types::BigInt, _>($user.0)
            .bind::<diesel::sql_types::BigInt, _>($new)
            .bind::<diesel::sql_types::BigInt, _>(i64::from($at_most.get()) - 1)
            .execute($connection)
            .await?;
        if ended > 0 {
            crate::changes::note_change!($connection, $user, $now);
        }
    };
}
pub(crate) use end_surplus;

/// Ends the account's live sessions but one. Ids begin at 1, so 0 keeps none.
macro_rules! end_sessions_but {
    ($connection:expr, $user:expr, $keep:expr, $now:expr) => {
        diesel::update(crate::schema::chelseru_sessions::table)
            .filter(crate::schema::chelseru_sessions::user_id.eq($user.0))
            .filter(crate::schema::chelseru_sessions::id.ne($keep))
            .filter(crate::schema::chelseru_sessions::ended_at.is_null())
            .filter(crate::schema::chelseru_sessions::expires_at.gt($now.as_millis()))
            .set(crate::schema::chelseru_sessions::ended_at.eq($now.as_millis()))
            .prepared()
            .execute($connection)
            .await?
    };
}
pub(crate) use end_sessions_but;

#[async_trait]
impl SessionStore for DieselStore {
    async fn find_session(&self, id: SessionId) -> StoreResult<Option<(Session, User)>> {
        run!(self, read, |connection| {
            let found = sessions::table
                .inner_join(users::table)
                .filter(sessions::id.eq(id.0))
                .select((SessionRow::as_select(), UserRow::as_select()))
                .first::<(SessionRow, UserRow)>(connection)
                .await
                .optional()?;
            found
                .map(|(session, user)| Ok((session.try_into()?, user.try_into()?)))
                .transpose()
        })
    }

    async fn list_sessions(&self, user: UserId, now: Timestamp) -> StoreResult<Vec<Session>> {
        run!(self, read, |connection| {
            let rows = sessions::table
                .inner_join(users::table)
                .filter(sessions::user_id.eq(user.0))
                .filter(sessions::ended_at.is_null())
                .filter(sessions::expires_at.gt(now.as_millis()))
                .filter(users::is_active.eq(true))
                .order((sessions::created_at.desc(), sessions::id.desc()))
                .select(SessionRow::as_select())
                .load(connection)
                .await?;
            rows.into_iter().map(Session::try_from).collect()
        })
    }

    async fn touch_session(
        &self,
        id: SessionId,
        client: &ClientInfo,
        now: Timestamp,
    ) -> StoreResult<()> {
        let client = client.clone();
        run!(self, write, |connection| {
            diesel::update(sessions::table.find(id.0))
                .set(LastUse::new(&client, now))
                .prepared()
                .execute(connection)
                .await?;
            Ok(())
        })
    }

    async fn rotate_refresh(&self, rotation: &Rotation) -> StoreResult<Rotated> {
        let rotation = rotation.clone();
        run!(self, write, |connection| {
            let now = rotation.now.as_millis();
            let presented = rotation.presented.as_slice();
            let current = diesel::update(sessions::table.find(rotation.session.0))
                .filter(sessions::refresh_hash.eq(presented))
                .filter(sessions::ended_at.is_null())
                .filter(sessions::expires_at.gt(now));
            let last_use = LastUse::new(&rotation.client, rotation.now);
            let exchanged = match &rotation.successor {
                Some(successor) => {
                    current
                        .set((
                            last_use,
                            sessions::refresh_hash.eq(successor.hash.as_slice()),
                            sessions::expires_at.eq(successor.expires_at.as_millis()),
                            sessions::replaced_hash.eq(presented),
                            sessions::replaced_at.eq(now),
                        ))
                        .prepared()
                        .execute(connection)
                        .await?
                }
                None => current.set(last_use).prepared().execute(connection).await?,
            };
            if exchanged == 1 {
                let successor = rotation.successor.map(|successor| successor.hash);
                return Ok(Rotated::Done {
                    successor: successor.unwrap_or(rotation.presented),
                    at: rotation.now,
                });
            }
            // Several statements need no transaction here: those before changed nothing, and a token
            // that was not current then is not current now, nor is one that was used up then ever the
            // last one again.
            let repeat_since = rotation
                .successor
                .and_then(|successor| successor.repeat_since);
            if let Some(since) = repeat_since {
                let again = diesel::update(sessions::table.find(rotation.session.0))
                    .filter(sessions::replaced_hash.eq(presented))
                    .filter(sessions::replaced_at.ge(since.as_millis()))
                    .filter(sessions::ended_at.is_null())
                    .filter(sessions::expires_at.gt(now))
                    .set(LastUse::new(&rotation.client, rotation.now))
                    .returning((sessions::refresh_hash, sessions::replaced_at))
                    .prepared()
                    .get_result::<(Vec<u8>, Option<i64>)>(connection)
                    .await
                    .optional()?;
                if let Some((successor, Some(at))) = again {
                    return Ok(Rotated::Done {
                        successor: hash(&successor)?,
                        at: Timestamp::from_millis(at),
                    });
                }
            }
            begin(connection).await?;
            let outcome = async {
                let connection = &mut *connection;
                let ended = diesel::update(sessions::table.find(rotation.session.0))
                    .filter(sessions::refresh_hash.ne(presented))
                    .filter(sessions::ended_at.is_null())
                    .filter(sessions::expires_at.gt(now))
                    .set(sessions::ended_at.eq(now))
                    .returning(sessions::user_id)
                    .prepared()
                    .get_result::<i64>(connection)
                    .await
                    .optional()?;
                let Some(user) = ended else {
                    return Ok(Outcome::RollBack(Rotated::Gone));
                };
                note_change!(connection, UserId(user), rotation.now);
                Ok(Outcome::Commit(Rotated::Reused))
            }
            .await;
            end(connection, outcome).await
        })
    }

    async fn adopt_session(
        &self,
        user: UserId,
        session: &NewSession,
        repeat_since: Option<Timestamp>,
        now: Timestamp,
    ) -> StoreResult<Option<Adopted>> {
        let session = session.clone();
        run!(self, transaction, |connection| {
            if session.at_most.is_some() {
                lock_account!(connection, user);
            }
            let id = diesel::insert_into(sessions::table)
                .values(NewSessionRow::new(user, &session, now))
                .on_conflict(sessions::session_key)
                .do_nothing()
                .returning(sessions::id)
                .get_result::<i64>(connection)
                .await
                .optional()?;
            if let Some(id) = id {
                if let Some(at_most) = session.at_most {
                    end_surplus!(connection, user, id, at_most, now);
                }
                return Ok(Outcome::Commit(Some(Adopted {
                    session: SessionId(id),
                    refresh_hash: session.refresh_hash,
                    at: now,
                })));
            }
            if let Some(since) = repeat_since {
                let again = sessions::table
                    .filter(sessions::session_key.eq(session.key.as_str()))
                    .filter(sessions::user_id.eq(user.0))
                    .filter(sessions::replaced_hash.is_null())
                    .filter(sessions::created_at.ge(since.as_millis()))
                    .filter(sessions::ended_at.is_null())
                    .filter(sessions::expires_at.gt(now.as_millis()))
                    .select((sessions::id, sessions::refresh_hash, sessions::created_at))
                    .first::<(i64, Vec<u8>, i64)>(connection)
                    .await
                    .optional()?;
                if let Some((id, refresh_hash, at)) = again {
                    return Ok(Outcome::RollBack(Some(Adopted {
                        session: SessionId(id),
                        refresh_hash: hash(&refresh_hash)?,
                        at: Timestamp::from_millis(at),
                    })));
                }
            }
            // The token was used before, by its owner or by a thief, and what it opened may be in use:
            // so that session ends.
            let ended = diesel::update(sessions::table)
                .filter(sessions::session_key.eq(session.key.as_str()))
                .filter(sessions::user_id.eq(user.0))
                .filter(sessions::ended_at.is_null())
                .filter(sessions::expires_at.gt(now.as_millis()))
                .set(sessions::ended_at.eq(now.as_millis()))
                .prepared()
                .execute(connection)
                .await?;
            if ended > 0 {
                note_change!(connection, user, now);
            }
            Ok(Outcome::Commit(None))
        })
    }

    async fn end_session(&self, user: UserId, id: SessionId, now: Timestamp) -> StoreResult<bool> {
        run!(self, transaction, |connection| {
            let ended = diesel::update(sessions::table.find(id.0))
                .filter(sessions::user_id.eq(user.0))
                .filter(sessions::ended_at.is_null())
                .filter(sessions::expires_at.gt(now.as_millis()))
                .set(sessions::ended_at.eq(now.as_millis()))
                .prepared()
                .execute(connection)
                .await?;
            if ended == 0 {
                return Ok(Outcome::RollBack(false));
            }
            note_change!(connection, user, now);
            Ok(Outcome::Commit(true))
        })
    }

    async fn end_sessions(
        &self,
        user: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> StoreResult<u64> {
        // Ids begin at 1, so 0 keeps none.
        let keep = keep.map_or(0, |id| id.0);
        run!(self, transaction, |connection| {
            let ended = diesel::update(sessions::table)
                .filter(sessions::user_id.eq(user.0))
                .filter(sessions::id.ne(keep))
                .filter(sessions::ended_at.is_null())
                .filter(sessions::expires_at.gt(now.as_millis()))
                .set(sessions::ended_at.eq(now.as_millis()))
                .prepared()
                .execute(connection)
                .await?;
            if ended == 0 {
                return Ok(Outcome::RollBack(0));
            }
            note_change!(connection, user, now);
            Ok(Outcome::Commit(ended as u64))
        })
    }
}
