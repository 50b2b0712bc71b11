//! Looking after attempts: who may ask what became of one, and whose answer stands.

use super::fixture::{
    MILLI, MINUTE, NOW, SharedStore, all_at_once, all_differ, count, number, ok, outcome, sms,
};
use crate::clock::Timestamp;
use crate::store::{SmsId, SmsOutcome, SmsRecord, SmsStatus};

/// Until when the tests claim.
const UNTIL: Timestamp = Timestamp::from_secs(NOW.as_secs() + 600);

async fn record(store: &SharedStore, id: SmsId) -> SmsRecord {
    let all = ok(store.recent_sms(None, u32::MAX).await);
    all.into_iter()
        .find(|record| record.id == id)
        .expect("the message was logged")
}

/// The ids of the attempts that are due, claimed by that.
async fn claim_due(store: &SharedStore, now: Timestamp, limit: u32) -> Vec<SmsId> {
    let due = ok(store.claim_due_sms(now, UNTIL, limit).await);
    due.iter().map(|record| record.id).collect()
}

/// An attempt that was claimed until [`UNTIL`].
async fn claimed(store: &SharedStore) -> SmsId {
    let id = ok(store.log_sms(&sms(number(1)), NOW).await);
    assert_eq!(claim_due(store, NOW, 1).await, [id]);
    id
}

pub async fn an_attempt_is_due_from_the_moment_of_its_check(store: SharedStore) {
    let id = ok(store.log_sms(&sms(number(1)), NOW + MINUTE).await);
    assert!(claim_due(&store, NOW + MINUTE - MILLI, 9).await.is_empty());
    assert_eq!(claim_due(&store, NOW + MINUTE, 9).await, [id]);
}

pub async fn the_attempts_due_first_are_given_first(store: SharedStore) {
    let mut logged = Vec::new();
    for minutes in [3, 1, 2, 1, 9] {
        let check_at = NOW + minutes * MINUTE;
        logged.push(ok(store.log_sms(&sms(number(1)), check_at).await));
    }
    let now = NOW + 5 * MINUTE;
    assert!(claim_due(&store, now, 0).await.is_empty());
    assert_eq!(
        claim_due(&store, now, 3).await,
        [logged[1], logged[3], logged[2]]
    );
    assert_eq!(claim_due(&store, now, 3).await, [logged[0]]);
    assert!(claim_due(&store, now, 3).await.is_empty());
}

pub async fn a_claimed_attempt_is_given_whole_and_changes_nothing_but_its_check(
    store: SharedStore,
) {
    let id = ok(store.log_sms(&sms(number(1)), NOW).await);
    let other = ok(store.log_sms(&sms(number(2)), NOW + MINUTE).await);
    let before = record(&store, id).await;
    let untouched = record(&store, other).await;
    let expected = SmsRecord {
        outcome: SmsOutcome {
            check_at: Some(UNTIL),
            ..before.outcome
        },
        ..before
    };
    let given = ok(store.claim_due_sms(NOW, UNTIL, 9).await);
    assert_eq!(record(&store, id).await, expected);
    assert_eq!(given, [expected]);
    assert_eq!(record(&store, other).await, untouched);
}

pub async fn a_claimed_attempt_is_given_again_when_its_claim_ends_and_not_before(
    store: SharedStore,
) {
    let id = claimed(&store).await;
    assert!(claim_due(&store, UNTIL - MILLI, 9).await.is_empty());
    assert_eq!(claim_due(&store, UNTIL, 9).await, [id]);
}

pub async fn a_settled_attempt_is_due_when_its_outcome_says_so(store: SharedStore) {
    let id = ok(store.log_sms(&sms(number(1)), NOW).await);
    let later = SmsOutcome {
        check_at: Some(NOW + MINUTE),
        ..outcome(SmsStatus::Accepted)
    };
    ok(store.settle_sms(id, &later).await);
    assert!(claim_due(&store, NOW + MINUTE - MILLI, 9).await.is_empty());
    assert_eq!(claim_due(&store, NOW + MINUTE, 9).await, [id]);
    ok(store.settle_sms(id, &outcome(SmsStatus::Accepted)).await);
    let end_of_time = Timestamp::from_millis(i64::MAX);
    assert!(
        claim_due(&store, end_of_time, 9).await.is_empty(),
        "there is nothing more to find out"
    );
}

pub async fn checks_may_be_at_any_time_that_there_is(store: SharedStore) {
    let [beginning, end] = [i64::MIN, i64::MAX].map(Timestamp::from_millis);
    let never = ok(store.log_sms(&sms(number(1)), end).await);
    let always = ok(store.log_sms(&sms(number(1)), beginning).await);
    assert_eq!(claim_due(&store, beginning, 9).await, [always]);
    assert_eq!(claim_due(&store, end, 9).await, [always, never]);
}

