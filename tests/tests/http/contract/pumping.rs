//! The guard against pumping: who has codes sent and verifies none is stopped, honest users of the same
//! kind of address are not.

use std::time::Duration;

use chelseru_core::config::{ConfigBuilder, IpNet, PumpingGuard};
use chelseru_core::events::{Event, Limit};
use chelseru_core::sms::{SmsError, SmsErrorKind};
use chelseru_tests::{Answer, Call, Database, Setup, TestServer, on_both_databases};
use futures_util::future::join_all;
use serde_json::json;

on_both_databases! {
    a_thousand_numbers_that_verify_nothing_are_stopped_after_ten
    a_thousand_numbers_of_which_nine_of_ten_verify_are_never_stopped
    an_address_goes_on_when_its_codes_are_verified_after_all
    the_guard_counts_over_restarts_and_processes
    every_address_is_judged_alone_until_all_together_pump
    in_an_attack_from_everywhere_addresses_that_verify_go_on
    what_was_not_sent_is_not_held_against_an_address
    the_next_day_begins_anew_and_remembers_who_verified
    many_at_once_are_sent_exactly_ten
    recording_stops_nobody
    without_the_guard_nobody_is_stopped
}

const HOUR: Duration = Duration::from_secs(3600);

/// Where the address is what a header says.
async fn server_with(
    database: Database,
    change: impl FnOnce(ConfigBuilder) -> ConfigBuilder,
) -> TestServer {
    let loopback: IpNet = "127.0.0.0/8".parse().unwrap();
    let setup = Setup::new(database).await.with_limits();
    let setup = setup.config(|config| change(config.trusted_proxies([loopback])));
    setup.start().await
}

async fn server(database: Database) -> TestServer {
    server_with(database, |config| config).await
}

fn number(n: usize) -> String {
    format!("0912{n:07}")
}

fn from(call: Call, address: &str) -> Call {
    call.header("x-forwarded-for", address)
}

async fn ask(server: &TestServer, address: &str, n: usize) -> Answer {
    from(server.post("/api/otp/send/"), address)
        .json(&json!({ "mobile_number": number(n) }))
        .await
}

/// Logs in with the code that was sent last.
async fn verify(server: &TestServer, address: &str, n: usize) {
    let code = server.sms.last_code_for(&number(n)).expect("a code");
    from(server.post("/api/authenticate/"), address)
        .json(&json!({ "mobile_number": number(n), "code": code }))
        .await
        .assert_status(200);
}

/// Asks for codes of so many numbers, from this one on, and says how many were sent.
async fn pump(server: &TestServer, address: &str, first: usize, count: usize) -> usize {
    let mut sent = 0;
    for n in first..first + count {
        let answer = ask(server, address, n).await;
        if answer.status == 200 {
            sent += 1;
        } else {
            answer
                .assert_status(429)
                .assert_header("retry-after", "240");
        }
    }
    sent
}

async fn a_thousand_numbers_that_verify_nothing_are_stopped_after_ten(database: Database) {
    let server = server(database).await;
    assert_eq!(pump(&server, "192.0.2.7", 0, 1000).await, 10);
    assert_eq!(server.sms.calls(), 10);
    ask(&server, "192.0.2.8", 0).await.assert_status(409);
    ask(&server, "192.0.2.8", 500).await.assert_status(200);
}

async fn a_thousand_numbers_of_which_nine_of_ten_verify_are_never_stopped(database: Database) {
    let server = server(database).await;
    for n in 0..1000 {
        ask(&server, "192.0.2.7", n).await.assert_status(200);
        if n % 10 != 0 {
            verify(&server, "192.0.2.7", n).await;
        }
    }
}

async fn an_address_goes_on_when_its_codes_are_verified_after_all(database: Database) {
    let server = server(database).await;
    assert_eq!(pump(&server, "192.0.2.7", 0, 20).await, 10);
    verify(&server, "192.0.2.7", 0).await;
    assert_eq!(pump(&server, "192.0.2.7", 20, 10).await, 2);
    for n in 1..10 {
        verify(&server, "192.0.2.7", n).await;
    }
    assert_eq!(pump(&server, "192.0.2.7", 40, 30).await, 18);
}

async fn the_guard_counts_over_restarts_and_processes(database: Database) {
    let server = server(database).await;
    let other = server.beside().await;
    assert_eq!(pump(&server, "192.0.2.7", 0, 6).await, 6);
    assert_eq!(pump(&other, "192.0.2.7", 10, 6).await, 4);
    drop(other);
    let server = server.restart(|setup| setup).await;
    assert_eq!(pump(&server, "192.0.2.7", 20, 6).await, 0);
}

async fn every_address_is_judged_alone_until_all_together_pump(database: Database) {
    let server = server(database).await;
    let mut sent = 0;
    for nth in 0..20 {
        // As a provider's customer has them: a /64 for each request would cost nothing.
        let address = format!("2001:db8:0:{nth}::1");
        sent += pump(&server, &address, 1000 * nth, 12).await;
    }
    assert_eq!(sent, 100);
}

