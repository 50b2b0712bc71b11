//! Messages and the logs of rooms.

use async_trait::async_trait;

use super::{KeptMessage, KeptRoom};
use crate::chat::{ChatMessage, EntryKind, LogEntry, MessageId, RoomId, Seq};
use crate::clock::Timestamp;
use crate::store::memory::{MemoryStore, Tables};
use crate::store::{
    Appended, MessageStore, NewChatMessage, Revised, Revision, Search, Span, StoreResult,
};
use crate::user::UserId;

impl Tables {
    fn append(&mut self, new: &NewChatMessage) -> Appended {
        let Some(room) = self.chats.rooms.get(&new.room) else {
            return Appended::Gone;
        };
        if room.room.revision != new.revision || !self.users.contains_key(&new.sender) {
            return Appended::Stale;
        }
        let key = new.client_id.clone().map(|id| (new.room, new.sender, id));
        let known = key.as_ref().and_then(|key| self.chats.client_ids.get(key));
        if let Some(known) = known.and_then(|id| self.chats.messages.get(id)) {
            return if known.fingerprint == new.fingerprint {
                Appended::Again(self.message(known))
            } else {
                Appended::OtherMessage
            };
        }
        if !self.has_good_references(new) {
            return Appended::BadReference;
        }

        self.chats.last_message += 1;
        let id = MessageId(self.chats.last_message);
        let Some(room) = self.chats.rooms.get_mut(&new.room) else {
            return Appended::Gone;
        };
        let seq = room.push(EntryKind::Message(new.message_type), id, new.now);
        room.room.updated_at = new.now;
        if let Some(member) = room.member_mut(new.sender) {
            member.read_seq = seq;
        }
        if let Some(key) = key {
            self.chats.client_ids.insert(key, id);
        }
        if let Some(attachment) = new.attachment
            && let Some(attachment) = self.chats.attachments.get_mut(&attachment)
        {
            attachment.message = Some(id);
        }
        let kept = KeptMessage {
            message: ChatMessage {
                id,
                room: new.room,
                seq,
                sender: None,
                message_type: new.message_type,
                text: new.text.clone(),
                client_id: new.client_id.clone(),
                reply_to: new.reply_to,
                attachment: new.attachment,
                created_at: new.now,
                edited_at: None,
                deleted_at: None,
            },
            sender: new.sender,
            fingerprint: new.fingerprint,
            folded_text: new.folded_text.clone(),
        };
        let stored = self.message(&kept);
        self.chats.messages.insert(id, kept);
        Appended::Stored(stored)
    }

    fn has_good_references(&self, new: &NewChatMessage) -> bool {
        let answered = new.reply_to.is_none_or(|id| {
            let message = self.chats.messages.get(&id);
            message.is_some_and(|message| message.message.room == new.room)
        });
        answered
            && new.attachment.is_none_or(|id| {
                let attachment = self.chats.attachments.get(&id);
                attachment.is_some_and(|one| one.is_free_for(new.room, new.sender))
            })
    }

    fn entry(&self, room: &KeptRoom, place: usize, reader: UserId) -> Option<LogEntry> {
        let entry = &room.log[place];
        let message = self.chats.messages.get(&entry.message)?;
        Some(LogEntry {
            seq: Seq(i64::try_from(place).ok()?).next(),
            kind: entry.kind,
            message: self.message_for(message, reader),
            at: entry.at,
        })
    }
}

fn is_message(entry: &LogEntry) -> bool {
    matches!(entry.kind, EntryKind::Message(_))
}

#[async_trait]
impl MessageStore for MemoryStore {
    async fn append(&self, messages: &[NewChatMessage]) -> StoreResult<Vec<Appended>> {
        let mut tables = self.tables();
        Ok(messages.iter().map(|new| tables.append(new)).collect())
    }

