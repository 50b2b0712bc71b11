//! Headers.

use chelseru_tests::{Database, on_both_databases};
use serde_json::json;

use super::{NUMBER, ROUTES, Scene, assert_refused};

on_both_databases! {
    a_content_type_that_makes_no_sense_is_refused_by_every_route
    an_authorization_that_makes_no_sense_is_refused
    other_headers_that_make_no_sense_do_no_harm
}

async fn a_content_type_that_makes_no_sense_is_refused_by_every_route(database: Database) {
    let scene = Scene::new(database).await;
    let long = format!("application/{}", "x".repeat(4000));
    for content_type in [
        "",
        ";",
        "/",
        "json",
        "application/jsonx",
        "application/json, application/json",
        "application/x-www-form-urlencoded, application/json",
        "text/json",
        "*/*",
        "application/\u{6a9}",
        &long,
    ] {
        for path in ROUTES {
            let answer = scene
                .server
                .post(path)
                .body(content_type, r#"{"mobile_number":"09121234568"}"#)
                .await;
            assert_refused(&answer, content_type);
        }
    }
    scene.assert_unchanged().await;
}

async fn an_authorization_that_makes_no_sense_is_refused(database: Database) {
    let scene = Scene::new(database).await;
    let access = &scene.user.access;
    let long = format!("Bearer {}", "x".repeat(20_000));
    let long_after_good = format!("Bearer {access}{}", "x".repeat(20_000));
    let many = format!("Bearer {}", "x ".repeat(5_000));
    for authorization in [
        b"".as_slice(),
        b" ",
        b"Bearer",
        b"Bearer\t",
        b"bearer x",
        b"Bearer \xff\xfe",
        b"\xff\xfe",
        b"Bearer \xd8\xb3.\xd8\xb3.\xd8\xb3",
        b"Bearer ....",
        b"Bearer eyJhbGciOiJIUzI1NiJ9.e30.",
        b"Bearer ' OR '1'='1",
        long.as_bytes(),
        long_after_good.as_bytes(),
        many.as_bytes(),
    ] {
        for path in ["/whoami", "/api/sessions/"] {
            scene
                .server
                .get(path)
                .header("authorization", authorization)
                .await
                .assert_status(401)
                .assert_header("www-authenticate", "Bearer realm=\"api\"");
        }
        scene
            .server
            .post("/api/message/send/")
            .header("authorization", authorization)
            .json(&json!({ "mobile_number": NUMBER, "message_text": "text" }))
            .await
            .assert_status(401);
    }
    scene.assert_unchanged().await;
}

async fn other_headers_that_make_no_sense_do_no_harm(database: Database) {
    let scene = Scene::new(database).await;
    let long = "x".repeat(20_000);
    for name in [
        "user-agent",
        "x-forwarded-for",
        "forwarded",
        "accept",
        "accept-language",
        "cookie",
        "origin",
        "if-none-match",
        "range",
        "x-http-method-override",
    ] {
        for value in [
            b"".as_slice(),
            b"\xff\xfe",
            b"DELETE",
            b",,,;;;\t",
            long.as_bytes(),
        ] {
            scene
                .server
                .get("/api/sessions/")
                .bearer(&scene.user.access)
                .header(name, value)
                .await
                .assert_status(200);
        }
    }
    scene.assert_unchanged().await;
}
