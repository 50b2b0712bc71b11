//! Whatever the providers do, nothing of their accounts and of the messages is written down: not in a log
//! at TRACE, not in the database, not in an answer.

use chelseru_core::config::SmsService::{KavenegarCom, MeliPayamakCom, ParsianWebcoIr};
use chelseru_tests::providers::{
    KAVENEGAR_API_KEY, MELI_PAYAMAK_PASSWORD, MELI_PAYAMAK_USERNAME, PARSIAN_API_KEY,
};
use chelseru_tests::{Database, FakeProviders, Fault, on_both_databases};
use serde_json::json;

use crate::harness::Installation;

on_both_databases! { no_failure_of_a_provider_shows_an_account_a_text_or_an_address }

const TEXT: &str = "canary-of-the-text";

/// Answers that repeat what a careless log would show.
fn faults() -> Vec<Fault> {
    let echo = format!(
        r#"{{"return":{{"status":418,"message":"{KAVENEGAR_API_KEY} {TEXT}"}},
            "Value":"2","RetStatus":35,"StrRetStatus":"{MELI_PAYAMAK_USERNAME} {TEXT}",
            "status":100,"message":"{PARSIAN_API_KEY} {TEXT}"}}"#
    );
    vec![
        Fault::reply(200, echo.clone()),
        Fault::reply(500, echo),
        Fault::html(502),
        Fault::garbage(),
        Fault::truncated().after_taking(),
        Fault::reset(),
        Fault::reset().before_reading(),
        Fault::close(),
        Fault::refuse(403),
        Fault::refuse(418),
        Fault::hang(),
    ]
}

async fn no_failure_of_a_provider_shows_an_account_a_text_or_an_address(database: Database) {
    let fakes = FakeProviders::start();
    let installation = Installation::new(database)
        .await
        .send_by(&fakes, &[KavenegarCom, MeliPayamakCom, ParsianWebcoIr])
        .set("CHELSERU_AUTH__OPTIONS__OTP_LENGTH", "10")
        .set("CHELSERU_SMS__BREAKER_FAILURES", "0")
        .set("CHELSERU_SMS__TIMEOUT_SECONDS", "1")
        .set("CHELSERU_SMS__LOW_BALANCE_RIAL", "1")
        .set("CHELSERU_SERVER__LOG_LEVEL", "trace");
    let server = installation.start();
    let number = "09121234567";
    let asked = json!({ "mobile_number": number });
    let (status, _) = server.post("/api/otp/send/", &asked).await.unwrap();
    assert_eq!(status, 200);
    let sms = fakes.sent_to(number).remove(0);
    let code = sms
        .text
        .split(|char: char| !char.is_ascii_digit())
        .find(|run| run.len() == 10)
        .expect("the code in the text");
    let login = json!({ "mobile_number": number, "code": code });
    let (_, tokens) = server.post("/api/authenticate/", &login).await.unwrap();
    let access = tokens["access"].as_str().expect("a login");

    let mut answers = Vec::new();
    for (n, fault) in faults().into_iter().enumerate() {
        for service in [KavenegarCom, MeliPayamakCom, ParsianWebcoIr] {
            fakes.of(service).inject(fault.clone());
        }
        let to = format!("093512345{n:02}");
        let asked = json!({ "mobile_number": to });
        let (_, code) = server.post("/api/otp/send/", &asked).await.unwrap();
        let message = server
            .http
            .post(server.url("/api/message/send/"))
            .bearer_auth(access)
            .header("idempotency-key", format!("key-{n}"))
            .json(&json!({ "mobile_number": to, "message_text": TEXT }));
        let message = message.send().await.unwrap().text().await.unwrap();
        answers.extend([code.to_string(), message]);
        for service in [KavenegarCom, MeliPayamakCom, ParsianWebcoIr] {
            fakes.of(service).clear_faults();
        }
    }
    let answers = answers.join("\n");
    let dump = installation.dump().await;
    let status = installation.run(&["sms", "status"]);
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    let (_, logs) = server.terminate();
    assert!(logs.contains("message failed"), "{logs}");
    assert!(dump.contains("key-0") && status.contains("KAVENEGAR_COM"));

    let addresses = [
        fakes.kavenegar.address(),
        fakes.meli_payamak.address(),
        fakes.parsian.address(),
    ];
    let mut secrets = vec![
        KAVENEGAR_API_KEY.to_owned(),
        MELI_PAYAMAK_USERNAME.to_owned(),
        MELI_PAYAMAK_PASSWORD.to_owned(),
        PARSIAN_API_KEY.to_owned(),
        TEXT.to_owned(),
        code.to_owned(),
        sms.text.clone(),
    ];
    secrets.extend(addresses.map(|address| address.to_string()));
    for secret in secrets {
        for (place, text) in [
            ("log", &logs),
            ("database", &dump),
            ("answers", &answers),
            ("list of messages", &status),
        ] {
            assert!(!text.contains(&secret), "{secret} is in the {place}");
        }
    }
    assert!(!logs.contains("0935123"), "numbers are masked in the log");
    assert!(!status.contains("0935123"), "and in the list");
}
