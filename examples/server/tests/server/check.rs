//! `chelseru-server check`: a look at the settings before the server has them.

use chelseru_core::config::JwtAlgorithm;
use chelseru_core::testing::KeyPair;
use chelseru_tests::Database;

use crate::harness::{Installation, stderr, stdout};

const KEY: &str = "b7a3f0c94e5d1826a0f7c3d9e84b5126";
const SIGNING_KEY: &str = "CHELSERU_AUTH__JWT__SIGNING_KEY";

/// In a folder with nothing in it.
async fn empty() -> Installation {
    let installation = Installation::new(Database::Sqlite).await;
    installation.set("CHELSERU_DATABASE__URL", "sqlite://app.db")
}

fn assert_nothing_was_written(installation: &Installation) {
    let files = std::fs::read_dir(installation.folder()).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert!(files.is_empty(), "{files:?}");
}

#[tokio::test]
async fn settings_that_can_be_used_are_summed_up_and_nothing_is_written() {
    let installation = empty().await;
    let output = installation.run(&["check"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = stdout(&output);
    for part in [
        "http://127.0.0.1:0/api/",
        "sqlite://app.db",
        "CONSOLE",
        "codes of 8 digits, good for 240 seconds",
        "HS256; access 300 seconds, refresh 86400 seconds",
        "the first start makes one in app.db.key",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert_eq!(stderr(&output), "");
    assert_nothing_was_written(&installation);
}

#[tokio::test]
async fn a_database_that_is_away_is_not_missed_and_no_secret_is_shown() {
    let installation = empty()
        .await
        .set(
            "CHELSERU_DATABASE__URL",
            "postgres://app:hunter2@127.0.0.1:1/app",
        )
        .set(SIGNING_KEY, KEY)
        .set("CHELSERU_SMS__SMS_SERVICE", "KAVENEGAR_COM")
        .set("CHELSERU_SMS__SETTINGS__KAVENEGAR_COM_API_KEY", "hunter3");
    let output = installation.run(&["check"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = stdout(&output) + &stderr(&output);
    assert!(text.contains("postgres://127.0.0.1:1/app"), "{text}");
    assert!(text.contains("KAVENEGAR_COM"), "{text}");
    for secret in ["hunter", KEY] {
        assert!(!text.contains(secret), "{text}");
    }
    assert_nothing_was_written(&installation);
}

#[tokio::test]
async fn the_key_that_the_server_made_is_looked_at() {
    let installation = empty().await;
    installation.write("app.db.key", format!("{KEY}\n"));
    let output = installation.run(&["check"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stdout(&output).contains("in app.db.key"), "{output:?}");
    installation.write("app.db.key", "short\n");
    let output = installation.run(&["check"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(stderr(&output).contains("AUTH.JWT.SIGNING_KEY"));
}

#[tokio::test]
async fn what_deserves_a_look_is_told() {
    let weak = "0123456789abcdef0123456789abcdef";
    for installation in [
        empty().await.set(SIGNING_KEY, weak),
        empty().await.set("CHELSERU_SERVER__BIND", "0.0.0.0:80"),
        empty()
            .await
            .set("CHELSERU_AUTH__AUTH_METHOD", "PASSWD")
            .set("CHELSERU_AUTH__PASSWORDS__ITERATIONS", "1"),
    ] {
        let output = installation.run(&["check"]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(stderr(&output).starts_with("warning: "), "{output:?}");
        assert!(!stderr(&output).contains(weak));
        assert!(stdout(&output).contains("serves"));
    }
}

#[tokio::test]
async fn every_way_of_logging_in_is_told() {
    let installation = empty()
        .await
        .set("CHELSERU_AUTH__AUTH_METHOD", "OTP,PASSWD");
    let output = installation.run(&["check"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = stdout(&output);
    for part in ["codes of 8 digits", "passwords, hashed with 19456 KiB"] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_named_all_at_once() {
    let installation = empty().await.set(SIGNING_KEY, "hunter2");
    installation.write("app.toml", "AUTH.OPTIONS.OTP_LENGTH = 99");
    for arguments in [
        &["check", "--config", "app.toml"][..],
        &["--config=app.toml", "check"],
    ] {
        let output = installation.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(stdout(&output), "");
        let message = stderr(&output);
        assert!(message.starts_with("chelseru-server check:"), "{message}");
        for part in ["AUTH.OPTIONS.OTP_LENGTH", "AUTH.JWT.SIGNING_KEY"] {
            assert!(message.contains(part), "{message}");
        }
        assert!(!message.contains("hunter2"), "{message}");
    }
    let output = installation.run(&["check", "--jsn"]);
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test]
async fn keys_are_parsed_and_paired() {
    for algorithm in [
        JwtAlgorithm::RS256,
        JwtAlgorithm::ES256,
        JwtAlgorithm::ES384,
        JwtAlgorithm::EdDSA,
    ] {
        let [old, new] = KeyPair::two_for(algorithm);
        let mut installation = empty()
            .await
            .set("CHELSERU_AUTH__JWT__ALGORITHM", format!("{algorithm:?}"))
            .set(SIGNING_KEY, new.private)
            .set("CHELSERU_AUTH__JWT__VERIFYING_KEY", new.public)
            .set("CHELSERU_AUTH__JWT__PREVIOUS_KEYS", old.private);
        let output = installation.run(&["check"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = stdout(&output);
        assert!(text.contains("/.well-known/jwks.json"), "{text}");
        assert!(!text.contains("-----BEGIN"), "{text}");

        for (variable, wrong, key) in [
            (
                "CHELSERU_AUTH__JWT__VERIFYING_KEY",
                old.public,
                "AUTH.JWT.VERIFYING_KEY",
            ),
            (SIGNING_KEY, "-----BEGIN nonsense", "AUTH.JWT.SIGNING_KEY"),
            (
                "CHELSERU_AUTH__JWT__PREVIOUS_KEYS",
                "-----BEGIN nonsense",
                "AUTH.JWT.PREVIOUS_KEYS",
            ),
        ] {
            let right = match key {
                "AUTH.JWT.VERIFYING_KEY" => new.public,
                "AUTH.JWT.SIGNING_KEY" => new.private,
                _ => old.private,
            };
            let broken = installation.set(variable, wrong);
            let output = broken.run(&["check"]);
            assert_eq!(output.status.code(), Some(2), "{output:?}");
            let message = stderr(&output);
            assert!(message.contains(key), "{message}");
            assert!(!message.contains("nonsense"), "{message}");
            installation = broken.set(variable, right);
        }
    }
}
