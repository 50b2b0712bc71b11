//! What the operator sees of the accounts.

use chelseru_core::config::SmsService;
use chelseru_tests::{Database, FakeProviders, Fault};
use serde_json::{Value, json};

use crate::harness::{Installation, stdout};

async fn installation(fakes: &FakeProviders, services: &[SmsService]) -> Installation {
    // No database is needed, so one that is away does no harm.
    Installation::new(Database::Sqlite)
        .await
        .set("CHELSERU_DATABASE__URL", "postgres://127.0.0.1:1/app")
        .send_by(fakes, services)
}

#[tokio::test]
async fn every_account_says_what_it_has_left_or_why_that_is_not_known() {
    let fakes = FakeProviders::start();
    fakes.kavenegar.set_credit(5000);
    fakes.meli_payamak.set_credit(70);
    let all = [
        SmsService::KavenegarCom,
        SmsService::MeliPayamakCom,
        SmsService::ParsianWebcoIr,
    ];
    let installation = installation(&fakes, &all).await;
    let output = installation.run(&["sms", "balance", "--json"]);
    let accounts: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        accounts[0],
        json!({ "provider": "KAVENEGAR_COM", "rial": 5000, "is_low": false })
    );
    assert_eq!(
        accounts[1],
        json!({ "provider": "MELI_PAYAMAK_COM", "messages": 70, "is_low": false })
    );
    assert!(accounts[2]["error"].is_string(), "{accounts}");
    assert_eq!(
        output.status.code(),
        Some(0),
        "one that cannot be asked is no alarm"
    );
    let text = stdout(&installation.run(&["sms", "balance"]));
    assert!(text.contains("5000  rial"), "{text}");
}

#[tokio::test]
async fn a_low_account_is_an_alarm() {
    let fakes = FakeProviders::start();
    fakes.kavenegar.set_credit(5000);
    let installation = installation(&fakes, &[SmsService::KavenegarCom])
        .await
        .set("CHELSERU_SMS__LOW_BALANCE_RIAL", "6000");
    let output = installation.run(&["sms", "balance"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("low"));
}

#[tokio::test]
async fn an_account_that_does_not_answer_is_an_alarm() {
    let fakes = FakeProviders::start();
    fakes.kavenegar.inject(Fault::html(502));
    let services = [SmsService::KavenegarCom, SmsService::MeliPayamakCom];
    let installation = installation(&fakes, &services).await;
    let output = installation.run(&["sms", "balance"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
}

#[tokio::test]
async fn when_nobody_can_be_asked_that_is_an_alarm() {
    let fakes = FakeProviders::start();
    let installation = installation(&fakes, &[SmsService::ParsianWebcoIr]).await;
    let output = installation.run(&["sms", "balance"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stdout(&output).contains("not supported"),
        "{}",
        stdout(&output)
    );
}
