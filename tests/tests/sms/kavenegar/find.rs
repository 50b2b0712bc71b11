//! `sms/statuslocalmessageid`: whether a message was taken, by our own id of it.

use chelseru_core::sms::SmsErrorKind::PerhapsSent;
use chelseru_core::sms::{Delivery, DeliveryReport, LocalId, SmsError};

use super::{KAVENEGAR, OF_QUESTIONS, entries, result};
use crate::server::{Answer, Server};
use crate::setup::{config, fields, provider};

const ID: LocalId = LocalId(450);

async fn find(answer: Answer) -> Result<Option<DeliveryReport>, SmsError> {
    let server = Server::that_answers(answer).await;
    provider(&config(KAVENEGAR, &server.url)).find(ID).await
}

#[tokio::test]
async fn the_question_has_the_id_and_nothing_else() {
    let mut server = Server::that_answers(entries("[]")).await;
    provider(&config(KAVENEGAR, &server.url))
        .find(LocalId(i64::MAX))
        .await
        .unwrap();
    let request = server.request();
    assert_eq!(
        request.line,
        "POST /v1/hush-key/sms/statuslocalmessageid.json HTTP/1.1"
    );
    assert_eq!(
        request.form(),
        fields(&[("localid", "9223372036854775807")])
    );
}

#[tokio::test]
async fn a_message_that_was_taken_is_found_with_its_id_and_state() {
    for record in [
        // The documented sample, which has the id as a string, and the documented types.
        r#"[{"messageid":85463238,"localid":"450","status":10,"statustext":"رسیده به گیرنده"}]"#,
        r#"[{"messageid":85463238,"localid":450,"status":10}]"#,
        r#"{"messageid":"85463238","localid":450,"status":"10"}"#,
        r#"[{"messageid":85463238,"status":10}]"#,
    ] {
        let report = find(entries(record)).await.unwrap().unwrap();
        assert_eq!(report.message_id, "85463238", "{record}");
        assert_eq!(report.delivery, Delivery::Delivered, "{record}");
        assert_eq!(report.code.as_deref(), Some("10"), "{record}");
    }
}

#[tokio::test]
async fn a_message_in_an_undocumented_state_was_taken_all_the_same() {
    let record = r#"[{"messageid":7,"localid":450,"status":77}]"#;
    let report = find(entries(record)).await.unwrap().unwrap();
    assert_eq!(report.delivery, Delivery::Unknown);
    assert_eq!(report.code.as_deref(), Some("77"));
}

#[tokio::test]
async fn only_an_unknown_id_means_that_no_message_was_taken() {
    for records in [
        "[]",
        r#"[{"messageid":0,"localid":450,"status":100,"statustext":"…"}]"#,
        r#"[{"messageid":null,"localid":"450","status":"100"}]"#,
        r#"{"localid":450,"status":100}"#,
    ] {
        assert_eq!(find(entries(records)).await, Ok(None), "{records}");
    }
}

#[tokio::test]
async fn after_an_answer_about_anything_else_nobody_knows() {
    for records in [
        "null",
        "{}",
        "[null]",
        "\"none\"",
        "404",
        // Another message, two messages, and one without a state or an id.
        r#"[{"messageid":7,"localid":451,"status":100}]"#,
        r#"[{"messageid":7,"localid":"","status":100}]"#,
        r#"[{"messageid":7,"localid":450,"status":100},{"messageid":8,"localid":450,"status":1}]"#,
        r#"[{"messageid":7,"localid":450}]"#,
        r#"[{"messageid":7,"localid":450,"status":"?"}]"#,
        r#"[{"localid":450,"status":1}]"#,
    ] {
        let error = find(entries(records)).await.unwrap_err();
        assert_eq!(error.kind(), PerhapsSent, "{records}");
    }
}

#[tokio::test]
async fn after_a_refused_question_nobody_knows_and_the_result_is_kept() {
    for (code, _) in OF_QUESTIONS {
        let error = find(result(code)).await.unwrap_err();
        assert_eq!(error.kind(), PerhapsSent, "{code}");
        assert_eq!(error.code(), Some(code.to_string().as_str()));
    }
}
