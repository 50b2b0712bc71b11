//! Ended sessions and accounts that are kept out, on servers that remember who came in.

use std::time::Duration;

use chelseru_core::UserId;
use chelseru_tests::{
    Answer, Database, Proxy, Setup, TestServer, Tokens, log_in, on_both_databases,
};

use crate::forge;

on_both_databases! {
    what_one_server_ended_the_other_refuses_after_one_reading
    whom_one_server_keeps_out_the_other_refuses_after_one_reading
    every_way_of_ending_a_session_is_heard_by_the_other_server
    a_token_of_another_service_is_refused_when_its_user_is_kept_out
}

on_both_databases! { postgres only:
    a_known_token_needs_no_database_for_a_second_and_not_longer
}

async fn whoami(server: &TestServer, access: &str) -> Answer {
    server.get("/whoami").bearer(access).await
}

fn user_of(access: &str) -> UserId {
    UserId(forge::read(access)["user_id"].as_i64().unwrap())
}

/// Lets the server remember a token that comes in.
async fn remember(server: &TestServer, access: &str) {
    server.chelseru.watch().await.unwrap();
    whoami(server, access).await.assert_status(200);
}

async fn what_one_server_ended_the_other_refuses_after_one_reading(database: Database) {
    let one = TestServer::start(database).await;
    let two = one.beside().await;
    let phone = log_in(&one, "09121234567").await;
    let laptop = log_in(&one, "09121234567").await;
    let other = log_in(&one, "09122222222").await;
    for tokens in [&phone, &laptop, &other] {
        remember(&two, &tokens.access).await;
    }
    let id = forge::read(&phone.access)["sid"].clone();
    one.delete(&format!("/api/sessions/{id}/"))
        .bearer(&laptop.access)
        .await
        .assert_status(204);
    whoami(&one, &phone.access).await.assert_status(401);
    two.chelseru.watch().await.unwrap();
    whoami(&two, &phone.access).await.assert_status(401);
    for alive in [&laptop, &other] {
        whoami(&two, &alive.access).await.assert_status(200);
    }
}

async fn whom_one_server_keeps_out_the_other_refuses_after_one_reading(database: Database) {
    let one = TestServer::start(database).await;
    let two = one.beside().await;
    let access = log_in(&one, "09121234567").await.access;
    for server in [&one, &two] {
        remember(server, &access).await;
    }
    let id = user_of(&access);
    assert!(one.chelseru.set_user_active(id, false).await.unwrap());
    let refused = whoami(&one, &access).await;
    assert_eq!(refused.assert_status(401).json()["code"], "user_inactive");
    two.chelseru.watch().await.unwrap();
    let refused = whoami(&two, &access).await;
    assert_eq!(refused.assert_status(401).json()["code"], "user_inactive");

    assert!(one.chelseru.set_user_active(id, true).await.unwrap());
    whoami(&two, &access).await.assert_status(200);
}

async fn every_way_of_ending_a_session_is_heard_by_the_other_server(database: Database) {
    let one = Setup::new(database)
        .await
        .config(|config| config.max_sessions_per_user(2))
        .start()
        .await;
    let two = one.beside().await;
    for way in ["logout", "logout of all", "reuse", "one too many"] {
        let tokens = log_in(&one, "09121234567").await;
        remember(&two, &tokens.access).await;
        match way {
            "logout" => log_out(&one, &tokens, "this").await,
            "logout of all" => log_out(&one, &tokens, "all").await,
            "reuse" => {
                let next = Tokens::of(&refresh(&one, &tokens).await);
                refresh(&one, &next).await.assert_status(200);
                refresh(&one, &tokens).await.assert_status(401);
            }
            _ => {
                for _ in 0..2 {
                    log_in(&one, "09121234567").await;
                }
            }
        }
        two.chelseru.watch().await.unwrap();
        let answer = whoami(&two, &tokens.access).await;
        assert_eq!(answer.status, 401, "{way}: {answer:?}");
    }
}

async fn log_out(server: &TestServer, tokens: &Tokens, scope: &str) {
    server
        .post("/api/logout/")
        .json(&serde_json::json!({ "refresh": tokens.refresh, "scope": scope }))
        .await
        .assert_status(200);
}

async fn refresh(server: &TestServer, tokens: &Tokens) -> Answer {
    server
        .post("/api/token/refresh/")
        .json(&serde_json::json!({ "refresh": tokens.refresh }))
        .await
}

async fn a_token_of_another_service_is_refused_when_its_user_is_kept_out(database: Database) {
    let one = TestServer::start(database).await;
    let two = one.beside().await;
    let id = user_of(&log_in(&one, "09121234567").await.access);
    let foreign = forge::sign(&forge::claims("access", &serde_json::json!(id.0)));
    remember(&two, &foreign).await;
    one.chelseru.set_user_active(id, false).await.unwrap();
    two.chelseru.watch().await.unwrap();
    whoami(&two, &foreign).await.assert_status(401);
}

async fn a_known_token_needs_no_database_for_a_second_and_not_longer(database: Database) {
    let setup = Setup::new(database).await;
    let mut proxy = Proxy::to(setup.database().address()).await;
    let server = setup.behind(proxy.address()).start().await;
    let known = log_in(&server, "09121234567").await.access;
    let unknown = log_in(&server, "09122222222").await.access;
    remember(&server, &known).await;

    proxy.refuse().await;
    server.clock.advance(Duration::from_millis(999));
    whoami(&server, &known).await.assert_status(200);
    whoami(&server, &unknown).await.assert_status(503);
    server.chelseru.watch().await.unwrap_err();
    server.clock.advance(Duration::from_millis(1));
    whoami(&server, &known).await.assert_status(503);

    proxy.recover().await;
    server.chelseru.watch().await.unwrap();
    whoami(&server, &known).await.assert_status(200);
}
