//! The operator finds accounts, keeps them out and lets them in, beside a running server.

use chelseru_tests::{Database, on_both_databases};
use serde_json::{Value, json};

use crate::harness::{Installation, stderr, stdout};

on_both_databases! {
    an_account_is_found_by_number_name_and_id
    an_account_that_is_kept_out_is_refused_by_the_running_server_and_let_in_again
    what_is_not_there_is_named
}

/// What `users find` says.
fn find(installation: &Installation, who: &str) -> Value {
    let output = installation.run(&["users", "find", who, "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn an_account_is_found_by_number_name_and_id(database: Database) {
    let installation = Installation::new(database).await;
    let server = installation.start();
    server.log_in("09121234567").await.unwrap();
    server.log_in("09122222222").await.unwrap();
    let by_number = find(&installation, "+98 912 123 4567");
    let account = &by_number[0];
    assert_eq!(account["mobile_number"], "09121234567", "in full");
    assert_eq!(account["is_active"], true);
    assert_eq!(
        (&account["group"], &account["sessions"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(by_number.as_array().unwrap().len(), 1);
    let name = account["username"].as_str().unwrap();
    let id = account["id"].to_string();
    for who in [name, &id, "۰۹۱۲۱۲۳۴۵۶۷"] {
        assert_eq!(find(&installation, who), by_number, "{who}");
    }
    let output = installation.run(&["users", "find", &id]);
    let text = stdout(&output);
    for word in ["NUMBER", "09121234567", name, "yes"] {
        assert!(text.contains(word), "{word} is missing in {text}");
    }
    assert_eq!(stderr(&output), "", "nothing but the result");
}

async fn an_account_that_is_kept_out_is_refused_by_the_running_server_and_let_in_again(
    database: Database,
) {
    let installation = Installation::new(database).await;
    let server = installation.start();
    let access = server.log_in("09121234567").await.unwrap().access;
    let other = server.log_in("09122222222").await.unwrap().access;
    server.wait_until(&access, true).await;
    let id = find(&installation, "09121234567")[0]["id"].to_string();

    let output = installation.run(&["users", "disable", &id]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains(&format!("account {id}")));
    server.wait_until(&access, false).await;
    server.wait_until(&other, true).await;
    let kept_out = find(&installation, &id);
    assert_eq!(kept_out[0]["is_active"], false);

    let output = installation.run(&["users", "enable", &id]);
    assert!(output.status.success(), "{}", stderr(&output));
    server.wait_until(&access, true).await;
}

async fn what_is_not_there_is_named(database: Database) {
    let installation = Installation::new(database).await;
    installation.make_database().await;
    for (arguments, named) in [
        (&["users", "find", "09121234567"][..], "09121234567"),
        (&["users", "find", "nobody\u{1b}[2J"], "nobody\u{fffd}[2J"),
        (&["users", "disable", "7"], "no account 7"),
        (&["users", "enable", "7"], "no account 7"),
        (&["sessions", "list", "7"], "no account 7"),
        (&["sessions", "end", "7"], "no account 7"),
    ] {
        let output = installation.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
}
