//! The ways of logging in, alone and together.

use chelseru_core::config::AuthMethod;
use chelseru_tests::{Database, Setup, log_in as log_in_by_code, on_both_databases};
use serde_json::json;

use super::{
    NEXT, NUMBER, PASSWORD, log_in, register, reset, reset_code, server, server_with, whoami,
};

on_both_databases! {
    without_passwords_their_routes_do_nothing
    with_passwords_alone_no_code_logs_in
    both_together_lead_to_the_same_account
}

const ROUTES: [&str; 6] = [
    "/api/register/",
    "/api/register/send/",
    "/api/login/",
    "/api/password/change/",
    "/api/password/reset/",
    "/api/password/reset/confirm/",
];

async fn without_passwords_their_routes_do_nothing(database: Database) {
    let server = Setup::new(database).await.start().await;
    let access = log_in_by_code(&server, NUMBER).await.access;
    let sent = server.sms.calls();
    let body = json!({
        "mobile_number": NUMBER, "code": "12345678", "password": PASSWORD,
        "old_password": PASSWORD, "new_password": NEXT,
    });
    for path in ROUTES {
        for call in [
            server.post(path).json(&body),
            server.post(path).json(&json!({})).bearer(&access),
            server.post(path.trim_end_matches('/')),
        ] {
            call.await.assert_json(
                403,
                &json!({ "error": "This authentication method is not configured." }),
            );
        }
    }
    assert_eq!(server.sms.calls(), sent);
    assert_eq!(super::kept_hash(&server, NUMBER).await, None);
}

async fn with_passwords_alone_no_code_logs_in(database: Database) {
    let server = server(database).await;
    for path in ["/api/otp/send/", "/api/authenticate/"] {
        let body = json!({ "mobile_number": NUMBER, "code": "12345678" });
        server.post(path).json(&body).await.assert_status(403);
    }
    assert_eq!(server.sms.calls(), 0);
}

async fn both_together_lead_to_the_same_account(database: Database) {
    let methods = [AuthMethod::Otp, AuthMethod::Passwd];
    let server = server_with(database, |config| config.auth_methods(methods)).await;
    let registered = register(&server, NUMBER, "golnar").await;
    let by_code = log_in_by_code(&server, NUMBER).await;
    let me = whoami(&server, &registered.access).await.body;
    assert_eq!(whoami(&server, &by_code.access).await.body, me);
    let code = reset_code(&server, NUMBER).await;
    reset(&server, NUMBER, &code, NEXT).await.assert_status(200);
    log_in(&server, NUMBER, NEXT).await.assert_status(200);
}
