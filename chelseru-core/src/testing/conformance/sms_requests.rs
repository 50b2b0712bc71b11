//! Requests with an idempotency key: one message for one key.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::fixture::{
    CROWD, MILLI, MINUTE, NOW, SharedStore, all_at_once, claim, count, number, ok, outcome,
    request, sms, statuses, two_users,
};
use crate::store::{NewSms, NewSmsRequest, SmsClaim, SmsRequestId, SmsStatus, StoreError};
use crate::user::UserId;

fn is_yours(answer: &SmsClaim) -> bool {
    matches!(answer, SmsClaim::Yours(_))
}

/// Logs an attempt of a request and settles it, unless it is still being sent.
async fn attempt(store: &SharedStore, of: SmsRequestId, status: SmsStatus) {
    let message = NewSms {
        request: Some(of),
        ..sms(number(1))
    };
    let id = ok(store.log_sms(&message, NOW).await);
    if status != SmsStatus::Sending {
        ok(store.settle_sms(id, &outcome(status)).await);
    }
}

pub async fn a_new_key_is_its_first_callers(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let first = ok(store.claim_sms_request(&request(user, "key", 1)).await);
    assert!(is_yours(&first), "{first:?}");
    let second = ok(store.claim_sms_request(&request(user, "key", 1)).await);
    assert_eq!(second, SmsClaim::Taken(SmsStatus::Sending));
}

pub async fn a_key_that_was_used_says_what_became_of_its_message(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let id = claim(&store, &request(user, "key", 1)).await;
    for status in statuses() {
        if status == SmsStatus::NotSent {
            continue;
        }
        ok(store.settle_sms_request(id, status).await);
        let again = ok(store.claim_sms_request(&request(user, "key", 1)).await);
        assert_eq!(again, SmsClaim::Taken(status));
    }
}

pub async fn a_key_stands_for_one_message_whatever_became_of_it(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let id = claim(&store, &request(user, "key", 1)).await;
    for status in statuses() {
        ok(store.settle_sms_request(id, status).await);
        let other = ok(store.claim_sms_request(&request(user, "key", 2)).await);
        assert_eq!(other, SmsClaim::OtherMessage, "{status:?}");
    }
    ok(store.settle_sms_request(id, SmsStatus::NotSent).await);
    ok(store.claim_sms_request(&request(user, "key", 2)).await);
    claim(&store, &request(user, "key", 1)).await;
}

pub async fn each_account_has_keys_of_its_own(store: SharedStore) {
    let (user, other) = two_users(&store).await;
    let first = claim(&store, &request(user, "key", 1)).await;
    let second = claim(&store, &request(other, "key", 2)).await;
    assert_ne!(first, second);
    ok(store.settle_sms_request(first, SmsStatus::Accepted).await);
    let again = ok(store.claim_sms_request(&request(other, "key", 2)).await);
    assert_eq!(again, SmsClaim::Taken(SmsStatus::Sending));
}

pub async fn keys_that_differ_in_anything_are_different_keys(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let long = "k".repeat(255);
    for key in [
        "key",
        "Key",
        "key ",
        " key",
        "ké",
        "ke\u{301}",
        "کلید",
        "%",
        "",
        &long,
    ] {
        claim(&store, &request(user, key, 1)).await;
    }
}

pub async fn a_message_that_was_not_sent_opens_its_key_for_one_more_try(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    for _ in 0..3 {
        let id = claim(&store, &request(user, "key", 1)).await;
        let again = ok(store.claim_sms_request(&request(user, "key", 1)).await);
        assert_eq!(again, SmsClaim::Taken(SmsStatus::Sending));
        ok(store.settle_sms_request(id, SmsStatus::NotSent).await);
    }
}

pub async fn a_request_of_an_unknown_account_is_an_error(store: SharedStore) {
    let answer = store.claim_sms_request(&request(UserId(1), "key", 1)).await;
    assert!(matches!(answer, Err(StoreError::Fault(_))), "{answer:?}");
}

pub async fn settling_an_unknown_request_is_no_error(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let id = claim(&store, &request(user, "key", 1)).await;
    let unknown = SmsRequestId(id.0 + 1);
    ok(store.settle_sms_request(unknown, SmsStatus::NotSent).await);
    let again = ok(store.claim_sms_request(&request(user, "key", 1)).await);
    assert_eq!(again, SmsClaim::Taken(SmsStatus::Sending));
}

