//! Kavenegar: plain texts by `sms/send`, templates by `verify/lookup`.
//!
//! Source: Kavenegar REST documentation (kavenegar.com/rest.html). The API key is part of the path,
//! so a URL is as secret as the key.

mod codes;
mod tokens;

use async_trait::async_trait;
use chelseru_core::config::{SmsConfig, SmsService};
use chelseru_core::sms::{Content, Sent, Sms, SmsError, SmsErrorKind, SmsProvider};
use chelseru_core::{ConfigError, Secret};
use serde_json::Value;

use crate::codes::Codes;
use crate::http::{Http, Reply};
use crate::lenient::{identifier, integer};
use crate::require;

/// "The message is empty or longer than 900 characters" (code 413).
const LONGEST_TEXT: usize = 900;

/// `return.status` of a message that was taken.
const ACCEPTED: i128 = 200;

#[derive(Debug)]
pub(crate) struct Kavenegar {
    http: Http,
    key: Secret,
    from: String,
}

impl Kavenegar {
    pub(crate) fn new(config: &SmsConfig) -> Result<Self, ConfigError> {
        let settings = &config.settings;
        require(
            "SMS.SETTINGS.KAVENEGAR_COM_API_KEY",
            settings.kavenegar_com_api_key.is_empty(),
        )?;
        Ok(Self {
            http: Http::new(
                "KAVENEGAR_COM_BASE_URL",
                &settings.kavenegar_com_base_url,
                config.timeout,
            )?,
            key: settings.kavenegar_com_api_key.clone(),
            from: settings.kavenegar_com_from.clone(),
        })
    }

    async fn send_text(&self, to: &str, text: &str) -> Result<Sent, SmsError> {
        if text.chars().count() > LONGEST_TEXT {
            return Err(SmsError::new(
                SmsErrorKind::TextRefused,
                format!("Kavenegar takes at most {LONGEST_TEXT} characters"),
            ));
        }
        let mut form = vec![("receptor", to), ("message", text)];
        if !self.from.is_empty() {
            form.push(("sender", &self.from));
        }
        self.call("sms", "send.json", &form, &codes::SEND).await
    }

    async fn send_template(
        &self,
        to: &str,
        template: &str,
        variables: &[String],
    ) -> Result<Sent, SmsError> {
        let mut form = vec![("receptor", to), ("template", template)];
        form.extend(tokens::from_variables(variables)?);
        self.call("verify", "lookup.json", &form, &codes::LOOKUP)
            .await
    }

    async fn call(
        &self,
        scope: &str,
        method: &str,
        form: &[(&str, &str)],
        codes: &Codes,
    ) -> Result<Sent, SmsError> {
        let path = ["v1", self.key.expose(), scope, method];
        let reply = self.http.post(&path, form).await?;
        decode(&reply, codes)
    }
}

#[async_trait]
impl SmsProvider for Kavenegar {
    fn name(&self) -> &str {
        SmsService::KavenegarCom.name()
    }

    async fn send(&self, sms: &Sms) -> Result<Sent, SmsError> {
        let to = sms.to.as_str();
        match &sms.content {
            Content::Text(text) => self.send_text(to, text).await,
            Content::Template { id, variables } => self.send_template(to, &id.0, variables).await,
        }
    }
}

/// Reads `{"return":{"status":…},"entries":[{"messageid":…,"status":…,"cost":…}]}`.
///
/// `return.status` decides, whatever the HTTP status. `entries` is an array by the documentation and
/// an object in one official client; a message that was taken may come without it.
fn decode(reply: &Reply, codes: &Codes) -> Result<Sent, SmsError> {
    let json = reply.json();
    let Some(result) = integer(&json["return"]["status"]) else {
        return Err(reply.not_understood());
    };
    if result != ACCEPTED {
        return Err(match codes.find(result) {
            Some(&(_, kind, meaning)) => reply.error(kind, meaning, result),
            None => reply.error(
                codes::kind_of_undocumented(result),
                "a result that Kavenegar does not document",
                result,
            ),
        });
    }
    let entry = match &json["entries"] {
        Value::Array(entries) => entries.first().unwrap_or(&Value::Null),
        entry => entry,
    };
    let refusal = integer(&entry["status"]).and_then(codes::refused_entry);
    if let Some(&(status, kind, meaning)) = refusal {
        return Err(reply.error(kind, meaning, status));
    }
    let mut sent = Sent::default();
    sent.message_id = identifier(&entry["messageid"]);
    sent.cost_rial = integer(&entry["cost"]).and_then(|cost| cost.try_into().ok());
    Ok(sent)
}
