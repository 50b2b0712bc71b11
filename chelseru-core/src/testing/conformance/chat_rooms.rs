//! Rooms: one for each pair, groups, and changes that are made on the revision they were decided on.

use super::chat_fixture::{
    ALL, append, change, deletion, edit, find, group, group_of_two, log, member_ids, message,
    new_group, pair, permissions, post, post_many, revise, users,
};
use super::fixture::{CROWD, MINUTE, NOW, SharedStore, all_at_once, count, ok};
use crate::chat::{Permission, Permissions, RoomId, RoomKind, RoomStatus, Seq};
use crate::store::{
    Appended, NewChatMessage, NewGroup, RoomChange, RoomChanged, RoomCursor, RoomEdit, RoomListing,
    RoomOpened, UNREAD_COUNTED,
};
use crate::user::UserId;

pub async fn a_pair_has_one_room_in_whatever_order_it_is_named(store: SharedStore) {
    let [one, other, third] = users(&store).await;
    let RoomOpened::New(room) = ok(store.open_pair(other, one, NOW).await) else {
        panic!("the pair had no room");
    };
    let known = RoomOpened::Known(room);
    assert_eq!(ok(store.open_pair(one, other, NOW).await), known);
    assert_eq!(ok(store.open_pair(other, one, NOW).await), known);
    assert_ne!(pair(&store, one, third).await, room);

    let (found, membership) = ok(store.find_room(room, one).await).expect("the room");
    assert_eq!((found.kind, found.owner), (RoomKind::Pair, None));
    assert_eq!((found.revision, found.last_seq), (1, Seq(0)));
    assert_eq!((found.member_count, found.status), (2, RoomStatus::Open));
    assert_eq!((found.created_at, found.updated_at), (NOW, NOW));
    let membership = membership.expect("a member");
    assert_eq!(membership.username, "u1");
    assert_eq!(membership.permissions, Permissions::MEMBER);
    assert_eq!((membership.joined_at, membership.banned_at), (NOW, None));
    assert_eq!(membership.read_seq, Seq(0));
    assert!(!membership.is_pinned && !membership.is_muted);
}

pub async fn a_pair_with_an_unknown_or_inactive_account_has_no_room(store: SharedStore) {
    let [one, other] = users(&store).await;
    let nobody = UserId(999_999);
    let unknown = RoomOpened::UnknownUser(nobody);
    assert_eq!(ok(store.open_pair(one, nobody, NOW).await), unknown);
    assert_eq!(ok(store.open_pair(nobody, one, NOW).await), unknown);
    ok(store.set_user_active(other, false).await);
    let inactive = RoomOpened::UnknownUser(other);
    assert_eq!(ok(store.open_pair(one, other, NOW).await), inactive);
    assert!(ok(store.rooms_of(one, None, ALL).await).is_empty());
}

pub async fn who_left_a_pair_is_in_it_again_when_it_is_opened(store: SharedStore) {
    let [one, other] = users(&store).await;
    let room = pair(&store, one, other).await;
    post(&store, room, other, 1).await;
    change(&store, room, &[RoomEdit::Remove(one)]).await;
    assert_eq!(member_ids(&store, room, false).await, [other]);
    let known = RoomOpened::Known(room);
    assert_eq!(ok(store.open_pair(other, one, NOW).await), known);
    assert_eq!(member_ids(&store, room, false).await, [one, other]);
    assert_eq!(find(&store, room).await.revision, 3);
    assert_eq!(log(&store, room, one).await.len(), 1);
}

pub async fn of_many_openings_of_a_pair_all_are_given_one_room(store: SharedStore) {
    let [one, other] = users(&store).await;
    let answers = all_at_once(&store, move |store, n| async move {
        let (one, other) = if n % 2 == 0 {
            (one, other)
        } else {
            (other, one)
        };
        ok(store.open_pair(one, other, NOW).await)
    })
    .await;
    let room = pair(&store, one, other).await;
    assert_eq!(count(&answers, &RoomOpened::New(room)), 1);
    assert_eq!(count(&answers, &RoomOpened::Known(room)), CROWD - 1);
    assert_eq!(find(&store, room).await.member_count, 2);
}