pub async fn of_many_claims_of_a_key_one_is_to_send_and_again_after_a_failure(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    for _ in 0..3 {
        let answers = all_at_once(&store, |store, _| async move {
            ok(store.claim_sms_request(&request(user, "key", 1)).await)
        })
        .await;
        let sending = SmsClaim::Taken(SmsStatus::Sending);
        assert_eq!(count(&answers, &sending), CROWD - 1, "{answers:?}");
        let winner = answers.into_iter().find(is_yours);
        let Some(SmsClaim::Yours(id)) = winner else {
            panic!("nobody is to send it");
        };
        ok(store.settle_sms_request(id, SmsStatus::NotSent).await);
    }
}

pub async fn of_many_messages_that_claim_one_key_one_is_sent(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let answers = all_at_once(&store, |store, n| async move {
        ok(store.claim_sms_request(&request(user, "key", n)).await)
    })
    .await;
    assert_eq!(count(&answers, &SmsClaim::OtherMessage), CROWD - 1);
    assert_eq!(answers.iter().filter(|one| is_yours(one)).count(), 1);
}

/// A key that opens again and again, as fast as it can, under callers that all want it.
pub async fn a_key_is_held_by_one_at_a_time(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let holders = Arc::new(AtomicUsize::new(0));
    all_at_once(&store, |store, _| {
        let holders = Arc::clone(&holders);
        async move {
            for _ in 0..100_000 {
                let answer = ok(store.claim_sms_request(&request(user, "key", 1)).await);
                if let SmsClaim::Yours(id) = answer {
                    assert_eq!(
                        holders.fetch_add(1, Ordering::SeqCst),
                        0,
                        "two hold the key"
                    );
                    tokio::task::yield_now().await;
                    holders.fetch_sub(1, Ordering::SeqCst);
                    ok(store.settle_sms_request(id, SmsStatus::NotSent).await);
                    return;
                }
                assert_eq!(answer, SmsClaim::Taken(SmsStatus::Sending));
                tokio::task::yield_now().await;
            }
            panic!("the key never came free");
        }
    })
    .await;
}

/// The status of a request, without claiming it.
async fn status_of(store: &SharedStore, request: &NewSmsRequest) -> SmsStatus {
    match ok(store.claim_sms_request(request).await) {
        SmsClaim::Taken(status) => status,
        SmsClaim::Yours(_) => SmsStatus::NotSent,
        SmsClaim::OtherMessage => panic!("it is the same message"),
    }
}

pub async fn the_best_attempt_decides_what_became_of_a_forgotten_request(store: SharedStore) {
    use SmsStatus::{Accepted, NotSent, Sending, Unknown};
    let cases: [(&[SmsStatus], SmsStatus); 15] = [
        (&[], NotSent),
        (&[NotSent], NotSent),
        (&[NotSent, NotSent], NotSent),
        (&[Unknown], Unknown),
        (&[NotSent, Unknown], Unknown),
        (&[Unknown, NotSent], Unknown),
        (&[Accepted], Accepted),
        (&[NotSent, Accepted], Accepted),
        (&[Accepted, NotSent], Accepted),
        (&[Unknown, Accepted], Accepted),
        (&[Accepted, Unknown], Accepted),
        (&[NotSent, Accepted, Unknown], Accepted),
        (&[Sending], Sending),
        (&[Accepted, Sending], Sending),
        (&[Sending, Unknown, NotSent], Sending),
    ];
    let (user, _) = two_users(&store).await;
    for (n, (attempts, _)) in cases.iter().enumerate() {
        let id = claim(&store, &request(user, &n.to_string(), 1)).await;
        for status in *attempts {
            attempt(&store, id, *status).await;
        }
    }
    let resolved = ok(store.resolve_sms_requests(NOW + MILLI).await);
    assert_eq!(resolved, 12, "all but those with an attempt on its way");
    for (n, (attempts, expected)) in cases.iter().enumerate() {
        let status = status_of(&store, &request(user, &n.to_string(), 1)).await;
        assert_eq!(status, *expected, "{attempts:?}");
    }
}

