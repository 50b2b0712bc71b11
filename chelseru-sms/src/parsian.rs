//! Parsian: templates only, no plain texts.
//!
//! There is no public documentation. The request is the one that clients of several authors send;
//! of the reply only `status` is known: 200 taken, 100 rejected, 401 not authenticated. Everything
//! else is read leniently.
//!
//! Deliveries (`webservice-check-sms/get`) and credit (`webservice-get-credit/get`) exist, but no
//! source knows a field or a value of their replies, so neither is offered rather than guessed.

use async_trait::async_trait;
use chelseru_core::config::{SmsConfig, SmsService};
use chelseru_core::sms::{Capabilities, Content, Sent, Sms, SmsError, SmsErrorKind, SmsProvider};
use chelseru_core::{ConfigError, Secret};
use serde_json::Value;

use crate::http::{Http, Purpose, Reply, Request};
use crate::lenient::{identifier, integer};
use crate::{require, template};

#[derive(Debug)]
pub(crate) struct Parsian {
    http: Http,
    token: Secret,
}

impl Parsian {
    pub(crate) fn new(config: &SmsConfig) -> Result<Self, ConfigError> {
        let settings = &config.settings;
        require(
            "SMS.SETTINGS.PARSIAN_WEBCO_IR_API_KEY",
            settings.parsian_webco_ir_api_key.is_empty(),
        )?;
        Ok(Self {
            http: Http::new(
                "PARSIAN_WEBCO_IR_BASE_URL",
                &settings.parsian_webco_ir_base_url,
                config.timeout,
            )?,
            token: settings.parsian_webco_ir_api_key.clone(),
        })
    }
}

#[async_trait]
impl SmsProvider for Parsian {
    fn name(&self) -> &str {
        SmsService::ParsianWebcoIr.name()
    }

    fn capabilities(&self) -> Capabilities {
        let mut templates_only = Capabilities::default();
        templates_only.texts = false;
        templates_only
    }

    async fn send(&self, sms: &Sms) -> Result<Sent, SmsError> {
        let Content::Template { id, variables } = &sms.content else {
            return Err(SmsError::new(
                SmsErrorKind::TemplateRefused,
                "Parsian sends templates only",
            ));
        };
        let id = template::number(id)?.to_string();
        let variables = template::joined(variables, ',')?;
        let form = [
            ("token", self.token.expose()),
            ("TemplateID", &id),
            ("MessageVars", &variables),
            ("Receiver", sms.to.as_str()),
            // Its meaning is unknown; every client that is known to work sends 1.
            ("delay", "1"),
        ];
        let path = ["webservice-send-sms", "send"];
        let purpose = Purpose::Send(sms.time_limit);
        let reply = self.http.call(&path, Request::Form(&form), purpose).await?;
        decode(&reply)
    }
}

fn decode(reply: &Reply) -> Result<Sent, SmsError> {
    let json = reply.json();
    match integer(&json["status"]) {
        Some(200) => {
            let mut sent = Sent::default();
            sent.message_id = message_id(&json);
            Ok(sent)
        }
        Some(100) => Err(reply.error(SmsErrorKind::NotSent, "rejected", 100)),
        Some(401) => Err(reply.error(SmsErrorKind::NotSent, "the API key is invalid", 401)),
        Some(unknown) => Err(reply.not_understood().with_code(unknown)),
        None => Err(reply.not_understood()),
    }
}

/// The message id, if one of the likely names has it. `smsID` is what the check of a delivery calls
/// it; no reply with an id has been seen.
fn message_id(json: &Value) -> Option<String> {
    const NAMES: [&str; 6] = ["smsID", "smsId", "sms_id", "messageId", "message_id", "id"];
    NAMES
        .iter()
        .flat_map(|name| [&json[name], &json["data"][name]])
        .find_map(identifier)
}