pub async fn leaving_a_pair_and_opening_it_at_once_agree(store: SharedStore) {
    let [one, other] = users(&store).await;
    let room = pair(&store, one, other).await;
    all_at_once(&store, move |store, n| async move {
        if n % 2 == 0 {
            assert_eq!(pair(&store, one, other).await, room);
        } else {
            let leave = RoomChange {
                room,
                revision: find(&store, room).await.revision,
                edits: vec![RoomEdit::Remove(one)],
                now: NOW,
            };
            ok(store.change_room(&leave).await);
        }
    })
    .await;
    pair(&store, one, other).await;
    assert_eq!(member_ids(&store, room, false).await, [one, other]);
    assert_eq!(find(&store, room).await.member_count, 2);
}

pub async fn a_group_is_made_with_its_members_each_once(store: SharedStore) {
    let [owner, one, other] = users(&store).await;
    let new = NewGroup {
        description: Some("درباره".to_owned()),
        avatar_url: Some("https://example.org/a.png".to_owned()),
        ..new_group(owner, &[other, one, owner, other])
    };
    let RoomOpened::New(room) = ok(store.create_group(&new).await) else {
        panic!("no new room");
    };
    let found = find(&store, room).await;
    assert_eq!((found.kind, found.owner), (RoomKind::Group, Some(owner)));
    assert_eq!(found.name.as_deref(), Some("گروه"));
    assert_eq!(found.description, new.description);
    assert_eq!(found.avatar_url, new.avatar_url);
    assert_eq!((found.member_count, found.revision), (3, 1));
    assert_eq!(member_ids(&store, room, false).await, [owner, one, other]);
    let everything = Some(Permissions::EVERYTHING);
    assert_eq!(permissions(&store, room, owner).await, everything);
    let member = Some(Permissions::MEMBER);
    assert_eq!(permissions(&store, room, one).await, member);
    assert_ne!(group(&store, owner, &[]).await, room);
}

pub async fn a_group_with_an_unknown_or_inactive_account_is_not_made(store: SharedStore) {
    let [owner, inactive] = users(&store).await;
    ok(store.set_user_active(inactive, false).await);
    for unknown in [UserId(999_999), inactive] {
        let answer = ok(store.create_group(&new_group(owner, &[unknown])).await);
        assert_eq!(answer, RoomOpened::UnknownUser(unknown));
        let answer = ok(store.create_group(&new_group(unknown, &[owner])).await);
        assert_eq!(answer, RoomOpened::UnknownUser(unknown));
    }
    assert!(ok(store.rooms_of(owner, None, ALL).await).is_empty());
}

pub async fn a_room_says_what_a_user_is_to_it(store: SharedStore) {
    let [owner, stranger] = users(&store).await;
    let room = group(&store, owner, &[]).await;
    let (found, membership) = ok(store.find_room(room, stranger).await).expect("the room");
    assert_eq!((found.id, membership), (room, None));
    assert_eq!(ok(store.find_room(RoomId(999_999), owner).await), None);
    change(&store, room, &[RoomEdit::Ban(stranger)]).await;
    let (_, membership) = ok(store.find_room(room, stranger).await).expect("the room");
    assert_eq!(membership.expect("a banned one").banned_at, Some(NOW));
}

pub async fn every_change_of_a_room_is_kept(store: SharedStore) {
    let (room, _, other) = group_of_two(&store).await;
    let later = NOW + MINUTE;
    let made = ok(store
        .change_room(&RoomChange {
            room,
            revision: 1,
            edits: vec![
                RoomEdit::Name("نام دیگر".to_owned()),
                RoomEdit::Description(Some("درباره".to_owned())),
                RoomEdit::AvatarUrl(Some("https://example.org/b.png".to_owned())),
                RoomEdit::Status(RoomStatus::Hold),
                RoomEdit::Owner(other),
            ],
            now: later,
        })
        .await);
    let changed = find(&store, room).await;
    assert_eq!(made, RoomChanged::Done(changed.clone()));
    assert_eq!(changed.name.as_deref(), Some("نام دیگر"));
    assert_eq!(changed.description.as_deref(), Some("درباره"));
    assert_eq!(
        changed.avatar_url.as_deref(),
        Some("https://example.org/b.png")
    );
    assert_eq!(changed.status, RoomStatus::Hold);
    assert_eq!(changed.owner, Some(other));
    assert_eq!((changed.revision, changed.updated_at), (2, later));
    assert_eq!(changed.created_at, NOW);

    let cleared = [
        RoomEdit::Description(None),
        RoomEdit::AvatarUrl(None),
        RoomEdit::Status(RoomStatus::Closed),
    ];
    let cleared = change(&store, room, &cleared).await;
    assert_eq!((cleared.description, cleared.avatar_url), (None, None));
    assert_eq!((cleared.status, cleared.revision), (RoomStatus::Closed, 3));
}

