//! Rows as queries give them, and what core makes of them.

use chelseru_core::chat::{
    AttachmentId, ChatMessage, EntryKind, LogEntry, Membership, MessageId, Permissions, Room,
    RoomId, Sender, Seq,
};
use chelseru_core::store::RoomState;
use chelseru_core::{Timestamp, UserId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::rows::damaged;
use crate::words::value;

/// The columns of [`RoomRow`], of `chelseru_chat_rooms r`.
pub(super) const ROOM: &str = "r.id, r.kind, r.owner_id, r.name, r.description, r.avatar_url, \
    r.status, r.revision, r.last_seq, r.created_at, r.updated_at";

/// How many members `r` has.
pub(super) const MEMBER_COUNT: &str = "(SELECT count(*) FROM chelseru_chat_members c \
    WHERE c.room_id = r.id AND c.banned_at IS NULL) AS member_count";

#[derive(QueryableByName)]
pub(super) struct RoomRow {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    owner_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    description: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    avatar_url: Option<String>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    revision: i64,
    #[diesel(sql_type = BigInt)]
    last_seq: i64,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = BigInt)]
    updated_at: i64,
}

impl RoomRow {
    pub(super) fn with_members(self, count: i64) -> QueryResult<Room> {
        Ok(Room {
            id: RoomId(self.id),
            kind: value(&self.kind)?,
            owner: self.owner_id.map(UserId),
            name: self.name,
            description: self.description,
            avatar_url: self.avatar_url,
            status: value(&self.status)?,
            revision: self.revision,
            last_seq: Seq(self.last_seq),
            member_count: u32::try_from(count).map_err(|_| damaged("a room is too full"))?,
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
        })
    }
}

/// A room and [`MEMBER_COUNT`].
#[derive(QueryableByName)]
pub(super) struct CountedRoomRow {
    #[diesel(embed)]
    room: RoomRow,
    #[diesel(sql_type = BigInt)]
    member_count: i64,
}

impl TryFrom<CountedRoomRow> for Room {
    type Error = diesel::result::Error;

    fn try_from(row: CountedRoomRow) -> QueryResult<Self> {
        row.room.with_members(row.member_count)
    }
}

#[derive(QueryableByName)]
pub(super) struct StateRow {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) revision: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) last_seq: i64,
}

impl From<StateRow> for RoomState {
    fn from(row: StateRow) -> Self {
        Self {
            room: RoomId(row.id),
            revision: row.revision,
            last_seq: Seq(row.last_seq),
        }
    }
}

/// The columns of [`MemberRow`], of `chelseru_chat_members mb` and `chelseru_users u`.
pub(super) const MEMBER: &str = "mb.user_id, u.username, mb.permissions, mb.banned_at, \
    mb.joined_at, mb.read_seq, mb.is_pinned, mb.is_muted";

#[derive(QueryableByName)]
pub(super) struct MemberRow {
    #[diesel(sql_type = BigInt)]
    user_id: i64,
    #[diesel(sql_type = Text)]
    username: String,
    #[diesel(sql_type = BigInt)]
    permissions: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    banned_at: Option<i64>,
    #[diesel(sql_type = BigInt)]
    joined_at: i64,
    #[diesel(sql_type = BigInt)]
    read_seq: i64,
    #[diesel(sql_type = Bool)]
    is_pinned: bool,
    #[diesel(sql_type = Bool)]
    is_muted: bool,
}

impl TryFrom<MemberRow> for Membership {
    type Error = diesel::result::Error;

    fn try_from(row: MemberRow) -> QueryResult<Self> {
        let bits = u16::try_from(row.permissions);
        let bits = bits.map_err(|_| damaged("permissions are out of range"))?;
        Ok(Self {
            user: UserId(row.user_id),
            username: row.username,
            permissions: Permissions::from_bits(bits),
            banned_at: row.banned_at.map(Timestamp::from_millis),
            joined_at: Timestamp::from_millis(row.joined_at),
            read_seq: Seq(row.read_seq),
            is_pinned: row.is_pinned,
            is_muted: row.is_muted,
        })
    }
}

