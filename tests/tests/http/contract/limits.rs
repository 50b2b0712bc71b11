//! How often codes are sent and tried, with the limits that a server has by default.

use std::time::Duration;

use chelseru_core::config::{ConfigBuilder, IpNet, PumpingGuard};
use chelseru_core::sms::{SmsError, SmsErrorKind};
use chelseru_tests::{
    Answer, Database, Setup, TestServer, Tokens, another_code, log_in_with, on_both_databases,
    send_code,
};
use futures_util::future::join_all;
use serde_json::json;

on_both_databases! {
    the_sixth_code_of_an_hour_is_not_sent_by_any_process_nor_after_a_restart
    the_eleventh_code_of_a_day_is_not_sent
    a_conflict_costs_nothing
    what_was_not_sent_is_given_back
    what_was_perhaps_sent_counts
    a_refused_code_leaves_nothing_reserved
    every_address_has_a_limit_of_its_own
    all_of_an_ipv6_64_is_one_address
    a_forwarding_header_of_a_stranger_changes_nothing
    behind_one_proxy_the_right_most_address_counts
    many_at_once_on_two_servers_are_sent_exactly_what_the_limit_allows
    wrong_codes_for_a_number_are_refused_after_twenty
    the_right_code_within_the_limit_always_works
    wrong_codes_for_a_number_without_one_do_not_lock_its_owner_out
    wrong_codes_from_an_address_are_refused_after_two_hundred
    many_wrong_codes_at_once_are_looked_at_as_often_as_the_limit_allows
    an_open_session_goes_on_whatever_limit_is_reached
    a_limit_of_zero_is_none
}

const NUMBER: &str = "09121234567";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

async fn server_with(
    database: Database,
    change: impl FnOnce(ConfigBuilder) -> ConfigBuilder,
) -> TestServer {
    let setup = Setup::new(database).await.with_limits();
    setup.config(change).start().await
}

async fn server(database: Database) -> TestServer {
    server_with(database, |config| config).await
}

/// Where the address is what a header says, for tests that have several.
async fn server_behind_a_proxy(
    database: Database,
    change: impl FnOnce(ConfigBuilder) -> ConfigBuilder,
) -> TestServer {
    let loopback: IpNet = "127.0.0.0/8".parse().unwrap();
    server_with(database, |config| {
        change(config.trusted_proxies([loopback]))
    })
    .await
}

async fn ask(server: &TestServer, mobile_number: &str) -> Answer {
    server
        .post("/api/otp/send/")
        .json(&json!({ "mobile_number": mobile_number }))
        .await
}

async fn ask_from(server: &TestServer, forwarded_for: &str, mobile_number: &str) -> Answer {
    server
        .post("/api/otp/send/")
        .header("x-forwarded-for", forwarded_for)
        .json(&json!({ "mobile_number": mobile_number }))
        .await
}

fn nth_number(n: usize) -> String {
    format!("0912{n:07}")
}

/// Has this many codes sent, each when the one before has ended.
async fn send_codes(server: &TestServer, count: usize) {
    for _ in 0..count {
        ask(server, NUMBER).await.assert_status(200);
        server.clock.advance(4 * MINUTE);
    }
}

fn assert_throttled(answer: &Answer, wait: Duration) {
    let seconds = wait.as_secs();
    answer
        .assert_json(
            429,
            &json!({ "detail": format!(
                "Request was throttled. Expected available in {seconds} seconds."
            ) }),
        )
        .assert_header("retry-after", &seconds.to_string());
}

async fn the_sixth_code_of_an_hour_is_not_sent_by_any_process_nor_after_a_restart(
    database: Database,
) {
    let server = server(database).await;
    send_codes(&server, 5).await;
    assert_throttled(&ask(&server, NUMBER).await, 40 * MINUTE);
    let other = server.beside().await;
    assert_throttled(&ask(&other, NUMBER).await, 40 * MINUTE);
    drop(other);
    let server = server.restart(|setup| setup).await;
    assert_throttled(&ask(&server, "+98 912 123 4567").await, 40 * MINUTE);
    assert_eq!(server.sms.calls(), 5);
    ask(&server, "09127654321").await.assert_status(200);

    server.clock.advance(40 * MINUTE);
    ask(&server, NUMBER).await.assert_status(200);
}

async fn the_eleventh_code_of_a_day_is_not_sent(database: Database) {
    let server = server(database).await;
    send_codes(&server, 5).await;
    server.clock.advance(HOUR);
    send_codes(&server, 5).await;
    server.clock.advance(HOUR);
    assert_throttled(&ask(&server, NUMBER).await, 21 * HOUR + 20 * MINUTE);
    assert_eq!(server.sms.calls(), 10);
    server.clock.advance(21 * HOUR + 20 * MINUTE);
    ask(&server, NUMBER).await.assert_status(200);
}

