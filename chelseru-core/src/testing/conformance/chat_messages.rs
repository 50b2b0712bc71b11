//! Messages: numbered without gaps, the same under the same client id, and only from those who may write.

use super::chat_fixture::{
    append, change, deletion, edit, find, group, group_of_two, log, message, named, pair, place,
    places, post, revise, seqs, stored, text, users,
};
use super::fixture::{CROWD, MINUTE, NOW, SharedStore, all_at_once, all_differ, count, hash, ok};
use crate::chat::{ChatMessage, MessageId, MessageType, RoomId, Sender, Seq};
use crate::store::{Appended, NewChatMessage, RoomChange, RoomChanged, RoomEdit, StoreError};
use crate::user::UserId;

pub async fn a_message_is_kept_as_it_was_sent(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let first = post(&store, room, owner, 1).await;
    let long = "۴👋\u{200c}".repeat(1365);
    let new = NewChatMessage {
        text: format!("  {long}\r\n\t"),
        message_type: MessageType::Image,
        reply_to: Some(first.id),
        now: NOW + MINUTE,
        ..named(room, owner, 2, &"c".repeat(64))
    };
    let message = stored(append(&store, new.clone()).await);
    let expected = ChatMessage {
        id: message.id,
        room,
        seq: Seq(2),
        sender: Some(Sender {
            id: owner,
            username: "u1".to_owned(),
        }),
        message_type: MessageType::Image,
        text: new.text,
        client_id: new.client_id,
        reply_to: Some(first.id),
        attachment: None,
        created_at: NOW + MINUTE,
        edited_at: None,
        deleted_at: None,
    };
    assert_eq!(message, expected);
    assert_eq!(
        ok(store.find_message(message.id, owner).await),
        Some(expected)
    );
    assert!(message.id > first.id);
    let room = find(&store, room).await;
    assert_eq!((room.updated_at, room.revision), (NOW + MINUTE, 1));
}

pub async fn a_message_moves_its_senders_read_pointer(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    post(&store, room, owner, 1).await;
    post(&store, room, other, 2).await;
    post(&store, room, owner, 3).await;
    let members = ok(store.memberships(room, &[owner, other]).await);
    let pointer = |user| {
        members
            .iter()
            .find(|one| one.user == user)
            .map(|one| one.read_seq)
    };
    assert_eq!(pointer(owner), Some(Seq(3)));
    assert_eq!(pointer(other), Some(Seq(2)));
}

pub async fn many_messages_at_once_are_numbered_without_a_gap(store: SharedStore) {
    let (room, one, other) = group_of_two(&store).await;
    let sent = all_at_once(&store, move |store, n| async move {
        let sender = if n % 2 == 0 { one } else { other };
        stored(append(&store, message(room, sender, n)).await)
    })
    .await;
    let mut numbers: Vec<_> = sent.iter().map(|message| message.seq.0).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, places(CROWD));
    let ids: Vec<_> = sent.iter().map(|message| message.id).collect();
    assert!(all_differ(&ids));
    assert_eq!(find(&store, room).await.last_seq, place(CROWD));
    for entry in log(&store, room, one).await {
        assert!(sent.contains(&entry.message), "{entry:?}");
    }
}

pub async fn batches_at_once_each_keep_their_order(store: SharedStore) {
    let [user, other] = users(&store).await;
    let rooms = [
        group(&store, user, &[other]).await,
        group(&store, user, &[other]).await,
        group(&store, user, &[other]).await,
    ];
    let answers = all_at_once(&store, move |store, n| async move {
        let mut batch = Vec::new();
        for round in 0..3 {
            for place in 0..rooms.len() {
                // Each holds what the other wants next, unless a store has an order of its own.
                let room = rooms[if n % 2 == 0 { place } else { 2 - place }];
                batch.push(message(room, user, 10 * n + round));
            }
        }
        ok(store.append(&batch).await)
            .into_iter()
            .map(stored)
            .collect::<Vec<_>>()
    })
    .await;
    for room in rooms {
        let log = log(&store, room, other).await;
        assert_eq!(seqs(&log), places(3 * CROWD));
        for sent in &answers {
            let of_room: Vec<_> = sent.iter().filter(|one| one.room == room).collect();
            let numbers: Vec<_> = of_room.iter().map(|one| one.seq).collect();
            assert!(numbers.is_sorted(), "{numbers:?}");
            let texts: Vec<_> = of_room.iter().map(|one| &one.text).collect();
            assert!(texts.is_sorted(), "{texts:?}");
        }
    }
}

