//! Bodies: what every route that reads one says of a faulty one.

use chelseru_tests::{Database, TestServer, log_in, on_both_databases};
use serde_json::{Value, json};

on_both_databases! {
    a_missing_blank_or_null_field_is_named
    all_faulty_fields_are_named_at_once
    a_value_of_another_type_is_named
    a_field_that_cannot_be_right_is_named
    a_body_that_is_no_object_is_refused
    a_body_that_is_no_json_is_refused
    another_content_type_is_refused
    the_content_type_may_carry_parameters
    unknown_fields_do_no_harm
}

/// Every route that reads a body, and its fields.
const ROUTES: [(&str, &[&str]); 5] = [
    ("/api/otp/send/", &["mobile_number"]),
    ("/api/authenticate/", &["mobile_number", "code"]),
    ("/api/message/send/", &["mobile_number", "message_text"]),
    ("/api/token/refresh/", &["refresh"]),
    ("/api/token/verify/", &["token"]),
];

fn good_value(field: &str) -> &'static str {
    match field {
        "mobile_number" => "09121234567",
        "code" => "12345678",
        _ => "text",
    }
}

async fn a_missing_blank_or_null_field_is_named(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09120000000").await.access;
    for (path, fields) in ROUTES {
        for &faulty in fields {
            for (value, message) in [
                (None, "This field is required."),
                (Some(json!("")), "This field may not be blank."),
                (Some(json!(" \t ")), "This field may not be blank."),
                (Some(Value::Null), "This field may not be null."),
            ] {
                let mut body: serde_json::Map<String, Value> = fields
                    .iter()
                    .map(|&field| (field.to_owned(), json!(good_value(field))))
                    .collect();
                match value {
                    Some(value) => body.insert(faulty.to_owned(), value),
                    None => body.remove(faulty),
                };
                server
                    .post(path)
                    .bearer(&access)
                    .json(&Value::Object(body))
                    .await
                    .assert_text(400, &format!(r#"{{"{faulty}":["{message}"]}}"#));
            }
        }
    }
}

async fn all_faulty_fields_are_named_at_once(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09120000000").await.access;
    for (path, fields) in ROUTES {
        let post = || server.post(path).bearer(&access);
        for answer in [
            post().json(&json!({})).await,
            post().form(&[]).await,
            post().await,
        ] {
            answer.assert_faulty_fields(fields);
        }
    }
}

async fn a_value_of_another_type_is_named(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09120000000").await.access;
    for (path, fields) in ROUTES {
        for wrong in [json!(true), json!([]), json!(["09121234567"]), json!({})] {
            let body: Value = fields
                .iter()
                .map(|&field| (field.to_owned(), wrong.clone()))
                .collect();
            server
                .post(path)
                .bearer(&access)
                .json(&body)
                .await
                .assert_faulty_fields(fields);
        }
    }
}

async fn a_field_that_cannot_be_right_is_named(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09120000000").await.access;
    for number in [
        "0912123456",
        "091212345678",
        "02188888888",
        "+447911123456",
        "+12025550123",
        "0912123456a",
        "०९१२१२३४५६७",
        "09121234567,09121234568",
    ] {
        for (path, fields) in &ROUTES[..3] {
            let body: Value = fields
                .iter()
                .map(|&field| match field {
                    "mobile_number" => (field.to_owned(), json!(number)),
                    _ => (field.to_owned(), json!(good_value(field))),
                })
                .collect();
            let answer = server.post(path).bearer(&access).json(&body).await;
            answer.assert_faulty_fields(&["mobile_number"]);
        }
    }
    for code in [
        "abc",
        "1234567a",
        "12345678901",
        "१२३४५६७८",
        "+12345678",
        "1.5",
    ] {
        server
            .post("/api/authenticate/")
            .json(&json!({ "mobile_number": "09121234567", "code": code }))
            .await
            .assert_faulty_fields(&["code"]);
    }
    assert_eq!(server.sms.calls(), 1);
}

async fn a_body_that_is_no_object_is_refused(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09120000000").await.access;
    for (path, _) in ROUTES {
        for (body, kind) in [
            ("[]", "list"),
            (r#"[{"mobile_number":"09121234567"}]"#, "list"),
            (r#""text""#, "str"),
            ("1", "int"),
            ("1.5", "float"),
            ("true", "bool"),
        ] {
            server
                .post(path)
                .bearer(&access)
                .body("application/json", body)
                .await
                .assert_text(
                    400,
                    &format!(
                        r#"{{"non_field_errors":["Invalid data. Expected a dictionary, but got {kind}."]}}"#
                    ),
                );
        }
    }
}

async fn a_body_that_is_no_json_is_refused(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09120000000").await.access;
    for (path, _) in ROUTES {
        for body in [
            "{",
            "mobile_number=09121234567",
            r#"{"mobile_number":"09121234567",}"#,
            "{'mobile_number':'09121234567'}",
            " ",
        ] {
            let answer = server
                .post(path)
                .bearer(&access)
                .body("application/json", body)
                .await;
            answer.assert_status(400);
            let detail = answer.field("detail");
            assert!(
                detail.as_str().unwrap().starts_with("JSON parse error - "),
                "{answer:?}"
            );
            assert!(!answer.body.contains("0912"), "{answer:?}");
        }
    }
}

async fn another_content_type_is_refused(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09120000000").await.access;
    for (path, _) in ROUTES {
        for content_type in ["text/plain", "application/xml", "multipart/form-data"] {
            server
                .post(path)
                .bearer(&access)
                .body(content_type, r#"{"mobile_number":"09121234567"}"#)
                .await
                .assert_text(
                    415,
                    &format!(
                        r#"{{"detail":"Unsupported media type \"{content_type}\" in request."}}"#
                    ),
                );
        }
        server
            .post(path)
            .bearer(&access)
            .bare_body("mobile_number=09121234567")
            .await
            .assert_status(415);
    }
}

async fn the_content_type_may_carry_parameters(database: Database) {
    let server = TestServer::start(database).await;
    for (number, content_type, body) in [
        (
            "09121234561",
            "application/json; charset=utf-8",
            r#"{"mobile_number":"09121234561"}"#,
        ),
        (
            "09121234562",
            "Application/JSON;charset=UTF-8",
            r#"{"mobile_number":"09121234562"}"#,
        ),
        (
            "09121234563",
            "application/x-www-form-urlencoded; charset=UTF-8",
            "mobile_number=09121234563",
        ),
    ] {
        server
            .post("/api/otp/send/")
            .body(content_type, body)
            .await
            .assert_status(200);
        assert!(server.sms.last_code_for(number).is_some(), "{number}");
    }
}

async fn unknown_fields_do_no_harm(database: Database) {
    let server = TestServer::start(database).await;
    server
        .post("/api/otp/send/")
        .json(&json!({ "mobile_number": "09121234567", "language": "fa", "x": [{ "y": null }] }))
        .await
        .assert_status(200);
}
