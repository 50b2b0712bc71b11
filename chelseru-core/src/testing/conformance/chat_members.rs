//! Members, and how far they have read.

use super::chat_fixture::{
    ALL, change, group, group_of_two, message, place, post, post_many, users,
};
use super::fixture::{CROWD, NOW, SharedStore, all_at_once, count, ok};
use crate::chat::{RoomId, Seq};
use crate::store::{ReadPointer, RoomEdit, RoomState};
use crate::user::UserId;

pub async fn members_are_read_page_by_page(store: SharedStore) {
    let all: [UserId; 5] = users(&store).await;
    let room = group(&store, all[2], &all).await;
    let mut read = Vec::new();
    let mut after = None;
    loop {
        let page = ok(store.members(room, false, after, 2).await);
        let Some(last) = page.last() else { break };
        after = Some(last.user);
        read.extend(page.iter().map(|member| member.user));
    }
    assert_eq!(read, all);
    let bans = [RoomEdit::Ban(all[1]), RoomEdit::Ban(all[4])];
    change(&store, room, &bans).await;
    let banned = ok(store.members(room, true, Some(all[1]), ALL).await);
    assert_eq!(banned.len(), 1);
    assert_eq!(
        (banned[0].user, banned[0].username.as_str()),
        (all[4], "u5")
    );
}

pub async fn memberships_are_of_those_that_are_anything_to_the_room(store: SharedStore) {
    let [owner, banned, stranger] = users(&store).await;
    let room = group(&store, owner, &[banned]).await;
    change(&store, room, &[RoomEdit::Ban(banned)]).await;
    let asked = [stranger, banned, owner, UserId(999_999)];
    let found = ok(store.memberships(room, &asked).await);
    let mut found: Vec<_> = found
        .iter()
        .map(|member| (member.user, member.banned_at))
        .collect();
    found.sort();
    assert_eq!(found, [(owner, None), (banned, Some(NOW))]);
    assert!(ok(store.memberships(room, &[]).await).is_empty());
    let elsewhere = store.memberships(RoomId(999_999), &asked).await;
    assert!(ok(elsewhere).is_empty());
}

pub async fn the_states_of_rooms_say_how_far_they_are(store: SharedStore) {
    let [owner] = users(&store).await;
    let mut rooms = Vec::new();
    for _ in 0..3 {
        rooms.push(group(&store, owner, &[]).await);
    }
    post_many(&store, rooms[1], owner, 1..=4).await;
    change(&store, rooms[2], &[RoomEdit::Name("b".to_owned())]).await;
    let state = |n: usize, revision, last_seq| RoomState {
        room: rooms[n],
        revision,
        last_seq: Seq(last_seq),
    };
    let expected = [state(0, 1, 0), state(1, 1, 4), state(2, 2, 0)];
    assert_eq!(ok(store.rooms_of(owner, None, ALL).await), expected);
    let page = ok(store.rooms_of(owner, Some(rooms[0]), 1).await);
    assert_eq!(page, expected[1..2]);

    let asked = [rooms[2], RoomId(999_999), rooms[1]];
    let mut states = ok(store.room_states(&asked).await);
    states.sort_by_key(|state| state.room);
    assert_eq!(states, expected[1..]);
    assert!(ok(store.room_states(&[]).await).is_empty());
}

pub async fn a_read_pointer_moves_forward_to_the_end_at_most(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let moved_to = async |seq| ok(store.move_read_pointer(room, other, Seq(seq)).await);
    let pointer = |seq, moved| {
        Some(ReadPointer {
            seq: Seq(seq),
            moved,
        })
    };
    assert_eq!(moved_to(1).await, pointer(0, false));
    post_many(&store, room, owner, 1..=5).await;
    assert_eq!(moved_to(3).await, pointer(3, true));
    assert_eq!(moved_to(3).await, pointer(3, false));
    assert_eq!(moved_to(2).await, pointer(3, false));
    assert_eq!(moved_to(-1).await, pointer(3, false));
    assert_eq!(moved_to(i64::MAX).await, pointer(5, true));
    let of_owner = ok(store.move_read_pointer(room, owner, Seq(1)).await);
    assert_eq!(of_owner, pointer(5, false), "who writes has read");
}

pub async fn who_is_no_member_has_no_read_pointer_and_no_flags(store: SharedStore) {
    let [owner, banned, stranger] = users(&store).await;
    let room = group(&store, owner, &[banned]).await;
    post(&store, room, owner, 1).await;
    change(&store, room, &[RoomEdit::Ban(banned)]).await;
    for (room, user) in [
        (room, banned),
        (room, stranger),
        (RoomId(999_999), owner),
        (room, UserId(999_999)),
    ] {
        let moved = store.move_read_pointer(room, user, Seq(1)).await;
        assert_eq!(ok(moved), None);
        let flags = store.set_member_flags(room, user, Some(true), None).await;
        assert!(!ok(flags));
        assert!(!ok(store.set_member_flags(room, user, None, None).await));
    }
}

pub async fn of_many_moves_of_a_read_pointer_the_furthest_stays(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    post_many(&store, room, owner, 1..=CROWD).await;
    let answers = all_at_once(&store, move |store, n| async move {
        let seq = place(n + 1);
        let pointer = ok(store.move_read_pointer(room, other, seq).await);
        let pointer = pointer.expect("a member");
        assert!(pointer.seq >= seq, "it moved back");
        pointer
    })
    .await;
    let end = place(CROWD);
    let ends = answers.iter().filter(|one| one.seq == end && one.moved);
    assert_eq!(ends.count(), 1);
    let member = ok(store.memberships(room, &[other]).await).remove(0);
    assert_eq!(member.read_seq, end);
}

pub async fn of_many_equal_moves_of_a_read_pointer_one_moves_it(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    post_many(&store, room, owner, 1..=3).await;
    let answers = all_at_once(&store, move |store, _| async move {
        ok(store.move_read_pointer(room, other, Seq(3)).await)
    })
    .await;
    let pointer = |moved| Some(ReadPointer { seq: Seq(3), moved });
    assert_eq!(count(&answers, &pointer(true)), 1);
    assert_eq!(count(&answers, &pointer(false)), CROWD - 1);
}

pub async fn reading_and_writing_at_once_both_move_the_pointer_forward(store: SharedStore) {
    let (room, one, other) = group_of_two(&store).await;
    all_at_once(&store, move |store, n| async move {
        if n % 2 == 0 {
            ok(store
                .append(&[message(room, one, n), message(room, other, n)])
                .await);
        } else {
            ok(store.move_read_pointer(room, one, Seq(i64::MAX)).await);
        }
    })
    .await;
    let pointers = ok(store.memberships(room, &[one, other]).await);
    for member in pointers {
        assert!(member.read_seq >= place(CROWD - 1), "{member:?}");
    }
}

pub async fn pins_and_mutes_are_each_members_own(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let flags = async |user| {
        let member = ok(store.memberships(room, &[user]).await).remove(0);
        (member.is_pinned, member.is_muted)
    };
    let set = async |pinned, muted| {
        assert!(ok(store.set_member_flags(room, other, pinned, muted).await));
    };
    set(Some(true), None).await;
    assert_eq!(flags(other).await, (true, false));
    set(None, Some(true)).await;
    assert_eq!(flags(other).await, (true, true));
    set(Some(false), None).await;
    assert_eq!(flags(other).await, (false, true));
    set(None, None).await;
    assert_eq!(flags(other).await, (false, true));
    assert_eq!(flags(owner).await, (false, false));
    let states = ok(store.room_states(&[room]).await);
    assert_eq!(states[0].revision, 1, "that changes nobody's rights");
}
