//! One-time codes: at most one a number, counted tries.

use super::fixture::{
    CROWD, MILLI, MINUTE, NOW, SharedStore, all_at_once, code, code_id, count, hash, number, ok,
};
use crate::store::{CountedCode, LiveCode, NewCode, Reservation};

pub async fn a_number_without_a_code_gets_one(store: SharedStore) {
    assert_eq!(
        ok(store.reserve_code(&code(number(1), 1)).await),
        Reservation::Reserved
    );
    let counted = ok(store.count_attempt(number(1), NOW, 5).await);
    assert_eq!(
        counted,
        Some(CountedCode {
            id: code_id(1),
            hash: hash(1)
        })
    );
}

pub async fn a_live_code_holds_its_place_and_says_until_when(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    ok(store.count_attempt(number(1), NOW, 5).await);
    let late = NewCode {
        created_at: NOW + 4 * MINUTE - MILLI,
        expires_at: NOW + 9 * MINUTE,
        ..code(number(1), 2)
    };
    let answer = ok(store.reserve_code(&late).await);
    assert_eq!(
        answer,
        Reservation::Live(LiveCode {
            id: code_id(1),
            hash: code(number(1), 1).hash,
            attempts: 1,
            until: NOW + 4 * MINUTE
        })
    );
    let counted = ok(store.count_attempt(number(1), NOW, 5).await);
    assert_eq!(
        counted.map(|code| code.id),
        Some(code_id(1)),
        "the first code is still the one"
    );
}

pub async fn an_ended_code_makes_room_from_the_moment_of_its_end(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    let end = NOW + 4 * MINUTE;
    let next = NewCode {
        created_at: end,
        expires_at: end + MINUTE,
        ..code(number(1), 2)
    };
    assert_eq!(ok(store.reserve_code(&next).await), Reservation::Reserved);
    let counted = ok(store.count_attempt(number(1), end, 5).await);
    assert_eq!(
        counted,
        Some(CountedCode {
            id: code_id(2),
            hash: hash(2)
        })
    );
}

pub async fn numbers_have_codes_of_their_own(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    assert_eq!(
        ok(store.reserve_code(&code(number(2), 2)).await),
        Reservation::Reserved
    );
    ok(store.withdraw_code(number(2), code_id(2)).await);
    assert!(ok(store.count_attempt(number(1), NOW, 5).await).is_some());
    assert_eq!(ok(store.count_attempt(number(2), NOW, 5).await), None);
}

pub async fn a_withdrawn_code_makes_room_at_once(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    ok(store.withdraw_code(number(1), code_id(1)).await);
    assert_eq!(ok(store.count_attempt(number(1), NOW, 5).await), None);
    assert_eq!(
        ok(store.reserve_code(&code(number(1), 2)).await),
        Reservation::Reserved
    );
}

pub async fn withdrawing_an_older_code_leaves_the_newer_one(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 2)).await);
    ok(store.withdraw_code(number(1), code_id(1)).await);
    let counted = ok(store.count_attempt(number(1), NOW, 5).await);
    assert_eq!(counted.map(|code| code.id), Some(code_id(2)));
}

pub async fn withdrawing_where_there_is_no_code_is_no_error(store: SharedStore) {
    ok(store.withdraw_code(number(1), code_id(1)).await);
    assert_eq!(
        ok(store.reserve_code(&code(number(1), 1)).await),
        Reservation::Reserved
    );
}

pub async fn a_number_without_a_code_counts_no_attempt(store: SharedStore) {
    assert_eq!(ok(store.count_attempt(number(1), NOW, 5).await), None);
}

pub async fn an_ended_code_counts_no_attempt(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    let end = NOW + 4 * MINUTE;
    assert!(ok(store.count_attempt(number(1), end - MILLI, 5).await).is_some());
    assert_eq!(ok(store.count_attempt(number(1), end, 5).await), None);
}

pub async fn after_the_last_attempt_there_is_none(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    for _ in 0..5 {
        assert!(ok(store.count_attempt(number(1), NOW, 5).await).is_some());
    }
    assert_eq!(ok(store.count_attempt(number(1), NOW, 5).await), None);
}

pub async fn a_code_without_attempts_left_still_holds_its_place(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    ok(store.count_attempt(number(1), NOW, 1).await);
    let answer = ok(store.reserve_code(&code(number(1), 2)).await);
    assert!(
        matches!(answer, Reservation::Live(live) if live.attempts == 1),
        "{answer:?}"
    );
}

pub async fn a_new_code_has_all_its_attempts(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    ok(store.count_attempt(number(1), NOW, 1).await);
    let end = NOW + 4 * MINUTE;
    let next = NewCode {
        created_at: end,
        expires_at: end + MINUTE,
        ..code(number(1), 2)
    };
    ok(store.reserve_code(&next).await);
    assert!(ok(store.count_attempt(number(1), end, 1).await).is_some());
}

pub async fn of_many_reservations_at_once_one_wins(store: SharedStore) {
    let answers = all_at_once(&store, |store, n| async move {
        ok(store.reserve_code(&code(number(1), n)).await)
    })
    .await;
    assert_eq!(count(&answers, &Reservation::Reserved), 1);
    let live: Vec<_> = answers
        .iter()
        .filter_map(|answer| match answer {
            Reservation::Live(live) => Some(live),
            Reservation::Reserved => None,
        })
        .collect();
    assert_eq!(live.len(), CROWD - 1);
    assert!(live.iter().all(|code| *code == live[0]), "{live:?}");
}

pub async fn of_many_reservations_over_an_ended_code_one_wins(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1000)).await);
    let now = NOW + 5 * MINUTE;
    let answers = all_at_once(&store, |store, n| async move {
        let next = NewCode {
            created_at: now,
            expires_at: now + MINUTE,
            ..code(number(1), n)
        };
        ok(store.reserve_code(&next).await)
    })
    .await;
    assert_eq!(count(&answers, &Reservation::Reserved), 1);
}

pub async fn many_numbers_reserve_at_once_and_each_gets_its_code(store: SharedStore) {
    let answers = all_at_once(&store, |store, n| async move {
        let reserved = ok(store.reserve_code(&code(number(n), n)).await);
        let counted = ok(store.count_attempt(number(n), NOW, 5).await);
        (reserved, counted.map(|code| code.id) == Some(code_id(n)))
    })
    .await;
    assert_eq!(count(&answers, &(Reservation::Reserved, true)), CROWD);
}

pub async fn of_many_attempts_at_once_only_the_allowed_ones_count(store: SharedStore) {
    ok(store.reserve_code(&code(number(1), 1)).await);
    let answers = all_at_once(&store, |store, _| async move {
        ok(store.count_attempt(number(1), NOW, 5).await)
    })
    .await;
    assert_eq!(
        count(
            &answers,
            &Some(CountedCode {
                id: code_id(1),
                hash: hash(1)
            })
        ),
        5
    );
    assert_eq!(count(&answers, &None), CROWD - 5);
}

pub async fn reserving_and_withdrawing_at_once_always_gives_an_answer(store: SharedStore) {
    let answers = all_at_once(&store, |store, n| async move {
        let answer = ok(store.reserve_code(&code(number(1), n)).await);
        if answer == Reservation::Reserved {
            ok(store.withdraw_code(number(1), code_id(n)).await);
        }
        answer
    })
    .await;
    assert!(count(&answers, &Reservation::Reserved) >= 1);
    assert_eq!(
        ok(store.reserve_code(&code(number(1), 1000)).await),
        Reservation::Reserved,
        "every winner withdrew its code"
    );
}
