//! Rooms and their changes.

use std::collections::HashMap;

use async_trait::async_trait;
use chelseru_core::chat::{
    ChatMessage, Membership, Permissions, Room, RoomId, RoomKind, RoomStatus,
};
use chelseru_core::store::{
    NewGroup, RoomChange, RoomChanged, RoomCursor, RoomEdit, RoomListing, RoomOpened, RoomStore,
    StoreResult, UNREAD_COUNTED,
};
use chelseru_core::{Timestamp, UserId};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::dialect::{binds, keep, lock};
use super::rows::{
    CountedRoomRow, IdRow, MEMBER, MEMBER_COUNT, MESSAGE, MemberRow, MessageRow, OF_MESSAGE, ROOM,
    RoomRow,
};
use crate::DieselStore;
use crate::prepared::Prepare;
use crate::run::{Outcome, run};
use crate::words::word;

/// Those of the accounts that are active. They stay until the end of the transaction.
macro_rules! keep_active {
    ($connection:expr, $users:expr) => {{
        let users: &[i64] = $users;
        let mut active = Vec::new();
        for users in users.chunks(MANY) {
            let mut query = sql_query(format!(
                "SELECT id FROM chelseru_users WHERE id IN ({}) AND is_active ORDER BY id {}",
                binds(1, users.len()),
                keep(&*$connection),
            ))
            .into_boxed();
            for user in users {
                query = query.bind::<BigInt, _>(*user);
            }
            let rows: Vec<IdRow> = query.load($connection).await?;
            active.extend(rows.into_iter().map(|row| row.id));
        }
        active
    }};
}

/// The room as it is now.
macro_rules! find_room {
    ($connection:expr, $room:expr) => {{
        let row = sql_query(format!(
            "SELECT {ROOM}, {MEMBER_COUNT} FROM chelseru_chat_rooms r WHERE r.id = $1"
        ))
        .bind::<BigInt, _>($room.0)
        .prepared()
        .get_result::<CountedRoomRow>($connection)
        .await
        .optional()?;
        row.map(Room::try_from).transpose()?
    }};
}

/// Makes active accounts members. Those that are something to the room stay as they are. How many came in.
macro_rules! add_members {
    ($connection:expr, $room:expr, $users:expr, $permissions:expr, $now:expr) => {{
        let users: &[i64] = $users;
        let mut added = 0;
        for users in users.chunks(MANY) {
            let mut insert = sql_query(add_members(users.len()))
                .into_boxed()
                .bind::<BigInt, _>($room)
                .bind::<BigInt, _>(i64::from($permissions.bits()))
                .bind::<BigInt, _>($now.as_millis());
            for user in users {
                insert = insert.bind::<BigInt, _>(*user);
            }
            added += insert.execute($connection).await?;
        }
        added
    }};
}

/// What else there is to show of each of the user's rooms.
macro_rules! listings {
    ($connection:expr, $user:expr, $rows:expr) => {{
        let rows: Vec<ListedRow> = $rows;
        let mut listings = Vec::with_capacity(rows.len());
        let mut rows = rows.into_iter();
        loop {
            let rows: Vec<_> = rows.by_ref().take(MANY).collect();
            if rows.is_empty() {
                break Ok(listings);
            }
            let mut count = sql_query(counts(rows.len()))
                .into_boxed()
                .bind::<BigInt, _>($user.0);
            let mut peers = sql_query(peers(rows.len()))
                .into_boxed()
                .bind::<BigInt, _>($user.0);
            for row in &rows {
                count = count.bind::<BigInt, _>(row.room.id);
                peers = peers.bind::<BigInt, _>(row.room.id);
            }
            let counted: Vec<CountsRow> = count.load($connection).await?;
            let peers: Vec<PeerRow> = peers.load($connection).await?;
            let last: Vec<_> = counted.iter().filter_map(|row| row.last_message).collect();
            let mut messages = Vec::<MessageRow>::new();
            if !last.is_empty() {
                let mut query = sql_query(format!(
                    "SELECT {MESSAGE} FROM chelseru_chat_log m {OF_MESSAGE} \
                     WHERE m.id IN ({})",
                    binds(2, last.len())
                ))
                .into_boxed()
                .bind::<BigInt, _>($user.0);
                for id in last {
                    query = query.bind::<BigInt, _>(id);
                }
                messages = query.load($connection).await?;
            }
            listings.extend(listings_of(rows, counted, peers, messages)?);
        }
    }};
}

