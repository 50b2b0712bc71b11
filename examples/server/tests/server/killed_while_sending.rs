//! SIGKILL between a provider's taking of a message and our record of it: the receiver gets one SMS, and
//! who asks again is told so.

use chelseru_core::config::SmsService::{self, KavenegarCom, MeliPayamakCom};
use chelseru_tests::{Database, FakeProviders, Fault, on_both_databases, until};
use serde_json::json;

use crate::harness::{Installation, Server};

on_both_databases! {
    a_message_that_kavenegar_took_is_found_by_our_id_and_not_sent_again
    a_message_that_nobody_can_be_asked_for_is_in_doubt_and_not_sent_again
}

const TO: &str = "09127654321";

async fn installation(
    database: Database,
    fakes: &FakeProviders,
    service: SmsService,
) -> Installation {
    Installation::new(database)
        .await
        .send_by(fakes, &[service])
        // How long a message may take, and so how soon it is known that nobody waits for it any more.
        .set("CHELSERU_SMS__TIMEOUT_SECONDS", "1")
}

/// Logs in with the code that really arrived.
async fn log_in(server: &Server, fakes: &FakeProviders) -> String {
    let number = "09121234567";
    let asked = json!({ "mobile_number": number });
    let (status, body) = server.post("/api/otp/send/", &asked).await.unwrap();
    assert_eq!(status, 200, "{body}");
    let sms = fakes.sent_to(number).pop().expect("an SMS with a code");
    let digits = sms.text.split(|char: char| !char.is_ascii_digit());
    let code = digits.max_by_key(|run| run.len()).unwrap_or_default();
    let login = json!({ "mobile_number": number, "code": code });
    let (status, body) = server.post("/api/authenticate/", &login).await.unwrap();
    assert_eq!(status, 200, "{body}");
    body["access"].as_str().unwrap_or_default().to_owned()
}

/// Asks for the message, always under the same key; an error when the server goes away meanwhile.
async fn send(server: &Server, access: &str) -> Result<u16, reqwest::Error> {
    let request = server
        .http
        .post(server.url("/api/message/send/"))
        .bearer_auth(access)
        .header("idempotency-key", "order-7")
        .json(&json!({ "mobile_number": TO, "message_text": "سفارش شما آماده است." }));
    Ok(request.send().await?.status().as_u16())
}

/// Kills the server while a provider holds a message that it took, and gives the status with which the
/// next start answers who asks again, once it knows.
async fn status_after_the_kill(database: Database, service: SmsService) -> (u16, usize) {
    let fakes = FakeProviders::start();
    let installation = installation(database, &fakes, service).await;
    let server = installation.start();
    let access = log_in(&server, &fakes).await;
    let held = fakes.of(service).inject(Fault::hold().after_taking());
    let kill = async {
        held.arrived().await;
        server.kill();
    };
    let (lost, ()) = tokio::join!(send(&server, &access), kill);
    lost.expect_err("the server was killed");
    held.clear();
    held.release();

    let again = installation.start();
    let mut status = 409;
    until("the next start knows what became of it", async || {
        status = send(&again, &access).await.unwrap();
        status != 409
    })
    .await;
    (status, fakes.sent_to(TO).len())
}

async fn a_message_that_kavenegar_took_is_found_by_our_id_and_not_sent_again(database: Database) {
    let (status, sent) = status_after_the_kill(database, KavenegarCom).await;
    assert_eq!((status, sent), (200, 1));
}

async fn a_message_that_nobody_can_be_asked_for_is_in_doubt_and_not_sent_again(database: Database) {
    let (status, sent) = status_after_the_kill(database, MeliPayamakCom).await;
    assert_eq!((status, sent), (502, 1));
}
