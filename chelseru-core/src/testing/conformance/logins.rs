//! Redeeming a code: the code is used up, the account exists, the session is open, or nothing is.

use super::fixture::{
    CROWD, MINUTE, NOW, SharedStore, all_at_once, all_differ, client, code, code_id, count, hash,
    log_in, logged_in, login, number, ok, redeem_new_code,
};
use crate::session::Session;
use crate::store::{NewLogin, Redeemed, Reservation};
use crate::user::{User, UserId};

pub async fn a_first_login_makes_the_account_and_opens_the_session(store: SharedStore) {
    let redeemed = redeem_new_code(&store, &login(number(1), -7, 1), 1).await;
    assert!(
        matches!(redeemed, Redeemed::LoggedIn { is_new: true, .. }),
        "{redeemed:?}"
    );
    let (user, session) = logged_in(redeemed);
    let expected_user = User {
        id: user.id,
        mobile_number: number(1),
        group: -7,
        username: "u1".to_owned(),
        is_active: true,
        created_at: NOW,
    };
    let expected_session = Session {
        id: session,
        user: user.id,
        key: "session-1".to_owned(),
        refresh_hash: hash(1),
        replaced: None,
        client: client(1),
        last_seen: NOW,
        created_at: NOW,
        expires_at: NOW + 24 * 60 * MINUTE,
        ended_at: None,
    };
    assert_eq!(user, expected_user);
    assert_eq!(
        ok(store.find_user(user.id).await),
        Some(expected_user.clone())
    );
    let found = ok(store.find_session(session).await);
    assert_eq!(found, Some((expected_session, expected_user)));
}

pub async fn a_later_login_finds_the_account_and_opens_another_session(store: SharedStore) {
    let (first, first_session) = log_in(&store, number(1), 3, 1).await;
    let redeemed = redeem_new_code(&store, &login(number(1), 3, 2), 2).await;
    assert!(
        matches!(redeemed, Redeemed::LoggedIn { is_new: false, .. }),
        "{redeemed:?}"
    );
    let (again, second_session) = logged_in(redeemed);
    assert_eq!(
        again, first,
        "the username of the second login was not needed"
    );
    assert_ne!(second_session, first_session);
    assert_eq!(ok(store.list_sessions(first.id, NOW).await).len(), 2);
}

pub async fn a_number_owns_one_account_in_each_group(store: SharedStore) {
    let (in_one, _) = log_in(&store, number(1), 1, 1).await;
    let (in_two, _) = log_in(&store, number(1), 2, 2).await;
    let (other_number, _) = log_in(&store, number(2), 1, 3).await;
    assert!(all_differ(&[in_one.id, in_two.id, other_number.id]));
    assert_eq!((in_one.group, in_two.group), (1, 2));
}

pub async fn a_code_is_redeemed_once_and_makes_room(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    let again = ok(store.redeem_code(code_id(1), &login(number(1), 0, 2)).await);
    assert_eq!(again, Redeemed::AlreadyUsed);
    assert_eq!(ok(store.list_sessions(user.id, NOW).await).len(), 1);
    assert_eq!(
        ok(store.reserve_code(&code(number(1), 3)).await),
        Reservation::Reserved
    );
}

pub async fn a_withdrawn_code_is_not_redeemed(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    ok(store.withdraw_code(number(1), code_id(1)).await);
    let redeemed = ok(store.redeem_code(code_id(1), &login(number(1), 0, 1)).await);
    assert_eq!(redeemed, Redeemed::AlreadyUsed);
    assert_eq!(ok(store.find_user(UserId(1)).await), None);
}

pub async fn an_ended_code_is_not_redeemed(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    let late = NewLogin {
        now: NOW + 4 * MINUTE,
        ..login(number(1), 0, 1)
    };
    assert_eq!(
        ok(store.redeem_code(code_id(1), &late).await),
        Redeemed::AlreadyUsed
    );
}

pub async fn a_code_lets_in_only_its_own_number(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    let other = ok(store.redeem_code(code_id(1), &login(number(2), 0, 1)).await);
    assert_eq!(other, Redeemed::AlreadyUsed);
    logged_in(ok(store
        .redeem_code(code_id(1), &login(number(1), 0, 2))
        .await));
}

pub async fn a_replaced_code_is_not_redeemed(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    ok(store.withdraw_code(number(1), code_id(1)).await);
    ok(store.reserve_code(&code(number(1), 2)).await);
    let older = ok(store.redeem_code(code_id(1), &login(number(1), 0, 1)).await);
    assert_eq!(older, Redeemed::AlreadyUsed);
    logged_in(ok(store
        .redeem_code(code_id(2), &login(number(1), 0, 2))
        .await));
}

pub async fn a_closed_sign_up_changes_nothing(store: SharedStore) {
    let closed = NewLogin {
        may_sign_up: false,
        ..login(number(1), 5, 1)
    };
    assert_eq!(
        redeem_new_code(&store, &closed, 1).await,
        Redeemed::SignUpClosed
    );
    let redeemed = ok(store.redeem_code(code_id(1), &login(number(1), 5, 1)).await);
    assert!(
        matches!(redeemed, Redeemed::LoggedIn { is_new: true, .. }),
        "the code was still good and there was no account: {redeemed:?}"
    );
}

