//! Idempotency keys.

use std::sync::Arc;
use std::time::Duration;

use super::{Fixture, NUMBER, error, kind, number};
use crate::error::Error;
use crate::service::Message;
use crate::service::sms::requests::Fingerprints;
use crate::sms::{LocalId, SmsErrorKind};
use crate::store::{
    MemoryStore, NewSms, NewSmsRequest, SmsClaim, SmsPurpose, SmsRequestId, SmsStatus,
};
use crate::testing::StubProvider;
use crate::user::UserId;

const MINUTE: Duration = Duration::from_secs(60);

fn message(text: &str) -> Message {
    Message::new(number(NUMBER), text).with_idempotency_key("order-7".parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_key_is_one_message_however_often_it_is_asked_for() {
    let a = StubProvider::new();
    let service = Fixture::new(&[&a]);
    let user = service.user("09121111111").await;
    for _ in 0..3 {
        service
            .chelseru
            .send_message(&user, message("hi"))
            .await
            .unwrap();
    }
    assert_eq!(a.sent(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_its_users_own() {
    let a = StubProvider::new();
    let service = Fixture::new(&[&a]);
    for who in ["09121111111", "09122222222"] {
        let user = service.user(who).await;
        service
            .chelseru
            .send_message(&user, message("hi"))
            .await
            .unwrap();
        service.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(a.sent(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_another_message_is_refused() {
    let a = StubProvider::new();
    let service = Fixture::new(&[&a]);
    let user = service.user("09121111111").await;
    service
        .chelseru
        .send_message(&user, message("hi"))
        .await
        .unwrap();
    let mut elsewhere = message("hi");
    elsewhere.to = number("09129999999");
    for other in [
        message("ho"),
        elsewhere,
        message("hi").with_template("LOGIN"),
    ] {
        let error = service
            .chelseru
            .send_message(&user, other)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::KeyOfAnotherMessage), "{error:?}");
    }
    assert_eq!(a.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_message_was_certainly_not_sent_may_be_tried_again() {
    let a = StubProvider::new();
    let service = Fixture::new(&[&a]);
    let user = service.user("09121111111").await;
    a.fail_next(error(SmsErrorKind::NotSent));
    let failed = service.chelseru.send_message(&user, message("hi")).await;
    assert_eq!(kind(failed), SmsErrorKind::NotSent);
    service
        .chelseru
        .send_message(&user, message("hi"))
        .await
        .unwrap();
    service
        .chelseru
        .send_message(&user, message("hi"))
        .await
        .unwrap();
    assert_eq!(a.sent(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_message_was_perhaps_sent_is_not_sent_again() {
    let a = StubProvider::new();
    let service = Fixture::new(&[&a]);
    let user = service.user("09121111111").await;
    a.lose_next_answer();
    service
        .chelseru
        .send_message(&user, message("hi"))
        .await
        .unwrap_err();
    let again = service.chelseru.send_message(&user, message("hi")).await;
    assert!(matches!(again, Err(Error::SentUnderKey)), "{again:?}");
    assert_eq!(a.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_many_with_one_key_at_once_one_sends_and_the_others_are_told() {
    let a = StubProvider::new();
    let service = Fixture::new(&[&a]);
    let user = service.user("09121111111").await;
    a.hang_next();
    let (chelseru, who) = (service.chelseru.clone(), user.clone());
    let first = tokio::spawn(async move { chelseru.send_message(&who, message("hi")).await });
    tokio::time::sleep(Duration::from_millis(1)).await;
    for _ in 0..10 {
        let again = service.chelseru.send_message(&user, message("hi")).await;
        assert!(matches!(again, Err(Error::RequestInProgress)), "{again:?}");
    }
    assert_eq!(a.calls(), 1);
    assert_eq!(kind(first.await.unwrap()), SmsErrorKind::PerhapsSent);
}

#[tokio::test(start_paused = true)]
async fn a_key_survives_a_crash_between_the_providers_answer_and_our_record() {
    for takes_ids in [true, false] {
        let a = StubProvider::new().that_can(|can| can.local_ids = takes_ids);
        let store = Arc::new(MemoryStore::new());
        let before = Fixture::over(store.clone(), &[&a], |config| config);
        let user = before.user("09121111111").await;

        // The provider takes it, and the process dies before it hears so.
        let crash = StubProvider::new().that_can(|can| can.local_ids = takes_ids);
        let dying = Fixture::over(store.clone(), &[&crash], |config| config);
        crash.hang_next();
        let (chelseru, who) = (dying.chelseru.clone(), user.clone());
        let task = tokio::spawn(async move { chelseru.send_message(&who, message("hi")).await });
        tokio::time::sleep(Duration::from_millis(1)).await;
        task.abort();
        let _ = task.await;
        let local_id = dying.log().await[0].sms.local_id;
        assert_eq!(local_id.is_some(), takes_ids);

        let again = before.chelseru.send_message(&user, message("hi")).await;
        assert!(matches!(again, Err(Error::RequestInProgress)), "{again:?}");

        // The next start looks after it.
        before.clock.advance(Duration::from_secs(120));
        before.chelseru.follow_up_sms().await.unwrap();
        let again = before.chelseru.send_message(&user, message("hi")).await;
        if takes_ids {
            // This provider was asked, does not know it, and so it may be sent.
            again.unwrap();
            assert_eq!((a.questions(), a.sent()), (1, 1));
        } else {
            assert!(matches!(again, Err(Error::SentUnderKey)), "{again:?}");
            assert_eq!(a.calls(), 0);
        }
    }
}

/// A request whose first attempt was never settled, because the store was away just then.
async fn with_a_forgotten_attempt(service: &Fixture, user: UserId) -> SmsRequestId {
    let store = service.chelseru.store();
    let now = service.chelseru.now();
    let request = NewSmsRequest {
        user,
        key: "order-7".to_owned(),
        fingerprint: Fingerprints::of(&message("hi"), &service.chelseru.inner.requests).current,
        now,
    };
    let SmsClaim::Yours(id) = store.claim_sms_request(&request).await.unwrap() else {
        panic!("it is new");
    };
    let sms = NewSms {
        mobile_number: number(NUMBER),
        provider: "A".to_owned(),
        purpose: SmsPurpose::Message,
        user: Some(user),
        parts: Some(1),
        local_id: Some(LocalId(4711)),
        request: Some(id),
        may_repeat: None,
        created_at: now,
    };
    store.log_sms(&sms, now + MINUTE).await.unwrap();
    id
}

fn keeps_ids() -> StubProvider {
    StubProvider::named("A").that_can(|can| can.local_ids = true)
}

#[tokio::test(start_paused = true)]
async fn what_is_found_out_about_an_earlier_attempt_does_not_open_the_key_of_a_message_that_was_sent()
 {
    let a = keeps_ids();
    let service = Fixture::new(&[&a]);
    let user = service.user("09121111111").await;
    let id = with_a_forgotten_attempt(&service, user.id).await;
    // The next provider took it.
    let store = service.chelseru.store();
    store
        .settle_sms_request(id, SmsStatus::Accepted)
        .await
        .unwrap();
    service.clock.advance(MINUTE * 2);
    service.chelseru.follow_up_sms().await.unwrap();
    assert_eq!(service.log().await[0].outcome.status, SmsStatus::NotSent);
    service
        .chelseru
        .send_message(&user, message("hi"))
        .await
        .unwrap();
    assert_eq!(a.calls(), 0, "it was sent before");
}

#[tokio::test(start_paused = true)]
async fn what_is_found_out_about_an_earlier_attempt_does_not_open_a_key_that_is_in_use() {
    let a = keeps_ids();
    let service = Fixture::new(&[&a]);
    let user = service.user("09121111111").await;
    let id = with_a_forgotten_attempt(&service, user.id).await;
    let store = service.chelseru.store();
    store
        .settle_sms_request(id, SmsStatus::NotSent)
        .await
        .unwrap();
    service.clock.advance(MINUTE * 2);
    // Somebody tries again, and while that is on its way the first attempt is looked after.
    a.hang_next();
    let (chelseru, who) = (service.chelseru.clone(), user.clone());
    let again = tokio::spawn(async move { chelseru.send_message(&who, message("hi")).await });
    tokio::time::sleep(Duration::from_millis(1)).await;
    service.chelseru.follow_up_sms().await.unwrap();
    assert_eq!(service.log().await[0].outcome.status, SmsStatus::NotSent);
    let third = service.chelseru.send_message(&user, message("hi")).await;
    assert!(matches!(third, Err(Error::RequestInProgress)), "{third:?}");
    again.await.unwrap().unwrap_err();
    assert_eq!(a.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_found_out_about_an_earlier_attempt_does_not_open_a_key_that_is_in_doubt() {
    let a = keeps_ids();
    let service = Fixture::new(&[&a]);
    let user = service.user("09121111111").await;
    let id = with_a_forgotten_attempt(&service, user.id).await;
    // The next provider, which knows none of our ids, perhaps took it.
    let store = service.chelseru.store();
    let mut in_doubt = service.log().await.remove(0);
    in_doubt.sms.provider = "B".to_owned();
    in_doubt.sms.local_id = None;
    let second = store
        .log_sms(&in_doubt.sms, service.chelseru.now() + MINUTE)
        .await
        .unwrap();
    in_doubt.outcome.status = SmsStatus::Unknown;
    in_doubt.outcome.check_at = None;
    store.settle_sms(second, &in_doubt.outcome).await.unwrap();
    store
        .settle_sms_request(id, SmsStatus::Unknown)
        .await
        .unwrap();
    service.clock.advance(MINUTE * 2);
    service.chelseru.follow_up_sms().await.unwrap();
    assert_eq!(service.log().await[0].outcome.status, SmsStatus::NotSent);
    let again = service.chelseru.send_message(&user, message("hi")).await;
    assert!(matches!(again, Err(Error::SentUnderKey)), "{again:?}");
    assert_eq!(a.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_message_the_budget_stopped_may_be_tried_again() {
    let a = StubProvider::new();
    let service = Fixture::with(&[&a], |config| {
        config.sms_per_hour(1).sms_reserve_percent(0)
    });
    let user = service.user("09121111111").await;
    service.send_text().await.unwrap();
    let stopped = service.chelseru.send_message(&user, message("hi")).await;
    assert!(
        matches!(stopped, Err(Error::OverBudget { .. })),
        "{stopped:?}"
    );
    service.clock.advance(MINUTE * 60);
    service
        .chelseru
        .send_message(&user, message("hi"))
        .await
        .unwrap();
    assert_eq!(a.sent(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_attempt_has_died_fifteen_seconds_after_its_deadline() {
    let a = StubProvider::new();
    let service = Fixture::new(&[&a]);
    let user = service.user("09121111111").await;
    let request = NewSmsRequest {
        user: user.id,
        key: "order-7".to_owned(),
        fingerprint: Fingerprints::of(&message("hi"), &service.chelseru.inner.requests).current,
        now: service.chelseru.now(),
    };
    let store = service.chelseru.store();
    store.claim_sms_request(&request).await.unwrap();
    service.clock.advance(Duration::from_secs(15 + 8));
    service.chelseru.follow_up_sms().await.unwrap();
    let early = service.chelseru.send_message(&user, message("hi")).await;
    assert!(matches!(early, Err(Error::RequestInProgress)), "{early:?}");
    service.clock.advance(Duration::from_millis(1));
    service.chelseru.follow_up_sms().await.unwrap();
    service
        .chelseru
        .send_message(&user, message("hi"))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_key_is_the_same_message_after_the_signing_key_was_changed() {
    const BEFORE: &str = "the key before, of at least 32 bytes";
    let a = StubProvider::new();
    let store = Arc::new(MemoryStore::new());
    let before = Fixture::over(store.clone(), &[&a], |config| config.signing_key(BEFORE));
    let user = before.user("09121111111").await;
    before
        .chelseru
        .send_message(&user, message("hi"))
        .await
        .unwrap();

    let after = Fixture::over(store, &[&a], |config| config.previous_keys([BEFORE]));
    after
        .chelseru
        .send_message(&user, message("hi"))
        .await
        .unwrap();
    let other = after.chelseru.send_message(&user, message("ho")).await;
    assert!(
        matches!(other, Err(Error::KeyOfAnotherMessage)),
        "{other:?}"
    );
    assert_eq!(a.calls(), 1);
}
