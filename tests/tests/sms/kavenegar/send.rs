//! `sms/send` and `verify/lookup`: texts and templates.

use std::time::Duration;

use chelseru_core::sms::SmsErrorKind::{
    self, MessageRefused, NotSent, NumberRefused, PerhapsSent, TemplateRefused, TextRefused,
    Throttled,
};
use chelseru_core::sms::{LocalId, Sent, Sms, SmsError};

use super::{KAVENEGAR, result};
use crate::server::{Answer, Server};
use crate::setup::{config, fields, provider, send_each, template, text};

/// The documented success, with the state that the test is about.
fn accepted(state: &str) -> Answer {
    Answer::json(
        "200 OK",
        &format!(
            r#"{{"return":{{"status":200,"message":"تایید شد"}},
                "entries":[{{"messageid":8792343,"message":"…","status":{state},
                             "statustext":"در صف ارسال","sender":"10004346",
                             "receptor":"09121234567","date":1356619709,"cost":120}}]}}"#
        ),
    )
}

async fn send(sms: &Sms, answer: Answer) -> Result<Sent, SmsError> {
    crate::setup::send(KAVENEGAR, sms, answer).await
}

async fn refusal(sms: &Sms) -> SmsError {
    crate::setup::refusal(KAVENEGAR, sms).await
}

#[tokio::test]
async fn a_text_is_posted_as_a_form_with_the_key_in_the_path() {
    let mut server = Server::that_answers(accepted("1")).await;
    let provider = provider(&config(KAVENEGAR, &server.url));
    provider.send(&text("code: 1&2")).await.unwrap();
    let request = server.request();
    assert_eq!(request.line, "POST /v1/hush-key/sms/send.json HTTP/1.1");
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(request.body, "receptor=09121234567&message=code%3A+1%262");
}

#[tokio::test]
async fn a_persian_text_with_line_breaks_arrives_unchanged() {
    let mut server = Server::that_answers(accepted("1")).await;
    let message = "کد ورود: ۱۲۳\u{200C}۴\n@shop.example #1234 + 100%";
    provider(&config(KAVENEGAR, &server.url))
        .send(&text(message))
        .await
        .unwrap();
    assert_eq!(
        server.request().form(),
        fields(&[("receptor", "09121234567"), ("message", message)])
    );
}

#[tokio::test]
async fn a_text_goes_out_on_the_configured_line() {
    let mut server = Server::that_answers(accepted("1")).await;
    let mut config = config(KAVENEGAR, &server.url);
    config.settings.kavenegar_com_from = "10004346".to_owned();
    provider(&config).send(&text("hi")).await.unwrap();
    assert_eq!(
        server.request().body,
        "receptor=09121234567&message=hi&sender=10004346"
    );
}

#[tokio::test]
async fn a_text_carries_our_own_id_of_it() {
    let mut server = Server::that_answers(accepted("1")).await;
    let mut config = config(KAVENEGAR, &server.url);
    config.settings.kavenegar_com_from = "10004346".to_owned();
    let mut sms = text("hi");
    sms.local_id = Some(LocalId(i64::MAX));
    provider(&config).send(&sms).await.unwrap();
    assert_eq!(
        server.request().body,
        "receptor=09121234567&message=hi&sender=10004346&localid=9223372036854775807"
    );
}

#[tokio::test]
async fn a_template_carries_no_id_of_ours_for_kavenegar_takes_none() {
    let mut server = Server::that_answers(accepted("5")).await;
    let mut sms = template("login", &["1"]);
    sms.local_id = Some(LocalId(450));
    provider(&config(KAVENEGAR, &server.url))
        .send(&sms)
        .await
        .unwrap();
    assert_eq!(
        server.request().body,
        "receptor=09121234567&template=login&token=1"
    );
}

#[tokio::test]
async fn a_template_is_posted_with_its_variables_as_tokens() {
    let mut server = Server::that_answers(accepted("5")).await;
    let sms = template(
        "login",
        &[
            "123456",
            "b",
            "سه",
            "one two three four five six",
            "1 2 3 4 5 6 7 8 9",
        ],
    );
    provider(&config(KAVENEGAR, &server.url))
        .send(&sms)
        .await
        .unwrap();
    let request = server.request();
    assert_eq!(
        request.line,
        "POST /v1/hush-key/verify/lookup.json HTTP/1.1"
    );
    assert_eq!(
        request.form(),
        fields(&[
            ("receptor", "09121234567"),
            ("template", "login"),
            ("token", "123456"),
            ("token2", "b"),
            ("token3", "سه"),
            ("token10", "one two three four five six"),
            ("token20", "1 2 3 4 5 6 7 8 9"),
        ])
    );
}

