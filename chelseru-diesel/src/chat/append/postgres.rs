//! On PostgreSQL: one statement for all messages at each step, because each is a round trip.

use std::collections::HashMap;

use chelseru_core::chat::ChatMessage;
use chelseru_core::store::{Appended, NewChatMessage};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::{
    AnswerableRow, Decision, Facts, FileRow, SenderRow, answers, decide, each_once, ends, to_find,
    to_store,
};
use crate::chat::rows::{MESSAGE, MessageRow, NOBODY, OF_MESSAGE, StateRow};
use crate::postgres::Connection;
use crate::prepared::Prepare;
use crate::words::word;

/// A message that was stored under the client id of the one at `place`, which counts from 1.
#[derive(QueryableByName)]
struct KnownRow {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Binary)]
    fingerprint: Vec<u8>,
}

#[derive(QueryableByName)]
struct StoredRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    room_id: i64,
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

/// Stores messages inside a transaction.
pub(in crate::chat) async fn store(
    connection: &mut Connection,
    messages: &[NewChatMessage],
) -> QueryResult<Vec<Appended>> {
    let mut facts = find_out(connection, messages).await?;
    let decisions = decide(messages, &mut facts);
    let ids = insert(connection, messages, &decisions).await?;
    if !ids.is_empty() {
        move_ends(connection, messages, &decisions).await?;
        take_files(connection, messages, &ids).await?;
    }
    let mut found = HashMap::new();
    let again = to_find(&decisions);
    if !again.is_empty() {
        let rows: Vec<MessageRow> = sql_query(format!(
            "SELECT {MESSAGE} FROM chelseru_chat_log m {OF_MESSAGE} WHERE m.id = ANY($2)"
        ))
        .bind::<BigInt, _>(NOBODY.0)
        .bind::<Array<BigInt>, _>(again)
        .prepared()
        .load(connection)
        .await?;
        for row in rows {
            let message = ChatMessage::try_from(row)?;
            found.insert(message.id.0, message);
        }
    }
    answers(messages, decisions, &facts, &ids, &found)
}

async fn find_out(connection: &mut Connection, messages: &[NewChatMessage]) -> QueryResult<Facts> {
    let senders: Vec<SenderRow> = sql_query(
        "SELECT id, username FROM chelseru_users WHERE id = ANY($1) ORDER BY id FOR KEY SHARE",
    )
    .bind::<Array<BigInt>, _>(each_once(messages.iter().map(|message| message.sender.0)))
    .prepared()
    .load(connection)
    .await?;
    let rooms: Vec<StateRow> = sql_query(
        "SELECT id, revision, last_seq FROM chelseru_chat_rooms WHERE id = ANY($1) \
         ORDER BY id FOR NO KEY UPDATE",
    )
    .bind::<Array<BigInt>, _>(each_once(messages.iter().map(|message| message.room.0)))
    .prepared()
    .load(connection)
    .await?;
    let mut facts = Facts {
        senders: senders
            .into_iter()
            .map(|row| (row.id, row.username))
            .collect(),
        rooms: rooms.into_iter().map(|row| (row.id, row)).collect(),
        ..Facts::default()
    };
    find_known(connection, messages, &mut facts).await?;
    let answered = each_once(messages.iter().filter_map(|one| Some(one.reply_to?.0)));
    if !answered.is_empty() {
        let rows: Vec<AnswerableRow> = sql_query(
            "SELECT id, room_id FROM chelseru_chat_log WHERE id = ANY($1) AND kind = 'message'",
        )
        .bind::<Array<BigInt>, _>(answered)
        .prepared()
        .load(connection)
        .await?;
        let rows = rows.into_iter().map(|row| (row.id, row.room_id));
        facts.answerable.extend(rows);
    }
    let files = each_once(messages.iter().filter_map(|one| Some(one.attachment?.0)));
    if !files.is_empty() {
        let rows: Vec<FileRow> = sql_query(
            "SELECT id, room_id, uploader_id, message_id FROM chelseru_chat_attachments WHERE id = ANY($1) \
             AND NOT is_discarded AND uploader_id IS NOT NULL \
             ORDER BY id FOR NO KEY UPDATE",
        )
        .bind::<Array<BigInt>, _>(files)
        .prepared()
        .load(connection)
        .await?;
        facts
            .files
            .extend(rows.into_iter().filter_map(FileRow::free));
    }
    Ok(facts)
}

/// Finds the messages that were stored before under the same client ids.
async fn find_known(
    connection: &mut Connection,
    messages: &[NewChatMessage],
    facts: &mut Facts,
) -> QueryResult<()> {
    if messages.iter().all(|message| message.client_id.is_none()) {
        return Ok(());
    }
    let client_ids = messages.iter().map(|message| message.client_id.as_deref());
    let rows: Vec<KnownRow> = sql_query(
        "SELECT new.place, l.id, l.fingerprint \
         FROM unnest($1::bigint[], $2::bigint[], $3::text[]) WITH ORDINALITY \
         AS new (sender_id, room_id, client_id, place) \
         JOIN chelseru_chat_log l ON l.sender_id = new.sender_id AND l.room_id = new.room_id \
         AND l.client_id = new.client_id",
    )
    .bind::<Array<BigInt>, _>(each(messages, |message| message.sender.0))
    .bind::<Array<BigInt>, _>(each(messages, |message| message.room.0))
    .bind::<Array<Nullable<Text>>, _>(client_ids.collect::<Vec<_>>())
    .prepared()
    .load(connection)
    .await?;
    for row in rows {
        let place = usize::try_from(row.place - 1).unwrap_or(usize::MAX);
        facts.known.insert(place, (row.id, row.fingerprint));
    }
    Ok(())
}

