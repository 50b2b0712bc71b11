//! How often passwords are tried, with the limits that a server has by default.

use std::time::Duration;

use chelseru_core::config::IpNet;
use chelseru_core::events::{Event, Limit};
use chelseru_tests::{Call, Database, Setup, TestServer, Tokens, on_both_databases};
use futures_util::future::join_all;
use serde_json::json;

use super::{
    NEXT, NUMBER, OTHER, PASSWORD, log_in, log_in_as, passwords, register, reset, reset_code,
    whoami,
};

on_both_databases! {
    wrong_passwords_from_one_address_are_refused_after_ten_by_every_process
    the_right_password_within_the_limit_always_works
    a_stranger_at_another_address_keeps_nobody_out
    wrong_passwords_from_everywhere_are_refused_after_a_hundred
    whoever_is_kept_from_logging_in_goes_on_and_gets_in_by_a_reset
    an_address_that_tries_many_accounts_is_refused_after_two_hundred
    many_wrong_passwords_at_once_are_looked_at_as_often_as_the_limit_allows
    a_reached_limit_is_told
}

const HOUR: Duration = Duration::from_secs(3600);

async fn server(database: Database) -> TestServer {
    let loopback: IpNet = "127.0.0.0/8".parse().unwrap();
    let setup = Setup::new(database).await.with_limits();
    setup
        .config(|config| passwords(config).trusted_proxies([loopback]))
        .start()
        .await
}

fn from(address: &str, login: Call) -> Call {
    login.header("x-forwarded-for", address)
}

async fn wrong(server: &TestServer, address: &str, times: usize) {
    for _ in 0..times {
        from(address, log_in(server, NUMBER, "another password"))
            .await
            .assert_status(401);
    }
}

async fn wrong_passwords_from_one_address_are_refused_after_ten_by_every_process(
    database: Database,
) {
    let server = server(database).await;
    register(&server, NUMBER, "golnar").await;
    wrong(&server, "192.0.2.7", 10).await;
    server.clock.advance(Duration::from_secs(600));
    let other = server.beside().await;
    for server in [&server, &other] {
        let work = server.chelseru.password_work();
        // Not even looked at.
        for password in ["another password", PASSWORD] {
            from("192.0.2.7", log_in(server, NUMBER, password))
                .await
                .assert_json(
                    429,
                    &json!({ "detail": "Request was throttled. Expected available in 3000 seconds." }),
                )
                .assert_header("retry-after", "3000");
        }
        assert_eq!(server.chelseru.password_work(), work);
    }
    server.clock.advance(HOUR);
    from("192.0.2.7", log_in(&server, NUMBER, PASSWORD))
        .await
        .assert_status(200);
}

async fn the_right_password_within_the_limit_always_works(database: Database) {
    let server = server(database).await;
    register(&server, NUMBER, "golnar").await;
    wrong(&server, "192.0.2.7", 9).await;
    for _ in 0..20 {
        from("192.0.2.7", log_in(&server, NUMBER, PASSWORD))
            .await
            .assert_status(200);
    }
}

async fn a_stranger_at_another_address_keeps_nobody_out(database: Database) {
    let server = server(database).await;
    register(&server, NUMBER, "golnar").await;
    wrong(&server, "198.51.100.1", 10).await;
    from("198.51.100.1", log_in(&server, NUMBER, PASSWORD))
        .await
        .assert_status(429);
    from("192.0.2.7", log_in(&server, NUMBER, PASSWORD))
        .await
        .assert_status(200);
}

async fn wrong_passwords_from_everywhere_are_refused_after_a_hundred(database: Database) {
    let server = server(database).await;
    register(&server, NUMBER, "golnar").await;
    register(&server, OTHER, "golnaz").await;
    for n in 0..10 {
        wrong(&server, &format!("198.51.100.{n}"), 10).await;
    }
    from("192.0.2.7", log_in(&server, NUMBER, PASSWORD))
        .await
        .assert_status(429);
    from("192.0.2.7", log_in(&server, OTHER, PASSWORD))
        .await
        .assert_status(200);
    server.clock.advance(HOUR);
    from("192.0.2.7", log_in(&server, NUMBER, PASSWORD))
        .await
        .assert_status(200);
}

async fn whoever_is_kept_from_logging_in_goes_on_and_gets_in_by_a_reset(database: Database) {
    let server = server(database).await;
    let tokens = register(&server, NUMBER, "golnar").await;
    for n in 0..10 {
        wrong(&server, &format!("198.51.100.{n}"), 10).await;
    }
    whoami(&server, &tokens.access).await.assert_status(200);
    let refresh = json!({ "refresh": tokens.refresh });
    let refreshed = server.post("/api/token/refresh/").json(&refresh).await;
    refreshed.assert_status(200);
    let code = reset_code(&server, NUMBER).await;
    let done = Tokens::of(&reset(&server, NUMBER, &code, NEXT).await);
    whoami(&server, &done.access).await.assert_status(200);
}

async fn an_address_that_tries_many_accounts_is_refused_after_two_hundred(database: Database) {
    let server = server(database).await;
    register(&server, NUMBER, "golnar").await;
    for n in 0..200 {
        let login = if n % 2 == 0 {
            log_in(&server, &format!("0912{n:07}"), "another password")
        } else {
            log_in_as(&server, &format!("user{n}"), "another password")
        };
        from("192.0.2.7", login).await.assert_status(401);
    }
    from("192.0.2.7", log_in(&server, NUMBER, PASSWORD))
        .await
        .assert_status(429);
    from("192.0.2.8", log_in(&server, NUMBER, PASSWORD))
        .await
        .assert_status(200);
}

async fn many_wrong_passwords_at_once_are_looked_at_as_often_as_the_limit_allows(
    database: Database,
) {
    let server = server(database).await;
    let other = server.beside().await;
    register(&server, NUMBER, "golnar").await;
    let logins = (0..30).map(|n| {
        let server = if n % 2 == 0 { &server } else { &other };
        let login = log_in(server, NUMBER, "another password");
        async move { login.await.status }
    });
    let statuses = join_all(logins).await;
    let count = |status| statuses.iter().filter(|one| **one == status).count();
    assert_eq!((count(401), count(429)), (10, 20), "{statuses:?}");
}

async fn a_reached_limit_is_told(database: Database) {
    let server = server(database).await;
    wrong(&server, "192.0.2.7", 10).await;
    let mut events = server.chelseru.events();
    from("192.0.2.7", log_in(&server, NUMBER, PASSWORD))
        .await
        .assert_status(429);
    let Some(Event::LimitReached {
        limit,
        mobile_number,
        ..
    }) = events.next().await
    else {
        panic!("no limit");
    };
    assert_eq!(limit, Limit::LoginFailuresPerUserAndAddressPerHour);
    assert_eq!(mobile_number, NUMBER.parse().ok());
}
