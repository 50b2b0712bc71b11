//! `GetCredit` of the REST API: what is left, in messages.

use chelseru_core::sms::SmsErrorKind::NotSent;
use chelseru_core::sms::{Credit, SmsError};

use super::{OF_THE_ACCOUNT, REST};
use crate::server::{Answer, Server};
use crate::setup::{config, fields, provider};

async fn credit(body: &str) -> Result<Credit, SmsError> {
    let server = Server::that_answers(Answer::json("200 OK", body)).await;
    provider(&config(REST, &server.url)).credit().await
}

#[tokio::test]
async fn the_question_has_the_account_and_nothing_else() {
    let answer = Answer::json("200 OK", r#"{"Value":"1","RetStatus":1}"#);
    let mut server = Server::that_answers(answer).await;
    provider(&config(REST, &server.url)).credit().await.unwrap();
    let request = server.request();
    assert_eq!(request.line, "POST /api/SendSMS/GetCredit HTTP/1.1");
    assert_eq!(
        request.form(),
        fields(&[("username", "hush-user"), ("password", "hush&pass=word")])
    );
}

#[tokio::test]
async fn what_is_left_is_a_number_of_messages_rounded_down() {
    for (value, messages) in [
        ("\"1234\"", 1234),
        ("\"1234.97\"", 1234),
        ("1234.97", 1234),
        ("1234", 1234),
        ("\"0\"", 0),
        ("\"0.9\"", 0),
        // A real credit, not the codes of these numbers.
        ("\"2\"", 2),
        ("\"110\"", 110),
    ] {
        let body = format!(r#"{{"Value":{value},"RetStatus":1,"StrRetStatus":"Ok"}}"#);
        assert_eq!(
            credit(&body).await,
            Ok(Credit::Messages(messages)),
            "{value}"
        );
    }
}

#[tokio::test]
async fn what_is_no_amount_is_a_failure() {
    for value in [
        "\"NULL\"", "null", "\"\"", "\"-1\"", "-1", "\"-2.5\"", "true", "[1]",
    ] {
        let body = format!(r#"{{"Value":{value},"RetStatus":1,"StrRetStatus":"Ok"}}"#);
        let error = credit(&body).await.unwrap_err();
        assert_eq!(error.kind(), NotSent, "{value}");
    }
}

#[tokio::test]
async fn every_code_has_its_kind() {
    let own = [(0, NotSent), (-1, NotSent)];
    for (code, kind) in OF_THE_ACCOUNT.into_iter().chain(own) {
        for body in [
            format!(r#"{{"Value":"{code}","RetStatus":35,"StrRetStatus":"InvalidData"}}"#),
            format!(r#"{{"Value":"NULL","RetStatus":{code}}}"#),
        ] {
            let error = credit(&body).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{body}");
            assert_eq!(error.code(), Some(code.to_string().as_str()));
        }
    }
}

#[tokio::test]
async fn a_refusal_with_an_amount_is_a_refusal() {
    let error = credit(r#"{"Value":"1234","RetStatus":35}"#)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("35"));
}
