//! Members and what they have read.

use async_trait::async_trait;
use chelseru_core::UserId;
use chelseru_core::chat::{Membership, RoomId, Seq};
use chelseru_core::store::{MemberStore, ReadPointer, RoomState, StoreResult};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Nullable};
use diesel_async::RunQueryDsl;

use super::dialect::binds;
use super::rows::{MEMBER, MemberRow, StateRow};
use crate::DieselStore;
use crate::prepared::Prepare;
use crate::run::run;

/// How many values one statement is given at most.
const MANY: usize = 500;

/// A member's read pointer and how far it can go.
#[derive(QueryableByName)]
struct PointerRow {
    #[diesel(sql_type = BigInt)]
    read_seq: i64,
    #[diesel(sql_type = BigInt)]
    last_seq: i64,
}

#[async_trait]
impl MemberStore for DieselStore {
    async fn members(
        &self,
        room: RoomId,
        banned: bool,
        after: Option<UserId>,
        limit: u32,
    ) -> StoreResult<Vec<Membership>> {
        run!(self, read, |connection| {
            let is_wanted = if banned { "IS NOT NULL" } else { "IS NULL" };
            let rows: Vec<MemberRow> = sql_query(format!(
                "SELECT {MEMBER} FROM chelseru_chat_members mb \
                 JOIN chelseru_users u ON u.id = mb.user_id \
                 WHERE mb.room_id = $1 AND mb.user_id > $2 AND mb.banned_at {is_wanted} \
                 ORDER BY mb.user_id LIMIT $3"
            ))
            .bind::<BigInt, _>(room.0)
            .bind::<BigInt, _>(after.map_or(i64::MIN, |user| user.0))
            .bind::<BigInt, _>(i64::from(limit))
            .prepared()
            .load(connection)
            .await?;
            rows.into_iter().map(Membership::try_from).collect()
        })
    }

    async fn memberships(&self, room: RoomId, users: &[UserId]) -> StoreResult<Vec<Membership>> {
        let users = users.to_vec();
        run!(self, read, |connection| {
            let mut found = Vec::new();
            for users in users.chunks(MANY) {
                let mut query = sql_query(format!(
                    "SELECT {MEMBER} FROM chelseru_chat_members mb \
                     JOIN chelseru_users u ON u.id = mb.user_id \
                     WHERE mb.room_id = $1 AND mb.user_id IN ({}) ORDER BY mb.user_id",
                    binds(2, users.len())
                ))
                .into_boxed()
                .bind::<BigInt, _>(room.0);
                for user in users {
                    query = query.bind::<BigInt, _>(user.0);
                }
                let rows: Vec<MemberRow> = query.load(connection).await?;
                for row in rows {
                    found.push(Membership::try_from(row)?);
                }
            }
            Ok(found)
        })
    }

    async fn rooms_of(
        &self,
        user: UserId,
        after: Option<RoomId>,
        limit: u32,
    ) -> StoreResult<Vec<RoomState>> {
        run!(self, read, |connection| {
            let rows: Vec<StateRow> = sql_query(
                "SELECT r.id, r.revision, r.last_seq FROM chelseru_chat_members mb \
                 JOIN chelseru_chat_rooms r ON r.id = mb.room_id \
                 WHERE mb.user_id = $1 AND mb.room_id > $2 AND mb.banned_at IS NULL \
                 ORDER BY mb.room_id LIMIT $3",
            )
            .bind::<BigInt, _>(user.0)
            .bind::<BigInt, _>(after.map_or(i64::MIN, |room| room.0))
            .bind::<BigInt, _>(i64::from(limit))
            .prepared()
            .load(connection)
            .await?;
            Ok(rows.into_iter().map(RoomState::from).collect())
        })
    }

    async fn room_states(&self, rooms: &[RoomId]) -> StoreResult<Vec<RoomState>> {
        let rooms = rooms.to_vec();
        run!(self, read, |connection| {
            let mut found = Vec::new();
            for rooms in rooms.chunks(MANY) {
                let mut query = sql_query(format!(
                    "SELECT id, revision, last_seq FROM chelseru_chat_rooms WHERE id IN ({})",
                    binds(1, rooms.len())
                ))
                .into_boxed();
                for room in rooms {
                    query = query.bind::<BigInt, _>(room.0);
                }
                let rows: Vec<StateRow> = query.load(connection).await?;
                found.extend(rows.into_iter().map(RoomState::from));
            }
            Ok(found)
        })
    }

    async fn move_read_pointer(
        &self,
        room: RoomId,
        user: UserId,
        seq: Seq,
    ) -> StoreResult<Option<ReadPointer>> {
        run!(self, write, |connection| {
            let mut target = None;
            // In a second round somebody else has just moved it as far, or the member has left and come
            // back.
            for _ in 0..10 {
                let pointer = sql_query(
                    "SELECT mb.read_seq, r.last_seq FROM chelseru_chat_members mb \
                     JOIN chelseru_chat_rooms r ON r.id = mb.room_id \
                     WHERE mb.room_id = $1 AND mb.user_id = $2 AND mb.banned_at IS NULL",
                )
                .bind::<BigInt, _>(room.0)
                .bind::<BigInt, _>(user.0)
                .prepared()
                .get_result::<PointerRow>(connection)
                .await
                .optional()?;
                let Some(pointer) = pointer else {
                    return Ok(None);
                };
                let target = *target.get_or_insert(seq.0.min(pointer.last_seq));
                if pointer.read_seq >= target {
                    return Ok(Some(ReadPointer {
                        seq: Seq(pointer.read_seq),
                        moved: false,
                    }));
                }
                let moved = sql_query(
                    "UPDATE chelseru_chat_members SET read_seq = $1 WHERE room_id = $2 \
                     AND user_id = $3 AND banned_at IS NULL AND read_seq < $1",
                )
                .bind::<BigInt, _>(target)
                .bind::<BigInt, _>(room.0)
                .bind::<BigInt, _>(user.0)
                .prepared()
                .execute(connection)
                .await?;
                if moved == 1 {
                    return Ok(Some(ReadPointer {
                        seq: Seq(target),
                        moved: true,
                    }));
                }
            }
            Err(Error::DatabaseError(
                DatabaseErrorKind::SerializationFailure,
                Box::new("the member comes and goes too fast".to_owned()),
            ))
        })
    }

    async fn set_member_flags(
        &self,
        room: RoomId,
        user: UserId,
        pinned: Option<bool>,
        muted: Option<bool>,
    ) -> StoreResult<bool> {
        run!(self, write, |connection| {
            let changed = sql_query(
                "UPDATE chelseru_chat_members SET is_pinned = COALESCE($1, is_pinned), \
                 is_muted = COALESCE($2, is_muted) \
                 WHERE room_id = $3 AND user_id = $4 AND banned_at IS NULL",
            )
            .bind::<Nullable<Bool>, _>(pinned)
            .bind::<Nullable<Bool>, _>(muted)
            .bind::<BigInt, _>(room.0)
            .bind::<BigInt, _>(user.0)
            .prepared()
            .execute(connection)
            .await?;
            Ok(changed == 1)
        })
    }
}
