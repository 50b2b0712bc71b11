//! Who may call /message/send/, and handlers for one group.

use chelseru_tests::{
    Answer, Database, Setup, TestServer, Tokens, log_in, on_both_databases, send_code,
};
use serde_json::json;

on_both_databases! {
    accounts_of_the_named_groups_may_send_messages_and_no_others
    an_empty_list_of_groups_lets_nobody_send
    a_handler_for_one_group_runs_for_that_alone
}

const DENIED: &str = "You do not have permission to perform this action.";

async fn log_in_to(server: &TestServer, group: i64) -> String {
    let code = send_code(server, "09121234567").await;
    let login = json!({ "mobile_number": "09121234567", "code": code, "group": group });
    let answer = server.post("/api/authenticate/").json(&login).await;
    Tokens::of(&answer).access
}

async fn send(server: &TestServer, access: &str) -> Answer {
    server
        .post("/api/message/send/")
        .bearer(access)
        .json(&json!({ "mobile_number": "09123333333", "message_text": "سلام" }))
        .await
}

#[track_caller]
fn assert_denied(answer: &Answer) {
    assert_eq!(
        answer.assert_status(403).json(),
        json!({ "detail": DENIED })
    );
}

async fn accounts_of_the_named_groups_may_send_messages_and_no_others(database: Database) {
    let server = Setup::new(database)
        .await
        .config(|config| config.message_send_groups([3, 5]))
        .start()
        .await;
    for (group, may) in [(0, false), (3, true), (4, false), (5, true)] {
        let access = log_in_to(&server, group).await;
        let before = server.sms.calls();
        let answer = send(&server, &access).await;
        if may {
            answer.assert_status(200);
            assert_eq!(server.sms.calls(), before + 1);
        } else {
            assert_denied(&answer);
            assert_eq!(server.sms.calls(), before, "nothing is sent");
            // Nor is it said what is wrong with a message that may not be sent anyway.
            let empty = server.post("/api/message/send/").bearer(&access);
            assert_denied(&empty.json(&json!({})).await);
        }
    }
}

async fn an_empty_list_of_groups_lets_nobody_send(database: Database) {
    let server = Setup::new(database)
        .await
        .config(|config| config.message_send_groups([]))
        .start()
        .await;
    let access = log_in(&server, "09121234567").await.access;
    assert_denied(&send(&server, &access).await);
}

async fn a_handler_for_one_group_runs_for_that_alone(database: Database) {
    let server = TestServer::start(database).await;
    let answer = server.get("/staff").await;
    answer.assert_status(401);
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer realm=\"api\"")
    );
    let user = log_in_to(&server, 0).await;
    assert_denied(&server.get("/staff").bearer(&user).await);
    let member = log_in_to(&server, 7).await;
    server
        .get("/staff")
        .bearer(&member)
        .await
        .assert_status(200);
}
