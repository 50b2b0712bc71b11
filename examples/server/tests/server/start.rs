//! Starting, greeting, refusing to start, stopping.

use chelseru_core::config::SmsService;
use chelseru_tests::{Database, FakeProviders, Fault, on_both_databases};
use std::fs;

use crate::harness::Installation;

async fn it_greets_in_three_lines_and_serves_at_once(database: Database) {
    let installation = Installation::new(database).await;
    let server = installation.start();
    let lines: Vec<&str> = server.greeting.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[0].contains("/api/") && lines[0].contains("with "),
        "{}",
        server.greeting
    );
    assert!(lines[1].contains("CONSOLE"), "{}", server.greeting);
    assert!(lines[2].contains(server.address()), "{}", server.greeting);
    let health = server
        .http
        .get(server.url("/healthz"))
        .send()
        .await
        .unwrap();
    assert_eq!(health.status(), 200);
    let page = server.http.get(server.url("/")).send().await.unwrap();
    assert_eq!(page.status(), 200);
}
on_both_databases! { it_greets_in_three_lines_and_serves_at_once }

#[tokio::test]
async fn several_providers_are_greeted_in_their_order_and_the_console_keeps_its_inbox() {
    let fakes = FakeProviders::start();
    fakes.kavenegar.inject(Fault::refuse(418));
    let installation = Installation::new(Database::Sqlite)
        .await
        .send_by(&fakes, &[SmsService::KavenegarCom, SmsService::Console]);
    let server = installation.start();
    let greeting = &server.greeting;
    assert_eq!(greeting.lines().count(), 3);
    assert!(
        greeting.contains("SMS by KAVENEGAR_COM, then CONSOLE;"),
        "{greeting}"
    );
    server.log_in("09121234567").await.unwrap();
}

async fn sigterm_ends_it_cleanly(database: Database) {
    let installation = Installation::new(database).await;
    let server = installation.start();
    server.log_in("09121234567").await.unwrap();
    let (status, logs) = server.terminate();
    assert!(status.success(), "{logs}");
    assert!(logs.contains("stopped"), "{logs}");
}
on_both_databases! { sigterm_ends_it_cleanly }

#[tokio::test]
async fn without_settings_it_uses_sqlite_and_a_key_of_its_own_in_its_folder() {
    let installation = Installation::new(Database::Sqlite)
        .await
        .unset("CHELSERU_DATABASE__URL");
    let server = installation.start();
    let tokens = server.log_in("09121234567").await.unwrap();
    drop(server);
    assert!(installation.folder().join("chelseru.db").exists());
    let key_file = installation.folder().join("chelseru.db.key");
    let key = fs::read_to_string(&key_file).unwrap();
    assert!(key.trim().len() >= 32);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for file in ["chelseru.db", "chelseru.db.key"] {
            let mode = fs::metadata(installation.folder().join(file))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o077, 0, "{file} is not for others to read");
        }
    }
    let again = installation.start();
    let (status, _) = again.sessions(&tokens.access).await.unwrap();
    assert_eq!(
        status, 200,
        "the key and with it the tokens outlive a restart"
    );
}

#[tokio::test]
async fn without_a_prefix_the_servers_own_pages_are_still_there() {
    let installation = Installation::new(Database::Sqlite)
        .await
        .set("CHELSERU_SERVER__PREFIX", "/");
    let server = installation.start();
    for path in ["/", "/healthz", "/dev/inbox"] {
        let page = server.http.get(server.url(path)).send().await.unwrap();
        assert_eq!(page.status(), 200, "{path}");
    }
    let number = serde_json::json!({ "mobile_number": "09121234567" });
    let (status, _) = server.post("/otp/send/", &number).await.unwrap();
    assert_eq!(status, 200);
}

#[tokio::test]
async fn the_environment_beats_the_file() {
    let installation = Installation::new(Database::Sqlite).await;
    let file = installation.folder().join("settings.toml");
    fs::write(
        &file,
        "[AUTH.OPTIONS]\nOTP_LENGTH = 5\n[SERVER]\nPREFIX = '/v1'\n",
    )
    .unwrap();
    let argument = file.to_str().unwrap().to_owned();
    let refused = installation
        .set("CHELSERU_AUTH__OPTIONS__OTP_LENGTH", "99")
        .run(&["--config", &argument]);
    assert!(!refused.status.success());
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        message.contains("AUTH.OPTIONS.OTP_LENGTH") && message.contains("99"),
        "{message}"
    );
}

#[tokio::test]
async fn wrong_settings_stop_the_start_and_are_all_named_without_their_secrets() {
    let installation = Installation::new(Database::Sqlite)
        .await
        .set("CHELSERU_AUTH__JWT__SIGNING_KEY", "too-short-secret")
        .set("CHELSERU_AUTH__OPTIONS__OTP_LENGTH", "two")
        .set("CHELSERU_SMS__SMS_SERVICE", "KAVENEGAR_COM")
        .set("CHELSERU_SERVER__BINDD", "127.0.0.1:1");
    let output = installation.run(&[]);
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    for key in [
        "AUTH.JWT.SIGNING_KEY",
        "AUTH.OPTIONS.OTP_LENGTH",
        "SMS.SETTINGS.KAVENEGAR_COM_API_KEY",
        "SERVER.BINDD",
    ] {
        assert!(message.contains(key), "{key} is missing in {message}");
    }
    assert!(!message.contains("too-short-secret"), "{message}");
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_stops_the_start_without_showing_its_password() {
    let installation = Installation::new(Database::Sqlite).await.set(
        "CHELSERU_DATABASE__URL",
        "postgres://app:hunter2@127.0.0.1:1/app",
    );
    let output = installation.run(&[]);
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!message.contains("hunter2"), "{message}");
    assert!(
        message.contains("store") || message.contains("database"),
        "{message}"
    );
}

#[tokio::test]
async fn an_address_in_use_stops_the_start_and_is_named() {
    let installation = Installation::new(Database::Sqlite).await;
    let server = installation.start();
    let taken = server.address().to_owned();
    let output = installation
        .set("CHELSERU_SERVER__BIND", taken.clone())
        .run(&[]);
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        message.contains("SERVER.BIND") && message.contains(&taken),
        "{message}"
    );
}
