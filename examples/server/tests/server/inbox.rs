//! The development inbox shows codes, so it must be hard to reach.

use chelseru_tests::Database;
use serde_json::json;

use crate::harness::{Installation, Server};

async fn status_of(server: &Server, path: &str, header: (&str, &str)) -> u16 {
    let request = server.http.get(server.url(path)).header(header.0, header.1);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn it_shows_messages_to_this_machine_only() {
    let installation = Installation::new(Database::Sqlite).await;
    let server = installation.start();
    server
        .post("/api/otp/send/", &json!({ "mobile_number": "09121234567" }))
        .await
        .unwrap();
    let page = server
        .http
        .get(server.url("/dev/inbox"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let code = server.code_for("09121234567").await.unwrap();
    assert!(page.contains("09121234567") && page.contains(&code));
    for path in ["/dev/inbox", "/dev/inbox.json"] {
        assert_eq!(
            status_of(&server, path, ("host", "localhost:8000")).await,
            200
        );
        assert_eq!(
            status_of(&server, path, ("host", "evil.example")).await,
            404,
            "DNS rebinding"
        );
        assert_eq!(
            status_of(&server, path, ("x-forwarded-for", "192.0.2.1")).await,
            404,
            "a proxy in front"
        );
    }
}

#[tokio::test]
async fn a_server_that_others_can_reach_has_none() {
    let installation = Installation::new(Database::Sqlite)
        .await
        .set("CHELSERU_SERVER__BIND", "0.0.0.0:0");
    let server = installation.start();
    let port = server.address().rsplit(':').next().unwrap();
    let url = format!("http://127.0.0.1:{port}/dev/inbox");
    assert_eq!(server.http.get(url).send().await.unwrap().status(), 404);
}
