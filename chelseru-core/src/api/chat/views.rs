//! Rooms and messages as JSON: the package's keys with ours beside them. Of a user there is the id and the
//! name, never a number.

use serde::Serialize;

use crate::chat::{
    AttachmentId, ChatMessage, Membership, MessageId, MessageType, Permission, Permissions, Room,
    RoomId, RoomKind, Sender, Seq,
};
use crate::clock::Timestamp;
use crate::service::RoomView;
use crate::user::UserId;

#[derive(Clone, Copy, Serialize)]
pub(super) struct UserJson<'a> {
    id: UserId,
    username: &'a str,
}

impl<'a> From<&'a Sender> for UserJson<'a> {
    fn from(user: &'a Sender) -> Self {
        Self {
            id: user.id,
            username: &user.username,
        }
    }
}

impl<'a> From<&'a Membership> for UserJson<'a> {
    fn from(member: &'a Membership) -> Self {
        Self {
            id: member.user,
            username: &member.username,
        }
    }
}

fn codes(permissions: Permissions) -> Vec<u8> {
    permissions.iter().map(Permission::code).collect()
}

/// One room for one of its members.
#[derive(Serialize)]
pub(super) struct RoomJson<'a> {
    id: RoomId,
    kind: &'static str,
    name: Option<&'a str>,
    descriptions: Option<&'a str>,
    description: Option<&'a str>,
    avatar_url: Option<&'a str>,
    status: i64,
    owner: Option<UserJson<'a>>,
    user_1: Option<UserJson<'a>>,
    user_2: Option<UserJson<'a>>,
    users: Vec<UserJson<'a>>,
    member_count: u32,
    permissions: Vec<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    online: Option<bool>,
    pinned: bool,
    muted: bool,
    pinned_for: Vec<UserId>,
    /// Who is banned is told to those who may know it, at a route of its own.
    banneds: [UserId; 0],
    unread_count: u64,
    read_seq: Seq,
    last_seq: Seq,
    last_message: Option<MessageJson<'a>>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> From<&'a RoomView> for RoomJson<'a> {
    fn from(view: &'a RoomView) -> Self {
        let (listing, room) = (&view.listing, &view.listing.room);
        let membership = &listing.membership;
        let user = membership.user;
        let (kind, pair): (_, &[Membership]) = match room.kind {
            RoomKind::Pair => ("pair", &view.members),
            RoomKind::Group => ("group", &[]),
        };
        let is_owner = view.owner.as_ref().is_some_and(|owner| owner.id == user);
        let everyone = (view.members.len() as u64 >= u64::from(room.member_count))
            .then_some(view.members.as_slice());
        let last_message = listing.last_message.as_ref();
        Self {
            id: room.id,
            kind,
            name: room.name.as_deref(),
            descriptions: room.description.as_deref(),
            description: room.description.as_deref(),
            avatar_url: room.avatar_url.as_deref(),
            status: room.status.code(),
            owner: view.owner.as_ref().map(UserJson::from),
            user_1: pair.first().map(UserJson::from),
            user_2: pair.get(1).map(UserJson::from),
            users: view.members.iter().map(UserJson::from).collect(),
            member_count: room.member_count,
            permissions: codes(if is_owner {
                Permissions::EVERYTHING
            } else {
                membership.permissions
            }),
            online: view.peer_is_online,
            pinned: membership.is_pinned,
            muted: membership.is_muted,
            pinned_for: Vec::from_iter(membership.is_pinned.then_some(user)),
            banneds: [],
            unread_count: listing.unread,
            read_seq: membership.read_seq,
            last_seq: room.last_seq,
            last_message: last_message
                .map(|message| MessageJson::new(message, room, user, everyone)),
            created_at: room.created_at,
            updated_at: room.updated_at,
        }
    }
}

/// One message for one reader.
#[derive(Serialize)]
pub(super) struct MessageJson<'a> {
    id: MessageId,
    chat_room: MessageRoom<'a>,
    seq: Seq,
    sender: Option<UserJson<'a>>,
    text: &'a str,
    message: &'a str,
    message_type: MessageType,
    client_id: Option<&'a str>,
    reply_to: Option<MessageId>,
    attachment: Option<AttachmentId>,
    file_url: Option<String>,
    read_by: Vec<UserJson<'a>>,
    /// `None` in rooms that are too large to look at every member.
    read_count: Option<usize>,
    lat: Option<f64>,
    lng: Option<f64>,
    timestamp: Timestamp,
    created_at: Timestamp,
    edited_at: Option<Timestamp>,
    deleted_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct MessageRoom<'a> {
    id: RoomId,
    name: Option<&'a str>,
    status: i64,
}

impl<'a> MessageJson<'a> {
    /// `everyone` are the room's members, where they are few.
    pub(super) fn new(
        message: &'a ChatMessage,
        room: &'a Room,
        reader: UserId,
        everyone: Option<&'a [Membership]>,
    ) -> Self {
        let sender = message.sender.as_ref();
        let sender_id = sender.map(|sender| sender.id);
        let readers = everyone.map(|members| {
            let read = members
                .iter()
                .filter(|member| member.read_seq >= message.seq && Some(member.user) != sender_id);
            read.map(UserJson::from).collect::<Vec<_>>()
        });
        let client_id = message.client_id.as_deref();
        Self {
            id: message.id,
            chat_room: MessageRoom {
                id: room.id,
                name: room.name.as_deref(),
                status: room.status.code(),
            },
            seq: message.seq,
            sender: sender.map(UserJson::from),
            text: &message.text,
            message: &message.text,
            message_type: message.message_type,
            client_id: client_id.filter(|_| sender_id == Some(reader)),
            reply_to: message.reply_to,
            attachment: message.attachment,
            file_url: None,
            read_count: readers.as_ref().map(Vec::len),
            read_by: readers.unwrap_or_default(),
            lat: None,
            lng: None,
            timestamp: message.created_at,
            created_at: message.created_at,
            edited_at: message.edited_at,
            deleted_at: message.deleted_at,
        }
    }

    /// With the link to its file.
    pub(super) fn with_file(mut self, url: Option<String>) -> Self {
        self.file_url = url;
        self
    }
}

/// One member of a room.
#[derive(Serialize)]
pub(super) struct MemberJson<'a> {
    user: UserJson<'a>,
    permissions: Vec<u8>,
    is_owner: bool,
    joined_at: Timestamp,
    read_seq: Seq,
}

impl<'a> MemberJson<'a> {
    pub(super) fn new(member: &'a Membership, owner: Option<UserId>) -> Self {
        let is_owner = owner == Some(member.user);
        Self {
            user: member.into(),
            permissions: codes(if is_owner {
                Permissions::EVERYTHING
            } else {
                member.permissions
            }),
            is_owner,
            joined_at: member.joined_at,
            read_seq: member.read_seq,
        }
    }
}

/// One who is banned from a room.
#[derive(Serialize)]
pub(super) struct BanJson<'a> {
    user: UserJson<'a>,
    banned_at: Option<Timestamp>,
}

impl<'a> From<&'a Membership> for BanJson<'a> {
    fn from(banned: &'a Membership) -> Self {
        Self {
            user: banned.into(),
            banned_at: banned.banned_at,
        }
    }
}
