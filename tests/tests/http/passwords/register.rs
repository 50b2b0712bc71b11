//! POST /api/register/send/ and /api/register/

use chelseru_core::events::Event;
use chelseru_tests::{Database, TestServer, Tokens, another_code, on_both_databases};
use serde_json::{Value, json};

use super::{
    NUMBER, OTHER, PASSWORD, WRONG_CODE, code_by, kept_hash, log_in, log_in_as, register,
    register_code, registration, reset_code, server, server_with, whoami,
};

on_both_databases! {
    the_right_code_makes_an_account_and_logs_in
    the_password_logs_in_afterwards
    a_form_will_do
    a_username_may_be_chosen_or_left_to_us
    a_wrong_code_makes_no_account
    a_code_that_was_sent_for_something_else_makes_no_account
    a_number_that_has_an_account_is_told_so_only_with_the_right_code
    an_existing_account_is_never_changed_by_a_registration
    a_number_has_an_account_of_its_own_in_each_group
    a_closed_group_is_refused_before_the_code_is_looked_at
    a_taken_username_leaves_the_code_good
    faulty_fields_are_named_and_cost_no_try
    a_password_that_is_easy_to_guess_is_refused_and_costs_no_try
    the_least_length_is_a_setting
    a_password_may_be_long_and_of_any_characters
    only_a_hash_of_the_password_is_kept
    a_registration_is_told_as_a_first_login
}

async fn try_with(server: &TestServer, code: &str, other: Value) -> chelseru_tests::Answer {
    let body = registration(NUMBER, code, &other);
    server.post("/api/register/").json(&body).await
}

async fn the_right_code_makes_an_account_and_logs_in(database: Database) {
    let server = server(database).await;
    let code = register_code(&server, NUMBER).await;
    let answer = try_with(&server, &code, json!({})).await;
    let mut names: Vec<String> = answer.json().as_object().unwrap().keys().cloned().collect();
    names.sort();
    assert_eq!(names, ["access", "refresh"]);
    let me = whoami(&server, &Tokens::of(&answer).access).await;
    assert!(me.assert_status(200).body.ends_with(" 0 09121234567"));
    let again = try_with(&server, &code, json!({})).await;
    again.assert_text(401, WRONG_CODE);
}

async fn the_password_logs_in_afterwards(database: Database) {
    let server = server(database).await;
    let first = register(&server, NUMBER, "golnar").await;
    let second = Tokens::of(&log_in(&server, NUMBER, PASSWORD).await);
    let (one, two) = (
        whoami(&server, &first.access).await,
        whoami(&server, &second.access).await,
    );
    assert_eq!(one.assert_status(200).body, two.assert_status(200).body);
}

async fn a_form_will_do(database: Database) {
    let server = server(database).await;
    let code = register_code(&server, NUMBER).await;
    server
        .post("/api/register")
        .form(&[
            ("mobile_number", "+98 912 123 4567"),
            ("code", &code),
            ("password", PASSWORD),
            ("username", " گلنار "),
            ("group", "3"),
        ])
        .await
        .assert_status(200);
    log_in_as(&server, "گلنار", PASSWORD)
        .await
        .assert_status(200);
}

async fn a_username_may_be_chosen_or_left_to_us(database: Database) {
    let server = server(database).await;
    register(&server, OTHER, "caf\u{e9}.1").await;
    log_in_as(&server, "cafe\u{301}.1", PASSWORD)
        .await
        .assert_status(200);
    for (n, left_out) in [
        json!({}),
        json!({ "username": null }),
        json!({ "username": "" }),
    ]
    .into_iter()
    .enumerate()
    {
        let number = format!("0912000000{n}");
        let code = register_code(&server, &number).await;
        let body = registration(&number, &code, &left_out);
        let answer = server.post("/api/register/").json(&body).await;
        answer.assert_status(200);
    }
}

async fn a_wrong_code_makes_no_account(database: Database) {
    let server = server(database).await;
    let code = register_code(&server, NUMBER).await;
    let wrong = try_with(&server, &another_code(&code, 1), json!({})).await;
    wrong.assert_text(401, WRONG_CODE);
    let never_sent = registration(OTHER, &code, &json!({}));
    let never_sent = server.post("/api/register/").json(&never_sent).await;
    never_sent.assert_text(401, WRONG_CODE);
    assert_eq!(kept_hash(&server, NUMBER).await, None);
    for nth in 2..=5 {
        try_with(&server, &another_code(&code, nth), json!({})).await;
    }
    let burnt = try_with(&server, &code, json!({})).await;
    burnt.assert_text(401, WRONG_CODE);
}

