//! Kavenegar, by its REST documentation: `/v1/{key}/{scope}/{method}.json`, forms in, envelopes out,
//! the result code as HTTP status.
//!
//! Where the documentation is silent, the choice is said at its place.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::KAVENEGAR_API_KEY;
use super::book::{Book, NewMessage, SentSms, mobile_number, render};
use super::http::{Request, Response, decode_form};
use super::server::Api;

/// The account's lines; the first is its default.
pub(super) const LINES: [&str; 2] = ["10004346", "2000500666"];

/// The ways to write a receptor that are documented.
const PREFIXES: [&str; 4] = ["0098", "+98", "0", ""];

const LONGEST_TEXT: usize = 900;
const MOST_RECEPTORS: usize = 200;
const MOST_IDS: usize = 500;
const LONGEST_TOKEN: usize = 100;

/// The tokens of a template, and how many spaces each may have.
const TOKENS: [(&str, usize); 5] = [
    ("token", 0),
    ("token2", 0),
    ("token3", 0),
    ("token10", 5),
    ("token20", 8),
];

/// Table 2: the states of messages that this server speaks of by itself.
const QUEUED: i64 = 1;
const AT_OPERATOR: i64 = 5;
const DELIVERED: i64 = 10;
const UNKNOWN: i64 = 100;

#[derive(Debug)]
pub(super) struct Kavenegar;

/// A result code of table 1 that is not 200.
struct Refusal(i64);

type Result<T> = std::result::Result<T, Refusal>;

impl Api for Kavenegar {
    fn operation(&self, request: &Request) -> String {
        match Call::of(request) {
            Some(call) => call.operation,
            None => request.path().to_owned(),
        }
    }

    fn answer(&self, operation: &str, request: &Request, book: &mut Book) -> Response {
        match entries(operation, request, book) {
            Ok(entries) => envelope(200, &entries),
            Err(Refusal(code)) => envelope(code, &Value::Null),
        }
    }

    fn refusal(&self, _operation: &str, code: i64) -> Response {
        envelope(code, &Value::Null)
    }
}

/// What a path asks for.
struct Call {
    key: String,
    operation: String,
}

impl Call {
    fn of(request: &Request) -> Option<Self> {
        let segments = request.segments()?;
        let [version, key, scope, method] = segments.as_slice() else {
            return None;
        };
        let method = method.strip_suffix(".json")?;
        (version == "v1").then(|| Self {
            key: key.clone(),
            operation: format!("{scope}/{method}"),
        })
    }
}

fn envelope(code: i64, entries: &Value) -> Response {
    // The result is the HTTP status as well, where it can be one.
    let status = u16::try_from(code)
        .ok()
        .filter(|code| (200..=999).contains(code));
    let message = if code == 200 {
        "تایید شد"
    } else {
        "رد شد"
    };
    let body = json!({"return": {"status": code, "message": message}, "entries": entries});
    Response::json(status.unwrap_or(400), &body)
}

fn entries(operation: &str, request: &Request, book: &mut Book) -> Result<Value> {
    let call = Call::of(request).ok_or(Refusal(404))?;
    if call.key != KAVENEGAR_API_KEY {
        return Err(Refusal(403));
    }
    let fields = Fields::of(request)?;
    match operation {
        "sms/send" => send(&fields, book),
        "verify/lookup" => lookup(&fields, book),
        "sms/status" => status(&fields, book),
        "sms/statuslocalmessageid" => status_of_local_ids(&fields, book),
        "account/info" => Ok(json!({
            "remaincredit": book.credit,
            "expiredate": 4_102_444_800_u64,
            "type": "master",
        })),
        _ => Err(Refusal(404)),
    }
}

