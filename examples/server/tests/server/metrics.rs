//! What is counted, for Prometheus.

use std::sync::Arc;

use chelseru_core::config::SmsService;
use chelseru_tests::{Database, FakeProviders, Fault, until};
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{Installation, Server};

async fn metrics(server: &Server) -> String {
    let response = server.get("/metrics").await;
    assert_eq!(response.status(), 200);
    let kind = response.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"));
    response.text().await.unwrap()
}

/// The value of a series, by its name and labels.
fn value(metrics: &str, series: &str) -> Option<f64> {
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    line.parse().ok()
}

async fn counted(server: &Server, series: &str, expected: f64) -> String {
    let mut last = String::new();
    until(&format!("{series} is {expected}"), async || {
        last = metrics(server).await;
        value(&last, series) == Some(expected)
    })
    .await;
    last
}

#[tokio::test]
async fn there_are_none_unless_the_settings_ask_for_them() {
    let installation = Installation::new(Database::Sqlite).await;
    let server = installation.start();
    assert_eq!(server.get("/metrics").await.status(), 404);
}

#[tokio::test]
async fn a_login_with_a_failover_is_counted_without_naming_anybody() {
    let fakes = FakeProviders::start();
    fakes.kavenegar.inject(Fault::refuse(418));
    let installation = Installation::new(Database::Sqlite)
        .await
        .send_by(&fakes, &[SmsService::KavenegarCom, SmsService::Console])
        .set("CHELSERU_SMS__BREAKER_FAILURES", "1")
        .set("CHELSERU_AUTH__AUTH_METHOD", "OTP,PASSWD")
        .set("CHELSERU_SERVER__METRICS", "true");
    let server = installation.start();
    let before = metrics(&server).await;
    let failed =
        r#"chelseru_sms_attempts_total{provider="KAVENEGAR_COM",purpose="code",result="not_sent"}"#;
    assert_eq!(value(&before, failed), Some(0.0), "{before}");

    let number = json!({ "mobile_number": "09121234567" });
    server.post("/api/otp/send/", &number).await.unwrap();
    let wrong = json!({ "mobile_number": "09121234567", "code": "00000000" });
    server.post("/api/authenticate/", &wrong).await.unwrap();
    let nobody = json!({ "username": "nobody", "password": "x7kq!m2pd" });
    server.post("/api/login/", &nobody).await.unwrap();
    let code = server.code_for("09121234567").await.unwrap();
    let right = json!({ "mobile_number": "09121234567", "code": code });
    server.post("/api/authenticate/", &right).await.unwrap();

    let text = counted(&server, r#"chelseru_logins_total{account="new"}"#, 1.0).await;
    for (series, expected) in [
        (failed, 1.0),
        (
            r#"chelseru_sms_attempts_total{provider="CONSOLE",purpose="code",result="accepted"}"#,
            1.0,
        ),
        (
            r#"chelseru_sms_attempt_duration_seconds_count{provider="KAVENEGAR_COM"}"#,
            1.0,
        ),
        (
            r#"chelseru_sms_provider_pauses_total{provider="KAVENEGAR_COM"}"#,
            1.0,
        ),
        (
            r#"chelseru_sms_provider_paused{provider="KAVENEGAR_COM"}"#,
            1.0,
        ),
        (r#"chelseru_sms_provider_paused{provider="CONSOLE"}"#, 0.0),
        (r#"chelseru_sms_in_flight{provider="CONSOLE"}"#, 0.0),
        ("chelseru_codes_sent_total", 1.0),
        ("chelseru_codes_refused_total", 1.0),
        ("chelseru_logins_refused_total", 1.0),
        (r#"chelseru_logins_total{account="known"}"#, 0.0),
        ("chelseru_events_missed_total", 0.0),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series} in {text}");
    }
    assert!(text.ends_with("# EOF\n"));
    assert!(!text.contains("0912"), "{text}");
}

#[tokio::test]
async fn what_a_message_costs_and_the_account_has_left_is_counted() {
    let fakes = FakeProviders::start();
    let installation = Installation::new(Database::Sqlite)
        .await
        .send_by(&fakes, &[SmsService::KavenegarCom])
        .set("CHELSERU_SMS__LOW_BALANCE_RIAL", "1")
        .set("CHELSERU_AUTH__LIMITS__SMS_PER_DAY", "1")
        .set("CHELSERU_AUTH__LIMITS__SMS_RESERVE_PERCENT", "0")
        .set("CHELSERU_SERVER__METRICS", "true");
    let server = installation.start();
    let number = json!({ "mobile_number": "09121234567" });
    let (status, _) = server.post("/api/otp/send/", &number).await.unwrap();
    assert_eq!(status, 200);
    let budget =
        r#"chelseru_sms_budget_warnings_total{budget="AUTH.LIMITS.SMS_PER_DAY",percent="100"}"#;
    let text = counted(&server, budget, 1.0).await;
    let of = r#"{provider="KAVENEGAR_COM",purpose="code"}"#;
    let parts = value(&text, &format!("chelseru_sms_parts_total{of}")).unwrap();
    let cost = value(&text, &format!("chelseru_sms_cost_rial_total{of}")).unwrap();
    assert!(parts >= 1.0 && cost > 0.0, "{text}");
    let balance = r#"chelseru_sms_balance_rial{provider="KAVENEGAR_COM"}"#;
    until("the balance is asked for", async || {
        value(&metrics(&server).await, balance).is_some_and(|left| left > 0.0)
    })
    .await;
}

/// More events than the service keeps for one that listens.
#[tokio::test]
async fn a_burst_is_counted_without_a_gap() {
    const CLIENTS: usize = 8;
    const CODES: usize = 75;
    let installation = Installation::new(Database::Sqlite)
        .await
        .set("CHELSERU_AUTH__LIMITS__PUMPING_GUARD", "off")
        .set("CHELSERU_SERVER__METRICS", "true");
    let server = Arc::new(installation.start());
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let server = Arc::clone(&server);
        clients.spawn(async move {
            for code in 0..CODES {
                let number = format!("0912{client:02}{code:05}");
                let body = json!({ "mobile_number": number });
                let (status, _) = server.post("/api/otp/send/", &body).await.unwrap();
                assert_eq!(status, 200);
            }
        });
    }
    clients.join_all().await;
    let sent = u32::try_from(CLIENTS * CODES).unwrap();
    counted(&server, "chelseru_codes_sent_total", f64::from(sent)).await;
    // Asked again: a page that is written while events are counted may have one and not yet the other.
    let accepted =
        r#"chelseru_sms_attempts_total{provider="CONSOLE",purpose="code",result="accepted"}"#;
    let text = counted(&server, accepted, f64::from(sent)).await;
    assert_eq!(value(&text, "chelseru_events_missed_total"), Some(0.0));
}

#[tokio::test]
async fn limits_that_are_reached_are_counted() {
    let installation = Installation::new(Database::Sqlite)
        .await
        .set("CHELSERU_AUTH__LIMITS__OTP_PER_NUMBER_PER_HOUR", "1")
        .set("CHELSERU_SERVER__METRICS", "true");
    let server = installation.start();
    server.log_in("09121234567").await.unwrap();
    // One address that verified one of 13 codes.
    for n in 0..14 {
        let body = json!({ "mobile_number": format!("091200000{n:02}") });
        server.post("/api/otp/send/", &body).await.unwrap();
    }
    let body = json!({ "mobile_number": "09121234567" });
    let (status, _) = server.post("/api/otp/send/", &body).await.unwrap();
    assert_eq!(status, 429);
    let reached = r#"chelseru_limits_reached_total{limit="AUTH.LIMITS.OTP_PER_NUMBER_PER_HOUR"}"#;
    counted(&server, reached, 1.0).await;
    let stopped = r#"chelseru_pumping_suspected_total{by="address",result="stopped"}"#;
    counted(&server, stopped, 3.0).await;
}
