//! The log of messages.

use super::fixture::{
    CROWD, MINUTE, NOW, SharedStore, all_at_once, all_differ, number, ok, sms, two_users,
};
use crate::store::{NewSms, SmsId, SmsOutcome, SmsPurpose, SmsRecord, SmsStatus};

fn outcome(status: SmsStatus) -> SmsOutcome {
    SmsOutcome {
        status,
        provider_id: Some("8792343".to_owned()),
        provider_code: Some("418".to_owned()),
        cost_rial: Some(1_234_567_890_123),
        at: NOW + MINUTE,
    }
}

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
        ..sms(number(1))
    };
    let id = ok(store.log_sms(&message).await);
    let record = newest(&store).await;
    assert_eq!(record.id, id);
    assert_eq!(record.sms.mobile_number, number(1));
    assert_eq!(record.sms.provider, "KAVENEGAR_COM");
    assert_eq!(record.sms.purpose, SmsPurpose::Message);
    assert_eq!((record.sms.user, record.sms.parts), (Some(user), None));
    assert_eq!(record.sms.created_at, NOW);
    let sending = SmsOutcome {
        status: SmsStatus::Sending,
        provider_id: None,
        provider_code: None,
        cost_rial: None,
        at: NOW,
    };
    assert_eq!(record.outcome, sending);
}

pub async fn every_outcome_is_kept_as_the_provider_said_it(store: SharedStore) {
    let id = ok(store.log_sms(&sms(number(1))).await);
    for status in [
        SmsStatus::Accepted,
        SmsStatus::NotSent,
        SmsStatus::Unknown,
        SmsStatus::Sending,
    ] {
        ok(store.settle_sms(id, &outcome(status)).await);
        assert_eq!(newest(&store).await.outcome, outcome(status));
    }
    let record = newest(&store).await;
    assert_eq!((record.sms.user, record.sms.parts), (None, Some(1)));
    assert_eq!(record.sms.purpose, SmsPurpose::Code);
    assert_eq!(record.sms.created_at, NOW, "the time of sending stays");
}

pub async fn settling_changes_that_message_alone(store: SharedStore) {
    let first = ok(store.log_sms(&sms(number(1))).await);
    let second = ok(store.log_sms(&sms(number(1))).await);
    ok(store.settle_sms(first, &outcome(SmsStatus::Accepted)).await);
    assert_eq!(newest(&store).await.outcome.status, SmsStatus::Sending);
    ok(store
        .settle_sms(SmsId(second.0 + 1), &outcome(SmsStatus::Accepted))
        .await);
}

pub async fn messages_are_read_newest_first_page_by_page(store: SharedStore) {
    let mut logged = Vec::new();
    for n in 0..5 {
        logged.push(ok(store.log_sms(&sms(number(n))).await));
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
        ok(store.log_sms(&sms(number(n))).await)
    })
    .await;
    assert!(all_differ(&ids));
    assert_eq!(ok(store.recent_sms(None, u32::MAX).await).len(), CROWD);
}