pub async fn a_change_that_was_decided_on_another_revision_is_not_made(store: SharedStore) {
    let (room, ..) = group_of_two(&store).await;
    change(&store, room, &[RoomEdit::Name("b".to_owned())]).await;
    for revision in [0, 1, 3] {
        let late = RoomChange {
            room,
            revision,
            edits: vec![RoomEdit::Name("c".to_owned())],
            now: NOW,
        };
        assert_eq!(ok(store.change_room(&late).await), RoomChanged::Stale);
    }
    assert_eq!(find(&store, room).await.name.as_deref(), Some("b"));
}

pub async fn a_room_that_is_not_there_is_not_changed(store: SharedStore) {
    let nothing = RoomChange {
        room: RoomId(999_999),
        revision: 1,
        edits: vec![RoomEdit::Name("c".to_owned())],
        now: NOW,
    };
    assert_eq!(ok(store.change_room(&nothing).await), RoomChanged::Gone);
    let deleted = store.delete_room(nothing.room, 1).await;
    assert_eq!(ok(deleted), RoomChanged::Gone);
}

pub async fn members_come_and_go(store: SharedStore) {
    let [owner, one, other] = users(&store).await;
    let room = group(&store, owner, &[]).await;
    let few = Permissions::MEMBER.with(Permission::Rename);
    let edits = [
        RoomEdit::Add(one, few),
        RoomEdit::Add(other, Permissions::MEMBER),
        RoomEdit::Add(one, Permissions::EVERYTHING),
    ];
    let changed = change(&store, room, &edits).await;
    assert_eq!(changed.member_count, 3);
    assert_eq!(permissions(&store, room, one).await, Some(few));

    let read_only = few.with(Permission::ReadOnly);
    change(&store, room, &[RoomEdit::Permit(one, read_only)]).await;
    assert_eq!(permissions(&store, room, one).await, Some(read_only));

    let edits = [RoomEdit::Remove(one), RoomEdit::Remove(UserId(999_999))];
    assert_eq!(change(&store, room, &edits).await.member_count, 2);
    assert_eq!(member_ids(&store, room, false).await, [owner, other]);
    change(&store, room, &[RoomEdit::Permit(one, few)]).await;
    assert_eq!(permissions(&store, room, one).await, None);
}

pub async fn who_comes_back_has_read_nothing(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    post(&store, room, owner, 1).await;
    ok(store.move_read_pointer(room, other, Seq(1)).await);
    change(&store, room, &[RoomEdit::Remove(other)]).await;
    change(&store, room, &[RoomEdit::Add(other, Permissions::MEMBER)]).await;
    let (_, membership) = ok(store.find_room(room, other).await).expect("the room");
    assert_eq!(membership.expect("a member").read_seq, Seq(0));
}

pub async fn a_banned_user_is_no_member_until_the_ban_is_lifted(store: SharedStore) {
    let [owner, member, stranger] = users(&store).await;
    let room = group(&store, owner, &[member]).await;
    let bans = [RoomEdit::Ban(member), RoomEdit::Ban(stranger)];
    assert_eq!(change(&store, room, &bans).await.member_count, 1);
    assert_eq!(member_ids(&store, room, false).await, [owner]);
    assert_eq!(member_ids(&store, room, true).await, [member, stranger]);

    for futile in [
        RoomEdit::Add(member, Permissions::EVERYTHING),
        RoomEdit::Add(stranger, Permissions::EVERYTHING),
        RoomEdit::Permit(member, Permissions::EVERYTHING),
        RoomEdit::Remove(member),
    ] {
        change(&store, room, &[futile]).await;
        assert_eq!(member_ids(&store, room, false).await, [owner]);
        assert_eq!(member_ids(&store, room, true).await, [member, stranger]);
    }

    let lifted = [RoomEdit::Unban(member), RoomEdit::Unban(owner)];
    assert_eq!(change(&store, room, &lifted).await.member_count, 1);
    assert_eq!(member_ids(&store, room, false).await, [owner]);
    assert_eq!(member_ids(&store, room, true).await, [stranger]);
    change(&store, room, &[RoomEdit::Add(member, Permissions::MEMBER)]).await;
    assert_eq!(member_ids(&store, room, false).await, [owner, member]);
}

