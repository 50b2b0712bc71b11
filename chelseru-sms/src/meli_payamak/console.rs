//! The console API: plain texts by `send/simple`, templates by `send/shared`, deliveries by
//! `receive/status` and credit, in rial, by `receive/credit`.
//!
//! Sources: the console's documentation and recorded replies. The token is part of the path, so a
//! URL is as secret as the token. Every reply has a `status` of free words, after a success as well:
//! nothing can be decided by it, and it is never shown, for it may quote the message.

use async_trait::async_trait;
use chelseru_core::config::{SmsConfig, SmsService};
use chelseru_core::sms::{
    Capabilities, Content, Credit, Delivery, DeliveryReport, Sent, Sms, SmsError, SmsErrorKind,
    SmsProvider,
};
use chelseru_core::{ConfigError, Secret};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::codes;
use crate::http::{Http, Purpose, Reply, Request};
use crate::lenient::{integer, whole};
use crate::template;

/// How many ids are put into one question. No limit is documented; the older APIs have this one.
const MOST_IDS: usize = 100;

/// What an internal failure says, as recorded, with its slip of the pen.
const INTERNAL_FAILURE: &str = "An unexpected error occured";

#[derive(Debug)]
pub(super) struct ConsoleApi {
    http: Http,
    token: Secret,
    from: String,
}

impl ConsoleApi {
    pub(super) fn new(config: &SmsConfig) -> Result<Self, ConfigError> {
        let settings = &config.settings;
        Ok(Self {
            http: super::http(config, "https://console.melipayamak.com")?,
            token: settings.meli_payamak_com_console_token.clone(),
            from: settings.meli_payamak_com_from.clone(),
        })
    }

    async fn call(
        &self,
        [scope, method]: [&str; 2],
        request: Request<'_>,
        purpose: Purpose,
    ) -> Result<Reply, SmsError> {
        let path = ["api", scope, method, self.token.expose()];
        self.http.call(&path, request, purpose).await
    }

    async fn portion(&self, ids: &[i64]) -> Result<Vec<DeliveryReport>, SmsError> {
        let body = json!({ "recIds": ids });
        let path = ["receive", "status"];
        let reply = self.call(path, Request::Json(&body), Purpose::Ask).await?;
        let json = reply.json();
        // The states come in the order of the ids, so a list of another length tells nothing.
        let states = json["resultsAsCode"]
            .as_array()
            .filter(|states| states.len() == ids.len())
            .ok_or_else(|| refusal(&reply, &json))?;
        Ok(ids.iter().zip(states).filter_map(report).collect())
    }
}

#[async_trait]
impl SmsProvider for ConsoleApi {
    fn name(&self) -> &str {
        SmsService::MeliPayamakCom.name()
    }

    fn capabilities(&self) -> Capabilities {
        let mut known = Capabilities::default();
        known.deliveries = true;
        known.credit = true;
        known
    }

    async fn send(&self, sms: &Sms) -> Result<Sent, SmsError> {
        let to = sms.to.as_str();
        let (method, body) = match &sms.content {
            Content::Text(text) => (
                "simple",
                json!({ "from": self.from, "to": to, "text": text }),
            ),
            Content::Template { id, variables } => (
                "shared",
                json!({ "bodyId": template::number(id)?, "to": to, "args": variables }),
            ),
        };
        let purpose = Purpose::Send(sms.time_limit);
        let reply = self
            .call(["send", method], Request::Json(&body), purpose)
            .await?;
        sent(&reply)
    }

    /// Asks in portions. The first that fails ends the asking, and is the result only when nothing
    /// was learned before.
    async fn deliveries(&self, message_ids: &[String]) -> Result<Vec<DeliveryReport>, SmsError> {
        // One that is no number cannot be asked for; it is not known, and left out.
        let ids: Vec<i64> = message_ids
            .iter()
            .filter_map(|id| id.parse().ok())
            .collect();
        let mut reports = Vec::new();
        for portion in ids.chunks(MOST_IDS) {
            match self.portion(portion).await {
                Ok(more) => reports.extend(more),
                Err(error) if reports.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(reports)
    }

    async fn credit(&self) -> Result<Credit, SmsError> {
        let path = ["receive", "credit"];
        let reply = self.call(path, Request::Get, Purpose::Ask).await?;
        let json = reply.json();
        whole(&json["amount"])
            .filter(|_| reply.status().is_success())
            .map(Credit::Rial)
            .ok_or_else(|| refusal(&reply, &json))
    }
}

/// Reads `{"recId":4707203589561557161,"status":"…"}`: a message was taken if it has an id.
fn sent(reply: &Reply) -> Result<Sent, SmsError> {
    let json = reply.json();
    let id = integer(&json["recId"]).and_then(|id| i64::try_from(id).ok());
    match id {
        Some(id) if id > 0 => Ok(Sent::with_id(id.to_string())),
        Some(0) if reply.status().is_success() => Err(reply.error(
            SmsErrorKind::NotSent,
            "refused, for a reason that only the panel shows",
            "recId 0",
        )),
        Some(id) if reply.status().is_success() => Err(reply.error(
            SmsErrorKind::PerhapsSent,
            "a result that Melipayamak does not document",
            id,
        )),
        _ => Err(refusal(reply, &json)),
    }
}

/// The failure that a reply without a result is. There are no codes: what is known is how a wrong
/// token, a wrong field and an internal failure look.
fn refusal(reply: &Reply, json: &Value) -> SmsError {
    let bad_request = StatusCode::BAD_REQUEST;
    if json["Message"] == INTERNAL_FAILURE {
        return reply.error(
            SmsErrorKind::PerhapsSent,
            "an internal error of the provider",
            format!("HTTP {}", reply.status().as_u16()),
        );
    }
    let meaning = match reply.status() {
        // ASP.NET's ProblemDetails.
        status if status == bad_request && json["errors"].is_object() => {
            "a field of the request is missing or malformed"
        }
        status if status == bad_request && json["status"].is_string() => {
            "the console token is not valid"
        }
        _ => return reply.not_understood(),
    };
    reply.error(SmsErrorKind::NotSent, meaning, "HTTP 400")
}

/// What became of a message; nothing where the account has no delivery reports.
fn report((id, state): (&i64, &Value)) -> Option<DeliveryReport> {
    let code = integer(state);
    Some(DeliveryReport {
        message_id: id.to_string(),
        delivery: code.map_or(Some(Delivery::Unknown), codes::delivery)?,
        code: code.map(|code| code.to_string()),
    })
}
