//! Which provider is asked after which failure.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::slow_store::SlowStore;
use super::{Fixture, NUMBER, error, kind, number};
use crate::events::Event;
use crate::service::Message;
use crate::sms::{Content, SmsError, SmsErrorKind};
use crate::store::SmsStatus;
use crate::testing::StubProvider;

fn two() -> (StubProvider, StubProvider) {
    (StubProvider::named("A"), StubProvider::named("B"))
}

fn keeps_ids(provider: StubProvider) -> StubProvider {
    provider.that_can(|can| can.local_ids = true)
}

fn both(status_of_a: SmsStatus, status_of_b: SmsStatus) -> Vec<(String, SmsStatus)> {
    vec![("A".to_owned(), status_of_a), ("B".to_owned(), status_of_b)]
}

#[tokio::test(start_paused = true)]
async fn the_first_provider_that_takes_a_message_is_the_only_one_asked() {
    let (a, b) = two();
    let service = Fixture::new(&[&a, &b]);
    service.send_code().await.unwrap();
    service.send_text().await.unwrap();
    assert_eq!((a.sent(), b.calls()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_certainly_not_sent_goes_to_the_next_provider_at_once() {
    for why in [
        SmsErrorKind::NotSent,
        SmsErrorKind::Throttled,
        SmsErrorKind::TextRefused,
        SmsErrorKind::TemplateRefused,
        SmsErrorKind::MessageRefused,
        SmsErrorKind::Unsupported,
    ] {
        let (a, b) = two();
        let service = Fixture::new(&[&a, &b]);
        let started = Instant::now();
        a.fail_next(error(why));
        service.send_text().await.unwrap();
        assert_eq!((a.calls(), b.sent()), (1, 1), "{why:?}");
        assert_eq!(started.elapsed(), Duration::ZERO);
        let log = service.log().await;
        assert_eq!(
            service.statuses().await,
            both(SmsStatus::NotSent, SmsStatus::Accepted)
        );
        assert_eq!(log[0].outcome.provider_code.as_deref(), Some("7"));
        assert_eq!(log[1].sms.may_repeat, None, "the first was not sent");
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_that_never_works_is_tried_with_no_other_provider() {
    let (a, b) = two();
    let service = Fixture::new(&[&a, &b]);
    a.fail_next(error(SmsErrorKind::NumberRefused));
    assert_eq!(kind(service.send_code().await), SmsErrorKind::NumberRefused);
    assert_eq!(b.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_code_in_doubt_goes_to_the_next_provider_once_and_both_are_on_the_bill() {
    let (a, b) = two();
    let service = Fixture::new(&[&a, &b]);
    a.lose_next_answer();
    service.send_code().await.unwrap();
    assert_eq!((a.sent(), b.sent()), (1, 1));
    let log = service.log().await;
    assert_eq!(
        service.statuses().await,
        both(SmsStatus::Unknown, SmsStatus::Accepted)
    );
    assert_eq!(log[1].sms.may_repeat, Some(log[0].id), "flagged");
    let (Content::Text(first), Content::Text(second)) =
        (a.last().unwrap().content, b.last().unwrap().content)
    else {
        panic!("no texts");
    };
    assert_eq!(first, second, "the same code in both");
}

#[tokio::test(start_paused = true)]
async fn a_message_in_doubt_goes_to_nobody_else() {
    let (a, b) = two();
    let service = Fixture::new(&[&a, &b]);
    a.lose_next_answer();
    assert_eq!(kind(service.send_text().await), SmsErrorKind::PerhapsSent);
    assert_eq!(b.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_code_in_doubt_twice_is_not_sent_a_third_time() {
    let (a, b) = two();
    let c = StubProvider::named("C");
    let service = Fixture::new(&[&a, &b, &c]);
    a.lose_next_answer();
    b.lose_next_answer();
    assert_eq!(kind(service.send_code().await), SmsErrorKind::PerhapsSent);
    assert_eq!((a.sent(), b.sent(), c.calls()), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_code_in_doubt_stays_so_when_no_other_provider_takes_it() {
    let (a, b) = two();
    let service = Fixture::new(&[&a, &b]);
    a.lose_next_answer();
    b.fail_next(error(SmsErrorKind::NotSent));
    assert_eq!(kind(service.send_code().await), SmsErrorKind::PerhapsSent);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_for_by_our_id_and_the_message_is_sent_once() {
    for is_code in [true, false] {
        let (a, b) = two();
        let a = keeps_ids(a);
        let service = Fixture::new(&[&a, &b]);
        a.lose_next_answer();
        if is_code {
            service.send_code().await.unwrap();
        } else {
            service.send_text().await.unwrap();
        }
        assert_eq!((a.sent(), a.questions(), b.calls()), (1, 1, 0));
        let log = service.log().await;
        assert_eq!(log[0].outcome.status, SmsStatus::Accepted);
        assert_eq!(log[0].outcome.provider_id.as_deref(), Some("1"));
        assert_eq!(log[0].sms.local_id, a.last().unwrap().local_id);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_the_provider_does_not_know_goes_to_the_next_one() {
    let (a, b) = two();
    let a = keeps_ids(a);
    let service = Fixture::new(&[&a, &b]);
    a.fail_next(error(SmsErrorKind::PerhapsSent));
    service.send_text().await.unwrap();
    assert_eq!((a.sent(), a.questions(), b.sent()), (0, 1, 1));
    assert_eq!(
        service.statuses().await,
        both(SmsStatus::NotSent, SmsStatus::Accepted)
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_provider_hangs_is_in_doubt_even_if_it_is_not_known_yet() {
    let (a, b) = two();
    let a = keeps_ids(a);
    let service = Fixture::new(&[&a, &b]);
    a.hang_next();
    assert_eq!(kind(service.send_text().await), SmsErrorKind::PerhapsSent);
    assert_eq!((a.questions(), b.calls()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_question_that_is_not_answered_leaves_the_doubt() {
    let (a, b) = two();
    let a = keeps_ids(a);
    let service = Fixture::new(&[&a, &b]);
    a.lose_next_answer();
    a.answer_questions_with(Some(error(SmsErrorKind::NotSent)));
    assert_eq!(kind(service.send_text().await), SmsErrorKind::PerhapsSent);
    assert_eq!(b.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn local_ids_are_positive_and_never_the_same() {
    let a = keeps_ids(StubProvider::named("A"));
    let service = Fixture::new(&[&a]);
    let mut ids = Vec::new();
    for _ in 0..50 {
        service.send_text().await.unwrap();
        let id = a.last().unwrap().local_id.unwrap().0;
        assert!(id > 0 && !ids.contains(&id));
        ids.push(id);
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_leaves_time_for_the_next_one_before_the_deadline() {
    let (a, b) = two();
    let service = Fixture::new(&[&a, &b]);
    let started = Instant::now();
    a.hang_next();
    service.send_code().await.unwrap();
    assert_eq!(b.sent(), 1);
    assert!(started.elapsed() < Duration::from_secs(8));
    assert!(a.last().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_send_ends_at_its_deadline_whatever_hangs() {
    let (a, b) = two();
    let c = StubProvider::named("C");
    let service = Fixture::new(&[&a, &b, &c]);
    let started = Instant::now();
    a.hang_next();
    b.hang_next();
    c.hang_next();
    assert_eq!(kind(service.send_code().await), SmsErrorKind::PerhapsSent);
    assert!(started.elapsed() <= Duration::from_millis(8250));
    assert_eq!(c.calls(), 0, "two doubts are enough");
}

#[tokio::test(start_paused = true)]
async fn a_provider_alone_has_all_of_the_time() {
    let a = StubProvider::named("A");
    let service = Fixture::new(&[&a]);
    service.send_code().await.unwrap();
    assert_eq!(a.last().unwrap().time_limit, Duration::from_secs(8));
}

#[tokio::test(start_paused = true)]
async fn only_so_many_messages_are_in_flight_to_a_provider() {
    let a = StubProvider::named("A");
    let service = Fixture::with(&[&a], |config| config.sms_max_concurrent(3));
    for _ in 0..20 {
        a.hang_next();
    }
    let sends: Vec<_> = (0..20)
        .map(|_| {
            let chelseru = service.chelseru.clone();
            tokio::spawn(async move {
                chelseru
                    .send_sms(super::Message::new(super::number(super::NUMBER), "x"))
                    .await
            })
        })
        .collect();
    // All of them run until they wait for time.
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(a.calls(), 3);
    assert_eq!(service.chelseru.sms_health()[0].in_flight, 3);
    let started = Instant::now();
    let mut certain = 0;
    for send in sends {
        certain += usize::from(kind(send.await.unwrap()) == SmsErrorKind::NotSent);
    }
    assert_eq!(certain, 17, "who never got through was not sent");
    assert!(started.elapsed() <= Duration::from_millis(8250));
    assert_eq!(service.chelseru.sms_health()[0].in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_full_provider_is_passed_over_for_the_next_one() {
    let (a, b) = two();
    let service = Fixture::with(&[&a, &b], |config| config.sms_max_concurrent(1));
    a.hang_next();
    let chelseru = service.chelseru.clone();
    let hanging = tokio::spawn(async move {
        chelseru
            .send_sms(super::Message::new(super::number(super::NUMBER), "x"))
            .await
    });
    tokio::time::sleep(Duration::from_millis(1)).await;
    let started = Instant::now();
    service.send_text().await.unwrap();
    assert_eq!(b.sent(), 1);
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "hardly waited for"
    );
    hanging.await.unwrap().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_keeps_failing_is_left_alone_and_then_tried_with_one_message() {
    let (a, b) = two();
    let mut service = Fixture::with(&[&a, &b], |config| config.sms_breaker(3, minute()));
    for _ in 0..3 {
        a.fail_next(error(SmsErrorKind::NotSent));
        service.send_text().await.unwrap();
    }
    let start = service.chelseru.now();
    let opened = service.happened().await.into_iter().any(|event| {
        matches!(event, Event::BreakerOpened { provider, until }
            if provider == "A" && until == start + minute())
    });
    assert!(opened, "somebody is told");
    let health = &service.chelseru.sms_health()[0];
    assert_eq!(health.paused_until, Some(start + minute()));

    service.send_text().await.unwrap();
    assert_eq!((a.calls(), b.sent()), (3, 4), "A is not asked");

    service.clock.advance(minute());
    service.send_text().await.unwrap();
    assert_eq!((a.sent(), b.sent()), (1, 4), "A is asked again");
    assert_eq!(service.chelseru.sms_health()[0].paused_until, None);
    let events = service.happened().await;
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::BreakerClosed { .. }))
    );
}

#[tokio::test(start_paused = true)]
async fn when_every_provider_is_left_alone_the_caller_is_told_until_when() {
    let a = StubProvider::named("A");
    let service = Fixture::with(&[&a], |config| config.sms_breaker(1, minute()));
    a.fail_next(error(SmsErrorKind::NotSent));
    service.send_text().await.unwrap_err();
    let crate::Error::Sms(error) = service.send_text().await.unwrap_err() else {
        panic!("another error");
    };
    assert_eq!(error.kind(), SmsErrorKind::NotSent);
    assert_eq!(error.retry_after(), Some(minute()));
    assert_eq!(service.log().await.len(), 1, "nothing was attempted");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_full_provider_that_is_left_alone() {
    let a = StubProvider::named("A");
    let service = Fixture::with(&[&a], |config| {
        config.sms_max_concurrent(2).sms_breaker(1, minute())
    });
    let hang = || {
        a.hang_next();
        let chelseru = service.chelseru.clone();
        let message = super::Message::new(super::number(super::NUMBER), "x");
        tokio::spawn(async move { chelseru.send_sms(message).await })
    };
    let first = hang();
    tokio::time::sleep(Duration::from_millis(1)).await;
    a.fail_next(error(SmsErrorKind::NotSent));
    service.send_text().await.unwrap_err();
    // The probe takes the last slot.
    service.clock.advance(minute());
    let probe = hang();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(service.chelseru.sms_health()[0].in_flight, 2);

    let started = Instant::now();
    service.send_text().await.unwrap_err();
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(a.calls(), 3);
    for hanging in [first, probe] {
        hanging.await.unwrap().unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_messages_does_not_open_a_breaker() {
    let a = StubProvider::named("A");
    let service = Fixture::with(&[&a], |config| config.sms_breaker(2, minute()));
    for why in [
        SmsErrorKind::NumberRefused,
        SmsErrorKind::TextRefused,
        SmsErrorKind::TemplateRefused,
        SmsErrorKind::MessageRefused,
    ] {
        for _ in 0..5 {
            a.fail_next(error(why));
            service.send_text().await.unwrap_err();
        }
    }
    service.send_text().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn of_several_failures_the_first_that_a_provider_gave_is_told() {
    let (a, b) = two();
    let service = Fixture::new(&[&a, &b]);
    a.fail_next(error(SmsErrorKind::TextRefused));
    b.fail_next(error(SmsErrorKind::Throttled));
    assert_eq!(kind(service.send_text().await), SmsErrorKind::Throttled);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_told_as_it_ends() {
    let (a, b) = two();
    let mut service = Fixture::new(&[&a, &b]);
    a.lose_next_answer();
    b.set_price(120);
    service.send_code().await.unwrap();
    let events = service.happened().await;
    let [
        Event::SmsFailed { attempt, error },
        Event::SmsAccepted(accepted),
        Event::CodeSent { .. },
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(attempt.provider, "A");
    assert_eq!(error.kind(), SmsErrorKind::PerhapsSent);
    assert_eq!(
        (accepted.provider.as_str(), accepted.may_repeat),
        ("B", true)
    );
    assert_eq!(accepted.cost_rial, Some(120));
}

fn minute() -> Duration {
    Duration::from_secs(60)
}

/// What hangs for the message hangs for the question about it too.
#[tokio::test(start_paused = true)]
async fn a_question_that_hangs_leaves_time_for_a_code_to_go_to_the_next_provider() {
    for seconds in [8, 20, 60] {
        let (a, b) = two();
        let a = keeps_ids(a);
        let timeout = Duration::from_secs(seconds);
        let service = Fixture::with(&[&a, &b], |config| config.sms_timeout(timeout));
        a.hang_next();
        a.hang_on_questions(true);
        let started = Instant::now();
        service.send_code().await.unwrap();
        assert!(b.last().unwrap().time_limit >= Duration::from_millis(1500));
        assert!(started.elapsed() <= timeout);
        let log = service.log().await;
        assert_eq!(log[1].sms.may_repeat, Some(log[0].id));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_handed_over_after_the_deadline() {
    let a = StubProvider::named("A");
    let store = Arc::new(SlowStore {
        log_sms_takes: Duration::from_secs(9),
        ..SlowStore::default()
    });
    let service = Fixture::over(store, &[&a], |config| {
        config
            .sms_timeout(Duration::from_secs(8))
            .sms_breaker(1, minute())
    });
    assert_eq!(kind(service.send_text().await), SmsErrorKind::NotSent);
    assert_eq!(a.calls(), 0);
    assert_eq!(service.log().await[0].outcome.status, SmsStatus::NotSent);
    let health = &service.chelseru.sms_health()[0];
    assert_eq!(health.paused_until, None, "the store is slow, not A");
}

#[tokio::test(start_paused = true)]
async fn a_template_has_no_id_of_ours_and_is_not_asked_for() {
    let (a, b) = two();
    let a = keeps_ids(a);
    let service = Fixture::new(&[&a, &b]);
    a.lose_next_answer();
    let message = Message::new(number(NUMBER), "x").with_template(7);
    let result = service.chelseru.send_sms(message).await;
    assert_eq!(kind(result), SmsErrorKind::PerhapsSent);
    assert_eq!(a.last().unwrap().local_id, None);
    assert_eq!((a.questions(), b.calls()), (0, 0));
    assert_eq!(service.log().await[0].sms.local_id, None);
}

#[tokio::test(start_paused = true)]
async fn a_code_in_doubt_that_the_budget_keeps_from_the_next_provider_stays_in_doubt() {
    let (a, b) = two();
    let service = Fixture::with(&[&a, &b], |config| {
        config.sms_per_hour(1).sms_reserve_percent(0)
    });
    a.lose_next_answer();
    assert_eq!(kind(service.send_code().await), SmsErrorKind::PerhapsSent);
    assert_eq!(b.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_looked_after_ten_seconds_after_its_deadline_and_not_before() {
    let a = StubProvider::named("A");
    let service = Fixture::new(&[&a]);
    a.hang_next();
    let chelseru = service.chelseru.clone();
    let hanging =
        tokio::spawn(async move { chelseru.send_sms(Message::new(number(NUMBER), "x")).await });
    tokio::time::sleep(Duration::from_millis(1)).await;
    let record = service.log().await.remove(0);
    let expected = record.sms.created_at + Duration::from_secs(8 + 10);
    assert_eq!(record.outcome.check_at, Some(expected));
    hanging.await.unwrap().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_answered_is_free_while_the_store_notes_it() {
    let a = StubProvider::named("A");
    let store = Arc::new(SlowStore {
        settle_sms_takes: Duration::from_secs(5),
        ..SlowStore::default()
    });
    let service = Fixture::over(store, &[&a], |config| config.sms_max_concurrent(1));
    let started = Instant::now();
    let (one, two) = tokio::join!(service.send_text(), service.send_text());
    one.unwrap();
    two.unwrap();
    assert_eq!(started.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn no_time_is_kept_for_a_provider_that_is_left_alone() {
    let (a, b) = two();
    let service = Fixture::with(&[&a, &b], |config| config.sms_breaker(1, minute()));
    a.fail_next(error(SmsErrorKind::TextRefused));
    b.fail_next(error(SmsErrorKind::NotSent));
    service.send_text().await.unwrap_err();
    let started = Instant::now();
    a.hang_next();
    service.send_code().await.unwrap_err();
    assert!(started.elapsed() >= Duration::from_secs(8));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_throttles_is_left_alone() {
    let a = StubProvider::named("A");
    let service = Fixture::with(&[&a], |config| config.sms_breaker(1, minute()));
    a.fail_next(error(SmsErrorKind::Throttled));
    service.send_text().await.unwrap_err();
    assert!(service.chelseru.sms_health()[0].paused_until.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_shows_that_a_provider_works_only_if_it_gave_it_itself() {
    for (refusal, works) in [
        (error(SmsErrorKind::TextRefused), true),
        (SmsError::new(SmsErrorKind::TextRefused, "ours"), false),
    ] {
        let a = StubProvider::named("A");
        let service = Fixture::with(&[&a], |config| config.sms_breaker(1, minute()));
        a.fail_next(error(SmsErrorKind::NotSent));
        service.send_text().await.unwrap_err();
        service.clock.advance(minute());
        a.fail_next(refusal);
        service.send_text().await.unwrap_err();
        assert_eq!(a.calls(), 2);
        let paused = service.chelseru.sms_health()[0].paused_until;
        assert_eq!(paused.is_none(), works);
    }
}
