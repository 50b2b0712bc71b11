//! The frames of the chat sockets: JSON objects in text frames. docs/websocket.md shows each of them.

use std::collections::BTreeMap;

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    AttachmentId, ChatMessage, EntryKind, LogEntry, MessageId, MessageType, RoomId, Sender, Seq,
};
use crate::clock::Timestamp;
use crate::user::UserId;

/// What a client sends. On the socket of one room `type` and `room` may be missing: without a type it is
/// a message, and the room is the socket's.
///
/// `Debug` shows no text and no token.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// A message to a room.
    Send(SendFrame),
    /// What the client has: it is given everything after these places, in order, then `synced` for each
    /// room, then what happens. Rooms that it does not name begin at their present ends.
    Resume {
        /// The last place that the client has of each room.
        #[serde(deserialize_with = "places_by_room")]
        rooms: BTreeMap<RoomId, Seq>,
    },
    /// The user has read the room up to this place.
    Read {
        /// The room.
        room: Option<RoomId>,
        /// The place.
        seq: Seq,
    },
    /// The user is typing; at most one in a few seconds is told.
    Typing {
        /// The room.
        room: Option<RoomId>,
    },
    /// A fresh access token of the same session: the socket lives on with it.
    Auth {
        /// The token.
        token: String,
    },
    /// Answered with `pong`, for clients whose WebSocket API hides the protocol's own pings.
    Ping,
}

/// In JSON every key is text, and inside of a tagged enum serde does not take text for a number.
fn places_by_room<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<RoomId, Seq>, D::Error> {
    let places = BTreeMap::<String, Seq>::deserialize(from)?;
    let places = places.into_iter().map(|(room, seq)| {
        let id = room
            .parse()
            .map_err(|_| D::Error::invalid_value(Unexpected::Str(&room), &"the id of a room"))?;
        Ok((RoomId(id), seq))
    });
    places.collect()
}

/// A message to be sent.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct SendFrame {
    /// The room.
    pub room: Option<RoomId>,
    /// The text; may be missing when there is a file.
    #[serde(default)]
    pub message: String,
    /// The key under which a resend is the same message: 1 to 64 characters.
    pub client_id: Option<String>,
    /// What it consists of.
    #[serde(default)]
    pub message_type: MessageType,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// The file that belongs to it.
    #[serde(alias = "attach_id")]
    pub attachment: Option<AttachmentId>,
}

impl std::fmt::Debug for ClientFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Send(_) => "Send(***)",
            Self::Resume { .. } => "Resume",
            Self::Read { .. } => "Read",
            Self::Typing { .. } => "Typing",
            Self::Auth { .. } => "Auth(***)",
            Self::Ping => "Ping",
        })
    }
}

impl std::fmt::Debug for SendFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SendFrame(***)")
    }
}

