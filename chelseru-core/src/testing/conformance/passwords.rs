//! Accounts with a password: made once, changed by who knows the present one, and never half.

use super::fixture::{
    CROWD, MINUTE, NOW, SharedStore, adopt, all_at_once, client, code, code_id, count, hash,
    log_in, number, ok, session,
};
use crate::password::PasswordHash;
use crate::session::{Session, SessionId};
use crate::store::{
    AccountName, Deletion, KnownPassword, NewAccount, NewPassword, NewSession, PasswordChange,
    PasswordReset, PasswordSession, Registered, Reservation,
};
use crate::user::{User, UserId};
use crate::username::Username;

/// A hash for each `n`; a store does not look into it.
fn password(n: usize) -> PasswordHash {
    PasswordHash::new(format!("$argon2id$v=19$… '\"\\ {n}"))
}

/// An account of group 0, made at [`NOW`].
fn account(nth: usize, n: usize) -> NewAccount {
    NewAccount {
        mobile_number: number(nth),
        group: 0,
        username: format!("u{n}"),
        username_key: None,
        password: password(n),
        session: session(n),
        now: NOW,
    }
}

fn by_number(nth: usize) -> AccountName {
    AccountName::Number {
        mobile_number: number(nth),
        group: 0,
    }
}

fn opening(user: UserId, verified: usize, n: usize) -> PasswordSession {
    PasswordSession {
        user,
        verified: password(verified),
        replacement: None,
        session: session(n),
        now: NOW,
    }
}

fn change(user: UserId, from: usize, to: usize) -> PasswordChange {
    PasswordChange {
        user,
        from: password(from),
        to: password(to),
        keep: None,
        now: NOW,
    }
}

fn reset(nth: usize, n: usize) -> NewPassword {
    NewPassword {
        mobile_number: number(nth),
        group: 0,
        password: password(n),
        session: session(n),
        now: NOW,
    }
}

async fn reserve(store: &SharedStore, nth: usize, n: usize) {
    let reserved = store.reserve_code(&code(number(nth), n)).await;
    assert_eq!(ok(reserved), Reservation::Reserved);
}

#[track_caller]
fn made(registered: Registered) -> (User, SessionId) {
    match registered {
        Registered::Done { user, session } => (user, session),
        other => panic!("no account was made: {other:?}"),
    }
}

/// Makes the account of a number with the password of the same `n`.
async fn register(store: &SharedStore, nth: usize, n: usize) -> (User, SessionId) {
    reserve(store, nth, n).await;
    made(ok(store.register(code_id(n), &account(nth, n)).await))
}

async fn find(store: &SharedStore, name: &AccountName) -> Option<KnownPassword> {
    ok(store.find_password(name).await)
}

async fn kept(store: &SharedStore, user: UserId) -> Option<PasswordHash> {
    find(store, &AccountName::Id(user))
        .await
        .and_then(|known| known.1)
}

async fn live(store: &SharedStore, user: UserId) -> Vec<SessionId> {
    let sessions = ok(store.list_sessions(user, NOW).await);
    let mut ids: Vec<_> = sessions.iter().map(|session| session.id).collect();
    ids.sort();
    ids
}

pub async fn a_registration_makes_the_account_and_opens_the_session(store: SharedStore) {
    reserve(&store, 1, 1).await;
    let new = NewAccount {
        group: -7,
        username: "نام.کاربری".to_owned(),
        ..account(1, 1)
    };
    let (user, session) = made(ok(store.register(code_id(1), &new).await));
    let expected_user = User {
        id: user.id,
        mobile_number: number(1),
        group: -7,
        username: "نام.کاربری".to_owned(),
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
        ok(store.find_session(session).await),
        Some((expected_session, expected_user.clone()))
    );
    assert_eq!(
        find(&store, &AccountName::Id(user.id)).await,
        Some((expected_user, Some(password(1))))
    );
}

pub async fn an_account_with_a_password_is_found_by_each_of_its_names(store: SharedStore) {
    let (user, _) = register(&store, 1, 1).await;
    let (other, _) = register(&store, 2, 2).await;
    for name in [
        AccountName::Id(user.id),
        by_number(1),
        AccountName::Username {
            name: "u1".to_owned(),
            key: None,
        },
    ] {
        let found = find(&store, &name).await;
        assert_eq!(found, Some((user.clone(), Some(password(1)))), "{name:?}");
    }
    for name in [
        AccountName::Id(UserId(other.id.0 + 1)),
        by_number(3),
        AccountName::Number {
            mobile_number: number(1),
            group: 1,
        },
        AccountName::Username {
            name: "u".to_owned(),
            key: None,
        },
        AccountName::Username {
            name: number(1).to_string(),
            key: None,
        },
    ] {
        assert_eq!(find(&store, &name).await, None, "{name:?}");
    }
}

