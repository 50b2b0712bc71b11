//! Messages: sending, changing, reading and finding them.

use std::sync::Arc;

use super::access::{Access, TRIES};
use super::{Post, Posted, check, writer};
use crate::Chelseru;
use crate::chat::{
    ChatError, ChatMessage, EntryKind, LogEntry, MessageId, Room, RoomEvent, RoomId, Seq, Verb,
    fold,
};
use crate::error::Error;
use crate::service::CurrentUser;
use crate::store::{Appended, NewChatMessage, Revised, Revision, Search, Span, Store, StoreError};

impl Chelseru {
    /// Stores a message and tells the members who are there, after the commit and in the order of the
    /// log. Dropping it half way leaves the message stored and told, or neither. Runs on a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::LimitReached`], [`Error::Store`].
    pub async fn post_message(&self, user: &CurrentUser, post: Post) -> Result<Posted, Error> {
        let room = post.room;
        let mut revision = self.revision_to(Verb::Write, user.id, room).await?;
        check::text(&post.text, post.attachment.is_some())?;
        if let Some(id) = &post.client_id {
            check::client_id(id)?;
        }
        self.permit_chat_message(user.id).await?;
        let parts = fingerprinted(&post);
        let parts = parts.each_ref().map(String::as_str);
        let fingerprints = &self.chats().fingerprints;
        // A resend may come after the signing key was changed.
        let mut previous = fingerprints.previous_of(&parts);
        let mut message = NewChatMessage {
            room,
            revision,
            sender: user.id,
            client_id: post.client_id,
            fingerprint: fingerprints.of(&parts),
            message_type: post.message_type,
            folded_text: fold(&post.text),
            text: post.text,
            reply_to: post.reply_to,
            attachment: post.attachment,
            now: self.now(),
        };
        let mut tries = 0;
        loop {
            message.revision = revision;
            match self.append(message.clone()).await? {
                Appended::Stored(message) => {
                    return Ok(Posted {
                        message,
                        is_new: true,
                    });
                }
                Appended::Again(message) => {
                    return Ok(Posted {
                        message,
                        is_new: false,
                    });
                }
                Appended::OtherMessage => match previous.next() {
                    Some(fingerprint) => message.fingerprint = fingerprint,
                    None => return Err(ChatError::ClientIdTaken.into()),
                },
                Appended::Stale if tries < TRIES => {
                    tries += 1;
                    self.chats().standings.forget(user.id, room);
                    revision = self.revision_to(Verb::Write, user.id, room).await?;
                }
                Appended::Stale => return Err(ChatError::TooManyChanges.into()),
                Appended::Gone => return Err(ChatError::NoSuchRoom.into()),
                Appended::BadReference => return Err(self.bad_reference(&message).await?.into()),
            }
        }
    }

    async fn append(&self, message: NewChatMessage) -> Result<Appended, StoreError> {
        let chelseru = self.clone();
        let tell = move |message: ChatMessage, revision| {
            let entry = LogEntry {
                seq: message.seq,
                kind: EntryKind::Message(message.message_type),
                at: message.created_at,
                message,
            };
            chelseru.hub().tell(RoomEvent::Entry { entry, revision });
        };
        let store: Arc<dyn Store> = Arc::clone(&self.inner.store);
        writer::append(&self.chats().writer, store, tell, message).await
    }

    /// Which of the two it was.
    async fn bad_reference(&self, message: &NewChatMessage) -> Result<ChatError, Error> {
        let field = match (message.reply_to, message.attachment) {
            (_, None) => "reply_to",
            (None, _) => "attachment",
            (Some(id), Some(_)) => {
                let answered = self.store().find_message(id, message.sender).await?;
                match answered.filter(|answered| answered.room == message.room) {
                    Some(_) => "attachment",
                    None => "reply_to",
                }
            }
        };
        let problem = match field {
            "reply_to" => "There is no such message in this room.",
            _ => "There is no such file for this message.",
        };
        Ok(ChatError::Field {
            field,
            problem: problem.to_owned(),
        })
    }

