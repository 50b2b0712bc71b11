//! Uploaded files.

use async_trait::async_trait;

use crate::chat::{AttachmentId, MessageId, RoomId};
use crate::clock::Timestamp;
use crate::store::memory::MemoryStore;
use crate::store::{Attachment, AttachmentStore, NewAttachment, StoreResult};
use crate::user::UserId;

#[derive(Debug)]
pub(super) struct KeptAttachment {
    attachment: Attachment,
    uploader: UserId,
    room: Option<RoomId>,
    pub(super) message: Option<MessageId>,
    is_discarded: bool,
}

impl KeptAttachment {
    pub(super) fn is_free_for(&self, room: RoomId, sender: UserId) -> bool {
        self.room == Some(room)
            && self.uploader == sender
            && self.message.is_none()
            && !self.is_discarded
    }

    pub(super) fn discard(&mut self) {
        self.message = None;
        self.is_discarded = true;
    }

    pub(super) fn leave_room(&mut self, room: RoomId) {
        if self.room == Some(room) {
            self.room = None;
            self.discard();
        }
    }
}

#[async_trait]
impl AttachmentStore for MemoryStore {
    async fn add_attachment(&self, new: &NewAttachment) -> StoreResult<Option<AttachmentId>> {
        let mut tables = self.tables();
        let room = tables.chats.rooms.get(&new.room);
        let member = room.and_then(|room| room.member(new.uploader));
        if member.is_none() || !tables.users.contains_key(&new.uploader) {
            return Ok(None);
        }
        tables.chats.last_attachment += 1;
        let id = AttachmentId(tables.chats.last_attachment);
        let kept = KeptAttachment {
            attachment: Attachment {
                id,
                room: new.room,
                blob_key: new.blob_key.clone(),
                name: new.name.clone(),
                content_type: new.content_type.clone(),
                bytes: new.bytes,
                created_at: new.now,
            },
            uploader: new.uploader,
            room: Some(new.room),
            message: None,
            is_discarded: false,
        };
        tables.chats.attachments.insert(id, kept);
        Ok(Some(id))
    }

    async fn find_attachment(
        &self,
        id: AttachmentId,
        reader: UserId,
    ) -> StoreResult<Option<Attachment>> {
        let tables = self.tables();
        let chats = &tables.chats;
        let found = chats.attachments.get(&id).filter(|kept| {
            let room = kept.room.and_then(|room| chats.rooms.get(&room));
            let is_shown = match kept.message {
                Some(message) => !chats.hidden.contains_key(&(message, reader)),
                None => kept.uploader == reader && !kept.is_discarded,
            };
            is_shown && room.is_some_and(|room| room.member(reader).is_some())
        });
        Ok(found.map(|kept| kept.attachment.clone()))
    }

    async fn discard_attachments(
        &self,
        uploaded_before: Timestamp,
        limit: u32,
    ) -> StoreResult<Vec<Attachment>> {
        let mut tables = self.tables();
        let unused =
            tables.chats.attachments.values_mut().filter(|kept| {
                kept.message.is_none() && kept.attachment.created_at < uploaded_before
            });
        Ok(unused
            .take(limit as usize)
            .map(|kept| {
                kept.is_discarded = true;
                kept.attachment.clone()
            })
            .collect())
    }

    async fn forget_attachments(&self, ids: &[AttachmentId]) -> StoreResult<()> {
        let mut tables = self.tables();
        let attachments = &mut tables.chats.attachments;
        attachments.retain(|id, kept| !(kept.is_discarded && ids.contains(id)));
        Ok(())
    }
}
