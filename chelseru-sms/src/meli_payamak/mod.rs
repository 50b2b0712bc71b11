//! Melipayamak: plain texts by `SendSMS`, templates by `BaseServiceNumber`, both over its REST API.
//!
//! Sources: Melipayamak's documentation and official clients, and recorded replies. All replies have
//! HTTP status 200; the result is in the body.

mod codes;

use async_trait::async_trait;
use chelseru_core::config::{SmsConfig, SmsService};
use chelseru_core::sms::{Content, Sent, Sms, SmsError, SmsErrorKind, SmsProvider, TemplateId};
use chelseru_core::{ConfigError, Secret};

use crate::codes::Codes;
use crate::http::{Http, Reply};
use crate::lenient::integer;
use crate::{require, template};

/// `RetStatus` of a message that was taken.
const ACCEPTED: i128 = 1;

/// `RetStatus` of a request with something wrong in it; the cause is in `Value`.
const INVALID_DATA: i128 = 35;

/// A `Value` up to here is a code and above a message id: codes have three digits, ids 15 or more.
const LARGEST_CODE: i128 = 1000;

#[derive(Debug)]
pub(crate) struct MeliPayamak {
    http: Http,
    username: Secret,
    password: Secret,
    from: String,
}

impl MeliPayamak {
    pub(crate) fn new(config: &SmsConfig) -> Result<Self, ConfigError> {
        let settings = &config.settings;
        require(
            "SMS.SETTINGS.MELI_PAYAMAK_COM_USERNAME",
            settings.meli_payamak_com_username.is_empty(),
        )?;
        require(
            "SMS.SETTINGS.MELI_PAYAMAK_COM_PASSWORD",
            settings.meli_payamak_com_password.is_empty(),
        )?;
        Ok(Self {
            http: Http::new(
                "MELI_PAYAMAK_COM_BASE_URL",
                &settings.meli_payamak_com_base_url,
                config.timeout,
            )?,
            username: settings.meli_payamak_com_username.as_str().into(),
            password: settings.meli_payamak_com_password.clone(),
            from: settings.meli_payamak_com_from.clone(),
        })
    }

    async fn send_text(&self, to: &str, text: &str) -> Result<Sent, SmsError> {
        let fields = [
            ("to", to),
            ("from", &self.from),
            ("text", text),
            ("isFlash", "false"),
        ];
        self.call("SendSMS", &fields, &codes::SEND).await
    }

    async fn send_template(
        &self,
        to: &str,
        id: &TemplateId,
        variables: &[String],
    ) -> Result<Sent, SmsError> {
        let id = template::number(id)?.to_string();
        let text = template::joined(variables, ';')?;
        let fields = [("text", text.as_str()), ("to", to), ("bodyId", &id)];
        self.call("BaseServiceNumber", &fields, &codes::PATTERN)
            .await
    }

    async fn call(
        &self,
        operation: &str,
        fields: &[(&str, &str)],
        codes: &Codes,
    ) -> Result<Sent, SmsError> {
        let mut form = vec![
            ("username", self.username.expose()),
            ("password", self.password.expose()),
        ];
        form.extend_from_slice(fields);
        let reply = self
            .http
            .post(&["api", "SendSMS", operation], &form)
            .await?;
        decode(&reply, codes)
    }
}

#[async_trait]
impl SmsProvider for MeliPayamak {
    fn name(&self) -> &str {
        SmsService::MeliPayamakCom.name()
    }

    async fn send(&self, sms: &Sms) -> Result<Sent, SmsError> {
        let to = sms.to.as_str();
        match &sms.content {
            Content::Text(text) => self.send_text(to, text).await,
            Content::Template { id, variables } => self.send_template(to, id, variables).await,
        }
    }
}

/// Reads `{"Value":"5461268677656004204","RetStatus":1,"StrRetStatus":"Ok"}`.
///
/// A message was taken only if `RetStatus` is 1 **and** `Value` is an id: a refusal can come as
/// `{"Value":"2","RetStatus":1}` as well. Otherwise the code is `Value`, or `RetStatus` without one.
fn decode(reply: &Reply, codes: &Codes) -> Result<Sent, SmsError> {
    let json = reply.json();
    let value = integer(&json["Value"]);
    let status = integer(&json["RetStatus"]);

    if let Some(id) = value.filter(|value| *value > LARGEST_CODE) {
        return match status {
            Some(ACCEPTED) => Ok(Sent::with_id(id.to_string())),
            Some(status) => Err(reply.error(
                SmsErrorKind::PerhapsSent,
                "a message id together with a failure",
                status,
            )),
            None => Err(reply.not_understood()),
        };
    }
    let Some(code) = value.or(status) else {
        return Err(reply.not_understood());
    };
    // A lone RetStatus of 35 is no code: as a Value it would mean a blacklisted number.
    let row = (value.is_some() || code != INVALID_DATA)
        .then(|| codes.find(code))
        .flatten();
    Err(match row {
        Some(&(_, kind, meaning)) => reply.error(kind, meaning, code),
        None if status == Some(INVALID_DATA) => {
            reply.error(SmsErrorKind::NotSent, "invalid data", code)
        }
        None => reply.error(
            SmsErrorKind::PerhapsSent,
            "a result that Melipayamak does not document",
            code,
        ),
    })
}
