//! Another number for an account.

use std::collections::BTreeMap;
use std::time::Duration;

use chelseru_core::config::ConfigBuilder;
use chelseru_core::events::Event;
use chelseru_tests::{
    Database, Setup, TestServer, another_code, log_in, log_in_with, on_both_databases, send_code,
};
use futures_util::future::join_all;
use serde_json::json;

use super::{
    MINE, NEXT, SENT, ask_for_number, assert_alive, assert_dead, assert_wrong_code, delete, enter,
    enter_group, number_code, profile, take_number,
};

on_both_databases! {
    the_code_sent_to_the_new_number_gives_it_to_the_account
    the_other_sessions_end_with_the_old_number
    a_code_for_one_account_gives_the_number_to_no_other
    a_code_for_a_number_does_nothing_else
    no_other_code_gives_a_number
    asking_does_not_tell_whether_the_number_has_an_account
    who_proves_the_number_is_told_that_it_has_an_account
    the_number_of_another_groups_account_may_be_taken
    a_code_is_wrong_after_five_tries_and_after_its_time
    a_code_is_used_once_by_many_at_once
    a_number_is_given_to_one_of_many_accounts
    fields_are_checked
    asking_is_limited_for_each_account_and_leaves_logins_alone
    wrong_codes_are_limited_for_each_account_and_leave_logins_alone
}

const HOUR: Duration = Duration::from_secs(3600);
const LIFETIME: Duration = Duration::from_secs(240);

async fn the_code_sent_to_the_new_number_gives_it_to_the_account(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let before = profile(&server, &mine).await;
    ask_for_number(&server, &mine, "+98 912 765 4321")
        .await
        .assert_text(200, SENT);
    let code = server.sms.last_code_for(NEXT).unwrap();
    assert_eq!(profile(&server, &mine).await, before, "nothing yet");

    let mut events = server.chelseru.events();
    let mut after = before.clone();
    after["mobile_number"] = json!(NEXT);
    let answer = take_number(&server, &mine, NEXT, &code).await;
    answer.assert_json(200, &after);
    let Some(Event::NumberChanged { user, from, to, .. }) = events.next().await else {
        panic!("it was not told");
    };
    assert_eq!(
        (json!(user), from.as_str(), to.as_str()),
        (json!(1), MINE, NEXT)
    );

    let by_the_new_one = enter(&server, NEXT).await;
    assert_eq!(profile(&server, &by_the_new_one).await, after);
    let by_the_old_one = enter(&server, MINE).await;
    assert_eq!(profile(&server, &by_the_old_one).await["id"], 2);
}

async fn the_other_sessions_end_with_the_old_number(database: Database) {
    let server = TestServer::start(database).await;
    let other_server = server.beside().await;
    let phone = log_in(&server, MINE).await;
    let laptop = enter(&server, MINE).await;
    let yours = enter(&server, "09350000000").await;
    let code = number_code(&server, &laptop, NEXT).await;
    take_number(&server, &laptop, NEXT, &code)
        .await
        .assert_status(200);
    for server in [&server, &other_server] {
        assert_dead(server, &phone.access).await;
        assert_alive(server, &laptop).await;
        assert_alive(server, &yours).await;
    }
    let refresh = server
        .post("/api/token/refresh/")
        .json(&json!({ "refresh": phone.refresh }));
    refresh.await.assert_status(401);
}

async fn a_code_for_one_account_gives_the_number_to_no_other(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let yours = enter(&server, "09350000000").await;
    let code = number_code(&server, &mine, NEXT).await;
    assert_wrong_code(&take_number(&server, &yours, NEXT, &code).await);
    let other_group = enter_group(&server, MINE, 1).await;
    assert_wrong_code(&take_number(&server, &other_group, NEXT, &code).await);
    take_number(&server, &mine, NEXT, &code)
        .await
        .assert_status(200);
}

