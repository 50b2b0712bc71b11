//! What happened to accounts, in the order in which it was committed.

use std::num::NonZeroU32;

use super::fixture::{
    CROWD, MILLI, MINUTE, NOW, SharedStore, adopt, all_at_once, client, hash, log_in, login,
    number, ok, redeem_new_code, session, two_users,
};
use crate::session::SessionId;
use crate::store::{CHANGES_KEPT, ChangeNumber, NewLogin, NewSession, Rotation, Successor};
use crate::user::UserId;

/// Whose changes there are after that one, having seen that their numbers have no gaps.
async fn changed_after(store: &SharedStore, after: ChangeNumber) -> Vec<UserId> {
    let changes = ok(store.changes_after(after, 1000).await).expect("none was purged");
    for (change, due) in changes.iter().zip(after.0 + 1..) {
        assert_eq!(change.number.0, due);
    }
    changes.into_iter().map(|change| change.user).collect()
}

/// Whose changes there are since the first.
async fn changed(store: &SharedStore) -> Vec<UserId> {
    changed_after(store, ChangeNumber(0)).await
}

/// Presents the refresh token of that `n`.
fn rotation(id: SessionId, n: usize) -> Rotation {
    Rotation {
        session: id,
        presented: hash(n),
        successor: Some(Successor {
            hash: hash(n + 1),
            expires_at: NOW + 60 * MINUTE,
            repeat_since: None,
        }),
        client: client(1),
        now: NOW,
    }
}

/// A session that leaves its account room for no other.
fn only_session(n: usize) -> NewSession {
    NewSession {
        at_most: NonZeroU32::new(1),
        ..session(n)
    }
}

pub async fn before_the_first_change_there_is_none(store: SharedStore) {
    assert_eq!(ok(store.newest_change().await), ChangeNumber(0));
    assert_eq!(changed(&store).await, []);
}

pub async fn what_ends_nothing_is_no_change(store: SharedStore) {
    let (user, id) = log_in(&store, number(1), 0, 1).await;
    ok(store.touch_session(id, &client(2), NOW).await);
    ok(store.rotate_refresh(&rotation(id, 1)).await);
    adopt(&store, user.id, &session(5)).await;
    ok(store.end_session(user.id, SessionId(id.0 + 99), NOW).await);
    ok(store.end_session(UserId(user.id.0 + 99), id, NOW).await);
    ok(store.end_sessions(UserId(user.id.0 + 99), None, NOW).await);
    ok(store
        .set_user_active(UserId(user.id.0 + 99), false, NOW)
        .await);
    ok(store
        .rotate_refresh(&rotation(SessionId(id.0 + 99), 1))
        .await);
    assert_eq!(changed(&store).await, []);
}

pub async fn an_ended_session_is_a_change_of_its_account(store: SharedStore) {
    let (user, other) = two_users(&store).await;
    let id = adopt(&store, user, &session(1)).await;
    adopt(&store, other, &session(2)).await;
    ok(store.end_session(user, id, NOW).await);
    ok(store.end_session(user, id, NOW).await);
    ok(store.end_sessions(other, None, NOW).await);
    ok(store.end_sessions(other, None, NOW).await);
    assert_eq!(changed(&store).await, [user, other]);
    assert_eq!(ok(store.newest_change().await), ChangeNumber(2));
}

pub async fn an_account_that_is_kept_out_or_let_in_is_a_change(store: SharedStore) {
    let (user, other) = two_users(&store).await;
    ok(store.set_user_active(other, false, NOW).await);
    ok(store.set_user_active(user, false, NOW).await);
    ok(store.set_user_active(other, true, NOW).await);
    assert_eq!(changed(&store).await, [other, user, other]);
}

pub async fn a_reused_token_is_a_change(store: SharedStore) {
    let (user, id) = log_in(&store, number(1), 0, 1).await;
    ok(store.rotate_refresh(&rotation(id, 1)).await);
    ok(store.rotate_refresh(&rotation(id, 1)).await);
    assert_eq!(changed(&store).await, [user.id]);

    let known = session(7);
    adopt(&store, user.id, &known).await;
    ok(store.adopt_session(user.id, &known, None, NOW).await);
    ok(store.adopt_session(user.id, &known, None, NOW).await);
    assert_eq!(changed(&store).await, [user.id, user.id]);
}

pub async fn a_session_that_makes_room_for_another_is_a_change(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    adopt(&store, user.id, &only_session(2)).await;
    assert_eq!(changed(&store).await, [user.id]);
    let again = NewLogin {
        session: only_session(3),
        ..login(number(1), 0, 3)
    };
    redeem_new_code(&store, &again, 3).await;
    assert_eq!(changed(&store).await, [user.id, user.id]);

    let first = NewLogin {
        session: only_session(4),
        ..login(number(2), 0, 4)
    };
    redeem_new_code(&store, &first, 4).await;
    assert_eq!(changed(&store).await.len(), 2, "nothing made room for it");
}