pub async fn a_closed_sign_up_lets_known_accounts_in(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    let closed = NewLogin {
        may_sign_up: false,
        ..login(number(1), 0, 2)
    };
    let (again, _) = logged_in(redeem_new_code(&store, &closed, 2).await);
    assert_eq!(again, user);
}

pub async fn an_inactive_account_is_not_let_in_and_nothing_changes(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    ok(store.set_user_active(user.id, false, NOW).await);
    let refused = redeem_new_code(&store, &login(number(1), 0, 2), 2).await;
    assert_eq!(refused, Redeemed::Inactive);
    ok(store.set_user_active(user.id, true, NOW).await);
    let (again, _) = logged_in(ok(store
        .redeem_code(code_id(2), &login(number(1), 0, 2))
        .await));
    assert_eq!(again, user, "the code was still good");
    assert_eq!(ok(store.list_sessions(user.id, NOW).await).len(), 2);
}

pub async fn a_login_that_fails_half_way_changes_nothing(store: SharedStore) {
    log_in(&store, number(1), 0, 1).await;
    ok(store.reserve_code(&code(number(2), 2)).await);
    // The key is taken, which is found out after the code was deleted and the account made.
    let clashing = NewLogin {
        session: login(number(1), 0, 1).session,
        ..login(number(2), 0, 2)
    };
    assert!(store.redeem_code(code_id(2), &clashing).await.is_err());
    let redeemed = ok(store.redeem_code(code_id(2), &login(number(2), 0, 2)).await);
    assert!(
        matches!(redeemed, Redeemed::LoggedIn { is_new: true, .. }),
        "{redeemed:?}"
    );
}

pub async fn a_taken_username_is_an_error_and_changes_nothing(store: SharedStore) {
    log_in(&store, number(1), 0, 1).await;
    ok(store.reserve_code(&code(number(2), 2)).await);
    let clashing = NewLogin {
        username: "u1".to_owned(),
        ..login(number(2), 0, 2)
    };
    assert!(store.redeem_code(code_id(2), &clashing).await.is_err());
    logged_in(ok(store
        .redeem_code(code_id(2), &login(number(2), 0, 2))
        .await));
}

pub async fn of_many_redemptions_at_once_one_logs_in(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    let answers = all_at_once(&store, |store, n| async move {
        ok(store.redeem_code(code_id(1), &login(number(1), 0, n)).await)
    })
    .await;
    assert_eq!(count(&answers, &Redeemed::AlreadyUsed), CROWD - 1);
    let winner = answers
        .into_iter()
        .find(|answer| *answer != Redeemed::AlreadyUsed);
    let (user, session) = logged_in(winner.expect("a winner"));
    let sessions = ok(store.list_sessions(user.id, NOW).await);
    assert_eq!(
        sessions.iter().map(|one| one.id).collect::<Vec<_>>(),
        [session]
    );
}

pub async fn many_new_numbers_log_in_at_once(store: SharedStore) {
    let users = all_at_once(&store, |store, n| async move {
        log_in(&store, number(n), 0, n).await.0.id
    })
    .await;
    assert!(all_differ(&users));
}

/// Codes of one number follow each other as fast as they can, each redeemed for the same new account.
pub async fn many_logins_of_one_new_account_make_it_once(store: SharedStore) {
    let answers = all_at_once(&store, |store, n| async move {
        let mut tries = 0;
        while ok(store.reserve_code(&code(number(1), n)).await) != Reservation::Reserved {
            tries += 1;
            assert!(tries < 100_000, "a redeemed code still holds its place");
            tokio::task::yield_now().await;
        }
        ok(store.redeem_code(code_id(n), &login(number(1), 9, n)).await)
    })
    .await;
    let made = |answer: &&Redeemed| matches!(answer, Redeemed::LoggedIn { is_new: true, .. });
    assert_eq!(answers.iter().filter(made).count(), 1);
    let (users, sessions): (Vec<_>, Vec<_>) = answers.into_iter().map(logged_in).unzip();
    assert!(
        users.iter().all(|user| *user == users[0]),
        "all are the same account"
    );
    assert!(all_differ(&sessions));
}

/// A code that is being redeemed and withdrawn at the same time is one of both, never both.
pub async fn redeeming_and_withdrawing_at_once_agree(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    let answers = all_at_once(&store, |store, n| async move {
        if n % 2 == 0 {
            ok(store.withdraw_code(number(1), code_id(1)).await);
            return Redeemed::AlreadyUsed;
        }
        ok(store.redeem_code(code_id(1), &login(number(1), 0, n)).await)
    })
    .await;
    let logged_in = CROWD - count(&answers, &Redeemed::AlreadyUsed);
    assert!(logged_in <= 1, "{logged_in} logins with one code");
    assert_eq!(
        ok(store.reserve_code(&code(number(1), 2)).await),
        Reservation::Reserved
    );
}
