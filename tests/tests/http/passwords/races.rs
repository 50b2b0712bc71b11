//! Many at once.

use chelseru_tests::{Answer, Call, Database, Tokens, on_both_databases};
use futures_util::future::join_all;
use serde_json::json;

use super::{
    NUMBER, PASSWORD, change, log_in, register, register_code, registration, reset_code, server,
    server_with, whoami,
};

on_both_databases! {
    of_twenty_registrations_with_one_code_one_makes_the_account
    of_twenty_registrations_of_one_username_one_gets_it
    of_twenty_changes_one_is_made
    of_twenty_resets_with_one_code_one_is_made
    a_login_while_the_password_is_changed_leaves_no_session
    when_too_many_wait_to_be_hashed_the_rest_is_refused_and_nobody_hangs
}

async fn at_once(calls: impl IntoIterator<Item = Call>) -> Vec<Answer> {
    join_all(calls.into_iter().map(IntoFuture::into_future)).await
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|one| one.status == status).count()
}

async fn of_twenty_registrations_with_one_code_one_makes_the_account(database: Database) {
    let server = server_with(database, |config| config.otp_attempts(0)).await;
    let code = register_code(&server, NUMBER).await;
    let body = registration(NUMBER, &code, &json!({}));
    let calls = (0..20).map(|_| server.post("/api/register/").json(&body));
    let answers = at_once(calls).await;
    assert_eq!((count(&answers, 200), count(&answers, 401)), (1, 19));
    let winner = answers.iter().find(|answer| answer.status == 200).unwrap();
    let access = Tokens::of(winner).access;
    let sessions = server.get("/api/sessions/").bearer(&access).await;
    assert_eq!(sessions.json().as_array().unwrap().len(), 1);
}

async fn of_twenty_registrations_of_one_username_one_gets_it(database: Database) {
    let server = server(database).await;
    let mut calls = Vec::new();
    for n in 0..20 {
        let number = format!("0912{n:07}");
        let code = register_code(&server, &number).await;
        let body = registration(&number, &code, &json!({ "username": "golnar" }));
        calls.push(server.post("/api/register/").json(&body));
    }
    let answers = at_once(calls).await;
    assert_eq!((count(&answers, 200), count(&answers, 400)), (1, 19));
    for refused in answers.iter().filter(|answer| answer.status == 400) {
        refused.assert_faulty_fields(&["username"]);
    }
}

async fn of_twenty_changes_one_is_made(database: Database) {
    let server = server(database).await;
    let access = register(&server, NUMBER, "golnar").await.access;
    let next = |n: usize| format!("x7kq!m2pd {n}");
    let calls = (0..20).map(|n| change(&server, &access, PASSWORD, &next(n)));
    let answers = at_once(calls).await;
    assert_eq!((count(&answers, 200), count(&answers, 400)), (1, 19));
    let winner = answers.iter().position(|answer| answer.status == 200);
    log_in(&server, NUMBER, &next(winner.unwrap()))
        .await
        .assert_status(200);
}

async fn of_twenty_resets_with_one_code_one_is_made(database: Database) {
    let server = server_with(database, |config| config.otp_attempts(0)).await;
    register(&server, NUMBER, "golnar").await;
    let code = reset_code(&server, NUMBER).await;
    let calls = (0..20).map(|n| {
        let password = format!("x7kq!m2pd {n}");
        server
            .post("/api/password/reset/confirm/")
            .json(&json!({ "mobile_number": NUMBER, "code": code, "password": password }))
    });
    let answers = at_once(calls).await;
    assert_eq!((count(&answers, 200), count(&answers, 401)), (1, 19));
    let winner = answers.iter().position(|answer| answer.status == 200);
    log_in(&server, NUMBER, &format!("x7kq!m2pd {}", winner.unwrap()))
        .await
        .assert_status(200);
}

async fn a_login_while_the_password_is_changed_leaves_no_session(database: Database) {
    let server = server(database).await;
    let own = register(&server, NUMBER, "golnar").await;
    let calls = (0..16).map(|n| {
        if n == 8 {
            change(&server, &own.access, PASSWORD, super::NEXT)
        } else {
            log_in(&server, NUMBER, PASSWORD)
        }
    });
    let answers = at_once(calls).await;
    answers[8].assert_status(200);
    for (n, answer) in answers.iter().enumerate().filter(|(n, _)| *n != 8) {
        if answer.status == 200 {
            let access = Tokens::of(answer).access;
            whoami(&server, &access).await.assert_status(401);
        } else {
            assert_eq!(answer.status, 401, "{n}");
        }
    }
    whoami(&server, &own.access).await.assert_status(200);
}

/// One is hashed at a time, sixteen wait: of two hundred at once most are refused, at once.
async fn when_too_many_wait_to_be_hashed_the_rest_is_refused_and_nobody_hangs(database: Database) {
    let server = server_with(database, |config| {
        config
            .password_max_concurrent(1)
            .password_memory_kib(32 * 1024)
    })
    .await;
    register(&server, NUMBER, "golnar").await;
    let calls = (0..200).map(|_| log_in(&server, NUMBER, PASSWORD));
    let answers = at_once(calls).await;
    let (let_in, refused) = (count(&answers, 200), count(&answers, 503));
    assert_eq!(let_in + refused, 200);
    assert!(
        let_in >= 17 && refused >= 1,
        "{let_in} let in, {refused} refused"
    );
    for refused in answers.iter().filter(|answer| answer.status == 503) {
        refused.assert_header("retry-after", "1");
    }
    log_in(&server, NUMBER, PASSWORD).await.assert_status(200);
}