pub async fn of_many_claims_at_once_each_attempt_is_given_to_one(store: SharedStore) {
    let mut logged = Vec::new();
    for _ in 0..100 {
        logged.push(ok(store.log_sms(&sms(number(1)), NOW).await));
    }
    let given = all_at_once(&store, |store, _| async move {
        let given = claim_due(&store, NOW, 3).await;
        assert!(given.len() <= 3, "more than asked for: {given:?}");
        given
    })
    .await;
    let mut given: Vec<_> = given.into_iter().flatten().collect();
    assert!(!given.is_empty());
    given.extend(claim_due(&store, NOW, u32::MAX).await);
    assert!(all_differ(&given), "one was given twice: {given:?}");
    assert_eq!(given.len(), logged.len());
}

pub async fn what_was_found_out_about_a_claimed_attempt_is_noted(store: SharedStore) {
    let id = claimed(&store).await;
    let found = SmsOutcome {
        checks: 1,
        check_at: Some(UNTIL + MINUTE),
        ..outcome(SmsStatus::Accepted)
    };
    assert!(ok(store.resolve_sms(id, UNTIL, &found).await));
    assert_eq!(record(&store, id).await.outcome, found);
    let again = store
        .resolve_sms(id, UNTIL, &outcome(SmsStatus::NotSent))
        .await;
    assert!(!ok(again), "the claim is used up");
    assert_eq!(record(&store, id).await.outcome, found);
}

pub async fn what_was_found_out_is_dropped_when_the_attempt_was_settled_since(store: SharedStore) {
    let settlings = [None, Some(UNTIL - MILLI), Some(UNTIL + MILLI)];
    for check_at in settlings {
        let id = claimed(&store).await;
        let settled = SmsOutcome {
            check_at,
            ..outcome(SmsStatus::Accepted)
        };
        ok(store.settle_sms(id, &settled).await);
        let found = outcome(SmsStatus::NotSent);
        assert!(!ok(store.resolve_sms(id, UNTIL, &found).await));
        assert_eq!(record(&store, id).await.outcome, settled);
        ok(store.settle_sms(id, &outcome(SmsStatus::Accepted)).await);
    }
}

pub async fn what_was_found_out_is_dropped_when_the_attempt_was_claimed_again(store: SharedStore) {
    let id = claimed(&store).await;
    let later = UNTIL + MINUTE;
    assert_eq!(ok(store.claim_due_sms(UNTIL, later, 9).await).len(), 1);
    let before = record(&store, id).await;
    let slow = outcome(SmsStatus::NotSent);
    assert!(!ok(store.resolve_sms(id, UNTIL, &slow).await));
    assert_eq!(record(&store, id).await, before);
    let quick = outcome(SmsStatus::Accepted);
    assert!(ok(store.resolve_sms(id, later, &quick).await));
    assert_eq!(record(&store, id).await.outcome, quick);
}

pub async fn what_the_sender_says_stands_even_after_something_was_found_out(store: SharedStore) {
    let id = claimed(&store).await;
    let found = outcome(SmsStatus::NotSent);
    assert!(ok(store.resolve_sms(id, UNTIL, &found).await));
    let said = outcome(SmsStatus::Accepted);
    ok(store.settle_sms(id, &said).await);
    assert_eq!(record(&store, id).await.outcome, said);
}

pub async fn nothing_is_found_out_about_an_unknown_attempt(store: SharedStore) {
    let id = claimed(&store).await;
    let other = SmsId(id.0 + 1);
    let found = outcome(SmsStatus::NotSent);
    assert!(!ok(store.resolve_sms(other, UNTIL, &found).await));
}

pub async fn of_many_answers_to_one_claim_one_is_noted(store: SharedStore) {
    let id = claimed(&store).await;
    let found = |n: usize| SmsOutcome {
        provider_code: Some(n.to_string()),
        ..outcome(SmsStatus::Accepted)
    };
    let noted = all_at_once(&store, |store, n| {
        let found = found(n);
        async move { ok(store.resolve_sms(id, UNTIL, &found).await) }
    })
    .await;
    assert_eq!(count(&noted, &true), 1);
    let winner = noted.iter().position(|noted| *noted).expect("a winner");
    assert_eq!(record(&store, id).await.outcome, found(winner));
}

/// The sender was slow, not dead: whichever comes first, its word is the last.
pub async fn a_settling_wins_against_many_answers_at_once(store: SharedStore) {
    let id = claimed(&store).await;
    let said = outcome(SmsStatus::Accepted);
    all_at_once(&store, |store, n| async move {
        if n == 31 {
            ok(store.settle_sms(id, &outcome(SmsStatus::Accepted)).await);
        } else {
            let found = outcome(SmsStatus::NotSent);
            ok(store.resolve_sms(id, UNTIL, &found).await);
        }
    })
    .await;
    assert_eq!(record(&store, id).await.outcome, said);
}
