//! `/api/me/`: a user's own account.

mod deletion;
mod number;
mod profile;
mod username;

use chelseru_tests::{Answer, Call, TestServer, Tokens, log_in, send_code};
use reqwest::Method;
use serde_json::{Value, json};

const MINE: &str = "09121234567";
const NEXT: &str = "09127654321";

const SENT: &str = r#"{"details":"The OTP code was sent correctly."}"#;

/// Logs in with a number and gives the access token.
async fn enter(server: &TestServer, mobile_number: &str) -> String {
    log_in(server, mobile_number).await.access
}

async fn enter_group(server: &TestServer, mobile_number: &str, group: i64) -> String {
    let code = send_code(server, mobile_number).await;
    let body = json!({ "mobile_number": mobile_number, "code": code, "group": group });
    Tokens::of(&server.post("/api/authenticate/").json(&body).await).access
}

async fn profile(server: &TestServer, access: &str) -> Value {
    let answer = server.get("/api/me/").bearer(access).await;
    answer.assert_status(200).json()
}

fn rename(server: &TestServer, access: &str, username: &str) -> Call {
    server
        .call(Method::PATCH, "/api/me/")
        .bearer(access)
        .json(&json!({ "username": username }))
}

fn ask_for_number(server: &TestServer, access: &str, mobile_number: &str) -> Call {
    server
        .post("/api/me/mobile/send/")
        .bearer(access)
        .json(&json!({ "mobile_number": mobile_number }))
}

/// Has a code sent to a number that is to be the user's, and reads it.
async fn number_code(server: &TestServer, access: &str, mobile_number: &str) -> String {
    let answer = ask_for_number(server, access, mobile_number).await;
    answer.assert_text(200, SENT);
    let code = server.sms.last_code_for(mobile_number);
    code.expect("an SMS with a code")
}

fn take_number(server: &TestServer, access: &str, mobile_number: &str, code: &str) -> Call {
    server
        .post("/api/me/mobile/")
        .bearer(access)
        .json(&json!({ "mobile_number": mobile_number, "code": code }))
}

/// Has a code for a deletion sent, and reads it.
async fn deletion_code(server: &TestServer, access: &str, mobile_number: &str) -> String {
    let answer = server.post("/api/me/delete/send/").bearer(access).await;
    answer.assert_text(200, SENT);
    let code = server.sms.last_code_for(mobile_number);
    code.expect("an SMS with a code")
}

fn delete(server: &TestServer, access: &str, code: &str) -> Call {
    server
        .post("/api/me/delete/")
        .bearer(access)
        .json(&json!({ "code": code }))
}

fn assert_wrong_code(answer: &Answer) {
    answer.assert_text(
        400,
        r#"{"code":["The code sent to this mobile number was not found."]}"#,
    );
}

async fn assert_alive(server: &TestServer, access: &str) {
    let answer = server.get("/whoami").bearer(access).await;
    answer.assert_status(200);
}

async fn assert_dead(server: &TestServer, access: &str) {
    let answer = server.get("/whoami").bearer(access).await;
    answer.assert_status(401);
}