/// Makes one change of a room that is locked. Ends the transaction when its new owner is no member.
macro_rules! make_edit {
    ($connection:expr, $room:expr, $edit:expr, $now:expr) => {
        match $edit {
            RoomEdit::Name(name) => {
                sql_query("UPDATE chelseru_chat_rooms SET name = $1 WHERE id = $2")
                    .bind::<Text, _>(name.as_str())
                    .bind::<BigInt, _>($room)
                    .prepared()
                    .execute($connection)
                    .await?;
            }
            RoomEdit::Description(text) => {
                sql_query("UPDATE chelseru_chat_rooms SET description = $1 WHERE id = $2")
                    .bind::<Nullable<Text>, _>(text.as_deref())
                    .bind::<BigInt, _>($room)
                    .prepared()
                    .execute($connection)
                    .await?;
            }
            RoomEdit::AvatarUrl(url) => {
                sql_query("UPDATE chelseru_chat_rooms SET avatar_url = $1 WHERE id = $2")
                    .bind::<Nullable<Text>, _>(url.as_deref())
                    .bind::<BigInt, _>($room)
                    .prepared()
                    .execute($connection)
                    .await?;
            }
            RoomEdit::Status(status) => {
                sql_query("UPDATE chelseru_chat_rooms SET status = $1 WHERE id = $2")
                    .bind::<Text, _>(word(*status)?)
                    .bind::<BigInt, _>($room)
                    .prepared()
                    .execute($connection)
                    .await?;
            }
            RoomEdit::Owner(user) => {
                let changed = sql_query(
                    "UPDATE chelseru_chat_rooms SET owner_id = $1 WHERE id = $2 \
                     AND EXISTS (SELECT 1 FROM chelseru_chat_members mb \
                     WHERE mb.room_id = $2 AND mb.user_id = $1 AND mb.banned_at IS NULL)",
                )
                .bind::<BigInt, _>(user.0)
                .bind::<BigInt, _>($room)
                .prepared()
                .execute($connection)
                .await?;
                if changed == 0 {
                    return Ok(Outcome::RollBack(RoomChanged::UnknownUser(*user)));
                }
            }
            RoomEdit::Add(user, permissions) => {
                add_members!($connection, $room, &[user.0], permissions, $now);
            }
            RoomEdit::Remove(user) => {
                sql_query(
                    "DELETE FROM chelseru_chat_members \
                     WHERE room_id = $1 AND user_id = $2 AND banned_at IS NULL",
                )
                .bind::<BigInt, _>($room)
                .bind::<BigInt, _>(user.0)
                .prepared()
                .execute($connection)
                .await?;
            }
            RoomEdit::Ban(user) => {
                sql_query(
                    "INSERT INTO chelseru_chat_members AS mb (room_id, user_id, \
                     permissions, banned_at, joined_at, read_seq, is_pinned, is_muted) \
                     VALUES ($1, $2, 0, $3, $3, 0, FALSE, FALSE) \
                     ON CONFLICT (room_id, user_id) DO UPDATE SET permissions = 0, \
                     banned_at = COALESCE(mb.banned_at, excluded.banned_at)",
                )
                .bind::<BigInt, _>($room)
                .bind::<BigInt, _>(user.0)
                .bind::<BigInt, _>($now.as_millis())
                .prepared()
                .execute($connection)
                .await?;
            }
            RoomEdit::Unban(user) => {
                sql_query(
                    "DELETE FROM chelseru_chat_members \
                     WHERE room_id = $1 AND user_id = $2 AND banned_at IS NOT NULL",
                )
                .bind::<BigInt, _>($room)
                .bind::<BigInt, _>(user.0)
                .prepared()
                .execute($connection)
                .await?;
            }
            RoomEdit::Permit(user, permissions) => {
                sql_query(
                    "UPDATE chelseru_chat_members SET permissions = $1 \
                     WHERE room_id = $2 AND user_id = $3 AND banned_at IS NULL",
                )
                .bind::<BigInt, _>(i64::from(permissions.bits()))
                .bind::<BigInt, _>($room)
                .bind::<BigInt, _>(user.0)
                .prepared()
                .execute($connection)
                .await?;
            }
        }
    };
}

