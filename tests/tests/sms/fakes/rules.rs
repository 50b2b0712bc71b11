//! The servers' own checks, by requests that our providers never make.

use chelseru_tests::FakeProviders;
use chelseru_tests::providers::{
    FakeProvider, KAVENEGAR_API_KEY, MELI_PAYAMAK_CONSOLE_TOKEN, MELI_PAYAMAK_PASSWORD,
    MELI_PAYAMAK_USERNAME, PARSIAN_API_KEY,
};
use serde_json::{Value, json};

use super::RECEIVER;

/// HTTP status and JSON of a form's answer.
async fn post(fake: &FakeProvider, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{}{path}", fake.url())).form(form);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.text().await.unwrap();
    (status, serde_json::from_str(&body).unwrap())
}

/// The result of a call to Kavenegar, which is its HTTP status as well.
async fn kavenegar(fakes: &FakeProviders, method: &str, form: &[(&str, &str)]) -> i64 {
    let path = format!("/v1/{KAVENEGAR_API_KEY}/{method}.json");
    let (status, json) = post(&fakes.kavenegar, &path, form).await;
    let result = json["return"]["status"].as_i64().unwrap();
    assert_eq!(i64::from(status), result, "{json}");
    result
}

#[tokio::test]
async fn kavenegar_refuses_texts_with_its_documented_codes() {
    let fakes = FakeProviders::start();
    let long = "x".repeat(901);
    let many = vec![RECEIVER; 201].join(",");
    for (result, form) in [
        (400, vec![("message", "hi")]),
        (406, vec![("receptor", ""), ("message", "hi")]),
        (400, vec![("receptor", RECEIVER)]),
        (413, vec![("receptor", RECEIVER), ("message", "")]),
        (413, vec![("receptor", RECEIVER), ("message", &long)]),
        (411, vec![("receptor", "0912123456"), ("message", "hi")]),
        (411, vec![("receptor", "989121234567"), ("message", "hi")]),
        (411, vec![("receptor", "۰۹۱۲۱۲۳۴۵۶۷"), ("message", "hi")]),
        (414, vec![("receptor", &many), ("message", "hi")]),
        (
            412,
            vec![("receptor", RECEIVER), ("message", "hi"), ("sender", "1")],
        ),
        (
            417,
            vec![
                ("receptor", RECEIVER),
                ("message", "hi"),
                ("date", "1356619709"),
            ],
        ),
        (
            419,
            vec![
                ("receptor", RECEIVER),
                ("message", "hi"),
                ("localid", "1,2"),
            ],
        ),
        (
            607,
            vec![("receptor", RECEIVER), ("message", "hi"), ("tag", "x")],
        ),
    ] {
        assert_eq!(
            kavenegar(&fakes, "sms/send", &form).await,
            result,
            "{form:?}"
        );
    }
    assert_eq!(fakes.kavenegar.sent(), []);
    for receptor in [RECEIVER, "9121234567", "+989121234567", "00989121234567"] {
        let form = [("receptor", receptor), ("message", "hi")];
        assert_eq!(kavenegar(&fakes, "sms/send", &form).await, 200);
    }
    assert_eq!(fakes.sent_to(RECEIVER).len(), 4);
}

#[tokio::test]
async fn kavenegar_refuses_templates_with_its_documented_codes() {
    let fakes = FakeProviders::start();
    fakes.kavenegar.add_template("fixed", "no placeholder");
    let long = "x".repeat(101);
    let lookup = |fields: &[(&'static str, &'static str)]| {
        let mut form = vec![
            ("receptor", RECEIVER),
            ("template", "login"),
            ("token", "1234"),
        ];
        for (name, value) in fields {
            form.retain(|(known, _)| known != name);
            form.push((name, value));
        }
        form
    };
    for (result, form) in [
        (200, lookup(&[])),
        (
            200,
            lookup(&[("token10", "a b c d e f"), ("token20", "a_b,c")]),
        ),
        (411, lookup(&[("receptor", "09121234567,09121234568")])),
        (424, lookup(&[("template", "unknown")])),
        (432, lookup(&[("template", "fixed")])),
        (406, lookup(&[("token", "")])),
        (431, lookup(&[("token", "two words")])),
        (431, lookup(&[("token2", "snake_case")])),
        (431, lookup(&[("token3", "a\nb")])),
        (431, lookup(&[("token10", "a b c d e f g")])),
        (431, lookup(&[("token20", "a b c d e f g h i j")])),
        (428, lookup(&[("type", "call"), ("token", "12a")])),
        (200, lookup(&[("type", "call")])),
    ] {
        let got = kavenegar(&fakes, "verify/lookup", &form).await;
        assert_eq!(got, result, "{form:?}");
    }
    let form = [
        ("receptor", RECEIVER),
        ("template", "login"),
        ("token", &long),
    ];
    assert_eq!(kavenegar(&fakes, "verify/lookup", &form).await, 431);
    assert_eq!(fakes.sent_to(RECEIVER).len(), 3);
}

#[tokio::test]
async fn kavenegar_knows_its_key_its_methods_and_its_ids() {
    let fakes = FakeProviders::start();
    let (status, _) = post(&fakes.kavenegar, "/v1/other/account/info.json", &[]).await;
    assert_eq!(status, 403);
    assert_eq!(kavenegar(&fakes, "sms/nothing", &[]).await, 404);
    let ids = vec!["1"; 501].join(",");
    for (method, field) in [
        ("sms/status", "messageid"),
        ("sms/statuslocalmessageid", "localid"),
    ] {
        assert_eq!(kavenegar(&fakes, method, &[(field, &ids)]).await, 414);
        assert_eq!(kavenegar(&fakes, method, &[(field, "x")]).await, 400);
        assert_eq!(kavenegar(&fakes, method, &[]).await, 400);
        assert_eq!(kavenegar(&fakes, method, &[(field, "1,2")]).await, 200);
    }
}

