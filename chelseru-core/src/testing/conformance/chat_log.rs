//! Reading the log of a room: what is in it, edits and deletions, what one reader has hidden, and
//! searching.

use super::chat_fixture::{
    ALL, TEXT, append, change, deletion, edit, find, group, group_of_two, kinds, log, message,
    named, places, post, post_many, revise, seqs, stored, text,
};
use super::fixture::{CROWD, MINUTE, NOW, SharedStore, all_at_once, count, ok};
use crate::chat::{ChatMessage, EntryKind, LogEntry, MessageId, RoomId, Seq};
use crate::store::{Appended, NewChatMessage, Revised, Revision, RoomEdit, Search, Span};
use crate::user::UserId;

async fn read(
    store: &SharedStore,
    room: RoomId,
    reader: UserId,
    span: Span,
    limit: u32,
) -> Vec<i64> {
    seqs(&ok(store.read_log(room, reader, span, limit).await))
}

pub async fn a_log_is_read_after_a_place(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    assert!(log(&store, room, other).await.is_empty());
    let sent = post_many(&store, room, owner, 1..=5).await;
    let after = |seq| Span::After(Seq(seq));
    assert_eq!(
        read(&store, room, other, after(0), ALL).await,
        [1, 2, 3, 4, 5]
    );
    assert_eq!(read(&store, room, other, after(0), 2).await, [1, 2]);
    assert_eq!(read(&store, room, other, after(2), 2).await, [3, 4]);
    assert_eq!(read(&store, room, other, after(4), 2).await, [5]);
    for beyond in [5, 6, i64::MAX] {
        assert!(read(&store, room, other, after(beyond), 2).await.is_empty());
    }
    assert_eq!(read(&store, room, other, after(i64::MIN), 1).await, [1]);
    assert!(read(&store, room, other, after(0), 0).await.is_empty());
    let log = log(&store, room, other).await;
    for (entry, message) in log.iter().zip(sent) {
        let expected = LogEntry {
            seq: message.seq,
            kind: TEXT,
            at: NOW,
            message,
        };
        assert_eq!(*entry, expected);
    }
    let elsewhere = RoomId(999_999);
    assert!(
        read(&store, elsewhere, other, after(0), ALL)
            .await
            .is_empty()
    );
}

/// Messages at 1 to 4 and 7, entries about them at 5, 6 and 8.
async fn revised_room(store: &SharedStore) -> (RoomId, UserId, UserId, Vec<ChatMessage>) {
    let (room, owner, other) = group_of_two(store).await;
    let mut sent = post_many(store, room, owner, 1..=4).await;
    revise(store, &edit(&sent[1], owner, "دیگر", NOW + MINUTE)).await;
    revise(store, &deletion(&sent[0], owner, NOW + 2 * MINUTE)).await;
    sent.push(post(store, room, owner, 7).await);
    revise(store, &deletion(&sent[1], owner, NOW + 3 * MINUTE)).await;
    (room, owner, other, sent)
}

pub async fn edits_and_deletions_have_places_of_their_own(store: SharedStore) {
    let (room, _, other, sent) = revised_room(&store).await;
    let log = log(&store, room, other).await;
    assert_eq!(seqs(&log), [1, 2, 3, 4, 5, 6, 7, 8]);
    let (edit, deletion) = (EntryKind::Edit, EntryKind::Deletion);
    assert_eq!(
        kinds(&log),
        [TEXT, TEXT, TEXT, TEXT, edit, deletion, TEXT, deletion]
    );
    let about = [0, 1, 2, 3, 1, 0, 4, 1].map(|n: usize| sent[n].id);
    for (entry, id) in log.iter().zip(about) {
        assert_eq!(entry.message.id, id);
        assert!(entry.message.seq <= entry.seq);
    }
    let times = [0, 0, 0, 0, 1, 2, 0, 3].map(|minutes| NOW + minutes * MINUTE);
    for (entry, at) in log.iter().zip(times) {
        assert_eq!(entry.at, at);
    }
    for place in [0, 5] {
        let deleted = &log[place].message;
        assert_eq!((deleted.text.as_str(), deleted.seq), ("", Seq(1)));
        assert_eq!(deleted.deleted_at, Some(NOW + 2 * MINUTE));
        assert_eq!(deleted.sender, sent[0].sender);
    }
    let state = find(&store, room).await;
    assert_eq!((state.last_seq, state.revision), (Seq(8), 1));
}