#[tokio::test]
async fn a_base_url_with_a_path_and_a_key_with_a_slash_make_a_sound_path() {
    let mut server = Server::that_answers(accepted("1")).await;
    let mut config = config(KAVENEGAR, &format!("{}/relay/", server.url));
    config.settings.kavenegar_com_api_key = "a/b?c".into();
    provider(&config).send(&text("hi")).await.unwrap();
    assert_eq!(
        server.request().line,
        "POST /relay/v1/a%2Fb%3Fc/sms/send.json HTTP/1.1"
    );
}

#[tokio::test]
async fn the_documented_success_has_an_id_and_a_cost() {
    let sent = send(&text("hi"), accepted("1")).await.unwrap();
    assert_eq!(sent.message_id.as_deref(), Some("8792343"));
    assert_eq!(sent.cost_rial, Some(120));
}

#[tokio::test]
async fn a_message_in_any_state_on_its_way_was_accepted() {
    for state in ["1", "2", "4", "5", "10", "\"5\"", "50", "77", "null"] {
        let sent = send(&text("hi"), accepted(state)).await.unwrap();
        assert_eq!(sent.message_id.as_deref(), Some("8792343"), "{state}");
    }
}

#[tokio::test]
async fn a_message_in_a_failed_state_was_not_accepted() {
    for (state, kind) in [
        ("6", MessageRefused),
        ("11", MessageRefused),
        ("13", NotSent),
        ("14", NumberRefused),
        ("\"14\"", NumberRefused),
        ("100", PerhapsSent),
    ] {
        let error = send(&text("hi"), accepted(state)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{state}");
        assert_eq!(error.code(), Some(state.trim_matches('"')));
    }
}

#[tokio::test]
async fn entries_may_be_an_object_and_ids_may_be_strings() {
    let answer = Answer::json(
        "200 OK",
        r#"{"return":{"status":"200"},"entries":{"messageid":"9223372036854775806","status":5}}"#,
    );
    let sent = send(&template("login", &["1"]), answer).await.unwrap();
    assert_eq!(sent.message_id.as_deref(), Some("9223372036854775806"));
    assert_eq!(sent.cost_rial, None);
}

#[tokio::test]
async fn an_accepted_message_may_come_without_entries() {
    for entries in ["null", "[]", "{}", "[null]"] {
        let body = format!(r#"{{"return":{{"status":200}},"entries":{entries}}}"#);
        let sent = send(&text("hi"), Answer::json("200 OK", &body)).await;
        assert_eq!(sent, Ok(Sent::default()), "{entries}");
    }
}

#[tokio::test]
async fn the_result_in_the_body_decides_whatever_the_http_status() {
    let accepted = r#"{"return":{"status":200},"entries":[{"messageid":1,"status":1}]}"#;
    for status in ["200 OK", "409 Conflict", "500 Internal Server Error"] {
        let sent = send(&text("hi"), Answer::json(status, accepted)).await;
        assert_eq!(sent, Ok(Sent::with_id("1")), "{status}");
    }
    let refused = r#"{"return":{"status":418,"message":"…"},"entries":null}"#;
    for status in ["418 I'm a teapot", "200 OK", "502 Bad Gateway"] {
        let error = send(&text("hi"), Answer::json(status, refused))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (NotSent, Some("418")),
            "{status}"
        );
    }
}

/// The results that mean the same for texts and templates (table 1).
const SHARED: [(i64, SmsErrorKind); 26] = [
    (400, NotSent),
    (401, NotSent),
    (402, PerhapsSent),
    (403, NotSent),
    (404, NotSent),
    (405, NotSent),
    (406, NotSent),
    (407, NotSent),
    (409, Throttled),
    (411, NumberRefused),
    (412, NotSent),
    (413, TextRefused),
    (414, NotSent),
    (415, NotSent),
    (416, NotSent),
    (417, NotSent),
    (418, NotSent),
    (419, NotSent),
    (420, TextRefused),
    (422, TextRefused),
    (427, NotSent),
    (429, Throttled),
    (451, Throttled),
    (501, NotSent),
    (604, NotSent),
    (607, NotSent),
];

/// Those of texts, and results that are not documented.
const OF_TEXTS: [(i64, SmsErrorKind); 8] = [
    (426, NotSent),
    (424, NotSent),
    (431, NotSent),
    (499, NotSent),
    (0, PerhapsSent),
    (201, PerhapsSent),
    (500, PerhapsSent),
    (-1, PerhapsSent),
];

/// Those of templates, and results that are not documented.
const OF_TEMPLATES: [(i64, SmsErrorKind); 8] = [
    (424, TemplateRefused),
    (426, TemplateRefused),
    (428, TemplateRefused),
    (431, TextRefused),
    (432, TemplateRefused),
    (499, NotSent),
    (502, PerhapsSent),
    (608, PerhapsSent),
];

async fn assert_kinds(sms: &Sms, table: impl Iterator<Item = (i64, SmsErrorKind)>) {
    let table: Vec<_> = table.collect();
    let answers = table.iter().map(|(code, _)| result(*code)).collect();
    let results = send_each(KAVENEGAR, sms, answers).await;
    for ((code, kind), result) in table.into_iter().zip(results) {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{code}");
        assert_eq!(error.code(), Some(code.to_string().as_str()));
    }
}

#[tokio::test]
async fn every_result_of_a_text_has_its_kind() {
    assert_kinds(&text("hi"), SHARED.into_iter().chain(OF_TEXTS)).await;
}

#[tokio::test]
async fn every_result_of_a_template_has_its_kind() {
    let sms = template("login", &["1"]);
    assert_kinds(&sms, SHARED.into_iter().chain(OF_TEMPLATES)).await;
}

#[tokio::test]
async fn a_throttled_message_knows_when_to_try_again_where_the_server_says_so() {
    let body = r#"{"return":{"status":429},"entries":null}"#;
    let answer = Answer::http("429 Too Many Requests", "Retry-After: 90", body);
    let error = send(&text("hi"), answer).await.unwrap_err();
    assert_eq!(error.kind(), Throttled);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(90)));

    let error = send(&text("hi"), result(429)).await.unwrap_err();
    assert_eq!(error.retry_after(), None);
}