/// How many values one statement is given at most.
const MANY: usize = 500;

fn add_members(count: usize) -> String {
    format!(
        "INSERT INTO chelseru_chat_members (room_id, user_id, permissions, joined_at, read_seq, \
         is_pinned, is_muted) \
         SELECT CAST($1 AS BIGINT), u.id, CAST($2 AS BIGINT), CAST($3 AS BIGINT), 0, FALSE, FALSE \
         FROM chelseru_users u WHERE u.id IN ({}) \
         ON CONFLICT (room_id, user_id) DO NOTHING",
        binds(4, count)
    )
}

#[derive(QueryableByName)]
struct RevisionRow {
    #[diesel(sql_type = BigInt)]
    revision: i64,
}

/// A member's room, in a list.
#[derive(QueryableByName)]
struct ListedRow {
    #[diesel(embed)]
    room: RoomRow,
    #[diesel(embed)]
    member: MemberRow,
}

/// What there is to count in a room.
#[derive(QueryableByName)]
struct CountsRow {
    #[diesel(sql_type = BigInt)]
    room_id: i64,
    #[diesel(sql_type = BigInt)]
    member_count: i64,
    #[diesel(sql_type = BigInt)]
    unread: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    last_message: Option<i64>,
}

/// Counts in `count` rooms of the user `$1`.
fn counts(count: usize) -> String {
    format!(
        "SELECT mb.room_id, {MEMBER_COUNT}, \
         (SELECT count(*) FROM chelseru_chat_log l WHERE l.room_id = r.id \
         AND l.seq > mb.read_seq AND l.seq > r.last_seq - {UNREAD_COUNTED} \
         AND l.target_id IS NULL AND l.deleted_at IS NULL \
         AND (l.sender_id IS NULL OR l.sender_id <> mb.user_id) \
         AND NOT EXISTS (SELECT 1 FROM chelseru_chat_hidden h \
         WHERE h.message_id = l.id AND h.user_id = mb.user_id)) AS unread, \
         (SELECT l.id FROM chelseru_chat_log l WHERE l.room_id = r.id AND l.target_id IS NULL \
         ORDER BY l.seq DESC LIMIT 1) AS last_message \
         FROM chelseru_chat_members mb JOIN chelseru_chat_rooms r ON r.id = mb.room_id \
         WHERE mb.user_id = $1 AND mb.room_id IN ({})",
        binds(2, count)
    )
}

/// The other member of each pair.
#[derive(QueryableByName)]
struct PeerRow {
    #[diesel(sql_type = BigInt)]
    room_id: i64,
    #[diesel(embed)]
    member: MemberRow,
}

fn peers(count: usize) -> String {
    format!(
        "SELECT mb.room_id, {MEMBER} FROM chelseru_chat_members mb \
         JOIN chelseru_chat_rooms r ON r.id = mb.room_id \
         JOIN chelseru_users u ON u.id = mb.user_id \
         WHERE mb.user_id <> $1 AND r.pair_low IS NOT NULL AND mb.room_id IN ({})",
        binds(2, count)
    )
}

/// The accounts that a change is to keep until it is made, each once.
fn users_of(edits: &[RoomEdit]) -> Vec<i64> {
    let named = edits.iter().filter_map(|edit| match edit {
        RoomEdit::Add(user, _) | RoomEdit::Ban(user) | RoomEdit::Owner(user) => Some(user.0),
        _ => None,
    });
    each_once(named)
}

