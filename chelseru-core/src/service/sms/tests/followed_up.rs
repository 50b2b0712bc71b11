//! What became of messages, found out later.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::slow_store::SlowStore;
use super::{Fixture, NUMBER, error, number};
use crate::events::Event;
use crate::service::Message;
use crate::sms::{Credit, Delivery, LocalId, Sms, SmsErrorKind, SmsProvider};
use crate::store::{MemoryStore, NewSms, SmsLog, SmsPurpose, SmsStatus};
use crate::testing::StubProvider;

const MINUTE: Duration = Duration::from_secs(60);

fn reporting() -> StubProvider {
    StubProvider::named("A").that_can(|can| {
        can.deliveries = true;
        can.local_ids = true;
    })
}

/// An attempt that a process noted before it died.
async fn left_behind(store: &MemoryStore, service: &Fixture, local_id: Option<LocalId>) {
    let now = service.chelseru.now();
    let sms = NewSms {
        mobile_number: number(NUMBER),
        provider: "A".to_owned(),
        purpose: SmsPurpose::Message,
        user: None,
        parts: Some(1),
        local_id,
        request: None,
        may_repeat: None,
        created_at: now,
    };
    store.log_sms(&sms, now + MINUTE / 2).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_asked_for_after_five_minutes_and_told() {
    let a = reporting();
    let mut service = Fixture::new(&[&a]);
    service.send_text().await.unwrap();
    service.clock.advance(Duration::from_millis(299_999));
    assert_eq!(service.chelseru.follow_up_sms().await.unwrap(), 0);
    a.deliver(1, Delivery::Delivered);
    service.clock.advance(Duration::from_millis(1));
    assert_eq!(service.chelseru.follow_up_sms().await.unwrap(), 1);
    let record = &service.log().await[0];
    assert_eq!(record.outcome.delivery, Some(Delivery::Delivered));
    assert_eq!(record.outcome.check_at, None, "there is no more to ask");
    let events = service.happened().await;
    assert!(events.iter().any(|event| matches!(
        event,
        Event::SmsDelivery {
            delivery: Delivery::Delivered,
            ..
        }
    )));
}

#[tokio::test(start_paused = true)]
async fn a_delivery_without_a_last_word_is_asked_for_less_and_less_often_for_two_days() {
    let a = reporting();
    let service = Fixture::new(&[&a]);
    let start = service.chelseru.now();
    service.send_text().await.unwrap();
    let mut asked_after = Vec::new();
    while let Some(at) = service.log().await[0].outcome.check_at {
        service.clock.set(at);
        service.chelseru.follow_up_sms().await.unwrap();
        asked_after.push(at.since(start).as_secs() / 60);
    }
    assert_eq!(asked_after, [5, 15, 45, 105, 285, 645, 1365, 2805]);
    assert_eq!(a.questions(), 8);
    assert_eq!(
        service.log().await[0].outcome.delivery,
        Some(Delivery::Pending)
    );
}

#[tokio::test(start_paused = true)]
async fn deliveries_of_one_provider_are_asked_for_together() {
    let a = reporting();
    let service = Fixture::new(&[&a]);
    for _ in 0..20 {
        service.send_text().await.unwrap();
    }
    service.clock.advance(MINUTE * 5);
    assert_eq!(service.chelseru.follow_up_sms().await.unwrap(), 20);
    assert_eq!(a.questions(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_question_about_deliveries_that_fails_is_asked_again() {
    let a = reporting();
    let service = Fixture::new(&[&a]);
    service.send_text().await.unwrap();
    a.answer_questions_with(Some(error(SmsErrorKind::NotSent)));
    service.clock.advance(MINUTE * 5);
    service.chelseru.follow_up_sms().await.unwrap();
    a.answer_questions_with(None);
    a.deliver(1, Delivery::Failed);
    service.clock.advance(MINUTE * 10);
    service.chelseru.follow_up_sms().await.unwrap();
    assert_eq!(
        service.log().await[0].outcome.delivery,
        Some(Delivery::Failed)
    );
}

#[tokio::test(start_paused = true)]
async fn providers_that_report_nothing_are_not_asked() {
    let a = StubProvider::named("A");
    let service = Fixture::new(&[&a]);
    service.send_text().await.unwrap();
    service.clock.advance(MINUTE * 60 * 24);
    assert_eq!(service.chelseru.follow_up_sms().await.unwrap(), 0);
    assert_eq!(a.questions(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_of_a_dead_process_is_asked_for_by_our_id_and_never_sent_again() {
    for was_taken in [true, false] {
        let a = reporting();
        let store = Arc::new(MemoryStore::new());
        let mut service = Fixture::over(store.clone(), &[&a], |config| config);
        let id = LocalId(4711);
        if was_taken {
            let mut sms = Sms::new(number(NUMBER), crate::sms::Content::Text("hi".to_owned()));
            sms.local_id = Some(id);
            a.send(&sms).await.unwrap();
        }
        let sent_before = a.calls();
        left_behind(&store, &service, Some(id)).await;
        assert_eq!(
            service.chelseru.follow_up_sms().await.unwrap(),
            0,
            "it may live"
        );
        service.clock.advance(MINUTE);
        assert_eq!(service.chelseru.follow_up_sms().await.unwrap(), 1);
        let expected = if was_taken {
            SmsStatus::Accepted
        } else {
            SmsStatus::NotSent
        };
        assert_eq!(service.log().await[0].outcome.status, expected);
        assert_eq!(a.calls(), sent_before);
        let resolved = service.happened().await.into_iter().any(|event| {
            matches!(event, Event::SmsResolved { was_sent: Some(sent), .. } if sent == was_taken)
        });
        assert!(resolved, "somebody is told");
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_of_a_dead_process_that_nobody_can_be_asked_for_stays_in_doubt() {
    let a = reporting();
    let store = Arc::new(MemoryStore::new());
    let service = Fixture::over(store.clone(), &[&a], |config| config);
    left_behind(&store, &service, None).await;
    service.clock.advance(MINUTE);
    service.chelseru.follow_up_sms().await.unwrap();
    let record = &service.log().await[0];
    assert_eq!(record.outcome.status, SmsStatus::Unknown);
    assert_eq!(record.outcome.check_at, None);
    assert_eq!((a.calls(), a.questions()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn after_half_a_day_a_provider_that_does_not_know_a_message_proves_nothing() {
    let a = reporting();
    let store = Arc::new(MemoryStore::new());
    let service = Fixture::over(store.clone(), &[&a], |config| config);
    left_behind(&store, &service, Some(LocalId(1))).await;
    service.clock.advance(MINUTE * 60 * 12);
    service.chelseru.follow_up_sms().await.unwrap();
    let record = &service.log().await[0];
    assert_eq!(record.outcome.status, SmsStatus::Unknown);
    assert_eq!(record.outcome.check_at, None);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_through_a_provider_that_is_gone_stays_in_doubt() {
    let b = StubProvider::named("B");
    let store = Arc::new(MemoryStore::new());
    let service = Fixture::over(store.clone(), &[&b], |config| config);
    left_behind(&store, &service, Some(LocalId(1))).await;
    service.clock.advance(MINUTE);
    service.chelseru.follow_up_sms().await.unwrap();
    assert_eq!(service.log().await[0].outcome.status, SmsStatus::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_doubt_that_could_not_be_cleared_at_once_is_cleared_later() {
    let a = reporting();
    let service = Fixture::new(&[&a]);
    let user = service.user("09121111111").await;
    let message = || Message::new(number(NUMBER), "hi").with_idempotency_key("k".parse().unwrap());
    a.lose_next_answer();
    a.answer_questions_with(Some(error(SmsErrorKind::NotSent)));
    service
        .chelseru
        .send_message(&user, message())
        .await
        .unwrap_err();
    service.clock.advance(MINUTE);
    service.chelseru.follow_up_sms().await.unwrap();
    assert_eq!(service.log().await[0].outcome.status, SmsStatus::Unknown);

    a.answer_questions_with(None);
    service.clock.advance(MINUTE);
    service.chelseru.follow_up_sms().await.unwrap();
    assert_eq!(service.log().await[0].outcome.status, SmsStatus::Accepted);
    service
        .chelseru
        .send_message(&user, message())
        .await
        .unwrap();
    assert_eq!(a.sent(), 1, "its key knows that it was sent");
}

#[tokio::test(start_paused = true)]
async fn a_doubt_that_nobody_clears_is_asked_for_half_a_day_at_most() {
    let a = reporting();
    let service = Fixture::new(&[&a]);
    a.lose_next_answer();
    a.answer_questions_with(Some(error(SmsErrorKind::NotSent)));
    let start = service.chelseru.now();
    service.send_text().await.unwrap_err();
    let mut last = start;
    while let Some(at) = service.log().await[0].outcome.check_at {
        service.clock.set(at);
        service.chelseru.follow_up_sms().await.unwrap();
        last = at;
    }
    assert!(last.since(start) < MINUTE * 60 * 12);
    assert_eq!(service.log().await[0].outcome.status, SmsStatus::Unknown);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_of_a_paused_provider() {
    let a = reporting();
    let service = Fixture::with(&[&a], |config| config.sms_breaker(1, MINUTE * 10));
    service.send_text().await.unwrap();
    service.clock.advance(MINUTE * 5);
    a.fail_next(error(SmsErrorKind::NotSent));
    service.send_text().await.unwrap_err();
    service.chelseru.follow_up_sms().await.unwrap();
    assert_eq!(a.questions(), 0);
    service.clock.advance(MINUTE * 10);
    service.chelseru.follow_up_sms().await.unwrap();
    assert_eq!(a.questions(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_processes_ask_once() {
    let a = reporting();
    let store = Arc::new(MemoryStore::new());
    let one = Fixture::over(store.clone(), &[&a], |config| config);
    let two = Fixture::over(store, &[&a], |config| config);
    one.send_text().await.unwrap();
    for service in [&one, &two] {
        service.clock.advance(MINUTE * 5);
        service.chelseru.follow_up_sms().await.unwrap();
    }
    assert_eq!(a.questions(), 1);
}

#[tokio::test(start_paused = true)]
async fn balances_are_told_and_a_low_one_is_an_alert() {
    let rial = StubProvider::named("A").that_can(|can| can.credit = true);
    let messages = StubProvider::named("B").that_can(|can| can.credit = true);
    let silent = StubProvider::named("C");
    let mut service = Fixture::with(&[&rial, &messages, &silent], |config| {
        config
            .sms_low_balance_rial(1000)
            .sms_low_balance_messages(10)
    });
    rial.set_credit(Credit::Rial(999));
    messages.set_credit(Credit::Messages(10));
    let balances = service.chelseru.sms_balances().await;
    let found: Vec<_> = balances
        .iter()
        .map(|balance| {
            (
                balance.provider.as_str(),
                balance.credit.as_ref().ok(),
                balance.is_low,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("A", Some(&Credit::Rial(999)), true),
            ("B", Some(&Credit::Messages(10)), false),
            ("C", None, false),
        ]
    );
    let alerts: Vec<_> = service
        .happened()
        .await
        .into_iter()
        .filter_map(|event| match event {
            Event::Balance {
                provider,
                is_low: true,
                ..
            } => Some(provider),
            _ => None,
        })
        .collect();
    assert_eq!(alerts, ["A"]);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_never_answers_a_question_does_not_stop_the_housekeeping() {
    let a = reporting().that_can(|can| can.credit = true);
    let store = Arc::new(MemoryStore::new());
    let service = Fixture::over(store.clone(), &[&a], |config| {
        config.sms_low_balance_rial(1)
    });
    service.send_text().await.unwrap();
    left_behind(&store, &service, Some(LocalId(1))).await;
    service.clock.advance(MINUTE * 5);
    a.hang_on_questions(true);
    let mut claim = service.chelseru.claim_housekeeping().unwrap();
    let work = tokio::time::timeout(MINUTE * 3, claim.work());
    work.await.expect("it ends");
    let log = service.log().await;
    assert_eq!(log[1].outcome.status, SmsStatus::Unknown);
    assert!(log[0].outcome.check_at.is_some() && log[1].outcome.check_at.is_some());
}

/// A provider that is down for good must not keep a request "in progress" for good.
#[tokio::test(start_paused = true)]
async fn a_message_of_a_paused_provider_does_not_stay_on_its_way() {
    let a = reporting();
    let store = Arc::new(MemoryStore::new());
    let service = Fixture::over(store.clone(), &[&a], |config| {
        config.sms_breaker(1, MINUTE * 60)
    });
    left_behind(&store, &service, Some(LocalId(1))).await;
    a.fail_next(error(SmsErrorKind::NotSent));
    service.send_text().await.unwrap_err();
    service.clock.advance(MINUTE * 2);
    service.chelseru.follow_up_sms().await.unwrap();
    let outcome = service.log().await[0].outcome.clone();
    assert_eq!(
        outcome.status,
        SmsStatus::Unknown,
        "whoever sent it is gone"
    );
    assert!(outcome.check_at.is_some(), "it is still asked for");
}

#[tokio::test(start_paused = true)]
async fn a_message_of_a_provider_that_stays_paused_is_given_up_like_any_other() {
    let a = reporting();
    let store = Arc::new(MemoryStore::new());
    let service = Fixture::over(store.clone(), &[&a], |config| {
        config.sms_breaker(1, MINUTE * 60)
    });
    left_behind(&store, &service, Some(LocalId(1))).await;
    service.clock.advance(MINUTE * 60 * 12);
    a.fail_next(error(SmsErrorKind::NotSent));
    service.send_text().await.unwrap_err();
    service.chelseru.follow_up_sms().await.unwrap();
    assert_eq!(service.log().await[0].outcome.check_at, None);
}

#[tokio::test(start_paused = true)]
async fn what_one_process_is_asking_for_another_does_not_ask_for() {
    let a = reporting();
    let store = Arc::new(MemoryStore::new());
    let one = Fixture::over(store.clone(), &[&a], |config| config);
    let two = Fixture::over(store, &[&a], |config| config);
    one.send_text().await.unwrap();
    a.hang_on_questions(true);
    for service in [&one, &two] {
        service.clock.advance(MINUTE * 5);
    }
    let chelseru = one.chelseru.clone();
    let asking = tokio::spawn(async move { chelseru.follow_up_sms().await });
    tokio::time::sleep(Duration::from_millis(1)).await;
    two.clock.advance(Duration::from_millis(299_999));
    assert_eq!(two.chelseru.follow_up_sms().await.unwrap(), 0);
    assert_eq!(asking.await.unwrap().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_sender_settled_in_the_meantime_is_not_told_again() {
    let a = reporting();
    let store = Arc::new(SlowStore::default());
    let mut service = Fixture::over(store.clone(), &[&a], |config| config);
    left_behind(&store.inner, &service, Some(LocalId(1))).await;
    service.send_text().await.unwrap();
    a.deliver(1, Delivery::Delivered);
    service.clock.advance(MINUTE * 5);
    service.happened().await;
    store.resolves_too_late.store(true, Ordering::Relaxed);
    assert_eq!(service.chelseru.follow_up_sms().await.unwrap(), 2);
    assert_eq!(a.questions(), 2);
    let events = service.happened().await;
    assert!(events.is_empty(), "{events:?}");
    assert_eq!(service.log().await[0].outcome.status, SmsStatus::Sending);
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_the_provider_costs_no_check() {
    let a = reporting();
    let service = Fixture::with(&[&a], |config| config.sms_breaker(1, MINUTE * 10));
    service.send_text().await.unwrap();
    service.clock.advance(MINUTE * 5);
    a.fail_next(error(SmsErrorKind::NotSent));
    service.send_text().await.unwrap_err();
    service.chelseru.follow_up_sms().await.unwrap();
    let outcome = service.log().await[0].outcome.clone();
    assert_eq!(outcome.checks, 0);
    assert_eq!(outcome.check_at, Some(service.chelseru.now() + MINUTE));
}

#[tokio::test(start_paused = true)]
async fn the_delivery_of_a_message_that_was_found_is_asked_for_from_the_start() {
    let a = reporting();
    let service = Fixture::new(&[&a]);
    a.lose_next_answer();
    a.answer_questions_with(Some(error(SmsErrorKind::NotSent)));
    service.send_text().await.unwrap_err();
    service.clock.advance(MINUTE);
    service.chelseru.follow_up_sms().await.unwrap();
    assert_eq!(service.log().await[0].outcome.checks, 1);
    a.answer_questions_with(None);
    service.clock.advance(MINUTE);
    service.chelseru.follow_up_sms().await.unwrap();
    let outcome = service.log().await[0].outcome.clone();
    assert_eq!((outcome.status, outcome.checks), (SmsStatus::Accepted, 0));
    assert_eq!(outcome.provider_id.as_deref(), Some("1"));
    assert_eq!(outcome.check_at, Some(service.chelseru.now() + MINUTE * 5));
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_due_is_looked_after_at_once() {
    let a = reporting();
    let service = Fixture::new(&[&a]);
    for _ in 0..60 {
        service.send_text().await.unwrap();
    }
    service.clock.advance(MINUTE * 5);
    assert_eq!(service.chelseru.follow_up_sms().await.unwrap(), 60);
    assert_eq!(a.questions(), 3);
}

#[tokio::test(start_paused = true)]
async fn each_message_gets_its_own_report() {
    let a = reporting();
    let service = Fixture::new(&[&a]);
    for _ in 0..3 {
        service.send_text().await.unwrap();
    }
    a.deliver(1, Delivery::Delivered);
    a.deliver(2, Delivery::Blocked);
    service.clock.advance(MINUTE * 5);
    service.chelseru.follow_up_sms().await.unwrap();
    let log = service.log().await.into_iter();
    let told: Vec<_> = log
        .map(|record| (record.outcome.delivery, record.outcome.provider_code))
        .collect();
    let report = |delivery: Delivery| (Some(delivery), Some(format!("{delivery:?}")));
    assert_eq!(
        told,
        [
            report(Delivery::Delivered),
            report(Delivery::Blocked),
            (Some(Delivery::Pending), None)
        ]
    );
}

/// The provider took ids when the message was sent, and takes none by now.
#[tokio::test(start_paused = true)]
async fn a_provider_that_takes_no_ids_is_not_asked_by_one() {
    let a = StubProvider::named("A");
    let store = Arc::new(MemoryStore::new());
    let service = Fixture::over(store.clone(), &[&a], |config| config);
    left_behind(&store, &service, Some(LocalId(1))).await;
    service.clock.advance(MINUTE);
    service.chelseru.follow_up_sms().await.unwrap();
    assert_eq!(a.questions(), 0);
    assert_eq!(service.log().await[0].outcome.status, SmsStatus::Unknown);
}

#[tokio::test(start_paused = true)]
async fn balances_are_asked_for_where_either_alert_is_wanted_and_not_otherwise() {
    for (rial, messages) in [(0, 0), (1, 0), (0, 1)] {
        let a = StubProvider::named("A").that_can(|can| can.credit = true);
        a.set_credit(Credit::Messages(0));
        let mut service = Fixture::with(&[&a], |config| {
            config
                .sms_low_balance_rial(rial)
                .sms_low_balance_messages(messages)
        });
        let mut claim = service.chelseru.claim_housekeeping().unwrap();
        claim.work().await;
        claim.work().await;
        let told = service.happened().await.len();
        assert_eq!(told, usize::from(rial + messages > 0), "{rial} {messages}");
    }
}

#[tokio::test]
async fn messages_leave_the_log_after_the_days_of_the_settings() {
    for (days, kept) in [(3, 0), (0, 1)] {
        let a = StubProvider::new();
        let service = Fixture::with(&[&a], |config| config.sms_log_days(days));
        service.send_text().await.unwrap();
        service.clock.advance(Duration::from_secs(3 * 86_400));
        service.chelseru.sweep().await.unwrap();
        assert_eq!(service.log().await.len(), 1, "three days are not over");
        service.clock.advance(Duration::from_millis(1));
        service.chelseru.sweep().await.unwrap();
        assert_eq!(service.log().await.len(), kept, "{days} days");
    }
}
