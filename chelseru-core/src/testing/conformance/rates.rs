//! Counters: never more than the limit, all or nothing, and for one window.

use std::time::Duration;

use super::fixture::{CROWD, MILLI, MINUTE, NOW, SharedStore, all_at_once, count, ok, take};
use crate::clock::Timestamp;
use crate::store::{Correction, StoreError, Take, TakeResult, Taken};

/// When a window of [`take`] ends that began at [`NOW`].
const END: Timestamp = Timestamp::from_secs(NOW.as_secs() + 600);

fn taken(total: u64, ends_at: Timestamp) -> TakeResult {
    TakeResult::Taken(vec![Taken { total, ends_at }])
}

fn exhausted(index: usize, ends_at: Timestamp) -> TakeResult {
    TakeResult::Exhausted { index, ends_at }
}

async fn take_one(store: &SharedStore, one: Take, now: Timestamp) -> TakeResult {
    ok(store.take(&[one], now).await)
}

fn correction(key: &str, ends_at: Timestamp, change: i64) -> Correction {
    Correction {
        key: key.to_owned(),
        ends_at,
        change,
    }
}

async fn correct(store: &SharedStore, key: &str, ends_at: Timestamp, change: i64) {
    ok(store.correct(&[correction(key, ends_at, change)]).await);
}

/// What was taken from a supply, without taking more. Begins a window if there is none.
async fn total(store: &SharedStore, key: &str) -> u64 {
    match take_one(store, take(key, 0, u64::MAX), NOW).await {
        TakeResult::Taken(taken) => taken[0].total,
        TakeResult::Exhausted { .. } => panic!("there is no limit"),
    }
}

pub async fn what_is_taken_is_added_up_in_a_window(store: SharedStore) {
    assert_eq!(take_one(&store, take("a", 2, 9), NOW).await, taken(2, END));
    let later = NOW + 5 * MINUTE;
    assert_eq!(
        take_one(&store, take("a", 3, 9), later).await,
        taken(5, END)
    );
    let last = END - MILLI;
    assert_eq!(take_one(&store, take("a", 4, 9), last).await, taken(9, END));
}

pub async fn a_supply_is_full_again_from_the_moment_at_which_its_window_ends(store: SharedStore) {
    take_one(&store, take("a", 9, 9), NOW).await;
    let last = END - MILLI;
    assert_eq!(
        take_one(&store, take("a", 1, 9), last).await,
        exhausted(0, END)
    );
    let next_end = END + 10 * MINUTE;
    assert_eq!(
        take_one(&store, take("a", 9, 9), END).await,
        taken(9, next_end)
    );
    assert_eq!(
        take_one(&store, take("a", 1, 9), END).await,
        exhausted(0, next_end)
    );
}

pub async fn a_window_is_as_long_as_its_first_take_said(store: SharedStore) {
    take_one(&store, take("a", 1, 9), NOW).await;
    let longer = Take {
        window: 60 * MINUTE,
        ..take("a", 1, 9)
    };
    let shorter = Take {
        window: MILLI,
        ..take("a", 1, 9)
    };
    assert_eq!(take_one(&store, longer, NOW).await, taken(2, END));
    assert_eq!(take_one(&store, shorter, NOW).await, taken(3, END));
}

pub async fn a_limit_can_be_reached_and_not_passed(store: SharedStore) {
    assert_eq!(take_one(&store, take("a", 5, 9), NOW).await, taken(5, END));
    assert_eq!(
        take_one(&store, take("a", 5, 9), NOW).await,
        exhausted(0, END)
    );
    assert_eq!(
        take_one(&store, take("a", 4, 9), NOW).await,
        taken(9, END),
        "the take that was refused took nothing"
    );
    assert_eq!(
        take_one(&store, take("a", 1, 9), NOW).await,
        exhausted(0, END)
    );
}

