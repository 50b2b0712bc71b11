//! Who may come in: the routes that need an access token, and an application's own behind
//! `CurrentUser`, refuse alike.

use std::time::Duration;

use chelseru_core::UserId;
use chelseru_tests::{Database, TestServer, log_in, on_both_databases};
use jsonwebtoken::Algorithm;
use reqwest::Method;
use serde_json::{Value, json};

use crate::forge::{self, START};

on_both_databases! {
    without_a_token_nobody_comes_in
    a_header_of_three_parts_is_told_so
    a_token_that_is_none_is_invalid
    a_refresh_token_is_of_the_wrong_type
    a_token_past_its_end_is_expired
    the_access_token_of_an_ended_session_is_invalid
    an_inactive_user_does_not_come_in
    a_good_token_comes_in
}

const NOT_PROVIDED: &str = r#"{"detail":"Authentication credentials were not provided."}"#;

/// Every route that needs an access token, and one of the application's.
fn guarded() -> [(Method, &'static str); 12] {
    [
        (Method::GET, "/whoami"),
        (Method::GET, "/api/sessions/"),
        (Method::DELETE, "/api/sessions/"),
        (Method::DELETE, "/api/sessions/1/"),
        (Method::POST, "/api/message/send/"),
        (Method::GET, "/api/me/"),
        (Method::PATCH, "/api/me/"),
        (Method::DELETE, "/api/me/"),
        (Method::POST, "/api/me/mobile/send/"),
        (Method::POST, "/api/me/mobile/"),
        (Method::POST, "/api/me/delete/send/"),
        (Method::POST, "/api/me/delete/"),
    ]
}

/// What is said of a bad access token.
fn not_valid(message: &str) -> Value {
    json!({
        "detail": "Given token not valid for any token type",
        "code": "token_not_valid",
        "messages": [
            { "token_class": "AccessToken", "token_type": "access", "message": message },
        ],
    })
}

/// Asserts that nobody comes in with this header.
async fn assert_refused(server: &TestServer, authorization: &str, body: &Value) {
    for (method, path) in guarded() {
        server
            .call(method, path)
            .header("authorization", authorization)
            .await
            .assert_json(401, body)
            .assert_header("www-authenticate", "Bearer realm=\"api\"")
            .assert_header("content-type", "application/json");
    }
}

async fn without_a_token_nobody_comes_in(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    for (method, path) in guarded() {
        server
            .call(method.clone(), path)
            .await
            .assert_text(401, NOT_PROVIDED)
            .assert_header("www-authenticate", "Bearer realm=\"api\"");
        for authorization in [
            "",
            "Bearer",
            "Bearer ",
            "Basic dXNlcjpwYXNz",
            &access,
            &format!("Token {access}"),
            &format!("JWT {access}"),
        ] {
            server
                .call(method.clone(), path)
                .header("authorization", authorization)
                .await
                .assert_text(401, NOT_PROVIDED)
                .assert_header("www-authenticate", "Bearer realm=\"api\"");
        }
    }
}

async fn a_header_of_three_parts_is_told_so(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    let told = json!({
        "detail": "Authorization header must contain two space-delimited values",
        "code": "bad_authorization_header",
    });
    for authorization in [
        format!("Bearer {access} x"),
        format!("Bearer x {access}"),
        "Bearer a b c d".to_owned(),
    ] {
        assert_refused(&server, &authorization, &told).await;
    }
}

async fn a_token_that_is_none_is_invalid(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    let claims = forge::read(&access);
    let (signed, signature) = access.rsplit_once('.').unwrap();
    let payload = signed.split_once('.').unwrap().1;
    let without = |name| forge::sign(&forge::with(&claims, name, None));
    let changed = |name, value| forge::sign(&forge::with(&claims, name, Some(value)));
    // {"alg":"none","typ":"JWT"}
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    for token in [
        "x".to_owned(),
        "a.b.c".to_owned(),
        "..".to_owned(),
        "x".repeat(5000),
        format!("{signed}."),
        format!("{signed}.{}", signature.chars().rev().collect::<String>()),
        format!("{unsigned}.{payload}."),
        format!("{unsigned}.{payload}.{signature}"),
        forge::sign_as(
            Algorithm::HS256,
            "another key of at least 32 bytes",
            &claims,
        ),
        forge::sign_as(Algorithm::HS512, chelseru_tests::SIGNING_KEY, &claims),
        without("exp"),
        without("jti"),
        without("token_type"),
        without("user_id"),
        changed("user_id", json!(1.5)),
        changed("user_id", json!("one")),
        changed("user_id", Value::Null),
        changed("token_type", json!("sliding")),
        changed("exp", json!("tomorrow")),
        changed("sid", json!("1")),
        changed("sid", json!(4711)),
        changed("user_id", json!(4711)),
    ] {
        assert_refused(
            &server,
            &format!("Bearer {token}"),
            &not_valid("Token is invalid"),
        )
        .await;
    }
}

async fn a_refresh_token_is_of_the_wrong_type(database: Database) {
    let server = TestServer::start(database).await;
    let refresh = log_in(&server, "09121234567").await.refresh;
    assert_refused(
        &server,
        &format!("Bearer {refresh}"),
        &not_valid("Token has wrong type"),
    )
    .await;
}

async fn a_token_past_its_end_is_expired(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    server.clock.advance(Duration::from_secs(300));
    assert_refused(
        &server,
        &format!("Bearer {access}"),
        &not_valid("Token is expired"),
    )
    .await;
}

async fn the_access_token_of_an_ended_session_is_invalid(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    server
        .post("/api/logout/")
        .json(&json!({ "refresh": tokens.refresh }))
        .await
        .assert_status(200);
    assert_refused(
        &server,
        &format!("Bearer {}", tokens.access),
        &not_valid("Token is invalid"),
    )
    .await;
}

async fn an_inactive_user_does_not_come_in(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    let id = UserId(forge::read(&access)["user_id"].as_i64().unwrap());
    server.chelseru.set_user_active(id, false).await.unwrap();
    let inactive = json!({ "detail": "User is inactive", "code": "user_inactive" });
    assert_refused(&server, &format!("Bearer {access}"), &inactive).await;

    let of_another_service = forge::sign(&forge::claims("access", &json!(id.0)));
    assert_refused(&server, &format!("Bearer {of_another_service}"), &inactive).await;
}

async fn a_good_token_comes_in(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    let claims = forge::read(&access);
    assert_eq!(claims["exp"], START + 300);
    let whoami = server.get("/whoami").bearer(&access).await;
    whoami.assert_text(200, &format!("{} 0 09121234567", claims["user_id"]));
    server
        .get("/api/sessions/")
        .header("authorization", format!("Bearer  {access} "))
        .await
        .assert_status(200);
}
