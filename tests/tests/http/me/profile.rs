//! What an account shows, to whom, and what of it does not change.

use chelseru_core::config::UsernameForm;
use chelseru_tests::{Database, Setup, TestServer, on_both_databases};
use reqwest::Method;
use serde_json::json;

use super::{MINE, NEXT, enter, enter_group, profile, rename};

on_both_databases! {
    a_user_sees_the_own_account
    what_is_not_named_stays_as_it_is
    what_cannot_be_changed_here_is_passed_over
    an_account_of_another_service_is_shown_as_well
    accounts_are_called_as_the_package_calls_them_where_that_is_set
    a_name_that_says_the_number_is_replaced_with_the_number
}

async fn a_user_sees_the_own_account(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let other = enter_group(&server, MINE, 7).await;
    let me = profile(&server, &mine).await;
    let username = me["username"].as_str().unwrap();
    assert!(!username.contains("912"), "{me}");
    server.get("/api/me/").bearer(&mine).await.assert_text(
        200,
        &format!(
            r#"{{"id":1,"username":"{username}","mobile_number":"{MINE}","group":0,"created_at":"2026-01-01T00:00:00.000Z"}}"#
        ),
    );
    let them = profile(&server, &other).await;
    assert_eq!((&them["id"], &them["group"]), (&json!(2), &json!(7)));
}

async fn what_is_not_named_stays_as_it_is(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let me = profile(&server, &mine).await;
    let patch = || server.call(Method::PATCH, "/api/me/").bearer(&mine);
    patch().json(&json!({})).await.assert_json(200, &me);
    patch().await.assert_json(200, &me);
}

async fn what_cannot_be_changed_here_is_passed_over(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let me = profile(&server, &mine).await;
    let body = json!({
        "id": 7, "mobile_number": NEXT, "group": 9, "created_at": "2020-01-01T00:00:00Z",
        "is_active": false, "is_staff": true, "username_key": "x",
    });
    let patch = server.call(Method::PATCH, "/api/me/").bearer(&mine);
    patch.json(&body).await.assert_json(200, &me);
    assert_eq!(profile(&server, &mine).await, me);
}

async fn an_account_of_another_service_is_shown_as_well(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let theirs = crate::forge::sign(&crate::forge::claims("access", &json!(1)));
    assert_eq!(
        profile(&server, &theirs).await,
        profile(&server, &mine).await
    );
}

async fn package_names(database: Database) -> TestServer {
    let setup = Setup::new(database).await;
    let setup = setup.config(|config| config.username(UsernameForm::Package));
    setup.start().await
}

async fn accounts_are_called_as_the_package_calls_them_where_that_is_set(database: Database) {
    let server = package_names(database).await;
    let mine = enter(&server, MINE).await;
    let other = enter_group(&server, MINE, 7).await;
    assert_eq!(profile(&server, &mine).await["username"], "G0-09121234567");
    assert_eq!(profile(&server, &other).await["username"], "G7-09121234567");
    rename(&server, &mine, "ali").await.assert_status(200);
    let again = enter(&server, MINE).await;
    assert_eq!(profile(&server, &again).await["username"], "ali");
}

/// The next owner of the number gets the name that says it.
async fn a_name_that_says_the_number_is_replaced_with_the_number(database: Database) {
    let server = package_names(database).await;
    let mine = enter(&server, MINE).await;
    let code = super::number_code(&server, &mine, NEXT).await;
    let changed = super::take_number(&server, &mine, NEXT, &code).await;
    assert_eq!(changed.field("username"), "G0-09127654321");
    let next_owner = enter(&server, MINE).await;
    assert_eq!(
        profile(&server, &next_owner).await["username"],
        "G0-09121234567"
    );

    let code = super::deletion_code(&server, &next_owner, MINE).await;
    let deleted = super::delete(&server, &next_owner, &code).await;
    deleted.assert_status(204);
    let after_that = enter(&server, MINE).await;
    assert_eq!(
        profile(&server, &after_that).await["username"],
        "G0-09121234567"
    );

    // With another setting, the next change says no number any more.
    let server = server
        .restart(|setup| setup.config(|config| config.username(UsernameForm::Opaque)))
        .await;
    let code = super::number_code(&server, &after_that, "09350000000").await;
    let changed = super::take_number(&server, &after_that, "09350000000", &code).await;
    let username = changed.field("username");
    let username = username.as_str().unwrap();
    assert!(
        username.starts_with('u') && username.len() == 11,
        "{username}"
    );
}
