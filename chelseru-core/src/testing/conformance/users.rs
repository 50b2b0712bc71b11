//! Accounts.

use super::fixture::{SharedStore, code, log_in, number, ok, two_users};
use crate::user::UserId;

pub async fn an_unknown_account_is_not_found(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    assert_eq!(ok(store.find_user(UserId(user.id.0 + 1)).await), None);
    assert_eq!(ok(store.find_user(UserId(-1)).await), None);
}

pub async fn an_account_is_found_by_exactly_its_name(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    log_in(&store, number(2), 0, 2).await;
    let name = &user.username;
    assert_eq!(ok(store.find_user_by_name(name).await), Some(user.clone()));
    for other in [
        "",
        "%",
        &name[..1],
        &name.to_uppercase(),
        &format!("{name} "),
    ] {
        assert_eq!(ok(store.find_user_by_name(other).await), None, "{other}");
    }
}

pub async fn an_account_is_kept_out_and_let_in_again(store: SharedStore) {
    let (user, other) = two_users(&store).await;
    for active in [false, false, true] {
        assert!(ok(store.set_user_active(user, active).await));
        let found = ok(store.find_user(user).await);
        assert_eq!(found.map(|user| user.is_active), Some(active));
    }
    ok(store.set_user_active(user, false).await);
    let found = ok(store.find_user(other).await);
    assert_eq!(
        found.map(|user| user.is_active),
        Some(true),
        "nobody else is kept out"
    );
}

pub async fn keeping_an_unknown_account_out_says_so(store: SharedStore) {
    assert!(!ok(store.set_user_active(UserId(1), false).await));
}

pub async fn a_number_is_known_by_an_active_account_in_any_group(store: SharedStore) {
    assert!(!ok(store.is_known_number(number(1)).await));
    let (in_one, _) = log_in(&store, number(1), 1, 1).await;
    let (in_two, _) = log_in(&store, number(1), -2, 2).await;
    assert!(ok(store.is_known_number(number(1)).await));
    assert!(!ok(store.is_known_number(number(2)).await));

    ok(store.set_user_active(in_one.id, false).await);
    assert!(
        ok(store.is_known_number(number(1)).await),
        "the other account is active"
    );
    ok(store.set_user_active(in_two.id, false).await);
    assert!(!ok(store.is_known_number(number(1)).await));
}

pub async fn a_number_that_only_asked_for_a_code_is_not_known(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    assert!(!ok(store.is_known_number(number(1)).await));
}
