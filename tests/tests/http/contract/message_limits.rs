//! How often users may send messages.

use std::time::Duration;

use chelseru_core::sms::{SmsError, SmsErrorKind};
use chelseru_tests::{Answer, Database, Setup, TestServer, log_in, on_both_databases};
use serde_json::json;

on_both_databases! {
    a_user_may_send_so_many_messages_in_an_hour_on_all_servers
    a_number_is_sent_so_many_messages_in_an_hour_by_all_users
    a_message_that_was_certainly_not_sent_does_not_count
    a_message_that_was_perhaps_sent_counts
    a_repetition_under_a_key_counts_once
    a_key_that_met_the_limit_is_good_later
}

async fn server_with(database: Database, per_user: u32, per_receiver: u32) -> TestServer {
    let setup = Setup::new(database).await;
    let limits = setup.config(|config| {
        config
            .messages_per_user_per_hour(per_user)
            .messages_per_receiver_per_hour(per_receiver)
    });
    limits.start().await
}

async fn send(server: &TestServer, access: &str, to: &str) -> Answer {
    server
        .post("/api/message/send/")
        .bearer(access)
        .json(&json!({ "mobile_number": to, "message_text": "سلام" }))
        .await
}

async fn send_under_key(server: &TestServer, access: &str, key: &str) -> Answer {
    server
        .post("/api/message/send/")
        .bearer(access)
        .header("idempotency-key", key)
        .json(&json!({ "mobile_number": "09123333333", "message_text": "سلام" }))
        .await
}

async fn a_user_may_send_so_many_messages_in_an_hour_on_all_servers(database: Database) {
    let one = server_with(database, 2, 0).await;
    let two = one.beside().await;
    let access = log_in(&one, "09121234567").await.access;
    let other = log_in(&one, "09122222222").await.access;
    let sent = one.sms.sent();
    send(&one, &access, "09123333331").await.assert_status(200);
    send(&two, &access, "09123333332").await.assert_status(200);
    for server in [&one, &two] {
        let refused = send(server, &access, "09123333333").await;
        refused.assert_status(429);
        assert_eq!(refused.header("retry-after"), Some("3600"));
    }
    assert_eq!(one.sms.sent(), sent + 2);
    send(&one, &other, "09123333333").await.assert_status(200);
}

async fn a_number_is_sent_so_many_messages_in_an_hour_by_all_users(database: Database) {
    let server = server_with(database, 0, 2).await;
    for (user, status) in [("09121", 200), ("09122", 200), ("09123", 429)] {
        let access = log_in(&server, &format!("{user}234567")).await.access;
        let answer = send(&server, &access, "09129999999").await;
        answer.assert_status(status);
        send(&server, &access, &format!("{user}999999"))
            .await
            .assert_status(200);
    }
}

async fn a_message_that_was_certainly_not_sent_does_not_count(database: Database) {
    let server = server_with(database, 1, 1).await;
    let access = log_in(&server, "09121234567").await.access;
    for _ in 0..3 {
        let refused = SmsError::new(SmsErrorKind::NumberRefused, "no").with_code("411");
        server.sms.fail_next(refused);
        send(&server, &access, "09123333333")
            .await
            .assert_status(502);
    }
    send(&server, &access, "09123333333")
        .await
        .assert_status(200);
    send(&server, &access, "09123333333")
        .await
        .assert_status(429);
}

async fn a_message_that_was_perhaps_sent_counts(database: Database) {
    let server = server_with(database, 1, 0).await;
    let access = log_in(&server, "09121234567").await.access;
    let lost = SmsError::new(SmsErrorKind::PerhapsSent, "no answer");
    server.sms.fail_next(lost);
    send(&server, &access, "09123333333")
        .await
        .assert_status(502);
    send(&server, &access, "09123333333")
        .await
        .assert_status(429);
}

async fn a_repetition_under_a_key_counts_once(database: Database) {
    let server = server_with(database, 2, 2).await;
    let access = log_in(&server, "09121234567").await.access;
    for _ in 0..4 {
        send_under_key(&server, &access, "order-7")
            .await
            .assert_status(200);
    }
    send_under_key(&server, &access, "order-8")
        .await
        .assert_status(200);
    send_under_key(&server, &access, "order-9")
        .await
        .assert_status(429);
}

async fn a_key_that_met_the_limit_is_good_later(database: Database) {
    let server = server_with(database, 1, 0).await;
    let access = log_in(&server, "09121234567").await;
    send_under_key(&server, &access.access, "order-1")
        .await
        .assert_status(200);
    send_under_key(&server, &access.access, "order-2")
        .await
        .assert_status(429);
    server.clock.advance(Duration::from_secs(3600));
    let access = log_in(&server, "09121234567").await;
    let sent = server.sms.sent();
    send_under_key(&server, &access.access, "order-2")
        .await
        .assert_status(200);
    assert_eq!(server.sms.sent(), sent + 1);
}