pub async fn a_second_ban_keeps_the_time_of_the_first(store: SharedStore) {
    let (room, _, other) = group_of_two(&store).await;
    change(&store, room, &[RoomEdit::Ban(other)]).await;
    let again = RoomChange {
        room,
        revision: 2,
        edits: vec![RoomEdit::Ban(other)],
        now: NOW + MINUTE,
    };
    ok(store.change_room(&again).await);
    let banned = ok(store.memberships(room, &[other]).await);
    assert_eq!(banned[0].banned_at, Some(NOW));
}

pub async fn an_unknown_user_in_a_change_leaves_the_room_as_it_is(store: SharedStore) {
    let [owner, inactive, stranger] = users(&store).await;
    let room = group(&store, owner, &[]).await;
    ok(store.set_user_active(inactive, false).await);
    let nobody = UserId(999_999);
    for (edit, unknown) in [
        (RoomEdit::Add(nobody, Permissions::MEMBER), nobody),
        (RoomEdit::Add(inactive, Permissions::MEMBER), inactive),
        (RoomEdit::Ban(nobody), nobody),
        (RoomEdit::Ban(inactive), inactive),
        (RoomEdit::Owner(nobody), nobody),
        (RoomEdit::Owner(stranger), stranger),
    ] {
        let futile = RoomChange {
            room,
            revision: 1,
            edits: vec![RoomEdit::Name("b".to_owned()), edit],
            now: NOW,
        };
        let answer = ok(store.change_room(&futile).await);
        assert_eq!(answer, RoomChanged::UnknownUser(unknown));
    }
    let room = find(&store, room).await;
    assert_eq!((room.revision, room.member_count), (1, 1));
    assert_eq!(room.name.as_deref(), Some("گروه"));
    assert_eq!(room.owner, Some(owner));
}

pub async fn who_comes_in_with_a_change_may_own_the_room_with_it(store: SharedStore) {
    let [owner, next] = users(&store).await;
    let room = group(&store, owner, &[]).await;
    let handed_over = [
        RoomEdit::Add(next, Permissions::EVERYTHING),
        RoomEdit::Owner(next),
        RoomEdit::Remove(owner),
    ];
    let room = change(&store, room, &handed_over).await;
    assert_eq!((room.owner, room.member_count), (Some(next), 1));
}

pub async fn of_many_changes_on_one_revision_one_is_made(store: SharedStore) {
    let (room, ..) = group_of_two(&store).await;
    for revision in 1..=3 {
        let answers = all_at_once(&store, move |store, n| async move {
            let change = RoomChange {
                room,
                revision,
                edits: vec![RoomEdit::Name(n.to_string())],
                now: NOW,
            };
            ok(store.change_room(&change).await)
        })
        .await;
        assert_eq!(count(&answers, &RoomChanged::Stale), CROWD - 1);
        let now = find(&store, room).await;
        assert_eq!(now.revision, revision + 1);
        assert_eq!(count(&answers, &RoomChanged::Done(now)), 1);
    }
}

pub async fn a_deleted_room_leaves_nothing_behind(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let kept = group(&store, owner, &[]).await;
    post(&store, kept, owner, 1).await;
    let sent = post(&store, room, owner, 1).await;
    assert_eq!(ok(store.delete_room(room, 2).await), RoomChanged::Stale);
    let was = find(&store, room).await;
    assert_eq!(ok(store.delete_room(room, 1).await), RoomChanged::Done(was));
    assert_eq!(ok(store.delete_room(room, 1).await), RoomChanged::Gone);

    assert_eq!(ok(store.find_room(room, owner).await), None);
    assert_eq!(ok(store.find_message(sent.id, owner).await), None);
    assert!(log(&store, room, owner).await.is_empty());
    assert!(member_ids(&store, room, false).await.is_empty());
    assert!(ok(store.rooms_of(other, None, ALL).await).is_empty());
    assert!(ok(store.room_states(&[room]).await).is_empty());
    assert!(ok(store.list_rooms(other, None, ALL).await).is_empty());
    let late = append(&store, message(room, owner, 2)).await;
    assert_eq!(late, Appended::Gone);
    assert_eq!(log(&store, kept, owner).await.len(), 1);
    ok(store.purge(NOW, ALL).await);
    assert_eq!(log(&store, kept, owner).await.len(), 1);
    let next = group(&store, owner, &[]).await;
    assert!(next > room, "the id came back");
}