/// Of one supply some callers may use a part only.
pub async fn each_caller_has_a_limit_of_its_own(store: SharedStore) {
    assert_eq!(take_one(&store, take("a", 5, 5), NOW).await, taken(5, END));
    assert_eq!(
        take_one(&store, take("a", 1, 5), NOW).await,
        exhausted(0, END)
    );
    assert_eq!(take_one(&store, take("a", 1, 9), NOW).await, taken(6, END));
    assert_eq!(
        take_one(&store, take("a", 1, 5), NOW).await,
        exhausted(0, END)
    );
}

pub async fn supplies_are_told_apart_by_every_letter_of_their_keys(store: SharedStore) {
    let long = "k".repeat(255);
    for key in ["a", "A", "a ", "a/b", "ا", "%", "", &long] {
        assert_eq!(take_one(&store, take(key, 1, 1), NOW).await, taken(1, END));
        assert_eq!(
            take_one(&store, take(key, 1, 1), NOW).await,
            exhausted(0, END)
        );
    }
}

pub async fn more_than_the_limit_is_never_there_and_begins_no_window(store: SharedStore) {
    assert_eq!(
        take_one(&store, take("a", 10, 9), NOW).await,
        exhausted(0, END)
    );
    assert_eq!(
        take_one(&store, take("a", 1, 0), NOW).await,
        exhausted(0, END)
    );
    let later = NOW + MINUTE;
    let end = later + 10 * MINUTE;
    assert_eq!(
        take_one(&store, take("a", 9, 9), later).await,
        taken(9, end)
    );
}

pub async fn nothing_can_be_taken_until_more_than_the_limit_was(store: SharedStore) {
    assert_eq!(take_one(&store, take("a", 0, 0), NOW).await, taken(0, END));
    take_one(&store, take("a", 9, 9), NOW).await;
    assert_eq!(take_one(&store, take("a", 0, 9), NOW).await, taken(9, END));
    assert_eq!(
        take_one(&store, take("a", 0, 8), NOW).await,
        exhausted(0, END)
    );
}

pub async fn who_asks_for_no_supply_gets_it(store: SharedStore) {
    let answer = ok(store.take(&[], NOW).await);
    assert_eq!(answer, TakeResult::Taken(Vec::new()));
}

pub async fn several_supplies_are_answered_in_the_order_of_the_question(store: SharedStore) {
    take_one(&store, take("b", 5, 9), NOW - MINUTE).await;
    let answer = ok(store
        .take(&[take("c", 1, 9), take("a", 2, 9), take("b", 3, 9)], NOW)
        .await);
    let expected =
        [(1, END), (2, END), (8, END - MINUTE)].map(|(total, ends_at)| Taken { total, ends_at });
    assert_eq!(answer, TakeResult::Taken(expected.to_vec()));
}

pub async fn of_several_supplies_all_or_none_is_taken(store: SharedStore) {
    take_one(&store, take("full", 1, 1), NOW).await;
    take_one(&store, take("b", 1, 9), NOW).await;
    let wanted = [take("a", 2, 9), take("full", 1, 1), take("b", 2, 9)];
    for place in 0..3 {
        let mut wanted = wanted.clone();
        wanted.rotate_left(place);
        let index = wanted.iter().position(|take| take.key == "full");
        let answer = ok(store.take(&wanted, NOW).await);
        assert_eq!(answer, exhausted(index.expect("it is there"), END));
    }
    let later = NOW + MINUTE;
    assert_eq!(
        take_one(&store, take("b", 0, 9), later).await,
        taken(1, END)
    );
    assert_eq!(
        take_one(&store, take("a", 0, 9), later).await,
        taken(0, later + 10 * MINUTE),
        "no window was begun"
    );
}

pub async fn of_several_exhausted_supplies_the_one_that_lasts_longest_is_named(store: SharedStore) {
    for (key, minutes) in [("short", 1), ("long", 3), ("middle", 2)] {
        let full = Take {
            window: minutes * MINUTE,
            ..take(key, 1, 1)
        };
        take_one(&store, full, NOW).await;
    }
    let wanted = [
        take("new", 1, 1),
        take("middle", 1, 1),
        take("long", 1, 1),
        take("short", 1, 1),
    ];
    let answer = ok(store.take(&wanted, NOW).await);
    assert_eq!(answer, exhausted(2, NOW + 3 * MINUTE));
}

