//! A stranger learns from no route whether a number or a username has an account: not by status, not by
//! body, not by the work that is done, which is what takes time.

use chelseru_core::Clock;
use chelseru_core::store::PasswordChange;
use chelseru_core::testing::PasswordWork;
use chelseru_core::{PasswordHash, UserId};
use chelseru_tests::{Call, Database, TestServer, on_both_databases};
use serde_json::json;

use super::{
    NUMBER, OTHER, PASSWORD, kept_hash, log_in, log_in_as, passwords, register, server_with,
};

on_both_databases! {
    a_refused_login_does_the_same_work_whoever_is_named
    what_a_code_is_asked_for_is_answered_the_same_whoever_is_named
    a_wrong_code_is_answered_the_same_whoever_is_named
    the_limits_are_the_same_whoever_is_named
}

const UNKNOWN: &str = "09129999999";

async fn work_of(server: &TestServer, login: Call) -> PasswordWork {
    let before = server.chelseru.password_work();
    login.await.assert_status(401);
    let after = server.chelseru.password_work();
    PasswordWork {
        argon2_kib: after.argon2_kib - before.argon2_kib,
        pbkdf2_iterations: after.pbkdf2_iterations - before.pbkdf2_iterations,
    }
}

/// Accounts of every kind: with a password, one whose hash has other parameters, one that Django hashed,
/// one without a password, one that is kept out, and none.
async fn a_refused_login_does_the_same_work_whoever_is_named(database: Database) {
    use chelseru_core::config::AuthMethod::{Otp, Passwd};
    let server = server_with(database, |config| config.auth_methods([Otp, Passwd])).await;
    register(&server, "09120000001", "outdated").await;
    let server = server
        .restart(|setup| {
            setup.config(|config| {
                passwords(config)
                    .auth_methods([Otp, Passwd])
                    .password_memory_kib(2048)
                    .password_django_iterations(700)
            })
        })
        .await;
    let mut ids = Vec::new();
    for (number, name) in [
        (NUMBER, "golnar"),
        (OTHER, "golnaz"),
        ("09120000002", "django"),
    ] {
        let tokens = register(&server, number, name).await;
        let id = crate::forge::read(&tokens.access)["user_id"].as_i64();
        ids.push(UserId(id.unwrap()));
    }
    server
        .chelseru
        .set_user_active(ids[1], false)
        .await
        .unwrap();
    let django = PasswordChange {
        user: ids[2],
        from: kept_hash(&server, "09120000002").await.unwrap(),
        to: PasswordHash::new(format!("pbkdf2_sha256$500$salt${}=", "A".repeat(43))),
        keep: None,
        now: server.clock.now(),
    };
    assert!(server.store().change_password(&django).await.unwrap());
    chelseru_tests::log_in(&server, "09120000003").await;

    let expected = PasswordWork {
        argon2_kib: 2048,
        pbkdf2_iterations: 700,
    };
    for number in [
        NUMBER,
        OTHER,
        "09120000001",
        "09120000002",
        "09120000003",
        UNKNOWN,
    ] {
        let work = work_of(&server, log_in(&server, number, "another password")).await;
        assert_eq!(work, expected, "{number}");
    }
    for name in ["golnar", "golnaz", "outdated", "django", "nobody"] {
        let work = work_of(&server, log_in_as(&server, name, "another password")).await;
        assert_eq!(work, expected, "{name}");
    }
    // Nor does the right password of an account that is kept out.
    let work = work_of(&server, log_in(&server, OTHER, PASSWORD)).await;
    assert_eq!(work, expected);
}

async fn what_a_code_is_asked_for_is_answered_the_same_whoever_is_named(database: Database) {
    let server = server_with(database, |config| config).await;
    register(&server, NUMBER, "golnar").await;
    for path in ["/api/register/send/", "/api/password/reset/"] {
        let mut answers = Vec::new();
        for number in [NUMBER, UNKNOWN] {
            let sent = server.sms.sent();
            let ask = || server.post(path).json(&json!({ "mobile_number": number }));
            let (first, second) = (ask().await, ask().await);
            assert_eq!(server.sms.sent(), sent + 1);
            answers.push((first.status, first.body, second.status, second.body));
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!((answers[0].0, answers[0].2), (200, 409));
        server.clock.advance(std::time::Duration::from_secs(240));
    }
}

async fn a_wrong_code_is_answered_the_same_whoever_is_named(database: Database) {
    let server = server_with(database, |config| config).await;
    register(&server, NUMBER, "golnar").await;
    for path in ["/api/register/", "/api/password/reset/confirm/"] {
        let mut answers = Vec::new();
        for number in [NUMBER, UNKNOWN] {
            let work = server.chelseru.password_work();
            let body = json!({
                "mobile_number": number, "code": "12345678", "password": PASSWORD,
                "username": "golnar",
            });
            let answer = server.post(path).json(&body).await;
            assert_eq!(server.chelseru.password_work(), work, "nothing is hashed");
            answers.push((answer.status, answer.body));
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0].0, 401);
    }
}

async fn the_limits_are_the_same_whoever_is_named(database: Database) {
    let server = server_with(database, |config| {
        config.login_failures_per_user_and_address_per_hour(3)
    })
    .await;
    register(&server, NUMBER, "golnar").await;
    let mut answers = Vec::new();
    for number in [NUMBER, UNKNOWN] {
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(log_in(&server, number, "another password").await.status);
        }
        answers.push(statuses);
    }
    for name in ["golnar", "nobody"] {
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(log_in_as(&server, name, "another password").await.status);
        }
        answers.push(statuses);
    }
    for statuses in answers {
        assert_eq!(statuses, [401, 401, 401, 429, 429]);
    }
}
