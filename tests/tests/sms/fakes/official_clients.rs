//! Our requests are those of the providers' official Python clients, for the same calls.
//!
//! Both go to the same server; method, path and content type are compared, and of a form the bytes of
//! each field, as they were encoded. The encodings differ in the two characters for which the rules leave
//! a choice, `~` and `%2A` there and `%7E` and `*` here, and these alone are taken for the same; of an
//! envelope the decoded elements are compared, for a text has many right spellings in XML. Of what is optional we send `sender` when a line is configured, `localid` when the message
//! has an id, and `isFlash=false`, and so do the clients here; neither sends Kavenegar's `date`,
//! `type`, `hide` and `tag`. Other headers are not compared: one client adds `charset: utf-8`, which
//! means nothing.

use std::io::Write;
use std::process::{Command, Stdio};

use chelseru_core::sms::LocalId;
use chelseru_tests::FakeProviders;
use chelseru_tests::providers::{
    KAVENEGAR_API_KEY, MELI_PAYAMAK_PASSWORD, MELI_PAYAMAK_USERNAME, Request,
};
use roxmltree::Document;
use serde_json::{Value, json};

use super::{Api, RECEIVER, provider, template, text, with_local_id};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sms_sdks/calls.py");

const LINE: &str = "50004001";

/// Texts that encodings differ in, or spoil.
const TEXTS: [&str; 6] = [
    "hi",
    "your code is 123456",
    "کد ورود: ۱۲۳\u{200C}۴",
    "a&b=c;d+e %20 *~-._!'()\"<>[]{}|\\^`",
    "line\nline\r\n@shop.example #1234",
    "\u{1F511} \u{FFFD} \u{A0}",
];

/// Calls the official clients; their results, in order.
fn call(fakes: &FakeProviders, calls: &[Value]) -> Vec<Value> {
    let python = std::env::var("CHELSERU_TEST_PYTHON").expect("CHELSERU_TEST_PYTHON is set");
    let mut child = Command::new(python)
        .arg(SCRIPT)
        .env("NO_PROXY", "*")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python runs");
    let work = json!({
        "kavenegar": fakes.kavenegar_url(),
        "meli_payamak": fakes.meli_payamak_url(),
        "account": {
            "key": KAVENEGAR_API_KEY,
            "username": MELI_PAYAMAK_USERNAME,
            "password": MELI_PAYAMAK_PASSWORD,
        },
        "calls": calls,
    });
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(work.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).expect("its results")
}

/// What is compared of a request whose body is a form.
#[derive(Debug, PartialEq, Eq)]
struct Form {
    method: String,
    target: String,
    content_type: Option<String>,
    /// Names and values as they were encoded, by name: the order of a form's fields is of no meaning.
    fields: Vec<(String, String)>,
}