pub async fn a_batch_answers_each_message_in_its_place(store: SharedStore) {
    let [user, other] = users(&store).await;
    let one_room = group(&store, user, &[]).await;
    let other_room = group(&store, user, &[other]).await;
    let known = stored(append(&store, named(other_room, user, 1, "known")).await);
    let batch = [
        message(other_room, user, 2),
        named(other_room, user, 1, "known"),
        message(RoomId(999_999), user, 3),
        named(other_room, user, 4, "known"),
        message(one_room, user, 5),
        NewChatMessage {
            revision: 2,
            ..message(one_room, user, 6)
        },
        NewChatMessage {
            reply_to: Some(known.id),
            ..message(one_room, user, 7)
        },
        named(one_room, user, 8, "known"),
        message(other_room, other, 9),
    ];
    let answers = ok(store.append(&batch).await);
    let [
        Appended::Stored(a),
        Appended::Again(again),
        Appended::Gone,
        Appended::OtherMessage,
        Appended::Stored(b),
        Appended::Stale,
        Appended::BadReference,
        Appended::Stored(c),
        Appended::Stored(d),
    ] = &answers[..]
    else {
        panic!("{answers:?}");
    };
    assert_eq!(again, &known);
    let places = [a, b, c, d].map(|message| (message.room, message.seq.0));
    assert_eq!(
        places,
        [
            (other_room, 2),
            (one_room, 1),
            (one_room, 2),
            (other_room, 3)
        ]
    );
    assert_eq!(
        [a, b, c, d].map(|one| one.text.clone()),
        [2, 5, 8, 9].map(text)
    );
    assert_eq!(seqs(&log(&store, one_room, user).await), [1, 2]);
    assert_eq!(seqs(&log(&store, other_room, user).await), [1, 2, 3]);
}

pub async fn a_batch_of_nothing_is_answered_with_nothing(store: SharedStore) {
    assert_eq!(ok(store.append(&[]).await), []);
}

pub async fn a_large_batch_is_stored_in_its_order(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let batch: Vec<_> = (0..1000).map(|n| message(room, owner, n)).collect();
    let answers = ok(store.append(&batch).await);
    for (n, answer) in answers.into_iter().enumerate() {
        let message = stored(answer);
        assert_eq!((message.seq, message.text), (place(n + 1), text(n)));
    }
}

pub async fn a_client_id_stands_for_one_message_for_ever(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let first = stored(append(&store, named(room, owner, 1, "a")).await);
    post(&store, room, owner, 2).await;
    let again = NewChatMessage {
        now: NOW + MINUTE,
        ..named(room, owner, 1, "a")
    };
    let answer = append(&store, again.clone()).await;
    assert_eq!(answer, Appended::Again(first.clone()));
    let other = append(&store, named(room, owner, 3, "a")).await;
    assert_eq!(other, Appended::OtherMessage);

    let entry = revise(&store, &edit(&first, owner, "دیگر", NOW + MINUTE)).await;
    assert_eq!(entry.message.text, "دیگر");
    let answer = append(&store, again.clone()).await;
    assert_eq!(answer, Appended::Again(entry.message));
    let entry = revise(&store, &deletion(&first, owner, NOW + MINUTE)).await;
    let answer = append(&store, again).await;
    assert_eq!(answer, Appended::Again(entry.message), "it stays deleted");
    assert_eq!(seqs(&log(&store, room, owner).await), [1, 2, 3, 4]);
}

pub async fn client_ids_are_told_apart_by_room_sender_and_every_letter(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let elsewhere = group(&store, owner, &[]).await;
    for id in ["a", "A", "a ", " a", "á", "a\u{301}", "", "%"] {
        stored(append(&store, named(room, owner, 1, id)).await);
    }
    stored(append(&store, named(room, other, 2, "a")).await);
    stored(append(&store, named(elsewhere, owner, 3, "a")).await);
}

pub async fn a_client_id_that_is_twice_in_a_batch_is_stored_once(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let batch = [
        named(room, owner, 1, "a"),
        named(room, owner, 1, "a"),
        named(room, owner, 2, "a"),
        message(room, owner, 3),
    ];
    let answers = ok(store.append(&batch).await);
    let [
        Appended::Stored(first),
        Appended::Again(again),
        Appended::OtherMessage,
        Appended::Stored(last),
    ] = &answers[..]
    else {
        panic!("{answers:?}");
    };
    assert_eq!(first, again);
    assert_eq!((first.seq, last.seq), (Seq(1), Seq(2)));
}

pub async fn of_many_sends_under_one_client_id_one_is_stored(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    for round in 1..=3 {
        let answers = all_at_once(&store, move |store, _| async move {
            append(&store, named(room, owner, 1, &round.to_string())).await
        })
        .await;
        let all = log(&store, room, other).await;
        assert_eq!(all.len(), round);
        let message = all[round - 1].message.clone();
        assert_eq!(count(&answers, &Appended::Stored(message.clone())), 1);
        assert_eq!(count(&answers, &Appended::Again(message)), CROWD - 1);
    }
}