pub async fn messages_are_read_backward_and_forward_without_what_was_done_to_them(
    store: SharedStore,
) {
    let (room, _, other, _) = revised_room(&store).await;
    let before = |seq| Span::MessagesBefore(Some(Seq(seq)));
    let newest = Span::MessagesBefore(None);
    assert_eq!(
        read(&store, room, other, newest, ALL).await,
        [7, 4, 3, 2, 1]
    );
    assert_eq!(read(&store, room, other, newest, 2).await, [7, 4]);
    assert_eq!(read(&store, room, other, before(4), 2).await, [3, 2]);
    assert_eq!(read(&store, room, other, before(7), 1).await, [4]);
    assert_eq!(read(&store, room, other, before(i64::MAX), 1).await, [7]);
    for start in [1, 0, -1, i64::MIN] {
        assert!(read(&store, room, other, before(start), 2).await.is_empty());
    }
    let after = |seq| Span::MessagesAfter(Seq(seq));
    assert_eq!(
        read(&store, room, other, after(0), ALL).await,
        [1, 2, 3, 4, 7]
    );
    assert_eq!(read(&store, room, other, after(3), 2).await, [4, 7]);
    assert_eq!(read(&store, room, other, after(4), 2).await, [7]);
    assert!(read(&store, room, other, after(7), 2).await.is_empty());
}

pub async fn pages_backward_stay_whole_while_messages_come_and_go(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let sent = post_many(&store, room, owner, 1..=9).await;
    let mut before = None;
    let mut seen = Vec::new();
    loop {
        let page = read(&store, room, other, Span::MessagesBefore(before), 2).await;
        let Some(last) = page.last() else { break };
        before = Some(Seq(*last));
        seen.extend(page);
        post(&store, room, owner, 1).await;
        let deleted = &sent[seen.len() / 2];
        ok(store.revise(&deletion(deleted, owner, NOW)).await);
    }
    assert_eq!(seen, [9, 8, 7, 6, 5, 4, 3, 2, 1]);
}

pub async fn an_edit_changes_the_text_and_says_when(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let sent = stored(append(&store, named(room, owner, 1, "a")).await);
    let entry = revise(&store, &edit(&sent, owner, "دیگر", NOW + MINUTE)).await;
    let edited = ChatMessage {
        text: "دیگر".to_owned(),
        edited_at: Some(NOW + MINUTE),
        ..sent
    };
    let expected = LogEntry {
        seq: Seq(2),
        kind: EntryKind::Edit,
        message: edited.clone(),
        at: NOW + MINUTE,
    };
    assert_eq!(entry, expected);
    assert_eq!(log(&store, room, other).await[1], expected);
    assert_eq!(ok(store.find_message(edited.id, other).await), Some(edited));
    let second = revise(&store, &edit(&entry.message, owner, "سوم", NOW)).await;
    assert_eq!((second.seq, second.message.seq), (Seq(3), Seq(1)));
}

pub async fn a_revision_that_changes_nothing_takes_no_place(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let sent = post(&store, room, owner, 1).await;
    let same = ok(store
        .revise(&edit(&sent, owner, &text(1), NOW + MINUTE))
        .await);
    assert_eq!(same, Revised::Unchanged(sent.clone()));
    let deleted = revise(&store, &deletion(&sent, owner, NOW)).await.message;
    for late in [
        deletion(&sent, owner, NOW + MINUTE),
        edit(&sent, owner, "x", NOW + MINUTE),
    ] {
        let answer = ok(store.revise(&late).await);
        assert_eq!(answer, Revised::Unchanged(deleted.clone()));
    }
    assert_eq!(seqs(&log(&store, room, owner).await), [1, 2]);
}

pub async fn a_revision_is_made_on_the_rooms_revision_or_not_at_all(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let sent = post(&store, room, owner, 1).await;
    change(&store, room, &[RoomEdit::Name("b".to_owned())]).await;
    let late = edit(&sent, owner, "x", NOW);
    assert_eq!(ok(store.revise(&late).await), Revised::Stale);
    let nobody = Revision {
        revision: 2,
        by: UserId(999_999),
        ..late
    };
    assert_eq!(ok(store.revise(&nobody).await), Revised::Stale);
    assert_eq!(ok(store.find_message(sent.id, owner).await), Some(sent));
}