#[tokio::test]
async fn a_text_of_901_characters_is_refused_before_sending() {
    assert_eq!(refusal(&text(&"ک".repeat(901))).await.kind(), TextRefused);
    let longest = send(&text(&"ک".repeat(900)), accepted("1")).await;
    assert!(longest.is_ok(), "{longest:?}");
}

#[tokio::test]
async fn a_variable_that_no_token_can_carry_is_refused_before_sending() {
    let too_long = "x".repeat(101);
    let many_spaces = "a b c d e f g";
    let too_many_spaces = "a b c d e f g h i j";
    for (variables, rule) in [
        (vec!["two words"], "no space"),
        (vec!["1", "two words"], "no space"),
        (vec!["1", "2", "two words"], "no space"),
        (vec!["1", "2", "3", many_spaces], "at most 5 spaces"),
        (
            vec!["1", "2", "3", "4", too_many_spaces],
            "at most 8 spaces",
        ),
        (vec!["snake_case"], "no '_'"),
        (vec!["a,b"], "no ','"),
        (vec!["a\nb"], "no line break"),
        (vec!["a\tb"], "no line break"),
        (vec!["a\u{A0}b"], "no line break"),
        (vec!["a\u{2003}b"], "no line break"),
        (vec!["a\u{0}b"], "control character"),
        (vec!["1", "2", "3", "a\nb"], "no line break"),
        (vec!["1", "2", "3", "4", "a\u{2028}b"], "no line break"),
        (vec![too_long.as_str()], "at most 100 characters"),
        (
            vec!["1", "2", "3", too_long.as_str()],
            "at most 100 characters",
        ),
    ] {
        let error = refusal(&template("login", &variables)).await;
        assert_eq!(error.kind(), TextRefused, "{variables:?}");
        assert!(error.to_string().contains(rule), "{variables:?}: {error}");
    }
}

#[tokio::test]
async fn a_token_may_have_100_characters_and_the_late_ones_underscores_and_commas() {
    let longest = "ک".repeat(100);
    let sms = template(
        "login",
        &[&longest, "a-b", "نیم\u{200C}فاصله", "a_b, c", "d_e,f"],
    );
    let sent = send(&sms, accepted("5")).await;
    assert!(sent.is_ok(), "{sent:?}");
}

#[tokio::test]
async fn a_template_has_one_to_five_variables() {
    for variables in [vec![], vec!["1"; 6]] {
        let error = refusal(&template("login", &variables)).await;
        assert_eq!(error.kind(), TemplateRefused, "{}", variables.len());
    }
}
