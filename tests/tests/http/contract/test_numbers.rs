//! Numbers with a fixed code, and numbers that are not accepted.

use chelseru_core::config::ConfigBuilder;
use chelseru_tests::{
    Database, Setup, TestServer, another_code, log_in_with, on_both_databases, send_code,
};
use serde_json::json;

on_both_databases! {
    the_fixed_code_logs_in_and_nothing_is_sent
    a_fixed_code_has_to_be_asked_for_and_is_dead_after_five_tries
    the_fixed_code_is_for_its_number_alone
    a_test_number_costs_nothing_of_a_budget
    the_limits_hold_for_test_numbers_too
    the_owner_is_warned_without_the_codes
    with_known_prefixes_only_others_are_refused
}

const TEST: &str = "09120000000";
const CODE: &str = "54321";

async fn server_with(
    database: Database,
    change: impl FnOnce(ConfigBuilder) -> ConfigBuilder,
) -> TestServer {
    let setup = Setup::new(database).await;
    let with_number = |config: ConfigBuilder| {
        let config = config.allow_test_numbers(true);
        config.test_number(TEST.parse().unwrap(), CODE)
    };
    setup
        .config(|config| change(with_number(config)))
        .start()
        .await
}

async fn ask(server: &TestServer, mobile_number: &str) -> chelseru_tests::Answer {
    server
        .post("/api/otp/send/")
        .json(&json!({ "mobile_number": mobile_number }))
        .await
}

async fn the_fixed_code_logs_in_and_nothing_is_sent(database: Database) {
    let server = server_with(database, |config| config).await;
    for _ in 0..2 {
        ask(&server, TEST)
            .await
            .assert_text(200, r#"{"details":"The OTP code was sent correctly."}"#);
        let again = ask(&server, TEST).await;
        again.assert_status(409).assert_header("retry-after", "240");
        log_in_with(&server, TEST, CODE).await.assert_status(200);
        log_in_with(&server, TEST, CODE).await.assert_status(401);
    }
    assert_eq!(server.sms.calls(), 0);
    assert!(server.store().recent_sms(None, 1).await.unwrap().is_empty());
}

async fn a_fixed_code_has_to_be_asked_for_and_is_dead_after_five_tries(database: Database) {
    let server = server_with(database, |config| config).await;
    log_in_with(&server, TEST, CODE).await.assert_status(401);
    ask(&server, TEST).await.assert_status(200);
    for nth in 1..=5 {
        let wrong = another_code(CODE, nth);
        log_in_with(&server, TEST, &wrong).await.assert_status(401);
    }
    log_in_with(&server, TEST, CODE).await.assert_status(401);
}

async fn the_fixed_code_is_for_its_number_alone(database: Database) {
    let server = server_with(database, |config| config).await;
    let code = send_code(&server, "09121234567").await;
    log_in_with(&server, "09121234567", CODE)
        .await
        .assert_status(401);
    log_in_with(&server, "09121234567", &code)
        .await
        .assert_status(200);
}

async fn a_test_number_costs_nothing_of_a_budget(database: Database) {
    let server = server_with(database, |config| config.sms_per_hour(1)).await;
    for _ in 0..3 {
        ask(&server, TEST).await.assert_status(200);
        log_in_with(&server, TEST, CODE).await.assert_status(200);
    }
    send_code(&server, "09121234567").await;
}

async fn the_limits_hold_for_test_numbers_too(database: Database) {
    let server = server_with(database, |config| config.otp_per_number_per_hour(3)).await;
    for _ in 0..3 {
        ask(&server, TEST).await.assert_status(200);
        log_in_with(&server, TEST, CODE).await.assert_status(200);
    }
    ask(&server, TEST).await.assert_status(429);
}

async fn the_owner_is_warned_without_the_codes(database: Database) {
    let server = server_with(database, |config| config).await;
    let warnings = server.chelseru.warnings().join("\n");
    assert!(
        warnings.contains("AUTH.TEST_NUMBERS has 1 ([0912***0000])"),
        "{warnings}"
    );
    let shown = format!("{warnings}{:?}", server.chelseru);
    assert!(!shown.contains(CODE) && !shown.contains(TEST), "{shown}");
}

async fn with_known_prefixes_only_others_are_refused(database: Database) {
    let server = server_with(database, |config| config.known_prefixes_only(true)).await;
    ask(&server, "09121234567").await.assert_status(200);
    ask(&server, "09881234567").await.assert_json(
        400,
        &json!({ "mobile_number": ["Enter a valid Iranian mobile number, such as 09121234567."] }),
    );
    assert_eq!(server.sms.calls(), 1);
}
