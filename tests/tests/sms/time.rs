//! Time limits: a message has the time that its sender gives it, a question that of the settings,
//! and a connection a share of it.

use std::time::{Duration, Instant};

use chelseru_core::sms::SmsErrorKind::{NotSent, PerhapsSent};
use futures_util::future::join_all;
use tokio::net::TcpListener;

use crate::server::{Answer, Server};
use crate::setup::{Api, Call, config, provider};

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(60);

fn sends(call: Call) -> bool {
    matches!(call, Call::Text | Call::Template)
}

/// A server that accepts the connection and never answers the TLS handshake.
async fn unreachable() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[tokio::test]
async fn a_message_has_the_time_that_it_was_given_and_a_question_that_of_the_settings() {
    let server = Server::that_answers(Answer::silence()).await;
    for api in Api::ALL {
        for of_messages in [true, false] {
            let mut config = config(api, &server.url);
            let given = if of_messages { SHORT } else { LONG };
            config.timeout = if of_messages { LONG } else { SHORT };
            let provider = provider(&config);
            let calls = Call::all_of(api).iter();
            for &call in calls.filter(|call| sends(**call) == of_messages) {
                let started = Instant::now();
                let error = call.make(&*provider, given).await.unwrap_err();
                assert!(started.elapsed() >= SHORT, "{api:?} {call:?}");
                assert!(started.elapsed() < LONG / 2, "{api:?} {call:?}");
                assert_eq!(
                    error.kind(),
                    call.meaning_of(PerhapsSent),
                    "{api:?} {call:?}"
                );
                assert!(error.to_string().contains("no answer in time"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn half_the_time_is_enough_to_know_that_no_connection_can_be_made() {
    let (_listener, url) = unreachable().await;
    let providers = Api::ALL.map(|api| {
        let mut config = config(api, &url);
        config.timeout = Duration::from_secs(4);
        (api, provider(&config))
    });
    let checks = providers.iter().map(|(api, provider)| async move {
        let call = Call::all_of(*api)[0];
        let half = Duration::from_secs(2);
        let error = call.make(&**provider, half).await.unwrap_err();
        assert_eq!(error.kind(), NotSent, "{api:?}: {error}");
    });
    join_all(checks).await;
}

#[tokio::test]
async fn no_connection_takes_longer_than_two_and_a_half_seconds() {
    let (_listener, url) = unreachable().await;
    let mut config = config(Api::Kavenegar, &url);
    config.timeout = LONG;
    let started = Instant::now();
    let error = Call::Text
        .make(&*provider(&config), LONG)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), NotSent, "{error}");
    let took = started.elapsed();
    assert!(
        took >= Duration::from_millis(2500) && took < LONG / 2,
        "{took:?}"
    );
}

#[tokio::test]
async fn a_message_whose_time_passes_while_connecting_is_not_certainly_unsent() {
    let (_listener, url) = unreachable().await;
    for api in Api::ALL {
        let mut config = config(api, &url);
        config.timeout = LONG;
        let call = Call::all_of(api)[0];
        let error = call.make(&*provider(&config), SHORT).await.unwrap_err();
        assert_eq!(error.kind(), PerhapsSent, "{api:?}: {error}");
    }
}

#[tokio::test]
async fn a_message_without_any_time_left_is_not_sent() {
    let mut server = Server::that_answers(Answer::close()).await;
    for (api, call) in Call::all().filter(|(_, call)| sends(*call)) {
        let provider = provider(&config(api, &server.url));
        let error = call.make(&*provider, Duration::ZERO).await.unwrap_err();
        assert_eq!(error.kind(), NotSent, "{api:?} {call:?}");
    }
    assert!(server.requests().is_empty());
}