async fn in_an_attack_from_everywhere_addresses_that_verify_go_on(database: Database) {
    let server = server(database).await;
    ask(&server, "192.0.2.7", 1).await.assert_status(200);
    verify(&server, "192.0.2.7", 1).await;
    for nth in 0..12 {
        pump(&server, &format!("198.51.100.{nth}"), 1000 * (nth + 1), 10).await;
    }
    ask(&server, "203.0.113.1", 2).await.assert_status(429);
    ask(&server, "192.0.2.7", 2).await.assert_status(200);
    verify(&server, "192.0.2.7", 2).await;
    assert_eq!(pump(&server, "192.0.2.7", 100, 40).await, 12);
}

async fn what_was_not_sent_is_not_held_against_an_address(database: Database) {
    let server = server_with(database, |config| {
        config.sms_breaker(0, Duration::from_secs(1))
    })
    .await;
    for n in 0..30 {
        let refused = SmsError::new(SmsErrorKind::NotSent, "not now");
        server.sms.fail_next(refused);
        ask(&server, "192.0.2.7", n).await.assert_status(502);
    }
    assert_eq!(pump(&server, "192.0.2.7", 0, 20).await, 10);
}

async fn the_next_day_begins_anew_and_remembers_who_verified(database: Database) {
    let server = server(database).await;
    assert_eq!(pump(&server, "192.0.2.7", 0, 12).await, 10);
    for n in 100..105 {
        ask(&server, "192.0.2.8", n).await.assert_status(200);
        verify(&server, "192.0.2.8", n).await;
    }
    server.clock.advance(24 * HOUR);
    server.chelseru.sweep().await.unwrap();
    assert_eq!(pump(&server, "192.0.2.7", 200, 30).await, 10);
    assert_eq!(pump(&server, "192.0.2.8", 300, 30).await, 20);
    server.clock.advance(24 * HOUR);
    server.chelseru.sweep().await.unwrap();
    assert_eq!(pump(&server, "192.0.2.8", 400, 30).await, 10);
}

async fn many_at_once_are_sent_exactly_ten(database: Database) {
    let server = server(database).await;
    let other = server.beside().await;
    let answers = join_all((0..64).map(|n| {
        let server = if n % 2 == 0 { &server } else { &other };
        async move { ask(server, "192.0.2.7", n).await.status }
    }))
    .await;
    let sent = answers.iter().filter(|status| **status == 200).count();
    assert_eq!(sent, 10);
    assert_eq!(server.sms.sent(), 10);
}

/// What the guard told, up to the first code that was sent by `last`.
async fn suspected(
    server: &TestServer,
    last: usize,
    mut ask: impl AsyncFnMut(usize),
) -> Vec<Event> {
    let mut stream = server.chelseru.events();
    for n in 0..=last {
        ask(n).await;
    }
    let mut suspected = Vec::new();
    while let Some(event) = stream.next().await {
        match event {
            Event::CodeSent { mobile_number } if mobile_number.as_str() == number(last) => break,
            Event::PumpingSuspected { .. } | Event::LimitReached { .. } => suspected.push(event),
            _ => {}
        }
    }
    suspected
}

async fn recording_stops_nobody(database: Database) {
    let server = server_with(database, |config| {
        config.pumping_guard(PumpingGuard::Record)
    })
    .await;
    let told = suspected(&server, 14, async |n| {
        ask(&server, "192.0.2.7", n).await.assert_status(200);
    })
    .await;
    assert_eq!(told.len(), 5, "{told:?}");
    for (event, nth) in told.iter().zip(11..) {
        let Event::PumpingSuspected {
            pumping,
            was_stopped,
            ..
        } = event
        else {
            panic!("{event:?}");
        };
        assert!(!was_stopped);
        assert_eq!(pumping.network, "192.0.2.7/32".parse().ok());
        assert_eq!((pumping.sent, pumping.verified), (nth, 0));
    }
}

async fn without_the_guard_nobody_is_stopped(database: Database) {
    let server = server_with(database, |config| {
        config
            .pumping_guard(PumpingGuard::Off)
            .otp_per_address_per_hour(20)
    })
    .await;
    let told = suspected(&server, 30, async |n| {
        // The last one is from another address.
        let address = if n < 30 { "192.0.2.7" } else { "192.0.2.8" };
        let expected = if (20..30).contains(&n) { 429 } else { 200 };
        ask(&server, address, n).await.assert_status(expected);
    })
    .await;
    assert_eq!(told.len(), 10);
    for event in told {
        let Event::LimitReached { limit, .. } = &event else {
            panic!("{event:?}");
        };
        assert_eq!(*limit, Limit::CodesPerAddressPerHour);
        assert!(!format!("{event:?}").contains(&number(20)), "{event:?}");
    }
}
