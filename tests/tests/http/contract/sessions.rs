//! GET /api/sessions/

use std::time::Duration;

use chelseru_tests::{Database, Setup, TestServer, Tokens, log_in, on_both_databases, send_code};
use serde_json::{Value, json};

use crate::forge;

on_both_databases! {
    a_session_has_exactly_the_documented_fields
    the_newest_login_comes_first_and_one_is_the_current
    a_user_sees_nobody_elses_sessions
    each_group_has_its_own_sessions
    sessions_outlive_a_restart
    the_session_not_used_for_longest_makes_room
}

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";

async fn list(server: &TestServer, access: &str) -> Vec<Value> {
    let answer = server.get("/api/sessions/").bearer(access).await;
    answer.assert_status(200);
    match answer.json() {
        Value::Array(sessions) => sessions,
        other => panic!("no array: {other}"),
    }
}

async fn a_session_has_exactly_the_documented_fields(database: Database) {
    let server = TestServer::start(database).await;
    let code = send_code(&server, "09121234567").await;
    let login = server
        .post("/api/authenticate/")
        .header("user-agent", FIREFOX)
        .json(&json!({ "mobile_number": "09121234567", "code": code }))
        .await;
    let access = Tokens::of(&login).access;
    let claims = forge::read(&access);
    let sessions = list(&server, &access).await;
    let key = sessions[0]["session_key"].as_str().unwrap();
    assert!(key.len() >= 32, "{key}");
    assert_eq!(
        sessions,
        [json!({
            "id": claims["sid"],
            "user": claims["user_id"],
            "session_key": key,
            "user_agent": FIREFOX,
            "ip_address": "127.0.0.1",
            "device": "Linux",
            "browser": "Firefox",
            "last_seen": "2026-01-01T00:00:00.000Z",
            "created_at": "2026-01-01T00:00:00.000Z",
            "current": true,
        })]
    );
}

async fn the_newest_login_comes_first_and_one_is_the_current(database: Database) {
    let server = TestServer::start(database).await;
    let mut logins = Vec::new();
    for _ in 0..3 {
        logins.push(log_in(&server, "09121234567").await.access);
        server.clock.advance(Duration::from_secs(1));
    }
    for (place, access) in logins.iter().rev().enumerate() {
        let sessions = list(&server, access).await;
        let ids: Vec<&Value> = sessions.iter().map(|session| &session["id"]).collect();
        let claims: Vec<Value> = logins
            .iter()
            .rev()
            .map(|token| forge::read(token))
            .collect();
        assert_eq!(
            ids,
            claims
                .iter()
                .map(|claims| &claims["sid"])
                .collect::<Vec<_>>()
        );
        for (index, session) in sessions.iter().enumerate() {
            assert_eq!(session["current"], index == place, "{session}");
        }
    }
}

async fn a_user_sees_nobody_elses_sessions(database: Database) {
    let server = TestServer::start(database).await;
    let one = log_in(&server, "09121234567").await.access;
    let other = log_in(&server, "09121234568").await.access;
    for access in [one, other] {
        let sessions = list(&server, &access).await;
        let users: Vec<&Value> = sessions.iter().map(|session| &session["user"]).collect();
        assert_eq!(users, [&forge::read(&access)["user_id"]]);
    }
}

async fn each_group_has_its_own_sessions(database: Database) {
    let server = TestServer::start(database).await;
    log_in(&server, "09121234567").await;
    let code = send_code(&server, "09121234567").await;
    let login = server
        .post("/api/authenticate/")
        .json(&json!({ "mobile_number": "09121234567", "code": code, "group": 1 }))
        .await;
    assert_eq!(list(&server, &Tokens::of(&login).access).await.len(), 1);
}

async fn sessions_outlive_a_restart(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    let before = list(&server, &tokens.access).await;
    let server = server.restart(|setup| setup).await;
    assert_eq!(list(&server, &tokens.access).await, before);
    let answer = server
        .post("/api/token/refresh/")
        .json(&json!({ "refresh": tokens.refresh }));
    Tokens::of(&answer.await);
}

async fn the_session_not_used_for_longest_makes_room(database: Database) {
    let setup = Setup::new(database).await;
    let setup = setup.config(|config| config.max_sessions_per_user(2));
    let server = setup.start().await;
    let whoami = async |tokens: &Tokens| {
        let answer = server.get("/whoami").bearer(&tokens.access).await;
        answer.status
    };
    let other = log_in(&server, "09121234568").await;
    let phone = log_in(&server, "09121234567").await;
    server.clock.advance(Duration::from_secs(1));
    let laptop = log_in(&server, "09121234567").await;
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(whoami(&phone).await, 200);

    let tablet = log_in(&server, "09121234567").await;
    assert_eq!(whoami(&laptop).await, 401);
    assert_eq!(list(&server, &tablet.access).await.len(), 2);
    for tokens in [&phone, &tablet, &other] {
        assert_eq!(whoami(tokens).await, 200);
    }
}
