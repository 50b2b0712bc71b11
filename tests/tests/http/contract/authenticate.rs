//! POST /api/authenticate/

use std::collections::BTreeSet;
use std::time::Duration;

use chelseru_core::UserId;
use chelseru_core::events::Event;
use chelseru_tests::{
    Database, Setup, TestServer, Tokens, another_code, log_in, log_in_with, on_both_databases,
    send_code,
};
use jsonwebtoken::decode_header;
use serde_json::json;

use crate::forge::{self, START};

on_both_databases! {
    the_right_code_gives_a_pair_of_tokens
    the_tokens_have_the_claims_of_simplejwt
    a_form_and_every_kind_of_digits_will_do
    a_code_may_be_a_json_number
    a_code_is_good_once
    a_wrong_code_and_one_that_was_never_sent_get_the_same_answer
    a_code_of_another_number_is_wrong
    five_wrong_tries_burn_the_code
    four_wrong_tries_leave_the_code_good
    a_code_of_another_length_costs_no_try
    a_number_that_comes_back_is_the_same_user
    an_inactive_user_is_told_so_only_with_the_right_code
    every_length_of_codes_works
    a_login_is_told_with_its_device
}

const WRONG_CODE: &str = r#"{"error":"The code sent to this mobile number was not found."}"#;

async fn the_right_code_gives_a_pair_of_tokens(database: Database) {
    let server = TestServer::start(database).await;
    let code = send_code(&server, "09121234567").await;
    let answer = log_in_with(&server, "09121234567", &code).await;
    let mut names: Vec<String> = answer.json().as_object().unwrap().keys().cloned().collect();
    names.sort();
    assert_eq!(names, ["access", "refresh"]);
    server
        .get("/whoami")
        .bearer(&Tokens::of(&answer).access)
        .await
        .assert_status(200);
}

async fn the_tokens_have_the_claims_of_simplejwt(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    let mut jtis = Vec::new();
    for (token, token_type, lifetime) in [
        (&tokens.access, "access", 300),
        (&tokens.refresh, "refresh", 86_400),
    ] {
        let header = serde_json::to_value(decode_header(token).unwrap()).unwrap();
        assert_eq!(header, json!({ "alg": "HS256", "typ": "JWT" }));

        let claims = forge::read(token);
        assert_eq!(claims["token_type"], token_type);
        assert_eq!(claims["iat"], START);
        assert_eq!(claims["exp"], START + lifetime);
        assert!(claims["user_id"].is_i64(), "{claims}");
        assert!(claims["sid"].is_i64(), "{claims}");
        let jti = claims["jti"].as_str().unwrap().to_owned();
        assert_eq!(jti.len(), 32);
        assert!(jti.bytes().all(|byte| byte.is_ascii_hexdigit()), "{jti}");
        jtis.push(jti);
    }
    assert_ne!(jtis[0], jtis[1]);
}

async fn a_form_and_every_kind_of_digits_will_do(database: Database) {
    let server = TestServer::start(database).await;
    for zero in ['0', '۰', '٠'] {
        let code = send_code(&server, "09121234567").await;
        let typed = |text: &str| -> String {
            let digits = text.chars().filter_map(|char| char.to_digit(10));
            digits
                .filter_map(|digit| char::from_u32(u32::from(zero) + digit))
                .collect()
        };
        server
            .post("/api/authenticate")
            .form(&[
                ("mobile_number", &typed("09121234567")),
                ("code", &format!(" {} ", typed(&code))),
            ])
            .await
            .assert_status(200);
    }
}

async fn a_code_may_be_a_json_number(database: Database) {
    let server = TestServer::start(database).await;
    // A number cannot begin with a zero; codes can.
    let code = loop {
        let code = send_code(&server, "09121234567").await;
        if !code.starts_with('0') {
            break code;
        }
        server.clock.advance(Duration::from_secs(240));
    };
    server
        .post("/api/authenticate/")
        .json(&json!({ "mobile_number": 9_121_234_567_u64, "code": code.parse::<u64>().unwrap() }))
        .await
        .assert_status(200);
}

async fn a_code_is_good_once(database: Database) {
    let server = TestServer::start(database).await;
    let code = send_code(&server, "09121234567").await;
    log_in_with(&server, "09121234567", &code)
        .await
        .assert_status(200);
    log_in_with(&server, "09121234567", &code)
        .await
        .assert_text(401, WRONG_CODE);
}

async fn a_wrong_code_and_one_that_was_never_sent_get_the_same_answer(database: Database) {
    let server = TestServer::start(database).await;
    let code = send_code(&server, "09121234567").await;
    let wrong = log_in_with(&server, "09121234567", &another_code(&code, 1)).await;
    let never_sent = log_in_with(&server, "09121234568", "12345678").await;
    wrong.assert_text(401, WRONG_CODE);
    never_sent.assert_text(401, WRONG_CODE);
    let names = |answer: &chelseru_tests::Answer| -> BTreeSet<String> {
        answer.headers.keys().map(ToString::to_string).collect()
    };
    assert_eq!(names(&wrong), names(&never_sent));
}

