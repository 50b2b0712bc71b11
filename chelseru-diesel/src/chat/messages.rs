//! Messages and the logs of rooms.

use async_trait::async_trait;
use chelseru_core::chat::{ChatMessage, EntryKind, LogEntry, MessageId, RoomId, Seq};
use chelseru_core::store::{
    Appended, MessageStore, NewChatMessage, Revised, Revision, Search, Span, StoreResult,
};
use chelseru_core::{Timestamp, UserId};
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::append;
use super::dialect::{keep, lock, place};
use super::rows::{
    ENTRY, EntryRow, IS_DELETION, IS_EDIT, IdRow, MESSAGE, MessageRow, NOBODY, OF_MESSAGE, StateRow,
};
use crate::DieselStore;
use crate::prepared::Prepare;
use crate::run::{Outcome, begin, end, run};

/// The message as the reader sees it.
macro_rules! find_message {
    ($connection:expr, $id:expr, $reader:expr) => {{
        let row = sql_query(format!(
            "SELECT {MESSAGE} FROM chelseru_chat_log m \
             JOIN chelseru_chat_rooms r ON r.id = m.room_id {OF_MESSAGE} \
             WHERE m.id = $2 AND m.kind = 'message'"
        ))
        .bind::<BigInt, _>($reader.0)
        .bind::<BigInt, _>($id.0)
        .prepared()
        .get_result::<MessageRow>($connection)
        .await
        .optional()?;
        row.map(ChatMessage::try_from).transpose()?
    }};
}

/// Notes in the room's log, at its next place, what was done to a message.
macro_rules! note_revision {
    ($connection:expr, $revision:expr, $seq:expr, $word:expr) => {
        sql_query(
            "INSERT INTO chelseru_chat_log (room_id, seq, kind, target_id, sender_id, \
             message_type, text, folded_text, created_at) \
             VALUES ($1, $2, $3, $4, $5, '', '', '', $6)",
        )
        .bind::<BigInt, _>($revision.room.0)
        .bind::<BigInt, _>($seq.0)
        .bind::<Text, _>($word)
        .bind::<BigInt, _>($revision.message.0)
        .bind::<BigInt, _>($revision.by.0)
        .bind::<BigInt, _>($revision.now.as_millis())
        .prepared()
        .execute($connection)
        .await?;
        sql_query("UPDATE chelseru_chat_rooms SET last_seq = $1 WHERE id = $2")
            .bind::<BigInt, _>($seq.0)
            .bind::<BigInt, _>($revision.room.0)
            .prepared()
            .execute($connection)
            .await?;
    };
}

/// Entries `e` of a room's log, each with its message.
fn entries(which: &str, order: &str) -> String {
    format!(
        "SELECT {ENTRY}, {MESSAGE} FROM chelseru_chat_log e \
         JOIN chelseru_chat_log m ON m.id = COALESCE(e.target_id, e.id) {OF_MESSAGE} \
         WHERE e.room_id = $2 AND e.seq {which} \
         AND EXISTS (SELECT 1 FROM chelseru_chat_rooms r WHERE r.id = $2) \
         ORDER BY e.seq {order} LIMIT $4"
    )
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    deleted_at: Option<i64>,
}

