//! `SendSMS` and `BaseServiceNumber` of the REST API: texts and templates.

use chelseru_core::sms::SmsErrorKind::{
    self, NotSent, NumberRefused, PerhapsSent, TemplateRefused, TextRefused, Throttled,
};
use chelseru_core::sms::{Sent, Sms, SmsError};

use super::{OF_BOTH, OF_TEXTS, REST};
use crate::server::{Answer, Server};
use crate::setup::{config, fields, provider, send_each, template, text};

const OK: &str = r#"{"Value":"5461268677656004204","RetStatus":1,"StrRetStatus":"Ok"}"#;

async fn send(sms: &Sms, body: &str) -> Result<Sent, SmsError> {
    crate::setup::send(REST, sms, Answer::json("200 OK", body)).await
}

async fn refusal(sms: &Sms) -> SmsError {
    crate::setup::refusal(REST, sms).await
}

#[tokio::test]
async fn a_text_is_posted_with_the_account_in_the_body() {
    let mut server = Server::that_answers(Answer::json("200 OK", OK)).await;
    provider(&config(REST, &server.url))
        .send(&text("code: 1"))
        .await
        .unwrap();
    let request = server.request();
    assert_eq!(request.line, "POST /api/SendSMS/SendSMS HTTP/1.1");
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(
        request.body,
        "username=hush-user&password=hush%26pass%3Dword&to=09121234567&from=50004000\
         &text=code%3A+1&isFlash=false"
    );
}

#[tokio::test]
async fn a_template_is_posted_with_its_variables_joined() {
    let mut server = Server::that_answers(Answer::json("200 OK", OK)).await;
    provider(&config(REST, &server.url))
        .send(&template(" 042 ", &["123456", "علی, رضا"]))
        .await
        .unwrap();
    let request = server.request();
    assert_eq!(request.line, "POST /api/SendSMS/BaseServiceNumber HTTP/1.1");
    assert_eq!(
        request.form(),
        fields(&[
            ("username", "hush-user"),
            ("password", "hush&pass=word"),
            ("text", "123456;علی, رضا"),
            ("to", "09121234567"),
            ("bodyId", "42"),
        ])
    );
}

#[tokio::test]
async fn an_id_of_19_digits_keeps_its_last_digit() {
    for body in [
        OK,
        r#"{"Value":5461268677656004204,"RetStatus":1,"StrRetStatus":"Ok"}"#,
        r#"{"Value":"5461268677656004204","RetStatus":"1"}"#,
        "\u{FEFF}{\"Value\":\"5461268677656004204\",\"RetStatus\":1}",
    ] {
        for sms in [text("hi"), template("1", &["2"])] {
            let sent = send(&sms, body).await;
            assert_eq!(sent, Ok(Sent::with_id("5461268677656004204")), "{body}");
        }
    }
}

#[tokio::test]
async fn recorded_failures_are_failures() {
    for (body, kind, code) in [
        (
            r#"{"Value":"0","RetStatus":35,"StrRetStatus":"InvalidData"}"#,
            NotSent,
            "0",
        ),
        (
            r#"{"Value":"5","RetStatus":9,"StrRetStatus":"InvalidNumber"}"#,
            NotSent,
            "5",
        ),
        (
            r#"{"Value":-110,"RetStatus":-110,"StrRetStatus":"Not Ok"}"#,
            NotSent,
            "-110",
        ),
        (
            r#"{"Value":"-111","RetStatus":35,"StrRetStatus":"InvalidData"}"#,
            NotSent,
            "-111",
        ),
    ] {
        let error = send(&text("hi"), body).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, Some(code)), "{body}");
    }
    let unknown_template = r#"{"Value":"-4","RetStatus":35,"StrRetStatus":"InvalidData"}"#;
    let error = send(&template("1", &["2"]), unknown_template)
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.code()), (TemplateRefused, Some("-4")));
}

