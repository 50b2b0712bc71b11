//! Uploaded files.

use async_trait::async_trait;
use chelseru_core::chat::{AttachmentId, RoomId};
use chelseru_core::store::{Attachment, AttachmentStore, NewAttachment, StoreResult};
use chelseru_core::{Timestamp, UserId};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;

use super::dialect::binds;
use super::rows::IdRow;
use crate::DieselStore;
use crate::prepared::Prepare;
use crate::rows::damaged;
use crate::run::run;

const COLUMNS: &str = "a.id, a.room_id, a.blob_key, a.name, a.content_type, a.bytes, a.created_at";

/// How many values one statement is given at most.
const MANY: usize = 500;

#[derive(QueryableByName)]
struct AttachmentRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    room_id: i64,
    #[diesel(sql_type = Text)]
    blob_key: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    content_type: String,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
}

impl TryFrom<AttachmentRow> for Attachment {
    type Error = diesel::result::Error;

    fn try_from(row: AttachmentRow) -> QueryResult<Self> {
        let bytes = u64::try_from(row.bytes);
        Ok(Self {
            id: AttachmentId(row.id),
            room: RoomId(row.room_id),
            blob_key: row.blob_key,
            name: row.name,
            content_type: row.content_type,
            bytes: bytes.map_err(|_| damaged("a file has less than no bytes"))?,
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}

#[async_trait]
impl AttachmentStore for DieselStore {
    async fn add_attachment(&self, new: &NewAttachment) -> StoreResult<Option<AttachmentId>> {
        let new = new.clone();
        run!(self, write, |connection| {
            let id = sql_query(
                "INSERT INTO chelseru_chat_attachments (is_discarded, blob_key, name, \
                 content_type, bytes, created_at, room_id, uploader_id) \
                 SELECT FALSE, CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), \
                 CAST($4 AS BIGINT), CAST($5 AS BIGINT), mb.room_id, mb.user_id \
                 FROM chelseru_chat_members mb \
                 WHERE mb.room_id = $6 AND mb.user_id = $7 AND mb.banned_at IS NULL RETURNING id",
            )
            .bind::<Text, _>(new.blob_key.as_str())
            .bind::<Text, _>(new.name.as_str())
            .bind::<Text, _>(new.content_type.as_str())
            .bind::<BigInt, _>(i64::try_from(new.bytes).unwrap_or(i64::MAX))
            .bind::<BigInt, _>(new.now.as_millis())
            .bind::<BigInt, _>(new.room.0)
            .bind::<BigInt, _>(new.uploader.0)
            .prepared()
            .get_result::<IdRow>(connection)
            .await
            .optional()?;
            Ok(id.map(|row| AttachmentId(row.id)))
        })
    }

    async fn find_attachment(
        &self,
        id: AttachmentId,
        reader: UserId,
    ) -> StoreResult<Option<Attachment>> {
        run!(self, read, |connection| {
            let row = sql_query(format!(
                "SELECT {COLUMNS} FROM chelseru_chat_attachments a \
                 JOIN chelseru_chat_members mb ON mb.room_id = a.room_id AND mb.user_id = $1 \
                 LEFT JOIN chelseru_chat_hidden h \
                 ON h.message_id = a.message_id AND h.user_id = $1 \
                 WHERE a.id = $2 AND mb.banned_at IS NULL AND h.hidden_at IS NULL \
                 AND NOT a.is_discarded AND (a.message_id IS NOT NULL OR a.uploader_id = $1)"
            ))
            .bind::<BigInt, _>(reader.0)
            .bind::<BigInt, _>(id.0)
            .prepared()
            .get_result::<AttachmentRow>(connection)
            .await
            .optional()?;
            row.map(Attachment::try_from).transpose()
        })
    }

    async fn discard_attachments(
        &self,
        uploaded_before: Timestamp,
        limit: u32,
    ) -> StoreResult<Vec<Attachment>> {
        // Text, because only PostgreSQL has a lock: a file that is being sent is not waited for.
        let discard = move |lock: &str| {
            sql_query(format!(
                "UPDATE chelseru_chat_attachments AS a SET is_discarded = TRUE WHERE a.id IN \
                 (SELECT id FROM chelseru_chat_attachments \
                 WHERE message_id IS NULL AND created_at < $1 \
                 ORDER BY created_at, id LIMIT $2 {lock}) RETURNING {}",
                COLUMNS.replace("a.", "")
            ))
            .bind::<BigInt, _>(uploaded_before.as_millis())
            .bind::<BigInt, _>(i64::from(limit))
        };
        let rows: Vec<AttachmentRow> = run!(
            self,
            write,
            sqlite | connection | discard("").load(connection).await,
            postgres | connection | discard("FOR UPDATE SKIP LOCKED").load(connection).await
        )?;
        let discarded: QueryResult<Vec<Attachment>> =
            rows.into_iter().map(Attachment::try_from).collect();
        let mut discarded = discarded.map_err(crate::error::Failure::from)?;
        discarded.sort_by_key(|attachment| (attachment.created_at, attachment.id));
        Ok(discarded)
    }

    async fn forget_attachments(&self, ids: &[AttachmentId]) -> StoreResult<()> {
        let ids = ids.to_vec();
        run!(self, write, |connection| {
            for ids in ids.chunks(MANY) {
                let mut delete = sql_query(format!(
                    "DELETE FROM chelseru_chat_attachments WHERE is_discarded AND id IN ({})",
                    binds(1, ids.len())
                ))
                .into_boxed();
                for id in ids {
                    delete = delete.bind::<BigInt, _>(id.0);
                }
                delete.execute(connection).await?;
            }
            Ok(())
        })
    }
}