/// The fields of a request.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn of(request: &Request) -> Result<Self> {
        let form = match request.method.as_str() {
            "GET" => request.query().as_bytes(),
            "POST" if request.body.is_empty() => &[],
            "POST" if request.is_of_type("application/x-www-form-urlencoded") => &request.body,
            "POST" => return Err(Refusal(400)),
            _ => return Err(Refusal(405)),
        };
        decode_form(form).map(Self).ok_or(Refusal(400))
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter().filter(|(known, _)| known == name);
        fields.next().map(|(_, value)| value.as_str())
    }

    /// A required field: 400 when it is missing, 406 when it is empty.
    fn required(&self, name: &str) -> Result<&str> {
        let value = self.get(name).ok_or(Refusal(400))?;
        if value.is_empty() {
            return Err(Refusal(406));
        }
        Ok(value)
    }

    /// A list of ids.
    fn ids(&self, name: &str) -> Result<Vec<i64>> {
        let ids = self.required(name)?.split(',');
        let ids = ids
            .map(str::parse)
            .collect::<std::result::Result<Vec<i64>, _>>();
        let ids = ids.map_err(|_| Refusal(400))?;
        if ids.len() > MOST_IDS {
            return Err(Refusal(414));
        }
        Ok(ids)
    }

    /// The fields that `sms/send` and `verify/lookup` share.
    fn check_tag(&self) -> Result<()> {
        // No tag was made in the panel of this account.
        match self.get("tag") {
            None | Some("") => Ok(()),
            Some(_) => Err(Refusal(607)),
        }
    }
}

fn send(fields: &Fields, book: &mut Book) -> Result<Value> {
    let receptors: Vec<&str> = fields.required("receptor")?.split(',').collect();
    if receptors.len() > MOST_RECEPTORS {
        return Err(Refusal(414));
    }
    let receptors = receptors
        .into_iter()
        .map(|number| mobile_number(number, &PREFIXES).ok_or(Refusal(411)))
        .collect::<Result<Vec<_>>>()?;
    let text = fields.get("message").ok_or(Refusal(400))?;
    if text.is_empty() || text.chars().count() > LONGEST_TEXT {
        return Err(Refusal(413));
    }
    let sender = match fields.get("sender") {
        None | Some("") => LINES[0],
        Some(line) if LINES.contains(&line) => line,
        Some(_) => return Err(Refusal(412)),
    };
    if let Some(date) = fields.get("date") {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let is_future = date.parse().is_ok_and(|date: u64| date > now.as_secs());
        if !is_future {
            return Err(Refusal(417));
        }
    }
    let displays = ["0", "1", "2", "3"];
    if fields
        .get("type")
        .is_some_and(|kind| !displays.contains(&kind))
    {
        return Err(Refusal(400));
    }
    fields.check_tag()?;
    let local_ids = match fields.get("localid") {
        None | Some("") => vec![None; receptors.len()],
        Some(_) => fields.ids("localid")?.into_iter().map(Some).collect(),
    };
    if local_ids.len() != receptors.len() {
        return Err(Refusal(419));
    }
    let is_new = |id: &Option<i64>| id.is_none_or(|id| book.find_local(id).is_none());
    if !book.can_pay(local_ids.iter().filter(|id| is_new(id)).count()) {
        return Err(Refusal(418));
    }
    let mut records = Vec::new();
    for (to, local_id) in receptors.into_iter().zip(local_ids) {
        // "An id already used is not sent again": the old record is answered.
        let known = local_id.and_then(|id| book.find_local(id)).cloned();
        let record = match known {
            Some(sms) => {
                let state = book.poll(&sms.message_id, QUEUED, DELIVERED);
                record(&sms, state.unwrap_or(UNKNOWN))
            }
            None => record(
                book.send(NewMessage {
                    operation: "sms/send".to_owned(),
                    to,
                    text: text.to_owned(),
                    sender: sender.to_owned(),
                    local_id,
                    ..NewMessage::default()
                }),
                QUEUED,
            ),
        };
        records.push(record);
    }
    Ok(Value::Array(records))
}