/// What the server sends.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ServerFrame {
    /// The first frame of the socket for all rooms: who one is, and where the rooms' logs end.
    Hello {
        /// The account.
        user: Sender,
        /// Where each room stands.
        rooms: BTreeMap<RoomId, RoomPosition>,
    },
    /// A message.
    ChatMessage(MessageFrame),
    /// The text of an earlier message is another one now. Takes a place of the log.
    MessageEdited {
        /// The room.
        room: RoomId,
        /// The place of this change.
        seq: Seq,
        /// The message.
        id: MessageId,
        /// Its text now.
        message: String,
        /// When it was changed.
        edited_at: Timestamp,
    },
    /// An earlier message was deleted for everyone. Takes a place of the log.
    MessageDeleted {
        /// The room.
        room: RoomId,
        /// The place of this change.
        seq: Seq,
        /// The message.
        id: MessageId,
        /// When it was deleted.
        deleted_at: Timestamp,
    },
    /// The sender's own message is stored. Only when it had a `client_id`; after the commit.
    Ack {
        /// The key.
        client_id: String,
        /// The message.
        id: MessageId,
        /// The room.
        room: RoomId,
        /// Its place.
        seq: Seq,
        /// When it was stored.
        created_at: Timestamp,
    },
    /// A frame of the client could not be served.
    Error {
        /// A stable code, as in docs/websocket.md.
        code: &'static str,
        /// What is wrong, for people.
        detail: String,
        /// Of a message: its key.
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
        /// The room, where the frame named one.
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<RoomId>,
        /// When to try again, where that helps.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
    /// Everything up to this place has been sent; from here on it is live.
    Synced {
        /// The room.
        room: RoomId,
        /// The place.
        seq: Seq,
    },
    /// Too much has happened since the place that the client named: page through it by REST, from the
    /// newest back, and go on with what comes after `seq`, which is live.
    TooFar {
        /// The room.
        room: RoomId,
        /// The place that the client named.
        since: Seq,
        /// Where the log ends now.
        seq: Seq,
    },
    /// A member has read up to this place.
    Read {
        /// The room.
        room: RoomId,
        /// Who.
        user: UserId,
        /// Up to where.
        seq: Seq,
    },
    /// A member is typing.
    Typing {
        /// The room.
        room: RoomId,
        /// Who.
        user: UserId,
        /// What others see of that one.
        sender: String,
    },
    /// A user who shares a room came or went.
    Presence {
        /// Who.
        user: UserId,
        /// Whether the user has a socket open.
        online: bool,
        /// When the user was last here.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_seen: Option<Timestamp>,
    },
    /// The room or its members have changed, or the user has come into it: read it by REST.
    RoomChanged {
        /// The room.
        room: RoomId,
        /// Where its log ends.
        seq: Seq,
    },
    /// The user is no longer a member, or the room is gone: nothing more comes of it.
    RoomLeft {
        /// The room.
        room: RoomId,
    },
    /// The access token ends soon: send `auth` with a fresh one.
    TokenExpiring {
        /// When the socket is closed without one.
        closes_at: Timestamp,
    },
    /// The server is about to stop: come back after this time.
    Reconnect {
        /// So that not all come at once, each client is told another time.
        after_ms: u64,
    },
    /// The answer to `ping`.
    Pong,
}

impl ServerFrame {
    /// An error that belongs to no message.
    pub(crate) fn error(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Error {
            code,
            detail: detail.into(),
            client_id: None,
            room: None,
            retry_after_ms: None,
        }
    }
}

/// Where a room stands for a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RoomPosition {
    /// Where its log ends.
    pub seq: Seq,
}

/// A message as a socket tells of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MessageFrame {
    /// The message.
    pub id: MessageId,
    /// Its room.
    pub room: RoomId,
    /// Its place in the room's log.
    pub seq: Seq,
    /// The text; empty when it was deleted.
    pub message: String,
    /// What it consists of.
    pub message_type: MessageType,
    /// What others see of the sender; empty when that account is gone.
    pub sender: String,
    /// Who sent it; null when that account is gone.
    pub sender_id: Option<UserId>,
    /// The sender's key, where there is one.
    pub client_id: Option<String>,
    /// The message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// The file that belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment: Option<AttachmentId>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When its text was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

impl From<ChatMessage> for MessageFrame {
    fn from(message: ChatMessage) -> Self {
        let (sender_id, sender) = match message.sender {
            Some(sender) => (Some(sender.id), sender.username),
            None => (None, String::new()),
        };
        Self {
            id: message.id,
            room: message.room,
            seq: message.seq,
            message: message.text,
            message_type: message.message_type,
            sender,
            sender_id,
            client_id: message.client_id,
            reply_to: message.reply_to,
            attachment: message.attachment,
            created_at: message.created_at,
            edited_at: message.edited_at,
            deleted_at: message.deleted_at,
        }
    }
}

impl From<LogEntry> for ServerFrame {
    fn from(entry: LogEntry) -> Self {
        let LogEntry {
            seq,
            kind,
            message,
            at,
        } = entry;
        match kind {
            EntryKind::Message(_) => Self::ChatMessage(message.into()),
            EntryKind::Edit => Self::MessageEdited {
                room: message.room,
                seq,
                id: message.id,
                message: message.text,
                edited_at: at,
            },
            EntryKind::Deletion => Self::MessageDeleted {
                room: message.room,
                seq,
                id: message.id,
                deleted_at: at,
            },
        }
    }
}
