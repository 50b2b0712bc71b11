//! Many at once: exactly one wins, and nobody gets more than one by one they would.

use std::collections::BTreeMap;

use chelseru_core::sms::{SmsError, SmsErrorKind};
use chelseru_tests::{
    Answer, Call, Database, Setup, TestServer, Tokens, another_code, log_in, log_in_with,
    on_both_databases, send_code,
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::forge;

on_both_databases! {
    of_fifty_logins_with_one_code_one_succeeds
    of_fifty_logins_without_a_limit_of_tries_one_succeeds
    of_twenty_requests_for_a_code_one_sends
    of_twenty_requests_while_the_provider_fails_at_most_one_sends
    of_a_hundred_guesses_at_most_five_are_compared
    the_right_code_among_wrong_guesses_succeeds_at_most_once
    twenty_refreshes_with_one_token_are_given_one_successor
    twenty_refreshes_on_two_servers_are_given_one_successor
    of_twenty_refreshes_without_a_grace_one_succeeds
    twenty_exchanges_of_another_services_token_are_given_one_session
    of_twenty_exchanges_of_another_services_token_without_a_grace_one_succeeds
    twenty_logins_at_once_leave_as_many_sessions_as_there_may_be
    of_twenty_logouts_one_succeeds
    of_twenty_deletions_of_a_session_one_succeeds
    thirty_people_log_in_at_once_and_each_is_somebody_else
}

/// Sends them all at once, and counts the answers by status.
async fn at_once(calls: impl IntoIterator<Item = Call>) -> (BTreeMap<u16, usize>, Vec<Answer>) {
    let answers = join_all(calls.into_iter().map(IntoFuture::into_future)).await;
    let mut statuses = BTreeMap::new();
    for answer in &answers {
        *statuses.entry(answer.status).or_default() += 1;
    }
    (statuses, answers)
}

fn times<T>(count: usize, make: impl Fn() -> T) -> impl Iterator<Item = T> {
    (0..count).map(move |_| make())
}

fn authenticate(server: &TestServer, code: &str) -> Call {
    server
        .post("/api/authenticate/")
        .json(&json!({ "mobile_number": "09121234567", "code": code }))
}

fn refresh(server: &TestServer, token: &str) -> Call {
    server
        .post("/api/token/refresh/")
        .json(&json!({ "refresh": token }))
}

async fn sessions(server: &TestServer, access: &str) -> Vec<Value> {
    let answer = server.get("/api/sessions/").bearer(access).await;
    answer.json().as_array().unwrap().clone()
}

async fn of_fifty_logins_with_one_code_one_succeeds(database: Database) {
    assert_one_login_succeeds(&TestServer::start(database).await).await;
}

/// Here the limit of tries does not help: all of them may be compared before one has succeeded.
async fn of_fifty_logins_without_a_limit_of_tries_one_succeeds(database: Database) {
    let setup = Setup::new(database).await;
    let server = setup.config(|config| config.otp_attempts(0)).start().await;
    assert_one_login_succeeds(&server).await;
}

async fn assert_one_login_succeeds(server: &TestServer) {
    let mut users = Vec::new();
    for round in 1..=3 {
        let code = send_code(server, "09121234567").await;
        let (statuses, answers) = at_once(times(50, || authenticate(server, &code))).await;
        assert_eq!(statuses, BTreeMap::from([(200, 1), (401, 49)]));

        let winner = answers.iter().find(|answer| answer.status == 200).unwrap();
        let access = Tokens::of(winner).access;
        assert_eq!(sessions(server, &access).await.len(), round);
        users.push(forge::read(&access)["user_id"].clone());
    }
    assert!(users.iter().all(|user| user == &users[0]), "{users:?}");
}

async fn of_twenty_requests_for_a_code_one_sends(database: Database) {
    let server = TestServer::start(database).await;
    let send = || {
        server
            .post("/api/otp/send/")
            .json(&json!({ "mobile_number": "09121234567" }))
    };
    let (statuses, _) = at_once(times(20, send)).await;
    assert_eq!(statuses, BTreeMap::from([(200, 1), (409, 19)]));
    assert_eq!(server.sms.calls(), 1);
    let code = server.sms.last_code_for("09121234567").unwrap();
    log_in_with(&server, "09121234567", &code)
        .await
        .assert_status(200);
}

async fn of_twenty_requests_while_the_provider_fails_at_most_one_sends(database: Database) {
    let server = TestServer::start(database).await;
    server
        .sms
        .fail_next(SmsError::new(SmsErrorKind::NotSent, "not now"));
    let send = || {
        server
            .post("/api/otp/send/")
            .json(&json!({ "mobile_number": "09121234567" }))
    };
    let (statuses, _) = at_once(times(20, send)).await;
    assert_eq!(statuses.get(&502), Some(&1), "{statuses:?}");
    let accepted = statuses.get(&200).copied().unwrap_or(0);
    assert!(accepted <= 1, "{statuses:?}");
    assert_eq!(statuses.get(&409), Some(&(19 - accepted)), "{statuses:?}");
    assert_eq!(server.sms.sent(), accepted);
    send()
        .await
        .assert_status(if accepted == 1 { 409 } else { 200 });
}

async fn of_a_hundred_guesses_at_most_five_are_compared(database: Database) {
    let server = TestServer::start(database).await;
    let code = send_code(&server, "09121234567").await;
    let guesses = (1..=100).map(|nth| authenticate(&server, &another_code(&code, nth)));
    let (statuses, _) = at_once(guesses).await;
    assert_eq!(statuses, BTreeMap::from([(401, 100)]));
    authenticate(&server, &code).await.assert_status(401);
}

async fn the_right_code_among_wrong_guesses_succeeds_at_most_once(database: Database) {
    let server = TestServer::start(database).await;
    for _ in 0..5 {
        let code = send_code(&server, "09121234567").await;
        let guesses = (0..30).map(|nth| authenticate(&server, &another_code(&code, nth % 3)));
        let (statuses, _) = at_once(guesses).await;
        let succeeded = statuses.get(&200).copied().unwrap_or(0);
        assert!(succeeded <= 1, "{statuses:?}");
        assert_eq!(statuses.get(&401), Some(&(30 - succeeded)), "{statuses:?}");
        server.clock.advance(std::time::Duration::from_secs(240));
    }
}

async fn without_grace(database: Database) -> TestServer {
    let setup = Setup::new(database).await;
    let setup = setup.config(|config| config.refresh_grace(std::time::Duration::ZERO));
    setup.start().await
}

async fn twenty_refreshes_with_one_token_are_given_one_successor(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    let (statuses, answers) = at_once(times(20, || refresh(&server, &tokens.refresh))).await;
    assert_eq!(statuses, BTreeMap::from([(200, 20)]));
    let given: Vec<_> = answers.iter().map(Tokens::of).collect();
    let successor = &given[0].refresh;
    assert!(given.iter().all(|tokens| &tokens.refresh == successor));
    for tokens in &given {
        assert_eq!(sessions(&server, &tokens.access).await.len(), 1);
    }

    let next = Tokens::of(&refresh(&server, successor).await);
    refresh(&server, &tokens.refresh).await.assert_status(401);
    // That was a thief or the owner, nobody knows: the session is over.
    for token in [successor, &next.refresh] {
        refresh(&server, token).await.assert_status(401);
    }
    for tokens in [&given[0], &given[19], &next] {
        server
            .get("/whoami")
            .bearer(&tokens.access)
            .await
            .assert_status(401);
    }
}

async fn twenty_refreshes_on_two_servers_are_given_one_successor(database: Database) {
    let one = TestServer::start(database).await;
    let two = one.beside().await;
    let tokens = log_in(&one, "09121234567").await;
    let both = [&one, &two];
    let calls = (0..20).map(|nth| refresh(both[nth % 2], &tokens.refresh));
    let (statuses, answers) = at_once(calls).await;
    assert_eq!(statuses, BTreeMap::from([(200, 20)]));
    let given: Vec<_> = answers.iter().map(Tokens::of).collect();
    assert!(given.iter().all(|one| one.refresh == given[0].refresh));

    let next = Tokens::of(&refresh(&two, &given[0].refresh).await);
    refresh(&one, &tokens.refresh).await.assert_status(401);
    for server in both {
        refresh(server, &next.refresh).await.assert_status(401);
        let ended = server.get("/whoami").bearer(&next.access).await;
        ended.assert_status(401);
    }
}

async fn of_twenty_refreshes_without_a_grace_one_succeeds(database: Database) {
    let server = without_grace(database).await;
    let tokens = log_in(&server, "09121234567").await;
    let (statuses, answers) = at_once(times(20, || refresh(&server, &tokens.refresh))).await;
    assert_eq!(statuses, BTreeMap::from([(200, 1), (401, 19)]));
    // The others looked like a thief, so the winner's session is over as well.
    let winner = answers.iter().find(|answer| answer.status == 200).unwrap();
    let winner = Tokens::of(winner);
    refresh(&server, &winner.refresh).await.assert_status(401);
    for access in [&tokens.access, &winner.access] {
        server
            .get("/whoami")
            .bearer(access)
            .await
            .assert_status(401);
    }
}

async fn twenty_exchanges_of_another_services_token_are_given_one_session(database: Database) {
    let server = TestServer::start(database).await;
    let access = log_in(&server, "09121234567").await.access;
    let claims = forge::claims("refresh", &forge::read(&access)["user_id"]);
    let token = forge::sign(&claims);
    let (statuses, answers) = at_once(times(20, || refresh(&server, &token))).await;
    assert_eq!(statuses, BTreeMap::from([(200, 20)]));
    let given: Vec<_> = answers.iter().map(Tokens::of).collect();
    assert!(given.iter().all(|one| one.refresh == given[0].refresh));
    assert_eq!(sessions(&server, &access).await.len(), 2);

    refresh(&server, &given[0].refresh).await.assert_status(200);
    refresh(&server, &token).await.assert_status(401);
    assert_eq!(sessions(&server, &access).await.len(), 1);
}

async fn of_twenty_exchanges_of_another_services_token_without_a_grace_one_succeeds(
    database: Database,
) {
    let server = without_grace(database).await;
    let access = log_in(&server, "09121234567").await.access;
    let claims = forge::claims("refresh", &forge::read(&access)["user_id"]);
    let token = forge::sign(&claims);
    let (statuses, _) = at_once(times(20, || refresh(&server, &token))).await;
    assert_eq!(statuses, BTreeMap::from([(200, 1), (401, 19)]));
    // The others looked like a thief: what the one had opened is over, the login is not.
    assert_eq!(sessions(&server, &access).await.len(), 1);
}

/// A number has one code at a time, so one login is by code, and the others by tokens of a Django service.
async fn twenty_logins_at_once_leave_as_many_sessions_as_there_may_be(database: Database) {
    let setup = Setup::new(database).await;
    let setup = setup.config(|config| config.max_sessions_per_user(3));
    let server = setup.start().await;
    let other = server.beside().await;
    let before = log_in(&server, "09121234567").await.access;
    server.clock.advance(std::time::Duration::from_secs(1));
    let code = send_code(&server, "09121234567").await;
    let claims = forge::claims("refresh", &forge::read(&before)["user_id"]);
    let exchange = |nth: usize| {
        let jti = json!(format!("{nth:032x}"));
        refresh(
            &server,
            &forge::sign(&forge::with(&claims, "jti", Some(jti))),
        )
    };
    let calls = std::iter::once(authenticate(&server, &code)).chain((0..19).map(exchange));
    let (statuses, answers) = at_once(calls).await;
    assert_eq!(statuses, BTreeMap::from([(200, 20)]));

    let mut live = Vec::new();
    for answer in &answers {
        let access = Tokens::of(answer).access;
        if other.get("/whoami").bearer(&access).await.status == 200 {
            live.push(access);
        }
    }
    assert_eq!(live.len(), 3);
    assert_eq!(sessions(&server, &live[0]).await.len(), 3);
    let old = server.get("/whoami").bearer(&before).await;
    old.assert_status(401);
}

async fn of_twenty_logouts_one_succeeds(database: Database) {
    let server = TestServer::start(database).await;
    let tokens = log_in(&server, "09121234567").await;
    let log_out = || {
        server
            .post("/api/logout/")
            .json(&json!({ "refresh": tokens.refresh }))
    };
    let (statuses, _) = at_once(times(20, log_out)).await;
    assert_eq!(statuses, BTreeMap::from([(200, 1), (401, 19)]));
}

async fn of_twenty_deletions_of_a_session_one_succeeds(database: Database) {
    let server = TestServer::start(database).await;
    let phone = log_in(&server, "09121234567").await.access;
    let laptop = log_in(&server, "09121234567").await.access;
    let path = format!("/api/sessions/{}/", forge::read(&phone)["sid"]);
    let (statuses, _) = at_once(times(20, || server.delete(&path).bearer(&laptop))).await;
    assert_eq!(statuses, BTreeMap::from([(204, 1), (404, 19)]));
    assert_eq!(sessions(&server, &laptop).await.len(), 1);
}

async fn thirty_people_log_in_at_once_and_each_is_somebody_else(database: Database) {
    let server = TestServer::start(database).await;
    let numbers: Vec<String> = (0..30).map(|nth| format!("091212345{nth:02}")).collect();
    let logins = join_all(numbers.iter().map(|number| log_in(&server, number))).await;
    for (number, tokens) in numbers.iter().zip(&logins) {
        let whoami = server.get("/whoami").bearer(&tokens.access).await;
        assert!(whoami.body.ends_with(number), "{number}: {whoami:?}");
        assert_eq!(sessions(&server, &tokens.access).await.len(), 1);
    }
    assert_eq!(server.sms.calls(), 30);
}
