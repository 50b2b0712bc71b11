//! Idempotency keys.

use std::sync::Arc;
use std::time::Duration;

use super::{Fixture, NUMBER, error, kind, number};
use crate::error::Error;
use crate::service::Message;
use crate::sms::SmsErrorKind;
use crate::store::MemoryStore;
use crate::testing::StubProvider;

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
