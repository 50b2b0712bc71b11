//! Messages through the real providers' clients, over HTTP, with everything that can go wrong between
//! them and us.

mod failover;
mod followed_up;
mod hanging;

use chelseru_core::config::{ConfigBuilder, SmsService};
use chelseru_core::store::{SmsRecord, SmsStatus};
use chelseru_tests::{Answer, Database, FakeProviders, Setup, TestServer, Tokens, log_in_with};
use serde_json::json;

/// A server that sends by these services.
async fn server(
    database: Database,
    fakes: &FakeProviders,
    services: &[SmsService],
    change: impl FnOnce(ConfigBuilder) -> ConfigBuilder,
) -> TestServer {
    Setup::new(database)
        .await
        .config(|config| change(fakes.configure(config, services)))
        .providers_of_the_settings()
        .start()
        .await
}

async fn ask_for_code(server: &TestServer, number: &str) -> Answer {
    server
        .post("/api/otp/send/")
        .json(&json!({ "mobile_number": number }))
        .await
}

/// Logs in with the code that really arrived.
async fn log_in(server: &TestServer, fakes: &FakeProviders, number: &str) -> Tokens {
    ask_for_code(server, number).await.assert_status(200);
    let sms = fakes.sent_to(number).pop().expect("an SMS with a code");
    let digits = sms.text.split(|char: char| !char.is_ascii_digit());
    let code = digits.max_by_key(|run| run.len()).unwrap_or_default();
    Tokens::of(&log_in_with(server, number, code).await)
}

async fn send_message(server: &TestServer, access: &str, to: &str) -> Answer {
    server
        .post("/api/message/send/")
        .bearer(access)
        .json(&json!({ "mobile_number": to, "message_text": "سفارش شما آماده است." }))
        .await
}

/// The attempts to send to a number, the oldest first.
async fn attempts(server: &TestServer, number: &str) -> Vec<SmsRecord> {
    let mut log = server.store().recent_sms(None, 1000).await.unwrap();
    log.retain(|record| record.sms.mobile_number.as_str() == number);
    log.reverse();
    log
}

/// By whom, and what became of it.
async fn statuses(server: &TestServer, number: &str) -> Vec<(String, SmsStatus)> {
    let attempts = attempts(server, number).await.into_iter();
    attempts
        .map(|record| (record.sms.provider, record.outcome.status))
        .collect()
}