async fn a_code_that_was_sent_for_something_else_makes_no_account(database: Database) {
    use chelseru_core::config::AuthMethod::{Otp, Passwd};
    let server = server_with(database, |config| config.auth_methods([Otp, Passwd])).await;
    for path in ["/api/otp/send/", "/api/password/reset/"] {
        let code = code_by(&server, path, NUMBER).await;
        let refused = try_with(&server, &code, json!({})).await;
        refused.assert_text(401, WRONG_CODE);
        server.clock.advance(std::time::Duration::from_secs(240));
    }
    let code = register_code(&server, NUMBER).await;
    let as_login = json!({ "mobile_number": NUMBER, "code": code });
    let as_login = server.post("/api/authenticate/").json(&as_login).await;
    as_login.assert_text(401, WRONG_CODE);
    let as_reset = super::reset(&server, NUMBER, &code, PASSWORD).await;
    as_reset.assert_text(401, WRONG_CODE);
    try_with(&server, &code, json!({})).await.assert_status(200);
}

async fn a_number_that_has_an_account_is_told_so_only_with_the_right_code(database: Database) {
    let server = server(database).await;
    register(&server, NUMBER, "golnar").await;
    let code = register_code(&server, NUMBER).await;
    let wrong = try_with(&server, &another_code(&code, 1), json!({})).await;
    wrong.assert_text(401, WRONG_CODE);
    let right = try_with(&server, &code, json!({})).await;
    right.assert_faulty_fields(&["mobile_number"]);
    // The next step is to reset the password, and nothing is to be waited for.
    let code = reset_code(&server, NUMBER).await;
    super::reset(&server, NUMBER, &code, PASSWORD)
        .await
        .assert_status(200);
}

async fn an_existing_account_is_never_changed_by_a_registration(database: Database) {
    use chelseru_core::config::AuthMethod::{Otp, Passwd};
    let server = server_with(database, |config| config.auth_methods([Passwd, Otp])).await;
    register(&server, NUMBER, "golnar").await;
    chelseru_tests::log_in(&server, OTHER).await;
    let before = kept_hash(&server, NUMBER).await;
    for number in [NUMBER, OTHER] {
        let code = register_code(&server, number).await;
        let body = registration(number, &code, &json!({ "password": "another x7kq!" }));
        let answer = server.post("/api/register/").json(&body).await;
        answer.assert_faulty_fields(&["mobile_number"]);
        let login = log_in(&server, number, "another x7kq!").await;
        login.assert_status(401);
    }
    assert_eq!(kept_hash(&server, NUMBER).await, before);
    assert_eq!(kept_hash(&server, OTHER).await, None);
}

async fn a_number_has_an_account_of_its_own_in_each_group(database: Database) {
    let server = server(database).await;
    let mut users = Vec::new();
    for (group, password) in [(0, "zero x7kq!m"), (7, "seven x7kq!m")] {
        let code = register_code(&server, NUMBER).await;
        let other = json!({ "group": group, "password": password });
        let tokens = Tokens::of(&try_with(&server, &code, other).await);
        users.push(whoami(&server, &tokens.access).await.body);
    }
    assert_ne!(users[0], users[1]);
    let in_seven = json!({ "mobile_number": NUMBER, "password": "seven x7kq!m", "group": 7 });
    let login = server.post("/api/login/").json(&in_seven).await;
    let me = whoami(&server, &Tokens::of(&login).access).await;
    assert_eq!(me.body, users[1]);
    let in_zero = log_in(&server, NUMBER, "seven x7kq!m").await;
    in_zero.assert_status(401);
}

async fn a_closed_group_is_refused_before_the_code_is_looked_at(database: Database) {
    let server = server_with(database, |config| config.signup_groups([0])).await;
    let code = register_code(&server, NUMBER).await;
    for _ in 0..10 {
        let refused = try_with(&server, &code, json!({ "group": 1 })).await;
        refused.assert_faulty_fields(&["group"]);
    }
    try_with(&server, &code, json!({})).await.assert_status(200);
}

async fn a_taken_username_leaves_the_code_good(database: Database) {
    let server = server(database).await;
    register(&server, OTHER, "golnar").await;
    let code = register_code(&server, NUMBER).await;
    let taken = try_with(&server, &code, json!({ "username": "golnar" })).await;
    taken.assert_faulty_fields(&["username"]);
    let free = try_with(&server, &code, json!({ "username": "golnar2" })).await;
    free.assert_status(200);
}

