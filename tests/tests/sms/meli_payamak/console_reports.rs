//! `receive/status` and `receive/credit` of the console API.

use chelseru_core::sms::SmsErrorKind::NotSent;
use chelseru_core::sms::{Credit, Delivery, DeliveryReport, SmsError};

use super::{CONSOLE, STATES};
use crate::server::{Answer, Server};
use crate::setup::{config, ids, provider};

async fn deliveries(asked: &[&str], answer: Answer) -> Result<Vec<DeliveryReport>, SmsError> {
    let server = Server::that_answers(answer).await;
    provider(&config(CONSOLE, &server.url))
        .deliveries(&ids(asked))
        .await
}

async fn credit(status: &str, body: &str) -> Result<Credit, SmsError> {
    let server = Server::that_answers(Answer::json(status, body)).await;
    provider(&config(CONSOLE, &server.url)).credit().await
}

fn states(states: &str) -> Answer {
    let body = format!(r#"{{"results":[],"resultsAsCode":{states},"status":"…"}}"#);
    Answer::json("200 OK", &body)
}

#[tokio::test]
async fn one_question_asks_for_all_of_them_as_numbers() {
    let mut server = Server::that_answers(states("[1,-1]")).await;
    let reports = provider(&config(CONSOLE, &server.url))
        .deliveries(&ids(&[
            "4707203589561557161",
            "word",
            "4707203589561557163",
        ]))
        .await
        .unwrap();
    let told: Vec<_> = reports
        .iter()
        .map(|r| (r.message_id.as_str(), r.delivery))
        .collect();
    assert_eq!(
        told,
        [
            ("4707203589561557161", Delivery::Delivered),
            ("4707203589561557163", Delivery::Unknown),
        ]
    );
    let request = server.request();
    assert_eq!(
        request.line,
        "POST /api/receive/status/hush-console HTTP/1.1"
    );
    assert_eq!(
        request.body,
        r#"{"recIds":[4707203589561557161,4707203589561557163]}"#
    );
}

#[tokio::test]
async fn every_state_has_its_meaning_and_is_kept() {
    for (state, meaning) in STATES {
        for list in [format!("[{state}]"), format!("[\"{state}\"]")] {
            let reports = deliveries(&["7"], states(&list)).await.unwrap();
            assert_eq!(reports[0].delivery, meaning, "{state}");
            assert_eq!(reports[0].code, Some(state.to_string()));
        }
    }
}

#[tokio::test]
async fn an_account_without_delivery_reports_knows_nothing() {
    let reports = deliveries(&["7"], states("[null]")).await.unwrap();
    assert_eq!(
        (reports[0].delivery, &reports[0].code),
        (Delivery::Unknown, &None)
    );
}

#[tokio::test]
async fn no_question_has_more_than_100_ids_and_one_that_fails_loses_nothing_before_it() {
    let asked: Vec<String> = (1..=250).map(|id: u32| id.to_string()).collect();
    let full = states(&format!("[{}]", ["1"; 100].join(",")));
    let answers = vec![full, Answer::close()];
    let mut server = Server::that_answers_in_turn(answers).await;
    let reports = provider(&config(CONSOLE, &server.url))
        .deliveries(&asked)
        .await
        .unwrap();
    let told: Vec<_> = reports.into_iter().map(|r| r.message_id).collect();
    assert_eq!(told, asked[..100]);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        requests[1].body,
        format!("{{\"recIds\":[{}]}}", asked[100..200].join(","))
    );
}

#[tokio::test]
async fn states_that_cannot_be_told_apart_are_a_failure() {
    for list in ["[]", "[1]", "[1,1,1]", "null", "1", "{}"] {
        let error = deliveries(&["7", "8"], states(list)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (NotSent, Some("HTTP 200")),
            "{list}"
        );
    }
}

#[tokio::test]
async fn a_message_of_which_the_account_may_not_know_is_left_out() {
    let reports = deliveries(&["7", "8"], states("[-3,1]")).await.unwrap();
    let told: Vec<_> = reports.iter().map(|r| r.message_id.as_str()).collect();
    assert_eq!(told, ["8"]);
}

#[tokio::test]
async fn nothing_is_asked_about_no_message() {
    let mut server = Server::that_answers(Answer::close()).await;
    let provider = provider(&config(CONSOLE, &server.url));
    for asked in [&[][..], &["word", "99999999999999999999"]] {
        assert_eq!(provider.deliveries(&ids(asked)).await, Ok(Vec::new()));
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn the_credit_is_got_with_the_token_in_the_path() {
    let answer = Answer::json("200 OK", r#"{"amount":1,"status":""}"#);
    let mut server = Server::that_answers(answer).await;
    provider(&config(CONSOLE, &server.url))
        .credit()
        .await
        .unwrap();
    let request = server.request();
    assert_eq!(
        request.line,
        "GET /api/receive/credit/hush-console HTTP/1.1"
    );
    assert_eq!(request.body, "");
}

#[tokio::test]
async fn what_is_left_is_told_in_rial_rounded_down() {
    for (amount, rial) in [
        ("1500000", 1_500_000),
        ("1500.75", 1500),
        ("\"12\"", 12),
        ("0", 0),
    ] {
        let body = format!(r#"{{"amount":{amount},"status":"…"}}"#);
        let told = credit("200 OK", &body).await;
        assert_eq!(told, Ok(Credit::Rial(rial)), "{amount}");
    }
}

#[tokio::test]
async fn an_answer_without_an_amount_is_a_failure() {
    for (status, body, code) in [
        ("200 OK", r#"{"amount":null,"status":"…"}"#, "HTTP 200"),
        ("200 OK", r#"{"status":"…"}"#, "HTTP 200"),
        (
            "200 OK",
            r#"{"Message":"An unexpected error occured"}"#,
            "HTTP 200",
        ),
        (
            "400 Bad Request",
            r#"{"status":"کلید کنسول معتبر نیست"}"#,
            "HTTP 400",
        ),
        (
            "400 Bad Request",
            r#"{"amount":0,"status":"کلید کنسول معتبر نیست"}"#,
            "HTTP 400",
        ),
        ("500 Internal Server Error", r#"{"amount":5}"#, "HTTP 500"),
    ] {
        let error = credit(status, body).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (NotSent, Some(code)),
            "{body}"
        );
    }
}
