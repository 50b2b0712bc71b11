//! POST /api/login/

use chelseru_core::UserId;
use chelseru_core::events::Event;
use chelseru_tests::{Database, Tokens, on_both_databases};
use serde_json::json;

use super::{
    NO_ACCOUNT, NUMBER, OTHER, PASSWORD, kept_hash, log_in, log_in_as, passwords, register, server,
    server_with, whoami,
};

on_both_databases! {
    a_number_or_a_username_logs_in_with_the_password
    the_tokens_are_as_those_of_a_code
    a_form_and_every_way_of_writing_a_number_will_do
    composed_and_decomposed_letters_are_the_same
    whatever_is_wrong_the_answer_is_the_same
    a_refused_login_opens_no_session
    faulty_fields_are_named
    a_login_makes_room_as_others_do
    a_hash_of_other_parameters_is_replaced_at_the_login
    logins_and_refusals_are_told
}

async fn a_number_or_a_username_logs_in_with_the_password(database: Database) {
    let server = server(database).await;
    let me = whoami(&server, &register(&server, NUMBER, "golnar").await.access).await;
    for login in [
        log_in(&server, NUMBER, PASSWORD),
        log_in_as(&server, "golnar", PASSWORD),
        log_in_as(&server, " golnar ", PASSWORD),
    ] {
        let tokens = Tokens::of(&login.await);
        assert_eq!(whoami(&server, &tokens.access).await.body, me.body);
    }
}

async fn the_tokens_are_as_those_of_a_code(database: Database) {
    let server = server(database).await;
    register(&server, NUMBER, "golnar").await;
    let tokens = Tokens::of(&log_in(&server, NUMBER, PASSWORD).await);
    let claims = crate::forge::read(&tokens.access);
    assert!(
        claims["user_id"].is_i64() && claims["sid"].is_i64(),
        "{claims}"
    );
    let refresh = json!({ "refresh": tokens.refresh });
    let refreshed = server.post("/api/token/refresh/").json(&refresh).await;
    let access = Tokens::of(&refreshed).access;
    let sessions = server.get("/api/sessions/").bearer(&access).await;
    assert_eq!(sessions.json().as_array().unwrap().len(), 2);
    server
        .post("/api/logout/")
        .bearer(&access)
        .await
        .assert_status(200);
    whoami(&server, &access).await.assert_status(401);
}

async fn a_form_and_every_way_of_writing_a_number_will_do(database: Database) {
    let server = server(database).await;
    register(&server, NUMBER, "golnar").await;
    for number in ["9121234567", "+98 (912) 123-4567", "۰۹۱۲۱۲۳۴۵۶۷"] {
        server
            .post("/api/login")
            .form(&[
                ("mobile_number", number),
                ("password", PASSWORD),
                ("group", "0"),
            ])
            .await
            .assert_status(200);
    }
}

async fn composed_and_decomposed_letters_are_the_same(database: Database) {
    let server = server(database).await;
    let code = super::register_code(&server, NUMBER).await;
    let body = super::registration(NUMBER, &code, &json!({ "password": "آب caf\u{e9} کاج" }));
    server
        .post("/api/register/")
        .json(&body)
        .await
        .assert_status(200);
    let decomposed = "\u{627}\u{653}ب cafe\u{301} کاج";
    log_in(&server, NUMBER, decomposed).await.assert_status(200);
}

async fn whatever_is_wrong_the_answer_is_the_same(database: Database) {
    use chelseru_core::config::AuthMethod::{Otp, Passwd};
    let server = server_with(database, |config| config.auth_methods([Passwd, Otp])).await;
    let tokens = register(&server, NUMBER, "golnar").await;
    register(&server, OTHER, "golnaz").await;
    chelseru_tests::log_in(&server, "09120000000").await;
    let id = crate::forge::read(&tokens.access)["user_id"]
        .as_i64()
        .unwrap();
    let kept_out = UserId(id);
    server
        .chelseru
        .set_user_active(kept_out, false)
        .await
        .unwrap();

    let in_another_group = json!({ "mobile_number": OTHER, "password": PASSWORD, "group": 1 });
    let mut answers = Vec::new();
    for login in [
        log_in(&server, OTHER, "another password"),
        log_in_as(&server, "golnaz", "another password"),
        log_in(&server, OTHER, &format!("{PASSWORD} ")),
        log_in(&server, OTHER, "short"),
        // Kept out, with the right password.
        log_in(&server, NUMBER, PASSWORD),
        log_in_as(&server, "golnar", PASSWORD),
        // Without a password.
        log_in(&server, "09120000000", PASSWORD),
        // Nobody.
        log_in(&server, "09129999999", PASSWORD),
        log_in_as(&server, "nobody", PASSWORD),
        log_in_as(&server, "no username at all \u{202e}", PASSWORD),
        server.post("/api/login/").json(&in_another_group),
    ] {
        let answer = login.await;
        answer
            .assert_text(401, NO_ACCOUNT)
            .assert_header("www-authenticate", "Bearer realm=\"api\"");
        let names: std::collections::BTreeSet<_> =
            answer.headers.keys().map(ToString::to_string).collect();
        answers.push(names);
    }
    assert!(answers.iter().all(|names| *names == answers[0]));

    server
        .chelseru
        .set_user_active(kept_out, true)
        .await
        .unwrap();
    log_in(&server, NUMBER, PASSWORD).await.assert_status(200);
}