async fn a_code_of_another_number_is_wrong(database: Database) {
    let server = TestServer::start(database).await;
    let code = send_code(&server, "09121234567").await;
    let others = send_code(&server, "09121234568").await;
    log_in_with(&server, "09121234567", &others)
        .await
        .assert_text(401, WRONG_CODE);
    log_in_with(&server, "09121234567", &code)
        .await
        .assert_status(200);
}

async fn five_wrong_tries_burn_the_code(database: Database) {
    let server = TestServer::start(database).await;
    let code = send_code(&server, "09121234567").await;
    for nth in 1..=5 {
        log_in_with(&server, "09121234567", &another_code(&code, nth))
            .await
            .assert_text(401, WRONG_CODE);
    }
    log_in_with(&server, "09121234567", &code)
        .await
        .assert_text(401, WRONG_CODE);
    // Guessing does not buy another SMS either.
    server
        .post("/api/otp/send/")
        .json(&json!({ "mobile_number": "09121234567" }))
        .await
        .assert_status(409);
}

async fn four_wrong_tries_leave_the_code_good(database: Database) {
    let server = TestServer::start(database).await;
    let code = send_code(&server, "09121234567").await;
    for nth in 1..=4 {
        log_in_with(&server, "09121234567", &another_code(&code, nth))
            .await
            .assert_status(401);
    }
    log_in_with(&server, "09121234567", &code)
        .await
        .assert_status(200);
}

async fn a_code_of_another_length_costs_no_try(database: Database) {
    let server = TestServer::start(database).await;
    let code = send_code(&server, "09121234567").await;
    for _ in 0..10 {
        log_in_with(&server, "09121234567", &code[..7])
            .await
            .assert_text(401, WRONG_CODE);
    }
    log_in_with(&server, "09121234567", &code)
        .await
        .assert_status(200);
}

async fn a_number_that_comes_back_is_the_same_user(database: Database) {
    let server = TestServer::start(database).await;
    let mut answers = Vec::new();
    for number in ["09121234567", "09121234568", "09121234567"] {
        let tokens = log_in(&server, number).await;
        let answer = server.get("/whoami").bearer(&tokens.access).await;
        answers.push(answer.assert_status(200).body.clone());
    }
    assert_eq!(answers[0], answers[2]);
    assert_ne!(answers[0], answers[1]);
}

async fn an_inactive_user_is_told_so_only_with_the_right_code(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    let whoami = server.get("/whoami").bearer(&tokens.access).await;
    let id = UserId(whoami.body.split(' ').next().unwrap().parse().unwrap());
    server.chelseru.set_user_active(id, false).await.unwrap();

    let code = send_code(&server, "09121234567").await;
    log_in_with(&server, "09121234567", &another_code(&code, 1))
        .await
        .assert_text(401, WRONG_CODE);
    log_in_with(&server, "09121234567", &code)
        .await
        .assert_json(
            401,
            &json!({ "detail": "User is inactive", "code": "user_inactive" }),
        );

    server.chelseru.set_user_active(id, true).await.unwrap();
    log_in_with(&server, "09121234567", &code)
        .await
        .assert_status(200);
}

async fn every_length_of_codes_works(database: Database) {
    for length in [3, 10] {
        let server = Setup::new(database)
            .await
            .config(|config| config.otp_length(length))
            .start()
            .await;
        let code = send_code(&server, "09121234567").await;
        assert_eq!(code.len(), usize::from(length));
        log_in_with(&server, "09121234567", &code)
            .await
            .assert_status(200);
    }
}

async fn a_login_is_told_with_its_device(database: Database) {
    let server = TestServer::start(database).await;
    let code = send_code(&server, "09121234567").await;
    let mut events = server.chelseru.events();
    let login = server
        .post("/api/authenticate/")
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
        )
        .json(&json!({ "mobile_number": "09121234567", "code": code }))
        .await;
    let claims = forge::read(&Tokens::of(&login).access);
    let Some(Event::LoggedIn {
        user,
        session,
        is_new,
        client,
        ..
    }) = events.next().await
    else {
        panic!("no login");
    };
    assert_eq!(
        (json!(user), json!(session)),
        (claims["user_id"].clone(), claims["sid"].clone())
    );
    assert!(is_new);
    assert_eq!(
        (client.device.as_str(), client.browser.as_str()),
        ("Linux", "Firefox")
    );
    assert_eq!(client.ip_address, "127.0.0.1");
}
