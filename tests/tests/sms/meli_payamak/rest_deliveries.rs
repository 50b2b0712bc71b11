//! `GetDeliveries2` of the REST API: what became of messages, one question each.

use chelseru_core::sms::SmsErrorKind::{self, NotSent};
use chelseru_core::sms::{Delivery, DeliveryReport, SmsError};

use super::{OF_THE_ACCOUNT, REST, STATES};
use crate::server::{Answer, Server};
use crate::setup::{config, fields, ids, provider};

/// A reply with this value.
fn value(value: impl std::fmt::Display) -> Answer {
    let body = format!(r#"{{"Value":{value},"RetStatus":1,"StrRetStatus":"Ok"}}"#);
    Answer::json("200 OK", &body)
}

async fn deliveries(
    asked: &[&str],
    answers: Vec<Answer>,
) -> (Result<Vec<DeliveryReport>, SmsError>, usize) {
    let mut server = Server::that_answers_in_turn(answers).await;
    let reports = provider(&config(REST, &server.url))
        .deliveries(&ids(asked))
        .await;
    (reports, server.requests().len())
}

async fn delivery(answer: Answer) -> Result<Vec<DeliveryReport>, SmsError> {
    deliveries(&["5461268677656004204"], vec![answer]).await.0
}

fn told(reports: &[DeliveryReport]) -> Vec<&str> {
    reports.iter().map(|r| r.message_id.as_str()).collect()
}

#[tokio::test]
async fn every_message_is_a_question_of_its_own() {
    let mut server = Server::that_answers_in_turn(vec![value(1), value("\"2\"")]).await;
    let reports = provider(&config(REST, &server.url))
        .deliveries(&ids(&["5461268677656004204", "5461268677656004205"]))
        .await
        .unwrap();
    assert_eq!(
        told(&reports),
        ["5461268677656004204", "5461268677656004205"]
    );
    assert_eq!(reports[0].delivery, Delivery::Delivered);
    assert_eq!(reports[1].delivery, Delivery::Failed);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for (request, id) in requests
        .iter()
        .zip(["5461268677656004204", "5461268677656004205"])
    {
        assert_eq!(request.line, "POST /api/SendSMS/GetDeliveries2 HTTP/1.1");
        assert_eq!(
            request.form(),
            fields(&[
                ("username", "hush-user"),
                ("password", "hush&pass=word"),
                ("recId", id),
            ])
        );
    }
}

#[tokio::test]
async fn every_state_has_its_meaning_and_is_kept() {
    for (state, meaning) in STATES {
        for answer in [value(state), value(format!("\"{state}\""))] {
            let reports = delivery(answer).await.unwrap();
            assert_eq!(reports.len(), 1);
            assert_eq!(reports[0].delivery, meaning, "{state}");
            assert_eq!(reports[0].code, Some(state.to_string()));
        }
    }
}

#[tokio::test]
async fn an_account_without_delivery_reports_knows_nothing() {
    for nothing in ["null", "\"\"", "\"NULL\""] {
        let reports = delivery(value(nothing)).await.unwrap();
        assert_eq!(reports[0].delivery, Delivery::Unknown, "{nothing}");
        assert_eq!(reports[0].code, None);
    }
}

#[tokio::test]
async fn a_message_whose_answer_fails_is_left_out_and_the_others_are_not() {
    for failure in [
        Answer::close(),
        Answer::html("502 Bad Gateway"),
        Answer::json("200 OK", "[]"),
        Answer::json("200 OK", r#"{"Value":"1"}"#),
        Answer::json("200 OK", r#"{"Value":"1","RetStatus":35}"#),
    ] {
        let answers = vec![failure.clone(), failure, value(1), value(1)];
        let (reports, requests) = deliveries(&["1", "2", "3", "4"], answers).await;
        assert_eq!(told(&reports.unwrap()), ["3", "4"]);
        assert_eq!(requests, 4);
    }
}

#[tokio::test]
async fn three_failures_in_a_row_end_the_asking() {
    let lost = Answer::close;
    let answers = vec![value(1), lost(), lost(), value(1), lost(), lost(), lost()];
    let asked = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let (reports, requests) = deliveries(&asked, answers).await;
    assert_eq!(told(&reports.unwrap()), ["1", "4"]);
    assert_eq!(requests, 7);
}

#[tokio::test]
async fn a_refused_account_ends_the_asking_at_once() {
    // Repeated logins that fail block the address.
    let table = OF_THE_ACCOUNT
        .into_iter()
        .chain([(0, NotSent), (-3, NotSent)]);
    for (code, kind) in table {
        let refused =
            format!(r#"{{"Value":"{code}","RetStatus":35,"StrRetStatus":"InvalidData"}}"#);
        let refused = Answer::json("200 OK", &refused);
        let (reports, requests) = deliveries(&["1", "2"], vec![refused.clone()]).await;
        let error = reports.unwrap_err();
        assert_eq!(error.kind(), kind, "{code}");
        assert_eq!(error.code(), Some(code.to_string().as_str()));
        assert_eq!(requests, 1, "{code}");

        let (reports, requests) = deliveries(&["1", "2", "3"], vec![value(1), refused]).await;
        assert_eq!(told(&reports.unwrap()), ["1"], "{code}");
        assert_eq!(requests, 2, "{code}");
    }
}

#[tokio::test]
async fn too_many_requests_end_the_asking_at_once() {
    let limited = Answer::html("429 Too Many Requests");
    let (reports, requests) = deliveries(&["1", "2"], vec![limited]).await;
    assert_eq!(reports.unwrap_err().kind(), SmsErrorKind::Throttled);
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_code_that_can_be_no_state_is_a_failure_also_beside_a_success() {
    for code in [-3, -108, -109, -110, -111] {
        let error = delivery(value(code)).await.unwrap_err();
        assert_eq!(error.code(), Some(code.to_string().as_str()));
    }
}

#[tokio::test]
async fn an_undocumented_failure_is_kept() {
    for (body, code) in [
        (r#"{"Value":"77","RetStatus":4}"#, "77"),
        (r#"{"Value":null,"RetStatus":35}"#, "35"),
        (r#"{"RetStatus":-7}"#, "-7"),
    ] {
        let error = delivery(Answer::json("200 OK", body)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (NotSent, Some(code)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn nothing_is_asked_about_no_message() {
    let (reports, requests) = deliveries(&[], vec![Answer::close()]).await;
    assert_eq!((reports, requests), (Ok(Vec::new()), 0));
}
