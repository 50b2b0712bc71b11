//! POST /api/message/send/

use chelseru_core::sms::{Content, SmsError, SmsErrorKind, TemplateId};
use chelseru_core::store::{SmsPurpose, SmsStatus};
use chelseru_tests::{Database, Setup, TestServer, log_in, on_both_databases};
use serde_json::{Value, json};

on_both_databases! {
    a_message_is_sent_as_it_is_written
    a_form_will_do
    two_hundred_and_ninety_characters_are_allowed_and_one_more_is_not
    a_template_may_be_named_by_its_id_or_by_its_name
    a_template_that_is_none_is_refused
    a_refusal_of_the_provider_is_a_bad_gateway
    a_message_that_was_perhaps_sent_is_a_bad_gateway
    a_text_that_the_provider_cannot_send_is_the_callers_to_mend
    every_message_is_in_the_log_without_its_text
}

fn message(text: &str) -> Value {
    json!({ "mobile_number": "+98 912 765 4321", "message_text": text })
}

async fn a_message_is_sent_as_it_is_written(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    server
        .post("/api/message/send/")
        .bearer(&access)
        .json(&message("سلام 👋\nخوبی؟ <b>&amp;</b>"))
        .await
        .assert_json(
            200,
            &json!({ "details": "The Message was sent correctly." }),
        );
    let sms = server.sms.last().unwrap();
    assert_eq!(sms.to.as_str(), "09127654321");
    match sms.content {
        Content::Text(text) => assert_eq!(text, "سلام 👋\nخوبی؟ <b>&amp;</b>"),
        Content::Template { .. } => panic!("{sms:?}"),
    }
}

async fn a_form_will_do(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    server
        .post("/api/message/send")
        .bearer(&access)
        .form(&[("mobile_number", "۰۹۱۲۷۶۵۴۳۲۱"), ("message_text", "سلام")])
        .await
        .assert_status(200);
    assert_eq!(server.sms.last().unwrap().to.as_str(), "09127654321");
}

async fn two_hundred_and_ninety_characters_are_allowed_and_one_more_is_not(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    for char in ["x", "س", "👋"] {
        let send = |chars: usize| {
            server
                .post("/api/message/send/")
                .bearer(&access)
                .json(&message(&char.repeat(chars)))
        };
        let before = server.sms.sent();
        send(290).await.assert_status(200);
        send(291).await.assert_text(
            400,
            r#"{"message_text":["Ensure this field has no more than 290 characters."]}"#,
        );
        assert_eq!(server.sms.sent(), before + 1);
    }
}

async fn a_template_may_be_named_by_its_id_or_by_its_name(database: Database) {
    let server = Setup::new(database)
        .await
        .config(|config| config.template("T1", 17))
        .start()
        .await;
    let access = log_in(&server, "09121234567").await.access;
    for (template, id) in [(json!(5), "5"), (json!("5"), "5"), (json!("T1"), "17")] {
        let mut body = message("Ali");
        body["template_id"] = template;
        server
            .post("/api/message/send/")
            .bearer(&access)
            .json(&body)
            .await
            .assert_status(200);
        match server.sms.last().unwrap().content {
            Content::Template {
                id: used,
                variables,
            } => {
                assert_eq!(used, TemplateId::from(id));
                assert_eq!(variables, ["Ali"]);
            }
            Content::Text(_) => panic!("no template"),
        }
    }
    for none in [Value::Null, json!(""), json!(0)] {
        let mut body = message("Ali");
        body["template_id"] = none;
        server
            .post("/api/message/send/")
            .bearer(&access)
            .json(&body)
            .await
            .assert_status(200);
        assert!(matches!(
            server.sms.last().unwrap().content,
            Content::Text(_)
        ));
    }
}

async fn a_template_that_is_none_is_refused(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    let calls = server.sms.calls();
    for template in [
        json!("T1"),
        json!(-1),
        json!(1.5),
        json!(true),
        json!([1]),
        json!({}),
        json!("99999999999999999999"),
    ] {
        let mut body = message("Ali");
        body["template_id"] = template;
        server
            .post("/api/message/send/")
            .bearer(&access)
            .json(&body)
            .await
            .assert_faulty_fields(&["template_id"]);
    }
    assert_eq!(server.sms.calls(), calls);
}

async fn a_refusal_of_the_provider_is_a_bad_gateway(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    for kind in [
        SmsErrorKind::NotSent,
        SmsErrorKind::NumberRefused,
        SmsErrorKind::Throttled,
        SmsErrorKind::TextRefused,
        SmsErrorKind::TemplateRefused,
    ] {
        server
            .sms
            .fail_next(SmsError::new(kind, "account 4711 says no").with_code("K-411"));
        let calls = server.sms.calls();
        let answer = server
            .post("/api/message/send/")
            .bearer(&access)
            .json(&message("the text"))
            .await;
        answer.assert_status(502);
        for word in ["4711", "K-411", "says no", "the text", "0912"] {
            assert!(!answer.body.contains(word), "{answer:?}");
        }
        assert_eq!(server.sms.calls(), calls + 1, "it is asked once");
    }
}

async fn a_message_that_was_perhaps_sent_is_a_bad_gateway(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    server.sms.fail_next(SmsError::new(
        SmsErrorKind::PerhapsSent,
        "no answer from 192.0.2.7",
    ));
    let calls = server.sms.calls();
    let answer = server
        .post("/api/message/send/")
        .bearer(&access)
        .json(&message("the text"))
        .await;
    answer.assert_status(502);
    assert!(!answer.body.contains("192.0.2.7"), "{answer:?}");
    assert_eq!(server.sms.calls(), calls + 1, "it is asked once");
    let log = server.store().recent_sms(None, 1).await.unwrap();
    assert_eq!(log[0].outcome.status, SmsStatus::Unknown);
}

async fn a_text_that_the_provider_cannot_send_is_the_callers_to_mend(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    for (kind, template, field) in [
        (SmsErrorKind::TextRefused, Value::Null, "message_text"),
        (SmsErrorKind::TemplateRefused, Value::Null, "template_id"),
        (SmsErrorKind::TemplateRefused, json!(5), "template_id"),
    ] {
        // Without a code of the provider's: it was not even asked.
        server.sms.fail_next(SmsError::new(kind, "templates only"));
        let mut body = message("the text");
        body["template_id"] = template;
        server
            .post("/api/message/send/")
            .bearer(&access)
            .json(&body)
            .await
            .assert_faulty_fields(&[field]);
    }
}

async fn every_message_is_in_the_log_without_its_text(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    server
        .post("/api/message/send/")
        .bearer(&access)
        .json(&message("the text"))
        .await
        .assert_status(200);
    let log = server.store().recent_sms(None, 10).await.unwrap();
    let rows: Vec<_> = log
        .iter()
        .map(|row| {
            let is_users = row.sms.user.is_some();
            (
                row.sms.mobile_number.as_str(),
                row.sms.purpose,
                row.outcome.status,
                is_users,
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (
                "09127654321",
                SmsPurpose::Message,
                SmsStatus::Accepted,
                true
            ),
            ("09121234567", SmsPurpose::Code, SmsStatus::Accepted, false),
        ]
    );
    assert!(!format!("{log:?}").contains("the text"));
}
