//! Sending SMS, and the log that says what was sent.

use std::time::Duration;

use super::{Chelseru, CurrentUser};
use crate::error::Error;
use crate::mobile::MobileNumber;
use crate::otp::Code;
use crate::sms::{Content, Sms, TemplateId};
use crate::store::{NewSms, SmsOutcome, SmsPurpose, SmsStatus};
use crate::user::UserId;

/// A message that a user wants to be sent.
#[derive(Clone)]
pub struct Message {
    /// The receiver.
    pub to: MobileNumber,
    /// The text, or with a template the value of its first placeholder.
    pub text: String,
    /// A template, by the provider's id or by a name of `SMS.TEMPLATES`.
    pub template: Option<TemplateId>,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("to", &self.to)
            .field("template", &self.template)
            .finish_non_exhaustive()
    }
}

impl Chelseru {
    /// Sends a message for a user, once.
    ///
    /// # Errors
    ///
    /// [`Error::Sms`], whose kind says whether it may have been sent; [`Error::Store`], before anything
    /// was sent.
    pub async fn send_message(&self, user: &CurrentUser, message: Message) -> Result<(), Error> {
        let content = match message.template {
            None => Content::Text(message.text),
            Some(template) => Content::Template {
                id: self.named_template(template),
                variables: vec![message.text],
            },
        };
        let sms = Sms::new(message.to, content);
        self.deliver(&sms, SmsPurpose::Message, Some(user.id)).await
    }

    fn named_template(&self, template: TemplateId) -> TemplateId {
        self.config()
            .sms
            .templates
            .get(&template.0)
            .and_then(|ids| ids.with(self.inner.providers[0].name()).cloned())
            .unwrap_or(template)
    }

    /// Hands one message to the provider, with a row in the log from before until after.
    pub(super) async fn deliver(
        &self,
        sms: &Sms,
        purpose: SmsPurpose,
        user: Option<UserId>,
    ) -> Result<(), Error> {
        let provider = &self.inner.providers[0];
        let id = self
            .store()
            .log_sms(
                &NewSms {
                    local_id: None,
                    request: None,
                    may_repeat: None,
                    mobile_number: sms.to,
                    provider: provider.name().to_owned(),
                    purpose,
                    user,
                    parts: sms.content.parts(),
                    created_at: self.now(),
                },
                self.now(),
            )
            .await?;
        let result = provider.send(sms).await;
        let outcome = match &result {
            Ok(sent) => SmsOutcome {
                status: SmsStatus::Accepted,
                provider_id: sent.message_id.clone(),
                provider_code: None,
                cost_rial: sent.cost_rial,
                delivery: None,
                checks: 0,
                check_at: None,
                at: self.now(),
            },
            Err(error) => SmsOutcome {
                status: if error.is_certain() {
                    SmsStatus::NotSent
                } else {
                    SmsStatus::Unknown
                },
                provider_id: None,
                provider_code: error.code().map(str::to_owned),
                cost_rial: None,
                delivery: None,
                checks: 0,
                check_at: None,
                at: self.now(),
            },
        };
        // What the provider did stands, whether or not we can write it down.
        if let Err(error) = self.store().settle_sms(id, &outcome).await {
            tracing::error!(
                sms = id.0,
                ?error,
                "the outcome of a message could not be stored"
            );
        }
        match result {
            Ok(_) => {
                tracing::info!(sms = id.0, to = ?sms.to, provider = provider.name(), "message accepted");
                Ok(())
            }
            Err(error) => {
                tracing::warn!(sms = id.0, to = ?sms.to, provider = provider.name(), %error, "message failed");
                Err(Error::Sms(error))
            }
        }
    }
}

/// The text of a code's message.
pub(super) fn code_text(template: &str, code: &Code, lifetime: Duration) -> String {
    let minutes = lifetime.as_secs().div_ceil(60).to_string();
    template
        .replace("{minutes}", &minutes)
        .replace("{code}", code.expose())
}
