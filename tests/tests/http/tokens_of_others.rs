//! Tokens of a Django service that shares the key: no session of ours in them.

use chelseru_tests::{Database, TestServer, Tokens, log_in, on_both_databases};
use serde_json::{Value, json};

use crate::forge;

on_both_databases! {
    its_access_token_comes_in_with_a_number_or_a_text_as_user
    its_access_token_of_an_unknown_user_does_not
    its_user_has_no_current_session_and_may_end_them_all
    its_refresh_token_opens_one_session
    its_refresh_token_of_an_unknown_user_opens_none
}

async fn its_access_token_comes_in_with_a_number_or_a_text_as_user(database: Database) {
    let server = TestServer::start(database).await;
    let id = user_id(&log_in(&server, "09121234567").await);
    for user_id in [json!(id), json!(id.to_string())] {
        let access = forge::sign(&forge::claims("access", &user_id));
        server
            .get("/whoami")
            .bearer(&access)
            .await
            .assert_text(200, &format!("{id} 0 09121234567"));
    }
}

async fn its_access_token_of_an_unknown_user_does_not(database: Database) {
    let server = TestServer::start(database).await;
    for id in [4711, 0, -1, i64::MAX] {
        let access = forge::sign(&forge::claims("access", &json!(id)));
        for path in ["/whoami", "/api/sessions/"] {
            server
                .get(path)
                .bearer(&access)
                .await
                .assert_json(
                    401,
                    &json!({ "detail": "User not found", "code": "user_not_found" }),
                )
                .assert_header("www-authenticate", "Bearer realm=\"api\"");
        }
    }
}

async fn its_user_has_no_current_session_and_may_end_them_all(database: Database) {
    let server = TestServer::start(database).await;
    let id = user_id(&log_in(&server, "09121234567").await);
    let access = forge::sign(&forge::claims("access", &json!(id)));
    let list = async || server.get("/api/sessions/").bearer(&access).await.json();
    assert_eq!(list().await[0]["current"], false);
    server
        .delete("/api/sessions/")
        .bearer(&access)
        .await
        .assert_status(204);
    assert_eq!(list().await, json!([]));
}

async fn its_refresh_token_opens_one_session(database: Database) {
    let server = TestServer::start(database).await;
    let id = user_id(&log_in(&server, "09121234567").await);
    let token = forge::sign(&forge::claims("refresh", &json!(id)));
    let exchange = |token: &str| {
        server
            .post("/api/token/refresh/")
            .json(&json!({ "refresh": token }))
    };
    let tokens = Tokens::of(&exchange(&token).await);
    let count = async || {
        let sessions = server.get("/api/sessions/").bearer(&tokens.access).await;
        sessions.json().as_array().map_or(0, Vec::len)
    };
    assert_eq!(count().await, 2);

    // The answer may have been lost.
    server.clock.advance(std::time::Duration::from_secs(200));
    let again = Tokens::of(&exchange(&token).await);
    assert_eq!(again.refresh, tokens.refresh);
    assert_eq!(count().await, 2);

    exchange(&again.refresh).await.assert_status(200);
    exchange(&token).await.assert_json(
        401,
        &json!({ "detail": "Token is blacklisted", "code": "token_not_valid" }),
    );
    let reused = server.get("/api/sessions/").bearer(&tokens.access).await;
    reused.assert_status(401);
}

async fn its_refresh_token_of_an_unknown_user_opens_none(database: Database) {
    let server = TestServer::start(database).await;
    let refresh = forge::sign(&forge::claims("refresh", &json!(4711)));
    server
        .post("/api/token/refresh/")
        .json(&json!({ "refresh": refresh }))
        .await
        .assert_json(
            401,
            &json!({ "detail": "User not found", "code": "user_not_found" }),
        );
}

fn user_id(tokens: &Tokens) -> i64 {
    let claims: Value = forge::read(&tokens.access);
    claims["user_id"].as_i64().unwrap()
}