impl Form {
    fn of(request: &Request) -> Self {
        let body = request.text().replace('~', "%7E").replace("%2A", "*");
        let pairs = body.split('&').filter(|pair| !pair.is_empty());
        let mut fields: Vec<_> = pairs
            .map(|pair| pair.split_once('=').expect("a name and a value"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        fields.sort();
        Self {
            method: request.method.clone(),
            target: request.target.clone(),
            // Nothing has no type.
            content_type: request
                .header("content-type")
                .filter(|_| !fields.is_empty())
                .map(ToOwned::to_owned),
            fields,
        }
    }

    fn map_field(mut self, name: &str, change: impl Fn(&str) -> String) -> Self {
        for (known, value) in &mut self.fields {
            if known == name {
                *value = change(value);
            }
        }
        self
    }
}

fn forms(requests: &[Request]) -> Vec<Form> {
    requests.iter().map(Form::of).collect()
}

#[tokio::test]
#[ignore = "needs Python with the providers' clients: set CHELSERU_TEST_PYTHON"]
async fn kavenegars_client_sends_the_same_texts() {
    let fakes = FakeProviders::start();
    let mut config = Api::Kavenegar.config(&fakes);
    config.settings.kavenegar_com_from = "10004346".to_owned();
    let ours = provider(&config);
    let mut calls = Vec::new();
    for (local_id, message) in (1..).zip(TEXTS) {
        ours.send(&with_local_id(text(message), local_id))
            .await
            .unwrap();
        let parameters = json!({
            "receptor": RECEIVER,
            "message": message,
            "sender": "10004346",
            "localid": local_id,
        });
        calls.push(json!(["kavenegar", "sms_send", parameters]));
    }
    let ours = fakes.kavenegar.requests();
    fakes.kavenegar.forget_requests();
    let results = call(&fakes, &calls);
    assert_eq!(forms(&ours), forms(&fakes.kavenegar.requests()));
    // Every local id was known, so the client was given the records of our messages.
    for (sent, result) in fakes.kavenegar.sent().iter().zip(results) {
        assert_eq!(result[0]["messageid"].to_string(), sent.message_id);
    }
    assert_eq!(fakes.kavenegar.sent().len(), TEXTS.len());
}

#[tokio::test]
#[ignore = "needs Python with the providers' clients: set CHELSERU_TEST_PYTHON"]
async fn kavenegars_client_sends_the_same_templates() {
    let fakes = FakeProviders::start();
    let ours = Api::Kavenegar.provider(&fakes);
    let cases: [&[&str]; 3] = [
        &["1234"],
        &["۱۲۳۴&+%", "b"],
        &["1", "2", "3", "one two", "a_b, c; d"],
    ];
    let mut calls = Vec::new();
    for variables in cases {
        ours.send(&template("login", variables)).await.unwrap();
        let mut parameters = json!({"receptor": RECEIVER, "template": "login"});
        let names = ["token", "token2", "token3", "token10", "token20"];
        for (name, value) in names.into_iter().zip(variables) {
            parameters[name] = json!(value);
        }
        calls.push(json!(["kavenegar", "verify_lookup", parameters]));
    }
    let ours = fakes.kavenegar.requests();
    fakes.kavenegar.forget_requests();
    call(&fakes, &calls);
    assert_eq!(forms(&ours), forms(&fakes.kavenegar.requests()));
    let texts: Vec<_> = fakes
        .kavenegar
        .sent()
        .into_iter()
        .map(|sms| sms.text)
        .collect();
    let (by_us, by_them) = texts.split_at(cases.len());
    assert_eq!(by_us, by_them);
}

#[tokio::test]
#[ignore = "needs Python with the providers' clients: set CHELSERU_TEST_PYTHON"]
async fn kavenegars_client_asks_the_same_questions() {
    let fakes = FakeProviders::start();
    let ours = Api::Kavenegar.provider(&fakes);
    let mut ids = Vec::new();
    for local_id in [7, 8] {
        let sent = ours.send(&with_local_id(text("hi"), local_id)).await;
        ids.push(sent.unwrap().message_id.unwrap());
    }
    fakes.kavenegar.forget_requests();
    ours.deliveries(&ids).await.unwrap();
    ours.find(LocalId(7)).await.unwrap();
    ours.credit().await.unwrap();
    let ours = fakes.kavenegar.requests();
    fakes.kavenegar.forget_requests();
    let results = call(
        &fakes,
        &[
            json!(["kavenegar", "sms_status", {"messageid": ids.join(",")}]),
            json!(["kavenegar", "sms_statuslocalmessageid", {"localid": 7}]),
            json!(["kavenegar", "account_info", null]),
        ],
    );
    assert_eq!(forms(&ours), forms(&fakes.kavenegar.requests()));
    assert_eq!(results[0][1]["messageid"].to_string(), ids[1]);
    assert_eq!(results[1][0]["messageid"].to_string(), ids[0]);
    assert_eq!(results[2]["remaincredit"], fakes.kavenegar.credit());
}

#[tokio::test]
#[ignore = "needs Python with the providers' clients: set CHELSERU_TEST_PYTHON"]
async fn meli_payamaks_client_makes_the_same_calls() {
    let fakes = FakeProviders::start();
    let ours = Api::MeliPayamakRest.provider(&fakes);
    fakes.meli_payamak.add_template("77", "{0} {1} {2}");
    let mut calls = Vec::new();
    for message in TEXTS {
        ours.send(&text(message)).await.unwrap();
        let arguments = json!({"to": RECEIVER, "_from": LINE, "text": message});
        calls.push(json!(["rest", "send", arguments]));
    }
    let variables = ["1234", "سه &+%", "a b"];
    let sent = ours.send(&template("77", &variables)).await.unwrap();
    let arguments = json!({"text": variables.join(";"), "to": RECEIVER, "bodyId": 77});
    calls.push(json!(["rest", "send_by_base_number", arguments]));
    let id = sent.message_id.unwrap();
    ours.deliveries(std::slice::from_ref(&id)).await.unwrap();
    calls.push(json!(["rest", "is_delivered", {"recId": id.parse::<u64>().unwrap()}]));
    ours.credit().await.unwrap();
    calls.push(json!(["rest", "get_credit", {}]));

    let ours = fakes.meli_payamak.requests();
    fakes.meli_payamak.forget_requests();
    let results = call(&fakes, &calls);
    let theirs = fakes.meli_payamak.requests();
    // Python writes a boolean as `False`; .NET reads it in any case.
    let same_case = |request| Form::of(request).map_field("isFlash", str::to_lowercase);
    assert_eq!(
        ours.iter().map(same_case).collect::<Vec<_>>(),
        theirs.iter().map(same_case).collect::<Vec<_>>()
    );
    for result in results {
        assert_eq!(result["RetStatus"], 1, "{result}");
    }
    assert_eq!(fakes.sent_to(RECEIVER).len(), 2 * (TEXTS.len() + 1));
}

/// What is compared of a request whose body is a SOAP envelope.
#[derive(Debug, PartialEq, Eq)]
struct Soap {
    method: String,
    target: String,
    content_type: Option<String>,
    action: Option<String>,
    operation: (String, String),
    /// In their order, which ASP.NET insists on. It is no news here: the client takes it from the
    /// service's description, which is our server's, made after the envelopes of other clients.
    fields: Vec<(String, String)>,
}

impl Soap {
    /// Prefixes of namespaces, declarations and white space between elements have no meaning.
    fn of(request: &Request) -> Self {
        let document = Document::parse(request.text()).unwrap();
        let envelope = "http://schemas.xmlsoap.org/soap/envelope/";
        let body = document
            .descendants()
            .find(|node| node.has_tag_name((envelope, "Body")))
            .expect("a body");
        let operation = body.first_element_child().expect("an operation");
        let namespace = operation.tag_name().namespace().expect("a namespace");
        let fields = operation.children().filter(roxmltree::Node::is_element);
        Self {
            method: request.method.clone(),
            // The client writes `send.asmx`; the official addresses, and ASP.NET, know both.
            target: request.target.to_lowercase(),
            content_type: request.header("content-type").map(ToOwned::to_owned),
            action: request.header("soapaction").map(ToOwned::to_owned),
            operation: (namespace.to_owned(), operation.tag_name().name().to_owned()),
            fields: fields
                .map(|field| {
                    assert_eq!(field.tag_name().namespace(), Some(namespace));
                    let value = field.text().unwrap_or_default();
                    (field.tag_name().name().to_owned(), value.to_owned())
                })
                .collect(),
        }
    }
}

#[tokio::test]
#[ignore = "needs Python with the providers' clients: set CHELSERU_TEST_PYTHON"]
async fn meli_payamaks_client_sends_the_same_envelopes() {
    let fakes = FakeProviders::start();
    let ours = Api::MeliPayamakSoap.provider(&fakes);
    let mut calls = Vec::new();
    for message in TEXTS {
        ours.send(&text(message)).await.unwrap();
        let arguments = json!({"to": RECEIVER, "_from": LINE, "text": message, "isflash": false});
        calls.push(json!(["soap", "send", arguments]));
    }
    let ours = fakes.meli_payamak.requests();
    fakes.meli_payamak.forget_requests();
    let results = call(&fakes, &calls);
    // The client reads the service's description before each call; we know it.
    let theirs = fakes.meli_payamak.requests();
    let theirs = theirs.iter().filter(|request| request.method == "POST");
    assert_eq!(
        ours.iter().map(Soap::of).collect::<Vec<_>>(),
        theirs.map(Soap::of).collect::<Vec<_>>()
    );
    let sent = fakes.sent_to(RECEIVER);
    let ids = sent[TEXTS.len()..].iter().map(|sms| json!(sms.message_id));
    assert_eq!(results, ids.collect::<Vec<_>>());
}
