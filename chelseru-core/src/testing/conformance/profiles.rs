//! What the owner of an account changes about it: the name, the number, and whether it is there at all.

use super::fixture::{
    CROWD, MINUTE, NOW, SharedStore, adopt, all_at_once, claim, code, code_id, count, log_in,
    logged_in, login, number, ok, outcome, redeem_new_code, request, session, sms, two_users,
};
use crate::mobile::MobileNumber;
use crate::store::{
    Deletion, NameReplacement, NewLogin, NewSms, NumberChange, NumberChanged, Redeemed, Rename,
    Renamed, Reservation, SmsPurpose, SmsStatus,
};
use crate::user::{User, UserId};

fn rename(user: UserId, username: &str) -> Rename {
    Rename {
        user,
        username: username.parse().expect("a username"),
        now: NOW,
    }
}

fn change(user: UserId, to: MobileNumber) -> NumberChange {
    NumberChange {
        user,
        mobile_number: to,
        username: None,
        keep: None,
        now: NOW,
    }
}

fn deletion(user: &User) -> Deletion {
    Deletion {
        user: user.id,
        mobile_number: user.mobile_number,
        now: NOW,
    }
}

async fn named(store: &SharedStore, user: UserId, username: &str) -> User {
    match ok(store.rename_user(&rename(user, username)).await) {
        Renamed::Done(user) => user,
        other => panic!("{username} was not given: {other:?}"),
    }
}

async fn username_of(store: &SharedStore, user: UserId) -> String {
    ok(store.find_user(user).await)
        .expect("an account")
        .username
}

/// Reserves the code of that `n` for the number.
async fn reserve(store: &SharedStore, number: MobileNumber, n: usize) {
    let reserved = store.reserve_code(&code(number, n)).await;
    assert_eq!(ok(reserved), Reservation::Reserved);
}

async fn delete(store: &SharedStore, user: &User, n: usize) -> bool {
    reserve(store, user.mobile_number, n).await;
    ok(store.delete_user(code_id(n), &deletion(user)).await)
}

/// An account for each caller of a race.
async fn crowd(store: &SharedStore) -> Vec<User> {
    let mut users = Vec::with_capacity(CROWD);
    for n in 0..CROWD {
        users.push(log_in(store, number(n), 0, n).await.0);
    }
    users
}

pub async fn an_account_has_the_name_that_its_owner_chose(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    let (other, _) = log_in(&store, number(2), 0, 2).await;
    let renamed = named(&store, user.id, "علی_رضا").await;
    let expected = User {
        username: "علی_رضا".to_owned(),
        ..user
    };
    assert_eq!(renamed, expected);
    assert_eq!(ok(store.find_user(expected.id).await), Some(expected));
    assert_eq!(ok(store.find_user(other.id).await), Some(other));
}

pub async fn a_name_may_be_spelt_in_another_way_by_who_has_it(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    for spelling in ["ali.reza", "Ali_Reza", "Ali_Reza", "ali-reza"] {
        assert_eq!(named(&store, user.id, spelling).await.username, spelling);
    }
}

pub async fn a_name_that_looks_like_anothers_is_taken(store: SharedStore) {
    let (user, other) = two_users(&store).await;
    named(&store, user, "ali.reza").await;
    for spelling in ["ali.reza", "ALI.REZA", "ali-reza", "a1i_reza"] {
        let answer = ok(store.rename_user(&rename(other, spelling)).await);
        assert_eq!(answer, Renamed::Taken, "{spelling}");
    }
    assert_eq!(username_of(&store, other).await, "u1002");
    named(&store, other, "alireza").await;
}

pub async fn a_name_that_was_left_is_free(store: SharedStore) {
    let (user, other) = two_users(&store).await;
    named(&store, user, "ali").await;
    named(&store, user, "reza").await;
    named(&store, other, "ali").await;
}

pub async fn who_is_unknown_or_kept_out_is_not_renamed(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    ok(store.set_user_active(user.id, false, NOW).await);
    for id in [user.id, UserId(user.id.0 + 1)] {
        let answer = ok(store.rename_user(&rename(id, "ali")).await);
        assert_eq!(answer, Renamed::Gone);
    }
    assert_eq!(username_of(&store, user.id).await, "u1");
}