pub async fn an_account_that_a_code_made_has_no_password(store: SharedStore) {
    let (user, session) = log_in(&store, number(1), 0, 1).await;
    assert_eq!(
        find(&store, &by_number(1)).await,
        Some((user.clone(), None))
    );
    assert_eq!(
        ok(store.open_password_session(&opening(user.id, 1, 2)).await),
        None
    );
    assert!(!ok(store.change_password(&change(user.id, 1, 2)).await));
    assert_eq!(live(&store, user.id).await, [session]);
}

pub async fn an_account_that_is_kept_out_is_found_and_not_let_in(store: SharedStore) {
    let (user, session) = register(&store, 1, 1).await;
    ok(store.set_user_active(user.id, false, NOW).await);
    let (found, _) = find(&store, &by_number(1)).await.expect("the account");
    assert!(!found.is_active);
    assert_eq!(
        ok(store.open_password_session(&opening(user.id, 1, 2)).await),
        None
    );
    assert!(!ok(store.change_password(&change(user.id, 1, 2)).await));
    reserve(&store, 1, 3).await;
    let refused = ok(store.reset_password(code_id(3), &reset(1, 3)).await);
    assert_eq!(refused, PasswordReset::Inactive);

    ok(store.set_user_active(user.id, true, NOW).await);
    assert_eq!(kept(&store, user.id).await, Some(password(1)));
    assert_eq!(live(&store, user.id).await, [session]);
    let done = ok(store.reset_password(code_id(3), &reset(1, 3)).await);
    assert!(
        matches!(done, PasswordReset::Done { .. }),
        "the code was still good"
    );
}

pub async fn a_registration_uses_its_code_up(store: SharedStore) {
    register(&store, 1, 1).await;
    let elsewhere = NewAccount {
        group: 1,
        ..account(1, 2)
    };
    let again = ok(store.register(code_id(1), &elsewhere).await);
    assert_eq!(again, Registered::AlreadyUsed);
    reserve(&store, 1, 3).await;
}

pub async fn a_code_that_is_not_good_registers_nobody(store: SharedStore) {
    reserve(&store, 1, 1).await;
    let ended = NewAccount {
        now: NOW + 4 * MINUTE,
        ..account(1, 1)
    };
    for (code, new) in [
        (code_id(1), ended),
        (code_id(2), account(1, 1)),
        (code_id(1), account(2, 1)),
    ] {
        let refused = ok(store.register(code, &new).await);
        assert_eq!(refused, Registered::AlreadyUsed);
    }
    ok(store.withdraw_code(number(1), code_id(1)).await);
    let refused = ok(store.register(code_id(1), &account(1, 1)).await);
    assert_eq!(refused, Registered::AlreadyUsed);
    assert_eq!(find(&store, &by_number(1)).await, None);
}

pub async fn a_taken_number_or_username_registers_nobody_and_leaves_the_code_good(
    store: SharedStore,
) {
    let (user, _) = register(&store, 1, 1).await;
    let (by_code, _) = log_in(&store, number(2), 0, 2).await;
    reserve(&store, 1, 11).await;
    reserve(&store, 2, 12).await;
    reserve(&store, 3, 13).await;
    let taken = ok(store.register(code_id(11), &account(1, 11)).await);
    assert_eq!(taken, Registered::NumberTaken);
    let taken = ok(store.register(code_id(12), &account(2, 12)).await);
    assert_eq!(
        taken,
        Registered::NumberTaken,
        "also by an account without a password"
    );
    let same_name = NewAccount {
        username: "u1".to_owned(),
        ..account(3, 13)
    };
    let taken = ok(store.register(code_id(13), &same_name).await);
    assert_eq!(taken, Registered::UsernameTaken);

    assert_eq!(kept(&store, user.id).await, Some(password(1)));
    assert_eq!(kept(&store, by_code.id).await, None);
    made(ok(store.register(code_id(13), &account(3, 13)).await));
    let in_group = NewAccount {
        group: 5,
        ..account(1, 11)
    };
    made(ok(store.register(code_id(11), &in_group).await));
}

