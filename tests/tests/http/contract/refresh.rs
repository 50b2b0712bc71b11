//! POST /api/token/refresh/

use std::time::Duration;

use chelseru_core::UserId;
use chelseru_tests::{Answer, Database, Setup, TestServer, Tokens, log_in, on_both_databases};
use serde_json::json;

use crate::forge;

on_both_databases! {
    a_refresh_token_is_exchanged_for_the_next_pair
    a_token_used_after_its_successor_ends_the_whole_session
    a_lost_answer_is_given_again_an_hour_later
    a_lost_answer_is_given_again_after_a_restart
    a_grace_ends_to_the_second
    without_a_grace_a_reused_token_ends_the_session
    a_session_ends_by_its_absolute_lifetime
    a_shorter_absolute_lifetime_counts_for_the_sessions_that_there_are
    a_reused_token_leaves_other_sessions_alone
    a_bad_token_is_refused
    a_token_past_its_end_is_expired
    the_refresh_token_of_an_ended_session_is_blacklisted
    an_inactive_user_gets_no_tokens
    without_rotation_one_token_serves_until_its_end
}

async fn refresh(server: &TestServer, token: &str) -> Answer {
    server
        .post("/api/token/refresh/")
        .json(&json!({ "refresh": token }))
        .await
}

#[track_caller]
fn assert_refused(answer: &Answer, detail: &str) {
    answer
        .assert_json(401, &json!({ "detail": detail, "code": "token_not_valid" }))
        .assert_header("www-authenticate", "Bearer realm=\"api\"");
}

async fn a_refresh_token_is_exchanged_for_the_next_pair(database: Database) {
    let server = TestServer::start(database).await;
    let first = log_in(&server, "09121234567").await;
    server.clock.advance(Duration::from_secs(3600));
    let second = Tokens::of(&refresh(&server, &first.refresh).await);
    assert_ne!(first.access, second.access);
    assert_ne!(first.refresh, second.refresh);
    server
        .get("/whoami")
        .bearer(&second.access)
        .await
        .assert_status(200);
    assert_eq!(
        forge::read(&first.access)["sid"],
        forge::read(&second.access)["sid"]
    );
    server
        .post("/api/token/refresh")
        .form(&[("refresh", &second.refresh)])
        .await
        .assert_status(200);
}

async fn a_token_used_after_its_successor_ends_the_whole_session(database: Database) {
    let server = TestServer::start(database).await;
    let first = log_in(&server, "09121234567").await;
    let second = Tokens::of(&refresh(&server, &first.refresh).await);
    let third = Tokens::of(&refresh(&server, &second.refresh).await);
    assert_refused(
        &refresh(&server, &first.refresh).await,
        "Token is blacklisted",
    );
    assert_session_is_over(&server, &[&first, &second, &third]).await;
}

/// None of these tokens is worth anything, at once.
async fn assert_session_is_over(server: &TestServer, tokens: &[&Tokens]) {
    for tokens in tokens {
        assert_refused(
            &refresh(server, &tokens.refresh).await,
            "Token is blacklisted",
        );
        server
            .get("/whoami")
            .bearer(&tokens.access)
            .await
            .assert_status(401);
    }
}

async fn a_lost_answer_is_given_again_an_hour_later(database: Database) {
    let server = TestServer::start(database).await;
    let first = log_in(&server, "09121234567").await;
    server.clock.advance(Duration::from_millis(1500));
    let lost = Tokens::of(&refresh(&server, &first.refresh).await);
    for _ in 0..2 {
        server.clock.advance(Duration::from_secs(3600));
        let again = Tokens::of(&refresh(&server, &first.refresh).await);
        assert_eq!(again.refresh, lost.refresh, "the very same token");
        server
            .get("/whoami")
            .bearer(&again.access)
            .await
            .assert_status(200);
    }
    let next = Tokens::of(&refresh(&server, &lost.refresh).await);
    assert_ne!(next.refresh, lost.refresh);
    assert_refused(
        &refresh(&server, &first.refresh).await,
        "Token is blacklisted",
    );
    assert_session_is_over(&server, &[&lost, &next]).await;
}

async fn a_lost_answer_is_given_again_after_a_restart(database: Database) {
    let server = TestServer::start(database).await;
    let first = log_in(&server, "09121234567").await;
    let lost = Tokens::of(&refresh(&server, &first.refresh).await);
    let server = server.restart(|setup| setup).await;
    let again = Tokens::of(&refresh(&server, &first.refresh).await);
    assert_eq!(again.refresh, lost.refresh);
    let next = Tokens::of(&refresh(&server, &again.refresh).await);

    let server = server.restart(|setup| setup).await;
    assert_refused(
        &refresh(&server, &first.refresh).await,
        "Token is blacklisted",
    );
    assert_session_is_over(&server, &[&next]).await;
}

async fn a_grace_ends_to_the_second(database: Database) {
    let server = Setup::new(database)
        .await
        .config(|config| config.refresh_grace(Duration::from_secs(10)))
        .start()
        .await;
    let first = log_in(&server, "09121234567").await;
    let second = Tokens::of(&refresh(&server, &first.refresh).await);
    server.clock.advance(Duration::from_secs(10));
    let again = Tokens::of(&refresh(&server, &first.refresh).await);
    assert_eq!(again.refresh, second.refresh);
    server.clock.advance(Duration::from_secs(1));
    assert_refused(
        &refresh(&server, &first.refresh).await,
        "Token is blacklisted",
    );
    assert_session_is_over(&server, &[&second]).await;
}