fn each_once(users: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut users: Vec<_> = users.collect();
    users.sort_unstable();
    users.dedup();
    users
}

/// The first account that is to come in or be banned and is not active.
fn unknown_user(edits: &[RoomEdit], active: &[i64]) -> Option<UserId> {
    edits.iter().find_map(|edit| match edit {
        RoomEdit::Add(user, _) | RoomEdit::Ban(user) if !active.contains(&user.0) => Some(*user),
        _ => None,
    })
}

#[async_trait]
impl RoomStore for DieselStore {
    async fn open_pair(
        &self,
        one: UserId,
        other: UserId,
        now: Timestamp,
    ) -> StoreResult<RoomOpened> {
        run!(self, transaction, |connection| {
            let (low, high) = (one.0.min(other.0), one.0.max(other.0));
            let active = keep_active!(connection, &[low, high]);
            let unknown = [one, other]
                .into_iter()
                .find(|user| !active.contains(&user.0));
            if let Some(user) = unknown {
                return Ok(Outcome::RollBack(RoomOpened::UnknownUser(user)));
            }
            // More than one round is needed only while somebody else makes the room or deletes it.
            for _ in 0..10 {
                let made = sql_query(
                    "INSERT INTO chelseru_chat_rooms (kind, pair_low, pair_high, status, revision, \
                     last_seq, created_at, updated_at) VALUES ($1, $2, $3, $4, 1, 0, $5, $5) \
                     ON CONFLICT (pair_low, pair_high) DO NOTHING RETURNING id",
                )
                .bind::<Text, _>(word(RoomKind::Pair)?)
                .bind::<BigInt, _>(low)
                .bind::<BigInt, _>(high)
                .bind::<Text, _>(word(RoomStatus::Open)?)
                .bind::<BigInt, _>(now.as_millis())
                .prepared()
                .get_result::<IdRow>(connection)
                .await
                .optional()?;
                if let Some(IdRow { id }) = made {
                    add_members!(connection, id, &[low, high], Permissions::MEMBER, now);
                    return Ok(Outcome::Commit(RoomOpened::New(RoomId(id))));
                }
                let known = sql_query(format!(
                    "SELECT id FROM chelseru_chat_rooms WHERE pair_low = $1 AND pair_high = $2 {}",
                    lock(&*connection)
                ))
                .bind::<BigInt, _>(low)
                .bind::<BigInt, _>(high)
                .prepared()
                .get_result::<IdRow>(connection)
                .await
                .optional()?;
                let Some(IdRow { id }) = known else { continue };
                let back = add_members!(connection, id, &[low, high], Permissions::MEMBER, now);
                if back > 0 {
                    sql_query(
                        "UPDATE chelseru_chat_rooms SET revision = revision + 1, updated_at = $1 \
                         WHERE id = $2",
                    )
                    .bind::<BigInt, _>(now.as_millis())
                    .bind::<BigInt, _>(id)
                    .prepared()
                    .execute(connection)
                    .await?;
                }
                return Ok(Outcome::Commit(RoomOpened::Known(RoomId(id))));
            }
            Err(Error::DatabaseError(
                DatabaseErrorKind::SerializationFailure,
                Box::new("the room comes and goes too fast".to_owned()),
            ))
        })
    }

    async fn create_group(&self, group: &NewGroup) -> StoreResult<RoomOpened> {
        let group = group.clone();
        run!(self, transaction, |connection| {
            let named = std::iter::once(&group.owner).chain(&group.members);
            let mut users = each_once(named.clone().map(|user| user.0));
            let active = keep_active!(connection, &users);
            if let Some(user) = named.clone().find(|user| !active.contains(&user.0)) {
                return Ok(Outcome::RollBack(RoomOpened::UnknownUser(*user)));
            }
            let IdRow { id } = sql_query(
                "INSERT INTO chelseru_chat_rooms (kind, owner_id, name, description, avatar_url, \
                 status, revision, last_seq, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, 1, 0, $7, $7) RETURNING id",
            )
            .bind::<Text, _>(word(RoomKind::Group)?)
            .bind::<BigInt, _>(group.owner.0)
            .bind::<Text, _>(group.name.as_str())
            .bind::<Nullable<Text>, _>(group.description.as_deref())
            .bind::<Nullable<Text>, _>(group.avatar_url.as_deref())
            .bind::<Text, _>(word(RoomStatus::Open)?)
            .bind::<BigInt, _>(group.now.as_millis())
            .prepared()
            .get_result(connection)
            .await?;
            users.retain(|user| *user != group.owner.0);
            let owner = [group.owner.0];
            add_members!(connection, id, &owner, Permissions::EVERYTHING, group.now);
            add_members!(connection, id, &users, Permissions::MEMBER, group.now);
            Ok(Outcome::Commit(RoomOpened::New(RoomId(id))))
        })
    }

