//! The database goes away and comes back.

use std::time::Duration;

use chelseru_core::config::AuthMethod;
use chelseru_core::store::SmsStatus;
use chelseru_tests::{
    Answer, Call, Database, Proxy, Setup, SlowProvider, TestServer, Tokens, log_in, log_in_with,
    on_both_databases, send_code, until,
};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use serde_json::{Value, json};

on_both_databases! { postgres only:
    while_the_database_refuses_every_route_says_so_and_serves_again_afterwards
    while_the_database_hangs_every_route_says_so_and_serves_again_afterwards
    a_restart_of_the_database_is_survived
    no_sms_is_sent_while_the_database_is_away
    a_send_whose_database_goes_away_under_it_is_not_repeated
    what_was_acknowledged_is_kept_when_connections_are_cut
    requests_that_need_no_database_are_served_all_the_while
}

/// A server whose way to the database a test can close.
async fn server_behind_proxy(database: Database) -> (TestServer, Proxy) {
    let methods = [AuthMethod::Otp, AuthMethod::Passwd];
    let setup = Setup::new(database).await;
    let setup = setup.config(|config| config.auth_methods(methods));
    let proxy = Proxy::to(setup.database().address()).await;
    (setup.behind(proxy.address()).start().await, proxy)
}

/// A request to every route that asks the database.
fn calls(server: &TestServer, user: &Tokens, code: &str) -> Vec<Call> {
    let number = json!({ "mobile_number": "09123333333" });
    let login = json!({ "mobile_number": "09122222222", "code": code });
    let message = json!({ "mobile_number": "09123333333", "message_text": "text" });
    let refresh = json!({ "refresh": user.refresh });
    let token = json!({ "token": user.access });
    let password = json!({ "username": "nobody", "password": "x7kq!m2pd" });
    let change = json!({ "old_password": "x7kq!m2pd", "new_password": "x7kq!m2pd2" });
    let reset = json!({ "mobile_number": "09122222222", "code": code, "password": "x7kq!m2pd" });
    let post = |path, body: &Value| server.post(path).json(body);
    vec![
        post("/api/otp/send/", &number),
        post("/api/authenticate/", &login),
        post("/api/register/send/", &number),
        post("/api/register/", &reset),
        post("/api/login/", &password),
        post("/api/password/change/", &change).bearer(&user.access),
        post("/api/password/reset/", &number),
        post("/api/password/reset/confirm/", &reset),
        post("/api/message/send/", &message).bearer(&user.access),
        post("/api/token/refresh/", &refresh),
        post("/api/token/verify/", &token),
        post("/api/logout/", &refresh),
        server.get("/api/sessions/").bearer(&user.access),
        server.delete("/api/sessions/").bearer(&user.access),
        server.delete("/api/sessions/1/").bearer(&user.access),
        server.get("/whoami").bearer(&user.access),
    ]
}

