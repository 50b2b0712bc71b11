//! DELETE /api/sessions/{id}/ and DELETE /api/sessions/

use chelseru_core::UserId;
use chelseru_tests::{Database, TestServer, log_in, on_both_databases};
use serde_json::json;

use crate::forge;

on_both_databases! {
    a_user_ends_another_of_the_own_sessions
    a_user_ends_the_current_session
    a_session_is_ended_once
    a_session_of_somebody_else_is_not_found_and_goes_on
    a_session_of_the_same_number_in_another_group_is_somebody_elses
    all_sessions_but_the_current_one_are_ended
    what_one_server_ends_the_other_refuses_at_once
}

fn path_of(access: &str) -> String {
    format!("/api/sessions/{}/", forge::read(access)["sid"])
}

async fn assert_alive(server: &TestServer, access: &str) {
    server
        .get("/whoami")
        .bearer(access)
        .await
        .assert_status(200);
}

async fn assert_dead(server: &TestServer, access: &str) {
    server
        .get("/whoami")
        .bearer(access)
        .await
        .assert_status(401);
}

async fn a_user_ends_another_of_the_own_sessions(database: Database) {
    let server = TestServer::start(database).await;
    let phone = log_in(&server, "09121234567").await;
    let laptop = log_in(&server, "09121234567").await;
    let delete = server
        .delete(&path_of(&phone.access))
        .bearer(&laptop.access);
    delete.await.assert_status(204);
    assert_dead(&server, &phone.access).await;
    assert_alive(&server, &laptop.access).await;
    let sessions = server.get("/api/sessions/").bearer(&laptop.access).await;
    assert_eq!(sessions.json().as_array().unwrap().len(), 1);
}

async fn a_user_ends_the_current_session(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    let delete = server.delete(&path_of(&access)).bearer(&access);
    delete.await.assert_status(204);
    assert_dead(&server, &access).await;
}

async fn a_session_is_ended_once(database: Database) {
    let server = TestServer::start(database).await;
    let phone = log_in(&server, "09121234567").await.access;
    let laptop = log_in(&server, "09121234567").await.access;
    let delete = || server.delete(&path_of(&phone)).bearer(&laptop);
    delete().await.assert_status(204);
    let again = delete().await;
    again.assert_status(404);
    assert!(again.field("detail").is_string(), "{again:?}");
}

async fn a_session_of_somebody_else_is_not_found_and_goes_on(database: Database) {
    let server = TestServer::start(database).await;
    let mine = log_in(&server, "09121234567").await.access;
    let yours = log_in(&server, "09121234568").await.access;
    let not_mine = server.delete(&path_of(&yours)).bearer(&mine).await;
    let nobodys = server.delete("/api/sessions/4711/").bearer(&mine).await;
    not_mine.assert_status(404);
    nobodys.assert_text(404, &not_mine.body);
    assert_alive(&server, &yours).await;
}

async fn a_session_of_the_same_number_in_another_group_is_somebody_elses(database: Database) {
    let server = TestServer::start(database).await;
    let mine = log_in(&server, "09121234567").await.access;
    let code = chelseru_tests::send_code(&server, "09121234567").await;
    let login = server
        .post("/api/authenticate/")
        .json(&json!({ "mobile_number": "09121234567", "code": code, "group": 1 }))
        .await;
    let other = chelseru_tests::Tokens::of(&login).access;
    let delete = server.delete(&path_of(&other)).bearer(&mine);
    delete.await.assert_status(404);
    let delete = server.delete("/api/sessions/").bearer(&mine);
    delete.await.assert_status(204);
    assert_alive(&server, &other).await;
}

async fn all_sessions_but_the_current_one_are_ended(database: Database) {
    let server = TestServer::start(database).await;
    let yours = log_in(&server, "09121234568").await.access;
    let mut mine = Vec::new();
    for _ in 0..4 {
        mine.push(log_in(&server, "09121234567").await);
    }
    let current = mine.pop().unwrap().access;
    for _ in 0..2 {
        let delete = server.delete("/api/sessions/").bearer(&current);
        delete.await.assert_status(204);
    }
    for tokens in mine {
        assert_dead(&server, &tokens.access).await;
        server
            .post("/api/token/refresh/")
            .json(&json!({ "refresh": tokens.refresh }))
            .await
            .assert_status(401);
    }
    assert_alive(&server, &current).await;
    assert_alive(&server, &yours).await;
}

async fn what_one_server_ends_the_other_refuses_at_once(database: Database) {
    let one = TestServer::start(database).await;
    let two = one.beside().await;
    let phone = log_in(&one, "09121234567").await.access;
    let laptop = log_in(&two, "09121234567").await.access;
    assert_alive(&two, &phone).await;
    let delete = one.delete(&path_of(&phone)).bearer(&laptop);
    delete.await.assert_status(204);
    assert_dead(&two, &phone).await;

    assert_alive(&two, &laptop).await;
    let id = UserId(forge::read(&laptop)["user_id"].as_i64().unwrap());
    one.chelseru.set_user_active(id, false).await.unwrap();
    assert_dead(&two, &laptop).await;
}