fn lookup(fields: &Fields, book: &mut Book) -> Result<Value> {
    // Exactly one: a list is no number.
    let to = mobile_number(fields.required("receptor")?, &PREFIXES).ok_or(Refusal(411))?;
    let name = fields.required("template")?;
    let token = fields.required("token")?;
    for (name, spaces) in TOKENS {
        check_token(fields.get(name).unwrap_or_default(), spaces)?;
    }
    match fields.get("type") {
        None | Some("" | "sms") => {}
        Some("call") if token.bytes().all(|byte| byte.is_ascii_digit()) => {}
        Some("call") => return Err(Refusal(428)),
        Some(_) => return Err(Refusal(400)),
    }
    fields.check_tag()?;
    let template = book.templates.get(name).ok_or(Refusal(424))?;
    if !template.contains("%token") {
        return Err(Refusal(432));
    }
    // What a template shows for a token that was not given is not documented: nothing, here.
    let values = TOKENS.map(|(name, _)| {
        let value = fields.get(name).unwrap_or_default();
        (format!("%{name}"), value.to_owned())
    });
    let text = render(template, &values);
    if !book.can_pay(1) {
        return Err(Refusal(418));
    }
    let given = TOKENS.iter().filter_map(|(name, _)| fields.get(name));
    let sms = book.send(NewMessage {
        operation: "verify/lookup".to_owned(),
        to,
        text,
        template: Some(name.to_owned()),
        variables: given.map(ToOwned::to_owned).collect(),
        ..NewMessage::default()
    });
    Ok(json!([record(sms, AT_OPERATOR)]))
}

/// "A newline, a space, an underscore or a separator": 431. What a separator is stands nowhere; here
/// it is any other white space, a control character and the comma. The same code for a token that is
/// too long, whose code is not documented either.
fn check_token(token: &str, spaces: usize) -> Result<()> {
    let is_broken = |char: char| char.is_control() || (char.is_whitespace() && char != ' ');
    let fits = token.chars().count() <= LONGEST_TOKEN
        && !token.contains(is_broken)
        && token.matches(' ').count() <= spaces
        && (spaces > 0 || !token.contains(['_', ',']));
    if fits { Ok(()) } else { Err(Refusal(431)) }
}

fn status(fields: &Fields, book: &mut Book) -> Result<Value> {
    let ids = fields.ids("messageid")?;
    let states = ids.into_iter().map(|id| {
        let state = book.poll(&id.to_string(), QUEUED, DELIVERED);
        state_of(id, state.unwrap_or(UNKNOWN))
    });
    Ok(states.collect())
}

fn status_of_local_ids(fields: &Fields, book: &mut Book) -> Result<Value> {
    let ids = fields.ids("localid")?;
    let states = ids.into_iter().map(|local_id| {
        let found = book.find_local(local_id).map(|sms| sms.message_id.clone());
        let state = found
            .as_ref()
            .and_then(|id| book.poll(id, QUEUED, DELIVERED))
            .unwrap_or(UNKNOWN);
        // The id of a message that there is not is not documented: 0, here.
        let id = found.and_then(|id| id.parse().ok()).unwrap_or(0);
        let mut entry = state_of(id, state);
        // A string, as in the documentation's sample.
        entry["localid"] = json!(local_id.to_string());
        entry
    });
    Ok(states.collect())
}

fn state_of(message_id: i64, state: i64) -> Value {
    json!({"messageid": message_id, "status": state, "statustext": text_of(state)})
}

fn record(sms: &SentSms, state: i64) -> Value {
    let id: u64 = sms.message_id.parse().unwrap_or_default();
    json!({
        "messageid": id,
        "message": sms.text,
        "status": state,
        "statustext": text_of(state),
        "sender": sms.sender,
        "receptor": sms.to,
        "date": SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs(),
        "cost": sms.cost,
    })
}

fn text_of(state: i64) -> &'static str {
    match state {
        1 => "در صف ارسال",
        2 => "زمان بندی شده",
        4 | 5 => "ارسال به مخابرات",
        6 => "خطا در ارسال پیام",
        10 => "رسیده به گیرنده",
        11 => "نرسیده به گیرنده",
        13 => "لغو شده",
        14 => "بلاک شده است",
        _ => "شناسه نامعتبر است",
    }
}
