//! The ways of logging in: the routes of the one that is not configured do nothing.

use chelseru_tests::{Answer, Database, Setup, TestServer, on_both_databases};
use serde_json::json;

on_both_databases! {
    with_passwords_no_code_is_sent_and_none_is_taken
    with_codes_the_routes_for_passwords_do_nothing
}

#[track_caller]
fn assert_not_configured(answer: &Answer) {
    answer.assert_status(403);
    assert!(answer.field("error").is_string(), "{answer:?}");
    assert_eq!(answer.json().as_object().unwrap().len(), 1);
}

async fn with_passwords_no_code_is_sent_and_none_is_taken(database: Database) {
    let server = Setup::new(database)
        .await
        .config(|config| config.auth_method(chelseru_core::config::AuthMethod::Passwd))
        .start()
        .await;
    let send = server
        .post("/api/otp/send/")
        .json(&json!({ "mobile_number": "09121234567" }));
    assert_not_configured(&send.await);
    assert_eq!(server.sms.calls(), 0);
    let authenticate = server
        .post("/api/authenticate/")
        .json(&json!({ "mobile_number": "09121234567", "code": "12345678" }));
    assert_not_configured(&authenticate.await);
}

async fn with_codes_the_routes_for_passwords_do_nothing(database: Database) {
    let server = TestServer::start(database).await;
    for path in [
        "/api/register/",
        "/api/login/",
        "/api/register",
        "/api/login",
    ] {
        let answer = server
            .post(path)
            .json(&json!({ "username": "ali", "password": "correct horse battery" }))
            .await;
        assert_not_configured(&answer);
    }
}