#[tokio::test]
async fn kavenegar_sends_one_text_to_several_and_knows_each_local_id() {
    let fakes = FakeProviders::start();
    let form = |ids: &'static str| {
        [
            ("receptor", "09121234567,09351234567"),
            ("message", "hi"),
            ("localid", ids),
        ]
    };
    assert_eq!(kavenegar(&fakes, "sms/send", &form("1,2")).await, 200);
    assert_eq!(kavenegar(&fakes, "sms/send", &form("1,3")).await, 200);
    assert_eq!(fakes.sent_to("09121234567").len(), 1);
    assert_eq!(fakes.sent_to("09351234567").len(), 2);
}

/// `Value` of Melipayamak's answer.
async fn meli_payamak(fakes: &FakeProviders, operation: &str, form: &[(&str, &str)]) -> String {
    let mut form = form.to_vec();
    form.push(("username", MELI_PAYAMAK_USERNAME));
    form.push(("PassWord", MELI_PAYAMAK_PASSWORD));
    let path = format!("/api/SendSMS/{operation}");
    let (status, json) = post(&fakes.meli_payamak, &path, &form).await;
    assert_eq!(status, 200, "{json}");
    let value = json["Value"].as_str().unwrap().to_owned();
    assert_eq!(json["RetStatus"] == 1, value.len() == 19, "{json}");
    value
}

#[tokio::test]
async fn meli_payamak_refuses_texts_with_its_documented_codes() {
    let fakes = FakeProviders::start();
    let line = "50004001";
    for (value, to, from, text) in [
        ("5", RECEIVER, "1", "hi"),
        ("17", RECEIVER, line, ""),
        ("16", "", line, "hi"),
        ("18", "123", line, "hi"),
        ("15", "09121234567,09351234567", line, "hi"),
    ] {
        let form = [("to", to), ("from", from), ("text", text)];
        assert_eq!(meli_payamak(&fakes, "SendSMS", &form).await, value);
    }
    assert_eq!(fakes.meli_payamak.sent(), []);
}

#[tokio::test]
async fn meli_payamak_refuses_templates_with_its_documented_codes() {
    let fakes = FakeProviders::start();
    for (value, to, id, text) in [
        ("-2", "09121234567,09351234567", "4242", "1"),
        ("-4", RECEIVER, "4243", "1"),
        ("-5", RECEIVER, "4242", "1;2"),
        ("-5", RECEIVER, "4242", ""),
        ("-10", RECEIVER, "4242", "https://x"),
        ("18", "0912", "4242", "1"),
    ] {
        let form = [("to", to), ("bodyId", id), ("text", text)];
        let got = meli_payamak(&fakes, "BaseServiceNumber", &form).await;
        assert_eq!(got, value, "{form:?}");
    }
    assert_eq!(fakes.meli_payamak.sent(), []);
}

#[tokio::test]
async fn the_console_answers_a_missing_field_with_a_problem() {
    let fakes = FakeProviders::start();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = fakes.meli_payamak_url();
    let answer = client
        .post(format!(
            "{url}/api/send/simple/{MELI_PAYAMAK_CONSOLE_TOKEN}"
        ))
        .json(&json!({"to": RECEIVER}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 400);
    let problem: Value = answer.json().await.unwrap();
    assert!(problem["errors"].is_object(), "{problem}");
}

#[tokio::test]
async fn soap_answers_what_is_no_envelope_with_a_fault() {
    let fakes = FakeProviders::start();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/post/Send.asmx", fakes.meli_payamak_url());
    for body in [
        "",
        "<a>",
        "<a/>",
        "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"/>",
        "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body>\
         <SendSimpleSMS2/></Body></Envelope>",
        "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body>\
         <Nothing xmlns=\"http://tempuri.org/\"/></Body></Envelope>",
    ] {
        let request = client
            .post(&url)
            .header("content-type", "text/xml")
            .body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 500, "{body}");
        let text = answer.text().await.unwrap();
        assert!(
            text.contains("<faultcode>soap:Client</faultcode>"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn parsian_rejects_what_no_client_sends() {
    let fakes = FakeProviders::start();
    let full = [
        ("token", PARSIAN_API_KEY),
        ("TemplateID", "12"),
        ("MessageVars", "1"),
        ("Receiver", RECEIVER),
        ("delay", "1"),
    ];
    let with = |name: &'static str, value: &'static str| {
        full.map(|(known, old)| (known, if known == name { value } else { old }))
    };
    for (status, form) in [
        (200, full),
        (401, with("token", "other")),
        (100, with("TemplateID", "13")),
        (100, with("Receiver", "+989121234567")),
        (100, with("delay", "soon")),
    ] {
        let path = "/webservice-send-sms/send";
        let (_, json) = post(&fakes.parsian, path, &form).await;
        assert_eq!(json, json!({"status": status}), "{form:?}");
    }
    assert_eq!(fakes.sent_to(RECEIVER).len(), 1);
}

#[tokio::test]
async fn a_connection_may_be_kept_and_used_again() {
    let fakes = FakeProviders::start();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = fakes.kavenegar_url();
    for _ in 0..3 {
        let url = format!("{url}/v1/{KAVENEGAR_API_KEY}/account/info.json");
        let answer = client.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap();
    }
    assert_eq!(fakes.kavenegar.connections(), 1);
    assert_eq!(fakes.kavenegar.requests().len(), 3);
}
