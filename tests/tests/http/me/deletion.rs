//! The end of an account.

use std::collections::BTreeMap;
use std::time::Duration;

use chelseru_core::events::Event;
use chelseru_core::{MobileNumber, UserId};
use chelseru_tests::{
    Database, TestServer, another_code, log_in, log_in_with, on_both_databases, send_code,
};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{
    MINE, NEXT, assert_alive, assert_dead, assert_wrong_code, delete, deletion_code, enter,
    enter_group, profile, take_number,
};

on_both_databases! {
    a_deleted_account_is_gone_and_its_number_begins_anew
    a_delete_request_with_the_code_does_the_same
    an_account_is_not_deleted_without_a_code
    a_code_for_one_account_deletes_no_other
    a_code_for_a_deletion_does_nothing_else
    no_other_code_deletes
    a_code_is_used_once_by_many_at_once
    the_log_keeps_the_bill_and_not_the_number
    who_is_kept_out_does_not_escape_by_deleting
    a_code_is_sent_to_the_number_that_the_account_has_now
}

async fn a_deleted_account_is_gone_and_its_number_begins_anew(database: Database) {
    let server = TestServer::start(database).await;
    let other_server = server.beside().await;
    let phone = log_in(&server, MINE).await;
    let laptop = enter(&server, MINE).await;
    let other_group = enter_group(&server, MINE, 1).await;
    let yours = enter(&server, NEXT).await;
    let of_another_service = crate::forge::sign(&crate::forge::claims("access", &json!(1)));
    assert_alive(&server, &of_another_service).await;

    let code = deletion_code(&server, &laptop, MINE).await;
    let mut events = server.chelseru.events();
    let deleted = delete(&server, &laptop, &code).await;
    deleted.assert_text(204, "");
    assert!(matches!(
        events.next().await,
        Some(Event::AccountDeleted {
            user: UserId(1),
            ..
        })
    ));
    for server in [&server, &other_server] {
        for access in [&phone.access, &laptop, &of_another_service] {
            assert_dead(server, access).await;
            server
                .get("/api/me/")
                .bearer(access)
                .await
                .assert_status(401);
        }
        assert_alive(server, &yours).await;
        assert_alive(server, &other_group).await;
    }
    let refresh = server
        .post("/api/token/refresh/")
        .json(&json!({ "refresh": phone.refresh }));
    refresh.await.assert_status(401);

    let anew = enter(&server, MINE).await;
    let me = profile(&server, &anew).await;
    assert_eq!(me["id"], 4, "no id comes back");
    for access in [&phone.access, &laptop, &of_another_service] {
        assert_dead(&server, access).await;
    }
}

async fn a_delete_request_with_the_code_does_the_same(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let code = deletion_code(&server, &mine, MINE).await;
    let call = || server.delete("/api/me/").bearer(&mine);
    call().await.assert_faulty_fields(&["code"]);
    assert_alive(&server, &mine).await;
    let deleted = call().json(&json!({ "code": code })).await;
    deleted.assert_text(204, "");
    assert_dead(&server, &mine).await;
}

async fn an_account_is_not_deleted_without_a_code(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    assert_wrong_code(&delete(&server, &mine, "12345678").await);
    delete(&server, &mine, "x")
        .await
        .assert_faulty_fields(&["code"]);
    let code = deletion_code(&server, &mine, MINE).await;
    for nth in 1..=5 {
        assert_wrong_code(&delete(&server, &mine, &another_code(&code, nth)).await);
    }
    assert_wrong_code(&delete(&server, &mine, &code).await);

    server.clock.advance(Duration::from_secs(240));
    let code = deletion_code(&server, &mine, MINE).await;
    server.clock.advance(Duration::from_secs(240));
    let mine = enter(&server, MINE).await;
    assert_wrong_code(&delete(&server, &mine, &code).await);
    assert_alive(&server, &mine).await;
}

async fn a_code_for_one_account_deletes_no_other(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let of_the_same_number = enter_group(&server, MINE, 1).await;
    let yours = enter(&server, NEXT).await;
    let code = deletion_code(&server, &mine, MINE).await;
    for access in [&of_the_same_number, &yours] {
        assert_wrong_code(&delete(&server, access, &code).await);
        assert_alive(&server, access).await;
    }
    delete(&server, &mine, &code).await.assert_status(204);
    assert_alive(&server, &of_the_same_number).await;
}