async fn a_code_for_a_number_does_nothing_else(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let code = number_code(&server, &mine, NEXT).await;
    let login = log_in_with(&server, NEXT, &code).await;
    login.assert_json(
        401,
        &json!({ "error": "The code sent to this mobile number was not found." }),
    );
    assert_wrong_code(&delete(&server, &mine, &code).await);
    assert_wrong_code(&take_number(&server, &mine, MINE, &code).await);
    assert_wrong_code(&take_number(&server, &mine, "09350000000", &code).await);
    take_number(&server, &mine, NEXT, &code)
        .await
        .assert_status(200);
}

async fn no_other_code_gives_a_number(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let login = send_code(&server, NEXT).await;
    assert_wrong_code(&take_number(&server, &mine, NEXT, &login).await);
    // A number has one code at a time, and it holds its place.
    let asked = ask_for_number(&server, &mine, NEXT).await;
    asked.assert_status(409).assert_header("retry-after", "240");
    log_in_with(&server, NEXT, &login).await.assert_status(200);

    let deletion = super::deletion_code(&server, &mine, MINE).await;
    assert_wrong_code(&take_number(&server, &mine, MINE, &deletion).await);
    assert_eq!(profile(&server, &mine).await["mobile_number"], MINE);
}

async fn asking_does_not_tell_whether_the_number_has_an_account(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    enter(&server, "09350000000").await;
    let known = ask_for_number(&server, &mine, "09350000000").await;
    let unknown = ask_for_number(&server, &mine, "09350000001").await;
    known.assert_text(200, SENT);
    unknown.assert_text(200, SENT);
    let headers = |answer: &chelseru_tests::Answer| {
        let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    };
    assert_eq!(headers(&known), headers(&unknown));
    for number in ["09350000000", "09350000001"] {
        let again = ask_for_number(&server, &mine, number).await;
        again.assert_status(409).assert_header("retry-after", "240");
        // Nor does trying a code.
        assert_wrong_code(&take_number(&server, &mine, number, "00000000").await);
    }
}

async fn who_proves_the_number_is_told_that_it_has_an_account(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let yours = enter(&server, NEXT).await;
    let code = number_code(&server, &mine, NEXT).await;
    for _ in 0..2 {
        let answer = take_number(&server, &mine, NEXT, &code).await;
        answer.assert_json(
            400,
            &json!({ "mobile_number": ["An account with this mobile number already exists."] }),
        );
    }
    assert_eq!(profile(&server, &mine).await["mobile_number"], MINE);
    assert_eq!(profile(&server, &yours).await["mobile_number"], NEXT);
    assert_alive(&server, &yours).await;
}

async fn the_number_of_another_groups_account_may_be_taken(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    enter_group(&server, NEXT, 1).await;
    let code = number_code(&server, &mine, NEXT).await;
    take_number(&server, &mine, NEXT, &code)
        .await
        .assert_status(200);
}

async fn a_code_is_wrong_after_five_tries_and_after_its_time(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let code = number_code(&server, &mine, NEXT).await;
    for nth in 1..=5 {
        let wrong = another_code(&code, nth);
        assert_wrong_code(&take_number(&server, &mine, NEXT, &wrong).await);
    }
    assert_wrong_code(&take_number(&server, &mine, NEXT, &code).await);

    let code = number_code(&server, &mine, "09350000000").await;
    server.clock.advance(LIFETIME);
    let late = take_number(&server, &mine, "09350000000", &code).await;
    assert_wrong_code(&late);
}

async fn a_code_is_used_once_by_many_at_once(database: Database) {
    let one = TestServer::start(database).await;
    let two = one.beside().await;
    let mine = enter(&one, MINE).await;
    let code = number_code(&one, &mine, NEXT).await;
    let calls = (0..20).map(|n| take_number([&one, &two][n % 2], &mine, NEXT, &code));
    let answers = join_all(calls.map(IntoFuture::into_future)).await;
    let mut statuses = BTreeMap::new();
    for answer in &answers {
        *statuses.entry(answer.status).or_insert(0) += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(200, 1), (400, 19)]));
    assert_eq!(profile(&one, &mine).await["mobile_number"], NEXT);
}