pub async fn a_registration_that_fails_half_way_changes_nothing(store: SharedStore) {
    register(&store, 1, 1).await;
    reserve(&store, 2, 2).await;
    let clashing = NewAccount {
        session: session(1),
        ..account(2, 2)
    };
    assert!(store.register(code_id(2), &clashing).await.is_err());
    assert_eq!(find(&store, &by_number(2)).await, None);
    made(ok(store.register(code_id(2), &account(2, 2)).await));
}

pub async fn a_right_password_opens_a_session_and_may_replace_its_hash(store: SharedStore) {
    let (user, first) = register(&store, 1, 1).await;
    let second = ok(store.open_password_session(&opening(user.id, 1, 2)).await);
    assert_eq!(kept(&store, user.id).await, Some(password(1)));
    let rehashed = PasswordSession {
        replacement: Some(password(3)),
        ..opening(user.id, 1, 3)
    };
    let third = ok(store.open_password_session(&rehashed).await);
    assert_eq!(kept(&store, user.id).await, Some(password(3)));
    let opened = [first, second.expect("a session"), third.expect("a session")];
    assert_eq!(live(&store, user.id).await, opened);

    let outdated = ok(store.open_password_session(&opening(user.id, 1, 4)).await);
    assert_eq!(outdated, None, "the hash was replaced");
    let nobody = ok(store
        .open_password_session(&opening(UserId(-1), 1, 4))
        .await);
    assert_eq!(nobody, None);
    assert_eq!(live(&store, user.id).await, opened);
}

pub async fn logins_by_password_make_room_as_others_do(store: SharedStore) {
    let (user, _) = register(&store, 1, 1).await;
    let at_most_two = |n| PasswordSession {
        session: NewSession {
            at_most: std::num::NonZeroU32::new(2),
            ..session(n)
        },
        ..opening(user.id, 1, n)
    };
    let second = ok(store.open_password_session(&at_most_two(2)).await);
    let third = ok(store.open_password_session(&at_most_two(3)).await);
    let opened = [second.expect("a session"), third.expect("a session")];
    assert_eq!(live(&store, user.id).await, opened);
}

pub async fn a_changed_password_ends_all_sessions_but_the_one_to_keep(store: SharedStore) {
    let (user, first) = register(&store, 1, 1).await;
    adopt(&store, user.id, &session(2)).await;
    let (other, others) = register(&store, 2, 3).await;
    let keeping = PasswordChange {
        keep: Some(first),
        ..change(user.id, 1, 9)
    };
    assert!(ok(store.change_password(&keeping).await));
    assert_eq!(kept(&store, user.id).await, Some(password(9)));
    assert_eq!(live(&store, user.id).await, [first]);
    assert!(
        !ok(store.change_password(&keeping).await),
        "it was changed before"
    );

    assert!(ok(store.change_password(&change(user.id, 9, 10)).await));
    assert_eq!(live(&store, user.id).await, []);
    assert_eq!(live(&store, other.id).await, [others]);
    assert_eq!(kept(&store, other.id).await, Some(password(3)));
}

pub async fn a_reset_sets_the_password_and_leaves_its_own_session_alone(store: SharedStore) {
    let (with, _) = register(&store, 1, 1).await;
    let (without, _) = log_in(&store, number(2), 0, 2).await;
    let (other, others) = register(&store, 3, 3).await;
    for (nth, user) in [(1, &with), (2, &without)] {
        let n = 10 + nth;
        reserve(&store, nth, n).await;
        let done = ok(store.reset_password(code_id(n), &reset(nth, n)).await);
        let PasswordReset::Done {
            user: whose,
            session,
        } = done
        else {
            panic!("not reset: {done:?}");
        };
        assert_eq!(&whose, user);
        assert_eq!(kept(&store, user.id).await, Some(password(n)));
        assert_eq!(live(&store, user.id).await, [session]);
        let again = ok(store.reset_password(code_id(n), &reset(nth, 20 + n)).await);
        assert_eq!(again, PasswordReset::AlreadyUsed);
    }
    assert_eq!(live(&store, other.id).await, [others]);
    assert_eq!(kept(&store, other.id).await, Some(password(3)));
}