pub async fn of_many_renames_to_one_name_one_is_done(store: SharedStore) {
    let users = crowd(&store).await;
    let ids: Vec<_> = users.iter().map(|user| user.id).collect();
    let answers = all_at_once(&store, |store, n| {
        let user = ids[n];
        // Two spellings of one name.
        let name = ["ali", "ALI"][n % 2];
        async move { ok(store.rename_user(&rename(user, name)).await) }
    })
    .await;
    assert_eq!(count(&answers, &Renamed::Taken), CROWD - 1);
    let mut owners = 0;
    for id in ids {
        let name = username_of(&store, id).await;
        owners += usize::from(name.eq_ignore_ascii_case("ali"));
    }
    assert_eq!(owners, 1);
}

pub async fn a_changed_number_logs_in_to_the_same_account(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 3, 1).await;
    reserve(&store, number(2), 2).await;
    let changed = ok(store
        .change_number(code_id(2), &change(user.id, number(2)))
        .await);
    let expected = User {
        mobile_number: number(2),
        ..user.clone()
    };
    assert_eq!(changed, NumberChanged::Done(expected.clone()));

    let (again, _) = log_in(&store, number(2), 3, 3).await;
    assert_eq!(again, expected);
    let (somebody_else, _) = log_in(&store, number(1), 3, 4).await;
    assert_ne!(somebody_else.id, user.id, "the old number is free");
}

pub async fn a_changed_number_ends_all_sessions_but_one(store: SharedStore) {
    let (user, first) = log_in(&store, number(1), 0, 1).await;
    let (other, _) = log_in(&store, number(9), 0, 9).await;
    adopt(&store, user.id, &session(2)).await;
    reserve(&store, number(2), 2).await;
    let keep = NumberChange {
        keep: Some(first),
        ..change(user.id, number(2))
    };
    let changed = ok(store.change_number(code_id(2), &keep).await);
    assert!(matches!(changed, NumberChanged::Done(_)), "{changed:?}");
    let live = ok(store.list_sessions(user.id, NOW).await);
    assert_eq!(live.iter().map(|one| one.id).collect::<Vec<_>>(), [first]);
    assert_eq!(ok(store.list_sessions(other.id, NOW).await).len(), 1);

    reserve(&store, number(3), 3).await;
    ok(store
        .change_number(code_id(3), &change(user.id, number(3)))
        .await);
    assert!(ok(store.list_sessions(user.id, NOW).await).is_empty());
}

pub async fn a_name_that_says_the_number_changes_with_it(store: SharedStore) {
    let replacing = |user, to: usize| NumberChange {
        username: Some(NameReplacement {
            from: format!("u{user}"),
            to: format!("G0-{to}"),
        }),
        ..change(UserId(0), number(to))
    };
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    let (chosen, _) = log_in(&store, number(2), 0, 2).await;
    named(&store, chosen.id, "ali").await;
    for (id, n, to, name) in [(user.id, 1, 11, "G0-11"), (chosen.id, 2, 12, "ali")] {
        reserve(&store, number(to), to).await;
        let change = NumberChange {
            user: id,
            ..replacing(n, to)
        };
        match ok(store.change_number(code_id(to), &change).await) {
            NumberChanged::Done(user) => assert_eq!(user.username, name),
            other => panic!("not changed: {other:?}"),
        }
        assert_eq!(username_of(&store, id).await, name);
    }
}

pub async fn a_number_is_changed_only_with_its_own_live_code(store: SharedStore) {
    let (user, session) = log_in(&store, number(1), 0, 1).await;
    reserve(&store, number(2), 2).await;
    reserve(&store, number(3), 3).await;
    let to_two = change(user.id, number(2));
    let late = NumberChange {
        now: NOW + 4 * MINUTE,
        ..to_two.clone()
    };
    for (id, change) in [(3, &to_two), (2, &late)] {
        let answer = ok(store.change_number(code_id(id), change).await);
        assert_eq!(answer, NumberChanged::AlreadyUsed);
    }
    ok(store.withdraw_code(number(2), code_id(2)).await);
    let answer = ok(store.change_number(code_id(2), &to_two).await);
    assert_eq!(answer, NumberChanged::AlreadyUsed);
    assert_eq!(ok(store.find_user(user.id).await), Some(user));
    assert!(ok(store.find_session(session).await).is_some_and(|(one, _)| one.is_live(NOW)));
}

