//! What a store keeps of chats.
//!
//! Who may do what is decided in core, on a room's [`revision`](Room::revision); a store does it on that
//! revision or not at all ([`Stale`](RoomChanged::Stale)), so whatever happens at once, nothing is done
//! by somebody who may not any more. A room's row is the lock for which its changes and its new
//! messages wait, so numbers have no gaps and become visible in their order.

use async_trait::async_trait;

use super::StoreResult;
use crate::chat::{
    AttachmentId, ChatMessage, LogEntry, Membership, MessageId, MessageType, Permissions, Room,
    RoomId, RoomStatus, Seq,
};
use crate::clock::Timestamp;
use crate::user::UserId;

/// A group to be made.
#[derive(Clone, Debug)]
pub struct NewGroup {
    /// Its owner and first member, who has every permission.
    pub owner: UserId,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Where its picture is.
    pub avatar_url: Option<String>,
    /// The other members, each with [`Permissions::MEMBER`]. Those named twice and the owner count once.
    pub members: Vec<UserId>,
    /// Now.
    pub now: Timestamp,
}

/// The answer to [`RoomStore::open_pair`] and [`RoomStore::create_group`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomOpened {
    /// It was made.
    New(RoomId),
    /// The pair has one.
    Known(RoomId),
    /// There is no such active account; nothing was changed.
    UnknownUser(UserId),
}

/// Among how many of the last places of a room's log unread messages are counted: whoever never reads
/// does not make each list of rooms count all that was ever written.
pub const UNREAD_COUNTED: u64 = 1000;

/// One room in a user's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomListing {
    /// The room.
    pub room: Room,
    /// What the user is to it.
    pub membership: Membership,
    /// Of a pair, the other one; `None` when that account is gone.
    pub peer: Option<Membership>,
    /// How many messages of others come after the user's read pointer, among the last
    /// [`UNREAD_COUNTED`] places of the log; edits and deletions do not count, nor do messages that were
    /// deleted or that the user has hidden.
    pub unread: u64,
    /// The newest message, as this user sees it.
    pub last_message: Option<ChatMessage>,
}

/// Where a page of a user's rooms begins: after a room of that time and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomCursor {
    /// Whether that room is pinned: the pinned ones come first.
    pub is_pinned: bool,
    /// When something last happened in it.
    pub updated_at: Timestamp,
    /// Its id.
    pub id: RoomId,
}

/// One change of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomEdit {
    /// Another name.
    Name(String),
    /// Another description, or none.
    Description(Option<String>),
    /// Another picture, or none.
    AvatarUrl(Option<String>),
    /// Takes messages or does not.
    Status(RoomStatus),
    /// Another owner, who must be a member.
    Owner(UserId),
    /// A member more. Who is one already, or is banned, stays as they are.
    Add(UserId, Permissions),
    /// A member less. The row goes, and with it the read pointer.
    Remove(UserId),
    /// Bans a user, member or not: no member any more, and none again until the ban is lifted.
    Ban(UserId),
    /// Lifts a ban. Who was banned is no member by that.
    Unban(UserId),
    /// Other permissions of a member.
    Permit(UserId, Permissions),
}

impl RoomEdit {
    /// Who may be a member by it who was none.
    pub(crate) fn lets_in(&self) -> Option<UserId> {
        match self {
            Self::Add(user, _) => Some(*user),
            _ => None,
        }
    }
}

/// Changes of a room that were decided on one revision of it.
#[derive(Clone, Debug)]
pub struct RoomChange {
    /// The room.
    pub room: RoomId,
    /// The revision on which they were decided.
    pub revision: i64,
    /// All of them are made, in this order, or none.
    pub edits: Vec<RoomEdit>,
    /// Now.
    pub now: Timestamp,
}

/// The answer to a change of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomChanged {
    /// Done; the room as it is now, with the next revision.
    Done(Room),
    /// The room has changed since: decide again. Nothing was changed.
    Stale,
    /// There is no such room any more.
    Gone,
    /// A user to be added or banned does not exist or is not active, or the one who is to own the room
    /// is no member. Nothing was changed.
    UnknownUser(UserId),
}

/// Where a room's log and revision are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomState {
    /// The room.
    pub room: RoomId,
    /// Its revision.
    pub revision: i64,
    /// The last place of its log.
    pub last_seq: Seq,
}

/// Rooms.
#[async_trait]
pub trait RoomStore: Send + Sync {
    /// The room of two accounts, made if there is none: of any number of calls at once, in either order
    /// of the two, all are given one room. Both have [`Permissions::MEMBER`]. A member of the pair who
    /// had left is one again. The two are different.
    async fn open_pair(
        &self,
        one: UserId,
        other: UserId,
        now: Timestamp,
    ) -> StoreResult<RoomOpened>;

