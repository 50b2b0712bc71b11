//! What the whole service may send.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::slow_store::SlowStore;
use super::{Fixture, NUMBER, error, number};
use crate::config::ConfigBuilder;
use crate::device::Client;
use crate::error::Error;
use crate::events::{Budget, Event};
use crate::service::Message;
use crate::sms::SmsErrorKind;
use crate::testing::StubProvider;

const HOUR: Duration = Duration::from_secs(3600);

fn ten_an_hour(config: ConfigBuilder) -> ConfigBuilder {
    config.sms_per_hour(10)
}

/// Sends texts until the budget is used up, and says how many.
async fn exhaust(service: &Fixture) -> usize {
    let mut sent = 0;
    while let Ok(()) = service.send_text().await {
        sent += 1;
        assert!(sent <= 100, "there is no end");
    }
    sent
}

fn wait(result: Result<(), Error>) -> Duration {
    match result {
        Err(Error::OverBudget { wait }) => wait,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn messages_stop_before_the_part_that_is_kept_for_codes() {
    let a = StubProvider::new();
    let service = Fixture::with(&[&a], ten_an_hour);
    assert_eq!(exhaust(&service).await, 8);
    assert_eq!(a.calls(), 8, "the provider is not asked");
    assert_eq!(service.log().await.len(), 8);
}

#[tokio::test(start_paused = true)]
async fn the_kept_part_is_for_codes_of_numbers_with_an_account_alone() {
    let a = StubProvider::new();
    let service = Fixture::with(&[&a], ten_an_hour);
    service.user("09121111111").await;
    service.user("09122222222").await;
    service.user("09123333333").await;
    service.clock.advance(Duration::from_secs(2));
    exhaust(&service).await;

    wait(
        service
            .chelseru
            .send_code(number("09129999999"), Client::default())
            .await,
    );
    for known in ["09121111111", "09122222222"] {
        service
            .chelseru
            .send_code(number(known), Client::default())
            .await
            .unwrap();
    }
    wait(
        service
            .chelseru
            .send_code(number("09123333333"), Client::default())
            .await,
    );
    assert_eq!(a.calls(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_code_that_the_budget_stops_is_withdrawn() {
    let a = StubProvider::new();
    let service = Fixture::with(&[&a], ten_an_hour);
    exhaust(&service).await;
    wait(service.send_code().await);
    wait(service.send_code().await);
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_whole_again_when_its_window_ends() {
    let a = StubProvider::new();
    let service = Fixture::with(&[&a], ten_an_hour);
    service.send_text().await.unwrap();
    service.clock.advance(HOUR / 4);
    exhaust(&service).await;
    assert_eq!(wait(service.send_text().await), HOUR * 3 / 4);
    service.clock.advance(HOUR * 3 / 4);
    service.send_text().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_not_sent_is_not_paid_for() {
    let a = StubProvider::new();
    let service = Fixture::with(&[&a], |config| {
        ten_an_hour(config).sms_breaker(0, Duration::from_secs(1))
    });
    for _ in 0..20 {
        a.fail_next(error(SmsErrorKind::NotSent));
        service.send_text().await.unwrap_err();
    }
    assert_eq!(exhaust(&service).await, 8);
}

#[tokio::test(start_paused = true)]
async fn what_was_perhaps_sent_is_paid_for() {
    let a = StubProvider::new();
    let service = Fixture::with(&[&a], ten_an_hour);
    a.lose_next_answer();
    service.send_text().await.unwrap_err();
    assert_eq!(exhaust(&service).await, 7);
}

#[tokio::test(start_paused = true)]
async fn rial_are_counted_as_the_provider_says_and_before_it_does_by_the_price_of_a_part() {
    let a = StubProvider::new();
    a.set_price(300);
    let service = Fixture::with(&[&a], |config| {
        config
            .sms_rial_per_day(1000)
            .sms_price_rial_per_part(100)
            .sms_reserve_percent(0)
    });
    // 300, 600 and 900; a fourth at 100 would fit, and is told to cost 300.
    assert_eq!(exhaust(&service).await, 4);
    assert!(wait(service.send_text().await) > HOUR * 23);
}

#[tokio::test(start_paused = true)]
async fn a_cost_that_no_message_has_is_not_believed() {
    for cost in [-1, i64::MAX] {
        let a = StubProvider::new();
        a.set_price(cost);
        let service = Fixture::new(&[&a]);
        service.send_text().await.unwrap();
        assert_eq!(service.log().await[0].outcome.cost_rial, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_text_costs_as_many_parts_as_it_has() {
    let a = StubProvider::new();
    let service = Fixture::with(&[&a], |config| {
        config
            .sms_rial_per_day(500)
            .sms_price_rial_per_part(100)
            .sms_reserve_percent(0)
    });
    let long = Message::new(number(NUMBER), "سلام ".repeat(40));
    service.chelseru.send_sms(long.clone()).await.unwrap();
    assert_eq!(service.log().await[0].sms.parts, Some(3));
    wait(service.chelseru.send_sms(long).await);
    assert_eq!(exhaust(&service).await, 2);
}

#[tokio::test(start_paused = true)]
async fn every_budget_counts_and_the_longest_wait_is_told() {
    let a = StubProvider::new();
    let service = Fixture::with(&[&a], |config| {
        config.sms_per_hour(2).sms_per_day(3).sms_reserve_percent(0)
    });
    assert_eq!(exhaust(&service).await, 2);
    assert_eq!(wait(service.send_text().await), HOUR);
    service.clock.advance(HOUR);
    assert_eq!(exhaust(&service).await, 1);
    assert_eq!(wait(service.send_text().await), HOUR * 23);
}

#[tokio::test(start_paused = true)]
async fn somebody_is_told_once_at_eighty_percent_and_once_at_the_end() {
    let a = StubProvider::new();
    let mut service = Fixture::with(&[&a], |config| ten_an_hour(config).sms_reserve_percent(0));
    let until = service.chelseru.now() + HOUR;
    assert_eq!(exhaust(&service).await, 10);
    service.send_text().await.unwrap_err();
    let told: Vec<_> = service
        .happened()
        .await
        .into_iter()
        .filter_map(|event| match event {
            Event::BudgetUsed {
                budget,
                percent,
                until,
            } => Some((budget, percent, until)),
            _ => None,
        })
        .collect();
    let hour = Budget::MessagesPerHour;
    assert_eq!(told, [(hour, 80, until), (hour, 100, until)]);
}

#[tokio::test(start_paused = true)]
async fn a_refund_does_not_make_somebody_be_told_twice() {
    let (a, b) = (StubProvider::named("A"), StubProvider::named("B"));
    let mut service = Fixture::with(&[&a, &b], |config| {
        ten_an_hour(config)
            .sms_reserve_percent(0)
            .sms_breaker(0, Duration::from_secs(1))
    });
    for _ in 0..9 {
        a.fail_next(error(SmsErrorKind::NotSent));
        service.send_text().await.unwrap();
    }
    let events = service.happened().await.into_iter();
    let told = events.filter(|event| matches!(event, Event::BudgetUsed { .. }));
    assert_eq!(told.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_budgets_nothing_is_counted() {
    let a = StubProvider::new();
    let service = Fixture::new(&[&a]);
    for _ in 0..100 {
        service.send_text().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_to_a_number_with_an_account_does_not_use_the_kept_part() {
    let a = StubProvider::new();
    let service = Fixture::with(&[&a], ten_an_hour);
    service.user(NUMBER).await;
    assert_eq!(exhaust(&service).await, 8);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_could_not_be_noted_is_not_paid_for() {
    let a = StubProvider::new();
    let store = Arc::new(SlowStore::default());
    let service = Fixture::over(store.clone(), &[&a], ten_an_hour);
    store.fails_to_log.store(true, Ordering::Relaxed);
    for _ in 0..20 {
        let result = service.send_text().await;
        assert!(matches!(result, Err(Error::Store(_))), "{result:?}");
    }
    assert_eq!(a.calls(), 0);
    store.fails_to_log.store(false, Ordering::Relaxed);
    assert_eq!(exhaust(&service).await, 8);
}

#[tokio::test(start_paused = true)]
async fn a_price_that_is_none_is_that_of_the_settings() {
    let a = StubProvider::new();
    a.set_price(-5);
    let service = Fixture::with(&[&a], |config| {
        config
            .sms_rial_per_day(1000)
            .sms_price_rial_per_part(100)
            .sms_reserve_percent(0)
    });
    assert_eq!(exhaust(&service).await, 10);
}

#[tokio::test(start_paused = true)]
async fn a_template_costs_as_much_as_one_part() {
    let a = StubProvider::new();
    let service = Fixture::with(&[&a], |config| {
        config
            .sms_rial_per_day(200)
            .sms_price_rial_per_part(100)
            .sms_reserve_percent(0)
    });
    let message = Message::new(number(NUMBER), "x".repeat(400)).with_template(7);
    for _ in 0..2 {
        service.chelseru.send_sms(message.clone()).await.unwrap();
    }
    wait(service.chelseru.send_sms(message).await);
}
