//! Storing messages, many in one transaction.
//!
//! The same for both databases: keep the senders, lock the rooms in the order of their ids, find out all
//! that decides, [`decide`], and write. Only how a database is asked and told fast is its own.

pub(super) mod postgres;
pub(super) mod sqlite;

use std::collections::{HashMap, HashSet};

use chelseru_core::chat::{ChatMessage, MessageId, Sender, Seq};
use chelseru_core::store::{Appended, NewChatMessage};
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use super::rows::StateRow;

/// All that decides about messages, read under the locks of their rooms.
#[derive(Default)]
struct Facts {
    /// The names of the senders that there are.
    senders: HashMap<i64, String>,
    /// The rooms that there are.
    rooms: HashMap<i64, StateRow>,
    /// By a message's place: the one that was stored under its client id, and the fingerprint of that.
    known: HashMap<usize, (i64, Vec<u8>)>,
    /// Messages that may be answered, with their rooms.
    answerable: HashSet<(i64, i64)>,
    /// Files that may be sent, with their rooms and uploaders.
    files: HashSet<(i64, i64, i64)>,
}

/// What becomes of one message.
enum Decision {
    /// It takes this place.
    Store(Seq),
    /// It is that one, stored before.
    Again(i64),
    /// It is the one at that place of the same batch.
    AgainOf(usize),
    /// It is not stored.
    Refuse(Appended),
}

/// Decides about each message, in their order, and moves the ends of the rooms' logs.
fn decide(messages: &[NewChatMessage], facts: &mut Facts) -> Vec<Decision> {
    let mut client_ids = HashMap::new();
    let mut decisions = Vec::with_capacity(messages.len());
    for (place, message) in messages.iter().enumerate() {
        let key = message
            .client_id
            .as_deref()
            .map(|id| (message.room, message.sender, id));
        let before = key.and_then(|key| client_ids.get(&key).copied());
        let decision = decide_one(messages, place, before, facts);
        if let (Decision::Store(_), Some(key)) = (&decision, key) {
            client_ids.insert(key, place);
        }
        decisions.push(decision);
    }
    decisions
}

fn decide_one(
    messages: &[NewChatMessage],
    place: usize,
    before: Option<usize>,
    facts: &mut Facts,
) -> Decision {
    let message = &messages[place];
    let (room_id, sender) = (message.room.0, message.sender.0);
    let Some(room) = facts.rooms.get_mut(&room_id) else {
        return Decision::Refuse(Appended::Gone);
    };
    if room.revision != message.revision || !facts.senders.contains_key(&sender) {
        return Decision::Refuse(Appended::Stale);
    }
    if let Some((id, fingerprint)) = facts.known.get(&place) {
        return if *fingerprint == message.fingerprint {
            Decision::Again(*id)
        } else {
            Decision::Refuse(Appended::OtherMessage)
        };
    }
    if let Some(before) = before {
        return if messages[before].fingerprint == message.fingerprint {
            Decision::AgainOf(before)
        } else {
            Decision::Refuse(Appended::OtherMessage)
        };
    }
    let is_answerable = |id: MessageId| facts.answerable.contains(&(id.0, room_id));
    if !message.reply_to.is_none_or(is_answerable) {
        return Decision::Refuse(Appended::BadReference);
    }
    if let Some(file) = message.attachment
        && !facts.files.remove(&(file.0, room_id, sender))
    {
        return Decision::Refuse(Appended::BadReference);
    }
    let seq = Seq(room.last_seq).next();
    room.last_seq = seq.0;
    Decision::Store(seq)
}

/// The messages that are to be stored, with their places in the batch and in their logs.
fn to_store<'a>(
    messages: &'a [NewChatMessage],
    decisions: &'a [Decision],
) -> impl Iterator<Item = (usize, &'a NewChatMessage, Seq)> {
    let decided = messages.iter().zip(decisions).enumerate();
    decided.filter_map(|(place, (message, decision))| match decision {
        Decision::Store(seq) => Some((place, message, *seq)),
        _ => None,
    })
}

/// The messages that were stored before.
fn to_find(decisions: &[Decision]) -> Vec<i64> {
    let found = decisions.iter().filter_map(|decision| match decision {
        Decision::Again(id) => Some(*id),
        _ => None,
    });
    found.collect()
}

/// Where logs and read pointers end after the messages: the last one of each room, and of each sender in
/// each room.
#[derive(Default)]
struct Ends<'a> {
    rooms: HashMap<i64, (&'a NewChatMessage, Seq)>,
    members: HashMap<(i64, i64), Seq>,
}

fn ends<'a>(stored: impl Iterator<Item = (usize, &'a NewChatMessage, Seq)>) -> Ends<'a> {
    let mut ends = Ends::default();
    for (_, message, seq) in stored {
        let (room, sender) = (message.room.0, message.sender.0);
        ends.rooms.insert(room, (message, seq));
        ends.members.insert((room, sender), seq);
    }
    ends
}

/// The answers, when all is written: `ids` of the stored ones by their places, `found` those that were
/// stored before.
fn answers(
    messages: &[NewChatMessage],
    decisions: Vec<Decision>,
    facts: &Facts,
    ids: &HashMap<usize, i64>,
    found: &HashMap<i64, ChatMessage>,
) -> QueryResult<Vec<Appended>> {
    let mut answers = Vec::with_capacity(messages.len());
    for (place, decision) in decisions.into_iter().enumerate() {
        let answer = match decision {
            Decision::Store(seq) => {
                let id = ids.get(&place).ok_or(Error::NotFound)?;
                Appended::Stored(stored(&messages[place], *id, seq, facts))
            }
            Decision::Again(id) => Appended::Again(found.get(&id).cloned().ok_or(Error::NotFound)?),
            Decision::AgainOf(before) => match &answers[before] {
                Appended::Stored(message) => Appended::Again(message.clone()),
                _ => return Err(Error::NotFound),
            },
            Decision::Refuse(answer) => answer,
        };
        answers.push(answer);
    }
    Ok(answers)
}

fn stored(message: &NewChatMessage, id: i64, seq: Seq, facts: &Facts) -> ChatMessage {
    let username = facts.senders.get(&message.sender.0);
    ChatMessage {
        id: MessageId(id),
        room: message.room,
        seq,
        sender: username.map(|username| Sender {
            id: message.sender,
            username: username.clone(),
        }),
        message_type: message.message_type,
        text: message.text.clone(),
        client_id: message.client_id.clone(),
        reply_to: message.reply_to,
        attachment: message.attachment,
        created_at: message.now,
        edited_at: None,
        deleted_at: None,
    }
}

/// Values of the messages, each once, in order.
fn each_once(values: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

#[derive(QueryableByName)]
struct SenderRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    username: String,
}

#[derive(QueryableByName)]
struct FingerprintRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Binary)]
    fingerprint: Vec<u8>,
}

#[derive(QueryableByName)]
struct AnswerableRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    room_id: i64,
}

#[derive(QueryableByName)]
struct FileRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    room_id: i64,
    #[diesel(sql_type = BigInt)]
    uploader_id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    message_id: Option<i64>,
}

impl FileRow {
    /// The file, with its room and uploader, if it belongs to no message. Not a condition of the query:
    /// PostgreSQL might take it for a reason to look through all files that belong to none.
    fn free(self) -> Option<(i64, i64, i64)> {
        let is_free = self.message_id.is_none();
        is_free.then_some((self.id, self.room_id, self.uploader_id))
    }
}