    /// Makes a group with its first members.
    async fn create_group(&self, group: &NewGroup) -> StoreResult<RoomOpened>;

    /// The room, and what the user is to it: a member, a banned one, or nothing.
    async fn find_room(
        &self,
        room: RoomId,
        user: UserId,
    ) -> StoreResult<Option<(Room, Option<Membership>)>>;

    /// One room as it is in the user's list; `None` for who is no member or is banned.
    async fn find_listing(&self, room: RoomId, user: UserId) -> StoreResult<Option<RoomListing>>;

    /// At most `limit` of the user's rooms after the cursor, pinned ones first, then those in which
    /// something last happened first. Rooms in which the user is banned are left out.
    async fn list_rooms(
        &self,
        user: UserId,
        after: Option<RoomCursor>,
        limit: u32,
    ) -> StoreResult<Vec<RoomListing>>;

    /// Makes the changes if the room is still on that revision.
    async fn change_room(&self, change: &RoomChange) -> StoreResult<RoomChanged>;

    /// Removes the room with its members and its log, if it is still on that revision; the room as it
    /// was. Nobody finds anything of it any more, even if the store takes its time to remove a long log.
    async fn delete_room(&self, room: RoomId, revision: i64) -> StoreResult<RoomChanged>;
}

/// Members, and what they have read.
#[async_trait]
pub trait MemberStore: Send + Sync {
    /// At most `limit` of the room's members (or of the banned, if `banned`) after the user `after`, by
    /// their ids.
    async fn members(
        &self,
        room: RoomId,
        banned: bool,
        after: Option<UserId>,
        limit: u32,
    ) -> StoreResult<Vec<Membership>>;

    /// What these users are to the room: those that are anything to it.
    async fn memberships(&self, room: RoomId, users: &[UserId]) -> StoreResult<Vec<Membership>>;

    /// The rooms of which the user is a member and not banned, with their states; at most `limit`, after
    /// the room `after`, by their ids.
    async fn rooms_of(
        &self,
        user: UserId,
        after: Option<RoomId>,
        limit: u32,
    ) -> StoreResult<Vec<RoomState>>;

    /// The states of these rooms: those that are there.
    async fn room_states(&self, rooms: &[RoomId]) -> StoreResult<Vec<RoomState>>;

    /// Moves a member's read pointer forward, at most to the end of the log. Where it is now; `None` for
    /// who is not a member. One that is further already stays.
    async fn move_read_pointer(
        &self,
        room: RoomId,
        user: UserId,
        seq: Seq,
    ) -> StoreResult<Option<ReadPointer>>;

    /// Pins or unpins, mutes or unmutes the room for one member. False for who is not a member.
    async fn set_member_flags(
        &self,
        room: RoomId,
        user: UserId,
        pinned: Option<bool>,
        muted: Option<bool>,
    ) -> StoreResult<bool>;
}

/// Where a member's read pointer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadPointer {
    /// Up to where the member has read.
    pub seq: Seq,
    /// Whether this call moved it.
    pub moved: bool,
}

/// A message to be stored.
#[derive(Clone, Debug)]
pub struct NewChatMessage {
    /// Its room.
    pub room: RoomId,
    /// The revision on which its sender may write.
    pub revision: i64,
    /// Who sends it.
    pub sender: UserId,
    /// The key under which a resend is the same message, for ever.
    pub client_id: Option<String>,
    /// A hash of all that the message says: under one client id there is one message.
    pub fingerprint: [u8; 32],
    /// What it consists of.
    pub message_type: MessageType,
    /// The text, as it is returned.
    pub text: String,
    /// The text, as it is searched.
    pub folded_text: String,
    /// The message that it answers, which must be one of the room.
    pub reply_to: Option<MessageId>,
    /// The file that belongs to it: uploaded by the sender, for this room, and of no other message.
    pub attachment: Option<AttachmentId>,
    /// Now.
    pub now: Timestamp,
}

/// The answer to one message of [`MessageStore::append`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is stored, at the next place of the log, and its sender's read pointer is there.
    Stored(ChatMessage),
    /// It was stored before, under the same client id; as it is now.
    Again(ChatMessage),
    /// The client id belongs to a message that says something else. Nothing was changed.
    OtherMessage,
    /// The room has changed since, or the sender's account is gone: decide again. Nothing was changed.
    Stale,
    /// There is no such room any more.
    Gone,
    /// The message that it answers, or its file, is none that it may have. Nothing was changed.
    BadReference,
}

/// A change of a message that is there.
#[derive(Clone, Debug)]
pub struct Revision {
    /// Its room.
    pub room: RoomId,
    /// The revision of the room on which this was decided.
    pub revision: i64,
    /// The message.
    pub message: MessageId,
    /// Who changes it.
    pub by: UserId,
    /// The new text and how it is searched, or `None` to delete the message for everyone.
    pub text: Option<(String, String)>,
    /// Now.
    pub now: Timestamp,
}

