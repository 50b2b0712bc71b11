//! Kavenegar: requests, replies and result codes of its REST documentation.

mod account;
mod delivery;
mod find;
mod send;

use chelseru_core::sms::SmsErrorKind::{self, NotSent, Throttled};

use crate::server::Answer;
use crate::setup::Api;

const KAVENEGAR: Api = Api::Kavenegar;

/// The documented failure.
fn result(code: i64) -> Answer {
    Answer::json(
        "200 OK",
        &format!(r#"{{"return":{{"status":{code},"message":"…"}},"entries":null}}"#),
    )
}

/// A success with these records.
fn entries(entries: &str) -> Answer {
    Answer::json(
        "200 OK",
        &format!(r#"{{"return":{{"status":200,"message":"تایید شد"}},"entries":{entries}}}"#),
    )
}

/// The results that any method may have (table 1), as they mean for one that sends nothing.
const OF_QUESTIONS: [(i64, SmsErrorKind); 17] = [
    (400, NotSent),
    (401, NotSent),
    (402, NotSent),
    (403, NotSent),
    (404, NotSent),
    (405, NotSent),
    (406, NotSent),
    (407, NotSent),
    (409, Throttled),
    (414, NotSent),
    (416, NotSent),
    (429, Throttled),
    (451, Throttled),
    // Not documented.
    (418, NotSent),
    (500, NotSent),
    (0, NotSent),
    (-1, NotSent),
];