/// The columns of [`MessageRow`], of `chelseru_chat_log m` and [`OF_MESSAGE`].
pub(super) const MESSAGE: &str = "m.id, m.room_id, m.seq, m.sender_id, u.username, \
    m.message_type, m.text, m.client_id, m.reply_to, m.attachment_id, m.created_at, m.edited_at, \
    m.deleted_at, h.hidden_at";

/// What belongs to `m`, for the reader `$1`.
pub(super) const OF_MESSAGE: &str = "LEFT JOIN chelseru_users u ON u.id = m.sender_id \
    LEFT JOIN chelseru_chat_hidden h ON h.message_id = m.id AND h.user_id = $1";

/// A reader who has hidden nothing.
pub(super) const NOBODY: UserId = UserId(0);

#[derive(QueryableByName)]
pub(super) struct MessageRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    room_id: i64,
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    sender_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    username: Option<String>,
    #[diesel(sql_type = Text)]
    message_type: String,
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Nullable<Text>)]
    client_id: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    reply_to: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    attachment_id: Option<i64>,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    edited_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    deleted_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    hidden_at: Option<i64>,
}

impl TryFrom<MessageRow> for ChatMessage {
    type Error = diesel::result::Error;

    fn try_from(row: MessageRow) -> QueryResult<Self> {
        let sender = row.sender_id.zip(row.username);
        let is_shown = row.hidden_at.is_none();
        Ok(Self {
            id: MessageId(row.id),
            room: RoomId(row.room_id),
            seq: Seq(row.seq),
            sender: sender.map(|(id, username)| Sender {
                id: UserId(id),
                username,
            }),
            message_type: value(&row.message_type)?,
            text: if is_shown { row.text } else { String::new() },
            client_id: row.client_id,
            reply_to: row.reply_to.map(MessageId),
            attachment: row.attachment_id.filter(|_| is_shown).map(AttachmentId),
            created_at: Timestamp::from_millis(row.created_at),
            edited_at: row.edited_at.map(Timestamp::from_millis),
            deleted_at: row.deleted_at.or(row.hidden_at).map(Timestamp::from_millis),
        })
    }
}

/// The columns of [`EntryRow`], of `chelseru_chat_log e` and [`MESSAGE`].
pub(super) const ENTRY: &str = "e.seq AS entry_seq, e.kind AS entry_kind, \
    e.created_at AS entry_at";

#[derive(QueryableByName)]
pub(super) struct EntryRow {
    #[diesel(sql_type = BigInt)]
    entry_seq: i64,
    #[diesel(sql_type = Text)]
    entry_kind: String,
    #[diesel(sql_type = BigInt)]
    entry_at: i64,
    #[diesel(embed)]
    message: MessageRow,
}

impl TryFrom<EntryRow> for LogEntry {
    type Error = diesel::result::Error;

    fn try_from(row: EntryRow) -> QueryResult<Self> {
        let message = ChatMessage::try_from(row.message)?;
        Ok(Self {
            seq: Seq(row.entry_seq),
            kind: entry_kind(&row.entry_kind, &message)?,
            message,
            at: Timestamp::from_millis(row.entry_at),
        })
    }
}

/// The words for what an entry is.
pub(super) const IS_MESSAGE: &str = "message";
pub(super) const IS_EDIT: &str = "edit";
pub(super) const IS_DELETION: &str = "deletion";

fn entry_kind(word: &str, message: &ChatMessage) -> QueryResult<EntryKind> {
    match word {
        IS_MESSAGE => Ok(EntryKind::Message(message.message_type)),
        IS_EDIT => Ok(EntryKind::Edit),
        IS_DELETION => Ok(EntryKind::Deletion),
        _ => Err(damaged("an entry of a log is of an unknown kind")),
    }
}

#[derive(QueryableByName)]
pub(super) struct IdRow {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
}
