//! The log of messages.

use super::fixture::{
    CROWD, MILLI, MINUTE, NOW, SharedStore, all_at_once, all_differ, claim, deliveries, number, ok,
    outcome, request, sms, statuses, two_users,
};
use crate::sms::{Delivery, LocalId};
use crate::store::{
    NewSms, SmsId, SmsOutcome, SmsPurpose, SmsRecord, SmsStatus, SmsTotal, StoreError,
};
use crate::user::UserId;

async fn newest(store: &SharedStore) -> SmsRecord {
    ok(store.recent_sms(None, 1).await)
        .pop()
        .expect("a message was logged")
}

pub async fn a_message_is_logged_as_being_sent(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let message = NewSms {
        purpose: SmsPurpose::Message,
        user: Some(user),
        parts: None,
        local_id: Some(LocalId(i64::MAX)),
        request: Some(claim(&store, &request(user, "key", 1)).await),
        may_repeat: Some(ok(store.log_sms(&sms(number(1)), NOW).await)),
        ..sms(number(1))
    };
    let id = ok(store.log_sms(&message, NOW + MINUTE).await);
    let sending = SmsOutcome {
        status: SmsStatus::Sending,
        provider_id: None,
        provider_code: None,
        cost_rial: None,
        delivery: None,
        checks: 0,
        check_at: Some(NOW + MINUTE),
        at: NOW,
    };
    let expected = SmsRecord {
        id,
        sms: message,
        outcome: sending,
    };
    assert_eq!(newest(&store).await, expected);
}

pub async fn a_message_of_an_unknown_account_is_not_logged(store: SharedStore) {
    let message = NewSms {
        user: Some(UserId(1)),
        ..sms(number(1))
    };
    let answer = store.log_sms(&message, NOW).await;
    assert!(matches!(answer, Err(StoreError::Fault(_))), "{answer:?}");
    assert!(ok(store.recent_sms(None, 1).await).is_empty());
}

pub async fn every_outcome_is_kept_as_the_provider_said_it(store: SharedStore) {
    let message = sms(number(1));
    let id = ok(store.log_sms(&message, NOW + MINUTE).await);
    for status in statuses() {
        for delivery in deliveries() {
            let said = SmsOutcome {
                delivery,
                checks: u32::MAX,
                check_at: Some(NOW + 2 * MINUTE),
                ..outcome(status)
            };
            ok(store.settle_sms(id, &said).await);
            let record = newest(&store).await;
            assert_eq!(record.outcome, said);
            assert_eq!(record.sms, message, "what was sent stays");
        }
    }
}

pub async fn what_an_outcome_does_not_say_is_not_known_any_more(store: SharedStore) {
    let id = ok(store.log_sms(&sms(number(1)), NOW + MINUTE).await);
    let full = SmsOutcome {
        delivery: Some(Delivery::Delivered),
        checks: 3,
        check_at: Some(NOW),
        ..outcome(SmsStatus::Accepted)
    };
    let empty = SmsOutcome {
        provider_id: None,
        provider_code: None,
        cost_rial: None,
        ..outcome(SmsStatus::Unknown)
    };
    ok(store.settle_sms(id, &full).await);
    ok(store.settle_sms(id, &empty).await);
    assert_eq!(newest(&store).await.outcome, empty);
}

pub async fn settling_changes_that_message_alone(store: SharedStore) {
    let first = ok(store.log_sms(&sms(number(1)), NOW + MINUTE).await);
    let second = ok(store.log_sms(&sms(number(1)), NOW + MINUTE).await);
    ok(store.settle_sms(first, &outcome(SmsStatus::Accepted)).await);
    assert_eq!(newest(&store).await.outcome.status, SmsStatus::Sending);
    ok(store
        .settle_sms(SmsId(second.0 + 1), &outcome(SmsStatus::Accepted))
        .await);
}

