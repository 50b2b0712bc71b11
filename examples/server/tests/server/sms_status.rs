//! What the operator sees of the messages.

use chelseru_core::config::SmsService;
use chelseru_tests::{Database, FakeProviders, Fault, on_both_databases};
use serde_json::{Value, json};

use crate::harness::{Installation, stderr, stdout};

async fn messages_and_their_bill_are_shown_masked_and_without_texts(database: Database) {
    let fakes = FakeProviders::start();
    fakes.kavenegar.inject(Fault::refuse(418).times(1));
    let installation = Installation::new(database).await.send_by(
        &fakes,
        &[SmsService::KavenegarCom, SmsService::MeliPayamakCom],
    );
    let server = installation.start();
    for text in ["first", "second"] {
        let output = installation.run(&["sms", "send", "--to", "09121234567", text]);
        assert!(output.status.success(), "{}", stderr(&output));
    }

    let output = installation.run(&["sms", "status", "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    let shown: Vec<_> = status["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| [&one["provider"], &one["status"], &one["provider_code"]])
        .collect();
    assert_eq!(
        shown,
        [
            [&json!("KAVENEGAR_COM"), &json!("accepted"), &Value::Null],
            [&json!("MELI_PAYAMAK_COM"), &json!("accepted"), &Value::Null],
            [&json!("KAVENEGAR_COM"), &json!("not_sent"), &json!("418")],
        ],
        "the newest first: {status}"
    );
    assert_eq!(status["messages"][0]["to"], "0912***4567");
    assert_eq!(status["messages"][0]["cost_rial"], 120);
    assert_eq!(status["bill"]["total"]["messages"], 2, "{status}");
    assert_eq!(status["bill"]["total"]["cost_rial"], 120, "{status}");
    assert_eq!(status["bill"]["lines"].as_array().unwrap().len(), 3);

    let output = installation.run(&["sms", "status", "--last", "1", "--days", "1"]);
    let text = stdout(&output);
    assert_eq!(text.matches("0912***4567").count(), 1, "{text}");
    for word in ["The last day:", "not sent", "all but not sent"] {
        assert!(text.contains(word), "{word} is missing in {text}");
    }
    for secret in ["09121234567", "first", "second"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    assert_eq!(stderr(&output), "", "nothing but the result");
    drop(server);
}
on_both_databases! { messages_and_their_bill_are_shown_masked_and_without_texts }

#[tokio::test]
async fn a_database_that_is_not_there_is_not_made() {
    let installation = Installation::new(Database::Sqlite)
        .await
        .set("CHELSERU_DATABASE__URL", "sqlite://elsewhere.db");
    for arguments in [
        &["sms", "status"][..],
        &["sms", "send", "--to", "09121234567", "text"],
    ] {
        let output = installation.run(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("elsewhere.db"), "{output:?}");
        let files = std::fs::read_dir(installation.folder()).unwrap();
        assert_eq!(files.count(), 0, "nothing is left behind");
    }
}

#[tokio::test]
async fn no_command_makes_a_signing_key() {
    let installation = Installation::new(Database::Sqlite).await;
    installation.make_database().await;
    for arguments in [
        &["sms", "status"][..],
        &["sms", "send", "--to", "09121234567", "text"],
    ] {
        assert!(installation.run(arguments).status.success());
    }
    let url = installation.database().url();
    let key = format!("{}.key", url.strip_prefix("sqlite://").unwrap());
    assert!(!std::path::Path::new(&key).exists());
}