async fn without_a_grace_a_reused_token_ends_the_session(database: Database) {
    let server = Setup::new(database)
        .await
        .config(|config| config.refresh_grace(Duration::ZERO))
        .start()
        .await;
    let first = log_in(&server, "09121234567").await;
    let second = Tokens::of(&refresh(&server, &first.refresh).await);
    assert_refused(
        &refresh(&server, &first.refresh).await,
        "Token is blacklisted",
    );
    assert_session_is_over(&server, &[&first, &second]).await;
}

async fn a_session_ends_by_its_absolute_lifetime(database: Database) {
    let day = Duration::from_secs(86_400);
    let server = Setup::new(database)
        .await
        .config(|config| config.session_lifetime(3 * day))
        .start()
        .await;
    let mut tokens = log_in(&server, "09121234567").await;
    let end = forge::read(&tokens.access)["iat"].as_i64().unwrap() + 3 * 86_400;
    for left in [3 * 86_400 - 80_000, 3 * 86_400 - 160_000, 19_200, 1] {
        let now = chelseru_core::Timestamp::from_secs(end - left);
        server.clock.set(now);
        tokens = Tokens::of(&refresh(&server, &tokens.refresh).await);
        let exp = forge::read(&tokens.refresh)["exp"].as_i64().unwrap();
        assert_eq!(exp, end.min(end - left + 86_400));
    }
    server.clock.advance(Duration::from_secs(1));
    assert_refused(&refresh(&server, &tokens.refresh).await, "Token is expired");
    server
        .get("/whoami")
        .bearer(&tokens.access)
        .await
        .assert_status(401);
}

async fn a_shorter_absolute_lifetime_counts_for_the_sessions_that_there_are(database: Database) {
    let server = TestServer::start(database).await;
    let first = log_in(&server, "09121234567").await;
    server.clock.advance(Duration::from_secs(7200));
    let tokens = Tokens::of(&refresh(&server, &first.refresh).await);
    let server = server
        .restart(|setup| setup.config(|config| config.session_lifetime(Duration::from_secs(3600))))
        .await;
    for path in ["/whoami", "/api/sessions/"] {
        server
            .get(path)
            .bearer(&tokens.access)
            .await
            .assert_status(401);
    }
    assert_refused(
        &refresh(&server, &tokens.refresh).await,
        "Token is blacklisted",
    );
}

async fn a_reused_token_leaves_other_sessions_alone(database: Database) {
    let server = TestServer::start(database).await;
    let phone = log_in(&server, "09121234567").await;
    let laptop = log_in(&server, "09121234567").await;
    let second = Tokens::of(&refresh(&server, &phone.refresh).await);
    refresh(&server, &second.refresh).await.assert_status(200);
    refresh(&server, &phone.refresh).await.assert_status(401);
    server
        .get("/whoami")
        .bearer(&laptop.access)
        .await
        .assert_status(200);
    refresh(&server, &laptop.refresh).await.assert_status(200);
}

async fn a_bad_token_is_refused(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    let claims = forge::read(&tokens.refresh);
    for token in [
        "x",
        "a.b.c",
        &"x".repeat(5000),
        &tokens.refresh[..tokens.refresh.len() - 4],
        &forge::sign(&forge::with(&claims, "exp", None)),
    ] {
        assert_refused(&refresh(&server, token).await, "Token is invalid");
    }
    assert_refused(
        &refresh(&server, &tokens.access).await,
        "Token has wrong type",
    );
    refresh(&server, &tokens.refresh).await.assert_status(200);
}

async fn a_token_past_its_end_is_expired(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    server.clock.advance(Duration::from_secs(86_400));
    assert_refused(&refresh(&server, &tokens.refresh).await, "Token is expired");
}

async fn the_refresh_token_of_an_ended_session_is_blacklisted(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    server
        .post("/api/logout/")
        .bearer(&tokens.access)
        .await
        .assert_status(200);
    assert_refused(
        &refresh(&server, &tokens.refresh).await,
        "Token is blacklisted",
    );
}

async fn an_inactive_user_gets_no_tokens(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    let id = UserId(forge::read(&tokens.access)["user_id"].as_i64().unwrap());
    server.chelseru.set_user_active(id, false).await.unwrap();
    refresh(&server, &tokens.refresh).await.assert_json(
        401,
        &json!({ "detail": "User is inactive", "code": "user_inactive" }),
    );
    server.chelseru.set_user_active(id, true).await.unwrap();
    refresh(&server, &tokens.refresh).await.assert_status(200);
}

async fn without_rotation_one_token_serves_until_its_end(database: Database) {
    let server = Setup::new(database)
        .await
        .config(|config| config.rotate_refresh_tokens(false))
        .start()
        .await;
    let tokens = log_in(&server, "09121234567").await;
    for _ in 0..3 {
        let answer = refresh(&server, &tokens.refresh).await;
        answer.assert_status(200);
        assert_eq!(answer.json().get("refresh"), None);
        let access = answer.field("access");
        server
            .get("/whoami")
            .bearer(access.as_str().unwrap())
            .await
            .assert_status(200);
    }
    server.clock.advance(Duration::from_secs(86_400));
    assert_refused(&refresh(&server, &tokens.refresh).await, "Token is expired");
}