#[tokio::test]
async fn a_code_is_never_taken_for_a_message_id() {
    for value in [
        "\"2\"", "2", "0", "\"0\"", "\"-110\"", "-110", "\"35\"", "\"1000\"", "\"\"", "null",
    ] {
        let body = format!(r#"{{"Value":{value},"RetStatus":1,"StrRetStatus":"Ok"}}"#);
        for sms in [text("hi"), template("1", &["2"])] {
            let sent = send(&sms, &body).await;
            assert!(sent.is_err(), "{value}");
        }
    }
}

#[tokio::test]
async fn only_a_value_of_35_means_a_blacklisted_number() {
    let lone = r#"{"Value":null,"RetStatus":35,"StrRetStatus":"InvalidData"}"#;
    let error = send(&text("hi"), lone).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (NotSent, Some("35")));

    let blacklisted = r#"{"Value":"35","RetStatus":35,"StrRetStatus":"InvalidData"}"#;
    let error = send(&text("hi"), blacklisted).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (NumberRefused, Some("35")));
}

#[tokio::test]
async fn without_a_value_the_status_is_the_code() {
    let error = send(&text("hi"), r#"{"RetStatus":-108}"#)
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.code()), (Throttled, Some("-108")));
}

#[tokio::test]
async fn an_undocumented_code_is_kept_and_is_certain_only_as_invalid_data() {
    for (body, kind, code) in [
        (r#"{"Value":"13","RetStatus":35}"#, NotSent, "13"),
        (r#"{"Value":"13","RetStatus":4}"#, PerhapsSent, "13"),
        (r#"{"Value":"1","RetStatus":1}"#, PerhapsSent, "1"),
        (r#"{"Value":"","RetStatus":1}"#, PerhapsSent, "1"),
        (
            r#"{"Value":"5461268677656004204","RetStatus":35}"#,
            PerhapsSent,
            "35",
        ),
        (
            r#"{"Value":"5461268677656004204"}"#,
            PerhapsSent,
            "HTTP 200",
        ),
    ] {
        let error = send(&text("hi"), body).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, Some(code)), "{body}");
    }
}

const OF_TEMPLATES: [(i64, SmsErrorKind); 11] = [
    (-1, TemplateRefused),
    (-2, NotSent),
    (-3, NotSent),
    (-4, TemplateRefused),
    (-5, TextRefused),
    (-6, PerhapsSent),
    (-7, NotSent),
    (-10, TextRefused),
    (3, NotSent),
    (4, NotSent),
    (5, NotSent),
];

/// The code as a number and as a string, and with both statuses that were seen beside codes.
fn replies_with(code: i64) -> [String; 3] {
    [
        format!(r#"{{"Value":"{code}","RetStatus":35,"StrRetStatus":"InvalidData"}}"#),
        format!(r#"{{"Value":{code},"RetStatus":{code},"StrRetStatus":"Not Ok"}}"#),
        format!(r#"{{"Value":"{code}","RetStatus":1,"StrRetStatus":"Ok"}}"#),
    ]
}

async fn assert_kinds(sms: &Sms, table: impl Iterator<Item = (i64, SmsErrorKind)>) {
    for (code, kind) in table {
        let replies = replies_with(code);
        let answers = replies.each_ref().map(|body| Answer::json("200 OK", body));
        let results = send_each(REST, sms, answers.into()).await;
        for (body, result) in replies.iter().zip(results) {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), kind, "{body}");
            assert_eq!(error.code(), Some(code.to_string().as_str()));
        }
    }
}

#[tokio::test]
async fn every_code_of_a_text_has_its_kind() {
    assert_kinds(&text("hi"), OF_BOTH.into_iter().chain(OF_TEXTS)).await;
}

#[tokio::test]
async fn every_code_of_a_template_has_its_kind() {
    let sms = template("1", &["2"]);
    assert_kinds(&sms, OF_BOTH.into_iter().chain(OF_TEMPLATES)).await;
}

#[tokio::test]
async fn a_variable_with_a_semicolon_is_refused_before_sending() {
    let error = refusal(&template("1", &["fine", "two;parts"])).await;
    assert_eq!(error.kind(), TextRefused);
    assert!(error.to_string().contains("variable 2"), "{error}");
}

#[tokio::test]
async fn a_template_id_that_is_not_a_positive_integer_is_refused_before_sending() {
    for id in ["", "0", "-4", "login", "1.5", "۱۲", "99999999999999999999"] {
        let error = refusal(&template(id, &["1"])).await;
        assert_eq!(error.kind(), TemplateRefused, "{id:?}");
    }
}