pub async fn changes_are_read_page_by_page(store: SharedStore) {
    let (user, other) = two_users(&store).await;
    for id in [user, other, user] {
        ok(store.set_user_active(id, true, NOW).await);
    }
    let first = ok(store.changes_after(ChangeNumber(0), 2).await).unwrap();
    let users: Vec<_> = first.iter().map(|change| change.user).collect();
    assert_eq!(users, [user, other]);
    assert_eq!(changed_after(&store, ChangeNumber(2)).await, [user]);
    assert_eq!(changed_after(&store, ChangeNumber(3)).await, []);
}

pub async fn who_asks_for_changes_that_were_purged_is_told_so(store: SharedStore) {
    let (user, other) = two_users(&store).await;
    ok(store.set_user_active(user, true, NOW).await);
    ok(store.set_user_active(other, true, NOW + MILLI).await);
    ok(store.purge(NOW + CHANGES_KEPT - MILLI, 100).await);
    assert_eq!(changed(&store).await, [user, other]);

    ok(store.purge(NOW + CHANGES_KEPT, 100).await);
    assert_eq!(ok(store.changes_after(ChangeNumber(0), 9).await), None);
    assert_eq!(changed_after(&store, ChangeNumber(1)).await, [other]);
    ok(store.purge(NOW + CHANGES_KEPT + MILLI, 100).await);
    assert_eq!(ok(store.changes_after(ChangeNumber(1), 9).await), None);
    assert_eq!(changed_after(&store, ChangeNumber(2)).await, []);

    ok(store.set_user_active(user, true, NOW).await);
    assert_eq!(ok(store.newest_change().await), ChangeNumber(3));
    assert_eq!(changed_after(&store, ChangeNumber(2)).await, [user]);
}

pub async fn a_change_in_the_midst_that_was_purged_is_missed_by_nobody(store: SharedStore) {
    let (user, other) = two_users(&store).await;
    // The clocks of two nodes differ: the second change is the older one.
    ok(store.set_user_active(user, true, NOW + MINUTE).await);
    ok(store.set_user_active(other, true, NOW).await);
    ok(store.set_user_active(user, true, NOW + MINUTE).await);
    ok(store.purge(NOW + CHANGES_KEPT, 100).await);
    assert_eq!(ok(store.changes_after(ChangeNumber(0), 9).await), None);
    assert_eq!(changed_after(&store, ChangeNumber(2)).await, [user]);
}

pub async fn a_number_that_was_never_reached_tells_of_no_changes(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    ok(store.set_user_active(user, true, NOW).await);
    for unknown in [2, i64::MAX, -1, i64::MIN] {
        let changes = ok(store.changes_after(ChangeNumber(unknown), 9).await);
        assert_eq!(changes, None, "{unknown}");
    }
}

pub async fn changes_at_once_are_numbered_without_gaps(store: SharedStore) {
    let (user, other) = two_users(&store).await;
    let mut sessions = Vec::new();
    for n in 0..CROWD {
        sessions.push(adopt(&store, user, &session(n)).await);
    }
    // Half of them change nothing.
    let ended = all_at_once(&store, move |store, n| {
        let id = sessions[n / 2];
        async move {
            if n % 8 == 0 {
                ok(store.set_user_active(other, true, NOW).await)
            } else {
                ok(store.end_session(user, id, NOW).await)
            }
        }
    })
    .await;
    let ended = ended.iter().filter(|was_live| **was_live).count();
    assert_eq!(changed(&store).await.len(), ended);
}

pub async fn a_reader_beside_many_changes_misses_none(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let mut sessions = Vec::new();
    for n in 0..CROWD {
        sessions.push(adopt(&store, user, &session(n)).await);
    }
    let reading = tokio::spawn({
        let store = store.clone();
        async move {
            let mut read = ChangeNumber(0);
            while read.0 < i64::try_from(CROWD).expect("a small number") {
                let page = ok(store.changes_after(read, 5).await).expect("none was purged");
                for change in page {
                    assert_eq!(
                        change.number.0,
                        read.0 + 1,
                        "none comes before an earlier one"
                    );
                    read = change.number;
                }
                tokio::task::yield_now().await;
            }
        }
    });
    all_at_once(&store, move |store, n| {
        let id = sessions[n];
        async move { assert!(ok(store.end_session(user, id, NOW).await)) }
    })
    .await;
    reading.await.expect("a reader that has read all");
}

pub async fn a_change_that_is_read_has_happened(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let mut sessions = Vec::new();
    for n in 0..CROWD {
        sessions.push(adopt(&store, user, &session(n)).await);
    }
    all_at_once(&store, move |store, n| {
        let id = sessions[n];
        async move {
            let before = ok(store.newest_change().await);
            assert!(ok(store.end_session(user, id, NOW).await));
            let after = ok(store.newest_change().await);
            assert!(after > before, "{before:?} {after:?}");
            let changes = ok(store.changes_after(before, 1000).await).expect("none was purged");
            let live = ok(store.list_sessions(user, NOW).await);
            let at_least = i64::try_from(changes.len()).expect("a small number") + before.0;
            let ended = i64::try_from(CROWD + 1 - live.len()).expect("a small number");
            assert!(ended >= at_least, "{ended} of {at_least} have happened");
        }
    })
    .await;
}
