//! Parsian: the one request that its clients send, and lenient reading of what is known of replies.

use chelseru_core::sms::SmsErrorKind::{NotSent, PerhapsSent, TemplateRefused, TextRefused};
use chelseru_core::sms::{Sent, SmsError};

use crate::server::{Answer, Server};
use crate::setup::{Api, config, provider, refusal, template, text};

const PARSIAN: Api = Api::Parsian;

async fn send(status: &str, body: &str) -> Result<Sent, SmsError> {
    let sms = template("12", &["123456"]);
    crate::setup::send(PARSIAN, &sms, Answer::json(status, body)).await
}

#[tokio::test]
async fn a_template_is_posted_with_the_token_in_the_body() {
    let mut server = Server::that_answers(Answer::json("200 OK", r#"{"status":200}"#)).await;
    provider(&config(PARSIAN, &server.url))
        .send(&template("12", &["123456", "a b;c"]))
        .await
        .unwrap();
    let request = server.request();
    assert_eq!(request.line, "POST /webservice-send-sms/send HTTP/1.1");
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(
        request.body,
        "token=hush-token&TemplateID=12&MessageVars=123456%2Ca+b%3Bc&Receiver=09121234567&delay=1"
    );
}

#[tokio::test]
async fn a_status_of_200_was_accepted_with_an_id_or_without() {
    for (body, id) in [
        (r#"{"status":200}"#, None),
        (r#"{"status":"200"}"#, None),
        (r#"{"status":200,"smsID":981}"#, Some("981")),
        (r#"{"status":200,"id":"a-7"}"#, Some("a-7")),
        (r#"{"status":200,"data":{"messageId":"981"}}"#, Some("981")),
        (r#"{"status":200,"id":{"odd":true}}"#, None),
        (r#"{"status":200,"id":"your code is 123456"}"#, None),
    ] {
        let sent = send("200 OK", body).await.unwrap();
        assert_eq!(sent.message_id.as_deref(), id, "{body}");
    }
}

#[tokio::test]
async fn a_known_failure_was_not_sent_whatever_the_http_status() {
    for status in ["200 OK", "401 Unauthorized", "500 Internal Server Error"] {
        for code in ["100", "401"] {
            for body in [
                format!(r#"{{"status":{code}}}"#),
                format!(r#"{{"status":"{code}"}}"#),
            ] {
                let error = send(status, &body).await.unwrap_err();
                assert_eq!(
                    (error.kind(), error.code()),
                    (NotSent, Some(code)),
                    "{body}"
                );
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_status_is_kept_and_judged_by_the_http_status() {
    for (status, kind) in [
        ("200 OK", PerhapsSent),
        ("422 Unprocessable Entity", NotSent),
        ("500 Internal Server Error", PerhapsSent),
    ] {
        let error = send(status, r#"{"status":512}"#).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (kind, Some("512")),
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_reply_without_a_status_was_perhaps_sent() {
    for body in [
        r#"{"ok":true}"#,
        "[]",
        "null",
        r#"{"status":true}"#,
        r#"{"status":"ok"}"#,
    ] {
        let error = send("200 OK", body).await.unwrap_err();
        assert_eq!(error.kind(), PerhapsSent, "{body}");
        assert_eq!(error.code(), Some("HTTP 200"));
    }
}

#[tokio::test]
async fn a_text_is_refused_before_sending() {
    let error = refusal(PARSIAN, &text("hi")).await;
    assert_eq!(error.kind(), TemplateRefused);
    assert!(error.to_string().contains("templates only"), "{error}");
}

#[tokio::test]
async fn a_variable_with_a_comma_is_refused_before_sending() {
    let error = refusal(PARSIAN, &template("12", &["a,b"])).await;
    assert_eq!(error.kind(), TextRefused);
}

#[tokio::test]
async fn a_template_id_that_is_not_a_positive_integer_is_refused_before_sending() {
    for id in ["", "0", "-1", "login"] {
        let error = refusal(PARSIAN, &template(id, &["1"])).await;
        assert_eq!(error.kind(), TemplateRefused, "{id:?}");
    }
}
