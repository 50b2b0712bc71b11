//! What the whole service may send, as its callers see it.

use std::time::Duration;

use chelseru_tests::{Database, Setup, TestServer, log_in, on_both_databases};
use futures_util::future::join_all;
use serde_json::json;

on_both_databases! {
    a_code_beyond_the_budget_is_too_many_requests_and_says_when_to_come_back
    a_message_beyond_the_budget_is_too_many_requests
    users_get_their_codes_from_the_part_that_is_kept_for_them
    many_at_once_send_exactly_what_the_budget_allows
    a_budget_outlives_a_restart
}

async fn server_with(database: Database, per_hour: u64) -> TestServer {
    let setup = Setup::new(database).await;
    setup
        .config(|config| config.sms_per_hour(per_hour))
        .start()
        .await
}

async fn ask_for_code(server: &TestServer, mobile_number: &str) -> chelseru_tests::Answer {
    server
        .post("/api/otp/send/")
        .json(&json!({ "mobile_number": mobile_number }))
        .await
}

async fn a_code_beyond_the_budget_is_too_many_requests_and_says_when_to_come_back(
    database: Database,
) {
    let server = server_with(database, 1).await;
    ask_for_code(&server, "09121234567")
        .await
        .assert_status(200);
    server.clock.advance(Duration::from_secs(600));
    // Not a conflict the second time: the code that was not sent does not block the number.
    for _ in 0..2 {
        ask_for_code(&server, "09127654321")
            .await
            .assert_json(
                429,
                &json!({ "detail":
                    "This service has sent as many messages as it may for now. \
                     Expected available in 3000 seconds." }),
            )
            .assert_header("retry-after", "3000");
    }
    server.clock.advance(Duration::from_secs(3000));
    ask_for_code(&server, "09127654321")
        .await
        .assert_status(200);
    assert_eq!(server.sms.calls(), 2);
}

async fn a_message_beyond_the_budget_is_too_many_requests(database: Database) {
    let server = server_with(database, 2).await;
    let access = log_in(&server, "09121234567").await.access;
    let send = || {
        server
            .post("/api/message/send/")
            .bearer(&access)
            .header("idempotency-key", "k")
            .json(&json!({ "mobile_number": "09127654321", "message_text": "سلام" }))
    };
    ask_for_code(&server, "09127654321")
        .await
        .assert_status(200);
    send().await.assert_status(429);
    assert_eq!(server.sms.calls(), 2);
    server.clock.advance(Duration::from_secs(3600));
    let access = log_in(&server, "09121234567").await.access;
    server
        .post("/api/message/send/")
        .bearer(&access)
        .header("idempotency-key", "k")
        .json(&json!({ "mobile_number": "09127654321", "message_text": "سلام" }))
        .await
        .assert_status(200);
}

async fn users_get_their_codes_from_the_part_that_is_kept_for_them(database: Database) {
    let server = server_with(database, 10).await;
    log_in(&server, "09121234567").await;
    server.clock.advance(Duration::from_secs(600));
    for n in 0..7 {
        ask_for_code(&server, &format!("0912000000{n}"))
            .await
            .assert_status(200);
    }
    ask_for_code(&server, "09120000009")
        .await
        .assert_status(429);
    ask_for_code(&server, "09121234567")
        .await
        .assert_status(200);
}

async fn many_at_once_send_exactly_what_the_budget_allows(database: Database) {
    let server = server_with(database, 10).await;
    let answers = join_all((10..50).map(|n| {
        let number = format!("091200000{n}");
        let server = &server;
        async move { ask_for_code(server, &number).await.status }
    }))
    .await;
    let sent = answers.iter().filter(|status| **status == 200).count();
    let refused = answers.iter().filter(|status| **status == 429).count();
    assert_eq!((sent, refused), (8, 32));
    assert_eq!(server.sms.sent(), 8);
}

async fn a_budget_outlives_a_restart(database: Database) {
    let server = server_with(database, 1).await;
    ask_for_code(&server, "09121234567")
        .await
        .assert_status(200);
    let server = server.restart(|setup| setup).await;
    ask_for_code(&server, "09127654321")
        .await
        .assert_status(429);
}
