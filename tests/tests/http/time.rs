//! What time brings to an end, to the second.

use std::time::Duration;

use chelseru_tests::{
    Answer, Database, Setup, TestServer, Tokens, log_in, log_in_with, on_both_databases, send_code,
    until,
};
use serde_json::json;

on_both_databases! {
    a_code_is_good_until_the_second_before_its_end
    a_code_is_not_good_after_its_end
    an_access_token_is_good_until_the_second_before_its_end
    a_session_ends_with_its_refresh_token
    a_refreshed_session_lives_on
    leeway_counts_for_a_session_as_for_its_tokens
    a_clock_that_goes_back_breaks_nothing
    housekeeping_removes_what_has_run_out_and_nothing_else
    a_server_does_its_housekeeping_by_itself
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

async fn refresh(server: &TestServer, token: &str) -> Answer {
    server
        .post("/api/token/refresh/")
        .json(&json!({ "refresh": token }))
        .await
}

async fn session_count(server: &TestServer, access: &str) -> usize {
    let answer = server.get("/api/sessions/").bearer(access).await;
    answer.assert_status(200);
    answer.json().as_array().map_or(0, Vec::len)
}

async fn a_code_is_good_until_the_second_before_its_end(database: Database) {
    let server = TestServer::start(database).await;
    let code = send_code(&server, "09121234567").await;
    server.clock.advance(seconds(239));
    log_in_with(&server, "09121234567", &code)
        .await
        .assert_status(200);
}

async fn a_code_is_not_good_after_its_end(database: Database) {
    let server = TestServer::start(database).await;
    for passed in [240, 241] {
        let code = send_code(&server, "09121234567").await;
        server.clock.advance(seconds(passed));
        log_in_with(&server, "09121234567", &code)
            .await
            .assert_text(
                401,
                r#"{"error":"The code sent to this mobile number was not found."}"#,
            );
    }
}

async fn an_access_token_is_good_until_the_second_before_its_end(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    let use_it = || server.get("/whoami").bearer(&access);
    server.clock.advance(seconds(299));
    use_it().await.assert_status(200);
    server.clock.advance(seconds(1));
    let message = &use_it().await.assert_status(401).json()["messages"][0]["message"];
    assert_eq!(message, "Token is expired");
}

async fn a_session_ends_with_its_refresh_token(database: Database) {
    let server = TestServer::start(database).await;
    let early = log_in(&server, "09121234567").await;
    server.clock.advance(seconds(86_399));
    let late = log_in(&server, "09121234567").await;
    assert_eq!(session_count(&server, &late.access).await, 2);
    server.clock.advance(seconds(1));
    assert_eq!(session_count(&server, &late.access).await, 1);
    refresh(&server, &early.refresh).await.assert_status(401);
    refresh(&server, &late.refresh).await.assert_status(200);
}

async fn a_refreshed_session_lives_on(database: Database) {
    let server = TestServer::start(database).await;
    let mut tokens = log_in(&server, "09121234567").await;
    for _ in 0..4 {
        server.clock.advance(seconds(86_399));
        tokens = Tokens::of(&refresh(&server, &tokens.refresh).await);
        assert_eq!(session_count(&server, &tokens.access).await, 1);
    }
    server.clock.advance(seconds(86_400));
    refresh(&server, &tokens.refresh).await.assert_json(
        401,
        &json!({ "detail": "Token is expired", "code": "token_not_valid" }),
    );
}

async fn leeway_counts_for_a_session_as_for_its_tokens(database: Database) {
    let setup = Setup::new(database).await;
    let server = setup
        .config(|config| config.leeway(seconds(10)))
        .start()
        .await;
    let tokens = log_in(&server, "09121234567").await;
    server.clock.advance(seconds(86_400 + 9));
    let refreshed = Tokens::of(&refresh(&server, &tokens.refresh).await);
    server.clock.advance(seconds(86_400 + 10));
    let late = refresh(&server, &refreshed.refresh).await;
    late.assert_json(
        401,
        &json!({ "detail": "Token is expired", "code": "token_not_valid" }),
    );
}

async fn a_clock_that_goes_back_breaks_nothing(database: Database) {
    let server = TestServer::start(database).await;
    let start = chelseru_core::Clock::now(&server.clock);
    server.clock.advance(seconds(3600));
    let tokens = log_in(&server, "09121234567").await;
    let code = send_code(&server, "09121234568").await;
    server.clock.set(start);
    server
        .get("/whoami")
        .bearer(&tokens.access)
        .await
        .assert_status(200);
    refresh(&server, &tokens.refresh).await.assert_status(200);
    log_in_with(&server, "09121234568", &code)
        .await
        .assert_status(200);
}

async fn housekeeping_removes_what_has_run_out_and_nothing_else(database: Database) {
    let server = TestServer::start(database).await;
    log_in(&server, "09121234567").await;
    let logged_out = log_in(&server, "09121234567").await;
    server
        .post("/api/logout/")
        .json(&json!({ "refresh": logged_out.refresh }))
        .await
        .assert_status(200);
    send_code(&server, "09121234568").await;
    assert_eq!(server.chelseru.sweep().await.unwrap(), 0);

    server.clock.advance(seconds(86_399));
    let live = log_in(&server, "09121234567").await;
    let live_code = send_code(&server, "09121234569").await;
    server.clock.advance(seconds(1));
    // The code of …68, the first two sessions, and the note that one of them was ended.
    assert_eq!(server.chelseru.sweep().await.unwrap(), 4);
    assert_eq!(server.chelseru.sweep().await.unwrap(), 0);

    assert_eq!(session_count(&server, &live.access).await, 1);
    refresh(&server, &live.refresh).await.assert_status(200);
    log_in_with(&server, "09121234569", &live_code)
        .await
        .assert_status(200);
}

async fn a_server_does_its_housekeeping_by_itself(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    let session = crate::forge::read(&access)["sid"].as_i64();
    let session = chelseru_core::SessionId(session.unwrap());
    server.clock.advance(seconds(86_400));

    let server = server
        .restart(chelseru_tests::Setup::with_housekeeping)
        .await;
    until("the session that has run out is removed", async || {
        server
            .store()
            .find_session(session)
            .await
            .unwrap()
            .is_none()
    })
    .await;
}
