//! Sessions.

use async_trait::async_trait;
use chelseru_core::store::{NewSession, Rotated, Rotation, SessionStore, StoreResult};
use chelseru_core::{ClientInfo, Session, SessionId, Timestamp, User, UserId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use diesel_async::RunQueryDsl;

use crate::DieselStore;
use crate::prepared::Prepare;
use crate::rows::{LastUse, NewSessionRow, SessionRow, UserRow};
use crate::run::run;
use crate::schema::{chelseru_sessions as sessions, chelseru_users as users};

#[diesel::declare_sql_function]
extern "SQL" {
    /// The first of both that is not null.
    fn coalesce(first: Nullable<BigInt>, second: BigInt) -> BigInt;
}

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
            let expires_at = rotation.expires_at.map(Timestamp::as_millis);
            let rotated = diesel::update(sessions::table.find(rotation.session.0))
                .filter(sessions::refresh_hash.eq(rotation.presented.as_slice()))
                .filter(sessions::ended_at.is_null())
                .filter(sessions::expires_at.gt(now))
                .set((
                    LastUse::new(&rotation.client, rotation.now),
                    sessions::refresh_hash.eq(rotation.successor.as_slice()),
                    sessions::expires_at.eq(coalesce(
                        expires_at.into_sql::<Nullable<BigInt>>(),
                        sessions::expires_at,
                    )),
                ))
                .prepared()
                .execute(connection)
                .await?;
            if rotated == 1 {
                return Ok(Rotated::Done);
            }
            // Two statements need no transaction here: the first changed nothing, and a token that
            // was not current then is not current now.
            let ended = diesel::update(sessions::table.find(rotation.session.0))
                .filter(sessions::refresh_hash.ne(rotation.presented.as_slice()))
                .filter(sessions::ended_at.is_null())
                .filter(sessions::expires_at.gt(now))
                .set(sessions::ended_at.eq(now))
                .prepared()
                .execute(connection)
                .await?;
            Ok(if ended == 1 {
                Rotated::Reused
            } else {
                Rotated::Gone
            })
        })
    }

    async fn adopt_session(
        &self,
        user: UserId,
        session: &NewSession,
        now: Timestamp,
    ) -> StoreResult<Option<SessionId>> {
        let session = session.clone();
        run!(self, write, |connection| {
            let id = diesel::insert_into(sessions::table)
                .values(NewSessionRow::new(user, &session, now))
                .on_conflict(sessions::session_key)
                .do_nothing()
                .returning(sessions::id)
                .get_result::<i64>(connection)
                .await
                .optional()?;
            if id.is_none() {
                // The token was used before: by its owner or by a thief, so its session ends. No
                // transaction is needed: the first statement changed nothing.
                diesel::update(sessions::table)
                    .filter(sessions::session_key.eq(session.key.as_str()))
                    .filter(sessions::user_id.eq(user.0))
                    .filter(sessions::ended_at.is_null())
                    .filter(sessions::expires_at.gt(now.as_millis()))
                    .set(sessions::ended_at.eq(now.as_millis()))
                    .prepared()
                    .execute(connection)
                    .await?;
            }
            Ok(id.map(SessionId))
        })
    }

    async fn end_session(&self, user: UserId, id: SessionId, now: Timestamp) -> StoreResult<bool> {
        run!(self, write, |connection| {
            let ended = diesel::update(sessions::table.find(id.0))
                .filter(sessions::user_id.eq(user.0))
                .filter(sessions::ended_at.is_null())
                .filter(sessions::expires_at.gt(now.as_millis()))
                .set(sessions::ended_at.eq(now.as_millis()))
                .prepared()
                .execute(connection)
                .await?;
            Ok(ended == 1)
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
        run!(self, write, |connection| {
            let ended = diesel::update(sessions::table)
                .filter(sessions::user_id.eq(user.0))
                .filter(sessions::id.ne(keep))
                .filter(sessions::ended_at.is_null())
                .filter(sessions::expires_at.gt(now.as_millis()))
                .set(sessions::ended_at.eq(now.as_millis()))
                .prepared()
                .execute(connection)
                .await?;
            Ok(ended as u64)
        })
    }
}
