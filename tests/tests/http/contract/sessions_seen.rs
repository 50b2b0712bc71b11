//! When and from where a session was last used.

use std::time::Duration;

use chelseru_core::config::IpNet;
use chelseru_tests::{Database, Setup, TestServer, log_in, on_both_databases};
use serde_json::Value;

on_both_databases! {
    last_seen_moves_after_a_minute_and_not_before
    a_client_cannot_claim_another_address
    behind_a_trusted_proxy_the_address_is_the_forwarded_one
}

async fn current_session(server: &TestServer, access: &str) -> Value {
    let sessions = server.get("/api/sessions/").bearer(access).await.json();
    let mut sessions = sessions.as_array().unwrap().clone();
    sessions.retain(|session| session["current"] == true);
    assert_eq!(sessions.len(), 1);
    sessions.remove(0)
}

async fn last_seen_moves_after_a_minute_and_not_before(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    let use_it = async || {
        server
            .get("/whoami")
            .header("user-agent", "curl/8.5.0")
            .bearer(&access)
            .await
            .assert_status(200);
    };
    server.clock.advance(Duration::from_secs(59));
    use_it().await;
    let session = current_session(&server, &access).await;
    assert_eq!(session["last_seen"], "2026-01-01T00:00:00.000Z");

    server.clock.advance(Duration::from_secs(2));
    use_it().await;
    let session = current_session(&server, &access).await;
    assert_eq!(session["last_seen"], "2026-01-01T00:01:01.000Z");
    assert_eq!(session["created_at"], "2026-01-01T00:00:00.000Z");
    assert_eq!(session["browser"], "curl");
}

async fn a_client_cannot_claim_another_address(database: Database) {
    let server = TestServer::start(database).await;
    assert_eq!(
        address_of_a_login(&server, &["198.51.100.7"]).await,
        "127.0.0.1"
    );
}

async fn behind_a_trusted_proxy_the_address_is_the_forwarded_one(database: Database) {
    let trusted = ["127.0.0.1/32", "10.0.0.0/8"];
    let server = Setup::new(database)
        .await
        .config(|config| {
            config.trusted_proxies(trusted.map(|network| network.parse::<IpNet>().unwrap()))
        })
        .start()
        .await;
    for (forwarded_for, address) in [
        (vec![], "127.0.0.1"),
        (vec!["198.51.100.7"], "198.51.100.7"),
        // What stands left of it is the client's own claim.
        (vec!["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        (
            vec!["203.0.113.9", "198.51.100.7, 10.0.0.2"],
            "198.51.100.7",
        ),
        (vec!["2001:db8::1"], "2001:db8::1"),
        (vec!["garbage"], "127.0.0.1"),
    ] {
        assert_eq!(
            address_of_a_login(&server, &forwarded_for).await,
            address,
            "{forwarded_for:?}"
        );
    }
}

async fn address_of_a_login(server: &TestServer, forwarded_for: &[&str]) -> String {
    let code = chelseru_tests::send_code(server, "09121234567").await;
    let mut login = server.post("/api/authenticate/").json(&serde_json::json!({
        "mobile_number": "09121234567",
        "code": code,
    }));
    for value in forwarded_for {
        login = login.header("x-forwarded-for", value);
    }
    let access = chelseru_tests::Tokens::of(&login.await).access;
    let session = current_session(server, &access).await;
    session["ip_address"].as_str().unwrap().to_owned()
}