async fn a_refused_login_opens_no_session(database: Database) {
    let server = server(database).await;
    let tokens = register(&server, NUMBER, "golnar").await;
    log_in(&server, NUMBER, "another password")
        .await
        .assert_status(401);
    let sessions = server.get("/api/sessions/").bearer(&tokens.access).await;
    assert_eq!(sessions.json().as_array().unwrap().len(), 1);
}

async fn faulty_fields_are_named(database: Database) {
    let server = server(database).await;
    for (body, faulty) in [
        (json!({}), vec!["mobile_number", "password"]),
        (json!({ "username": "golnar" }), vec!["password"]),
        (
            json!({ "username": "golnar", "password": "" }),
            vec!["password"],
        ),
        (
            json!({ "username": ["golnar"], "password": "x" }),
            vec!["username"],
        ),
        (
            json!({ "username": " ", "password": "x" }),
            vec!["mobile_number"],
        ),
        (
            json!({ "mobile_number": "12", "password": "x" }),
            vec!["mobile_number"],
        ),
        (
            json!({ "mobile_number": NUMBER, "password": "x", "group": -1 }),
            vec!["group"],
        ),
    ] {
        let answer = server.post("/api/login/").json(&body).await;
        answer.assert_faulty_fields(&faulty);
    }
}

async fn a_login_makes_room_as_others_do(database: Database) {
    let server = server_with(database, |config| config.max_sessions_per_user(2)).await;
    let first = register(&server, NUMBER, "golnar").await;
    let second = Tokens::of(&log_in(&server, NUMBER, PASSWORD).await);
    let third = Tokens::of(&log_in(&server, NUMBER, PASSWORD).await);
    whoami(&server, &first.access).await.assert_status(401);
    for tokens in [second, third] {
        whoami(&server, &tokens.access).await.assert_status(200);
    }
}

async fn a_hash_of_other_parameters_is_replaced_at_the_login(database: Database) {
    let server = server(database).await;
    register(&server, NUMBER, "golnar").await;
    let old = kept_hash(&server, NUMBER).await;
    let server = server
        .restart(|setup| setup.config(|config| passwords(config).password_iterations(3)))
        .await;
    log_in(&server, NUMBER, "another password")
        .await
        .assert_status(401);
    assert_eq!(kept_hash(&server, NUMBER).await, old);
    log_in(&server, NUMBER, PASSWORD).await.assert_status(200);
    let new = kept_hash(&server, NUMBER).await.unwrap();
    assert!(new.expose().starts_with("$argon2id$v=19$m=1024,t=3,p=1$"));
    log_in(&server, NUMBER, PASSWORD).await.assert_status(200);
    assert_eq!(kept_hash(&server, NUMBER).await, Some(new));
}

async fn logins_and_refusals_are_told(database: Database) {
    let server = server(database).await;
    register(&server, NUMBER, "golnar").await;
    let mut events = server.chelseru.events();
    log_in(&server, NUMBER, PASSWORD).await.assert_status(200);
    let told = events.next().await;
    assert!(
        matches!(told, Some(Event::LoggedIn { is_new: false, .. })),
        "{told:?}"
    );
    for (login, expected) in [
        (log_in(&server, OTHER, "x7kq!m2pd"), OTHER.parse().ok()),
        (log_in_as(&server, "golnar", "x7kq!m2pd"), None),
    ] {
        login.await.assert_status(401);
        let Some(Event::LoginRefused { mobile_number, .. }) = events.next().await else {
            panic!("no refusal");
        };
        assert_eq!(mobile_number, expected);
    }
}
