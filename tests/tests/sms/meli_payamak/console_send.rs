//! `send/simple` and `send/shared` of the console API: texts and templates.

use chelseru_core::sms::SmsErrorKind::{NotSent, PerhapsSent, TemplateRefused};
use chelseru_core::sms::{Sent, Sms, SmsError};
use serde_json::{Value, json};

use super::CONSOLE;
use crate::server::{Answer, Request, Server};
use crate::setup::{config, provider, refusal, template, text};

/// The recorded success.
const OK: &str = r#"{"recId":4707203589561557161,"status":"ارسال موفق بود"}"#;

async fn request_of(sms: &Sms) -> Request {
    let mut server = Server::that_answers(Answer::json("200 OK", OK)).await;
    provider(&config(CONSOLE, &server.url))
        .send(sms)
        .await
        .unwrap();
    server.request()
}

async fn send(sms: &Sms, status: &str, body: &str) -> Result<Sent, SmsError> {
    crate::setup::send(CONSOLE, sms, Answer::json(status, body)).await
}

fn json_of(request: &Request) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

#[tokio::test]
async fn a_text_is_posted_as_json_with_the_token_in_the_path() {
    let request = request_of(&text("کد: 1\n\"2\"")).await;
    assert_eq!(request.line, "POST /api/send/simple/hush-console HTTP/1.1");
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(
        json_of(&request),
        json!({"from": "50004000", "to": "09121234567", "text": "کد: 1\n\"2\""})
    );
}

#[tokio::test]
async fn a_template_is_posted_with_its_variables_in_a_list() {
    let request = request_of(&template(" 042 ", &["123456", "a;b, c"])).await;
    assert_eq!(request.line, "POST /api/send/shared/hush-console HTTP/1.1");
    assert_eq!(
        json_of(&request),
        json!({"bodyId": 42, "to": "09121234567", "args": ["123456", "a;b, c"]})
    );
}

#[tokio::test]
async fn an_id_of_19_digits_keeps_its_last_digit() {
    for body in [
        OK,
        r#"{"recId":4707203589561557161,"status":""}"#,
        r#"{"recId":"4707203589561557161"}"#,
    ] {
        for sms in [text("hi"), template("1", &["2"])] {
            let sent = send(&sms, "200 OK", body).await;
            assert_eq!(sent, Ok(Sent::with_id("4707203589561557161")), "{body}");
        }
    }
}

#[tokio::test]
async fn a_message_without_an_id_was_refused_whatever_the_words() {
    for words in ["ارسال موفق بود", "اعتبار کافی نیست", ""] {
        let body = format!(r#"{{"recId":0,"status":"{words}"}}"#);
        for sms in [text("hi"), template("1", &["2"])] {
            let error = send(&sms, "200 OK", &body).await.unwrap_err();
            assert_eq!((error.kind(), error.code()), (NotSent, Some("recId 0")));
            assert!(words.is_empty() || !error.to_string().contains(words));
        }
    }
}

#[tokio::test]
async fn a_wrong_token_and_a_wrong_field_were_not_sent_and_are_told_apart() {
    for (body, meaning) in [
        (r#"{"status":"کلید کنسول معتبر نیست"}"#, "the console token"),
        (
            r#"{"type":"…","title":"One or more validation errors occurred.","status":400,
                "errors":{"to":["The to field is required."]}}"#,
            "a field",
        ),
        ("", "without a result"),
    ] {
        let error = send(&text("hi"), "400 Bad Request", body)
            .await
            .unwrap_err();
        assert_eq!((error.kind(), error.code()), (NotSent, Some("HTTP 400")));
        assert!(error.to_string().contains(meaning), "{error}");
    }
}

#[tokio::test]
async fn a_message_on_which_the_console_failed_was_perhaps_sent() {
    let body = r#"{"Message":"An unexpected error occured"}"#;
    for status in ["200 OK", "400 Bad Request", "500 Internal Server Error"] {
        let error = send(&text("hi"), status, body).await.unwrap_err();
        assert_eq!(error.kind(), PerhapsSent, "{status}");
        let code = format!("HTTP {}", &status[..3]);
        assert_eq!(error.code(), Some(code.as_str()));
    }
}

#[tokio::test]
async fn what_is_not_an_id_was_perhaps_sent() {
    for (status, body, code) in [
        ("200 OK", r#"{"recId":-110}"#, "-110"),
        ("200 OK", r#"{"recId":"-110"}"#, "-110"),
        ("200 OK", r#"{"recId":4.707203589561557e18}"#, "HTTP 200"),
        ("200 OK", r#"{"recId":9223372036854775808}"#, "HTTP 200"),
        (
            "200 OK",
            r#"{"recId":null,"status":"ارسال موفق بود"}"#,
            "HTTP 200",
        ),
        ("200 OK", r#"{"recIds":[4707203589561557161]}"#, "HTTP 200"),
        // An empty object of a server that failed says nothing.
        (
            "500 Internal Server Error",
            r#"{"recId":0,"status":null}"#,
            "HTTP 500",
        ),
    ] {
        let error = send(&text("hi"), status, body).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (PerhapsSent, Some(code)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_template_id_that_is_not_a_positive_integer_is_refused_before_sending() {
    for id in ["", "0", "-4", "login"] {
        let error = refusal(CONSOLE, &template(id, &["1"])).await;
        assert_eq!(error.kind(), TemplateRefused, "{id:?}");
    }
}