pub async fn a_number_of_another_account_is_taken_and_its_code_stays_good(store: SharedStore) {
    let (user, session) = log_in(&store, number(1), 0, 1).await;
    let (owner, _) = log_in(&store, number(2), 0, 2).await;
    log_in(&store, number(3), 1, 3).await;
    reserve(&store, number(2), 4).await;
    let taken = ok(store
        .change_number(code_id(4), &change(user.id, number(2)))
        .await);
    assert_eq!(taken, NumberChanged::Taken);
    assert_eq!(ok(store.find_user(user.id).await), Some(user.clone()));
    assert!(ok(store.find_session(session).await).is_some_and(|(one, _)| one.is_live(NOW)));
    let (again, _) = logged_in(ok(store
        .redeem_code(code_id(4), &login(number(2), 0, 5))
        .await));
    assert_eq!(again, owner);

    // In another group it is another account's.
    reserve(&store, number(3), 6).await;
    let changed = ok(store
        .change_number(code_id(6), &change(user.id, number(3)))
        .await);
    assert!(matches!(changed, NumberChanged::Done(_)), "{changed:?}");
}

pub async fn who_is_unknown_or_kept_out_gets_no_other_number(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    ok(store.set_user_active(user.id, false, NOW).await);
    reserve(&store, number(2), 2).await;
    for id in [user.id, UserId(user.id.0 + 1)] {
        let answer = ok(store
            .change_number(code_id(2), &change(id, number(2)))
            .await);
        assert_eq!(answer, NumberChanged::Gone);
    }
    let found = ok(store.find_user(user.id).await);
    assert_eq!(found.map(|user| user.mobile_number), Some(number(1)));
    let counted = ok(store.count_attempt(number(2), NOW, 5).await);
    assert!(counted.is_some(), "the code is still good");
}

pub async fn of_many_changes_with_one_code_one_is_done(store: SharedStore) {
    let users = crowd(&store).await;
    let to = number(CROWD);
    reserve(&store, to, CROWD).await;
    let ids: Vec<_> = users.iter().map(|user| user.id).collect();
    let answers = all_at_once(&store, |store, n| {
        let user = ids[n];
        async move { ok(store.change_number(code_id(CROWD), &change(user, to)).await) }
    })
    .await;
    assert_eq!(count(&answers, &NumberChanged::AlreadyUsed), CROWD - 1);
}

/// Codes of one number follow each other as fast as they can, each for another account.
pub async fn of_many_changes_to_one_number_one_is_done(store: SharedStore) {
    let users = crowd(&store).await;
    let ids: Vec<_> = users.iter().map(|user| user.id).collect();
    let to = number(CROWD);
    let answers = all_at_once(&store, |store, n| {
        let user = ids[n];
        async move {
            let id = CROWD + n;
            let mut tries = 0;
            while ok(store.reserve_code(&code(to, id)).await) != Reservation::Reserved {
                tries += 1;
                assert!(tries < 100_000, "a withdrawn code still holds its place");
                tokio::task::yield_now().await;
            }
            let answer = ok(store.change_number(code_id(id), &change(user, to)).await);
            ok(store.withdraw_code(to, code_id(id)).await);
            answer
        }
    })
    .await;
    assert_eq!(count(&answers, &NumberChanged::Taken), CROWD - 1);
}

pub async fn a_deleted_account_is_gone_with_its_sessions(store: SharedStore) {
    let (user, first) = log_in(&store, number(1), 0, 1).await;
    let (other, others) = log_in(&store, number(1), 1, 2).await;
    let second = adopt(&store, user.id, &session(3)).await;
    let asked = request(user.id, "key", 1);
    claim(&store, &asked).await;
    assert!(delete(&store, &user, 4).await);

    assert_eq!(ok(store.find_user(user.id).await), None);
    for session in [first, second] {
        assert_eq!(ok(store.find_session(session).await), None);
    }
    assert!(ok(store.list_sessions(user.id, NOW).await).is_empty());
    assert!(store.claim_sms_request(&asked).await.is_err());

    assert_eq!(ok(store.find_user(other.id).await), Some(other));
    assert!(ok(store.find_session(others).await).is_some());
    assert_eq!(
        ok(store.reserve_code(&code(number(1), 5)).await),
        Reservation::Reserved,
        "the code is used up"
    );
}

pub async fn the_id_of_a_deleted_account_is_never_used_again(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    assert!(delete(&store, &user, 2).await);
    let redeemed = redeem_new_code(&store, &login(number(1), 0, 3), 3).await;
    assert!(
        matches!(redeemed, Redeemed::LoggedIn { is_new: true, .. }),
        "{redeemed:?}"
    );
    let (next, _) = logged_in(redeemed);
    assert!(next.id > user.id, "{next:?}");
}

