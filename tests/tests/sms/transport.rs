//! What every provider owes in every call when the network or whatever is in front of the provider
//! fails.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chelseru_core::sms::SmsErrorKind::{self, NotSent, PerhapsSent, Throttled};
use chelseru_core::sms::{SmsError, SmsProvider};
use futures_util::future::join_all;
use tokio::net::TcpListener;

use crate::server::{Answer, Server};
use crate::setup::{Api, Call, config, provider};

/// A provider for each API, all at this address. They are made before any time is taken: to read the
/// system's certificates is slow.
fn providers_at(url: &str, timeout: Duration) -> Vec<(Api, Arc<dyn SmsProvider>)> {
    let provider = |api| {
        let mut config = config(api, url);
        config.timeout = timeout;
        (api, provider(&config))
    };
    Api::ALL.map(provider).into()
}

/// The error of every call of a provider, one after the other.
async fn errors_of(
    api: Api,
    provider: &dyn SmsProvider,
    timeout: Duration,
) -> Vec<(Call, SmsError)> {
    let mut errors = Vec::new();
    for &call in Call::all_of(api) {
        let started = Instant::now();
        let error = call.make(provider, timeout).await.unwrap_err();
        let took = started.elapsed();
        assert!(
            took < timeout + Duration::from_secs(3),
            "{api:?} {call:?} took {took:?}"
        );
        errors.push((call, error));
    }
    errors
}

/// Each call makes this of the answer that it gets, after one request.
async fn assert_each(
    answer: impl Fn(&'static str) -> Answer,
    timeout: Duration,
    kind: SmsErrorKind,
    code: Option<&str>,
) {
    let mut servers = Vec::new();
    for api in Api::ALL {
        let calls = Call::all_of(api).iter();
        let answers = calls.map(|call| answer(call.success(api))).collect();
        let server = Server::that_answers_in_turn(answers).await;
        let mut config = config(api, &server.url);
        config.timeout = timeout;
        servers.push((api, provider(&config), server));
    }
    let checks = servers
        .iter_mut()
        .map(|(api, provider, server)| async move {
            for (call, error) in errors_of(*api, &**provider, timeout).await {
                let expected = call.meaning_of(kind);
                assert_eq!(error.kind(), expected, "{api:?} {call:?}: {error}");
                assert_eq!(error.code(), code, "{api:?} {call:?}");
            }
            assert_eq!(server.requests().len(), Call::all_of(*api).len(), "{api:?}");
        });
    join_all(checks).await;
}

/// Each call failed before anything could be sent.
async fn assert_no_connection(url: &str, timeout: Duration) {
    let providers = providers_at(url, timeout);
    let checks = providers.iter().map(|(api, provider)| async move {
        for (call, error) in errors_of(*api, &**provider, timeout).await {
            assert_eq!(error.kind(), call.meaning_of(NotSent), "{api:?} {call:?}");
            assert!(error.to_string().contains("no connection"), "{error}");
        }
    });
    join_all(checks).await;
}

const LONG: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(500);

#[tokio::test]
async fn nothing_was_sent_to_a_port_that_nobody_listens_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_no_connection(&url, LONG).await;
}

#[tokio::test]
async fn nothing_was_sent_to_a_host_that_does_not_resolve() {
    // A label of 64 characters is refused by the resolver itself, without a network.
    let url = format!("http://{}.invalid", "a".repeat(64));
    assert_no_connection(&url, LONG).await;
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
    assert_no_connection(&url, LONG).await;
    plain.abort();
}

#[tokio::test]
async fn nothing_was_sent_when_the_connection_is_not_made_in_time() {
    // Accepts the TCP connection and never answers the TLS handshake.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    assert_no_connection(&url, SHORT).await;
}

#[tokio::test]
async fn a_message_whose_answer_never_comes_was_perhaps_sent() {
    assert_each(|_| Answer::silence(), SHORT, PerhapsSent, None).await;
}

#[tokio::test]
async fn a_message_whose_answer_never_ends_was_perhaps_sent() {
    let half = |success| Answer::cut(success).and_stays_open();
    assert_each(half, SHORT, PerhapsSent, None).await;
}

#[tokio::test]
async fn a_message_whose_answer_is_lost_was_perhaps_sent_and_is_not_sent_again() {
    assert_each(Answer::cut, LONG, PerhapsSent, None).await;
    for answer in [
        Answer::close(),
        Answer::bytes(b"HTTP/1.1 200 OK\r\nContent-Le"),
        Answer::bytes(b"not HTTP at all\r\n\r\n"),
    ] {
        assert_each(|_| answer.clone(), LONG, PerhapsSent, None).await;
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
        ("408 Request Timeout", PerhapsSent),
        ("429 Too Many Requests", Throttled),
        ("500 Internal Server Error", PerhapsSent),
        ("502 Bad Gateway", PerhapsSent),
        ("503 Service Unavailable", PerhapsSent),
        ("504 Gateway Timeout", PerhapsSent),
    ] {
        let code = format!("HTTP {}", &status[..3]);
        assert_each(|_| Answer::html(status), LONG, kind, Some(&code)).await;
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
        "<soap:Envelope/>",
        "<Envelope><Body></Body></Envelope>",
    ] {
        assert_each(
            |_| Answer::json("200 OK", body),
            LONG,
            PerhapsSent,
            Some("HTTP 200"),
        )
        .await;
    }
}

#[tokio::test]
async fn an_answer_is_read_to_a_limit_and_then_not_understood() {
    // The result comes after so much space that it is not kept.
    let long = |success: &str| format!("{}{success}", " ".repeat(200_000));
    let whole = |success| Answer::json("200 OK", &long(success));
    assert_each(whole, LONG, PerhapsSent, Some("HTTP 200")).await;
    let endless = |success| Answer::cut(&long(success)).and_stays_open();
    assert_each(endless, LONG, PerhapsSent, Some("HTTP 200")).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut elsewhere = Server::that_answers(Answer::json("200 OK", "{}")).await;
    for status in ["301 X", "302 X", "303 X", "307 X", "308 X"] {
        let location = format!("Location: {}/v1/", elsewhere.url);
        let redirect = Answer::http(status, &location, "");
        let code = format!("HTTP {}", &status[..3]);
        assert_each(|_| redirect.clone(), LONG, NotSent, Some(&code)).await;
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn every_message_has_a_connection_of_its_own() {
    // A server that falls silent on a kept connection would turn a sound message into a lost one.
    for api in Api::ALL {
        let calls = Call::all_of(api);
        let answers = calls
            .iter()
            .map(|call| Answer::json("200 OK", call.success(api)).and_stays_open());
        let mut server = Server::that_answers_in_turn(answers.collect()).await;
        let provider = provider(&config(api, &server.url));
        for call in calls.iter().chain(calls) {
            let result = call.make(&*provider, LONG).await;
            assert!(result.is_ok(), "{api:?} {call:?}: {result:?}");
        }
        assert_eq!(server.requests().len(), 2 * calls.len(), "{api:?}");
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