    /// Changes the text of one's own message, while that may be done, and tells the members who are
    /// there. The message as it is now.
    ///
    /// Run it to its end: dropping it after the commit leaves those who are there to find the change
    /// later.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::LimitReached`], [`Error::Store`].
    pub async fn edit_message(
        &self,
        user: &CurrentUser,
        id: MessageId,
        text: String,
    ) -> Result<ChatMessage, Error> {
        let (message, access) = self.message_access(user, id).await?;
        access.may(Verb::Write)?;
        if !is_by(&message, user) {
            return Err(ChatError::NotPermitted.into());
        }
        check::text(&text, message.attachment.is_some())?;
        let window = self.config().chat.edit_window;
        let is_over = !window.is_zero() && self.now().since(message.created_at) > window;
        if is_over || message.deleted_at.is_some() {
            return Err(ChatError::TooLateToEdit.into());
        }
        self.permit_chat_message(user.id).await?;
        let folded = fold(&text);
        let edited = self
            .revise(user, &message, Some((text, folded)), Verb::Write)
            .await?;
        if edited.deleted_at.is_some() {
            return Err(ChatError::TooLateToEdit.into());
        }
        Ok(edited)
    }

    /// Deletes a message for everyone, one's own or another's, and tells the members who are there. Doing
    /// it again changes nothing.
    ///
    /// Run it to its end: dropping it after the commit leaves those who are there to find the change
    /// later.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn delete_message(&self, user: &CurrentUser, id: MessageId) -> Result<(), Error> {
        let (message, _) = self.message_access(user, id).await?;
        let verb = if is_by(&message, user) {
            Verb::Write
        } else {
            Verb::DeleteOfOthers
        };
        self.revise(user, &message, None, verb).await?;
        Ok(())
    }

    /// Hides a message from this user alone, for good.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn hide_message(&self, user: &CurrentUser, id: MessageId) -> Result<(), Error> {
        let (_, access) = self.message_access(user, id).await?;
        access.may(Verb::Read)?;
        Ok(self.store().hide_message(id, user.id, self.now()).await?)
    }

    async fn revise(
        &self,
        user: &CurrentUser,
        message: &ChatMessage,
        text: Option<(String, String)>,
        verb: Verb,
    ) -> Result<ChatMessage, Error> {
        for _ in 0..TRIES {
            let access = self.room_access(user.id, message.room).await?;
            access.may(verb)?;
            let revision = Revision {
                room: message.room,
                revision: access.room.revision,
                message: message.id,
                by: user.id,
                text: text.clone(),
                now: self.now(),
            };
            match self.store().revise(&revision).await? {
                Revised::Done(entry) => {
                    self.hub().tell(RoomEvent::Entry {
                        entry: entry.clone(),
                        revision: revision.revision,
                    });
                    return Ok(entry.message);
                }
                Revised::Unchanged(message) => return Ok(message),
                Revised::Stale => {}
                Revised::Gone => return Err(ChatError::NoSuchMessage.into()),
            }
        }
        Err(ChatError::TooManyChanges.into())
    }

    /// A message of one of the user's rooms, as that one sees it, and the room.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub(crate) async fn message_access(
        &self,
        user: &CurrentUser,
        id: MessageId,
    ) -> Result<(ChatMessage, Access), Error> {
        let message = self.store().find_message(id, user.id).await?;
        let message = message.ok_or(ChatError::NoSuchMessage)?;
        match self.room_access(user.id, message.room).await {
            Err(Error::Chat(ChatError::NoSuchRoom)) => Err(ChatError::NoSuchMessage.into()),
            access => Ok((message, access?)),
        }
    }

    /// The room, and at most `limit` entries of its log as this user sees them.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn chat_log(
        &self,
        user: &CurrentUser,
        room: RoomId,
        span: Span,
        limit: u32,
    ) -> Result<(Room, Vec<LogEntry>), Error> {
        let access = self.room_access(user.id, room).await?;
        access.may(Verb::Read)?;
        let entries = self.store().read_log(room, user.id, span, limit).await?;
        Ok((access.room, entries))
    }

    /// The room, and at most `limit` of its messages in which the words are, the newest first, in any usual way of
    /// writing them.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn search_chat(
        &self,
        user: &CurrentUser,
        room: RoomId,
        words: &str,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<(Room, Vec<ChatMessage>), Error> {
        let access = self.room_access(user.id, room).await?;
        access.may(Verb::Read)?;
        let search = Search {
            room,
            reader: user.id,
            folded_words: check::words(words)?,
            before,
            limit,
        };
        let found = self.store().search_messages(&search).await?;
        Ok((access.room, found))
    }
}

fn is_by(message: &ChatMessage, user: &CurrentUser) -> bool {
    message
        .sender
        .as_ref()
        .is_some_and(|sender| sender.id == user.id)
}

/// All that a message says.
fn fingerprinted(post: &Post) -> [String; 4] {
    let number = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
    [
        post.message_type.name().to_owned(),
        post.text.clone(),
        number(post.reply_to.map(|id| id.0)),
        number(post.attachment.map(|id| id.0)),
    ]
}
