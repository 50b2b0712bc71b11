//! POST /api/password/reset/ and /api/password/reset/confirm/

use chelseru_core::UserId;
use chelseru_core::events::Event;
use chelseru_tests::{Database, Tokens, another_code, log_in as log_in_by_code, on_both_databases};
use serde_json::json;

use super::{
    NEXT, NUMBER, OTHER, PASSWORD, WRONG_CODE, kept_hash, log_in, register, register_code, reset,
    reset_code, server, server_with, whoami,
};

on_both_databases! {
    the_right_code_sets_the_password_ends_all_sessions_and_logs_in
    an_account_that_a_code_made_gets_its_first_password
    a_wrong_code_changes_nothing
    a_code_is_good_once
    a_code_that_was_sent_for_something_else_changes_nothing
    a_number_without_an_account_is_told_so_only_with_the_right_code
    an_account_that_is_kept_out_stays_out
    the_group_says_which_account
    a_weak_password_costs_no_try
    a_reset_is_told
}

async fn the_right_code_sets_the_password_ends_all_sessions_and_logs_in(database: Database) {
    let server = server(database).await;
    let first = register(&server, NUMBER, "golnar").await;
    let me = whoami(&server, &first.access).await.body;
    let second = Tokens::of(&log_in(&server, NUMBER, PASSWORD).await);
    let code = reset_code(&server, NUMBER).await;
    let done = Tokens::of(&reset(&server, NUMBER, &code, NEXT).await);
    assert_eq!(whoami(&server, &done.access).await.body, me);
    for tokens in [first, second] {
        whoami(&server, &tokens.access).await.assert_status(401);
        let refresh = json!({ "refresh": tokens.refresh });
        let refreshed = server.post("/api/token/refresh/").json(&refresh).await;
        refreshed.assert_status(401);
    }
    log_in(&server, NUMBER, PASSWORD).await.assert_status(401);
    log_in(&server, NUMBER, NEXT).await.assert_status(200);
}

async fn an_account_that_a_code_made_gets_its_first_password(database: Database) {
    use chelseru_core::config::AuthMethod::{Otp, Passwd};
    let server = server_with(database, |config| config.auth_methods([Passwd, Otp])).await;
    let by_code = log_in_by_code(&server, NUMBER).await;
    let me = whoami(&server, &by_code.access).await.body;
    let code = reset_code(&server, NUMBER).await;
    reset(&server, NUMBER, &code, NEXT).await.assert_status(200);
    let by_password = Tokens::of(&log_in(&server, NUMBER, NEXT).await);
    assert_eq!(whoami(&server, &by_password.access).await.body, me);
}

async fn a_wrong_code_changes_nothing(database: Database) {
    let server = server(database).await;
    let tokens = register(&server, NUMBER, "golnar").await;
    let code = reset_code(&server, NUMBER).await;
    for nth in 1..=5 {
        let wrong = reset(&server, NUMBER, &another_code(&code, nth), NEXT).await;
        wrong.assert_text(401, WRONG_CODE);
    }
    let burnt = reset(&server, NUMBER, &code, NEXT).await;
    burnt.assert_text(401, WRONG_CODE);
    whoami(&server, &tokens.access).await.assert_status(200);
    log_in(&server, NUMBER, PASSWORD).await.assert_status(200);
}

async fn a_code_is_good_once(database: Database) {
    let server = server(database).await;
    register(&server, NUMBER, "golnar").await;
    let code = reset_code(&server, NUMBER).await;
    reset(&server, NUMBER, &code, NEXT).await.assert_status(200);
    let again = reset(&server, NUMBER, &code, "another x7kq!").await;
    again.assert_text(401, WRONG_CODE);
    log_in(&server, NUMBER, NEXT).await.assert_status(200);
}