/// The answer to [`MessageStore::revise`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revised {
    /// Done, and noted in the room's log.
    Done(LogEntry),
    /// It was deleted before, or already has that text; as it is now. Nothing was changed.
    Unchanged(ChatMessage),
    /// The room has changed since, or the account of who changes the message is gone: decide again.
    /// Nothing was changed.
    Stale,
    /// There is no such message in that room.
    Gone,
}

/// What of a room's log is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Every entry after this place, the oldest first: for who was away.
    After(Seq),
    /// The messages (no edits and deletions) before this place, or the newest ones, the newest first:
    /// for who scrolls back.
    MessagesBefore(Option<Seq>),
    /// The messages after this place, the oldest first: for who scrolls forward.
    MessagesAfter(Seq),
}

/// What is searched for.
#[derive(Clone, Debug)]
pub struct Search {
    /// Where.
    pub room: RoomId,
    /// By whom: what that one has hidden is not found.
    pub reader: UserId,
    /// The words, folded as the texts are; found anywhere in a text.
    pub folded_words: String,
    /// Only messages before this place.
    pub before: Option<Seq>,
    /// At most so many, the newest first.
    pub limit: u32,
}

/// Messages.
#[async_trait]
pub trait MessageStore: Send + Sync {
    /// Stores messages, of any rooms, in their order, in one transaction; one answer for each. What
    /// refuses one of them refuses no other.
    async fn append(&self, messages: &[NewChatMessage]) -> StoreResult<Vec<Appended>>;

    /// At most `limit` entries of a room's log, as `reader` sees them: what that one has hidden is
    /// deleted.
    async fn read_log(
        &self,
        room: RoomId,
        reader: UserId,
        span: Span,
        limit: u32,
    ) -> StoreResult<Vec<LogEntry>>;

    /// The message, as `reader` sees it.
    async fn find_message(&self, id: MessageId, reader: UserId)
    -> StoreResult<Option<ChatMessage>>;

    /// Changes the text of a message or deletes it for everyone, and takes the next place in the room's
    /// log for that. A deletion removes the text, and what it is searched by, from the store, and discards
    /// the file.
    async fn revise(&self, revision: &Revision) -> StoreResult<Revised>;

    /// Hides a message from one reader, for good: that one sees it as deleted at `now`. Hiding it again
    /// changes nothing, and hiding what is not there is no error.
    async fn hide_message(&self, id: MessageId, reader: UserId, now: Timestamp) -> StoreResult<()>;

    /// The messages of a room in whose folded texts the words are, letter by letter. What was deleted, or
    /// hidden by the reader, is not found.
    async fn search_messages(&self, search: &Search) -> StoreResult<Vec<ChatMessage>>;
}

/// An uploaded file, about to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAttachment {
    /// The room for which it was uploaded.
    pub room: RoomId,
    /// Who uploaded it.
    pub uploader: UserId,
    /// The name under which its bytes are kept: random, never used twice.
    pub blob_key: String,
    /// The name that its uploader gave it. Only shown.
    pub name: String,
    /// What its bytes were found to be.
    pub content_type: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Now.
    pub now: Timestamp,
}

/// An uploaded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Unique over all rooms.
    pub id: AttachmentId,
    /// The room for which it was uploaded.
    pub room: RoomId,
    /// The name under which its bytes are kept.
    pub blob_key: String,
    /// The name that its uploader gave it. Only shown.
    pub name: String,
    /// What its bytes were found to be.
    pub content_type: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// When it was uploaded.
    pub created_at: Timestamp,
}

/// Uploaded files. Their bytes are kept elsewhere; [`MessageStore::append`] makes one part of a message.
#[async_trait]
pub trait AttachmentStore: Send + Sync {
    /// Notes a file that belongs to no message yet. `None` when the uploader is no member of the room.
    async fn add_attachment(&self, new: &NewAttachment) -> StoreResult<Option<AttachmentId>>;

    /// The file, for a member of its room: that of a message which the reader has not hidden, or one
    /// that the reader has uploaded and that belongs to no message yet.
    async fn find_attachment(
        &self,
        id: AttachmentId,
        reader: UserId,
    ) -> StoreResult<Option<Attachment>>;

    /// Discards files that were uploaded before that time and belong to no message, or to none any
    /// more; the oldest first, at most `limit`. None of them becomes part of a message after that. They
    /// are given again until they are forgotten, so nothing is left over when a process dies between
    /// the two.
    async fn discard_attachments(
        &self,
        uploaded_before: Timestamp,
        limit: u32,
    ) -> StoreResult<Vec<Attachment>>;

    /// Forgets discarded files whose bytes are gone. Others are left alone.
    async fn forget_attachments(&self, ids: &[AttachmentId]) -> StoreResult<()>;
}