async fn faulty_fields_are_named_and_cost_no_try(database: Database) {
    let server = server(database).await;
    let code = register_code(&server, NUMBER).await;
    for (other, faulty) in [
        (json!({ "mobile_number": "0912" }), vec!["mobile_number"]),
        (json!({ "code": "12" }), vec!["code"]),
        (json!({ "password": "" }), vec!["password"]),
        (json!({ "password": null }), vec!["password"]),
        (json!({ "password": ["x"] }), vec!["password"]),
        (json!({ "password": "x7kq!m2pd\u{0}" }), vec!["password"]),
        (json!({ "password": "م".repeat(1025) }), vec!["password"]),
        (json!({ "username": "ab" }), vec!["username"]),
        (json!({ "username": "09121234567" }), vec!["username"]),
        (json!({ "username": "۰۹۱۲۱۲۳۴۵۶۷" }), vec!["username"]),
        (json!({ "username": "a b c" }), vec!["username"]),
        (json!({ "username": "a".repeat(33) }), vec!["username"]),
        (json!({ "username": "a\u{202e}bc" }), vec!["username"]),
        (json!({ "group": -1 }), vec!["group"]),
        (
            json!({ "mobile_number": null, "code": "", "password": {}, "group": "x" }),
            vec!["mobile_number", "code", "password", "group"],
        ),
    ] {
        let answer = try_with(&server, &code, other).await;
        answer.assert_faulty_fields(&faulty);
    }
    let nothing = server.post("/api/register/").json(&json!({})).await;
    nothing.assert_faulty_fields(&["mobile_number", "code", "password"]);
    for path in ["/api/register/send/", "/api/password/reset/"] {
        let nothing = server.post(path).json(&json!({})).await;
        nothing.assert_faulty_fields(&["mobile_number"]);
    }
    try_with(&server, &code, json!({})).await.assert_status(200);
}

async fn a_password_that_is_easy_to_guess_is_refused_and_costs_no_try(database: Database) {
    let server = server(database).await;
    let code = register_code(&server, NUMBER).await;
    for password in [
        "x7kq!m2",
        "password1",
        "۱۲۳۴۵۶۷۸",
        NUMBER,
        "9121234567!",
        "Golnar.Karimi",
    ] {
        let other = json!({ "password": password, "username": "golnar.karimi" });
        let answer = try_with(&server, &code, other).await;
        answer.assert_faulty_fields(&["password"]);
    }
    try_with(&server, &code, json!({})).await.assert_status(200);
}

async fn the_least_length_is_a_setting(database: Database) {
    let server = server_with(database, |config| config.password_min_length(12)).await;
    let code = register_code(&server, NUMBER).await;
    let short = try_with(&server, &code, json!({ "password": "x7kq!m2pdw9" })).await;
    short.assert_json(
        400,
        &json!({ "password": [
            "This password is too short. It must contain at least 12 characters."
        ] }),
    );
    let long_enough = json!({ "password": "x7kq!m2pdw9z" });
    try_with(&server, &code, long_enough)
        .await
        .assert_status(200);
}

async fn a_password_may_be_long_and_of_any_characters(database: Database) {
    let server = server(database).await;
    let passwords = [
        "  spaces at both ends  ".to_owned(),
        "🔑🚪🪴🎈🧩🧵🪁🛶".to_owned(),
        "tab\tand\nnew line \"'\\%+&=".to_owned(),
        "x7kq!m2pdکاج".chars().cycle().take(1024).collect(),
    ];
    for (n, password) in passwords.iter().enumerate() {
        let number = format!("0912000000{n}");
        let code = register_code(&server, &number).await;
        let body = registration(&number, &code, &json!({ "password": password }));
        let answer = server.post("/api/register/").json(&body).await;
        answer.assert_status(200);
        log_in(&server, &number, password).await.assert_status(200);
        let shorter: String = password.chars().skip(1).collect();
        log_in(&server, &number, &shorter).await.assert_status(401);
    }
}

async fn only_a_hash_of_the_password_is_kept(database: Database) {
    let server = server(database).await;
    register(&server, NUMBER, "golnar").await;
    register(&server, OTHER, "golnaz").await;
    let hash = kept_hash(&server, NUMBER).await.unwrap();
    assert!(
        hash.expose().starts_with("$argon2id$v=19$m=1024,t=1,p=1$"),
        "{}",
        hash.expose()
    );
    assert_ne!(
        Some(hash),
        kept_hash(&server, OTHER).await,
        "each has a salt of its own"
    );
}

async fn a_registration_is_told_as_a_first_login(database: Database) {
    let server = server(database).await;
    let code = register_code(&server, NUMBER).await;
    let mut events = server.chelseru.events();
    let answer = try_with(&server, &code, json!({})).await;
    let user = crate::forge::read(&Tokens::of(&answer).access)["user_id"].clone();
    let Some(Event::LoggedIn {
        user: told,
        is_new,
        client,
        ..
    }) = events.next().await
    else {
        panic!("no login");
    };
    assert_eq!((json!(told), is_new), (user, true));
    assert_eq!(client.ip_address, "127.0.0.1");
}
