//! `sms/status`: what became of messages.

use chelseru_core::sms::{Delivery, DeliveryReport, SmsError};

use super::{KAVENEGAR, OF_QUESTIONS, entries, result};
use crate::server::{Answer, Server};
use crate::setup::{config, fields, ids, provider};

async fn deliveries(asked: &[&str], answer: Answer) -> Result<Vec<DeliveryReport>, SmsError> {
    let server = Server::that_answers(answer).await;
    provider(&config(KAVENEGAR, &server.url))
        .deliveries(&ids(asked))
        .await
}

#[tokio::test]
async fn one_question_asks_for_all_of_them_in_a_list() {
    let mut server = Server::that_answers(entries("[]")).await;
    let reports = provider(&config(KAVENEGAR, &server.url))
        .deliveries(&ids(&["8792343", "8792344"]))
        .await;
    assert_eq!(reports, Ok(Vec::new()));
    let request = server.request();
    assert_eq!(request.line, "POST /v1/hush-key/sms/status.json HTTP/1.1");
    assert_eq!(request.form(), fields(&[("messageid", "8792343,8792344")]));
}

#[tokio::test]
async fn no_question_has_more_than_500_ids() {
    let asked: Vec<String> = (1..=1001).map(|id: u32| id.to_string()).collect();
    let record = |id: &str| entries(&format!(r#"[{{"messageid":{id},"status":10}}]"#));
    let answers = vec![record("500"), record("1000"), record("1001")];
    let mut server = Server::that_answers_in_turn(answers).await;
    let reports = provider(&config(KAVENEGAR, &server.url))
        .deliveries(&asked)
        .await
        .unwrap();
    let told: Vec<_> = reports.iter().map(|r| r.message_id.as_str()).collect();
    assert_eq!(told, ["500", "1000", "1001"]);
    let lists: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.field("messageid"))
        .collect();
    assert_eq!(
        lists,
        [
            asked[..500].join(","),
            asked[500..1000].join(","),
            "1001".to_owned()
        ]
    );
}

#[tokio::test]
async fn a_portion_that_fails_ends_the_asking_and_loses_nothing_of_those_before() {
    let asked: Vec<String> = (1..=1500).map(|id: u32| id.to_string()).collect();
    let first = entries(r#"[{"messageid":1,"status":10}]"#);
    let mut server = Server::that_answers_in_turn(vec![first, Answer::close()]).await;
    let reports = provider(&config(KAVENEGAR, &server.url))
        .deliveries(&asked)
        .await
        .unwrap();
    assert_eq!(reports.len(), 1);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn every_state_has_its_meaning_and_is_kept() {
    for (state, meaning) in [
        (1, Delivery::Pending),
        (2, Delivery::Pending),
        (4, Delivery::AtOperator),
        (5, Delivery::AtOperator),
        (6, Delivery::Failed),
        (10, Delivery::Delivered),
        (11, Delivery::Failed),
        (13, Delivery::Failed),
        (14, Delivery::Blocked),
        (50, Delivery::Unknown),
        (100, Delivery::Unknown),
        (0, Delivery::Unknown),
        (-1, Delivery::Unknown),
        (77, Delivery::Unknown),
    ] {
        for written in [format!("{state}"), format!("\"{state}\"")] {
            let records = format!(r#"[{{"messageid":7,"status":{written},"statustext":"…"}}]"#);
            let reports = deliveries(&["7"], entries(&records)).await.unwrap();
            let told: Vec<_> = reports
                .iter()
                .map(|r| (r.message_id.as_str(), r.delivery, r.code.clone()))
                .collect();
            assert_eq!(told, [("7", meaning, Some(state.to_string()))]);
        }
    }
}

#[tokio::test]
async fn a_record_that_is_not_understood_or_was_not_asked_for_is_left_out() {
    let records = r#"[{"messageid":7,"status":10},{"messageid":8},{"status":10},null,
                      {"messageid":9,"status":10},{"messageid":"10","status":11}]"#;
    let reports = deliveries(&["7", "8", "10"], entries(records))
        .await
        .unwrap();
    let told: Vec<_> = reports.iter().map(|r| r.message_id.as_str()).collect();
    assert_eq!(told, ["7", "10"]);
}

#[tokio::test]
async fn an_answer_of_which_nothing_is_understood_is_a_failure() {
    for records in ["{}", "[null]", r#"[{"messageid":9,"status":10}]"#, "\"?\""] {
        let error = deliveries(&["7"], entries(records)).await.unwrap_err();
        assert!(error.is_certain(), "{records}");
        assert_eq!(error.code(), Some("HTTP 200"), "{records}");
    }
}

#[tokio::test]
async fn nothing_is_asked_about_no_message_and_about_ids_of_others() {
    let mut server = Server::that_answers(Answer::close()).await;
    let provider = provider(&config(KAVENEGAR, &server.url));
    for asked in [&[][..], &["", "a-7", "1,2", "-5", "1 2", "۷"]] {
        assert_eq!(provider.deliveries(&ids(asked)).await, Ok(Vec::new()));
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn every_result_has_its_kind() {
    for (code, kind) in OF_QUESTIONS {
        let error = deliveries(&["7"], result(code)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{code}");
        assert_eq!(error.code(), Some(code.to_string().as_str()));
    }
}
