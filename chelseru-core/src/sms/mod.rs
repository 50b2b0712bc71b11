//! SMS: what a message is, what a provider promises, and what its failures mean for the caller.
//!
//! A provider is anything that implements [`SmsProvider`]: the Iranian ones are in chelseru-sms, a
//! recording one for tests is `testing::StubProvider`.

mod breaker;
mod code_text;
mod parts;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

pub(crate) use self::breaker::{Breaker, Change, Leave};
pub(crate) use self::code_text::{code_text, warnings as code_text_warnings};
pub use self::parts::count_parts;
use crate::mobile::MobileNumber;

/// One message to one number.
///
/// `Debug` shows neither the text nor the variables: they may hold a one-time code.
#[derive(Clone)]
#[non_exhaustive]
pub struct Sms {
    /// The receiver.
    pub to: MobileNumber,
    /// What it says.
    pub content: Content,
    /// Our id for it, for providers that take one ([`Capabilities::local_ids`]).
    pub local_id: Option<LocalId>,
    /// How long the provider may take to answer.
    pub time_limit: Duration,
}

impl Sms {
    /// A message without an id of ours, to be answered within 8 seconds.
    pub fn new(to: MobileNumber, content: Content) -> Self {
        Self {
            to,
            content,
            local_id: None,
            time_limit: Duration::from_secs(8),
        }
    }
}

/// Our own id of a message: random, never used twice, positive. A provider that takes it sends a
/// message with a known one no second time, and can be asked for it when its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalId(pub i64);

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
            .finish_non_exhaustive()
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

/// What a provider says became of a message that it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Delivery {
    /// Not handed to the operator yet.
    Pending,
    /// Handed to the operator; the receiver's phone has not confirmed it.
    AtOperator,
    /// It reached the phone.
    Delivered,
    /// It will not arrive.
    Failed,
    /// The receiver, or the operator for the receiver, refuses such messages.
    Blocked,
    /// The provider does not know, or says something that it does not document.
    Unknown,
}

impl Delivery {
    /// Whether nothing further will become of the message.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed | Self::Blocked)
    }
}

/// What a provider says of one of its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryReport {
    /// The provider's id of the message.
    pub message_id: String,
    /// What became of it.
    pub delivery: Delivery,
    /// The provider's own code.
    pub code: Option<String>,
}

/// What is left in an account. Providers count differently, and one cannot be turned into the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credit {
    /// Money, in rial.
    Rial(i64),
    /// A number of messages.
    Messages(i64),
}

/// What a provider can do besides taking messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each stands for itself, and all are read by name"
)]
#[non_exhaustive]
pub struct Capabilities {
    /// It sends texts of ours.
    pub texts: bool,
    /// It sends templates that it keeps.
    pub templates: bool,
    /// It takes [`Sms::local_id`] with a text, sends a known one no second time, and
    /// [`find`](SmsProvider::find)s it.
    pub local_ids: bool,
    /// It reports [`deliveries`](SmsProvider::deliveries).
    pub deliveries: bool,
    /// It tells its [`credit`](SmsProvider::credit).
    pub credit: bool,
}

impl Default for Capabilities {
    /// Texts and templates, and nothing else.
    fn default() -> Self {
        Self {
            texts: true,
            templates: true,
            local_ids: false,
            deliveries: false,
            credit: false,
        }
    }
}

/// Sends messages. Implement it for a provider of your own and give it to the builder.
///
/// # Guarantees that an implementation owes
///
/// - It answers within [`Sms::time_limit`]: a provider that hangs is a [`SmsErrorKind::PerhapsSent`],
///   and one that cannot be reached a [`SmsErrorKind::NotSent`].
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

    /// What it can do besides. What it cannot is never asked of it.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    /// The message that it took under this id of ours; `None` when it took none.
    ///
    /// # Errors
    ///
    /// [`SmsErrorKind::Unsupported`], unless [`Capabilities::local_ids`]; else that nobody knows.
    async fn find(&self, _local_id: LocalId) -> Result<Option<DeliveryReport>, SmsError> {
        Err(SmsError::unsupported())
    }

    /// What became of the messages with these ids of the provider, in any order; any number of them.
    /// One that it does not know is left out or [`Delivery::Unknown`].
    ///
    /// # Errors
    ///
    /// [`SmsErrorKind::Unsupported`], unless [`Capabilities::deliveries`].
    async fn deliveries(&self, _message_ids: &[String]) -> Result<Vec<DeliveryReport>, SmsError> {
        Err(SmsError::unsupported())
    }

    /// What is left in the account.
    ///
    /// # Errors
    ///
    /// [`SmsErrorKind::Unsupported`], unless [`Capabilities::credit`].
    async fn credit(&self) -> Result<Credit, SmsError> {
        Err(SmsError::unsupported())
    }
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
    /// Not sent, for a reason of this message or its receiver that the provider does not tell: it says
    /// nothing of other messages. Another provider may send it.
    MessageRefused,
    /// The provider cannot do what was asked of it; nothing was sent.
    Unsupported,
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

    /// The error of what a provider cannot do.
    pub fn unsupported() -> Self {
        Self::new(SmsErrorKind::Unsupported, "this provider cannot do that")
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
            SmsErrorKind::MessageRefused => "message refused",
            SmsErrorKind::Unsupported => "not supported",
        };
        write!(f, "{what}: {}", self.description)?;
        if let Some(code) = &self.code {
            write!(f, " (code {code})")?;
        }
        Ok(())
    }
}

impl std::error::Error for SmsError {}
