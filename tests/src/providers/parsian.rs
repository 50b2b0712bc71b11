//! Parsian, by what its clients send: there is no public documentation, and of its replies only
//! `status` is known (200 taken, 100 rejected, 401 not authenticated). So nothing else is answered.

use serde_json::json;

use super::PARSIAN_API_KEY;
use super::book::{Book, NewMessage, mobile_number, render};
use super::http::{Request, Response, decode_form};
use super::server::Api;

const REJECTED: i64 = 100;
const NOT_AUTHENTICATED: i64 = 401;

#[derive(Debug)]
pub(super) struct Parsian;

impl Api for Parsian {
    fn operation(&self, request: &Request) -> String {
        match request.path() {
            "/webservice-send-sms/send" => "send".to_owned(),
            path => path.to_owned(),
        }
    }

    fn answer(&self, operation: &str, request: &Request, book: &mut Book) -> Response {
        if operation != "send" {
            return Response::html(404);
        }
        if request.method != "POST" {
            return Response::html(405);
        }
        status(send(request, book))
    }

    fn refusal(&self, _operation: &str, code: i64) -> Response {
        status(code)
    }
}

/// The HTTP status of refusals is unknown; the clients do not look at it.
fn status(status: i64) -> Response {
    Response::json(200, &json!({"status": status}))
}

fn send(request: &Request, book: &mut Book) -> i64 {
    if !request.is_of_type("application/x-www-form-urlencoded") {
        return REJECTED;
    }
    let Some(fields) = decode_form(&request.body) else {
        return REJECTED;
    };
    let field = |name: &str| {
        let mut fields = fields.iter().filter(|(known, _)| known == name);
        fields.next().map(|(_, value)| value.as_str())
    };
    if field("token") != Some(PARSIAN_API_KEY) {
        return NOT_AUTHENTICATED;
    }
    let template = field("TemplateID").and_then(|id| Some((id, book.templates.get(id)?)));
    // Only this way to write a number was seen.
    let to = field("Receiver").and_then(|to| mobile_number(to, &["0"]));
    let (Some((id, template)), Some(to), Some(variables)) = (template, to, field("MessageVars"))
    else {
        return REJECTED;
    };
    if field("delay").is_some_and(|delay| delay.parse::<f64>().is_err()) || !book.can_pay(1) {
        return REJECTED;
    }
    let variables: Vec<String> = variables.split(',').map(ToOwned::to_owned).collect();
    let values: Vec<_> = (1..)
        .zip(&variables)
        .map(|(number, value)| (format!("__{number}__"), value.clone()))
        .collect();
    let (id, text) = (id.to_owned(), render(template, &values));
    book.send(NewMessage {
        operation: "send".to_owned(),
        to,
        text,
        template: Some(id),
        variables,
        ..NewMessage::default()
    });
    200
}
