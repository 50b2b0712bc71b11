//! What the tests of chats share: rooms with members, and messages to put into them.

use super::fixture::{NOW, SharedStore, hash, log_in, number, ok};
use crate::chat::{ChatMessage, EntryKind, LogEntry, MessageType, Permissions, Room, RoomId, Seq};
use crate::clock::Timestamp;
use crate::store::{
    Appended, NewChatMessage, NewGroup, Revised, Revision, RoomChange, RoomChanged, RoomEdit,
    RoomOpened, Span,
};
use crate::user::UserId;

/// As many as every test needs.
pub(super) const ALL: u32 = 1000;

/// Accounts whose names are `u1`, `u2` and so on.
pub(super) async fn users<const N: usize>(store: &SharedStore) -> [UserId; N] {
    let mut users = [UserId(0); N];
    for (place, user) in users.iter_mut().enumerate() {
        *user = log_in(store, number(place + 1), 0, place + 1).await.0.id;
    }
    users
}

pub(super) fn new_group(owner: UserId, members: &[UserId]) -> NewGroup {
    NewGroup {
        owner,
        name: "گروه".to_owned(),
        description: None,
        avatar_url: None,
        members: members.to_vec(),
        now: NOW,
    }
}

/// A group, made at [`NOW`].
pub(super) async fn group(store: &SharedStore, owner: UserId, members: &[UserId]) -> RoomId {
    match ok(store.create_group(&new_group(owner, members)).await) {
        RoomOpened::New(room) => room,
        other => panic!("no new room: {other:?}"),
    }
}

/// A group of two new accounts.
pub(super) async fn group_of_two(store: &SharedStore) -> (RoomId, UserId, UserId) {
    let [one, other] = users(store).await;
    (group(store, one, &[other]).await, one, other)
}

/// The room of two accounts, opened at [`NOW`].
pub(super) async fn pair(store: &SharedStore, one: UserId, other: UserId) -> RoomId {
    match ok(store.open_pair(one, other, NOW).await) {
        RoomOpened::New(room) | RoomOpened::Known(room) => room,
        RoomOpened::UnknownUser(user) => panic!("{user:?} is unknown"),
    }
}

pub(super) async fn find(store: &SharedStore, room: RoomId) -> Room {
    let found = ok(store.find_room(room, UserId(0)).await);
    found.expect("the room is there").0
}

/// Changes the room on the revision that it has.
pub(super) async fn change(store: &SharedStore, room: RoomId, edits: &[RoomEdit]) -> Room {
    let change = RoomChange {
        room,
        revision: find(store, room).await.revision,
        edits: edits.to_vec(),
        now: NOW,
    };
    match ok(store.change_room(&change).await) {
        RoomChanged::Done(room) => room,
        other => panic!("not changed: {other:?}"),
    }
}

/// The message of that `n`, for the first revision of a room.
pub(super) fn message(room: RoomId, sender: UserId, n: usize) -> NewChatMessage {
    NewChatMessage {
        room,
        revision: 1,
        sender,
        client_id: None,
        fingerprint: hash(n),
        message_type: MessageType::Text,
        text: text(n),
        folded_text: text(n),
        reply_to: None,
        attachment: None,
        now: NOW,
    }
}

pub(super) fn text(n: usize) -> String {
    format!("پیام {n} 'quoted\" \\ 👋\n")
}

/// The message of that `n` under a client id.
pub(super) fn named(room: RoomId, sender: UserId, n: usize, client_id: &str) -> NewChatMessage {
    NewChatMessage {
        client_id: Some(client_id.to_owned()),
        ..message(room, sender, n)
    }
}

pub(super) async fn append(store: &SharedStore, new: NewChatMessage) -> Appended {
    let mut answers = ok(store.append(&[new]).await);
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

/// The message that was stored just now.
#[track_caller]
pub(super) fn stored(answer: Appended) -> ChatMessage {
    match answer {
        Appended::Stored(message) => message,
        other => panic!("not stored: {other:?}"),
    }
}

/// Stores the message of that `n`.
pub(super) async fn post(
    store: &SharedStore,
    room: RoomId,
    sender: UserId,
    n: usize,
) -> ChatMessage {
    let revision = find(store, room).await.revision;
    let new = NewChatMessage {
        revision,
        ..message(room, sender, n)
    };
    stored(append(store, new).await)
}

/// Stores the messages from the first `n` to the last.
pub(super) async fn post_many(
    store: &SharedStore,
    room: RoomId,
    sender: UserId,
    numbers: std::ops::RangeInclusive<usize>,
) -> Vec<ChatMessage> {
    let new: Vec<_> = numbers.map(|n| message(room, sender, n)).collect();
    let answers = ok(store.append(&new).await);
    answers.into_iter().map(stored).collect()
}

/// Gives a message another text on the first revision of its room.
pub(super) fn edit(message: &ChatMessage, by: UserId, text: &str, now: Timestamp) -> Revision {
    Revision {
        text: Some((text.to_owned(), text.to_owned())),
        ..deletion(message, by, now)
    }
}

/// Deletes a message for everyone on the first revision of its room.
pub(super) fn deletion(message: &ChatMessage, by: UserId, now: Timestamp) -> Revision {
    Revision {
        room: message.room,
        revision: 1,
        message: message.id,
        by,
        text: None,
        now,
    }
}

pub(super) async fn revise(store: &SharedStore, revision: &Revision) -> LogEntry {
    match ok(store.revise(revision).await) {
        Revised::Done(entry) => entry,
        other => panic!("not revised: {other:?}"),
    }
}

/// The whole log.
pub(super) async fn log(store: &SharedStore, room: RoomId, reader: UserId) -> Vec<LogEntry> {
    ok(store.read_log(room, reader, Span::After(Seq(0)), ALL).await)
}

pub(super) fn seqs(log: &[LogEntry]) -> Vec<i64> {
    log.iter().map(|entry| entry.seq.0).collect()
}

pub(super) fn kinds(log: &[LogEntry]) -> Vec<EntryKind> {
    log.iter().map(|entry| entry.kind).collect()
}

pub(super) const TEXT: EntryKind = EntryKind::Message(MessageType::Text);

/// A member's permissions.
pub(super) async fn permissions(
    store: &SharedStore,
    room: RoomId,
    user: UserId,
) -> Option<Permissions> {
    let (_, membership) = ok(store.find_room(room, user).await)?;
    membership
        .filter(|member| member.banned_at.is_none())
        .map(|member| member.permissions)
}

pub(super) async fn member_ids(store: &SharedStore, room: RoomId, banned: bool) -> Vec<UserId> {
    let members = ok(store.members(room, banned, None, ALL).await);
    members.iter().map(|member| member.user).collect()
}

/// The place of that number.
pub(super) fn place(n: usize) -> Seq {
    Seq(i64::try_from(n).expect("a small number"))
}

/// All places up to that of the number.
pub(super) fn places(count: usize) -> Vec<i64> {
    (1..=place(count).0).collect()
}