/// Asserts that the answer says "not now" and nothing of why.
#[track_caller]
fn assert_unavailable(answer: &Answer) {
    assert!([500, 503].contains(&answer.status), "{answer:?}");
    if answer.status == 503 {
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
    let body = answer.body.to_lowercase();
    for word in [
        "postgres",
        "sql",
        "database",
        "connection",
        "127.0.0.1",
        "pool",
        "timeout",
        "timed out",
        "refused",
        "diesel",
        "store",
    ] {
        assert!(!body.contains(word), "{word} in {answer:?}");
    }
}

async fn assert_every_route_is_unavailable(server: &TestServer, user: &Tokens, code: &str) {
    let sent = server.sms.calls();
    let answers = calls(server, user, code)
        .into_iter()
        .map(IntoFuture::into_future);
    for answer in futures_util::future::join_all(answers).await {
        assert_unavailable(&answer);
    }
    assert_eq!(server.sms.calls(), sent, "an SMS was sent");
}

async fn assert_serves_again(server: &TestServer, user: &Tokens, code: &str) {
    until("the service is back", async || {
        server.get("/whoami").bearer(&user.access).await.status == 200
    })
    .await;
    // The refresh token was presented during the outage; nothing came of it.
    let answer = server
        .post("/api/token/refresh/")
        .json(&json!({ "refresh": user.refresh }))
        .await;
    Tokens::of(&answer);
    log_in_with(server, "09122222222", code)
        .await
        .assert_status(200);
    log_in(server, "09123333333").await;
}

async fn while_the_database_refuses_every_route_says_so_and_serves_again_afterwards(
    database: Database,
) {
    let (server, mut proxy) = server_behind_proxy(database).await;
    let user = log_in(&server, "09121111111").await;
    let code = send_code(&server, "09122222222").await;
    for _ in 0..2 {
        proxy.refuse().await;
        assert_every_route_is_unavailable(&server, &user, &code).await;
    }
    proxy.recover().await;
    assert_serves_again(&server, &user, &code).await;
}

async fn while_the_database_hangs_every_route_says_so_and_serves_again_afterwards(
    database: Database,
) {
    let (server, mut proxy) = server_behind_proxy(database).await;
    let user = log_in(&server, "09121111111").await;
    let code = send_code(&server, "09122222222").await;
    proxy.hang();
    assert_every_route_is_unavailable(&server, &user, &code).await;
    proxy.recover().await;
    assert_serves_again(&server, &user, &code).await;
}

async fn a_restart_of_the_database_is_survived(database: Database) {
    let (server, proxy) = server_behind_proxy(database).await;
    let user = log_in(&server, "09121111111").await;
    let code = send_code(&server, "09122222222").await;
    for _ in 0..5 {
        proxy.cut();
        until("the service is back", async || {
            let answer = server.get("/whoami").bearer(&user.access).await;
            if answer.status != 200 {
                assert_unavailable(&answer);
            }
            answer.status == 200
        })
        .await;
    }
    assert_serves_again(&server, &user, &code).await;
}

async fn no_sms_is_sent_while_the_database_is_away(database: Database) {
    let (server, mut proxy) = server_behind_proxy(database).await;
    let send = || {
        server
            .post("/api/otp/send/")
            .json(&json!({ "mobile_number": "09121111111" }))
    };
    proxy.refuse().await;
    for _ in 0..3 {
        assert_unavailable(&send().await);
    }
    proxy.recover().await;
    proxy.hang();
    assert_unavailable(&send().await);
    assert_eq!(server.sms.calls(), 0);
    proxy.recover().await;
    until("a code is sent", async || send().await.status == 200).await;
    assert_eq!(server.sms.calls(), 1);
}

async fn a_send_whose_database_goes_away_under_it_is_not_repeated(database: Database) {
    let mut slow = None;
    let setup = Setup::new(database).await;
    let mut proxy = Proxy::to(setup.database().address()).await;
    let server = setup
        .behind(proxy.address())
        .provider(|stub| slow.insert(SlowProvider::new(stub)).clone())
        .start()
        .await;
    let provider = slow.unwrap();
    let send = || {
        server
            .post("/api/otp/send/")
            .json(&json!({ "mobile_number": "09121111111" }))
    };

    let sending = tokio::spawn(send().into_future());
    provider.asked().await;
    proxy.refuse().await;
    provider.answer();
    // The code was sent, and that is what counts; only the log does not know.
    sending.await.unwrap().assert_status(200);

    proxy.recover().await;
    until("the service is back", async || {
        server.store().ping().await.is_ok()
    })
    .await;
    let log = server.store().recent_sms(None, 10).await.unwrap();
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].outcome.status, SmsStatus::Sending);
    send().await.assert_status(409);
    let code = server.sms.last_code_for("09121111111").unwrap();
    log_in_with(&server, "09121111111", &code)
        .await
        .assert_status(200);
}