pub async fn a_reset_makes_no_account_and_leaves_the_code_good(store: SharedStore) {
    let (user, _) = register(&store, 1, 1).await;
    reserve(&store, 1, 2).await;
    reserve(&store, 2, 3).await;
    let elsewhere = NewPassword {
        group: 1,
        ..reset(1, 2)
    };
    for (code, new) in [(code_id(2), elsewhere), (code_id(3), reset(2, 3))] {
        let refused = ok(store.reset_password(code, &new).await);
        assert_eq!(refused, PasswordReset::NoAccount);
    }
    let ended = NewPassword {
        now: NOW + 4 * MINUTE,
        ..reset(1, 2)
    };
    for (code, new) in [(code_id(2), ended), (code_id(3), reset(1, 2))] {
        let refused = ok(store.reset_password(code, &new).await);
        assert_eq!(refused, PasswordReset::AlreadyUsed);
    }
    assert_eq!(kept(&store, user.id).await, Some(password(1)));
    let done = ok(store.reset_password(code_id(2), &reset(1, 2)).await);
    assert!(matches!(done, PasswordReset::Done { .. }), "{done:?}");
}

pub async fn of_many_registrations_with_one_code_one_makes_the_account(store: SharedStore) {
    reserve(&store, 1, 1).await;
    let answers = all_at_once(&store, |store, n| async move {
        ok(store.register(code_id(1), &account(1, n)).await)
    })
    .await;
    assert_eq!(count(&answers, &Registered::AlreadyUsed), CROWD - 1);
    let winner = answers
        .into_iter()
        .find(|one| *one != Registered::AlreadyUsed);
    let (user, session) = made(winner.expect("a winner"));
    assert_eq!(live(&store, user.id).await, [session]);
    let hash = kept(&store, user.id).await;
    let name = user.username.strip_prefix('u').expect("its name");
    assert_eq!(
        hash,
        Some(password(name.parse().expect("a number"))),
        "all of one of them"
    );
}

pub async fn of_many_registrations_of_one_username_one_gets_it(store: SharedStore) {
    let answers = all_at_once(&store, |store, n| async move {
        reserve(&store, n, n).await;
        let new = NewAccount {
            username: "wanted".to_owned(),
            ..account(n, n)
        };
        ok(store.register(code_id(n), &new).await)
    })
    .await;
    assert_eq!(count(&answers, &Registered::UsernameTaken), CROWD - 1);
}

pub async fn a_login_by_code_and_registrations_at_once_make_one_account(store: SharedStore) {
    let answers = all_at_once(&store, |store, n| async move {
        let mut tries = 0;
        while ok(store.reserve_code(&code(number(1), n)).await) != Reservation::Reserved {
            tries += 1;
            assert!(tries < 100_000, "a used code still holds its place");
            tokio::task::yield_now().await;
        }
        if n % 2 == 0 {
            let login = super::fixture::login(number(1), 0, n);
            let redeemed = ok(store.redeem_code(code_id(n), &login).await);
            return Some(super::fixture::logged_in(redeemed).0.id);
        }
        match ok(store.register(code_id(n), &account(1, n)).await) {
            Registered::Done { user, .. } => Some(user.id),
            Registered::NumberTaken => {
                ok(store.withdraw_code(number(1), code_id(n)).await);
                None
            }
            other => panic!("{other:?}"),
        }
    })
    .await;
    let users: Vec<_> = answers.into_iter().flatten().collect();
    assert!(users.iter().all(|user| *user == users[0]), "{users:?}");
}

