//! On SQLite: short statements one after another on the thread that writes, each prepared once.

use std::collections::HashMap;

use chelseru_core::chat::ChatMessage;
use chelseru_core::store::{Appended, NewChatMessage};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::{SqliteConnection, sql_query};

use super::{
    AnswerableRow, Facts, FileRow, FingerprintRow, SenderRow, answers, decide, each_once, ends,
    to_find, to_store,
};
use crate::chat::rows::{IS_MESSAGE, IdRow, MESSAGE, MessageRow, NOBODY, OF_MESSAGE, StateRow};
use crate::prepared::Prepare;
use crate::sqlite::Connection;
use crate::words::word;

/// Stores messages inside a transaction. Plain diesel, because a tenth of the work of the others would be
/// handing each statement over.
pub(in crate::chat) async fn store(
    connection: &mut Connection,
    messages: Vec<NewChatMessage>,
) -> QueryResult<Vec<Appended>> {
    let store = move |connection: &mut SqliteConnection| store_all(connection, &messages);
    connection.spawn_blocking(store).await
}

fn store_all(
    connection: &mut SqliteConnection,
    messages: &[NewChatMessage],
) -> QueryResult<Vec<Appended>> {
    let mut facts = find_out(connection, messages)?;
    let decisions = decide(messages, &mut facts);
    let mut ids = HashMap::new();
    let first_id = next_id(connection)?;
    for (id, (place, message, seq)) in (first_id..).zip(to_store(messages, &decisions)) {
        sql_query(
            "INSERT INTO chelseru_chat_log (id, room_id, seq, kind, sender_id, client_id, \
             fingerprint, message_type, text, folded_text, reply_to, attachment_id, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind::<BigInt, _>(id)
        .bind::<BigInt, _>(message.room.0)
        .bind::<BigInt, _>(seq.0)
        .bind::<Text, _>(IS_MESSAGE)
        .bind::<BigInt, _>(message.sender.0)
        .bind::<Nullable<Text>, _>(message.client_id.as_deref())
        .bind::<Binary, _>(message.fingerprint.as_slice())
        .bind::<Text, _>(word(message.message_type)?)
        .bind::<Text, _>(message.text.as_str())
        .bind::<Text, _>(message.folded_text.as_str())
        .bind::<Nullable<BigInt>, _>(message.reply_to.map(|id| id.0))
        .bind::<Nullable<BigInt>, _>(message.attachment.map(|id| id.0))
        .bind::<BigInt, _>(message.now.as_millis())
        .prepared()
        .execute(connection)?;
        if let Some(file) = message.attachment {
            sql_query("UPDATE chelseru_chat_attachments SET message_id = $1 WHERE id = $2")
                .bind::<BigInt, _>(id)
                .bind::<BigInt, _>(file.0)
                .prepared()
                .execute(connection)?;
        }
        ids.insert(place, id);
    }
    let ends = ends(to_store(messages, &decisions));
    for (room, (message, seq)) in ends.rooms {
        sql_query("UPDATE chelseru_chat_rooms SET last_seq = $1, updated_at = $2 WHERE id = $3")
            .bind::<BigInt, _>(seq.0)
            .bind::<BigInt, _>(message.now.as_millis())
            .bind::<BigInt, _>(room)
            .prepared()
            .execute(connection)?;
    }
    for ((room, user), seq) in ends.members {
        sql_query(
            "UPDATE chelseru_chat_members SET read_seq = $1 WHERE room_id = $2 AND user_id = $3",
        )
        .bind::<BigInt, _>(seq.0)
        .bind::<BigInt, _>(room)
        .bind::<BigInt, _>(user)
        .prepared()
        .execute(connection)?;
    }
    let mut found = HashMap::new();
    for id in to_find(&decisions) {
        let row: MessageRow = sql_query(format!(
            "SELECT {MESSAGE} FROM chelseru_chat_log m {OF_MESSAGE} WHERE m.id = $2"
        ))
        .bind::<BigInt, _>(NOBODY.0)
        .bind::<BigInt, _>(id)
        .prepared()
        .get_result(connection)?;
        found.insert(id, ChatMessage::try_from(row)?);
    }
    answers(messages, decisions, &facts, &ids, &found)
}

/// The id that the next entry of a log would be given. Nobody else writes meanwhile. To be told ids by
/// `RETURNING` costs a tenth of all: each statement then keeps a journal of its own.
fn next_id(connection: &mut SqliteConnection) -> QueryResult<i64> {
    let last = sql_query("SELECT seq AS id FROM sqlite_sequence WHERE name = 'chelseru_chat_log'")
        .prepared()
        .get_result::<IdRow>(connection)
        .optional()?;
    Ok(last.map_or(0, |row| row.id) + 1)
}

fn find_out(connection: &mut SqliteConnection, messages: &[NewChatMessage]) -> QueryResult<Facts> {
    let mut facts = Facts::default();
    for user in each_once(messages.iter().map(|message| message.sender.0)) {
        let row = sql_query("SELECT id, username FROM chelseru_users WHERE id = $1")
            .bind::<BigInt, _>(user)
            .prepared()
            .get_result::<SenderRow>(connection)
            .optional()?;
        facts.senders.extend(row.map(|row| (row.id, row.username)));
    }
    for room in each_once(messages.iter().map(|message| message.room.0)) {
        let row = sql_query("SELECT id, revision, last_seq FROM chelseru_chat_rooms WHERE id = $1")
            .bind::<BigInt, _>(room)
            .prepared()
            .get_result::<StateRow>(connection)
            .optional()?;
        facts.rooms.extend(row.map(|row| (row.id, row)));
    }
    for (place, message) in messages.iter().enumerate() {
        let room = message.room.0;
        if let Some(client_id) = &message.client_id {
            let row = sql_query(
                "SELECT id, fingerprint FROM chelseru_chat_log \
                 WHERE sender_id = $1 AND room_id = $2 AND client_id = $3",
            )
            .bind::<BigInt, _>(message.sender.0)
            .bind::<BigInt, _>(room)
            .bind::<Text, _>(client_id.as_str())
            .prepared()
            .get_result::<FingerprintRow>(connection)
            .optional()?;
            let row = row.map(|row| (place, (row.id, row.fingerprint)));
            facts.known.extend(row);
        }
        if let Some(answered) = message.reply_to {
            let row = sql_query(
                "SELECT id, room_id FROM chelseru_chat_log WHERE id = $1 AND kind = 'message'",
            )
            .bind::<BigInt, _>(answered.0)
            .prepared()
            .get_result::<AnswerableRow>(connection)
            .optional()?;
            let row = row.map(|row| (row.id, row.room_id));
            facts.answerable.extend(row);
        }
        if let Some(file) = message.attachment {
            let row = sql_query(
                "SELECT id, room_id, uploader_id, message_id FROM chelseru_chat_attachments WHERE id = $1 \
                 AND NOT is_discarded AND uploader_id IS NOT NULL",
            )
            .bind::<BigInt, _>(file.0)
            .prepared()
            .get_result::<FileRow>(connection)
            .optional()?;
            facts.files.extend(row.and_then(FileRow::free));
        }
    }
    Ok(facts)
}
