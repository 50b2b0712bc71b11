//! Whether the server can serve, and how its providers are doing.

use chelseru_core::config::SmsService;
use chelseru_tests::{Database, FakeProviders, Fault, Proxy, on_both_databases, until};
use serde_json::{Value, json};

use crate::harness::{Installation, Server};

async fn health(server: &Server) -> (u16, Value) {
    let response = server.get("/healthz").await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

#[tokio::test]
async fn a_server_in_health_says_so() {
    let installation = Installation::new(Database::Sqlite).await;
    let server = installation.start();
    let sms = json!([{ "provider": "CONSOLE", "state": "ok", "in_flight": 0 }]);
    let expected = json!({ "status": "ok", "database": "ok", "sms": sms });
    assert_eq!(health(&server).await, (200, expected));
}

#[tokio::test]
async fn a_paused_provider_is_named_and_only_without_any_other_is_the_server_degraded() {
    let fakes = FakeProviders::start();
    let installation = Installation::new(Database::Sqlite)
        .await
        .send_by(
            &fakes,
            &[SmsService::KavenegarCom, SmsService::MeliPayamakCom],
        )
        .set("CHELSERU_SMS__BREAKER_FAILURES", "1")
        .set("CHELSERU_SMS__BREAKER_SECONDS", "3600");
    let server = installation.start();
    let send = async |number| {
        let body = json!({ "mobile_number": number });
        server.post("/api/otp/send/", &body).await.unwrap().0
    };

    fakes.kavenegar.inject(Fault::refuse(418));
    assert_eq!(send("09121234567").await, 200);
    let (status, body) = health(&server).await;
    assert_eq!((status, &body["status"]), (200, &json!("ok")), "{body}");
    assert_eq!(body["sms"][0]["state"], "paused", "{body}");
    assert!(body["sms"][0]["paused_until"].is_string(), "{body}");
    assert_eq!(body["sms"][1]["state"], "ok", "{body}");

    fakes.meli_payamak.inject(Fault::html(502));
    assert_ne!(send("09121234568").await, 200);
    let (status, body) = health(&server).await;
    assert_eq!(
        (status, &body["status"]),
        (200, &json!("degraded")),
        "{body}"
    );
}

async fn without_its_database_it_is_down_and_back_with_it(database: Database) {
    let installation = Installation::new(database).await;
    let mut proxy = Proxy::to(installation.database().address()).await;
    let url = installation.database().url_through(proxy.address());
    let installation = installation.set("CHELSERU_DATABASE__URL", url);
    let server = installation.start();
    proxy.refuse().await;
    let (status, body) = health(&server).await;
    assert_eq!(status, 503);
    assert_eq!(
        (&body["status"], &body["database"]),
        (&json!("down"), &json!("down"))
    );
    assert_eq!(body["sms"][0]["state"], "ok");
    proxy.recover().await;
    until("the server is well again", async || {
        health(&server).await.0 == 200
    })
    .await;
}
on_both_databases! { postgres only: without_its_database_it_is_down_and_back_with_it }
