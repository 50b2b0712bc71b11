//! The REST API: plain texts by `SendSMS`, templates by `BaseServiceNumber`, deliveries by
//! `GetDeliveries2` and credit by `GetCredit`.
//!
//! Sources: Melipayamak's documentation and official clients, and recorded replies. All replies have
//! HTTP status 200; the result is in the body:
//! `{"Value":"5461268677656004204","RetStatus":1,"StrRetStatus":"Ok"}`.

use async_trait::async_trait;
use chelseru_core::ConfigError;
use chelseru_core::config::{SmsConfig, SmsService};
use chelseru_core::sms::{
    Capabilities, Content, Credit, Delivery, DeliveryReport, Sent, Sms, SmsError, SmsErrorKind,
    SmsProvider,
};
use serde_json::Value;

use super::{Account, LARGEST_CODE, codes};
use crate::codes::Codes;
use crate::http::{Http, Purpose, Reply, Request};
use crate::lenient::{integer, integer_text, whole};
use crate::template;

/// `RetStatus` of a request that was carried out.
const ACCEPTED: i128 = 1;

/// `RetStatus` of a request with something wrong in it; the cause is in `Value`.
const INVALID_DATA: i128 = 35;

/// How many questions in a row may fail before the rest is not asked any more: each may take the
/// whole timeout.
const PATIENCE: u32 = 3;

#[derive(Debug)]
pub(super) struct Rest {
    http: Http,
    account: Account,
}

/// What every operation answers.
struct Answer {
    reply: Reply,
    value: Value,
    status: Option<i128>,
}

impl Rest {
    pub(super) fn new(config: &SmsConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            account: Account::new(config)?,
            http: super::http(config, "https://rest.payamak-panel.com")?,
        })
    }

    async fn call(
        &self,
        operation: &str,
        fields: &[(&str, &str)],
        purpose: Purpose,
    ) -> Result<Answer, SmsError> {
        let mut form = vec![
            ("username", self.account.username.expose()),
            ("password", self.account.password.expose()),
        ];
        form.extend_from_slice(fields);
        let path = ["api", "SendSMS", operation];
        let reply = self.http.call(&path, Request::Form(&form), purpose).await?;
        let mut json = reply.json();
        Ok(Answer {
            status: integer(&json["RetStatus"]),
            value: json.get_mut("Value").map(Value::take).unwrap_or_default(),
            reply,
        })
    }

    async fn delivery(&self, id: &str) -> Result<DeliveryReport, SmsError> {
        let fields = [("recId", id)];
        let answer = self.call("GetDeliveries2", &fields, Purpose::Ask).await?;
        answer.delivery(id)
    }
}

#[async_trait]
impl SmsProvider for Rest {
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
        let purpose = Purpose::Send(sms.time_limit);
        match &sms.content {
            Content::Text(text) => {
                let fields = [
                    ("to", to),
                    ("from", &self.account.from),
                    ("text", text),
                    ("isFlash", "false"),
                ];
                let answer = self.call("SendSMS", &fields, purpose).await?;
                answer.sent(&codes::SEND_SMS)
            }
            Content::Template { id, variables } => {
                let id = template::number(id)?.to_string();
                let text = template::joined(variables, ';')?;
                let fields = [("text", text.as_str()), ("to", to), ("bodyId", &id)];
                let answer = self.call("BaseServiceNumber", &fields, purpose).await?;
                answer.sent(&codes::BASE_SERVICE_NUMBER)
            }
        }
    }

    /// Asks for one message after the other, as the API demands. One whose answer fails is left out;
    /// the asking ends early where more of it would be in vain or do harm.
    async fn deliveries(&self, message_ids: &[String]) -> Result<Vec<DeliveryReport>, SmsError> {
        let mut reports = Vec::new();
        let mut failure = None;
        let mut failed_in_a_row = 0;
        for id in message_ids {
            match self.delivery(id).await {
                Ok(report) => {
                    reports.push(report);
                    failed_in_a_row = 0;
                }
                Err(error) => {
                    failed_in_a_row += 1;
                    let ends = failed_in_a_row == PATIENCE || is_refused_account(&error);
                    failure = Some(error);
                    if ends {
                        break;
                    }
                }
            }
        }
        match failure {
            Some(error) if reports.is_empty() => Err(error),
            _ => Ok(reports),
        }
    }

    async fn credit(&self) -> Result<Credit, SmsError> {
        self.call("GetCredit", &[], Purpose::Ask).await?.credit()
    }
}

/// Whether no other question would fare better. Repeated logins that fail block the address (-108).
fn is_refused_account(error: &SmsError) -> bool {
    let code = error.code().and_then(integer_text);
    error.kind() == SmsErrorKind::Throttled
        || code.is_some_and(|code| codes::GET_DELIVERIES_2.find(code).is_some())
}

impl Answer {
    /// A message was taken only if `RetStatus` is 1 **and** `Value` is an id: a refusal can come as
    /// `{"Value":"2","RetStatus":1}` as well.
    fn sent(&self, codes: &Codes) -> Result<Sent, SmsError> {
        let Some(id) = integer(&self.value).filter(|value| *value > LARGEST_CODE) else {
            return Err(self.refusal(codes));
        };
        match self.status {
            Some(ACCEPTED) => Ok(Sent::with_id(id.to_string())),
            Some(status) => Err(self.reply.error(
                SmsErrorKind::PerhapsSent,
                "a message id together with a failure",
                status,
            )),
            None => Err(self.reply.not_understood()),
        }
    }

    /// `Value` is the state of the message, and nothing where the account has no delivery reports.
    fn delivery(&self, id: &str) -> Result<DeliveryReport, SmsError> {
        let refusal = || self.refusal(&codes::GET_DELIVERIES_2);
        if self.status != Some(ACCEPTED) {
            return Err(refusal());
        }
        let code = integer(&self.value);
        let delivery = match code {
            Some(state) => codes::delivery(state).ok_or_else(refusal)?,
            None => Delivery::Unknown,
        };
        Ok(DeliveryReport {
            message_id: id.to_owned(),
            delivery,
            code: code.map(|state| state.to_string()),
        })
    }

    /// `Value` is a decimal number of messages, and "NULL" after a failure. One below zero is a code.
    fn credit(&self) -> Result<Credit, SmsError> {
        match whole(&self.value) {
            Some(messages) if messages >= 0 && self.status == Some(ACCEPTED) => {
                Ok(Credit::Messages(messages))
            }
            _ => Err(self.refusal(&codes::GET_CREDIT)),
        }
    }

    /// The failure that an answer without success is. The code is `Value`, or `RetStatus` where
    /// `Value` is no code.
    fn refusal(&self, codes: &Codes) -> SmsError {
        let value = integer(&self.value).filter(|value| value.abs() <= LARGEST_CODE);
        let Some(code) = value.or(self.status) else {
            return self.reply.not_understood();
        };
        // A lone RetStatus of 35 is no code: as a Value it would mean a blacklisted number.
        let row = (value.is_some() || code != INVALID_DATA)
            .then(|| codes.find(code))
            .flatten();
        match row {
            Some(&(_, kind, meaning)) => self.reply.error(kind, meaning, code),
            None if self.status == Some(INVALID_DATA) => {
                self.reply
                    .error(SmsErrorKind::NotSent, "invalid data", code)
            }
            None => self.reply.error(
                SmsErrorKind::PerhapsSent,
                "a result that Melipayamak does not document",
                code,
            ),
        }
    }
}
