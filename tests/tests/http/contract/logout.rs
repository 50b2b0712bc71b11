//! POST /api/logout/

use chelseru_tests::{Database, TestServer, Tokens, log_in, on_both_databases};
use serde_json::json;

on_both_databases! {
    the_refresh_token_ends_its_session
    the_access_token_alone_ends_its_session
    a_second_logout_is_refused
    an_access_token_in_the_body_is_of_the_wrong_type
    without_any_token_the_field_is_asked_for
    other_sessions_go_on
    a_scope_says_which_sessions_end
    a_token_that_was_used_up_ends_no_other_session
    an_unknown_scope_is_refused_and_ends_nothing
}

async fn the_refresh_token_ends_its_session(database: Database) {
    let server = TestServer::start(database).await;
    for with_access_token in [false, true] {
        let tokens = log_in(&server, "09121234567").await;
        let mut logout = server
            .post("/api/logout/")
            .json(&json!({ "refresh": tokens.refresh }));
        if with_access_token {
            logout = logout.bearer(&tokens.access);
        }
        logout.await.assert_text(200, "{}");
        server
            .get("/whoami")
            .bearer(&tokens.access)
            .await
            .assert_status(401);
    }
}

async fn the_access_token_alone_ends_its_session(database: Database) {
    let server = TestServer::start(database).await;
    for body in [None, Some("{}")] {
        let tokens = log_in(&server, "09121234567").await;
        let mut logout = server.post("/api/logout").bearer(&tokens.access);
        if let Some(body) = body {
            logout = logout.body("application/json", body);
        }
        logout.await.assert_text(200, "{}");
        server
            .get("/whoami")
            .bearer(&tokens.access)
            .await
            .assert_status(401);
    }
}

async fn a_second_logout_is_refused(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    let with_refresh = || {
        server
            .post("/api/logout/")
            .json(&json!({ "refresh": tokens.refresh }))
    };
    with_refresh().await.assert_status(200);
    with_refresh().await.assert_json(
        401,
        &json!({ "detail": "Token is blacklisted", "code": "token_not_valid" }),
    );
    server
        .post("/api/logout/")
        .bearer(&tokens.access)
        .await
        .assert_status(401)
        .assert_header("www-authenticate", "Bearer realm=\"api\"");
}

async fn an_access_token_in_the_body_is_of_the_wrong_type(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    for (token, detail) in [
        (tokens.access.as_str(), "Token has wrong type"),
        ("x", "Token is invalid"),
    ] {
        server
            .post("/api/logout/")
            .json(&json!({ "refresh": token }))
            .await
            .assert_json(401, &json!({ "detail": detail, "code": "token_not_valid" }));
    }
    server
        .get("/whoami")
        .bearer(&tokens.access)
        .await
        .assert_status(200);
}

async fn without_any_token_the_field_is_asked_for(database: Database) {
    let server = TestServer::start(database).await;
    server
        .post("/api/logout/")
        .json(&json!({}))
        .await
        .assert_text(400, r#"{"refresh":["This field is required."]}"#);
}

async fn other_sessions_go_on(database: Database) {
    let server = TestServer::start(database).await;
    let phone = log_in(&server, "09121234567").await;
    let laptop = log_in(&server, "09121234567").await;
    server
        .post("/api/logout/")
        .json(&json!({ "refresh": phone.refresh }))
        .await
        .assert_status(200);
    server
        .get("/whoami")
        .bearer(&laptop.access)
        .await
        .assert_status(200);
}

async fn status(server: &TestServer, tokens: &Tokens) -> u16 {
    let answer = server.get("/whoami").bearer(&tokens.access).await;
    answer.status
}

async fn a_scope_says_which_sessions_end(database: Database) {
    let server = TestServer::start(database).await;
    let stranger = log_in(&server, "09121234568").await;
    for with_refresh in [false, true] {
        for (scope, expected) in [
            (json!("this"), [401, 200, 200]),
            (json!(null), [401, 200, 200]),
            (json!("others"), [200, 401, 401]),
            (json!("all"), [401, 401, 401]),
        ] {
            let mut logins = Vec::new();
            for _ in 0..3 {
                logins.push(log_in(&server, "09121234567").await);
            }
            let logout = server.post("/api/logout/");
            let logout = if with_refresh {
                logout.json(&json!({ "scope": scope, "refresh": logins[0].refresh }))
            } else {
                let logout = logout.json(&json!({ "scope": scope }));
                logout.bearer(&logins[0].access)
            };
            logout.await.assert_text(200, "{}");
            let mut statuses = Vec::new();
            for tokens in &logins {
                statuses.push(status(&server, tokens).await);
            }
            assert_eq!(statuses, expected, "{scope}, {with_refresh}");
        }
    }
    assert_eq!(status(&server, &stranger).await, 200);
}

async fn a_token_that_was_used_up_ends_no_other_session(database: Database) {
    let server = TestServer::start(database).await;
    let first = log_in(&server, "09121234567").await;
    let other = log_in(&server, "09121234567").await;
    let mut last = first.clone();
    for _ in 0..2 {
        let refresh = server.post("/api/token/refresh/");
        last = Tokens::of(&refresh.json(&json!({ "refresh": last.refresh })).await);
    }
    let logout = |scope: &str| {
        let body = json!({ "refresh": first.refresh, "scope": scope });
        server.post("/api/logout/").json(&body)
    };
    for scope in ["others", "all"] {
        logout(scope).await.assert_json(
            401,
            &json!({ "detail": "Token is blacklisted", "code": "token_not_valid" }),
        );
    }
    for tokens in [&last, &other] {
        assert_eq!(status(&server, tokens).await, 200);
    }
    logout("this").await.assert_text(200, "{}");
    assert_eq!(status(&server, &last).await, 401);
    assert_eq!(status(&server, &other).await, 200);
}

async fn an_unknown_scope_is_refused_and_ends_nothing(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    for scope in [json!("ALL"), json!("mine"), json!(1), json!(["all"])] {
        let by_refresh = server
            .post("/api/logout/")
            .json(&json!({ "scope": scope, "refresh": tokens.refresh }));
        let by_access = server
            .post("/api/logout/")
            .bearer(&tokens.access)
            .json(&json!({ "scope": scope }));
        for call in [by_refresh, by_access] {
            call.await.assert_json(
                400,
                &json!({ "scope": ["Enter one of \"this\", \"others\" and \"all\"."] }),
            );
        }
        assert_eq!(status(&server, &tokens).await, 200);
    }
}
