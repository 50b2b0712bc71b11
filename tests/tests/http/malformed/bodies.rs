//! Bodies.

use chelseru_tests::{Database, on_both_databases};
use serde_json::{Value, json};

use super::{NUMBER, ROUTES, Scene, assert_refused};

on_both_databases! {
    a_value_that_makes_no_sense_is_refused_in_every_field_of_every_route
    bytes_that_make_no_sense_are_refused_by_every_route
    forms_that_make_no_sense_are_refused_by_every_route
    ten_megabytes_are_refused_by_every_route
    of_a_field_that_is_given_twice_the_last_one_counts
}

async fn a_value_that_makes_no_sense_is_refused_in_every_field_of_every_route(database: Database) {
    let scene = Scene::new(database).await;
    for value in [
        json!(null),
        json!(true),
        json!([]),
        json!([NUMBER]),
        json!({}),
        json!({ "mobile_number": NUMBER }),
        json!({ "$gt": "" }),
        json!(""),
        json!(" "),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(9_121_234_567.5),
        json!(1e300),
        json!(u64::MAX),
        json!("09121234567\u{0}"),
        json!("\u{0}"),
        json!("0912123456०"),
        json!("०९१२१२३४५६७"),
        json!("０９１２１２３４５６７"),
        json!("𝟎𝟗𝟏𝟐𝟏𝟐𝟑𝟒𝟓𝟔𝟕"),
        json!("+447911123456"),
        json!("+1 (202) 555-0123"),
        json!("+93 70 123 4567"),
        json!("09121234567' OR '1'='1"),
        json!("09121234567; DROP TABLE users"),
        json!("\u{FEFF}\u{FFFF}"),
        json!("x".repeat(20_000)),
        json!("9".repeat(20_000)),
    ] {
        for path in ROUTES {
            // In every field that any route knows: the worst that one body can be.
            let body = json!({
                "mobile_number": value,
                "code": value,
                "group": value,
                "message_text": "x".repeat(291),
                "template_id": value,
                "refresh": value,
                "token": value,
                "username": value,
                "user": value,
                "users": value,
                "name": value,
                "chat_room": value,
                "text": value,
                "password": value,
            });
            let call = scene.server.post(path).json(&body);
            // A logout is refused for its body, unless that names no token at all.
            let call = match path {
                "/api/logout/" => call,
                _ => call.bearer(&scene.user.access),
            };
            assert_refused(&call.await, &value.to_string());
        }
        let authenticate = |mobile_number: &Value, code: &Value| {
            let body = json!({ "mobile_number": mobile_number, "code": code });
            scene.server.post("/api/authenticate/").json(&body)
        };
        let answer = authenticate(&value, &json!("12345678")).await;
        answer.assert_status(400);
        // Digits, but too few or too many of them, are a wrong code that costs no try.
        let answer = authenticate(&json!(NUMBER), &value).await;
        assert!([400, 401].contains(&answer.status), "{value}: {answer:?}");
    }
    scene.assert_unchanged().await;
}

async fn bytes_that_make_no_sense_are_refused_by_every_route(database: Database) {
    let scene = Scene::new(database).await;
    let deep_list = "[".repeat(1000) + &"]".repeat(1000);
    let deep_field = format!(r#"{{"mobile_number":{deep_list}}}"#);
    let deep_object = r#"{"mobile_number":"#.repeat(1000) + "1" + &"}".repeat(1000);
    let never_closed = "[".repeat(60_000);
    let good = format!(r#"{{"mobile_number":"{NUMBER}","code":"12345678"}}"#);
    for body in [
        b"".as_slice(),
        b"{",
        b"}",
        b"null",
        b"NaN",
        b"[1,2,3]",
        b"\"",
        b"\0",
        b"\xff\xfe{\0}\0",
        b"\xef\xbb\xbf{}",
        b"{\"mobile_number\":\"0912\xff1234567\"}",
        b"{\"mobile_number\":\"\xed\xa0\x80\"}",
        br#"{"mobile_number":"\ud800"}"#,
        br#"{"mobile_number":1e400}"#,
        br#"{"mobile_number":09121234567}"#,
        b"{\"mobile_number\":\"0912\n1234567\"}",
        &good.as_bytes()[..good.len() - 1],
        format!("{good}{good}").as_bytes(),
        format!("{good}\0").as_bytes(),
        deep_list.as_bytes(),
        deep_field.as_bytes(),
        deep_object.as_bytes(),
        never_closed.as_bytes(),
    ] {
        for path in ROUTES {
            let answer = scene
                .server
                .post(path)
                .body("application/json", body.to_vec())
                .await;
            assert_refused(
                &answer,
                &String::from_utf8_lossy(&body[..body.len().min(60)]),
            );
        }
        let answer = scene
            .server
            .post("/api/message/send/")
            .bearer(&scene.user.access)
            .body("application/json", body.to_vec())
            .await;
        answer.assert_status(400);
    }
    scene.assert_unchanged().await;
}

async fn forms_that_make_no_sense_are_refused_by_every_route(database: Database) {
    let scene = Scene::new(database).await;
    let many_fields = "a=1&".repeat(10_000);
    for body in [
        b"=".as_slice(),
        b"&&&&",
        b"mobile_number",
        b"mobile_number=",
        b"mobile_number[]=09121234568",
        b"mobile_number=%",
        b"mobile_number=%FF%FE",
        b"mobile_number=\xff\xfe",
        b"mobile_number=%00",
        b"mobile_number=09121234568%00",
        br#"{"mobile_number":"09121234568"}"#,
        many_fields.as_bytes(),
    ] {
        for path in ROUTES {
            let answer = scene
                .server
                .post(path)
                .body("application/x-www-form-urlencoded", body.to_vec())
                .await;
            assert_refused(
                &answer,
                &String::from_utf8_lossy(&body[..body.len().min(60)]),
            );
        }
    }
    scene.assert_unchanged().await;
}

async fn ten_megabytes_are_refused_by_every_route(database: Database) {
    let scene = Scene::new(database).await;
    let body = format!(
        r#"{{"mobile_number":"09121234568","x":"{}"}}"#,
        "x".repeat(10 * 1024 * 1024)
    );
    for path in ROUTES {
        let answer = scene
            .server
            .post(path)
            .body("application/json", body.clone());
        answer.await.assert_status(413);
    }
    scene.assert_unchanged().await;
}

async fn of_a_field_that_is_given_twice_the_last_one_counts(database: Database) {
    let scene = Scene::new(database).await;
    for (content_type, body) in [
        (
            "application/json",
            r#"{"mobile_number":"09121234568","mobile_number":"x"}"#,
        ),
        (
            "application/x-www-form-urlencoded",
            "mobile_number=09121234568&mobile_number=x",
        ),
    ] {
        let answer = scene
            .server
            .post("/api/otp/send/")
            .body(content_type, body)
            .await;
        answer.assert_faulty_fields(&["mobile_number"]);
    }
    scene.assert_unchanged().await;
}
