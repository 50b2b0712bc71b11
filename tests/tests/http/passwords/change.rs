//! POST /api/password/change/

use chelseru_core::events::Event;
use chelseru_tests::{Database, Tokens, log_in as log_in_by_code, on_both_databases};
use serde_json::json;

use super::{
    NEXT, NUMBER, PASSWORD, change, kept_hash, log_in, register, server, server_with, whoami,
};

on_both_databases! {
    the_next_password_logs_in_and_the_old_one_does_not
    all_other_sessions_end
    it_needs_an_access_token
    a_wrong_present_password_changes_nothing
    an_account_without_a_password_has_none_to_change
    faulty_fields_are_named_and_a_weak_password_is_refused
    wrong_present_passwords_are_limited_and_keep_nobody_from_logging_in
    a_change_is_told
}

async fn the_next_password_logs_in_and_the_old_one_does_not(database: Database) {
    let server = server(database).await;
    let tokens = register(&server, NUMBER, "golnar").await;
    change(&server, &tokens.access, PASSWORD, NEXT)
        .await
        .assert_json(
            200,
            &json!({ "details": "The password was changed correctly." }),
        );
    log_in(&server, NUMBER, PASSWORD).await.assert_status(401);
    log_in(&server, NUMBER, NEXT).await.assert_status(200);
    change(&server, &tokens.access, PASSWORD, NEXT)
        .await
        .assert_faulty_fields(&["old_password"]);
}

async fn all_other_sessions_end(database: Database) {
    let server = server(database).await;
    let first = register(&server, NUMBER, "golnar").await;
    let second = Tokens::of(&log_in(&server, NUMBER, PASSWORD).await);
    let stranger = register(&server, super::OTHER, "golnaz").await;
    change(&server, &second.access, PASSWORD, NEXT)
        .await
        .assert_status(200);
    whoami(&server, &first.access).await.assert_status(401);
    let refresh = json!({ "refresh": first.refresh });
    let refreshed = server.post("/api/token/refresh/").json(&refresh).await;
    refreshed.assert_status(401);
    for tokens in [second, stranger] {
        whoami(&server, &tokens.access).await.assert_status(200);
    }
}

async fn it_needs_an_access_token(database: Database) {
    let server = server(database).await;
    let tokens = register(&server, NUMBER, "golnar").await;
    let body = json!({ "old_password": PASSWORD, "new_password": NEXT });
    let without = server.post("/api/password/change/").json(&body).await;
    without.assert_json(
        401,
        &json!({ "detail": "Authentication credentials were not provided." }),
    );
    let with_refresh = change(&server, &tokens.refresh, PASSWORD, NEXT).await;
    with_refresh.assert_status(401);
    log_in(&server, NUMBER, PASSWORD).await.assert_status(200);
}

async fn a_wrong_present_password_changes_nothing(database: Database) {
    let server = server(database).await;
    let first = register(&server, NUMBER, "golnar").await;
    let second = Tokens::of(&log_in(&server, NUMBER, PASSWORD).await);
    let before = kept_hash(&server, NUMBER).await;
    change(&server, &second.access, NEXT, NEXT)
        .await
        .assert_faulty_fields(&["old_password"]);
    assert_eq!(kept_hash(&server, NUMBER).await, before);
    whoami(&server, &first.access).await.assert_status(200);
}

async fn an_account_without_a_password_has_none_to_change(database: Database) {
    use chelseru_core::config::AuthMethod::{Otp, Passwd};
    let server = server_with(database, |config| config.auth_methods([Passwd, Otp])).await;
    let tokens = log_in_by_code(&server, NUMBER).await;
    change(&server, &tokens.access, PASSWORD, NEXT)
        .await
        .assert_faulty_fields(&["old_password"]);
    assert_eq!(kept_hash(&server, NUMBER).await, None);
}

async fn faulty_fields_are_named_and_a_weak_password_is_refused(database: Database) {
    let server = server(database).await;
    let access = register(&server, NUMBER, "golnar.karimi").await.access;
    let nothing = server
        .post("/api/password/change/")
        .bearer(&access)
        .json(&json!({ "new_password": "" }))
        .await;
    nothing.assert_faulty_fields(&["old_password", "new_password"]);
    for weak in ["x7kq!m2", "12345678", NUMBER, "golnar.karimi"] {
        change(&server, &access, PASSWORD, weak)
            .await
            .assert_faulty_fields(&["new_password"]);
    }
    log_in(&server, NUMBER, PASSWORD).await.assert_status(200);
}

async fn wrong_present_passwords_are_limited_and_keep_nobody_from_logging_in(database: Database) {
    let server = server_with(database, |config| {
        config.login_failures_per_user_and_address_per_hour(3)
    })
    .await;
    let access = register(&server, NUMBER, "golnar").await.access;
    for _ in 0..3 {
        change(&server, &access, NEXT, NEXT)
            .await
            .assert_status(400);
    }
    change(&server, &access, PASSWORD, NEXT)
        .await
        .assert_status(429)
        .assert_header("retry-after", "3600");
    log_in(&server, NUMBER, PASSWORD).await.assert_status(200);
    whoami(&server, &access).await.assert_status(200);
}

async fn a_change_is_told(database: Database) {
    let server = server(database).await;
    let access = register(&server, NUMBER, "golnar").await.access;
    let id = crate::forge::read(&access)["user_id"].clone();
    let mut events = server.chelseru.events();
    change(&server, &access, PASSWORD, NEXT)
        .await
        .assert_status(200);
    let Some(Event::PasswordChanged {
        user, was_reset, ..
    }) = events.next().await
    else {
        panic!("no change");
    };
    assert_eq!((json!(user), was_reset), (id, false));
}
