//! A login from start to end, as the README shows it.

use chelseru_tests::{Database, on_both_databases};
use serde_json::json;

use crate::harness::Installation;

async fn a_code_tokens_sessions_a_message_and_a_logout(database: Database) {
    let installation = Installation::new(database).await;
    let server = installation.start();
    let tokens = server.log_in("09121234567").await.unwrap();

    let (status, sessions) = server.sessions(&tokens.access).await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(sessions[0]["current"], true);
    assert_eq!(sessions[0]["ip_address"], "127.0.0.1");

    let message = json!({ "mobile_number": "09127654321", "message_text": "سلام" });
    let sent = server
        .http
        .post(server.url("/api/message/send/"))
        .bearer_auth(&tokens.access)
        .json(&message)
        .send()
        .await
        .unwrap();
    assert_eq!(
        sent.text().await.unwrap(),
        r#"{"details":"The Message was sent correctly."}"#
    );

    let refresh = json!({ "refresh": tokens.refresh });
    let (status, refreshed) = server.post("/api/token/refresh/", &refresh).await.unwrap();
    assert_eq!(status, 200);
    let logout = json!({ "refresh": refreshed["refresh"] });
    let (status, _) = server.post("/api/logout/", &logout).await.unwrap();
    assert_eq!(status, 200);
    let (status, _) = server.sessions(&tokens.access).await.unwrap();
    assert_eq!(status, 401);
}
on_both_databases! { a_code_tokens_sessions_a_message_and_a_logout }
