//! Rooms, their members and their messages.

mod attachments;
mod members;
mod messages;
mod rooms;

use std::collections::{BTreeMap, HashMap};

use self::attachments::KeptAttachment;
use super::Tables;
use crate::chat::{
    AttachmentId, ChatMessage, EntryKind, Membership, MessageId, Permissions, Room, RoomId, Sender,
    Seq,
};
use crate::clock::Timestamp;
use crate::store::RoomState;
use crate::user::UserId;

/// What there is of chats. Ids are counted, so that none comes back.
#[derive(Debug, Default)]
pub(super) struct Chats {
    rooms: BTreeMap<RoomId, KeptRoom>,
    messages: BTreeMap<MessageId, KeptMessage>,
    client_ids: HashMap<(RoomId, UserId, String), MessageId>,
    hidden: HashMap<(MessageId, UserId), Timestamp>,
    attachments: BTreeMap<AttachmentId, KeptAttachment>,
    last_room: i64,
    last_message: i64,
    last_attachment: i64,
}

#[derive(Debug)]
struct KeptRoom {
    /// But for the number of members, which is counted when it is asked for.
    room: Room,
    /// Of a pair the two, the smaller id first.
    pair: Option<(UserId, UserId)>,
    members: BTreeMap<UserId, Member>,
    /// The entry at place n is the one of seq n + 1.
    log: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Member {
    permissions: Permissions,
    banned_at: Option<Timestamp>,
    joined_at: Timestamp,
    read_seq: Seq,
    is_pinned: bool,
    is_muted: bool,
}

impl Member {
    fn new(permissions: Permissions, now: Timestamp) -> Self {
        Self {
            permissions,
            banned_at: None,
            joined_at: now,
            read_seq: Seq(0),
            is_pinned: false,
            is_muted: false,
        }
    }
}

#[derive(Debug)]
struct Entry {
    kind: EntryKind,
    message: MessageId,
    at: Timestamp,
}

#[derive(Debug)]
struct KeptMessage {
    /// But for its sender's name, which is that of the account when it is asked for.
    message: ChatMessage,
    sender: UserId,
    fingerprint: [u8; 32],
    folded_text: String,
}

impl KeptRoom {
    fn state(&self) -> RoomState {
        RoomState {
            room: self.room.id,
            revision: self.room.revision,
            last_seq: self.room.last_seq,
        }
    }

    /// The member, if not banned.
    fn member(&self, user: UserId) -> Option<&Member> {
        let member = self.members.get(&user);
        member.filter(|member| member.banned_at.is_none())
    }

    fn member_mut(&mut self, user: UserId) -> Option<&mut Member> {
        let member = self.members.get_mut(&user);
        member.filter(|member| member.banned_at.is_none())
    }

    fn push(&mut self, kind: EntryKind, message: MessageId, at: Timestamp) -> Seq {
        self.log.push(Entry { kind, message, at });
        self.room.last_seq = self.room.last_seq.next();
        self.room.last_seq
    }

    /// The place of the entry before which the log is to be read: everything of `..place` is not after
    /// `seq`.
    fn place_after(&self, seq: Seq) -> usize {
        usize::try_from(seq.0).unwrap_or(0).min(self.log.len())
    }
}

impl Tables {
    fn is_active(&self, user: UserId) -> bool {
        self.users.get(&user).is_some_and(|user| user.is_active)
    }

    /// The room as it is now. Accounts that are gone are neither its owner nor its members.
    fn room(&self, kept: &KeptRoom) -> Room {
        let is_there = |user: &UserId| self.users.contains_key(user);
        let members = kept.members.iter();
        let count = members.filter(|(user, member)| is_there(user) && member.banned_at.is_none());
        Room {
            owner: kept.room.owner.filter(is_there),
            member_count: u32::try_from(count.count()).unwrap_or(u32::MAX),
            ..kept.room.clone()
        }
    }

    /// What the user is to the room, unless that account is gone.
    fn membership(&self, room: &KeptRoom, user: UserId) -> Option<Membership> {
        let member = room.members.get(&user)?;
        Some(Membership {
            user,
            username: self.users.get(&user)?.username.clone(),
            permissions: member.permissions,
            banned_at: member.banned_at,
            joined_at: member.joined_at,
            read_seq: member.read_seq,
            is_pinned: member.is_pinned,
            is_muted: member.is_muted,
        })
    }

    /// The message as it is now.
    fn message(&self, kept: &KeptMessage) -> ChatMessage {
        let sender = self.users.get(&kept.sender).map(|user| Sender {
            id: user.id,
            username: user.username.clone(),
        });
        ChatMessage {
            sender,
            ..kept.message.clone()
        }
    }

    /// The message as one reader sees it.
    fn message_for(&self, kept: &KeptMessage, reader: UserId) -> ChatMessage {
        let mut message = self.message(kept);
        if let Some(hidden_at) = self.chats.hidden.get(&(message.id, reader)) {
            message.text.clear();
            message.attachment = None;
            message.deleted_at.get_or_insert(*hidden_at);
        }
        message
    }
}
