//! What others are told of somebody who is there: up to where that one has read, and that one is typing.

use crate::Chelseru;
use crate::chat::{ChatError, RoomEvent, RoomId, Seq, Verb};
use crate::error::Error;
use crate::service::CurrentUser;

impl Chelseru {
    /// Moves the user's read pointer forward, at most to the end of the log, and tells the members who
    /// are there. Where it is now.
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
        // The store asks itself whether the user is a member.
        let pointer = self.store().move_read_pointer(room, user.id, seq).await?;
        let pointer = pointer.ok_or(ChatError::NoSuchRoom)?;
        if pointer.moved {
            self.inner.hub.tell(RoomEvent::Read {
                room,
                user: user.id,
                seq: pointer.seq,
            });
        }
        Ok(pointer.seq)
    }

    /// Tells the members who are there that the user is typing; at most once in
    /// `CHAT.LIMITS.TYPING_SECONDS`, the others are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn tell_typing(&self, user: &CurrentUser, room: RoomId) -> Result<(), Error> {
        let every = self.config().chat.limits.typing;
        let typing = &self.chats().typing;
        if typing.is_told(user.id, room, self.now()) {
            return Ok(());
        }
        self.room_access(user.id, room).await?.may(Verb::Write)?;
        typing.tell(user.id, room, self.now(), every);
        self.inner.hub.tell(RoomEvent::Typing {
            room,
            user: user.id,
            username: user.username.clone(),
        });
        Ok(())
    }
}
