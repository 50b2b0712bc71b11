//! Paths and methods.

use chelseru_tests::{Database, TestServer, log_in, on_both_databases};
use reqwest::Method;
use serde_json::json;

on_both_databases! {
    paths_answer_with_and_without_the_final_slash
    another_method_is_told_which_are_allowed
    an_unknown_path_is_not_found
    the_applications_own_paths_are_its_own
}

const POST_ONLY: [&str; 16] = [
    "/api/otp/send/",
    "/api/authenticate/",
    "/api/message/send/",
    "/api/token/refresh/",
    "/api/token/verify/",
    "/api/logout/",
    "/api/register/",
    "/api/login/",
    "/api/register/send/",
    "/api/password/change/",
    "/api/password/reset/",
    "/api/password/reset/confirm/",
    "/api/me/mobile/send/",
    "/api/me/mobile/",
    "/api/me/delete/send/",
    "/api/me/delete/",
];

async fn paths_answer_with_and_without_the_final_slash(database: Database) {
    let server = TestServer::start(database).await;
    for path in POST_ONLY {
        let with = server.post(path).json(&json!({})).await;
        let without = server
            .post(path.trim_end_matches('/'))
            .json(&json!({}))
            .await;
        assert_ne!(with.status, 404, "{with:?}");
        without.assert_text(with.status, &with.body);
    }
    let access = log_in(&server, "09121234567").await.access;
    for path in ["/api/sessions/", "/api/sessions"] {
        server.get(path).bearer(&access).await.assert_status(200);
        server.delete(path).bearer(&access).await.assert_status(204);
    }
    for path in ["/api/me/", "/api/me"] {
        server.get(path).bearer(&access).await.assert_status(200);
    }
    for path in ["/api/sessions/4711/", "/api/sessions/4711"] {
        let answer = server.delete(path).bearer(&access).await;
        answer.assert_status(404);
    }
}

async fn another_method_is_told_which_are_allowed(database: Database) {
    let server = TestServer::start(database).await;
    let routes = POST_ONLY.map(|path| (path, "POST")).into_iter().chain([
        ("/api/sessions/", "GET, DELETE"),
        ("/api/sessions/1/", "DELETE"),
        ("/api/me/", "GET, PATCH, DELETE"),
    ]);
    for (path, allowed) in routes {
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::from_bytes(b"BREW").unwrap(),
        ] {
            if allowed
                .split(", ")
                .any(|allowed| allowed == method.as_str())
            {
                continue;
            }
            for path in [path, path.trim_end_matches('/')] {
                server
                    .call(method.clone(), path)
                    .await
                    .assert_text(
                        405,
                        &format!(r#"{{"detail":"Method \"{method}\" not allowed."}}"#),
                    )
                    .assert_header("allow", allowed);
            }
        }
    }
}

async fn an_unknown_path_is_not_found(database: Database) {
    let server = TestServer::start(database).await;
    for path in [
        "/api/",
        "/api/otp/",
        "/api/otp/send//",
        "/api//otp/send/",
        "/api/otp/send/x/",
        "/api/OTP/SEND/",
        "/api/otp/send%2F",
        "/api/sessions/x/",
        "/api/sessions/-1/",
        "/api/sessions/+1/",
        "/api/sessions/1.0/",
        "/api/sessions/99999999999999999999/",
        "/api/sessions/1/x/",
        "/api/me/1/",
        "/api/me/mobile/1/",
        "/api/me/send/",
        "/api/%00",
        "/api/%FF%FE",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let answer = server.call(method, path).await;
            answer.assert_status(404);
            assert!(answer.field("detail").is_string(), "{answer:?}");
        }
    }
}

async fn the_applications_own_paths_are_its_own(database: Database) {
    let server = TestServer::start(database).await;
    server.get("/").await.assert_text(404, "");
    server.get("/otp/send/").await.assert_text(404, "");
    server.get("/apiary").await.assert_text(404, "");
    server.get("/whoami").await.assert_status(401);
}