pub async fn a_supply_that_is_named_twice_is_an_error_and_nothing_is_taken(store: SharedStore) {
    take_one(&store, take("a", 1, 9), NOW).await;
    let wanted = [take("a", 1, 9), take("b", 1, 9), take("a", 1, 9)];
    let answer = store.take(&wanted, NOW).await;
    assert!(matches!(answer, Err(StoreError::Fault(_))), "{answer:?}");
    assert_eq!(total(&store, "a").await, 1);
    assert_eq!(total(&store, "b").await, 0);
}

pub async fn amounts_may_be_as_large_as_numbers_are(store: SharedStore) {
    let most = u64::MAX;
    assert_eq!(
        take_one(&store, take("a", most, most - 1), NOW).await,
        exhausted(0, END)
    );
    for _ in 0..3 {
        let answer = take_one(&store, take("a", most, most), NOW).await;
        assert!(matches!(answer, TakeResult::Taken(_)), "{answer:?}");
        assert!(total(&store, "a").await >= 1 << 62, "a total wrapped");
    }
    let answer = take_one(&store, take("a", 1, 1 << 62), NOW).await;
    assert_eq!(answer, exhausted(0, END));
}

pub async fn a_window_may_be_as_long_as_time_is_and_as_short_as_none(store: SharedStore) {
    let endless = Take {
        window: Duration::MAX,
        ..take("a", 1, 1)
    };
    let end_of_time = Timestamp::from_millis(i64::MAX);
    assert_eq!(
        take_one(&store, endless.clone(), NOW).await,
        taken(1, end_of_time)
    );
    assert_eq!(
        take_one(&store, endless, END).await,
        exhausted(0, end_of_time)
    );
    let none = Take {
        window: Duration::ZERO,
        ..take("b", 1, 1)
    };
    for _ in 0..2 {
        assert_eq!(take_one(&store, none.clone(), NOW).await, taken(1, NOW));
    }
}

pub async fn of_many_takers_at_once_as_many_get_it_as_there_is(store: SharedStore) {
    // At first there is no window, then one that has ended.
    for now in [NOW, END] {
        let answers = all_at_once(&store, |store, _| async move {
            take_one(&store, take("a", 3, 31), now).await
        })
        .await;
        let end = now + 10 * MINUTE;
        assert_eq!(count(&answers, &exhausted(0, end)), CROWD - 10);
        for n in 1..=10 {
            assert_eq!(count(&answers, &taken(3 * n, end)), 1, "the {n}th take");
        }
    }
}

pub async fn of_many_takers_of_several_supplies_none_takes_a_part(store: SharedStore) {
    let answers = all_at_once(&store, |store, n| async move {
        let own = n.to_string();
        let wanted = [take("many", 1, 99), take("few", 1, 7), take(&own, 1, 1)];
        ok(store.take(&wanted, NOW).await)
    })
    .await;
    assert_eq!(count(&answers, &exhausted(1, END)), CROWD - 7);
    assert_eq!(total(&store, "many").await, 7);
    assert_eq!(total(&store, "few").await, 7);
    for (n, answer) in answers.iter().enumerate() {
        let own = u64::from(matches!(answer, TakeResult::Taken(_)));
        assert_eq!(total(&store, &n.to_string()).await, own);
    }
}

/// Each holds what the other wants next, unless a store has an order of its own.
pub async fn takers_of_the_same_supplies_in_opposite_orders_all_get_an_answer(store: SharedStore) {
    // At first there is no window, then one that is open.
    for round in 1..=3_u64 {
        let answers = all_at_once(&store, |store, n| async move {
            let mut wanted = ["a", "b", "c", "d"].map(|key| take(key, 1, 1000));
            if n % 2 == 0 {
                wanted.reverse();
            }
            ok(store.take(&wanted, NOW).await)
        })
        .await;
        let all = |answer: &&TakeResult| matches!(answer, TakeResult::Taken(_));
        assert_eq!(answers.iter().filter(all).count(), CROWD);
        for key in ["a", "b", "c", "d"] {
            assert_eq!(total(&store, key).await, round * CROWD as u64);
        }
    }
}