async fn a_conflict_costs_nothing(database: Database) {
    let server = server(database).await;
    for _ in 0..5 {
        ask(&server, NUMBER).await.assert_status(200);
        for _ in 0..20 {
            ask(&server, NUMBER).await.assert_status(409);
        }
        server.clock.advance(4 * MINUTE);
    }
    assert_eq!(server.sms.calls(), 5);
}

async fn what_was_not_sent_is_given_back(database: Database) {
    let server = server_with(database, |config| {
        config.sms_breaker(0, Duration::from_secs(1))
    })
    .await;
    for _ in 0..20 {
        let refused = SmsError::new(SmsErrorKind::NotSent, "not now");
        server.sms.fail_next(refused);
        ask(&server, NUMBER).await.assert_status(502);
    }
    send_codes(&server, 5).await;
    ask(&server, NUMBER).await.assert_status(429);
}

async fn what_was_perhaps_sent_counts(database: Database) {
    let server = server(database).await;
    let lost = SmsError::new(SmsErrorKind::PerhapsSent, "no answer");
    server.sms.fail_next(lost);
    ask(&server, NUMBER).await.assert_status(502);
    server.clock.advance(4 * MINUTE);
    send_codes(&server, 4).await;
    ask(&server, NUMBER).await.assert_status(429);
}

async fn a_refused_code_leaves_nothing_reserved(database: Database) {
    let server = server(database).await;
    send_codes(&server, 5).await;
    for _ in 0..3 {
        ask(&server, NUMBER).await.assert_status(429);
    }
    server.clock.advance(40 * MINUTE);
    let code = send_code(&server, NUMBER).await;
    log_in_with(&server, NUMBER, &code).await.assert_status(200);
}

async fn every_address_has_a_limit_of_its_own(database: Database) {
    let server = server_behind_a_proxy(database, |config| config.otp_per_address_per_hour(3)).await;
    for n in 0..3 {
        ask_from(&server, "192.0.2.7", &nth_number(n))
            .await
            .assert_status(200);
    }
    server.clock.advance(10 * MINUTE);
    let refused = ask_from(&server, "192.0.2.7", &nth_number(3)).await;
    assert_throttled(&refused, 50 * MINUTE);
    ask_from(&server, "192.0.2.8", &nth_number(3))
        .await
        .assert_status(200);
    server.clock.advance(50 * MINUTE);
    ask_from(&server, "192.0.2.7", &nth_number(4))
        .await
        .assert_status(200);
    assert_eq!(server.sms.calls(), 5);
}

async fn all_of_an_ipv6_64_is_one_address(database: Database) {
    let server = server_behind_a_proxy(database, |config| config.otp_per_address_per_hour(3)).await;
    for n in 0..3 {
        ask_from(&server, &format!("2001:db8:1:2::{n}"), &nth_number(n))
            .await
            .assert_status(200);
    }
    ask_from(&server, "2001:db8:1:2:ffff:ffff::", &nth_number(3))
        .await
        .assert_status(429);
    ask_from(&server, "2001:db8:1:3::1", &nth_number(3))
        .await
        .assert_status(200);
}

async fn a_forwarding_header_of_a_stranger_changes_nothing(database: Database) {
    let server = server_with(database, |config| config.otp_per_address_per_hour(3)).await;
    for n in 0..3 {
        ask_from(&server, &format!("192.0.2.{n}"), &nth_number(n))
            .await
            .assert_status(200);
    }
    ask_from(&server, "192.0.2.99", &nth_number(3))
        .await
        .assert_status(429);
    assert_eq!(server.sms.calls(), 3);
}

async fn behind_one_proxy_the_right_most_address_counts(database: Database) {
    let server = server_behind_a_proxy(database, |config| config.otp_per_address_per_hour(3)).await;
    for n in 0..3 {
        let header = format!("198.51.100.{n}, 192.0.2.7");
        ask_from(&server, &header, &nth_number(n))
            .await
            .assert_status(200);
    }
    ask_from(&server, "198.51.100.99, 192.0.2.7", &nth_number(3))
        .await
        .assert_status(429);
    ask_from(&server, "192.0.2.7, 198.51.100.99", &nth_number(3))
        .await
        .assert_status(200);
}

async fn many_at_once_on_two_servers_are_sent_exactly_what_the_limit_allows(database: Database) {
    let server = server_with(database, |config| config.otp_per_address_per_hour(7)).await;
    let other = server.beside().await;
    let statuses = join_all((0..64).map(|n| {
        let server = if n % 2 == 0 { &server } else { &other };
        async move { ask(server, &nth_number(n)).await.status }
    }))
    .await;
    let count = |status| statuses.iter().filter(|one| **one == status).count();
    assert_eq!((count(200), count(429)), (7, 57));
    assert_eq!(server.sms.sent(), 7);
}