pub async fn a_chosen_name_of_a_deleted_account_stays_taken(store: SharedStore) {
    let (user, other) = two_users(&store).await;
    named(&store, user, "reza").await;
    let user = named(&store, user, "ali").await;
    assert!(delete(&store, &user, 3).await);
    for spelling in ["ali", "ALI", "a1i"] {
        let answer = ok(store.rename_user(&rename(other, spelling)).await);
        assert_eq!(answer, Renamed::Taken, "{spelling}");
    }
    assert_eq!(username_of(&store, other).await, "u1002");
    named(&store, other, "reza").await;
}

pub async fn a_generated_name_of_a_deleted_account_may_be_generated_again(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    assert!(delete(&store, &user, 2).await);
    let same_name = NewLogin {
        username: user.username.clone(),
        ..login(number(1), 0, 3)
    };
    let (next, _) = logged_in(redeem_new_code(&store, &same_name, 3).await);
    assert_eq!(next.username, user.username);
}

pub async fn the_log_forgets_the_number_of_a_deleted_account_and_nothing_else(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    let (other, _) = log_in(&store, number(2), 0, 2).await;
    let by_user = NewSms {
        purpose: SmsPurpose::Message,
        user: Some(user.id),
        ..sms(number(2))
    };
    let to_user = NewSms {
        purpose: SmsPurpose::Message,
        user: Some(other.id),
        ..sms(number(1))
    };
    for one in [&sms(number(1)), &by_user, &to_user] {
        let id = ok(store.log_sms(one, NOW).await);
        ok(store.settle_sms(id, &outcome(SmsStatus::Accepted)).await);
    }
    let before = ok(store.recent_sms(None, 9).await);
    let bill = ok(store.total_sms(NOW).await);
    assert!(delete(&store, &user, 3).await);

    let expected: Vec<_> = before
        .into_iter()
        .map(|mut record| {
            if record.sms.mobile_number == number(1) {
                record.sms.mobile_number = MobileNumber::ERASED;
            }
            record.sms.user.take_if(|sender| *sender == user.id);
            record
        })
        .collect();
    assert_eq!(ok(store.recent_sms(None, 9).await), expected);
    assert_eq!(ok(store.total_sms(NOW).await), bill);
}

pub async fn an_account_is_deleted_only_with_a_live_code_of_its_number(store: SharedStore) {
    let (user, session) = log_in(&store, number(1), 0, 1).await;
    let (other, _) = log_in(&store, number(2), 0, 2).await;
    reserve(&store, number(1), 3).await;
    reserve(&store, number(2), 4).await;
    let own = deletion(&user);
    let late = Deletion {
        now: NOW + 4 * MINUTE,
        ..own.clone()
    };
    let by_another_number = Deletion {
        mobile_number: other.mobile_number,
        ..own.clone()
    };
    for (id, deletion) in [(4, &own), (3, &late), (4, &by_another_number)] {
        assert!(!ok(store.delete_user(code_id(id), deletion).await));
    }
    assert!(ok(store.find_session(session).await).is_some_and(|(one, _)| one.is_live(NOW)));
    assert!(ok(store.delete_user(code_id(3), &own).await));
    assert_eq!(ok(store.find_user(other.id).await), Some(other));
}

pub async fn who_is_kept_out_does_not_delete_the_account(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    ok(store.set_user_active(user.id, false, NOW).await);
    assert!(!delete(&store, &user, 2).await);
    assert!(ok(store.find_user(user.id).await).is_some());
}

pub async fn of_many_deletions_with_one_code_one_is_done(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    reserve(&store, number(1), 2).await;
    let deletion = deletion(&user);
    let answers = all_at_once(&store, |store, _| {
        let deletion = deletion.clone();
        async move { ok(store.delete_user(code_id(2), &deletion).await) }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
}

pub async fn nobody_gets_the_name_of_an_account_that_is_being_deleted(store: SharedStore) {
    let users = crowd(&store).await;
    let ids: Vec<_> = users.iter().map(|user| user.id).collect();
    let user = named(&store, ids[0], "ali").await;
    reserve(&store, user.mobile_number, CROWD).await;
    let deletion = deletion(&user);
    let answers = all_at_once(&store, |store, n| {
        let (id, deletion) = (ids[n], deletion.clone());
        async move {
            if n == 0 {
                assert!(ok(store.delete_user(code_id(CROWD), &deletion).await));
                return Renamed::Taken;
            }
            ok(store.rename_user(&rename(id, "ali")).await)
        }
    })
    .await;
    assert_eq!(count(&answers, &Renamed::Taken), CROWD);
}
