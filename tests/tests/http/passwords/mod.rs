//! Accounts with a password.

mod change;
mod django;
mod limits;
mod login;
mod methods;
mod races;
mod register;
mod reset;
mod strangers;

use chelseru_core::PasswordHash;
use chelseru_core::config::{AuthMethod, ConfigBuilder};
use chelseru_core::store::AccountName;
use chelseru_tests::{Answer, Call, Database, Setup, TestServer, Tokens};
use serde_json::{Value, json};

const NUMBER: &str = "09121234567";
const OTHER: &str = "09127654321";
const PASSWORD: &str = "درخت کاج کوچه ما";
const NEXT: &str = "x7kq!m2pd";
const NO_ACCOUNT: &str = r#"{"detail":"No active account found with the given credentials"}"#;
const WRONG_CODE: &str = r#"{"error":"The code sent to this mobile number was not found."}"#;

/// With cheap hashes: what they cost is not what these tests are about.
fn passwords(config: ConfigBuilder) -> ConfigBuilder {
    config
        .auth_methods([AuthMethod::Passwd])
        .password_memory_kib(1024)
        .password_iterations(1)
}

async fn server_with(
    database: Database,
    change: impl FnOnce(ConfigBuilder) -> ConfigBuilder,
) -> TestServer {
    let setup = Setup::new(database).await;
    setup
        .config(|config| change(passwords(config)))
        .start()
        .await
}

async fn server(database: Database) -> TestServer {
    server_with(database, |config| config).await
}

/// Has a code sent by a route and reads it from the SMS.
async fn code_by(server: &TestServer, path: &str, number: &str) -> String {
    server
        .post(path)
        .json(&json!({ "mobile_number": number }))
        .await
        .assert_json(
            200,
            &json!({ "details": "The OTP code was sent correctly." }),
        );
    server
        .sms
        .last_code_for(number)
        .expect("an SMS with a code")
}

async fn register_code(server: &TestServer, number: &str) -> String {
    code_by(server, "/api/register/send/", number).await
}

async fn reset_code(server: &TestServer, number: &str) -> String {
    code_by(server, "/api/password/reset/", number).await
}

/// The fields of a registration, with some of them different.
fn registration(number: &str, code: &str, other: &Value) -> Value {
    let mut body = json!({ "mobile_number": number, "code": code, "password": PASSWORD });
    let fields = body.as_object_mut().unwrap();
    fields.extend(other.as_object().cloned().unwrap_or_default());
    body
}

/// Makes an account with a username.
async fn register(server: &TestServer, number: &str, username: &str) -> Tokens {
    let code = register_code(server, number).await;
    let body = registration(number, &code, &json!({ "username": username }));
    Tokens::of(&server.post("/api/register/").json(&body).await)
}

fn log_in(server: &TestServer, number: &str, password: &str) -> Call {
    server
        .post("/api/login/")
        .json(&json!({ "mobile_number": number, "password": password }))
}

fn log_in_as(server: &TestServer, username: &str, password: &str) -> Call {
    server
        .post("/api/login/")
        .json(&json!({ "username": username, "password": password }))
}

fn change(server: &TestServer, access: &str, old: &str, new: &str) -> Call {
    server
        .post("/api/password/change/")
        .bearer(access)
        .json(&json!({ "old_password": old, "new_password": new }))
}

async fn reset(server: &TestServer, number: &str, code: &str, password: &str) -> Answer {
    server
        .post("/api/password/reset/confirm/")
        .json(&json!({ "mobile_number": number, "code": code, "password": password }))
        .await
}

async fn whoami(server: &TestServer, access: &str) -> Answer {
    server.get("/whoami").bearer(access).await
}

/// The hash that is kept of a number's account in group 0.
async fn kept_hash(server: &TestServer, number: &str) -> Option<PasswordHash> {
    let name = AccountName::Number {
        mobile_number: number.parse().unwrap(),
        group: 0,
    };
    let found = server.store().find_password(&name).await.unwrap();
    found.and_then(|(_, hash)| hash)
}
