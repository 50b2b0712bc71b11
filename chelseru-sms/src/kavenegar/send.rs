//! `sms/send` for texts and `verify/lookup` for templates.
//!
//! A text carries our own id of it, by which Kavenegar sends it no second time; for a template it
//! takes none.

use chelseru_core::sms::{Sent, Sms, SmsError, SmsErrorKind, TemplateId};
use serde_json::Value;

use super::{Answer, Kavenegar, codes, tokens};
use crate::http::Purpose;
use crate::lenient::{identifier, integer};

/// "The message is empty or longer than 900 characters" (code 413).
const LONGEST_TEXT: usize = 900;

impl Kavenegar {
    pub(super) async fn send_text(&self, sms: &Sms, text: &str) -> Result<Sent, SmsError> {
        if text.chars().count() > LONGEST_TEXT {
            return Err(SmsError::new(
                SmsErrorKind::TextRefused,
                format!("Kavenegar takes at most {LONGEST_TEXT} characters"),
            ));
        }
        let mut form = vec![("receptor", sms.to.as_str()), ("message", text)];
        if !self.from.is_empty() {
            form.push(("sender", &self.from));
        }
        let local_id = sms.local_id.map(|id| id.0.to_string());
        if let Some(local_id) = &local_id {
            form.push(("localid", local_id));
        }
        let purpose = Purpose::Send(sms.time_limit);
        let answer = self
            .call(["sms", "send.json"], &form, &codes::SEND, purpose)
            .await?;
        sent(&answer)
    }

    pub(super) async fn send_template(
        &self,
        sms: &Sms,
        id: &TemplateId,
        variables: &[String],
    ) -> Result<Sent, SmsError> {
        let mut form = vec![("receptor", sms.to.as_str()), ("template", &id.0)];
        form.extend(tokens::from_variables(variables)?);
        let purpose = Purpose::Send(sms.time_limit);
        let answer = self
            .call(["verify", "lookup.json"], &form, &codes::LOOKUP, purpose)
            .await?;
        sent(&answer)
    }
}

/// Reads `[{"messageid":…,"status":…,"cost":…}]`; a message that was taken may come without it.
fn sent(answer: &Answer) -> Result<Sent, SmsError> {
    let record = answer.records().first().unwrap_or(&Value::Null);
    let refusal = integer(&record["status"]).and_then(codes::refused_record);
    if let Some(&(status, kind, meaning)) = refusal {
        return Err(answer.reply.error(kind, meaning, status));
    }
    let mut sent = Sent::default();
    sent.message_id = identifier(&record["messageid"]);
    sent.cost_rial = integer(&record["cost"]).and_then(|cost| cost.try_into().ok());
    Ok(sent)
}
