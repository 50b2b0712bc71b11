//! REST: `/api/SendSMS/{operation}`, forms or JSON in, `{Value, RetStatus, StrRetStatus}` out, always
//! with HTTP status 200.

use serde_json::{Value, json};

use super::super::book::Book;
use super::super::http::{Request, Response, decode_form};
use super::{BAD_CREDENTIALS, delivery, knows, send_pattern, send_text};

/// "InvalidData": the general failure, whose cause is in `Value`.
const INVALID_DATA: i64 = 35;

pub(super) fn refusal(code: i64) -> Response {
    reply(&code.to_string(), INVALID_DATA, "InvalidData")
}

fn reply(value: &str, status: i64, text: &str) -> Response {
    let body = json!({"Value": value, "RetStatus": status, "StrRetStatus": text});
    Response::json(200, &body)
}

pub(super) fn answer(operation: &str, request: &Request, book: &mut Book) -> Response {
    if request.method != "POST" {
        return Response::html(405);
    }
    let Some(fields) = fields(request) else {
        return Response::html(415);
    };
    // Its clients write the names in different cases.
    let field = |name: &str| {
        let mut fields = fields
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        fields.next().map_or("", |(_, value)| value.as_str())
    };
    if !knows(field("username"), field("password")) {
        return match operation {
            "GetCredit" => reply("NULL", INVALID_DATA, "InvalidData"),
            _ => refusal(BAD_CREDENTIALS),
        };
    }
    let result = match operation {
        "SendSMS" if !is_boolean(field("isFlash")) => return Response::html(400),
        "SendSMS" => send_text(operation, field("to"), field("from"), field("text"), book),
        "BaseServiceNumber" => {
            let variables = match field("text") {
                "" => Vec::new(),
                text => text.split(';').map(ToOwned::to_owned).collect(),
            };
            send_pattern(operation, field("to"), field("bodyId"), variables, book)
        }
        "GetDeliveries2" => Ok(delivery(field("recId"), book).to_string()),
        "GetCredit" => Ok(book.credit.to_string()),
        _ => return Response::html(404),
    };
    match result {
        Ok(value) => reply(&value, 1, "Ok"),
        // The one failure that was recorded with a status of its own.
        Err(5) => reply("5", 9, "InvalidNumber"),
        Err(code) => refusal(code),
    }
}

/// As .NET reads it; without it the message does not flash.
fn is_boolean(text: &str) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

/// The fields of a form, or of a JSON object of strings and numbers.
fn fields(request: &Request) -> Option<Vec<(String, String)>> {
    if request.is_of_type("application/x-www-form-urlencoded") {
        return decode_form(&request.body);
    }
    let Value::Object(object) = serde_json::from_slice(&request.body).ok()? else {
        return None;
    };
    let fields = object.into_iter().map(|(name, value)| match value {
        Value::String(text) => (name, text),
        other => (name, other.to_string()),
    });
    Some(fields.collect())
}
