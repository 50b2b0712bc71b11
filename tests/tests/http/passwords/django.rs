//! Users who were brought over from Django with their passwords.

use chelseru_core::store::PasswordChange;
use chelseru_core::{Clock, PasswordHash, UserId};
use chelseru_tests::{Database, TestServer, on_both_databases};

use super::{NUMBER, change, kept_hash, log_in, register, server_with, whoami};

on_both_databases! {
    a_hash_of_djangos_logs_in_and_is_replaced
    a_hash_with_more_iterations_than_the_settings_allow_lets_nobody_in
    a_password_that_django_hashed_can_be_changed
    what_is_no_hash_lets_nobody_in
}

/// Of the password `lètmein`, made with Python's `hashlib.pbkdf2_hmac`, as Django does.
const HASH: &str = "pbkdf2_sha256$1000$seasalt$JgZryXe2Ga8ysg6XbzkLpTdyPQrHqsinbL9BnnhgX4A=";

/// A server with an account whose hash is this one, and its access token.
async fn server_with_hash(database: Database, iterations: u32, hash: &str) -> (TestServer, String) {
    let server = server_with(database, |config| {
        config.password_django_iterations(iterations)
    })
    .await;
    let access = register(&server, NUMBER, "golnar").await.access;
    let claims = crate::forge::read(&access);
    let change = PasswordChange {
        user: UserId(claims["user_id"].as_i64().unwrap()),
        from: kept_hash(&server, NUMBER).await.unwrap(),
        to: PasswordHash::new(hash),
        keep: claims["sid"].as_i64().map(chelseru_core::SessionId),
        now: server.clock.now(),
    };
    assert!(server.store().change_password(&change).await.unwrap());
    (server, access)
}

async fn a_hash_of_djangos_logs_in_and_is_replaced(database: Database) {
    let (server, _) = server_with_hash(database, 1000, HASH).await;
    log_in(&server, NUMBER, "letmein").await.assert_status(401);
    assert_eq!(
        kept_hash(&server, NUMBER).await,
        Some(PasswordHash::new(HASH))
    );
    log_in(&server, NUMBER, "lètmein").await.assert_status(200);
    let hash = kept_hash(&server, NUMBER).await.unwrap();
    assert!(hash.expose().starts_with("$argon2id$"), "{}", hash.expose());
    log_in(&server, NUMBER, "lètmein").await.assert_status(200);
    log_in(&server, NUMBER, "letmein").await.assert_status(401);
    assert_eq!(kept_hash(&server, NUMBER).await, Some(hash));
}

async fn a_hash_with_more_iterations_than_the_settings_allow_lets_nobody_in(database: Database) {
    let (server, _) = server_with_hash(database, 999, HASH).await;
    log_in(&server, NUMBER, "lètmein").await.assert_status(401);
    assert_eq!(server.chelseru.password_work().pbkdf2_iterations, 999);
}

async fn a_password_that_django_hashed_can_be_changed(database: Database) {
    let (server, access) = server_with_hash(database, 1000, HASH).await;
    change(&server, &access, "letmein", super::NEXT)
        .await
        .assert_faulty_fields(&["old_password"]);
    change(&server, &access, "lètmein", super::NEXT)
        .await
        .assert_status(200);
    log_in(&server, NUMBER, super::NEXT)
        .await
        .assert_status(200);
    whoami(&server, &access).await.assert_status(200);
}

async fn what_is_no_hash_lets_nobody_in(database: Database) {
    for hash in [
        "",
        "lètmein",
        "!",
        "pbkdf2_sha256$1000$seasalt$",
        "$argon2id$",
    ] {
        let (server, _) = server_with_hash(database, 1000, hash).await;
        for password in ["lètmein", hash] {
            let login = log_in(&server, NUMBER, password).await;
            assert!(matches!(login.status, 400 | 401), "{login:?}");
        }
    }
}
