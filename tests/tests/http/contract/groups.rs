//! The field `group`: one number may own one account in each group.

use chelseru_tests::{Answer, Database, Setup, TestServer, Tokens, on_both_databases, send_code};
use serde_json::{Value, json};

on_both_databases! {
    a_number_has_an_account_of_its_own_in_each_group
    a_group_may_be_written_in_several_ways
    a_group_that_is_no_group_is_refused_and_costs_no_try
    a_group_that_is_closed_leaves_the_code_good_for_another
    a_closed_group_lets_its_members_in
}

async fn log_in_to(server: &TestServer, code: &str, group: Value) -> Answer {
    server
        .post("/api/authenticate/")
        .json(&json!({ "mobile_number": "09121234567", "code": code, "group": group }))
        .await
}

async fn whoami(server: &TestServer, login: &Answer) -> String {
    let access = Tokens::of(login).access;
    let answer = server.get("/whoami").bearer(&access).await;
    answer.assert_status(200).body.clone()
}

async fn a_number_has_an_account_of_its_own_in_each_group(database: Database) {
    let server = TestServer::start(database).await;
    let mut ids = Vec::new();
    for group in [0, 1, 7, 1] {
        let code = send_code(&server, "09121234567").await;
        let login = log_in_to(&server, &code, json!(group)).await;
        let (id, rest) = whoami(&server, &login)
            .await
            .split_once(' ')
            .map(|(id, rest)| (id.to_owned(), rest.to_owned()))
            .unwrap();
        assert_eq!(rest, format!("{group} 09121234567"));
        ids.push(id);
    }
    assert_eq!(ids[1], ids[3]);
    ids.pop();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

async fn a_group_may_be_written_in_several_ways(database: Database) {
    let server = TestServer::start(database).await;
    for (group, read) in [
        (json!("5"), 5),
        (json!(" 5 "), 5),
        (json!(5), 5),
        (json!(i64::MAX), i64::MAX),
    ] {
        let code = send_code(&server, "09121234567").await;
        let login = log_in_to(&server, &code, group).await;
        let whoami = whoami(&server, &login).await;
        assert!(
            whoami.ends_with(&format!(" {read} 09121234567")),
            "{whoami}"
        );
    }
    let code = send_code(&server, "09121234567").await;
    server
        .post("/api/authenticate/")
        .form(&[
            ("mobile_number", "09121234567"),
            ("code", &code),
            ("group", "5"),
        ])
        .await
        .assert_status(200);
}

async fn a_group_that_is_no_group_is_refused_and_costs_no_try(database: Database) {
    let server = TestServer::start(database).await;
    let code = send_code(&server, "09121234567").await;
    for group in [
        json!(-1),
        json!("-1"),
        json!("admins"),
        json!(1.5),
        json!(true),
        json!([0]),
        json!({}),
        json!(1e30),
        json!(9_223_372_036_854_775_808_u64),
        json!("99999999999999999999"),
    ] {
        log_in_to(&server, &code, group)
            .await
            .assert_faulty_fields(&["group"]);
    }
    log_in_to(&server, &code, json!(0)).await.assert_status(200);
}

async fn a_group_that_is_closed_leaves_the_code_good_for_another(database: Database) {
    let server = Setup::new(database)
        .await
        .config(|config| config.signup_groups([0, 5]))
        .start()
        .await;
    let code = send_code(&server, "09121234567").await;
    log_in_to(&server, &code, json!(3))
        .await
        .assert_faulty_fields(&["group"]);
    log_in_to(&server, &code, json!(5)).await.assert_status(200);
}

async fn a_closed_group_lets_its_members_in(database: Database) {
    let server = TestServer::start(database).await;
    let code = send_code(&server, "09121234567").await;
    log_in_to(&server, &code, json!(3)).await.assert_status(200);

    let server = server
        .restart(|setup| setup.config(|config| config.signup_groups([0])))
        .await;
    let code = send_code(&server, "09121234567").await;
    log_in_to(&server, &code, json!(3)).await.assert_status(200);
}