#[async_trait]
impl MessageStore for DieselStore {
    async fn append(&self, messages: &[NewChatMessage]) -> StoreResult<Vec<Appended>> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let messages = messages.to_vec();
        run!(
            self,
            write,
            sqlite | connection | {
                begin(connection).await?;
                let stored = append::sqlite::store(connection, messages).await;
                end(connection, stored.map(Outcome::Commit)).await
            },
            postgres | connection | {
                begin(connection).await?;
                let stored = append::postgres::store(connection, &messages).await;
                end(connection, stored.map(Outcome::Commit)).await
            }
        )
    }

    async fn read_log(
        &self,
        room: RoomId,
        reader: UserId,
        span: Span,
        limit: u32,
    ) -> StoreResult<Vec<LogEntry>> {
        let (query, place) = match span {
            Span::After(seq) => (entries("> $3", ""), seq),
            Span::MessagesAfter(seq) => (entries("> $3 AND e.target_id IS NULL", ""), seq),
            Span::MessagesBefore(seq) => (
                entries("< $3 AND e.target_id IS NULL", "DESC"),
                seq.unwrap_or(Seq(i64::MAX)),
            ),
        };
        run!(self, read, |connection| {
            let rows: Vec<EntryRow> = sql_query(query)
                .bind::<BigInt, _>(reader.0)
                .bind::<BigInt, _>(room.0)
                .bind::<BigInt, _>(place.0)
                .bind::<BigInt, _>(i64::from(limit))
                .prepared()
                .load(connection)
                .await?;
            rows.into_iter().map(LogEntry::try_from).collect()
        })
    }

    async fn find_message(
        &self,
        id: MessageId,
        reader: UserId,
    ) -> StoreResult<Option<ChatMessage>> {
        run!(self, read, |connection| {
            Ok(find_message!(connection, id, reader))
        })
    }

    async fn revise(&self, revision: &Revision) -> StoreResult<Revised> {
        let revision = revision.clone();
        run!(self, transaction, |connection| {
            let (room, now) = (revision.room.0, revision.now.as_millis());
            let by = sql_query(format!(
                "SELECT id FROM chelseru_users WHERE id = $1 {}",
                keep(&*connection)
            ))
            .bind::<BigInt, _>(revision.by.0)
            .prepared()
            .get_result::<IdRow>(connection)
            .await
            .optional()?;
            let state = sql_query(format!(
                "SELECT id, revision, last_seq FROM chelseru_chat_rooms WHERE id = $1 {}",
                lock(&*connection)
            ))
            .bind::<BigInt, _>(room)
            .prepared()
            .get_result::<StateRow>(connection)
            .await
            .optional()?;
            let Some(state) = state else {
                return Ok(Outcome::RollBack(Revised::Gone));
            };
            if state.revision != revision.revision || by.is_none() {
                return Ok(Outcome::RollBack(Revised::Stale));
            }
            let known = sql_query(
                "SELECT text, deleted_at FROM chelseru_chat_log \
                 WHERE id = $1 AND room_id = $2 AND kind = 'message'",
            )
            .bind::<BigInt, _>(revision.message.0)
            .bind::<BigInt, _>(room)
            .prepared()
            .get_result::<TextRow>(connection)
            .await
            .optional()?;
            let Some(known) = known else {
                return Ok(Outcome::RollBack(Revised::Gone));
            };
            let is_same = |(text, _): &(String, String)| *text == known.text;
            if known.deleted_at.is_some() || revision.text.as_ref().is_some_and(is_same) {
                let message = find_message!(connection, revision.message, NOBODY);
                let message = message.ok_or(Error::NotFound)?;
                return Ok(Outcome::RollBack(Revised::Unchanged(message)));
            }

            let (kind, word) = if let Some((text, folded_text)) = &revision.text {
                sql_query(
                    "UPDATE chelseru_chat_log SET text = $1, folded_text = $2, edited_at = $3 \
                     WHERE id = $4",
                )
                .bind::<Text, _>(text.as_str())
                .bind::<Text, _>(folded_text.as_str())
                .bind::<BigInt, _>(now)
                .bind::<BigInt, _>(revision.message.0)
                .prepared()
                .execute(connection)
                .await?;
                (EntryKind::Edit, IS_EDIT)
            } else {
                sql_query(
                    "UPDATE chelseru_chat_log SET text = '', folded_text = '', \
                     attachment_id = NULL, deleted_at = $1 WHERE id = $2",
                )
                .bind::<BigInt, _>(now)
                .bind::<BigInt, _>(revision.message.0)
                .prepared()
                .execute(connection)
                .await?;
                sql_query(
                    "UPDATE chelseru_chat_attachments SET message_id = NULL, is_discarded = TRUE \
                     WHERE message_id = $1",
                )
                .bind::<BigInt, _>(revision.message.0)
                .prepared()
                .execute(connection)
                .await?;
                (EntryKind::Deletion, IS_DELETION)
            };
            let seq = Seq(state.last_seq).next();
            note_revision!(connection, &revision, seq, word);
            let message = find_message!(connection, revision.message, NOBODY);
            Ok(Outcome::Commit(Revised::Done(LogEntry {
                seq,
                kind,
                message: message.ok_or(Error::NotFound)?,
                at: revision.now,
            })))
        })
    }

    async fn hide_message(&self, id: MessageId, reader: UserId, now: Timestamp) -> StoreResult<()> {
        run!(self, write, |connection| {
            sql_query(
                "INSERT INTO chelseru_chat_hidden (message_id, user_id, hidden_at) \
                 SELECT m.id, u.id, CAST($1 AS BIGINT) FROM chelseru_chat_log m \
                 JOIN chelseru_users u ON u.id = $2 \
                 WHERE m.id = $3 AND m.kind = 'message' \
                 ON CONFLICT (message_id, user_id) DO NOTHING",
            )
            .bind::<BigInt, _>(now.as_millis())
            .bind::<BigInt, _>(reader.0)
            .bind::<BigInt, _>(id.0)
            .prepared()
            .execute(connection)
            .await?;
            Ok(())
        })
    }

    async fn search_messages(&self, search: &Search) -> StoreResult<Vec<ChatMessage>> {
        let search = search.clone();
        run!(self, read, |connection| {
            // Not LIKE, which has letters of its own and is deaf to case on one of the databases.
            let rows: Vec<MessageRow> = sql_query(format!(
                "SELECT {MESSAGE} FROM chelseru_chat_log m {OF_MESSAGE} \
                 WHERE m.room_id = $2 AND m.seq < $3 AND m.target_id IS NULL \
                 AND {place}(m.folded_text, $4) > 0 \
                 AND m.deleted_at IS NULL AND h.hidden_at IS NULL \
                 AND EXISTS (SELECT 1 FROM chelseru_chat_rooms r WHERE r.id = $2) \
                 ORDER BY m.seq DESC LIMIT $5",
                place = place(&*connection),
            ))
            .bind::<BigInt, _>(search.reader.0)
            .bind::<BigInt, _>(search.room.0)
            .bind::<BigInt, _>(search.before.map_or(i64::MAX, |seq| seq.0))
            .bind::<Text, _>(search.folded_words.as_str())
            .bind::<BigInt, _>(i64::from(search.limit))
            .prepared()
            .load(connection)
            .await?;
            rows.into_iter().map(ChatMessage::try_from).collect()
        })
    }
}