async fn a_number_is_given_to_one_of_many_accounts(database: Database) {
    let setup = Setup::new(database).await;
    let server = setup.config(|config| config.otp_attempts(0)).start().await;
    let mut users = Vec::new();
    for n in 0..6 {
        users.push(enter(&server, &format!("091200000{n:02}")).await);
    }
    let calls = users
        .iter()
        .map(|access| ask_for_number(&server, access, NEXT));
    let asked = join_all(calls.map(IntoFuture::into_future)).await;
    let code = server.sms.last_code_for(NEXT).unwrap();
    let calls = users
        .iter()
        .map(|access| take_number(&server, access, NEXT, &code));
    let taken = join_all(calls.map(IntoFuture::into_future)).await;
    assert_eq!(
        taken.iter().filter(|answer| answer.status == 200).count(),
        1
    );
    for (asked, taken) in asked.iter().zip(&taken) {
        let expected = if taken.status == 200 { 200 } else { 409 };
        asked.assert_status(expected);
    }
}

async fn fields_are_checked(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let own = ask_for_number(&server, &mine, "+989121234567").await;
    own.assert_json(
        400,
        &json!({ "mobile_number": ["This is your mobile number already."] }),
    );
    let foreign = ask_for_number(&server, &mine, "+447911123456").await;
    foreign.assert_faulty_fields(&["mobile_number"]);
    let nothing = server.post("/api/me/mobile/").bearer(&mine).await;
    nothing.assert_faulty_fields(&["mobile_number", "code"]);
    let nonsense = take_number(&server, &mine, "x", "y").await;
    nonsense.assert_faulty_fields(&["mobile_number", "code"]);
    assert_eq!(server.sms.calls(), 1, "the login's alone");
}

/// Whoever has an account cannot use up the codes of numbers that belong to others.
async fn asking_is_limited_for_each_account_and_leaves_logins_alone(database: Database) {
    let setup = Setup::new(database).await.with_limits();
    let hour = |config: ConfigBuilder| config.access_token_lifetime(HOUR);
    let server = setup.config(hour).start().await;
    let mine = enter(&server, MINE).await;
    let yours = enter(&server, "09120000000").await;
    for number in ["09350000000", "09350000001"].iter().cycle().take(5) {
        number_code(&server, &mine, number).await;
        server.clock.advance(LIFETIME);
    }
    let asked = ask_for_number(&server, &mine, "09350000002").await;
    asked
        .assert_status(429)
        .assert_header("retry-after", "2400");
    assert_eq!(server.sms.calls(), 7);

    // Three went to this number, so two more may, whoever asks.
    for _ in 0..2 {
        number_code(&server, &yours, "09350000000").await;
        server.clock.advance(LIFETIME);
    }
    let asked = ask_for_number(&server, &yours, "09350000000").await;
    asked.assert_status(429);
    for _ in 0..5 {
        send_code(&server, "09350000000").await;
        server.clock.advance(LIFETIME);
    }
}

async fn wrong_codes_are_limited_for_each_account_and_leave_logins_alone(database: Database) {
    let setup = Setup::new(database).await;
    let setup = setup.config(|config| config.otp_failures_per_number_per_hour(7));
    let server = setup.start().await;
    let mine = enter(&server, MINE).await;
    let mut wrong = 0;
    for number in ["09350000000", "09350000001"] {
        let code = number_code(&server, &mine, number).await;
        for nth in 1..=5 {
            let answer = take_number(&server, &mine, number, &another_code(&code, nth)).await;
            wrong += 1;
            answer.assert_status(if wrong <= 7 { 400 } else { 429 });
        }
    }
    enter(&server, "09350000002").await;
    server.clock.advance(LIFETIME);
    for number in ["09350000000", "09350000001"] {
        enter(&server, number).await;
    }
}
