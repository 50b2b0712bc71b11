//! What every provider owes when the network or whatever is in front of the provider fails.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chelseru_core::config::SmsService;
use chelseru_core::sms::SmsError;
use chelseru_core::sms::SmsErrorKind::{self, NotSent, PerhapsSent, Throttled};
use tokio::net::TcpListener;

use crate::server::{Answer, Server};
use crate::setup::{NETWORK_SERVICES, any_message, config, provider};

/// The error of each service whose server is at this address.
async fn errors_at(url: &str, timeout: Duration) -> Vec<(SmsService, SmsError)> {
    let mut errors = Vec::new();
    for service in NETWORK_SERVICES {
        let mut config = config(service, url);
        config.timeout = timeout;
        let provider = provider(&config);
        let started = Instant::now();
        let error = provider.send(&any_message(service)).await.unwrap_err();
        assert!(
            started.elapsed() < timeout + Duration::from_secs(2),
            "{service:?} took {:?}",
            started.elapsed()
        );
        errors.push((service, error));
    }
    errors
}

/// Each service makes this of the answer, after one request.
async fn assert_each(answer: Answer, timeout: Duration, kind: SmsErrorKind, code: Option<&str>) {
    let mut server = Server::that_answers(answer.clone()).await;
    for (service, error) in errors_at(&server.url, timeout).await {
        assert_eq!(error.kind(), kind, "{service:?} {answer:?}: {error}");
        assert_eq!(error.code(), code, "{service:?} {answer:?}");
    }
    assert_eq!(
        server.requests().len(),
        NETWORK_SERVICES.len(),
        "{answer:?}"
    );
}

/// A body that every provider takes for a success.
const WELL_FOR_ALL: &str =
    r#"{"status":200,"return":{"status":200},"RetStatus":1,"Value":"5461268677656004204"}"#;

const LONG: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(500);

#[tokio::test]
async fn nothing_was_sent_to_a_port_that_nobody_listens_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for (service, error) in errors_at(&url, LONG).await {
        assert_eq!(error.kind(), NotSent, "{service:?}");
        assert!(error.to_string().contains("no connection"), "{error}");
    }
}

#[tokio::test]
async fn nothing_was_sent_to_a_host_that_does_not_resolve() {
    // A label of 64 characters is refused by the resolver itself, without a network.
    let url = format!("http://{}.invalid", "a".repeat(64));
    for (service, error) in errors_at(&url, LONG).await {
        assert_eq!(error.kind(), NotSent, "{service:?}");
        assert!(error.to_string().contains("no connection"), "{error}");
    }
}

#[tokio::test]
async fn nothing_was_sent_to_a_server_that_does_not_speak_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let plain = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.writable().await.unwrap();
            let _ = stream.try_write(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    for (service, error) in errors_at(&url, LONG).await {
        assert_eq!(error.kind(), NotSent, "{service:?}");
        assert!(error.to_string().contains("no connection"), "{error}");
    }
    plain.abort();
}

#[tokio::test]
async fn nothing_was_sent_when_the_connection_is_not_made_in_time() {
    // Accepts the TCP connection and never answers the TLS handshake.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    for (service, error) in errors_at(&url, SHORT).await {
        assert_eq!(error.kind(), NotSent, "{service:?}");
        assert!(error.to_string().contains("no connection"), "{error}");
    }
}

#[tokio::test]
async fn a_message_whose_answer_never_comes_was_perhaps_sent() {
    assert_each(Answer::silence(), SHORT, PerhapsSent, None).await;
}

#[tokio::test]
async fn a_message_whose_answer_never_ends_was_perhaps_sent() {
    let half = Answer::cut(WELL_FOR_ALL).and_stays_open();
    assert_each(half, SHORT, PerhapsSent, None).await;
}

#[tokio::test]
async fn a_message_whose_answer_is_lost_was_perhaps_sent_and_is_not_sent_again() {
    for answer in [
        Answer::close(),
        Answer::cut(WELL_FOR_ALL),
        Answer::bytes(b"HTTP/1.1 200 OK\r\nContent-Le"),
        Answer::bytes(b"not HTTP at all\r\n\r\n"),
    ] {
        assert_each(answer, LONG, PerhapsSent, None).await;
    }
}

#[tokio::test]
async fn an_answer_without_a_result_is_judged_by_the_http_status() {
    for (status, kind) in [
        ("200 OK", PerhapsSent),
        ("204 No Content", PerhapsSent),
        ("301 Moved Permanently", NotSent),
        ("302 Found", NotSent),
        ("307 Temporary Redirect", NotSent),
        ("400 Bad Request", NotSent),
        ("403 Forbidden", NotSent),
        ("404 Not Found", NotSent),
        ("429 Too Many Requests", Throttled),
        ("500 Internal Server Error", PerhapsSent),
        ("502 Bad Gateway", PerhapsSent),
        ("503 Service Unavailable", PerhapsSent),
        ("504 Gateway Timeout", PerhapsSent),
    ] {
        let code = format!("HTTP {}", &status[..3]);
        assert_each(Answer::html(status), LONG, kind, Some(&code)).await;
    }
}

#[tokio::test]
async fn garbage_with_status_200_was_perhaps_sent() {
    for body in [
        "",
        "{",
        "\u{0}\u{1}",
        "\"200\"",
        "[]",
        "{}",
        "{\"return\":200}",
        "12345678901234567890",
    ] {
        assert_each(
            Answer::json("200 OK", body),
            LONG,
            PerhapsSent,
            Some("HTTP 200"),
        )
        .await;
    }
}

#[tokio::test]
async fn an_answer_is_read_to_a_limit_and_then_not_understood() {
    let long = format!(r#"{{"status":200,"x":"{}"}}"#, "x".repeat(200_000));
    let endless = Answer::cut(&long).and_stays_open();
    for answer in [Answer::json("200 OK", &long), endless] {
        assert_each(answer, LONG, PerhapsSent, Some("HTTP 200")).await;
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut elsewhere = Server::that_answers(Answer::json("200 OK", "{}")).await;
    for status in ["301 X", "302 X", "303 X", "307 X", "308 X"] {
        let location = format!("Location: {}/v1/", elsewhere.url);
        let redirect = Answer::http(status, &location, "");
        let code = format!("HTTP {}", &status[..3]);
        assert_each(redirect, LONG, NotSent, Some(&code)).await;
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn every_message_has_a_connection_of_its_own() {
    // A server that falls silent on a kept connection would turn a sound message into a lost one.
    for service in NETWORK_SERVICES {
        let answer = Answer::json("200 OK", WELL_FOR_ALL).and_stays_open();
        let mut server = Server::that_answers(answer).await;
        let provider = provider(&config(service, &server.url));
        for _ in 0..3 {
            provider.send(&any_message(service)).await.unwrap();
        }
        assert_eq!(server.requests().len(), 3, "{service:?}");
    }
}

#[test]
fn a_proxy_of_the_environment_is_not_used() {
    // Runs another test of this file in an environment with a proxy that nobody listens on.
    let status = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "transport::every_message_has_a_connection_of_its_own",
        ])
        .envs(
            ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
                .map(|name| (name, "http://127.0.0.1:1")),
        )
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}
