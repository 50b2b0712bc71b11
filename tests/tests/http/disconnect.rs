//! Clients that go away.

use chelseru_core::store::{SmsRecord, SmsStatus};
use chelseru_tests::{
    Database, Setup, SlowProvider, TestServer, log_in_with, on_both_databases, open, until,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

on_both_databases! {
    a_code_is_sent_to_its_end_when_the_client_resets_the_connection
    a_code_is_sent_to_its_end_when_the_client_closes_the_connection
}

async fn a_code_is_sent_to_its_end_when_the_client_resets_the_connection(database: Database) {
    assert_sent_to_its_end(database, |client| {
        client.set_zero_linger().unwrap();
        drop(client);
    })
    .await;
}

async fn a_code_is_sent_to_its_end_when_the_client_closes_the_connection(database: Database) {
    assert_sent_to_its_end(database, drop).await;
}

async fn assert_sent_to_its_end(database: Database, leave: impl FnOnce(TcpStream)) {
    let mut slow = None;
    // One worker: when it has answered another request, it has seen that the client is gone.
    let server = Setup::new(database)
        .await
        .workers(1)
        .provider(|stub| slow.insert(SlowProvider::new(stub)).clone())
        .start()
        .await;
    let provider = slow.unwrap();

    let body = r#"{"mobile_number":"09121234567"}"#;
    let mut client = open(server.address()).await;
    let request = format!(
        "POST /api/otp/send/ HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(request.as_bytes()).await.unwrap();
    provider.asked().await;
    assert_eq!(last_sms(&server).await.outcome.status, SmsStatus::Sending);

    leave(client);
    for _ in 0..10 {
        server.get("/whoami").await.assert_status(401);
    }
    provider.answer();

    until("the message is settled", async || {
        last_sms(&server).await.outcome.status == SmsStatus::Accepted
    })
    .await;
    let code = server.sms.last_code_for("09121234567").unwrap();
    log_in_with(&server, "09121234567", &code)
        .await
        .assert_status(200);
}

async fn last_sms(server: &TestServer) -> SmsRecord {
    let mut log = server.store().recent_sms(None, 2).await.unwrap();
    assert_eq!(log.len(), 1);
    log.remove(0)
}