async fn what_was_acknowledged_is_kept_when_connections_are_cut(database: Database) {
    let (server, proxy) = server_behind_proxy(database).await;
    let logins = (0..40).map(|nth| try_to_log_in(&server, format!("091211111{nth:02}")));
    let logins = futures_util::future::join_all(logins);
    let cuts = async {
        // A cut between any two steps of somebody: after every few messages that were sent.
        for sent in [1, 5, 10, 20, 30] {
            until("more was sent", async || server.sms.calls() >= sent).await;
            proxy.cut();
        }
    };
    let (logins, ()) = tokio::join!(logins, cuts);

    until("the service is back", async || {
        server.store().ping().await.is_ok()
    })
    .await;
    for tokens in logins {
        let answer = server
            .post("/api/token/refresh/")
            .json(&json!({ "refresh": tokens.refresh }))
            .await;
        let access = Tokens::of(&answer).access;
        let whoami = server.get("/whoami").bearer(&access).await;
        whoami.assert_status(200);
    }
}

/// Does what a client does: asks again when told "not now", until it is logged in.
async fn try_to_log_in(server: &TestServer, number: String) -> Tokens {
    let mut tokens = None;
    until("the login succeeds", async || {
        let answer = server
            .post("/api/otp/send/")
            .json(&json!({ "mobile_number": number }))
            .await;
        if ![200, 409].contains(&answer.status) {
            assert_unavailable(&answer);
        }
        let code = server.sms.last_code_for(&number);
        let login = log_in_with(server, &number, &code.unwrap_or("00000000".to_owned())).await;
        match login.status {
            200 => tokens = Some(Tokens::of(&login)),
            // A code was reserved and the answer lost, so none was sent: the next one takes its time.
            401 if answer.status == 409 => server.clock.advance(Duration::from_secs(240)),
            // Used by a login whose answer was lost, or never sent.
            401 => {}
            _ => assert_unavailable(&login),
        }
        tokens.is_some()
    })
    .await;
    tokens.unwrap()
}

async fn requests_that_need_no_database_are_served_all_the_while(database: Database) {
    let (server, proxy) = server_behind_proxy(database).await;
    let user = log_in(&server, "09121111111").await;
    proxy.hang();
    // As many as there are connections, and more, wait for the database.
    let waiting = (0..30).map(|_| server.get("/whoami").bearer(&user.access).into_future());
    let waiting = tokio::spawn(futures_util::future::join_all(waiting));
    for _ in 0..20 {
        server.get("/whoami").await.assert_status(401);
        server
            .post("/api/otp/send/")
            .json(&json!({ "mobile_number": "x" }))
            .await
            .assert_status(400);
    }
    assert!(!waiting.is_finished());
    for answer in waiting.await.unwrap() {
        assert_unavailable(&answer);
    }
}

/// SQLite has no server that could go away; another program that holds the file's lock is as bad.
#[test]
fn while_another_program_holds_the_sqlite_file_writes_say_so_and_reads_go_on() {
    chelseru_tests::run(async {
        let setup = Setup::new(Database::Sqlite).await;
        let file = setup.database().url().replace("sqlite://", "");
        let server = setup.start().await;
        let user = log_in(&server, "09121111111").await;
        let mut other = SqliteConnection::establish(&file).expect("the file");
        other
            .batch_execute("BEGIN EXCLUSIVE")
            .expect("the file's lock");
        let send = json!({ "mobile_number": "09123333333" });
        assert_unavailable(&server.post("/api/otp/send/").json(&send).await);
        assert_eq!(server.sms.calls(), 1, "only the login's code was sent");
        let sessions = server.get("/api/sessions/").bearer(&user.access).await;
        sessions.assert_status(200);
        other.batch_execute("ROLLBACK").expect("the lock given up");
        server
            .post("/api/otp/send/")
            .json(&send)
            .await
            .assert_status(200);
    });
}
