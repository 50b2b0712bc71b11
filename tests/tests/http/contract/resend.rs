//! Sending the same code again, where the settings say after how long.

use std::time::Duration;

use chelseru_core::config::ConfigBuilder;
use chelseru_core::sms::{SmsError, SmsErrorKind};
use chelseru_tests::{
    Answer, Database, Setup, TestServer, another_code, log_in_with, on_both_databases, send_code,
};
use futures_util::future::join_all;
use serde_json::json;

on_both_databases! {
    after_the_wait_the_same_code_is_sent_again_and_the_waits_grow
    tries_count_for_all_messages_with_a_code_together
    a_code_without_tries_left_is_not_sent_again
    of_many_at_once_one_is_sent_again
    what_was_not_sent_again_does_not_lengthen_the_wait
    messages_with_the_same_code_count_in_the_limits
    a_code_that_cannot_be_made_again_is_not_sent_again
}

const NUMBER: &str = "09121234567";
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn resending(config: ConfigBuilder) -> ConfigBuilder {
    config
        .otp_lifetime(20 * MINUTE)
        .otp_resend_after(MINUTE)
        .sms_breaker(0, SECOND)
}

async fn server(database: Database) -> TestServer {
    let setup = Setup::new(database).await.with_limits();
    setup.config(resending).start().await
}

async fn ask(server: &TestServer) -> Answer {
    server
        .post("/api/otp/send/")
        .json(&json!({ "mobile_number": NUMBER }))
        .await
}

async fn assert_must_wait(server: &TestServer, seconds: u64) {
    ask(server)
        .await
        .assert_json(
            409,
            &json!({ "details": format!(
                "An OTP code has already been sent. Please wait {seconds} seconds before trying again."
            ) }),
        )
        .assert_header("retry-after", &seconds.to_string());
}

async fn after_the_wait_the_same_code_is_sent_again_and_the_waits_grow(database: Database) {
    let mut server = server(database).await;
    let code = send_code(&server, NUMBER).await;
    for minutes in [1, 2, 5] {
        assert_must_wait(&server, 60 * minutes).await;
        server.clock.advance(Duration::from_secs(60 * minutes - 1));
        assert_must_wait(&server, 1).await;
        server.clock.advance(SECOND);
        // Another process sends the same code.
        server = server.restart(|setup| setup).await;
        assert_eq!(send_code(&server, NUMBER).await, code);
    }
    // 8 minutes of 20 are over, and the next wait would be 15.
    assert_must_wait(&server, 12 * 60).await;
    assert_eq!(server.sms.calls(), 4);
    log_in_with(&server, NUMBER, &code).await.assert_status(200);
    log_in_with(&server, NUMBER, &code).await.assert_status(401);
    assert_ne!(send_code(&server, NUMBER).await, code);
}

async fn tries_count_for_all_messages_with_a_code_together(database: Database) {
    let server = server(database).await;
    let code = send_code(&server, NUMBER).await;
    for nth in 1..=4 {
        log_in_with(&server, NUMBER, &another_code(&code, nth))
            .await
            .assert_status(401);
    }
    server.clock.advance(MINUTE);
    assert_eq!(send_code(&server, NUMBER).await, code);
    log_in_with(&server, NUMBER, &another_code(&code, 5))
        .await
        .assert_status(401);
    log_in_with(&server, NUMBER, &code).await.assert_status(401);
}

async fn a_code_without_tries_left_is_not_sent_again(database: Database) {
    let server = server(database).await;
    let code = send_code(&server, NUMBER).await;
    for nth in 1..=5 {
        log_in_with(&server, NUMBER, &another_code(&code, nth))
            .await
            .assert_status(401);
    }
    server.clock.advance(MINUTE);
    assert_must_wait(&server, 19 * 60).await;
    assert_eq!(server.sms.calls(), 1);
}

async fn of_many_at_once_one_is_sent_again(database: Database) {
    let server = server(database).await;
    let other = server.beside().await;
    for round in 1..=2 {
        let statuses = join_all((0..64).map(|n| {
            let server = if n % 2 == 0 { &server } else { &other };
            async move { ask(server).await.status }
        }))
        .await;
        let count = |status| statuses.iter().filter(|one| **one == status).count();
        assert_eq!((count(200), count(409)), (1, 63));
        assert_eq!(server.sms.sent(), round);
        server.clock.advance(MINUTE);
    }
}

async fn what_was_not_sent_again_does_not_lengthen_the_wait(database: Database) {
    let server = server(database).await;
    let code = send_code(&server, NUMBER).await;
    server.clock.advance(MINUTE);
    for _ in 0..10 {
        let refused = SmsError::new(SmsErrorKind::NotSent, "not now");
        server.sms.fail_next(refused);
        ask(&server).await.assert_status(502);
    }
    assert_eq!(send_code(&server, NUMBER).await, code);
    assert_must_wait(&server, 120).await;
    log_in_with(&server, NUMBER, &code).await.assert_status(200);
}

async fn messages_with_the_same_code_count_in_the_limits(database: Database) {
    let server = server(database).await;
    for _ in 0..2 {
        let code = send_code(&server, NUMBER).await;
        server.clock.advance(MINUTE);
        assert_eq!(send_code(&server, NUMBER).await, code);
        log_in_with(&server, NUMBER, &code).await.assert_status(200);
    }
    let code = send_code(&server, NUMBER).await;
    server.clock.advance(MINUTE);
    ask(&server).await.assert_status(429);
    assert_eq!(server.sms.calls(), 5);
    // The code that was sent is as good as ever.
    log_in_with(&server, NUMBER, &code).await.assert_status(200);
}

async fn a_code_that_cannot_be_made_again_is_not_sent_again(database: Database) {
    let setup = Setup::new(database).await;
    let server = setup
        .config(|config| config.otp_lifetime(20 * MINUTE))
        .start()
        .await;
    let code = send_code(&server, NUMBER).await;
    let server = server.restart(|setup| setup.config(resending)).await;
    server.clock.advance(MINUTE);
    assert_must_wait(&server, 19 * 60).await;
    log_in_with(&server, NUMBER, &code).await.assert_status(200);
    let code = send_code(&server, NUMBER).await;
    let server = server
        .restart(|setup| {
            setup.config(|config| config.signing_key("another signing key of at least 32 bytes"))
        })
        .await;
    server.clock.advance(MINUTE);
    assert_must_wait(&server, 19 * 60).await;
    assert!(!code.is_empty());
}