pub async fn messages_are_read_newest_first_page_by_page(store: SharedStore) {
    let mut logged = Vec::new();
    for n in 0..5 {
        logged.push(ok(store.log_sms(&sms(number(n)), NOW + MINUTE).await));
    }
    logged.reverse();
    let mut read = Vec::new();
    loop {
        let page = ok(store.recent_sms(read.last().copied(), 2).await);
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        read.extend(page.iter().map(|record| record.id));
    }
    assert_eq!(read, logged);
    assert!(ok(store.recent_sms(None, 0).await).is_empty());
}

pub async fn many_messages_are_logged_at_once_and_none_is_lost(store: SharedStore) {
    let ids = all_at_once(&store, |store, n| async move {
        ok(store.log_sms(&sms(number(n)), NOW + MINUTE).await)
    })
    .await;
    assert!(all_differ(&ids));
    assert_eq!(ok(store.recent_sms(None, u32::MAX).await).len(), CROWD);
}

/// Logs a message of a provider and settles it.
async fn settled(store: &SharedStore, message: &NewSms, outcome: &SmsOutcome) {
    let id = ok(store.log_sms(message, NOW).await);
    ok(store.settle_sms(id, outcome).await);
}

fn sorted(mut totals: Vec<SmsTotal>) -> Vec<SmsTotal> {
    totals.sort_by_key(|total| format!("{total:?}"));
    totals
}

pub async fn a_bill_has_a_line_for_each_provider_status_and_delivery(store: SharedStore) {
    let mut expected = Vec::new();
    for provider in ["KAVENEGAR_COM", "SMS_IR"] {
        for status in statuses() {
            for delivery in deliveries() {
                let message = NewSms {
                    provider: provider.to_owned(),
                    ..sms(number(1))
                };
                let said = SmsOutcome {
                    delivery,
                    ..outcome(status)
                };
                settled(&store, &message, &said).await;
                expected.push(SmsTotal {
                    provider: provider.to_owned(),
                    status,
                    delivery,
                    messages: 1,
                    parts: 1,
                    cost_rial: 1_234_567_890_123,
                });
            }
        }
    }
    assert_eq!(sorted(ok(store.total_sms(NOW).await)), sorted(expected));
}

pub async fn a_line_of_the_bill_adds_up_what_is_known(store: SharedStore) {
    for (parts, cost_rial) in [(Some(3), Some(500)), (None, None), (Some(1), Some(70))] {
        let message = NewSms {
            parts,
            ..sms(number(1))
        };
        let said = SmsOutcome {
            cost_rial,
            ..outcome(SmsStatus::Accepted)
        };
        settled(&store, &message, &said).await;
    }
    let expected = SmsTotal {
        provider: "KAVENEGAR_COM".to_owned(),
        status: SmsStatus::Accepted,
        delivery: None,
        messages: 3,
        parts: 3 + 1 + 1,
        cost_rial: 570,
    };
    assert_eq!(ok(store.total_sms(NOW).await), [expected]);
}

pub async fn a_bill_begins_with_the_moment_it_is_asked_for(store: SharedStore) {
    for created_at in [NOW - MILLI, NOW, NOW + MILLI] {
        let message = NewSms {
            created_at,
            ..sms(number(1))
        };
        ok(store.log_sms(&message, NOW).await);
    }
    let mut messages = Vec::new();
    for since in [NOW - MILLI, NOW, NOW + MILLI, NOW + 2 * MILLI] {
        let totals = ok(store.total_sms(since).await);
        messages.push(totals.iter().map(|total| total.messages).sum::<u64>());
    }
    assert_eq!(messages, [3, 2, 1, 0]);
    assert!(ok(store.total_sms(NOW + MINUTE).await).is_empty());
}

pub async fn a_bill_too_large_for_a_number_is_an_error_and_not_a_wrong_one(store: SharedStore) {
    for cost in [i64::MAX, 1] {
        let said = SmsOutcome {
            cost_rial: Some(cost),
            ..outcome(SmsStatus::Accepted)
        };
        settled(&store, &sms(number(1)), &said).await;
    }
    let answer = store.total_sms(NOW).await;
    assert!(matches!(answer, Err(StoreError::Fault(_))), "{answer:?}");
}
