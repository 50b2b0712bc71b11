//! SMS: what a message is, what a provider promises, and what its failures mean for the caller.
//!
//! A provider is anything that implements [`SmsProvider`]: the Iranian ones are in chelseru-sms, a
//! recording one for tests is `testing::StubProvider`.

mod parts;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

pub use self::parts::count_parts;
use crate::mobile::MobileNumber;

/// One message to one number.
///
/// `Debug` shows neither the text nor the variables: they may hold a one-time code.
#[derive(Clone)]
pub struct Sms {
    /// The receiver.
    pub to: MobileNumber,
    /// What it says.
    pub content: Content,
}

/// What a message says: a text of ours, or a template that the provider keeps.
#[derive(Clone)]
pub enum Content {
    /// The whole text.
    Text(String),
    /// A template that was approved in the provider's panel, and the values of its placeholders in
    /// order.
    Template {
        /// The provider's id or name of the template.
        id: TemplateId,
        /// The values, first placeholder first.
        variables: Vec<String>,
    },
}

impl fmt::Debug for Sms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sms")
            .field("to", &self.to)
            .field("content", &self.content)
            .finish()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(***)"),
            Self::Template { id, .. } => write!(f, "Template({}, ***)", id.0),
        }
    }
}

impl Content {
    /// The number of SMS parts that are billed; `None` for a template, whose text the provider knows.
    pub fn parts(&self) -> Option<u32> {
        match self {
            Self::Text(text) => Some(count_parts(text)),
            Self::Template { .. } => None,
        }
    }
}

/// A provider's id or name of a template: a number for most, a name for Kavenegar.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TemplateId(pub String);

impl From<i64> for TemplateId {
    fn from(id: i64) -> Self {
        Self(id.to_string())
    }
}

impl From<&str> for TemplateId {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

/// What a provider says of a message that it accepted. Accepted is not yet delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// The provider's id of the message, as text: some have 19 digits.
    pub message_id: Option<String>,
    /// What it costs, in rial, where the provider says so.
    pub cost_rial: Option<i64>,
}

impl Sent {
    /// An accepted message with the provider's id.
    pub fn with_id(id: impl Into<String>) -> Self {
        Self {
            message_id: Some(id.into()),
            cost_rial: None,
        }
    }
}

/// Sends messages. Implement it for a provider of your own and give it to the builder.
///
/// # Guarantees that an implementation owes
///
/// - It answers in bounded time: a provider that hangs is a [`SmsErrorKind::PerhapsSent`].
/// - It does not send twice for one call: no retry after the request may have been read.
/// - Its errors carry no key, password, URL or message text.
/// - Dropping the future is safe at any point; the message may or may not be sent then.
///
/// ```
/// use chelseru_core::sms::{Sent, Sms, SmsError, SmsProvider};
///
/// #[derive(Debug)]
/// struct Pigeon;
///
/// #[async_trait::async_trait]
/// impl SmsProvider for Pigeon {
///     fn name(&self) -> &str {
///         "PIGEON"
///     }
///
///     async fn send(&self, sms: &Sms) -> Result<Sent, SmsError> {
///         Ok(Sent::with_id(format!("to {:?}", sms.to)))
///     }
/// }
/// ```
#[async_trait]
pub trait SmsProvider: Send + Sync + fmt::Debug {
    /// The name under which its messages are logged, as in `SMS_SERVICE`.
    fn name(&self) -> &str;

    /// Hands one message to the provider.
    ///
    /// # Errors
    ///
    /// [`SmsError::kind`] says what the caller can do.
    async fn send(&self, sms: &Sms) -> Result<Sent, SmsError>;
}

/// What a failure means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SmsErrorKind {
    /// The message was not sent, for certain: refused, or the request never arrived. Safe to send
    /// again, now or by another provider.
    NotSent,
    /// The message may have been sent: the answer was lost or is not understood. Sending again may
    /// cost twice.
    PerhapsSent,
    /// Not sent, and no message to this number ever will be: invalid or blocked.
    NumberRefused,
    /// Not sent: too many messages, or the provider is overloaded. Later, or another provider.
    Throttled,
    /// Not sent: this provider cannot send this text. Another text, or a template, can be.
    TextRefused,
    /// Not sent: the template is unknown, missing, or this provider has none.
    TemplateRefused,
}

/// A message that a provider did not accept.
///
/// Its text is for operators: what happened and the provider's own code, never a key, a URL or the
/// message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsError {
    kind: SmsErrorKind,
    code: Option<String>,
    description: String,
    retry_after: Option<Duration>,
}

impl SmsError {
    /// An error of this kind; `description` is for operators.
    pub fn new(kind: SmsErrorKind, description: impl Into<String>) -> Self {
        Self {
            kind,
            code: None,
            description: description.into(),
            retry_after: None,
        }
    }

    /// Adds the provider's own code.
    #[must_use]
    pub fn with_code(mut self, code: impl fmt::Display) -> Self {
        self.code = Some(code.to_string());
        self
    }

    /// Adds the time after which the provider may accept messages again.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// What the caller can do.
    pub fn kind(&self) -> SmsErrorKind {
        self.kind
    }

    /// Whether the message was certainly not sent.
    pub fn is_certain(&self) -> bool {
        self.kind != SmsErrorKind::PerhapsSent
    }

    /// The provider's own code, where it gave one.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// When the provider may accept messages again, where it is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for SmsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            SmsErrorKind::NotSent => "not sent",
            SmsErrorKind::PerhapsSent => "perhaps sent",
            SmsErrorKind::NumberRefused => "number refused",
            SmsErrorKind::Throttled => "throttled",
            SmsErrorKind::TextRefused => "text refused",
            SmsErrorKind::TemplateRefused => "template refused",
        };
        write!(f, "{what}: {}", self.description)?;
        if let Some(code) = &self.code {
            write!(f, " (code {code})")?;
        }
        Ok(())
    }
}

impl std::error::Error for SmsError {}
