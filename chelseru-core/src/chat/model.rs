//! Rooms, their members and their messages.

use crate::clock::Timestamp;
use crate::user::UserId;

use super::permission::Permissions;

/// The id of a room. Never used twice.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct RoomId(pub i64);

/// The id of a message, unique over all rooms. Never used twice.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct MessageId(pub i64);

/// A place in the log of a room: 1, 2, 3 and so on, without gaps. Who has all numbers up to one of them
/// has everything that happened to the room's messages until then.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Seq(pub i64);

impl Seq {
    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What kind of room it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoomKind {
    /// Two users; each pair has at most one such room.
    Pair,
    /// A name, an owner and any number of members.
    Group,
}

/// Whether a room takes messages. On the wire these are the package's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoomStatus {
    /// 1: it does.
    Open,
    /// 2: it does not, and its members may only read.
    Closed,
    /// 3: as closed, for the time being.
    Hold,
}

impl RoomStatus {
    /// The package's number.
    pub const fn code(self) -> i64 {
        match self {
            Self::Open => 1,
            Self::Closed => 2,
            Self::Hold => 3,
        }
    }

    /// The status of a number.
    pub const fn from_code(code: i64) -> Option<Self> {
        match code {
            1 => Some(Self::Open),
            2 => Some(Self::Closed),
            3 => Some(Self::Hold),
            _ => None,
        }
    }
}

/// A room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Unique over all rooms.
    pub id: RoomId,
    /// For two or for a group.
    pub kind: RoomKind,
    /// Who made it and may do everything; `None` for a pair, whose two members are equals, and for a
    /// group whose owner's account is gone.
    pub owner: Option<UserId>,
    /// The name of a group.
    pub name: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// Where its picture is.
    pub avatar_url: Option<String>,
    /// Whether it takes messages.
    pub status: RoomStatus,
    /// Grows by one with every change of the room, its members, their permissions and bans; never with
    /// a message. What was decided on one revision is done on that revision or not at all.
    pub revision: i64,
    /// The last place of its log; 0 before the first.
    pub last_seq: Seq,
    /// How many members there are who are not banned.
    pub member_count: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When something last happened in it: a message or a change.
    pub updated_at: Timestamp,
}

/// What one user is to one room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The user.
    pub user: UserId,
    /// What others see of the user.
    pub username: String,
    /// What the user may do.
    pub permissions: Permissions,
    /// Set for who was banned: that one is no member, and cannot become one before the ban is lifted.
    pub banned_at: Option<Timestamp>,
    /// When the user came in.
    pub joined_at: Timestamp,
    /// Up to where the user has read. Only moves forward.
    pub read_seq: Seq,
    /// Whether the room is kept on top of the user's list.
    pub is_pinned: bool,
    /// Whether the user wants no notifications of the room. For clients; the server sends as ever.
    pub is_muted: bool,
}

/// What an entry of a room's log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A message, with what it consists of.
    Message(MessageType),
    /// The text of an earlier message was changed.
    Edit,
    /// An earlier message was deleted for everyone.
    Deletion,
}

/// What a message consists of. The names are the package's.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum MessageType {
    /// A text.
    #[default]
    Text,
    /// A picture, perhaps with a text.
    Image,
    /// Any other file, perhaps with a text.
    File,
}

impl MessageType {
    /// The name on the wire and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::File => "file",
        }
    }
}

/// The id of an uploaded file. Never used twice.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct AttachmentId(pub i64);

/// A message as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMessage {
    /// Unique over all rooms.
    pub id: MessageId,
    /// Its room.
    pub room: RoomId,
    /// Its place in the room's log.
    pub seq: Seq,
    /// Who sent it; `None` when that account is gone.
    pub sender: Option<Sender>,
    /// What it consists of.
    pub message_type: MessageType,
    /// The text, as it was sent or last edited; empty when it was deleted.
    pub text: String,
    /// The key under which its sender may send it again without making another one.
    pub client_id: Option<String>,
    /// The message of the same room that it answers.
    pub reply_to: Option<MessageId>,
    /// The file that belongs to it.
    pub attachment: Option<AttachmentId>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When its text was last changed, if it was.
    pub edited_at: Option<Timestamp>,
    /// When it was deleted for everyone, or true for the reader who has hidden it, if it was.
    pub deleted_at: Option<Timestamp>,
}

/// Who sent a message.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Sender {
    /// The account.
    pub id: UserId,
    /// What others see of it.
    pub username: String,
}

impl From<&Membership> for Sender {
    fn from(membership: &Membership) -> Self {
        Self {
            id: membership.user,
            username: membership.username.clone(),
        }
    }
}

/// One place of a room's log, as a reader is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The place.
    pub seq: Seq,
    /// What happened.
    pub kind: EntryKind,
    /// The message that was sent, edited or deleted, as it is now. Of an edit or a deletion, its `seq` is
    /// smaller than that of the entry.
    pub message: ChatMessage,
    /// When it happened.
    pub at: Timestamp,
}
