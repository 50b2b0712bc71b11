//! Messages: sending, changing, reading and finding them.

use std::collections::HashMap;
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
        let mut posted = self.post_messages(user, vec![post]).await;
        posted
            .pop()
            .unwrap_or_else(|| unreachable!("each message is answered"))
    }

    /// Does so with several messages of one sender, which share their commits. Those of one room have
    /// their places in the order in which they are given; one that is refused leaves the others alone.
    pub(crate) async fn post_messages(
        &self,
        user: &CurrentUser,
        posts: Vec<Post>,
    ) -> Vec<Result<Posted, Error>> {
        let mut answers: Vec<Option<Result<Posted, Error>>> = Vec::new();
        let mut drafts = Vec::with_capacity(posts.len());
        for (place, post) in posts.into_iter().enumerate() {
            let draft = self.draft(user, place, post).await;
            answers.push(draft.map(|draft| drafts.push(draft)).err().map(Err));
        }
        while !drafts.is_empty() {
            on_one_revision(&mut drafts);
            let messages = drafts.iter().map(|draft| draft.message.clone()).collect();
            let appended = self.append(messages).await;
            let mut again = Vec::new();
            for (mut draft, appended) in drafts.into_iter().zip(appended) {
                match self.outcome(&mut draft, appended).await.transpose() {
                    Some(answer) => answers[draft.place] = Some(answer),
                    None => again.push(draft),
                }
            }
            drafts = again;
        }
        answers.into_iter().flatten().collect()
    }

    async fn draft(&self, user: &CurrentUser, place: usize, post: Post) -> Result<Draft, Error> {
        let room = post.room;
        let revision = self.revision_to(Verb::Write, user.id, room).await?;
        check::text(&post.text, post.attachment.is_some())?;
        if let Some(id) = &post.client_id {
            check::client_id(id)?;
        }
        self.permit_chat_message(user.id).await?;
        let mut message = NewChatMessage {
            room,
            revision,
            sender: user.id,
            client_id: post.client_id,
            fingerprint: [0; 32],
            message_type: post.message_type,
            folded_text: fold(&post.text),
            text: post.text,
            reply_to: post.reply_to,
            attachment: post.attachment,
            now: self.now(),
        };
        let parts = fingerprinted(&message);
        let parts = parts.each_ref().map(String::as_str);
        message.fingerprint = self.chats().fingerprints.of(&parts);
        Ok(Draft {
            place,
            message,
            tries: 0,
            older_keys: 0,
        })
    }

    /// What became of a message; `None` when it is to be tried again, as it is changed.
    async fn outcome(
        &self,
        draft: &mut Draft,
        appended: Result<Appended, StoreError>,
    ) -> Result<Option<Posted>, Error> {
        let message = &mut draft.message;
        let (user, room) = (message.sender, message.room);
        match appended? {
            Appended::Stored(message) => Ok(Some(Posted {
                message,
                is_new: true,
            })),
            Appended::Again(message) => Ok(Some(Posted {
                message,
                is_new: false,
            })),
            Appended::OtherMessage => {
                // A resend may come after the signing key was changed.
                let parts = fingerprinted(message);
                let parts = parts.each_ref().map(String::as_str);
                let fingerprints = &self.chats().fingerprints;
                let mut previous = fingerprints.previous_of(&parts).skip(draft.older_keys);
                message.fingerprint = previous.next().ok_or(ChatError::ClientIdTaken)?;
                draft.older_keys += 1;
                Ok(None)
            }
            Appended::Stale if draft.tries < TRIES => {
                draft.tries += 1;
                let standings = &self.chats().standings;
                standings.forget(user, room, message.revision);
                message.revision = self.revision_to(Verb::Write, user, room).await?;
                Ok(None)
            }
            Appended::Stale => Err(ChatError::TooManyChanges.into()),
            Appended::Gone => Err(ChatError::NoSuchRoom.into()),
            Appended::BadReference => Err(self.bad_reference(message).await?.into()),
        }
    }

    async fn append(&self, messages: Vec<NewChatMessage>) -> Vec<Result<Appended, StoreError>> {
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
        writer::append(&self.chats().writer, store, tell, messages).await
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

/// A message on its way into the store.
struct Draft {
    /// Its place among those that are posted together.
    place: usize,
    message: NewChatMessage,
    /// How often it was decided anew.
    tries: usize,
    /// With the fingerprints of how many previous keys it was compared.
    older_keys: usize,
}

/// Has the messages of a room share the newest revision on which their sender was seen to be allowed to
/// write. Then they become stale together, and none of them comes before another that is tried again.
fn on_one_revision(drafts: &mut [Draft]) {
    let mut newest = HashMap::new();
    for Draft { message, .. } in &*drafts {
        let revision = newest.entry(message.room).or_insert(message.revision);
        *revision = message.revision.max(*revision);
    }
    for Draft { message, .. } in drafts {
        message.revision = newest[&message.room];
    }
}

/// All that a message says.
fn fingerprinted(message: &NewChatMessage) -> [String; 4] {
    let number = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
    [
        message.message_type.name().to_owned(),
        message.text.clone(),
        number(message.reply_to.map(|id| id.0)),
        number(message.attachment.map(|id| id.0)),
    ]
}

#[cfg(test)]
mod tests {
    use super::{Draft, on_one_revision};
    use crate::chat::{MessageType, RoomId};
    use crate::clock::Timestamp;
    use crate::store::NewChatMessage;
    use crate::user::UserId;

    fn draft(room: i64, revision: i64) -> Draft {
        Draft {
            place: 0,
            message: NewChatMessage {
                room: RoomId(room),
                revision,
                sender: UserId(1),
                client_id: None,
                fingerprint: [0; 32],
                message_type: MessageType::Text,
                text: String::new(),
                folded_text: String::new(),
                reply_to: None,
                attachment: None,
                now: Timestamp::default(),
            },
            tries: 0,
            older_keys: 0,
        }
    }

    /// The first was decided before the room changed, the second after it: alone, the first would be
    /// stale and come behind.
    #[test]
    fn messages_of_a_room_are_stale_together() {
        let mut drafts = [draft(1, 3), draft(2, 9), draft(1, 4)];
        on_one_revision(&mut drafts);
        let revisions = drafts.map(|draft| draft.message.revision);
        assert_eq!(revisions, [4, 9, 4]);
    }
}