fn each(messages: &[NewChatMessage], value: impl Fn(&NewChatMessage) -> i64) -> Vec<i64> {
    messages.iter().map(value).collect()
}

/// Inserts the messages that are to be stored, and gives their ids by their places in the batch.
async fn insert(
    connection: &mut Connection,
    messages: &[NewChatMessage],
    decisions: &[Decision],
) -> QueryResult<HashMap<usize, i64>> {
    let stored: Vec<_> = to_store(messages, decisions).collect();
    if stored.is_empty() {
        return Ok(HashMap::new());
    }
    let numbers = |value: fn(&NewChatMessage) -> i64| -> Vec<i64> {
        stored
            .iter()
            .map(|(_, message, _)| value(message))
            .collect()
    };
    let references = |value: fn(&NewChatMessage) -> Option<i64>| -> Vec<Option<i64>> {
        stored
            .iter()
            .map(|(_, message, _)| value(message))
            .collect()
    };
    let mut client_ids = Vec::with_capacity(stored.len());
    let mut fingerprints = Vec::with_capacity(stored.len());
    let mut types = Vec::with_capacity(stored.len());
    let mut texts = Vec::with_capacity(stored.len());
    let mut folded_texts = Vec::with_capacity(stored.len());
    for (_, message, _) in &stored {
        client_ids.push(message.client_id.as_deref());
        fingerprints.push(message.fingerprint.as_slice());
        types.push(word(message.message_type)?);
        texts.push(message.text.as_str());
        folded_texts.push(message.folded_text.as_str());
    }
    let rows: Vec<StoredRow> = sql_query(
        "INSERT INTO chelseru_chat_log (kind, room_id, seq, sender_id, client_id, fingerprint, \
         message_type, text, folded_text, reply_to, attachment_id, created_at) \
         SELECT 'message', new.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], \
         $4::text[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::bigint[], \
         $10::bigint[], $11::bigint[]) AS new RETURNING id, room_id, seq",
    )
    .bind::<Array<BigInt>, _>(numbers(|message| message.room.0))
    .bind::<Array<BigInt>, _>(stored.iter().map(|(.., seq)| seq.0).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(numbers(|message| message.sender.0))
    .bind::<Array<Nullable<Text>>, _>(client_ids)
    .bind::<Array<Binary>, _>(fingerprints)
    .bind::<Array<Text>, _>(types)
    .bind::<Array<Text>, _>(texts)
    .bind::<Array<Text>, _>(folded_texts)
    .bind::<Array<Nullable<BigInt>>, _>(references(|message| Some(message.reply_to?.0)))
    .bind::<Array<Nullable<BigInt>>, _>(references(|message| Some(message.attachment?.0)))
    .bind::<Array<BigInt>, _>(numbers(|message| message.now.as_millis()))
    .prepared()
    .load(connection)
    .await?;
    let places: HashMap<_, _> = stored
        .iter()
        .map(|(place, message, seq)| ((message.room.0, seq.0), *place))
        .collect();
    let ids = rows
        .iter()
        .filter_map(|row| Some((*places.get(&(row.room_id, row.seq))?, row.id)));
    Ok(ids.collect())
}

/// Moves the ends of the rooms' logs, and the read pointers of the senders.
async fn move_ends(
    connection: &mut Connection,
    messages: &[NewChatMessage],
    decisions: &[Decision],
) -> QueryResult<()> {
    let ends = ends(to_store(messages, decisions));
    let (mut ids, mut seqs, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for (id, (message, seq)) in ends.rooms {
        ids.push(id);
        seqs.push(seq.0);
        times.push(message.now.as_millis());
    }
    sql_query(
        "UPDATE chelseru_chat_rooms r SET last_seq = new.seq, updated_at = new.at \
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS new (id, seq, at) \
         WHERE r.id = new.id",
    )
    .bind::<Array<BigInt>, _>(ids)
    .bind::<Array<BigInt>, _>(seqs)
    .bind::<Array<BigInt>, _>(times)
    .prepared()
    .execute(connection)
    .await?;
    let (mut rooms, mut users, mut seqs) = (Vec::new(), Vec::new(), Vec::new());
    for ((room, user), seq) in ends.members {
        rooms.push(room);
        users.push(user);
        seqs.push(seq.0);
    }
    sql_query(
        "UPDATE chelseru_chat_members mb SET read_seq = new.seq \
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS new (room_id, user_id, seq) \
         WHERE mb.room_id = new.room_id AND mb.user_id = new.user_id",
    )
    .bind::<Array<BigInt>, _>(rooms)
    .bind::<Array<BigInt>, _>(users)
    .bind::<Array<BigInt>, _>(seqs)
    .prepared()
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes the files part of their messages.
async fn take_files(
    connection: &mut Connection,
    messages: &[NewChatMessage],
    ids: &HashMap<usize, i64>,
) -> QueryResult<()> {
    let (mut files, mut owners) = (Vec::new(), Vec::new());
    for (place, id) in ids {
        if let Some(file) = messages[*place].attachment {
            files.push(file.0);
            owners.push(*id);
        }
    }
    if files.is_empty() {
        return Ok(());
    }
    sql_query(
        "UPDATE chelseru_chat_attachments a SET message_id = new.message_id \
         FROM unnest($1::bigint[], $2::bigint[]) AS new (id, message_id) WHERE a.id = new.id",
    )
    .bind::<Array<BigInt>, _>(files)
    .bind::<Array<BigInt>, _>(owners)
    .prepared()
    .execute(connection)
    .await?;
    Ok(())
}
