//! `account/info`: what is left, in rial.

use chelseru_core::sms::{Credit, SmsError};

use super::{KAVENEGAR, OF_QUESTIONS, entries, result};
use crate::server::{Answer, Server};
use crate::setup::{config, provider};

async fn credit(answer: Answer) -> Result<Credit, SmsError> {
    let server = Server::that_answers(answer).await;
    provider(&config(KAVENEGAR, &server.url)).credit().await
}

#[tokio::test]
async fn the_question_has_no_fields() {
    let answer = entries(r#"{"remaincredit":1,"expiredate":1,"type":"master"}"#);
    let mut server = Server::that_answers(answer).await;
    provider(&config(KAVENEGAR, &server.url))
        .credit()
        .await
        .unwrap();
    let request = server.request();
    assert_eq!(request.line, "POST /v1/hush-key/account/info.json HTTP/1.1");
    assert_eq!(request.body, "");
}

#[tokio::test]
async fn what_is_left_is_told_in_rial() {
    for (account, rial) in [
        (
            r#"{"remaincredit":1500000,"expiredate":13548889,"type":"master"}"#,
            1_500_000,
        ),
        // One client reads an array.
        (r#"[{"remaincredit":1500000}]"#, 1_500_000),
        (r#"{"remaincredit":"1500000"}"#, 1_500_000),
        (r#"{"remaincredit":"12.9"}"#, 12),
        (r#"{"remaincredit":0}"#, 0),
        (r#"{"remaincredit":-3000}"#, -3000),
        (
            r#"{"remaincredit":9007199254740993}"#,
            9_007_199_254_740_993,
        ),
    ] {
        assert_eq!(
            credit(entries(account)).await,
            Ok(Credit::Rial(rial)),
            "{account}"
        );
    }
}

#[tokio::test]
async fn an_answer_without_an_amount_is_a_failure() {
    for account in [
        "null",
        "{}",
        "[]",
        "[null]",
        "1500000",
        r#"{"remaincredit":"NULL"}"#,
    ] {
        let error = credit(entries(account)).await.unwrap_err();
        assert_eq!(error.code(), Some("HTTP 200"), "{account}");
    }
}

#[tokio::test]
async fn every_result_has_its_kind() {
    for (code, kind) in OF_QUESTIONS {
        let error = credit(result(code)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{code}");
        assert_eq!(error.code(), Some(code.to_string().as_str()));
    }
}
