//! The bodies of more than one key that the contract quotes, byte for byte.

use std::time::Duration;

use chelseru_tests::{Database, TestServer, log_in, on_both_databases};
use serde_json::json;

use crate::forge;

on_both_databases! {
    keys_come_in_the_quoted_order
}

async fn keys_come_in_the_quoted_order(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    let whoami = |header: String| server.get("/api/sessions/").header("authorization", header);

    whoami("Bearer a b".to_owned()).await.assert_text(
        401,
        r#"{"detail":"Authorization header must contain two space-delimited values","code":"bad_authorization_header"}"#,
    );
    let unknown = forge::sign(&forge::claims("access", &json!(4711)));
    whoami(format!("Bearer {unknown}")).await.assert_text(
        401,
        r#"{"detail":"User not found","code":"user_not_found"}"#,
    );
    for (token, message) in [
        ("x", "Token is invalid"),
        (&tokens.refresh, "Token has wrong type"),
    ] {
        let body = format!(
            r#"{{"detail":"Given token not valid for any token type","code":"token_not_valid","messages":[{{"token_class":"AccessToken","token_type":"access","message":"{message}"}}]}}"#
        );
        let answer = whoami(format!("Bearer {token}")).await;
        answer.assert_text(401, &body);
    }
    server.clock.advance(Duration::from_secs(86_400));
    server
        .post("/api/token/refresh/")
        .json(&json!({ "refresh": tokens.refresh }))
        .await
        .assert_text(
            401,
            r#"{"detail":"Token is expired","code":"token_not_valid"}"#,
        );
}
