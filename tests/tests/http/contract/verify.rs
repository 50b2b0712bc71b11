//! POST /api/token/verify/

use std::time::Duration;

use chelseru_tests::{Answer, Database, TestServer, Tokens, log_in, on_both_databases};
use serde_json::json;

on_both_databases! {
    both_tokens_of_a_live_session_are_good
    a_bad_token_is_refused
    the_tokens_of_an_ended_session_are_not_good
    an_exchanged_refresh_token_is_good_until_its_successor_was_used
}

async fn verify(server: &TestServer, token: &str) -> Answer {
    server
        .post("/api/token/verify/")
        .json(&json!({ "token": token }))
        .await
}

#[track_caller]
fn assert_refused(answer: &Answer, detail: &str) {
    answer
        .assert_json(401, &json!({ "detail": detail, "code": "token_not_valid" }))
        .assert_header("www-authenticate", "Bearer realm=\"api\"");
}

async fn both_tokens_of_a_live_session_are_good(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    for token in [&tokens.access, &tokens.refresh] {
        verify(&server, token).await.assert_text(200, "{}");
        server
            .post("/api/token/verify")
            .form(&[("token", token)])
            .await
            .assert_text(200, "{}");
    }
}

async fn a_bad_token_is_refused(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    for token in ["x", "a.b.c", &"x".repeat(5000)] {
        assert_refused(&verify(&server, token).await, "Token is invalid");
    }
    server.clock.advance(Duration::from_secs(300));
    assert_refused(&verify(&server, &tokens.access).await, "Token is expired");
    verify(&server, &tokens.refresh).await.assert_status(200);
}

async fn the_tokens_of_an_ended_session_are_not_good(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    server
        .post("/api/logout/")
        .bearer(&tokens.access)
        .await
        .assert_status(200);
    for token in [&tokens.access, &tokens.refresh] {
        assert_refused(&verify(&server, token).await, "Token is blacklisted");
    }
}

async fn an_exchanged_refresh_token_is_good_until_its_successor_was_used(database: Database) {
    let server = TestServer::start(database).await;
    let exchange = async |token: &str| {
        let call = server.post("/api/token/refresh/");
        Tokens::of(&call.json(&json!({ "refresh": token })).await).refresh
    };
    let first = log_in(&server, "09121234567").await.refresh;
    let second = exchange(&first).await;
    for token in [&first, &second] {
        verify(&server, token).await.assert_status(200);
    }
    let third = exchange(&second).await;
    // Asking is no use: it does not end the session.
    assert_refused(&verify(&server, &first).await, "Token is blacklisted");
    for token in [&second, &third] {
        verify(&server, token).await.assert_status(200);
    }
}