pub async fn a_request_is_resolved_once_its_last_attempt_is_settled(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let request = request(user, "key", 1);
    let message = NewSms {
        request: Some(claim(&store, &request).await),
        ..sms(number(1))
    };
    let id = ok(store.log_sms(&message, NOW).await);
    assert_eq!(ok(store.resolve_sms_requests(NOW + MILLI).await), 0);
    ok(store.settle_sms(id, &outcome(SmsStatus::Accepted)).await);
    assert_eq!(ok(store.resolve_sms_requests(NOW + MILLI).await), 1);
    assert_eq!(status_of(&store, &request).await, SmsStatus::Accepted);
    assert_eq!(ok(store.resolve_sms_requests(NOW + MILLI).await), 0);
}

pub async fn only_requests_that_were_claimed_long_enough_ago_are_resolved(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    claim(&store, &request(user, "key", 1)).await;
    assert_eq!(ok(store.resolve_sms_requests(NOW).await), 0);
    assert_eq!(ok(store.resolve_sms_requests(NOW + MILLI).await), 1);
}

pub async fn a_key_that_was_claimed_again_is_as_young_as_its_last_claim(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let id = claim(&store, &request(user, "key", 1)).await;
    ok(store.settle_sms_request(id, SmsStatus::NotSent).await);
    let later = NewSmsRequest {
        now: NOW + MINUTE,
        ..request(user, "key", 1)
    };
    claim(&store, &later).await;
    assert_eq!(ok(store.resolve_sms_requests(NOW + MINUTE).await), 0);
    let resolved = store.resolve_sms_requests(NOW + MINUTE + MILLI).await;
    assert_eq!(ok(resolved), 1);
}

pub async fn a_settled_request_is_not_resolved(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let request = request(user, "key", 1);
    let id = claim(&store, &request).await;
    attempt(&store, id, SmsStatus::NotSent).await;
    ok(store.settle_sms_request(id, SmsStatus::Accepted).await);
    assert_eq!(ok(store.resolve_sms_requests(NOW + MINUTE).await), 0);
    assert_eq!(status_of(&store, &request).await, SmsStatus::Accepted);
}

pub async fn a_request_in_doubt_becomes_what_its_attempts_became(store: SharedStore) {
    use SmsStatus::{Accepted, NotSent, Sending, Unknown};
    let cases: [(&[SmsStatus], SmsStatus); 7] = [
        (&[NotSent], NotSent),
        (&[NotSent, Accepted], Accepted),
        (&[Unknown, Accepted], Accepted),
        (&[Unknown], Unknown),
        (&[NotSent, Unknown], Unknown),
        (&[Accepted, Sending], Unknown),
        (&[NotSent, Sending], Unknown),
    ];
    let (user, _) = two_users(&store).await;
    for (n, (attempts, expected)) in cases.iter().enumerate() {
        let request = request(user, &n.to_string(), 1);
        let id = claim(&store, &request).await;
        for status in *attempts {
            attempt(&store, id, *status).await;
        }
        ok(store.settle_sms_request(id, Unknown).await);
        ok(store.resolve_sms_request(id).await);
        assert_eq!(status_of(&store, &request).await, *expected, "{attempts:?}");
    }
}

pub async fn only_a_request_in_doubt_is_settled_anew(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    for (n, status) in [SmsStatus::Sending, SmsStatus::Accepted].iter().enumerate() {
        let request = request(user, &n.to_string(), 1);
        let id = claim(&store, &request).await;
        attempt(&store, id, SmsStatus::NotSent).await;
        ok(store.settle_sms_request(id, *status).await);
        ok(store.resolve_sms_request(id).await);
        assert_eq!(status_of(&store, &request).await, *status);
        ok(store.resolve_sms_request(SmsRequestId(id.0 + 1)).await);
    }
}

pub async fn each_request_is_resolved_once_by_many_at_once(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    for n in 0..10 {
        let id = claim(&store, &request(user, &n.to_string(), 1)).await;
        attempt(&store, id, SmsStatus::Unknown).await;
    }
    let resolved = all_at_once(&store, |store, _| async move {
        ok(store.resolve_sms_requests(NOW + MILLI).await)
    })
    .await;
    let at_once: u64 = resolved.iter().sum();
    let rest = ok(store.resolve_sms_requests(NOW + MILLI).await);
    assert_eq!(at_once + rest, 10);
}