/// Burns a code of the number.
async fn burn(server: &TestServer, tries: u64) {
    let code = send_code(server, NUMBER).await;
    for nth in 1..=tries {
        log_in_with(server, NUMBER, &another_code(&code, nth))
            .await
            .assert_status(401);
    }
}

async fn wrong_codes_for_a_number_are_refused_after_twenty(database: Database) {
    let server = server(database).await;
    for _ in 0..4 {
        burn(&server, 5).await;
        server.clock.advance(4 * MINUTE);
    }
    let code = send_code(&server, NUMBER).await;
    // Not even looked at.
    for code in [&another_code(&code, 1), &code] {
        let refused = log_in_with(&server, NUMBER, code).await;
        assert_throttled(&refused, 44 * MINUTE);
    }
    let others = send_code(&server, "09127654321").await;
    log_in_with(&server, "09127654321", &others)
        .await
        .assert_status(200);
    server.clock.advance(44 * MINUTE);
    let code = send_code(&server, NUMBER).await;
    log_in_with(&server, NUMBER, &code).await.assert_status(200);
}

async fn the_right_code_within_the_limit_always_works(database: Database) {
    let server = server_with(database, |config| {
        config
            .otp_per_number_per_hour(0)
            .otp_per_number_per_day(0)
            .otp_failures_per_number_per_hour(2)
            .otp_failures_per_address_per_hour(2)
    })
    .await;
    for _ in 0..10 {
        let code = send_code(&server, NUMBER).await;
        log_in_with(&server, NUMBER, &code).await.assert_status(200);
    }
    let code = send_code(&server, NUMBER).await;
    log_in_with(&server, NUMBER, &another_code(&code, 1))
        .await
        .assert_status(401);
    log_in_with(&server, NUMBER, &code).await.assert_status(200);
}

async fn wrong_codes_for_a_number_without_one_do_not_lock_its_owner_out(database: Database) {
    let server = server(database).await;
    for n in 0..30 {
        log_in_with(&server, NUMBER, &format!("{n:08}"))
            .await
            .assert_status(401);
    }
    let code = send_code(&server, NUMBER).await;
    log_in_with(&server, NUMBER, &code).await.assert_status(200);
}

async fn wrong_codes_from_an_address_are_refused_after_two_hundred(database: Database) {
    let server = server_behind_a_proxy(database, |config| config).await;
    let attempt = |address: &'static str, n: usize| {
        server
            .post("/api/authenticate/")
            .header("x-forwarded-for", address)
            .json(&json!({ "mobile_number": nth_number(n), "code": "12345678" }))
    };
    for n in 0..200 {
        attempt("192.0.2.7", n).await.assert_status(401);
    }
    server.clock.advance(10 * MINUTE);
    assert_throttled(&attempt("192.0.2.7", 200).await, 50 * MINUTE);
    attempt("192.0.2.8", 200).await.assert_status(401);
    // A code of another length is not looked at either way.
    server.clock.advance(50 * MINUTE);
    attempt("192.0.2.7", 200).await.assert_status(401);
}

async fn many_wrong_codes_at_once_are_looked_at_as_often_as_the_limit_allows(database: Database) {
    let server = server_with(database, |config| {
        config.otp_attempts(0).otp_failures_per_number_per_hour(7)
    })
    .await;
    let other = server.beside().await;
    let code = send_code(&server, NUMBER).await;
    let statuses = join_all((1..=64).map(|nth| {
        let server = if nth % 2 == 0 { &server } else { &other };
        let wrong = another_code(&code, nth);
        async move { log_in_with(server, NUMBER, &wrong).await.status }
    }))
    .await;
    let count = |status| statuses.iter().filter(|one| **one == status).count();
    assert_eq!((count(401), count(429)), (7, 57));
}

async fn an_open_session_goes_on_whatever_limit_is_reached(database: Database) {
    let server = server(database).await;
    let code = send_code(&server, NUMBER).await;
    let tokens = Tokens::of(&log_in_with(&server, NUMBER, &code).await);
    for _ in 0..4 {
        burn(&server, 5).await;
        server.clock.advance(4 * MINUTE);
    }
    ask(&server, NUMBER).await.assert_status(429);
    server
        .post("/api/token/refresh/")
        .json(&json!({ "refresh": tokens.refresh }))
        .await
        .assert_status(200);
}

async fn a_limit_of_zero_is_none(database: Database) {
    let server = server_with(database, |config| {
        config
            .otp_per_number_per_hour(0)
            .otp_per_number_per_day(0)
            .otp_per_address_per_hour(0)
            .pumping_guard(PumpingGuard::Off)
    })
    .await;
    send_codes(&server, 15).await;
}