pub async fn a_deleted_pair_is_opened_anew_and_empty(store: SharedStore) {
    let [one, other] = users(&store).await;
    let room = pair(&store, one, other).await;
    post(&store, room, one, 1).await;
    ok(store.delete_room(room, 1).await);
    let RoomOpened::New(next) = ok(store.open_pair(one, other, NOW).await) else {
        panic!("the pair had no room any more");
    };
    assert_ne!(next, room);
    assert!(log(&store, next, one).await.is_empty());
}

pub async fn deleting_a_room_and_writing_to_it_at_once_agree(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let answers = all_at_once(&store, move |store, n| async move {
        if n == CROWD / 2 {
            ok(store.delete_room(room, 1).await);
            return None;
        }
        Some(append(&store, message(room, owner, n)).await)
    })
    .await;
    for answer in answers.into_iter().flatten() {
        assert!(
            matches!(answer, Appended::Stored(_) | Appended::Gone),
            "{answer:?}"
        );
    }
    assert!(log(&store, room, owner).await.is_empty());
}

async fn list(store: &SharedStore, user: UserId) -> Vec<RoomListing> {
    ok(store.list_rooms(user, None, ALL).await)
}

fn ids(rooms: &[RoomListing]) -> Vec<RoomId> {
    rooms.iter().map(|listing| listing.room.id).collect()
}

fn cursor(listing: &RoomListing) -> RoomCursor {
    RoomCursor {
        is_pinned: listing.membership.is_pinned,
        updated_at: listing.room.updated_at,
        id: listing.room.id,
    }
}

pub async fn rooms_are_listed_pinned_first_then_the_latest(store: SharedStore) {
    let [user, other] = users(&store).await;
    let mut rooms = Vec::new();
    for _ in 0..4 {
        rooms.push(group(&store, user, &[other]).await);
    }
    let newest_first = [3, 2, 1, 0].map(|n: usize| rooms[n]);
    assert_eq!(ids(&list(&store, user).await), newest_first);
    let later = NewChatMessage {
        now: NOW + MINUTE,
        ..message(rooms[1], other, 1)
    };
    append(&store, later).await;
    ok(store
        .set_member_flags(rooms[0], user, Some(true), None)
        .await);
    let listed = list(&store, user).await;
    assert_eq!(ids(&listed), [0, 1, 3, 2].map(|n: usize| rooms[n]));
    assert!(listed[0].membership.is_pinned);
    assert_eq!(listed[1].room.updated_at, NOW + MINUTE);
    let of_other = [1, 3, 2, 0].map(|n: usize| rooms[n]);
    assert_eq!(ids(&list(&store, other).await), of_other);
}

pub async fn rooms_are_read_page_by_page_while_new_ones_come(store: SharedStore) {
    let [user] = users(&store).await;
    let mut rooms = Vec::new();
    for n in 0..7 {
        let room = group(&store, user, &[]).await;
        rooms.push(room);
        if n < 2 {
            ok(store.set_member_flags(room, user, Some(true), None).await);
        }
    }
    let mut after = None;
    let mut read = Vec::new();
    loop {
        let page = ok(store.list_rooms(user, after, 2).await);
        read.extend(ids(&page));
        after = page.last().map(cursor);
        if page.len() < 2 {
            break;
        }
        let new = NewGroup {
            now: NOW + MINUTE,
            ..new_group(user, &[])
        };
        ok(store.create_group(&new).await);
    }
    // The first new room came before the cursor had left the pinned ones.
    read.retain(|room| rooms.contains(room));
    assert_eq!(read, [1, 0, 6, 5, 4, 3, 2].map(|n: usize| rooms[n]));
}

pub async fn only_a_members_own_rooms_are_listed(store: SharedStore) {
    let [user, other] = users(&store).await;
    let of_both = group(&store, user, &[other]).await;
    let banned = group(&store, user, &[other]).await;
    let left = group(&store, user, &[other]).await;
    group(&store, user, &[]).await;
    change(&store, banned, &[RoomEdit::Ban(other)]).await;
    change(&store, left, &[RoomEdit::Remove(other)]).await;
    assert_eq!(ids(&list(&store, other).await), [of_both]);
    let states = ok(store.rooms_of(other, None, ALL).await);
    assert_eq!(states.len(), 1);
    assert_eq!(states[0].room, of_both);
}