pub async fn of_many_messages_under_one_client_id_one_is_stored(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let answers = all_at_once(&store, move |store, n| async move {
        append(&store, named(room, owner, n, "a")).await
    })
    .await;
    assert_eq!(count(&answers, &Appended::OtherMessage), CROWD - 1);
    assert_eq!(log(&store, room, other).await.len(), 1);
}

pub async fn many_messages_under_different_client_ids_burn_no_place(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    all_at_once(&store, move |store, n| async move {
        let id = (n % 16).to_string();
        append(&store, named(room, owner, n % 16, &id)).await
    })
    .await;
    let log = log(&store, room, other).await;
    assert_eq!(seqs(&log), (1..=16).collect::<Vec<_>>());
}

pub async fn a_message_is_stored_on_the_rooms_revision_or_not_at_all(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    change(&store, room, &[RoomEdit::Remove(other)]).await;
    for revision in [0, 1, 3] {
        let late = NewChatMessage {
            revision,
            ..message(room, other, 1)
        };
        assert_eq!(append(&store, late).await, Appended::Stale);
    }
    assert!(log(&store, room, owner).await.is_empty());
    let listed = find(&store, room).await;
    assert_eq!(listed.last_seq, Seq(0));
}

pub async fn an_unknown_client_id_on_another_revision_is_not_taken(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let late = NewChatMessage {
        revision: 2,
        ..named(room, owner, 1, "a")
    };
    assert_eq!(append(&store, late).await, Appended::Stale);
    stored(append(&store, named(room, owner, 2, "a")).await);
}

pub async fn a_message_of_an_unknown_account_disturbs_no_other(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let batch = [
        message(room, owner, 1),
        message(room, UserId(999_999), 2),
        message(room, owner, 3),
    ];
    let answers = ok(store.append(&batch).await);
    assert_eq!(answers[1], Appended::Stale);
    assert_eq!(seqs(&log(&store, room, owner).await), [1, 2]);
}

/// What is stored was stored before the room changed, and what was told that the room has changed came
/// after.
pub async fn after_a_ban_nothing_of_the_banned_is_stored(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let answers = all_at_once(&store, move |store, n| async move {
        if n == CROWD / 2 {
            let ban = RoomChange {
                room,
                revision: 1,
                edits: vec![RoomEdit::Ban(other)],
                now: NOW,
            };
            let RoomChanged::Done(room) = ok(store.change_room(&ban).await) else {
                panic!("nobody else changes the room");
            };
            return Err(room.last_seq);
        }
        Ok(append(&store, message(room, other, n)).await)
    })
    .await;
    let last = answers.iter().find_map(|one| one.as_ref().err().copied());
    let last = last.expect("the ban was made");
    let log = log(&store, room, owner).await;
    assert_eq!(seqs(&log), (1..=last.0).collect::<Vec<_>>());
    let stale = answers.iter().filter(|one| **one == Ok(Appended::Stale));
    assert_eq!(stale.count(), CROWD - 1 - log.len());
}

pub async fn a_message_answers_only_one_of_its_room(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let elsewhere = pair(&store, owner, other).await;
    let message_elsewhere = post(&store, elsewhere, owner, 1).await;
    for reply_to in [message_elsewhere.id, MessageId(999_999), MessageId(-1)] {
        let bad = NewChatMessage {
            reply_to: Some(reply_to),
            ..named(room, owner, 2, "a")
        };
        assert_eq!(append(&store, bad).await, Appended::BadReference);
    }
    let first = stored(append(&store, named(room, owner, 3, "a")).await);
    revise(&store, &deletion(&first, owner, NOW)).await;
    let good = NewChatMessage {
        reply_to: Some(first.id),
        ..message(room, other, 4)
    };
    let answer = stored(append(&store, good).await);
    assert_eq!(answer.reply_to, Some(first.id), "the place is still there");
}

pub async fn a_text_with_a_zero_byte_is_an_error_or_kept(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let new = NewChatMessage {
        text: "a\0b".to_owned(),
        folded_text: "a\0b".to_owned(),
        ..message(room, owner, 1)
    };
    match store.append(&[new]).await {
        Ok(answers) => assert_eq!(stored(answers[0].clone()).text, "a\0b"),
        Err(error) => assert!(matches!(error, StoreError::Fault(_)), "{error:?}"),
    }
    // Whichever it was, the store works on and no place is lost.
    let next = post(&store, room, owner, 2).await;
    assert_eq!(next.seq, find(&store, room).await.last_seq);
    assert_eq!(place(log(&store, room, owner).await.len()), next.seq);
}

pub async fn a_fingerprint_may_be_any_bytes(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    for (id, fingerprint) in [("a", [0; 32]), ("b", [0xff; 32]), ("c", hash(7))] {
        let new = NewChatMessage {
            fingerprint,
            ..named(room, owner, 1, id)
        };
        let first = stored(append(&store, new.clone()).await);
        assert_eq!(append(&store, new).await, Appended::Again(first));
    }
}
