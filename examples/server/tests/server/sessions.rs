//! The operator sees an account's sessions and ends them, beside a running server.

use chelseru_tests::{Database, on_both_databases};
use serde_json::Value;

use crate::harness::{Installation, stderr, stdout};

on_both_databases! {
    one_session_or_all_are_ended_on_the_running_server
    a_session_that_the_account_does_not_have_is_named
}

/// What `sessions list` says of the first account.
fn list(installation: &Installation) -> Vec<Value> {
    let output = installation.run(&["sessions", "list", "1", "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    listed.as_array().unwrap().clone()
}

async fn one_session_or_all_are_ended_on_the_running_server(database: Database) {
    let installation = Installation::new(database).await;
    let server = installation.start();
    let mut logins = Vec::new();
    for _ in 0..3 {
        let access = server.log_in("09121234567").await.unwrap().access;
        server.wait_until(&access, true).await;
        logins.push(access);
    }
    let listed = list(&installation);
    assert_eq!(listed.len(), 3);
    assert_eq!(listed[0]["ip_address"], "127.0.0.1");
    let newest = listed[0]["id"].to_string();

    let output = installation.run(&["sessions", "end", "1", "--session", &newest]);
    assert_eq!(stdout(&output).trim_end(), "1 session of account 1 ended");
    server.wait_until(&logins[2], false).await;
    server.wait_until(&logins[0], true).await;
    assert_eq!(list(&installation)[..], listed[1..]);

    let output = installation.run(&["sessions", "end", "1"]);
    assert_eq!(stdout(&output).trim_end(), "2 sessions of account 1 ended");
    for access in &logins {
        server.wait_until(access, false).await;
    }
    let output = installation.run(&["sessions", "list", "1"]);
    assert!(stdout(&output).contains("LAST SEEN (UTC)"));
    assert_eq!(list(&installation).len(), 0);
}

async fn a_session_that_the_account_does_not_have_is_named(database: Database) {
    let installation = Installation::new(database).await;
    let server = installation.start();
    server.log_in("09121234567").await.unwrap();
    let output = installation.run(&["sessions", "end", "1", "--session", "99"]);
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    assert!(
        message.contains("account 1 has no live session 99"),
        "{message}"
    );
    assert_eq!(list(&installation).len(), 1);
}
