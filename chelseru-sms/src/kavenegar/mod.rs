//! Kavenegar: plain texts, templates, our own ids of messages, deliveries and credit.
//!
//! Source: Kavenegar REST documentation (kavenegar.com/rest.html). The API key is part of the path,
//! so a URL is as secret as the key.

mod codes;
mod credit;
mod delivery;
mod send;
mod tokens;

use async_trait::async_trait;
use chelseru_core::config::{SmsConfig, SmsService};
use chelseru_core::sms::{
    Capabilities, Content, Credit, DeliveryReport, LocalId, Sent, Sms, SmsError, SmsProvider,
};
use chelseru_core::{ConfigError, Secret};
use serde_json::Value;

use crate::codes::Codes;
use crate::http::{Http, Purpose, Reply, Request};
use crate::lenient::integer;
use crate::require;

/// `return.status` of a request that was carried out.
const ACCEPTED: i128 = 200;

#[derive(Debug)]
pub(crate) struct Kavenegar {
    http: Http,
    key: Secret,
    from: String,
}

/// An answer whose `return.status` is 200.
struct Answer {
    reply: Reply,
    entries: Value,
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

    /// Posts to `/v1/{key}/{scope}/{method}` and reads `{"return":{"status":…},"entries":…}`.
    ///
    /// `return.status` decides, whatever the HTTP status: some of its values clash with HTTP's.
    async fn call(
        &self,
        [scope, method]: [&str; 2],
        form: &[(&str, &str)],
        codes: &Codes,
        purpose: Purpose,
    ) -> Result<Answer, SmsError> {
        let path = ["v1", self.key.expose(), scope, method];
        let reply = self.http.call(&path, Request::Form(form), purpose).await?;
        let mut json = reply.json();
        match integer(&json["return"]["status"]) {
            Some(ACCEPTED) => Ok(Answer {
                entries: json.get_mut("entries").map(Value::take).unwrap_or_default(),
                reply,
            }),
            Some(result) => Err(match codes.find(result) {
                Some(&(_, kind, meaning)) => reply.error(kind, meaning, result),
                None => reply.error(
                    codes::kind_of_undocumented(result),
                    "a result that Kavenegar does not document",
                    result,
                ),
            }),
            None => Err(reply.not_understood()),
        }
    }
}

impl Answer {
    /// The records. The documentation has an array of them or a lone one, depending on the method,
    /// and official clients do not agree on which.
    fn records(&self) -> &[Value] {
        match &self.entries {
            Value::Array(records) => records,
            Value::Null => &[],
            record => std::slice::from_ref(record),
        }
    }
}

#[async_trait]
impl SmsProvider for Kavenegar {
    fn name(&self) -> &str {
        SmsService::KavenegarCom.name()
    }

    fn capabilities(&self) -> Capabilities {
        let mut all = Capabilities::default();
        all.local_ids = true;
        all.deliveries = true;
        all.credit = true;
        all
    }

    async fn send(&self, sms: &Sms) -> Result<Sent, SmsError> {
        match &sms.content {
            Content::Text(text) => self.send_text(sms, text).await,
            Content::Template { id, variables } => self.send_template(sms, id, variables).await,
        }
    }

    async fn find(&self, local_id: LocalId) -> Result<Option<DeliveryReport>, SmsError> {
        self.find_by_local_id(local_id).await
    }

    async fn deliveries(&self, message_ids: &[String]) -> Result<Vec<DeliveryReport>, SmsError> {
        self.delivery_reports(message_ids).await
    }

    async fn credit(&self) -> Result<Credit, SmsError> {
        self.remaining_credit().await
    }
}