pub async fn a_correction_gives_back_and_takes_more(store: SharedStore) {
    take_one(&store, take("a", 5, 9), NOW).await;
    take_one(&store, take("b", 5, 9), NOW).await;
    correct(&store, "a", END, -3).await;
    assert_eq!(take_one(&store, take("a", 0, 9), NOW).await, taken(2, END));
    correct(&store, "a", END, 4).await;
    assert_eq!(take_one(&store, take("a", 0, 9), NOW).await, taken(6, END));
    assert_eq!(total(&store, "b").await, 5, "no other supply is corrected");
}

pub async fn several_supplies_are_corrected_at_once(store: SharedStore) {
    ok(store.correct(&[]).await);
    ok(store
        .take(&[take("a", 5, 9), take("b", 5, 9), take("c", 5, 9)], NOW)
        .await);
    let corrections = [
        correction("c", END, -1),
        correction("unknown", END, 1),
        correction("a", END, 2),
        correction("b", END + MILLI, 1),
        correction("a", END, 1),
    ];
    ok(store.correct(&corrections).await);
    for (key, expected) in [("a", 8), ("b", 5), ("c", 4), ("unknown", 0)] {
        assert_eq!(total(&store, key).await, expected, "{key}");
    }
}

pub async fn a_correction_stops_at_nothing_and_passes_limits(store: SharedStore) {
    take_one(&store, take("a", 5, 9), NOW).await;
    correct(&store, "a", END, 20).await;
    assert_eq!(total(&store, "a").await, 25);
    assert_eq!(
        take_one(&store, take("a", 0, 9), NOW).await,
        exhausted(0, END)
    );
    correct(&store, "a", END, -26).await;
    assert_eq!(take_one(&store, take("a", 9, 9), NOW).await, taken(9, END));
}

pub async fn a_correction_may_be_as_large_as_numbers_are(store: SharedStore) {
    take_one(&store, take("a", 5, 9), NOW).await;
    for _ in 0..3 {
        correct(&store, "a", END, i64::MAX).await;
        assert!(total(&store, "a").await >= 1 << 62, "a total wrapped");
    }
    take_one(&store, take("b", 5, 9), NOW).await;
    for _ in 0..2 {
        correct(&store, "b", END, i64::MIN).await;
        assert_eq!(total(&store, "b").await, 0);
    }
    correct(&store, "b", END, 1).await;
    assert_eq!(total(&store, "b").await, 1);
}

pub async fn a_correction_of_an_earlier_window_changes_nothing(store: SharedStore) {
    take_one(&store, take("a", 5, 9), NOW).await;
    let next_end = END + 10 * MINUTE;
    assert_eq!(
        take_one(&store, take("a", 5, 9), END).await,
        taken(5, next_end)
    );
    correct(&store, "a", END, -3).await;
    correct(&store, "a", next_end + MILLI, 1).await;
    correct(&store, "a", next_end - MILLI, 1).await;
    assert_eq!(
        take_one(&store, take("a", 0, 9), END).await,
        taken(5, next_end)
    );
}

pub async fn a_correction_of_an_unknown_supply_makes_none(store: SharedStore) {
    correct(&store, "a", END, 3).await;
    assert_eq!(total(&store, "a").await, 0);
}

pub async fn of_many_corrections_at_once_none_is_lost(store: SharedStore) {
    take_one(&store, take("a", 100, 100), NOW).await;
    all_at_once(&store, |store, n| async move {
        let change = if n % 2 == 0 { -2 } else { 1 };
        correct(&store, "a", END, change).await;
    })
    .await;
    assert_eq!(total(&store, "a").await, 100 - CROWD as u64 / 2);
}