    async fn find_room(
        &self,
        room: RoomId,
        user: UserId,
    ) -> StoreResult<Option<(Room, Option<Membership>)>> {
        run!(self, read, |connection| {
            // First the room: what the user is to it is then at least as new as its revision.
            let Some(room) = find_room!(connection, room) else {
                return Ok(None);
            };
            let member = sql_query(format!(
                "SELECT {MEMBER} FROM chelseru_chat_members mb \
                 JOIN chelseru_users u ON u.id = mb.user_id \
                 WHERE mb.room_id = $1 AND mb.user_id = $2"
            ))
            .bind::<BigInt, _>(room.id.0)
            .bind::<BigInt, _>(user.0)
            .prepared()
            .get_result::<MemberRow>(connection)
            .await
            .optional()?;
            Ok(Some((room, member.map(Membership::try_from).transpose()?)))
        })
    }

    async fn find_listing(&self, room: RoomId, user: UserId) -> StoreResult<Option<RoomListing>> {
        run!(self, read, |connection| {
            let row: Option<ListedRow> = sql_query(format!(
                "SELECT {ROOM}, {MEMBER} FROM chelseru_chat_members mb \
                 JOIN chelseru_chat_rooms r ON r.id = mb.room_id \
                 JOIN chelseru_users u ON u.id = mb.user_id \
                 WHERE mb.room_id = $1 AND mb.user_id = $2 AND mb.banned_at IS NULL"
            ))
            .bind::<BigInt, _>(room.0)
            .bind::<BigInt, _>(user.0)
            .prepared()
            .get_result(connection)
            .await
            .optional()?;
            let listings = listings!(connection, user, Vec::from_iter(row));
            listings.map(|listings| listings.into_iter().next())
        })
    }

    async fn list_rooms(
        &self,
        user: UserId,
        after: Option<RoomCursor>,
        limit: u32,
    ) -> StoreResult<Vec<RoomListing>> {
        let after = after.unwrap_or(RoomCursor {
            is_pinned: true,
            updated_at: Timestamp::from_millis(i64::MAX),
            id: RoomId(i64::MAX),
        });
        run!(self, read, |connection| {
            let rows: Vec<ListedRow> = sql_query(format!(
                "SELECT {ROOM}, {MEMBER} FROM chelseru_chat_members mb \
                 JOIN chelseru_chat_rooms r ON r.id = mb.room_id \
                 JOIN chelseru_users u ON u.id = mb.user_id \
                 WHERE mb.user_id = $1 AND mb.banned_at IS NULL \
                 AND (mb.is_pinned, r.updated_at, r.id) < ($2, $3, $4) \
                 ORDER BY mb.is_pinned DESC, r.updated_at DESC, r.id DESC LIMIT $5"
            ))
            .bind::<BigInt, _>(user.0)
            .bind::<Bool, _>(after.is_pinned)
            .bind::<BigInt, _>(after.updated_at.as_millis())
            .bind::<BigInt, _>(after.id.0)
            .bind::<BigInt, _>(i64::from(limit))
            .prepared()
            .load(connection)
            .await?;
            listings!(connection, user, rows)
        })
    }