async fn a_code_that_was_sent_for_something_else_changes_nothing(database: Database) {
    use chelseru_core::config::AuthMethod::{Otp, Passwd};
    let server = server_with(database, |config| config.auth_methods([Otp, Passwd])).await;
    register(&server, NUMBER, "golnar").await;
    let to_register = register_code(&server, NUMBER).await;
    let refused = reset(&server, NUMBER, &to_register, NEXT).await;
    refused.assert_text(401, WRONG_CODE);
    server.clock.advance(std::time::Duration::from_secs(240));
    let to_log_in = chelseru_tests::send_code(&server, NUMBER).await;
    let refused = reset(&server, NUMBER, &to_log_in, NEXT).await;
    refused.assert_text(401, WRONG_CODE);
    server.clock.advance(std::time::Duration::from_secs(240));
    let code = reset_code(&server, NUMBER).await;
    let as_login = chelseru_tests::log_in_with(&server, NUMBER, &code).await;
    as_login.assert_text(401, WRONG_CODE);
    reset(&server, NUMBER, &code, NEXT).await.assert_status(200);
}

async fn a_number_without_an_account_is_told_so_only_with_the_right_code(database: Database) {
    let server = server(database).await;
    let code = reset_code(&server, NUMBER).await;
    let wrong = reset(&server, NUMBER, &another_code(&code, 1), NEXT).await;
    wrong.assert_text(401, WRONG_CODE);
    reset(&server, NUMBER, &code, NEXT)
        .await
        .assert_faulty_fields(&["mobile_number"]);
    log_in(&server, NUMBER, NEXT).await.assert_status(401);
}

async fn an_account_that_is_kept_out_stays_out(database: Database) {
    let server = server(database).await;
    let tokens = register(&server, NUMBER, "golnar").await;
    let id = crate::forge::read(&tokens.access)["user_id"].as_i64();
    let id = UserId(id.unwrap());
    server.chelseru.set_user_active(id, false).await.unwrap();
    let code = reset_code(&server, NUMBER).await;
    reset(&server, NUMBER, &code, NEXT).await.assert_json(
        401,
        &json!({ "detail": "User is inactive", "code": "user_inactive" }),
    );
    server.chelseru.set_user_active(id, true).await.unwrap();
    log_in(&server, NUMBER, PASSWORD).await.assert_status(200);
}

async fn the_group_says_which_account(database: Database) {
    let server = server(database).await;
    register(&server, NUMBER, "golnar").await;
    let code = reset_code(&server, NUMBER).await;
    let body =
        |group| json!({ "mobile_number": NUMBER, "code": code, "password": NEXT, "group": group });
    let path = "/api/password/reset/confirm/";
    let elsewhere = server.post(path).json(&body(1)).await;
    elsewhere.assert_faulty_fields(&["mobile_number"]);
    let here = server.post(path).json(&body(0)).await;
    here.assert_status(200);
}

async fn a_weak_password_costs_no_try(database: Database) {
    let server = server(database).await;
    register(&server, NUMBER, "golnar").await;
    let code = reset_code(&server, NUMBER).await;
    for weak in ["", "x7kq!m2", "qwertyuiop", NUMBER, "87654321", "aaaaaaaa"] {
        reset(&server, NUMBER, &code, weak)
            .await
            .assert_faulty_fields(&["password"]);
    }
    reset(&server, NUMBER, &code, NEXT).await.assert_status(200);
    assert_eq!(kept_hash(&server, OTHER).await, None);
}

async fn a_reset_is_told(database: Database) {
    let server = server(database).await;
    register(&server, NUMBER, "golnar").await;
    let code = reset_code(&server, NUMBER).await;
    let mut events = server.chelseru.events();
    reset(&server, NUMBER, &code, NEXT).await.assert_status(200);
    let told = events.next().await;
    assert!(
        matches!(
            told,
            Some(Event::PasswordChanged {
                was_reset: true,
                ..
            })
        ),
        "{told:?}"
    );
    let told = events.next().await;
    assert!(
        matches!(told, Some(Event::LoggedIn { is_new: false, .. })),
        "{told:?}"
    );
}
