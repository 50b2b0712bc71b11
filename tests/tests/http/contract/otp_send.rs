//! POST /api/otp/send/

use std::time::Duration;

use chelseru_core::sms::{SmsError, SmsErrorKind};
use chelseru_tests::{Database, TestServer, log_in_with, on_both_databases, send_code};
use serde_json::json;

on_both_databases! {
    a_code_is_sent_to_the_number
    every_spelling_of_a_number_is_the_same_number
    a_second_request_is_told_how_long_to_wait
    another_number_need_not_wait
    after_a_login_the_next_code_is_sent_at_once
    a_code_that_was_certainly_not_sent_does_not_block_the_next
    a_code_that_was_perhaps_sent_is_good_and_blocks_the_next
    a_provider_that_names_a_time_has_it_passed_on
    no_answer_holds_the_code
}

async fn a_code_is_sent_to_the_number(database: Database) {
    let server = TestServer::start(database).await;
    server
        .post("/api/otp/send/")
        .json(&json!({ "mobile_number": "09121234567" }))
        .await
        .assert_json(
            200,
            &json!({ "details": "The OTP code was sent correctly." }),
        );
    let code = server.sms.last_code_for("09121234567").unwrap();
    assert_eq!(code.len(), 8);
    assert_eq!(server.sms.calls(), 1);
}

async fn every_spelling_of_a_number_is_the_same_number(database: Database) {
    let server = TestServer::start(database).await;
    send_code(&server, "09121234567").await;
    for mobile_number in [
        json!("09121234567"),
        json!("+989121234567"),
        json!("00989121234567"),
        json!("989121234567"),
        json!("9121234567"),
        json!(9_121_234_567_u64),
        json!(" 0912 123-45-67 "),
        json!("+98 (912) 123 4567"),
        json!("۰۹۱۲۱۲۳۴۵۶۷"),
        json!("٠٩١٢١٢٣٤٥٦٧"),
        json!("+۹۸۹۱۲۱۲۳۴۵۶۷"),
    ] {
        server
            .post("/api/otp/send/")
            .json(&json!({ "mobile_number": mobile_number }))
            .await
            .assert_status(409);
    }
    server
        .post("/api/otp/send/")
        .form(&[("mobile_number", "+98 912 ۱۲۳ 4567")])
        .await
        .assert_status(409);
    assert_eq!(server.sms.calls(), 1);
}

async fn a_second_request_is_told_how_long_to_wait(database: Database) {
    let server = TestServer::start(database).await;
    send_code(&server, "09121234567").await;
    for (passed, seconds_left) in [(0, 240), (100_500, 140), (100_000, 40), (39_400, 1)] {
        server.clock.advance(Duration::from_millis(passed));
        server
            .post("/api/otp/send/")
            .json(&json!({ "mobile_number": "09121234567" }))
            .await
            .assert_json(
                409,
                &json!({ "details": format!(
                    "An OTP code has already been sent. Please wait {seconds_left} seconds before trying again."
                ) }),
            )
            .assert_header("retry-after", &seconds_left.to_string());
    }
    server.clock.advance(Duration::from_millis(100));
    send_code(&server, "09121234567").await;
}

async fn another_number_need_not_wait(database: Database) {
    let server = TestServer::start(database).await;
    send_code(&server, "09121234567").await;
    send_code(&server, "09121234568").await;
    assert_eq!(server.sms.calls(), 2);
}

async fn after_a_login_the_next_code_is_sent_at_once(database: Database) {
    let server = TestServer::start(database).await;
    let code = send_code(&server, "09121234567").await;
    log_in_with(&server, "09121234567", &code)
        .await
        .assert_status(200);
    send_code(&server, "09121234567").await;
}

async fn a_code_that_was_certainly_not_sent_does_not_block_the_next(database: Database) {
    let server = TestServer::start(database).await;
    for kind in [
        SmsErrorKind::NotSent,
        SmsErrorKind::NumberRefused,
        SmsErrorKind::Throttled,
        SmsErrorKind::TextRefused,
        SmsErrorKind::TemplateRefused,
    ] {
        server
            .sms
            .fail_next(SmsError::new(kind, "account 4711 says no").with_code("K-411"));
        let refused = server
            .post("/api/otp/send/")
            .json(&json!({ "mobile_number": "09121234567" }))
            .await;
        refused.assert_status(502);
        for word in ["4711", "K-411", "says no"] {
            assert!(!refused.body.contains(word), "{refused:?}");
        }
        let withdrawn = server.sms.last_code_for("09121234567").unwrap();
        log_in_with(&server, "09121234567", &withdrawn)
            .await
            .assert_status(401);
    }
    let code = send_code(&server, "09121234567").await;
    log_in_with(&server, "09121234567", &code)
        .await
        .assert_status(200);
}

async fn a_code_that_was_perhaps_sent_is_good_and_blocks_the_next(database: Database) {
    let server = TestServer::start(database).await;
    server.sms.fail_next(SmsError::new(
        SmsErrorKind::PerhapsSent,
        "no answer from 192.0.2.7",
    ));
    let perhaps = server
        .post("/api/otp/send/")
        .json(&json!({ "mobile_number": "09121234567" }))
        .await;
    perhaps
        .assert_status(502)
        .assert_header("retry-after", "240");
    assert!(!perhaps.body.contains("192.0.2.7"), "{perhaps:?}");
    server
        .post("/api/otp/send/")
        .json(&json!({ "mobile_number": "09121234567" }))
        .await
        .assert_status(409);
    let code = server.sms.last_code_for("09121234567").unwrap();
    log_in_with(&server, "09121234567", &code)
        .await
        .assert_status(200);
}

async fn a_provider_that_names_a_time_has_it_passed_on(database: Database) {
    let server = TestServer::start(database).await;
    let throttled = SmsError::new(SmsErrorKind::Throttled, "slowly");
    server
        .sms
        .fail_next(throttled.with_retry_after(Duration::from_secs(17)));
    server
        .post("/api/otp/send/")
        .json(&json!({ "mobile_number": "09121234567" }))
        .await
        .assert_status(502)
        .assert_header("retry-after", "17");
}

async fn no_answer_holds_the_code(database: Database) {
    let server = TestServer::start(database).await;
    let send = || {
        server
            .post("/api/otp/send/")
            .json(&json!({ "mobile_number": "09121234567" }))
    };
    let answers = [send().await, send().await];
    let code = server.sms.last_code_for("09121234567").unwrap();
    for answer in answers {
        let shown = format!("{:?} {}", answer.headers, answer.body);
        assert!(!shown.contains(&code), "{answer:?}");
    }
}
