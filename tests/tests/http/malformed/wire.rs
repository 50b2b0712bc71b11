//! Bytes that are no HTTP, or HTTP that breaks off.

use chelseru_tests::{Database, on_both_databases};

use super::{ROUTES, Scene};

on_both_databases! {
    a_body_that_breaks_off_is_refused_by_every_route
    a_chunked_body_is_read_like_any_other
    broken_chunks_are_refused_by_every_route
    what_is_no_http_is_refused
    a_head_without_end_is_refused
    another_protocol_is_refused_at_once
}

const BODY: &str = r#"{"mobile_number":"09121234568"}"#;

fn head(path: &str, framing: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
         content-type: application/json\r\n{framing}\r\n\r\n"
    )
}

/// Answered with a 4xx, or not at all.
#[track_caller]
fn assert_refused_or_closed(status: Option<u16>, what: &str) {
    let refused = status.is_none_or(|status| (400..500).contains(&status));
    assert!(refused, "{status:?} for {what}");
}

async fn a_body_that_breaks_off_is_refused_by_every_route(database: Database) {
    let scene = Scene::new(database).await;
    for path in ROUTES {
        for length in [BODY.len() + 1, 100, 60_000, 10_000_000] {
            let head = head(path, &format!("content-length: {length}"));
            // The part that came would be good by itself.
            let status = scene.server.exchange(head + BODY).await;
            assert_refused_or_closed(status, path);
        }
    }
    scene.assert_unchanged().await;
}

async fn a_chunked_body_is_read_like_any_other(database: Database) {
    let scene = Scene::new(database).await;
    let mut request = head("/api/otp/send/", "transfer-encoding: chunked");
    request.extend(BODY.chars().map(|char| format!("1\r\n{char}\r\n")));
    request += "0\r\n\r\n";
    assert_eq!(scene.server.exchange(request).await, Some(200));
    assert!(scene.server.sms.last_code_for("09121234568").is_some());
}

async fn broken_chunks_are_refused_by_every_route(database: Database) {
    let scene = Scene::new(database).await;
    let length = BODY.len();
    for path in ROUTES {
        for chunks in [
            format!("{length:x}\r\n{BODY}\r\n"),
            format!("{length:x}\r\n{BODY}"),
            format!("zz\r\n{BODY}\r\n0\r\n\r\n"),
            format!("-1\r\n{BODY}\r\n0\r\n\r\n"),
            format!("ffffffffffffffffff\r\n{BODY}\r\n0\r\n\r\n"),
            format!("1\r\n{BODY}\r\n0\r\n\r\n"),
            "\r\n\r\n".to_owned(),
        ] {
            let head = head(path, "transfer-encoding: chunked");
            let status = scene.server.exchange(head + &chunks).await;
            assert_refused_or_closed(status, &chunks);
        }
    }
    scene.assert_unchanged().await;
}

async fn what_is_no_http_is_refused(database: Database) {
    let scene = Scene::new(database).await;
    let length = BODY.len();
    let with = |framing: String| head("/api/otp/send/", &framing) + BODY;
    for request in [
        "\0".repeat(1000),
        "\r\n".repeat(1000),
        "hello\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "POST /api/otp/send/\r\n\r\n".to_owned(),
        "POST /api/otp/send/ HTTP/9.9\r\nhost: test\r\n\r\n".to_owned(),
        "POST /api/otp/\0send/ HTTP/1.1\r\nhost: test\r\n\r\n".to_owned(),
        "POST otp/send/ HTTP/1.1\r\nhost: test\r\n\r\n".to_owned(),
        "P\u{0}ST /api/otp/send/ HTTP/1.1\r\nhost: test\r\n\r\n".to_owned(),
        "GET /api/../../etc/passwd HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n".to_owned(),
        with("content-length: -1".to_owned()),
        with("content-length: x".to_owned()),
        with("content-length: 99999999999999999999".to_owned()),
        with(format!("content-length: {length}\r\ncontent-length: 1")),
        with(format!("content-length: {length}\r\nx\0y: 1")),
        with(format!("content-length: {length}\r\nno colon")),
        with(format!(
            "content-length: {length}\r\ntransfer-encoding: chunked"
        )),
        with("transfer-encoding: nonsense, chunked".to_owned()),
    ] {
        let status = scene.server.exchange(&request).await;
        assert_refused_or_closed(status, &request);
    }
    scene.assert_unchanged().await;
}

async fn a_head_without_end_is_refused(database: Database) {
    let scene = Scene::new(database).await;
    let length = format!("content-length: {}", BODY.len());
    let megabyte = "x".repeat(1024 * 1024);
    for request in [
        head(&format!("/api/{megabyte}"), &length),
        head(
            "/api/otp/send/",
            &format!("{length}\r\nauthorization: Bearer {megabyte}"),
        ) + BODY,
        head(
            "/api/otp/send/",
            &format!("{length}\r\n{}", "x: y\r\n".repeat(5000)),
        ) + BODY,
        megabyte,
    ] {
        let status = scene.server.exchange(&request).await;
        assert_refused_or_closed(status, &request[..60]);
    }
    scene.assert_unchanged().await;
}

/// What follows an upgrade has no end, so waiting for it would be a hang.
async fn another_protocol_is_refused_at_once(database: Database) {
    let scene = Scene::new(database).await;
    let upgrade = "host: test\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    for (request, status) in [
        (format!("GET /api/chat/ HTTP/1.1\r\n{upgrade}\r\n"), 401),
        (format!("GET /api/sessions/ HTTP/1.1\r\n{upgrade}\r\n"), 401),
        (
            format!("POST /api/otp/send/ HTTP/1.1\r\n{upgrade}\r\n"),
            400,
        ),
        (
            "CONNECT /api/sessions/ HTTP/1.1\r\nhost: test\r\n\r\n".to_owned(),
            405,
        ),
    ] {
        let answered = scene.server.exchange(&request).await;
        assert_eq!(answered, Some(status), "{request}");
    }
    scene.assert_unchanged().await;
}
