//! The console API: `/api/{operation}/{token}`, JSON in, a JSON object of each operation's own out.
//! A refusal is told in words only.

use serde_json::{Value, json};

use super::super::MELI_PAYAMAK_CONSOLE_TOKEN;
use super::super::book::Book;
use super::super::http::{Request, Response};
use super::{LINE, delivery, send_pattern, send_text};

pub(super) fn refusal(reason: &str) -> Response {
    Response::json(200, &json!({"recId": 0, "status": reason}))
}

pub(super) fn answer(operation: &str, token: &str, request: &Request, book: &mut Book) -> Response {
    if token != MELI_PAYAMAK_CONSOLE_TOKEN {
        return Response::json(400, &json!({"status": "کلید کنسول معتبر نیست"}));
    }
    let method = match operation {
        "receive/credit" => "GET",
        _ => "POST",
    };
    if request.method != method {
        return Response::html(405);
    }
    if operation == "receive/credit" {
        return Response::json(200, &json!({"amount": book.credit, "status": ""}));
    }
    if !request.is_of_type("application/json") {
        return Response::html(415);
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let answer = match operation {
        "send/simple" => send_simple(&body, book),
        "send/shared" => send_shared(&body, book),
        "receive/status" => status(&body, book),
        _ => return Response::html(404),
    };
    answer.unwrap_or_else(|| {
        let problem = json!({
            "type": "https://tools.ietf.org/html/rfc7231#section-6.5.1",
            "title": "One or more validation errors occurred.",
            "status": 400,
            "errors": {"body": ["A required field is missing or of another type."]},
        });
        Response::json(400, &problem)
    })
}

fn send_simple(body: &Value, book: &mut Book) -> Option<Response> {
    let (from, to) = (body["from"].as_str()?, body["to"].as_str()?);
    let text = body["text"].as_str()?;
    Some(sent(send_text("send/simple", to, from, text, book)))
}

fn send_shared(body: &Value, book: &mut Book) -> Option<Response> {
    let pattern = body["bodyId"].as_i64()?.to_string();
    let to = body["to"].as_str()?;
    let variables = body["args"].as_array()?.iter();
    let variables = variables
        .map(|value| value.as_str().map(ToOwned::to_owned))
        .collect::<Option<Vec<_>>>()?;
    let result = send_pattern("send/shared", to, &pattern, variables, book);
    Some(sent(result))
}

fn sent(result: Result<String, i64>) -> Response {
    match result {
        Ok(id) => {
            let id: u64 = id.parse().unwrap_or_default();
            // A success fills `status` as well.
            Response::json(200, &json!({"recId": id, "status": "ارسال موفق بود"}))
        }
        Err(2) => refusal("اعتبار کافی نیست"),
        Err(5) => refusal(&format!("شماره فرستنده معتبر نیست، خط شما {LINE} است")),
        Err(18) => refusal("شماره گیرنده نامعتبر است"),
        Err(_) => refusal("ارسال نشد"),
    }
}

fn status(body: &Value, book: &mut Book) -> Option<Response> {
    let ids = body["recIds"].as_array()?;
    let codes: Vec<i64> = ids
        .iter()
        .map(|id| match id {
            Value::String(id) => delivery(id, book),
            id => delivery(&id.to_string(), book),
        })
        .collect();
    let texts: Vec<&str> = codes.iter().map(|code| text_of(*code)).collect();
    let body = json!({"results": texts, "resultsAsCode": codes, "status": ""});
    Some(Response::json(200, &body))
}

fn text_of(code: i64) -> &'static str {
    match code {
        1 => "رسیده به گوشی",
        2 => "نرسیده به گوشی",
        200 => "ارسال شده",
        300 => "فیلتر شده",
        400 => "در لیست ارسال",
        _ => "نامشخص",
    }
}
