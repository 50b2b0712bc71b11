//! Housekeeping.

use super::fixture::{
    MILLI, MINUTE, NOW, SharedStore, all_at_once, code, code_id, log_in, number, ok, session,
};
use crate::store::{NewCode, NewSession};

pub async fn a_store_that_works_answers_a_ping(store: SharedStore) {
    ok(store.ping().await);
}

pub async fn an_empty_store_has_nothing_to_purge(store: SharedStore) {
    assert_eq!(ok(store.purge(NOW, 100).await), 0);
}

pub async fn a_purge_removes_what_is_over_and_nothing_else(store: SharedStore) {
    let (user, kept) = log_in(&store, number(9), 0, 9).await;
    let short = NewSession {
        expires_at: NOW + MINUTE,
        ..session(1)
    };
    let short = ok(store.adopt_session(user.id, &short, NOW).await).expect("the key is new");
    let over = NewCode {
        expires_at: NOW + MINUTE,
        ..code(number(1), 1)
    };
    ok(store.reserve_code(&over).await);
    ok(store.reserve_code(&code(number(2), 2)).await);

    assert_eq!(ok(store.purge(NOW + MINUTE - MILLI, 100).await), 0);
    assert_eq!(ok(store.purge(NOW + MINUTE, 100).await), 2);
    assert_eq!(ok(store.find_session(short).await), None);
    assert!(ok(store.find_session(kept).await).is_some());
    let counted = ok(store.count_attempt(number(2), NOW, 5).await);
    assert_eq!(counted.map(|code| code.id), Some(code_id(2)));
    assert_eq!(ok(store.purge(NOW + MINUTE, 100).await), 0);
}

pub async fn a_session_that_was_ended_early_keeps_its_row(store: SharedStore) {
    let (user, id) = log_in(&store, number(1), 0, 1).await;
    ok(store.end_session(user.id, id, NOW).await);
    assert_eq!(ok(store.purge(NOW + MINUTE, 100).await), 0);
    assert!(ok(store.find_session(id).await).is_some());
    assert_eq!(ok(store.purge(NOW + 24 * 60 * MINUTE, 100).await), 1);
}

pub async fn a_purge_stops_at_its_limit_of_each_kind(store: SharedStore) {
    let (user, _) = log_in(&store, number(9), 0, 9).await;
    for n in 1..=5 {
        ok(store.reserve_code(&code(number(n), n)).await);
        ok(store.adopt_session(user.id, &session(100 + n), NOW).await);
    }
    let after_all = NOW + 48 * 60 * MINUTE;
    let mut removed = Vec::new();
    for _ in 0..4 {
        removed.push(ok(store.purge(after_all, 2).await));
    }
    assert_eq!(
        removed,
        [4, 4, 3, 0],
        "five codes and six sessions, two of each at a time"
    );
}

pub async fn the_id_of_a_purged_session_is_never_used_again(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    let last = ok(store.adopt_session(user.id, &session(2), NOW).await).expect("the key is new");
    assert_eq!(ok(store.purge(NOW + 48 * 60 * MINUTE, 100).await), 2);
    let next = ok(store.adopt_session(user.id, &session(3), NOW).await).expect("the key is new");
    assert!(next > last, "{next:?} came after {last:?}");
}

pub async fn purges_at_once_remove_each_row_once(store: SharedStore) {
    for n in 1..=10 {
        ok(store.reserve_code(&code(number(n), n)).await);
    }
    let removed = all_at_once(&store, |store, _| async move {
        ok(store.purge(NOW + 4 * MINUTE, 3).await)
    })
    .await;
    let at_once: u64 = removed.iter().sum();
    assert_eq!(at_once + ok(store.purge(NOW + 4 * MINUTE, 100).await), 10);
}
