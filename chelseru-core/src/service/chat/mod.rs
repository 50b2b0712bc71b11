//! Chat: what users may do in rooms, and telling those who are there.

mod access;
mod check;
mod files;
mod limits;
mod members;
mod messages;
mod reading;
mod rooms;
mod upkeep;
mod users;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::access::Standings;
pub(crate) use self::files::FileLink;
use self::limits::{Allowances, Typing};
pub use self::rooms::{GroupDraft, RoomUpdate, RoomView};
pub use self::upkeep::ChatUpkeep;
use self::writer::Writer;
use crate::chat::{AttachmentId, ChatMessage, MessageId, MessageType, RoomId};
use crate::keyed_hash::KeyedHashes;
use crate::secret::Secret;

/// A message to be sent to a room.
#[derive(Clone, Debug)]
pub struct Post {
    /// The room.
    pub room: RoomId,
    /// The text, returned as it is given: 1 to 4,096 characters, or none beside a file.
    pub text: String,
    /// The key under which a resend is the same message: 1 to 64 characters.
    pub client_id: Option<String>,
    /// What it consists of.
    pub message_type: MessageType,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// The file that belongs to it.
    pub attachment: Option<AttachmentId>,
}

/// A message that is stored.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The message.
    pub message: ChatMessage,
    /// Whether it was stored just now, and not before under the same client id.
    pub is_new: bool,
}

/// What the service keeps in memory for its chats.
pub(super) struct Chats {
    writer: Arc<Writer>,
    standings: Standings,
    allowances: Allowances,
    typing: Typing,
    /// What a message says under one client id. Keyed: a deleted text must not be found by guessing.
    fingerprints: KeyedHashes,
}

impl Chats {
    /// `secrets` are those of the ring, the current one first.
    pub(super) fn new(secrets: &[Secret]) -> Self {
        Self {
            writer: Arc::default(),
            standings: Standings::default(),
            allowances: Allowances::default(),
            typing: Typing::default(),
            fingerprints: KeyedHashes::new(secrets, "chelseru chat message v1"),
        }
    }
}