    async fn change_room(&self, change: &RoomChange) -> StoreResult<RoomChanged> {
        let change = change.clone();
        run!(self, transaction, |connection| {
            let (room, now) = (change.room.0, change.now.as_millis());
            let active = keep_active!(connection, &users_of(&change.edits));
            let revision = sql_query(format!(
                "SELECT revision FROM chelseru_chat_rooms WHERE id = $1 {}",
                lock(&*connection)
            ))
            .bind::<BigInt, _>(room)
            .prepared()
            .get_result::<RevisionRow>(connection)
            .await
            .optional()?;
            match revision {
                None => return Ok(Outcome::RollBack(RoomChanged::Gone)),
                Some(row) if row.revision != change.revision => {
                    return Ok(Outcome::RollBack(RoomChanged::Stale));
                }
                Some(_) => {}
            }
            if let Some(user) = unknown_user(&change.edits, &active) {
                return Ok(Outcome::RollBack(RoomChanged::UnknownUser(user)));
            }
            for edit in &change.edits {
                make_edit!(connection, room, edit, change.now);
            }
            sql_query(
                "UPDATE chelseru_chat_rooms SET revision = revision + 1, updated_at = $1 \
                 WHERE id = $2",
            )
            .bind::<BigInt, _>(now)
            .bind::<BigInt, _>(room)
            .prepared()
            .execute(connection)
            .await?;
            let room = find_room!(connection, change.room).ok_or(Error::NotFound)?;
            Ok(Outcome::Commit(RoomChanged::Done(room)))
        })
    }

    async fn delete_room(&self, room: RoomId, revision: i64) -> StoreResult<RoomChanged> {
        run!(self, transaction, |connection| {
            // The lock first, in a statement of its own: the members are counted after the wait for it.
            let locked = sql_query(format!(
                "SELECT revision FROM chelseru_chat_rooms WHERE id = $1 {}",
                lock(&*connection)
            ))
            .bind::<BigInt, _>(room.0)
            .prepared()
            .get_result::<RevisionRow>(connection)
            .await
            .optional()?;
            match locked {
                None => return Ok(Outcome::RollBack(RoomChanged::Gone)),
                Some(row) if row.revision != revision => {
                    return Ok(Outcome::RollBack(RoomChanged::Stale));
                }
                Some(_) => {}
            }
            let deleted = find_room!(connection, room).ok_or(Error::NotFound)?;
            sql_query("DELETE FROM chelseru_chat_rooms WHERE id = $1")
                .bind::<BigInt, _>(room.0)
                .prepared()
                .execute(connection)
                .await?;
            sql_query("INSERT INTO chelseru_chat_deleted_rooms (id) VALUES ($1)")
                .bind::<BigInt, _>(room.0)
                .prepared()
                .execute(connection)
                .await?;
            Ok(Outcome::Commit(RoomChanged::Done(deleted)))
        })
    }
}

/// Puts together what was found of each room. One that has gone in between is left out.
fn listings_of(
    rows: Vec<ListedRow>,
    counted: Vec<CountsRow>,
    peers: Vec<PeerRow>,
    messages: Vec<MessageRow>,
) -> QueryResult<Vec<RoomListing>> {
    let counted: HashMap<_, _> = counted.into_iter().map(|row| (row.room_id, row)).collect();
    let mut peers: HashMap<_, _> = peers
        .into_iter()
        .map(|row| (row.room_id, row.member))
        .collect();
    let messages = messages.into_iter().map(ChatMessage::try_from);
    let mut messages: HashMap<_, _> = messages
        .map(|message| message.map(|message| (message.room.0, message)))
        .collect::<QueryResult<_>>()?;
    rows.into_iter()
        .filter_map(|row| {
            let id = row.room.id;
            let counts = counted.get(&id)?;
            let listing = || {
                Ok(RoomListing {
                    room: row.room.with_members(counts.member_count)?,
                    membership: row.member.try_into()?,
                    peer: peers.remove(&id).map(Membership::try_from).transpose()?,
                    unread: u64::try_from(counts.unread).unwrap_or(0),
                    last_message: messages.remove(&id),
                })
            };
            Some(listing())
        })
        .collect()
}
