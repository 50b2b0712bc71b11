//! People who use the service: they get a code and log in.

use serde_json::json;

use crate::{Answer, TestServer};

/// What a login gave.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Opens the routes.
    pub access: String,
    /// Is exchanged for the next.
    pub refresh: String,
}

impl Tokens {
    /// Reads them from the answer to a login or a refresh.
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        answer.assert_status(200);
        let text = |name| match answer.field(name) {
            serde_json::Value::String(text) => text,
            other => panic!("{name} is {other}"),
        };
        Self {
            access: text("access"),
            refresh: text("refresh"),
        }
    }
}

/// Has a code sent and reads it from the SMS.
pub async fn send_code(server: &TestServer, mobile_number: &str) -> String {
    server
        .post("/api/otp/send/")
        .json(&json!({ "mobile_number": mobile_number }))
        .await
        .assert_json(
            200,
            &json!({ "details": "The OTP code was sent correctly." }),
        );
    server
        .sms
        .last_code_for(mobile_number)
        .expect("an SMS with a code")
}

/// Tries to log in with this code.
pub async fn log_in_with(server: &TestServer, mobile_number: &str, code: &str) -> Answer {
    server
        .post("/api/authenticate/")
        .json(&json!({ "mobile_number": mobile_number, "code": code }))
        .await
}

/// Gets a code and logs in with it.
pub async fn log_in(server: &TestServer, mobile_number: &str) -> Tokens {
    let code = send_code(server, mobile_number).await;
    Tokens::of(&log_in_with(server, mobile_number, &code).await)
}

/// The `nth` code that is not this one, of the same length; each `nth` gives another.
pub fn another_code(code: &str, nth: u64) -> String {
    let codes = 10_u64.pow(u32::try_from(code.len()).expect("a short code"));
    let number: u64 = code.parse().expect("digits");
    format!("{:0width$}", (number + nth) % codes, width = code.len())
}
