//! Sending SMS: through whichever provider takes it, within a budget, once, and looked after until it
//! is known what became of it.

mod balance;
mod budget;
mod deliver;
mod follow_up;
mod gateway;
mod outgoing;
mod requests;
#[cfg(test)]
pub(super) mod tests;

use std::fmt;

pub use self::balance::Balance;
pub(super) use self::budget::ToldBudgets;
pub(super) use self::gateway::Gateway;
pub use self::gateway::ProviderHealth;
use self::outgoing::{Outgoing, What};
use self::requests::Admitted;
pub use self::requests::{IdempotencyKey, InvalidIdempotencyKey};
use super::{Chelseru, CurrentUser};
use crate::error::Error;
use crate::mobile::MobileNumber;
use crate::otp::Code;
use crate::sms::TemplateId;
use crate::store::SmsRequestId;

/// A message that a user, the operator or the application wants to be sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct Message {
    /// The receiver.
    pub to: MobileNumber,
    /// The text, or with a template the value of its first placeholder.
    pub text: String,
    /// A template, by the provider's id or by a name of `SMS.TEMPLATES`.
    pub template: Option<TemplateId>,
    /// The user's own name for this message: under one name it is sent once, however often it is asked
    /// for within [`REQUESTS_KEPT`](crate::store::REQUESTS_KEPT).
    pub idempotency_key: Option<IdempotencyKey>,
}

impl Message {
    /// A text.
    pub fn new(to: MobileNumber, text: impl Into<String>) -> Self {
        Self {
            to,
            text: text.into(),
            template: None,
            idempotency_key: None,
        }
    }

    /// By a template, whose first placeholder gets the text.
    #[must_use]
    pub fn with_template(mut self, template: impl Into<TemplateId>) -> Self {
        self.template = Some(template.into());
        self
    }

    /// Under a name of the user's own.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: IdempotencyKey) -> Self {
        self.idempotency_key = Some(key);
        self
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("to", &self.to)
            .field("template", &self.template)
            .finish_non_exhaustive()
    }
}

impl Chelseru {
    /// Sends a message for a user, once.
    ///
    /// Who may, `AUTH.OPTIONS.MESSAGE_SEND_GROUPS` and
    /// [`may_send_message`](super::ChelseruBuilder::may_send_message) say; how often,
    /// `AUTH.LIMITS.MESSAGES_PER_USER_PER_HOUR` and `AUTH.LIMITS.MESSAGES_PER_RECEIVER_PER_HOUR`. A message
    /// that was certainly not sent does not count.
    ///
    /// # Errors
    ///
    /// [`Error::PermissionDenied`]; [`Error::LimitReached`]; [`Error::Sms`], whose kind says whether it may have been sent; [`Error::OverBudget`];
    /// [`Error::RequestInProgress`], [`Error::SentUnderKey`] and [`Error::KeyOfAnotherMessage`] for its
    /// idempotency key; [`Error::Store`], before anything was sent.
    pub async fn send_message(&self, user: &CurrentUser, message: Message) -> Result<(), Error> {
        self.require_message_group(user)?;
        if !(self.inner.may_send_message)(user, &message) {
            return Err(Error::PermissionDenied);
        }
        let request = match self.admit(user.id, &message).await? {
            Admitted::Send(request) => request,
            Admitted::SentBefore => return Ok(()),
        };
        let result = self.deliver_within_limits(user, &message, request).await;
        if let Some(request) = request {
            self.settle_request(request, &result).await;
        }
        result
    }

    /// Whether accounts of the user's group may send messages.
    pub(crate) fn require_message_group(&self, user: &CurrentUser) -> Result<(), Error> {
        match &self.config().auth.options.message_send_groups {
            Some(groups) => user.require_group(groups),
            None => Ok(()),
        }
    }

    async fn deliver_within_limits(
        &self,
        user: &CurrentUser,
        message: &Message,
        request: Option<SmsRequestId>,
    ) -> Result<(), Error> {
        let permit = self.permit_message(user.id, message.to).await?;
        let result = self
            .deliver(&Outgoing {
                to: message.to,
                user: Some(user.id),
                request,
                what: What::Message(message),
            })
            .await;
        let was_perhaps_sent = match &result {
            Ok(()) => true,
            Err(Error::Sms(error)) => !error.is_certain(),
            Err(_) => false,
        };
        if !was_perhaps_sent {
            self.give_back(&permit).await;
        }
        result
    }

    /// Sends a message of the operator or of the application itself. Idempotency keys belong to users;
    /// one is not looked at here.
    ///
    /// # Errors
    ///
    /// As [`send_message`](Self::send_message).
    pub async fn send_sms(&self, message: Message) -> Result<(), Error> {
        self.deliver(&Outgoing {
            to: message.to,
            user: None,
            request: None,
            what: What::Message(&message),
        })
        .await
    }

    /// Sends a code.
    pub(super) async fn deliver_code(&self, to: MobileNumber, code: &Code) -> Result<(), Error> {
        self.deliver(&Outgoing {
            to,
            user: None,
            request: None,
            what: What::Code(code),
        })
        .await
    }

    /// How each provider is doing, in the order in which they are tried.
    pub fn sms_health(&self) -> Vec<ProviderHealth> {
        self.inner.gateways.iter().map(Gateway::health).collect()
    }
}