pub async fn one_room_is_found_as_it_is_listed_and_for_its_members_alone(store: SharedStore) {
    let [owner, member, banned, stranger] = users(&store).await;
    let room = group(&store, owner, &[member, banned]).await;
    pair(&store, owner, member).await;
    post(&store, room, member, 1).await;
    change(&store, room, &[RoomEdit::Ban(banned)]).await;
    for user in [owner, member] {
        for listed in list(&store, user).await {
            let found = ok(store.find_listing(listed.room.id, user).await);
            assert_eq!(found, Some(listed));
        }
    }
    for user in [banned, stranger] {
        assert_eq!(ok(store.find_listing(room, user).await), None);
    }
    assert_eq!(ok(store.find_listing(RoomId(-1), owner).await), None);
}

pub async fn a_listed_pair_names_the_other_one(store: SharedStore) {
    let [one, other] = users(&store).await;
    let room = pair(&store, one, other).await;
    for (user, peer, name) in [(one, other, "u2"), (other, one, "u1")] {
        let listed = list(&store, user).await;
        assert_eq!(listed[0].room, find(&store, room).await);
        assert_eq!(listed[0].membership.user, user);
        let found = listed[0].peer.as_ref().expect("a peer");
        assert_eq!((found.user, found.username.as_str()), (peer, name));
    }
    change(&store, room, &[RoomEdit::Remove(other)]).await;
    assert_eq!(list(&store, one).await[0].peer, None);
    group(&store, one, &[other]).await;
    assert_eq!(list(&store, other).await[0].peer, None);
}

pub async fn unread_messages_are_those_of_others_after_the_pointer(store: SharedStore) {
    let (room, one, other) = group_of_two(&store).await;
    let sent = post_many(&store, room, one, 1..=5).await;
    post(&store, room, other, 6).await;
    let late = post_many(&store, room, one, 7..=10).await;
    let unread = async || {
        let listed = list(&store, other).await;
        listed[0].unread
    };
    // Who writes has read what was written before.
    assert_eq!(unread().await, 4);
    revise(&store, &edit(&sent[0], one, "x", NOW)).await;
    revise(&store, &edit(&late[0], one, "x", NOW)).await;
    assert_eq!(unread().await, 4, "edits are no messages");
    revise(&store, &deletion(&late[0], one, NOW)).await;
    assert_eq!(unread().await, 3, "there is nothing to read");
    ok(store.hide_message(late[1].id, other, NOW).await);
    assert_eq!(unread().await, 2);
    ok(store.move_read_pointer(room, other, late[2].seq).await);
    assert_eq!(unread().await, 1);
    ok(store.move_read_pointer(room, other, Seq(ALL.into())).await);
    assert_eq!(unread().await, 0);
    assert_eq!(list(&store, one).await[0].unread, 0);
}

pub async fn unread_messages_are_counted_at_the_end_of_a_log(store: SharedStore) {
    let (room, one, other) = group_of_two(&store).await;
    let most = usize::try_from(UNREAD_COUNTED).expect("a small number");
    for batch in (1..=most).collect::<Vec<_>>().chunks(200) {
        post_many(&store, room, one, batch[0]..=batch[batch.len() - 1]).await;
    }
    assert_eq!(list(&store, other).await[0].unread, UNREAD_COUNTED);
    let late = post_many(&store, room, one, 1..=3).await;
    assert_eq!(list(&store, other).await[0].unread, UNREAD_COUNTED);
    revise(&store, &edit(&late[0], one, "x", NOW)).await;
    assert_eq!(list(&store, other).await[0].unread, UNREAD_COUNTED - 1);
}

pub async fn the_last_message_is_listed_as_its_reader_sees_it(store: SharedStore) {
    let (room, one, other) = group_of_two(&store).await;
    assert_eq!(list(&store, one).await[0].last_message, None);
    let first = post(&store, room, one, 1).await;
    let last = post(&store, room, one, 2).await;
    revise(&store, &edit(&first, one, "x", NOW)).await;
    let listed = list(&store, other).await;
    assert_eq!(listed[0].last_message.as_ref(), Some(&last));
    assert_eq!(listed[0].room.last_seq, Seq(3));
    ok(store.hide_message(last.id, other, NOW + MINUTE).await);
    let hidden = list(&store, other).await[0].last_message.clone();
    let hidden = hidden.expect("it has its place");
    assert_eq!((hidden.id, hidden.text.as_str()), (last.id, ""));
    assert_eq!(hidden.deleted_at, Some(NOW + MINUTE));
    assert_eq!(list(&store, one).await[0].last_message, Some(last));
}
