//! Chat: what users may do in rooms, and telling those who are there.

use crate::Chelseru;
use crate::chat::{
    AttachmentId, ChatError, ChatMessage, MessageId, MessageType, Permissions, Room, RoomId, Seq,
};
use crate::error::Error;
use crate::service::CurrentUser;
use crate::user::UserId;

/// A message to be sent to a room.
#[derive(Clone, Debug)]
pub struct Post {
    /// The room.
    pub room: RoomId,
    /// The text, returned as it is given.
    pub text: String,
    /// The key under which a resend is the same message.
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

/// A room as a member may use it, on its revision.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// The room.
    pub(crate) room: Room,
    /// What the member may do.
    pub(crate) permissions: Permissions,
}

impl Chelseru {
    /// Stores a message and tells the members who are there.
    ///
    /// Run it to its end: dropping it after the commit leaves those who are there to find the message
    /// later.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::LimitReached`], [`Error::Store`].
    pub async fn post_message(&self, user: &CurrentUser, post: Post) -> Result<Posted, Error> {
        let _ = (user, post);
        Err(ChatError::NoSuchRoom.into())
    }

    /// Moves the user's read pointer forward and tells the members who are there. Where it is now.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn mark_read(
        &self,
        user: &CurrentUser,
        room: RoomId,
        seq: Seq,
    ) -> Result<Seq, Error> {
        let _ = (user, room, seq);
        Err(ChatError::NoSuchRoom.into())
    }

    /// Tells the members who are there that the user is typing.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn tell_typing(&self, user: &CurrentUser, room: RoomId) -> Result<(), Error> {
        let _ = (user, room);
        Err(ChatError::NoSuchRoom.into())
    }

    /// The room, for a member who is not banned.
    pub(crate) async fn room_access(&self, user: UserId, room: RoomId) -> Result<Access, Error> {
        let _ = (user, room);
        Err(ChatError::NoSuchRoom.into())
    }
}
