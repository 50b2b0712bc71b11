//! Melipayamak: the three generations of its interface, on one port. The official hosts are several,
//! but no path of one is a path of another.
//!
//! What they share is here: the account, and the rules of a text and of a template, which Melipayamak
//! calls a pattern. The codes are those of its documentation.

mod console;
mod rest;
mod soap;

use super::book::{Book, NewMessage, mobile_number, render};
use super::http::{Request, Response};
use super::server::Api;
use super::{MELI_PAYAMAK_PASSWORD, MELI_PAYAMAK_USERNAME};

/// The account's line.
pub(super) const LINE: &str = "50004001";

/// All samples write `09…`; the rest is what numbers look like in the panel.
const PREFIXES: [&str; 4] = ["0098", "+98", "0", ""];

const MOST_RECIPIENTS: usize = 100;

const BAD_CREDENTIALS: i64 = 0;
const NO_CREDIT: i64 = 2;

/// What is said of a message before and after it was delivered.
const IN_THE_LIST: i64 = 400;
const DELIVERED: i64 = 1;
/// "Not sent, or the id is wrong."
const NO_SUCH_MESSAGE: i64 = -1;

#[derive(Debug)]
pub(super) struct MeliPayamak;

/// Which of the three a request is for.
enum Generation {
    Rest(String),
    Soap,
    Console { operation: String, token: String },
    None,
}

impl Generation {
    fn of(request: &Request) -> Self {
        let Some(segments) = request.segments() else {
            return Self::None;
        };
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["api", "SendSMS", operation] => Self::Rest((*operation).to_owned()),
            // ASP.NET does not look at the case; the clients differ in it.
            ["post", page] if page.eq_ignore_ascii_case("send.asmx") => Self::Soap,
            ["api", group @ ("send" | "receive"), method, token] => Self::Console {
                operation: format!("{group}/{method}"),
                token: (*token).to_owned(),
            },
            _ => Self::None,
        }
    }
}

impl Api for MeliPayamak {
    fn operation(&self, request: &Request) -> String {
        match Generation::of(request) {
            Generation::Rest(operation) | Generation::Console { operation, .. } => operation,
            Generation::Soap => soap::operation(request),
            Generation::None => request.path().to_owned(),
        }
    }

    fn answer(&self, operation: &str, request: &Request, book: &mut Book) -> Response {
        match Generation::of(request) {
            Generation::Rest(_) => rest::answer(operation, request, book),
            Generation::Soap => soap::answer(operation, request, book),
            Generation::Console { token, .. } => console::answer(operation, &token, request, book),
            Generation::None => Response::html(404),
        }
    }

    fn refusal(&self, operation: &str, code: i64) -> Response {
        if operation.contains('/') {
            console::refusal("ارسال نشد")
        } else if soap::OPERATIONS.contains(&operation) {
            soap::result(operation, &code.to_string())
        } else {
            rest::refusal(code)
        }
    }
}

fn knows(username: &str, password: &str) -> bool {
    username == MELI_PAYAMAK_USERNAME && password == MELI_PAYAMAK_PASSWORD
}

/// Sends a text; the answer is its id or a code of `SendSMS`.
fn send_text(
    operation: &str,
    to: &str,
    from: &str,
    text: &str,
    book: &mut Book,
) -> Result<String, i64> {
    if from != LINE {
        return Err(5);
    }
    if text.is_empty() {
        return Err(17);
    }
    let recipients: Vec<&str> = to.split(',').filter(|to| !to.is_empty()).collect();
    if recipients.is_empty() || recipients.len() > MOST_RECIPIENTS {
        return Err(16);
    }
    // Several at once are advertising, which must say how to opt out.
    if recipients.len() > 1 && !text.contains("لغو11") {
        return Err(15);
    }
    let recipients = recipients
        .into_iter()
        .map(|to| mobile_number(to, &PREFIXES).ok_or(18))
        .collect::<Result<Vec<_>, i64>>()?;
    if !book.can_pay(recipients.len()) {
        return Err(NO_CREDIT);
    }
    let mut id = String::new();
    for to in recipients {
        let sms = book.send(NewMessage {
            operation: operation.to_owned(),
            to,
            text: text.to_owned(),
            sender: from.to_owned(),
            ..NewMessage::default()
        });
        id.clone_from(&sms.message_id);
    }
    Ok(id)
}

/// Sends a template; the answer is its id or a code of `SendByBaseNumber`.
fn send_pattern(
    operation: &str,
    to: &str,
    pattern: &str,
    variables: Vec<String>,
    book: &mut Book,
) -> Result<String, i64> {
    if to.contains(',') {
        return Err(-2);
    }
    let to = mobile_number(to, &PREFIXES).ok_or(18)?;
    let template = book.templates.get(pattern).ok_or(-4)?;
    let has = |number: usize| template.contains(&format!("{{{number}}}"));
    if !(0..variables.len()).all(has) || has(variables.len()) {
        return Err(-5);
    }
    if variables.iter().any(|value| value.contains("://")) {
        return Err(-10);
    }
    let values: Vec<_> = (0..)
        .zip(&variables)
        .map(|(number, value)| (format!("{{{number}}}"), value.clone()))
        .collect();
    let text = render(template, &values);
    if !book.can_pay(1) {
        return Err(NO_CREDIT);
    }
    let sms = book.send(NewMessage {
        operation: operation.to_owned(),
        to,
        text,
        template: Some(pattern.to_owned()),
        variables,
        ..NewMessage::default()
    });
    Ok(sms.message_id.clone())
}

/// The delivery code of a message.
fn delivery(message_id: &str, book: &mut Book) -> i64 {
    let state = book.poll(message_id, IN_THE_LIST, DELIVERED);
    state.unwrap_or(NO_SUCH_MESSAGE)
}
