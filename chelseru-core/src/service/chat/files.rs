//! Files of messages: kept once they are whole, found by members alone, gone with their messages.
//!
//! A link is good for its reader and for a short time, and whoever follows it must still be a member. So it
//! can be the address of a picture, which a browser fetches without a token.

use std::time::Duration;

use bytes::Bytes;
use subtle::{Choice, ConstantTimeEq};

use crate::Chelseru;
use crate::chat::{AttachmentId, BlobStore, ChatError, RoomId, Verb, clean_name, sniff};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::random;
use crate::service::CurrentUser;
use crate::store::{Attachment, NewAttachment};
use crate::user::UserId;

/// How long a file may wait to be sent with a message.
const UNSENT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// How many discarded files are removed at a time.
const BATCH: u32 = 100;

/// What a link names, apart from its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileLink {
    /// The file.
    pub(crate) id: AttachmentId,
    /// Whose link it is.
    pub(crate) reader: UserId,
    /// From when it is worth nothing.
    pub(crate) expires_at: Timestamp,
}

impl FileLink {
    fn parts(self) -> [String; 3] {
        [
            self.id.0.to_string(),
            self.reader.0.to_string(),
            self.expires_at.as_secs().to_string(),
        ]
    }
}

impl Chelseru {
    /// Keeps a file that a member is about to send to a room.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::LimitReached`], [`Error::Store`], [`Error::Files`].
    pub async fn upload_file(
        &self,
        user: &CurrentUser,
        room: RoomId,
        name: &str,
        bytes: Bytes,
    ) -> Result<Attachment, Error> {
        let blobs = self.blobs()?;
        if bytes.is_empty() {
            return Err(ChatError::field("file", "The submitted file is empty.").into());
        }
        self.revision_to(Verb::Write, user.id, room).await?;
        self.permit_file(user.id).await?;
        let new = NewAttachment {
            room,
            uploader: user.id,
            blob_key: random::token_id(&mut rand::rng()),
            name: clean_name(name),
            content_type: sniff(&bytes).to_owned(),
            bytes: bytes.len() as u64,
            now: self.now(),
        };
        // First the row: should we die now, it is found and discarded; bytes without a row never would be.
        let id = self
            .store()
            .add_attachment(&new)
            .await?
            .ok_or(ChatError::NoSuchRoom)?;
        blobs.put(&new.blob_key, bytes).await?;
        Ok(Attachment {
            id,
            room,
            blob_key: new.blob_key,
            name: new.name,
            content_type: new.content_type,
            bytes: new.bytes,
            created_at: new.now,
        })
    }

    /// A link for one reader, good for one to two times `CHAT.FILES.LINK_SECONDS`: within that time it
    /// stays the same, so that browsers find what they have.
    pub(crate) fn file_link(&self, id: AttachmentId, reader: UserId) -> FileLink {
        let period = self.config().chat.files.link_lifetime.as_secs().max(1);
        let period = i64::try_from(period).unwrap_or(i64::MAX);
        let begun = self.now().as_secs().div_euclid(period);
        FileLink {
            id,
            reader,
            expires_at: Timestamp::from_secs(begun.saturating_add(2).saturating_mul(period)),
        }
    }

    /// The signature of a link, as 32 hexadecimal digits.
    pub(crate) fn sign_link(&self, link: FileLink) -> String {
        let parts = link.parts();
        let parts = [parts[0].as_str(), &parts[1], &parts[2]];
        random::hex(self.inner.file_links.of(&parts))
    }

    /// The file of a link and its bytes, as long as the reader may see it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for everything that is not a good link to a file of a member;
    /// [`Error::Store`], [`Error::Files`].
    pub(crate) async fn open_file(
        &self,
        link: FileLink,
        signature: &str,
    ) -> Result<(Attachment, Bytes), Error> {
        if !self.is_signed(link, signature) || link.expires_at <= self.now() {
            return Err(Error::NotFound);
        }
        let blobs = self.blobs()?;
        let found = self.store().find_attachment(link.id, link.reader).await?;
        let attachment = found.ok_or(Error::NotFound)?;
        let bytes = blobs.get(&attachment.blob_key).await?;
        Ok((attachment, bytes.ok_or(Error::NotFound)?))
    }

    fn is_signed(&self, link: FileLink, signature: &str) -> bool {
        let parts = link.parts();
        let parts = [parts[0].as_str(), &parts[1], &parts[2]];
        let links = &self.inner.file_links;
        let mut is_equal = Choice::from(0);
        for hash in std::iter::once(links.of(&parts)).chain(links.previous_of(&parts)) {
            is_equal |= random::hex(hash).as_bytes().ct_eq(signature.as_bytes());
        }
        is_equal.into()
    }

    /// Removes the bytes of files that were never sent or whose messages are gone. How many.
    pub(in crate::service) async fn remove_discarded_files(&self) -> Result<u64, Error> {
        let Some(blobs) = &self.inner.blobs else {
            return Ok(0);
        };
        let mut removed = 0;
        loop {
            let before = self.now() - UNSENT_FOR;
            let files = self.store().discard_attachments(before, BATCH).await?;
            let mut gone = Vec::with_capacity(files.len());
            for file in &files {
                blobs.delete(&file.blob_key).await?;
                gone.push(file.id);
            }
            self.store().forget_attachments(&gone).await?;
            removed += gone.len() as u64;
            if gone.len() < BATCH as usize {
                return Ok(removed);
            }
        }
    }

    fn blobs(&self) -> Result<&dyn BlobStore, Error> {
        self.inner.blobs.as_deref().ok_or(Error::NoFiles)
    }
}