pub async fn only_a_message_of_the_room_is_revised(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let elsewhere = group(&store, owner, &[]).await;
    let sent = post(&store, room, owner, 1).await;
    let entry = revise(&store, &edit(&sent, owner, "x", NOW)).await;
    let good = deletion(&entry.message, owner, NOW);
    for bad in [
        Revision {
            room: elsewhere,
            ..good.clone()
        },
        Revision {
            room: RoomId(999_999),
            ..good.clone()
        },
        Revision {
            message: MessageId(999_999),
            ..good.clone()
        },
        Revision {
            message: MessageId(-1),
            ..good.clone()
        },
        // A store may give the entries of its log ids as well: they are no messages.
        Revision {
            message: MessageId(sent.id.0 + 1),
            ..good.clone()
        },
    ] {
        assert_eq!(ok(store.revise(&bad).await), Revised::Gone, "{bad:?}");
    }
    let next = MessageId(sent.id.0 + 1);
    assert_eq!(ok(store.find_message(next, owner).await), None);
    let reply = NewChatMessage {
        reply_to: Some(next),
        ..message(room, owner, 2)
    };
    let refused = append(&store, reply).await;
    assert_eq!(refused, Appended::BadReference);
}

pub async fn of_many_deletions_of_a_message_one_is_made(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let sent = post(&store, room, owner, 1).await;
    let delete = deletion(&sent, owner, NOW);
    let answers = all_at_once(&store, move |store, _| {
        let delete = delete.clone();
        async move { ok(store.revise(&delete).await) }
    })
    .await;
    let deleted = ok(store.find_message(sent.id, owner).await).expect("its place");
    let unchanged = Revised::Unchanged(deleted);
    assert_eq!(count(&answers, &unchanged), CROWD - 1);
    assert_eq!(seqs(&log(&store, room, owner).await), [1, 2]);
}

pub async fn writing_and_revising_at_once_leave_no_gap(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let sent = post_many(&store, room, owner, 1..=CROWD).await;
    all_at_once(&store, move |store, n| {
        let message_of_n = sent[n].clone();
        async move {
            match n % 3 {
                0 => drop(append(&store, message(room, other, n)).await),
                1 => drop(revise(&store, &edit(&message_of_n, owner, "x", NOW)).await),
                _ => drop(revise(&store, &deletion(&message_of_n, owner, NOW)).await),
            }
        }
    })
    .await;
    let log = log(&store, room, other).await;
    assert_eq!(seqs(&log), places(2 * CROWD));
    for entry in &log[CROWD..] {
        let is_message = entry.message.seq == entry.seq;
        assert_eq!(is_message, entry.kind == TEXT);
    }
}

/// A reader that follows the log never passes a place that another message takes later.
pub async fn a_log_that_is_read_while_it_grows_has_no_gap(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let first = post(&store, room, owner, 1).await;
    all_at_once(&store, move |store, n| {
        let first = first.clone();
        async move {
            let mut place = Seq(0);
            for round in 0..5 {
                match n % 3 {
                    0 => drop(append(&store, message(room, owner, n)).await),
                    1 => {
                        let text = format!("{n}/{round}");
                        revise(&store, &edit(&first, owner, &text, NOW)).await;
                    }
                    _ => {
                        let span = Span::After(place);
                        for entry in ok(store.read_log(room, other, span, ALL).await) {
                            assert_eq!(entry.seq, place.next(), "a gap");
                            place = entry.seq;
                        }
                    }
                }
            }
        }
    })
    .await;
}

pub async fn a_hidden_message_is_deleted_for_who_hid_it(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let sent = post_many(&store, room, owner, 1..=2).await;
    revise(&store, &edit(&sent[0], owner, "x", NOW)).await;
    let before = log(&store, room, owner).await;
    ok(store.hide_message(sent[0].id, other, NOW + MINUTE).await);
    ok(store
        .hide_message(sent[0].id, other, NOW + 2 * MINUTE)
        .await);
    let tombstone = ChatMessage {
        text: String::new(),
        deleted_at: Some(NOW + MINUTE),
        ..before[0].message.clone()
    };
    let as_other = ok(store.find_message(sent[0].id, other).await);
    assert_eq!(as_other, Some(tombstone.clone()));
    let log_of_other = log(&store, room, other).await;
    assert_eq!(seqs(&log_of_other), [1, 2, 3], "it keeps its place");
    assert_eq!(log_of_other[0].message, tombstone);
    assert_eq!(log_of_other[2].message, tombstone, "and so does its edit");
    assert_eq!(
        log(&store, room, owner).await,
        before,
        "for others it is there"
    );
    let newest = Span::MessagesBefore(None);
    let page = ok(store.read_log(room, other, newest, ALL).await);
    assert_eq!(page[1].message, tombstone);

    let deleted = revise(&store, &deletion(&sent[0], owner, NOW + 3 * MINUTE)).await;
    assert_eq!(deleted.message.deleted_at, Some(NOW + 3 * MINUTE));
}