pub async fn of_many_changes_of_one_password_one_is_made(store: SharedStore) {
    let (user, _) = register(&store, 1, 1).await;
    let answers = all_at_once(&store, move |store, n| async move {
        ok(store.change_password(&change(user.id, 1, 100 + n)).await)
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
    let winner = answers
        .iter()
        .position(|changed| *changed)
        .expect("a winner");
    assert_eq!(kept(&store, user.id).await, Some(password(100 + winner)));
}

/// Whoever logs in with the old password while it is changed has a session that ends, or none.
pub async fn logins_while_the_password_is_changed_leave_no_session(store: SharedStore) {
    let (user, _) = register(&store, 1, 1).await;
    let id = user.id;
    let answers = all_at_once(&store, move |store, n| async move {
        if n == CROWD / 2 {
            assert!(ok(store.change_password(&change(id, 1, 1000)).await));
            return None;
        }
        ok(store.open_password_session(&opening(id, 1, 100 + n)).await)
    })
    .await;
    let sessions: Vec<_> = answers.into_iter().flatten().collect();
    for session in sessions {
        let (session, _) = ok(store.find_session(session).await).expect("the session");
        assert!(session.ended_at.is_some(), "{session:?}");
    }
    assert_eq!(live(&store, id).await, []);
    assert_eq!(kept(&store, id).await, Some(password(1000)));
}

/// A login that replaces the hash never undoes a change.
pub async fn rehashing_and_changing_at_once_leave_the_changed_password(store: SharedStore) {
    let (user, _) = register(&store, 1, 1).await;
    let id = user.id;
    let answers = all_at_once(&store, move |store, n| async move {
        if n % 2 == 0 {
            return ok(store.change_password(&change(id, 1, 1000)).await);
        }
        let rehashed = PasswordSession {
            replacement: Some(password(1)),
            ..opening(id, 1, 100 + n)
        };
        ok(store.open_password_session(&rehashed).await);
        false
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
    assert_eq!(kept(&store, id).await, Some(password(1000)));
    assert_eq!(live(&store, id).await, []);
}

pub async fn of_many_resets_with_one_code_one_is_made(store: SharedStore) {
    let (user, _) = register(&store, 1, 1).await;
    reserve(&store, 1, 2).await;
    let answers = all_at_once(&store, |store, n| async move {
        ok(store.reset_password(code_id(2), &reset(1, 100 + n)).await)
    })
    .await;
    assert_eq!(count(&answers, &PasswordReset::AlreadyUsed), CROWD - 1);
    assert_eq!(live(&store, user.id).await.len(), 1);
}

/// An account whose name was chosen.
fn named(nth: usize, n: usize, name: &str) -> NewAccount {
    let name: Username = name.parse().expect("a name that may be chosen");
    NewAccount {
        username: name.as_str().to_owned(),
        username_key: Some(name.key().to_owned()),
        ..account(nth, n)
    }
}

/// Has a code sent and registers with it.
async fn register_with(store: &SharedStore, nth: usize, n: usize, new: &NewAccount) -> Registered {
    ok(store.reserve_code(&code(number(nth), n)).await);
    ok(store.register(code_id(n), new).await)
}

pub async fn a_chosen_name_is_found_by_all_that_looks_like_it(store: SharedStore) {
    let new = named(1, 1, "Ali_Reza7");
    let Registered::Done { user, .. } = register_with(&store, 1, 1, &new).await else {
        panic!("not registered");
    };
    assert_eq!(user.username, "Ali_Reza7");
    let alike: Username = "ali.reza7".parse().expect("a name that may be chosen");
    let name = AccountName::Username {
        name: alike.as_str().to_owned(),
        key: Some(alike.key().to_owned()),
    };
    let found = ok(store.find_password(&name).await).expect("an account");
    assert_eq!(found, (user, Some(password(1))));
}

pub async fn a_name_that_looks_like_a_chosen_one_cannot_be_registered(store: SharedStore) {
    let first = named(1, 1, "Ali_Reza7");
    let done = register_with(&store, 1, 1, &first).await;
    assert!(matches!(done, Registered::Done { .. }), "{done:?}");
    let alike = named(2, 2, "ali-reza۷");
    let refused = register_with(&store, 2, 2, &alike).await;
    assert_eq!(refused, Registered::UsernameTaken);
}

pub async fn a_deleted_accounts_name_cannot_be_registered_and_its_password_is_gone(
    store: SharedStore,
) {
    let new = named(1, 1, "Ali_Reza7");
    let Registered::Done { user, .. } = register_with(&store, 1, 1, &new).await else {
        panic!("not registered");
    };
    ok(store.reserve_code(&code(number(1), 2)).await);
    let deletion = Deletion {
        user: user.id,
        mobile_number: number(1),
        now: NOW,
    };
    assert!(ok(store.delete_user(code_id(2), &deletion).await));
    assert_eq!(ok(store.find_password(&by_number(1)).await), None);
    let again = register_with(&store, 1, 3, &named(1, 3, "Ali_Reza7")).await;
    assert_eq!(again, Registered::UsernameTaken);
    let other = register_with(&store, 2, 4, &account(2, 4)).await;
    assert!(matches!(other, Registered::Done { user, .. } if user.id != deletion.user));
}
