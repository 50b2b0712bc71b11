//! POST /api/logout/

use chelseru_tests::{Database, TestServer, log_in, on_both_databases};
use serde_json::json;

on_both_databases! {
    the_refresh_token_ends_its_session
    the_access_token_alone_ends_its_session
    a_second_logout_is_refused
    an_access_token_in_the_body_is_of_the_wrong_type
    without_any_token_the_field_is_asked_for
    other_sessions_go_on
}

async fn the_refresh_token_ends_its_session(database: Database) {
    let server = TestServer::start(database).await;
    for with_access_token in [false, true] {
        let tokens = log_in(&server, "09121234567").await;
        let mut logout = server
            .post("/api/logout/")
            .json(&json!({ "refresh": tokens.refresh }));
        if with_access_token {
            logout = logout.bearer(&tokens.access);
        }
        logout.await.assert_text(200, "{}");
        server
            .get("/whoami")
            .bearer(&tokens.access)
            .await
            .assert_status(401);
    }
}

async fn the_access_token_alone_ends_its_session(database: Database) {
    let server = TestServer::start(database).await;
    for body in [None, Some("{}")] {
        let tokens = log_in(&server, "09121234567").await;
        let mut logout = server.post("/api/logout").bearer(&tokens.access);
        if let Some(body) = body {
            logout = logout.body("application/json", body);
        }
        logout.await.assert_text(200, "{}");
        server
            .get("/whoami")
            .bearer(&tokens.access)
            .await
            .assert_status(401);
    }
}

async fn a_second_logout_is_refused(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    let with_refresh = || {
        server
            .post("/api/logout/")
            .json(&json!({ "refresh": tokens.refresh }))
    };
    with_refresh().await.assert_status(200);
    with_refresh().await.assert_json(
        401,
        &json!({ "detail": "Token is blacklisted", "code": "token_not_valid" }),
    );
    server
        .post("/api/logout/")
        .bearer(&tokens.access)
        .await
        .assert_status(401)
        .assert_header("www-authenticate", "Bearer realm=\"api\"");
}

async fn an_access_token_in_the_body_is_of_the_wrong_type(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    for (token, detail) in [
        (tokens.access.as_str(), "Token has wrong type"),
        ("x", "Token is invalid"),
    ] {
        server
            .post("/api/logout/")
            .json(&json!({ "refresh": token }))
            .await
            .assert_json(401, &json!({ "detail": detail, "code": "token_not_valid" }));
    }
    server
        .get("/whoami")
        .bearer(&tokens.access)
        .await
        .assert_status(200);
}

async fn without_any_token_the_field_is_asked_for(database: Database) {
    let server = TestServer::start(database).await;
    server
        .post("/api/logout/")
        .json(&json!({}))
        .await
        .assert_text(400, r#"{"refresh":["This field is required."]}"#);
}

async fn other_sessions_go_on(database: Database) {
    let server = TestServer::start(database).await;
    let phone = log_in(&server, "09121234567").await;
    let laptop = log_in(&server, "09121234567").await;
    server
        .post("/api/logout/")
        .json(&json!({ "refresh": phone.refresh }))
        .await
        .assert_status(200);
    server
        .get("/whoami")
        .bearer(&laptop.access)
        .await
        .assert_status(200);
}