pub async fn hiding_what_is_not_there_is_no_error(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let sent = post(&store, room, owner, 1).await;
    ok(store.hide_message(MessageId(999_999), owner, NOW).await);
    ok(store.hide_message(sent.id, UserId(999_999), NOW).await);
    assert_eq!(ok(store.find_message(sent.id, owner).await), Some(sent));
}

pub async fn a_message_is_hidden_by_many_at_once_without_error(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let sent = post(&store, room, owner, 1).await;
    all_at_once(&store, move |store, _| async move {
        ok(store.hide_message(sent.id, other, NOW).await);
    })
    .await;
    assert_eq!(log(&store, room, other).await[0].message.text, "");
}

async fn found(store: &SharedStore, search: &Search) -> Vec<i64> {
    let found = ok(store.search_messages(search).await);
    found.iter().map(|message| message.seq.0).collect()
}

fn search(room: RoomId, reader: UserId, words: &str) -> Search {
    Search {
        room,
        reader,
        folded_words: words.to_owned(),
        before: None,
        limit: ALL,
    }
}

async fn post_folded(store: &SharedStore, room: RoomId, sender: UserId, folded: &str) {
    let new = NewChatMessage {
        text: "as it was sent".to_owned(),
        folded_text: folded.to_owned(),
        ..message(room, sender, 1)
    };
    stored(append(store, new).await);
}

pub async fn words_are_found_letter_by_letter(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let texts = [
        "سلام علی کجایی",
        "100% sure",
        "100 sure",
        "a_b",
        "axb",
        "back\\slash",
        "it's 'quoted'",
        "ABC",
    ];
    for text in texts {
        post_folded(&store, room, owner, text).await;
    }
    for (words, expected) in [
        ("علی", &[1][..]),
        ("سلام علی", &[1]),
        ("علی سلام", &[]),
        ("00", &[3, 2]),
        ("0%", &[2]),
        ("a_b", &[4]),
        ("%", &[2]),
        ("_", &[4]),
        ("\\", &[6]),
        ("k\\s", &[6]),
        ("'", &[7]),
        ("abc", &[]),
        ("ABC", &[8]),
        ("as it was sent", &[]),
    ] {
        let found = found(&store, &search(room, other, words)).await;
        assert_eq!(found, expected, "{words}");
    }
    let message = ok(store.search_messages(&search(room, other, "علی")).await).remove(0);
    assert_eq!(message.text, "as it was sent");
}

pub async fn what_is_found_is_read_page_by_page_newest_first(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    for n in 1..=6 {
        let text = if n == 4 { "nothing" } else { "word" };
        post_folded(&store, room, owner, text).await;
    }
    let page = |before: Option<i64>| Search {
        before: before.map(Seq),
        limit: 2,
        ..search(room, other, "word")
    };
    assert_eq!(found(&store, &page(None)).await, [6, 5]);
    assert_eq!(found(&store, &page(Some(5))).await, [3, 2]);
    assert_eq!(found(&store, &page(Some(2))).await, [1]);
    assert!(found(&store, &page(Some(1))).await.is_empty());
    let elsewhere = group(&store, owner, &[]).await;
    let nothing = search(elsewhere, other, "word");
    assert!(found(&store, &nothing).await.is_empty());
}

pub async fn a_search_finds_what_a_text_is_now(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let sent = post_many(&store, room, owner, 1..=3).await;
    revise(&store, &edit(&sent[0], owner, "edited", NOW)).await;
    revise(&store, &deletion(&sent[1], owner, NOW)).await;
    ok(store.hide_message(sent[2].id, other, NOW).await);
    assert_eq!(found(&store, &search(room, other, "edited")).await, [1]);
    assert!(found(&store, &search(room, other, "پیام")).await.is_empty());
    assert_eq!(found(&store, &search(room, owner, "پیام")).await, [3]);
    assert_eq!(found(&store, &search(room, other, "")).await, [1]);
}
