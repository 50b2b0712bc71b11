//! The name that a user chooses.

use std::time::Duration;

use chelseru_tests::{Database, TestServer, on_both_databases};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{MINE, NEXT, delete, deletion_code, enter, profile, rename};

on_both_databases! {
    a_name_that_follows_the_rules_is_given
    a_name_that_breaks_a_rule_is_refused_and_says_which
    a_name_that_looks_like_anothers_is_taken
    a_value_that_is_no_name_is_refused
    of_many_who_want_one_name_one_gets_it
    a_name_of_a_deleted_account_stays_its_own
    names_are_tried_as_often_as_the_limit_allows
    a_name_is_shown_nowhere_with_the_number
}

const CHARACTERS: &str =
    "Enter Latin or Persian letters, digits, and dots, dashes and underscores only.";
const SCRIPTS: &str = "Enter letters of one script: Latin or Persian.";
const SEPARATORS: &str =
    "Enter dots, dashes and underscores between letters and digits only, one at a time.";
const NUMBER: &str = "Enter at least one letter and fewer than 10 digits.";
const LENGTH: &str = "Enter 3 to 30 characters.";
const RESERVED: &str = "This username is reserved.";
const TAKEN: &str = "A user with that username already exists.";

async fn a_name_that_follows_the_rules_is_given(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    for (chosen, kept) in [
        ("ali", "ali"),
        ("Ali.Reza-7_x", "Ali.Reza-7_x"),
        ("  ali_reza ", "ali_reza"),
        ("Jose\u{301}", "José"),
        ("علی_رضا۷", "علی_رضا۷"),
        ("می\u{200C}خواهم", "می\u{200C}خواهم"),
    ] {
        let answer = rename(&server, &mine, chosen).await;
        assert_eq!(answer.assert_status(200).field("username"), kept);
        assert_eq!(profile(&server, &mine).await, answer.json());
    }
    let form = server.call(Method::PATCH, "/api/me").bearer(&mine);
    let answer = form.form(&[("username", "reza")]).await;
    assert_eq!(answer.field("username"), "reza");
}

async fn a_name_that_breaks_a_rule_is_refused_and_says_which(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let me = profile(&server, &mine).await;
    for (chosen, why) in [
        ("ab", LENGTH),
        (&"x".repeat(31), LENGTH),
        ("ali reza", CHARACTERS),
        ("ali\u{202E}reza", CHARACTERS),
        ("ali\u{200B}reza", CHARACTERS),
        ("ali\u{1}reza", CHARACTERS),
        ("аli", CHARACTERS),
        ("<script>", CHARACTERS),
        ("aliعلی", SCRIPTS),
        (".ali", SEPARATORS),
        ("a__li", SEPARATORS),
        ("۱۲۳۴", NUMBER),
        ("09121234567", NUMBER),
        ("G0-09121234567", NUMBER),
        ("Admin", RESERVED),
        ("adm1n_2", RESERVED),
        ("پشتیباني", RESERVED),
        (me["username"].as_str().unwrap(), RESERVED),
        ("u23456789ab", RESERVED),
    ] {
        let answer = rename(&server, &mine, chosen).await;
        answer.assert_json(400, &json!({ "username": [why] }));
    }
    assert_eq!(profile(&server, &mine).await, me);
}

async fn a_name_that_looks_like_anothers_is_taken(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let yours = enter(&server, NEXT).await;
    for (my_name, your_names) in [
        (
            "Ali.Reza1",
            vec!["Ali.Reza1", "ali.reza1", "ali_reza۱", "aIi-rezal"],
        ),
        ("کاوه", vec!["کاوه", "كاوه", "کاوة"]),
    ] {
        rename(&server, &mine, my_name).await.assert_status(200);
        for name in your_names {
            let answer = rename(&server, &yours, name).await;
            answer.assert_json(400, &json!({ "username": [TAKEN] }));
        }
        // It is still mine, in whichever spelling.
        let again = rename(&server, &mine, &my_name.to_uppercase()).await;
        again.assert_status(200);
    }
    let free_again = rename(&server, &yours, "ali-reza1").await;
    free_again.assert_status(200);
}

async fn a_value_that_is_no_name_is_refused(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let me = profile(&server, &mine).await;
    for (value, why) in [
        (Value::Null, "This field may not be null."),
        (json!(""), "This field may not be blank."),
        (json!(" \t"), "This field may not be blank."),
        (json!(["ali"]), "Not a valid string."),
        (json!({ "a": 1 }), "Not a valid string."),
        (json!(true), "Not a valid string."),
        (json!("ali\u{0}"), "Null characters are not allowed."),
        (json!(1234), NUMBER),
        (json!("é".repeat(20_000)), LENGTH),
    ] {
        let patch = server.call(Method::PATCH, "/api/me/").bearer(&mine);
        let answer = patch.json(&json!({ "username": value })).await;
        answer.assert_json(400, &json!({ "username": [why] }));
    }
    assert_eq!(profile(&server, &mine).await, me);
}

async fn of_many_who_want_one_name_one_gets_it(database: Database) {
    let one = TestServer::start(database).await;
    let two = one.beside().await;
    let mut users = Vec::new();
    for n in 0..12 {
        users.push(enter(&one, &format!("091200000{n:02}")).await);
    }
    let calls = users.iter().enumerate().map(|(n, access)| {
        let server = [&one, &two][n % 2];
        let name = ["ali.reza", "Ali_Reza", "a1i-reza"][n % 3];
        rename(server, access, name)
    });
    let answers = join_all(calls.map(IntoFuture::into_future)).await;
    let given = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(given, 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.assert_json(400, &json!({ "username": [TAKEN] }));
    }
}

async fn a_name_of_a_deleted_account_stays_its_own(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let yours = enter(&server, NEXT).await;
    rename(&server, &mine, "ali").await.assert_status(200);
    let code = deletion_code(&server, &mine, MINE).await;
    delete(&server, &mine, &code).await.assert_status(204);
    let me_again = enter(&server, MINE).await;
    for access in [&yours, &me_again] {
        let answer = rename(&server, access, "Ali").await;
        answer.assert_json(400, &json!({ "username": [TAKEN] }));
    }
}

/// Who may ask for a name learns whether it is taken; nobody learns it of many.
async fn names_are_tried_as_often_as_the_limit_allows(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let yours = enter(&server, NEXT).await;
    rename(&server, &yours, "taken").await.assert_status(200);
    // What cannot be a name costs nothing.
    for _ in 0..30 {
        rename(&server, &mine, "no").await.assert_status(400);
    }
    for _ in 0..20 {
        rename(&server, &mine, "taken").await.assert_status(400);
    }
    let answer = rename(&server, &mine, "free").await;
    answer
        .assert_status(429)
        .assert_header("retry-after", "3600");
    rename(&server, &yours, "other").await.assert_status(200);
    server.clock.advance(Duration::from_secs(3600));
    let mine = enter(&server, MINE).await;
    rename(&server, &mine, "free").await.assert_status(200);
}

async fn a_name_is_shown_nowhere_with_the_number(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let yours = enter(&server, NEXT).await;
    rename(&server, &mine, "ali").await.assert_status(200);
    for (method, path) in [
        (Method::GET, "/api/me/"),
        (Method::GET, "/api/sessions/"),
        (Method::GET, "/api/me/1/"),
        (Method::GET, "/api/me/?id=1"),
        (Method::PATCH, "/api/me/1/"),
    ] {
        let answer = server.call(method, path).bearer(&yours).await;
        assert!(!answer.body.contains(MINE), "{answer:?}");
        assert!(!answer.body.contains("ali"), "{answer:?}");
    }
}
