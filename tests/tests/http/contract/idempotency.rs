//! POST /api/message/send/ with an `Idempotency-Key`: who asks again, because the answer was lost on a
//! bad link, does not send again.

use std::time::Duration;

use chelseru_core::sms::{SmsError, SmsErrorKind};
use chelseru_tests::{
    Answer, Call, Database, Setup, SlowProvider, TestServer, log_in, on_both_databases,
};
use serde_json::json;

on_both_databases! {
    the_same_key_is_answered_alike_and_sends_once
    the_same_key_for_another_message_is_refused
    a_key_that_is_none_is_refused_by_the_headers_name
    a_key_whose_message_is_being_sent_is_a_conflict
    a_key_whose_message_was_not_sent_may_be_tried_again
    a_key_whose_message_was_perhaps_sent_is_answered_alike_and_sends_once
    a_key_is_forgotten_after_a_day
    without_a_key_every_request_sends
}

fn ask(server: &TestServer, access: &str, text: &str) -> Call {
    server
        .post("/api/message/send/")
        .bearer(access)
        .json(&json!({ "mobile_number": "09127654321", "message_text": text }))
}

async fn send(server: &TestServer, access: &str, key: &str, text: &str) -> Answer {
    ask(server, access, text)
        .header("idempotency-key", key)
        .await
}

async fn the_same_key_is_answered_alike_and_sends_once(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    let before = server.sms.sent();
    for key in ["order-7", "\"order-7\"", "order-7"] {
        send(&server, &access, key, "سلام").await.assert_json(
            200,
            &json!({ "details": "The Message was sent correctly." }),
        );
    }
    assert_eq!(server.sms.sent(), before + 1);
    send(&server, &access, "order-8", "سلام")
        .await
        .assert_status(200);
    assert_eq!(server.sms.sent(), before + 2);
}

async fn the_same_key_for_another_message_is_refused(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    send(&server, &access, "order-7", "سلام")
        .await
        .assert_status(200);
    let before = server.sms.calls();
    send(&server, &access, "order-7", "درود").await.assert_json(
        422,
        &json!({ "detail": "This Idempotency-Key was used for another message. Use a new one." }),
    );
    let somebody_else = log_in(&server, "09129876543").await.access;
    send(&server, &somebody_else, "order-7", "درود")
        .await
        .assert_status(200);
    assert_eq!(
        server.sms.calls(),
        before + 2,
        "a code and the other's message"
    );
}

async fn a_key_that_is_none_is_refused_by_the_headers_name(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    let before = server.sms.calls();
    for key in ["", "\"\"", "a b", "کلید", &"x".repeat(256)] {
        send(&server, &access, key, "سلام")
            .await
            .assert_faulty_fields(&["Idempotency-Key"]);
    }
    assert_eq!(server.sms.calls(), before);
}

async fn a_key_whose_message_is_being_sent_is_a_conflict(database: Database) {
    let slow = std::sync::Mutex::new(None);
    let server = Setup::new(database)
        .await
        .provider(|sms| {
            let provider = SlowProvider::new(sms);
            *slow.lock().unwrap() = Some(provider.clone());
            provider
        })
        .start()
        .await;
    let slow = slow.into_inner().unwrap().unwrap();
    slow.answer();
    let access = log_in(&server, "09121234567").await.access;
    slow.asked().await;
    let first = tokio::spawn(
        ask(&server, &access, "سلام")
            .header("idempotency-key", "k")
            .into_future(),
    );
    slow.asked().await;
    send(&server, &access, "k", "سلام")
        .await
        .assert_json(
            409,
            &json!({ "detail": "A request with this Idempotency-Key is in progress." }),
        )
        .assert_header("retry-after", "1");
    slow.answer();
    first.await.unwrap().assert_status(200);
    send(&server, &access, "k", "سلام").await.assert_status(200);
    assert_eq!(server.sms.sent(), 2, "a code and the message");
}

async fn a_key_whose_message_was_not_sent_may_be_tried_again(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    server
        .sms
        .fail_next(SmsError::new(SmsErrorKind::NotSent, "refused"));
    send(&server, &access, "k", "سلام").await.assert_status(502);
    let before = server.sms.sent();
    send(&server, &access, "k", "سلام").await.assert_status(200);
    send(&server, &access, "k", "سلام").await.assert_status(200);
    assert_eq!(server.sms.sent(), before + 1);
}

async fn a_key_whose_message_was_perhaps_sent_is_answered_alike_and_sends_once(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    server.sms.lose_next_answer();
    let before = server.sms.calls();
    for _ in 0..3 {
        send(&server, &access, "k", "سلام").await.assert_json(
            502,
            &json!({ "details":
                "The SMS service provider did not confirm the message. It may still arrive." }),
        );
    }
    assert_eq!(server.sms.calls(), before + 1);
}

async fn a_key_is_forgotten_after_a_day(database: Database) {
    let server = Setup::new(database)
        .await
        .config(|config| {
            config
                .access_token_lifetime(Duration::from_secs(3 * 86_400))
                .refresh_token_lifetime(Duration::from_secs(3 * 86_400))
        })
        .start()
        .await;
    let access = log_in(&server, "09121234567").await.access;
    send(&server, &access, "k", "سلام").await.assert_status(200);
    let before = server.sms.sent();
    server.clock.advance(Duration::from_secs(86_399));
    server.chelseru.sweep().await.unwrap();
    send(&server, &access, "k", "سلام").await.assert_status(200);
    assert_eq!(server.sms.sent(), before);
    server.clock.advance(Duration::from_secs(1));
    server.chelseru.sweep().await.unwrap();
    send(&server, &access, "k", "سلام").await.assert_status(200);
    assert_eq!(server.sms.sent(), before + 1);
}

async fn without_a_key_every_request_sends(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    let before = server.sms.sent();
    for _ in 0..2 {
        ask(&server, &access, "سلام").await.assert_status(200);
    }
    assert_eq!(server.sms.sent(), before + 2);
}