    async fn read_log(
        &self,
        room: RoomId,
        reader: UserId,
        span: Span,
        limit: u32,
    ) -> StoreResult<Vec<LogEntry>> {
        let tables = self.tables();
        let Some(room) = tables.chats.rooms.get(&room) else {
            return Ok(Vec::new());
        };
        let limit = limit as usize;
        let entry = |place| tables.entry(room, place, reader);
        Ok(match span {
            Span::After(seq) => {
                let places = room.place_after(seq)..room.log.len();
                places.filter_map(entry).take(limit).collect()
            }
            Span::MessagesAfter(seq) => {
                let places = room.place_after(seq)..room.log.len();
                let messages = places.filter_map(entry).filter(is_message);
                messages.take(limit).collect()
            }
            Span::MessagesBefore(seq) => {
                let before = seq.map_or(room.log.len(), |seq| {
                    room.place_after(Seq(seq.0.saturating_sub(1)))
                });
                let messages = (0..before).rev().filter_map(entry).filter(is_message);
                messages.take(limit).collect()
            }
        })
    }

    async fn find_message(
        &self,
        id: MessageId,
        reader: UserId,
    ) -> StoreResult<Option<ChatMessage>> {
        let tables = self.tables();
        let message = tables.chats.messages.get(&id);
        Ok(message.map(|message| tables.message_for(message, reader)))
    }

    async fn revise(&self, revision: &Revision) -> StoreResult<Revised> {
        let mut guard = self.tables();
        let tables = &mut *guard;
        let is_there = tables.users.contains_key(&revision.by);
        let Some(room) = tables.chats.rooms.get_mut(&revision.room) else {
            return Ok(Revised::Gone);
        };
        if room.room.revision != revision.revision || !is_there {
            return Ok(Revised::Stale);
        }
        let Some(kept) = tables
            .chats
            .messages
            .get_mut(&revision.message)
            .filter(|kept| kept.message.room == revision.room)
        else {
            return Ok(Revised::Gone);
        };
        let message = &mut kept.message;
        let is_same = |(text, _): &(String, String)| *text == message.text;
        if message.deleted_at.is_some() || revision.text.as_ref().is_some_and(is_same) {
            let unchanged = &tables.chats.messages[&revision.message];
            return Ok(Revised::Unchanged(tables.message(unchanged)));
        }
        let kind = if let Some((text, folded_text)) = &revision.text {
            message.text.clone_from(text);
            message.edited_at = Some(revision.now);
            kept.folded_text.clone_from(folded_text);
            EntryKind::Edit
        } else {
            message.text.clear();
            message.deleted_at = Some(revision.now);
            kept.folded_text.clear();
            if let Some(attachment) = message.attachment.take()
                && let Some(attachment) = tables.chats.attachments.get_mut(&attachment)
            {
                attachment.discard();
            }
            EntryKind::Deletion
        };
        let seq = room.push(kind, revision.message, revision.now);
        Ok(Revised::Done(LogEntry {
            seq,
            kind,
            message: tables.message(&tables.chats.messages[&revision.message]),
            at: revision.now,
        }))
    }

    async fn hide_message(&self, id: MessageId, reader: UserId, now: Timestamp) -> StoreResult<()> {
        let mut tables = self.tables();
        if tables.chats.messages.contains_key(&id) && tables.users.contains_key(&reader) {
            tables.chats.hidden.entry((id, reader)).or_insert(now);
        }
        Ok(())
    }

    async fn search_messages(&self, search: &Search) -> StoreResult<Vec<ChatMessage>> {
        let tables = self.tables();
        let newest_first = tables.chats.messages.values().rev();
        let mut found: Vec<_> = newest_first
            .filter(|kept| kept.message.room == search.room)
            .filter(|kept| search.before.is_none_or(|before| kept.message.seq < before))
            .filter(|kept| kept.folded_text.contains(&search.folded_words))
            .map(|kept| tables.message_for(kept, search.reader))
            .filter(|message| message.deleted_at.is_none())
            .collect();
        found.truncate(search.limit as usize);
        Ok(found)
    }
}