async fn a_code_for_a_deletion_does_nothing_else(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let code = deletion_code(&server, &mine, MINE).await;
    let login = log_in_with(&server, MINE, &code).await;
    login.assert_status(401);
    assert_wrong_code(&take_number(&server, &mine, MINE, &code).await);
    delete(&server, &mine, &code).await.assert_status(204);
}

async fn no_other_code_deletes(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let login = send_code(&server, MINE).await;
    assert_wrong_code(&delete(&server, &mine, &login).await);
    let asked = server.post("/api/me/delete/send/").bearer(&mine).await;
    asked.assert_status(409).assert_header("retry-after", "240");
    assert_alive(&server, &mine).await;
}

async fn a_code_is_used_once_by_many_at_once(database: Database) {
    let one = TestServer::start(database).await;
    let two = one.beside().await;
    let mine = enter(&one, MINE).await;
    let code = deletion_code(&one, &mine, MINE).await;
    let calls = (0..20).map(|n| delete([&one, &two][n % 2], &mine, &code));
    let answers = join_all(calls.map(IntoFuture::into_future)).await;
    let mut statuses = BTreeMap::new();
    for answer in &answers {
        *statuses.entry(answer.status).or_insert(0) += 1;
    }
    assert_eq!(statuses.get(&204), Some(&1), "{statuses:?}");
    // The others were too late for the code, or for the account.
    assert!(
        statuses
            .keys()
            .all(|status| [204, 400, 401].contains(status)),
        "{statuses:?}"
    );
}

async fn the_log_keeps_the_bill_and_not_the_number(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let yours = enter(&server, NEXT).await;
    server
        .post("/api/message/send/")
        .bearer(&yours)
        .json(&json!({ "mobile_number": MINE, "message_text": "سلام" }))
        .await
        .assert_status(200);
    let code = deletion_code(&server, &mine, MINE).await;
    let bill = server
        .store()
        .total_sms(chelseru_core::Timestamp::from_secs(0))
        .await
        .unwrap();
    delete(&server, &mine, &code).await.assert_status(204);

    let log = server.store().recent_sms(None, 10).await.unwrap();
    let numbers: Vec<_> = log.iter().map(|record| record.sms.mobile_number).collect();
    let erased = MobileNumber::ERASED;
    assert_eq!(numbers, [erased, erased, NEXT.parse().unwrap(), erased]);
    let now = server
        .store()
        .total_sms(chelseru_core::Timestamp::from_secs(0))
        .await
        .unwrap();
    assert_eq!(now, bill);
}

async fn who_is_kept_out_does_not_escape_by_deleting(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let code = deletion_code(&server, &mine, MINE).await;
    server
        .chelseru
        .set_user_active(UserId(1), false)
        .await
        .unwrap();
    for (method, path) in [
        (Method::POST, "/api/me/delete/"),
        (Method::POST, "/api/me/delete/send/"),
        (Method::GET, "/api/me/"),
        (Method::PATCH, "/api/me/"),
        (Method::POST, "/api/me/mobile/send/"),
    ] {
        let body = json!({ "code": code, "username": "ali", "mobile_number": NEXT });
        let answer = server.call(method, path).bearer(&mine).json(&body).await;
        answer.assert_json(
            401,
            &json!({ "detail": "User is inactive", "code": "user_inactive" }),
        );
    }
    assert!(server.store().find_user(UserId(1)).await.unwrap().is_some());
}

async fn a_code_is_sent_to_the_number_that_the_account_has_now(database: Database) {
    let server = TestServer::start(database).await;
    let mine = enter(&server, MINE).await;
    let to_the_old_number = deletion_code(&server, &mine, MINE).await;
    let code = super::number_code(&server, &mine, NEXT).await;
    take_number(&server, &mine, NEXT, &code)
        .await
        .assert_status(200);
    assert_wrong_code(&delete(&server, &mine, &to_the_old_number).await);
    let code = deletion_code(&server, &mine, NEXT).await;
    delete(&server, &mine, &code).await.assert_status(204);
}
