//! SMS through the Iranian providers Kavenegar, Melipayamak and Parsian, and to the terminal for
//! development.
//!
//! [`from_config`] makes the [`SmsProvider`]s that `SMS_SERVICE` names. What each can do, which its
//! [`capabilities`](SmsProvider::capabilities) say too:
//!
//! | `SMS_SERVICE` | text | template | template id | local id | deliveries | credit |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | `KAVENEGAR_COM` | up to 900 characters | 1 to 5 variables, see below | a name | of a text | for 48 hours | in rial |
//! | `MELI_PAYAMAK_COM`, REST | yes | no `;` in a variable | a number | no | one request a message | in messages |
//! | `MELI_PAYAMAK_COM`, SOAP | yes, but no control characters | no | – | no | no | no |
//! | `MELI_PAYAMAK_COM`, console | yes | yes | a number | no | yes | in rial |
//! | `PARSIAN_WEBCO_IR` | no | no `,` in a variable | a number | no | no | no |
//! | `CONSOLE` | yes | yes | anything | no | no | no |
//!
//! The settings that it needs:
//!
//! | `SMS_SERVICE` | needed | besides |
//! | --- | --- | --- |
//! | `KAVENEGAR_COM` | `KAVENEGAR_COM_API_KEY` | `KAVENEGAR_COM_FROM` for a line other than the account's default |
//! | `MELI_PAYAMAK_COM`, REST | `MELI_PAYAMAK_COM_USERNAME`, `MELI_PAYAMAK_COM_PASSWORD` (or the API key in its place) | `MELI_PAYAMAK_COM_FROM` for texts |
//! | `MELI_PAYAMAK_COM`, SOAP | the same, and `MELI_PAYAMAK_COM_API = "SOAP"` | the same |
//! | `MELI_PAYAMAK_COM`, console | `MELI_PAYAMAK_COM_CONSOLE_TOKEN`, which wins over the others | the same |
//! | `PARSIAN_WEBCO_IR` | `PARSIAN_WEBCO_IR_API_KEY` | |
//! | `CONSOLE` | none | |
//!
//! Kavenegar takes the first three variables of a template without white space, `_` and `,`; the
//! fourth may have 5 spaces and the fifth 8; each at most 100 characters. Nothing is changed to fit:
//! a variable that a provider cannot take is refused before anything is sent.
//!
//! Kavenegar [`find`](SmsProvider::find)s a message by our id for 12 hours, and then says that it took
//! none. Parsian has deliveries and credit as well, but its replies are not known.
//!
//! # What an error tells
//!
//! Every provider answers within [`Sms::time_limit`] (a question within `TIMEOUT_SECONDS`) and makes
//! one request for one call. When no connection could be made, nothing was sent ([`NotSent`]); once
//! the request may have left, a lost or unintelligible answer is [`PerhapsSent`]. So that the first
//! is known in time, a connection has 2.5 seconds to be made, and at most a third of
//! `TIMEOUT_SECONDS`; with less time than that for the whole message, a connection that is never made
//! is [`PerhapsSent`] too.
//!
//! The provider's own result code decides wherever there is one, and [`SmsError::code`] keeps it; an
//! error that has only an HTTP status to tell has a code such as `HTTP 502`. Every failure of
//! [`find`](SmsProvider::find) is [`PerhapsSent`], for nobody knows what became of the message; no
//! failure of [`deliveries`](SmsProvider::deliveries) and [`credit`](SmsProvider::credit) is, for they
//! send nothing: they are [`NotSent`], or [`Throttled`] where the provider wants to be asked later.
//!
//! [`deliveries`](SmsProvider::deliveries) asks as often as it must, and gives what it learned: an
//! error only when that is nothing.
//!
//! No error, log or `Debug` shows a key, a password, a text, a URL, or what the provider replied.
//!
//! ```
//! use chelseru_core::config::{SmsConfig, SmsService};
//!
//! let mut config = SmsConfig::default();
//! config.services = vec![SmsService::KavenegarCom];
//! config.settings.kavenegar_com_api_key = "the key of the account".into();
//!
//! let sms = chelseru_sms::from_config(&config)?;
//! assert_eq!(sms[0].name(), "KAVENEGAR_COM");
//! # Ok::<(), chelseru_core::ConfigError>(())
//! ```
//!
//! [`NotSent`]: chelseru_core::sms::SmsErrorKind::NotSent
//! [`PerhapsSent`]: chelseru_core::sms::SmsErrorKind::PerhapsSent
//! [`Throttled`]: chelseru_core::sms::SmsErrorKind::Throttled
//! [`Sms::time_limit`]: chelseru_core::sms::Sms::time_limit
//! [`SmsError::code`]: chelseru_core::sms::SmsError::code

mod codes;
mod console;
mod http;
mod kavenegar;
mod lenient;
mod meli_payamak;
mod parsian;
mod template;
mod xml;

use std::sync::Arc;

use chelseru_core::ConfigError;
use chelseru_core::config::{SmsConfig, SmsService};
use chelseru_core::sms::SmsProvider;

pub use crate::console::{Console, ConsoleMessage};

/// The providers that `SMS_SERVICE` names, in its order, each with its account from `SETTINGS`.
///
/// No request is made. For `CONSOLE` it is a new [`Console`]; make one yourself to read its inbox.
///
/// # Errors
///
/// When no client can be made: a credential that the service needs is empty or cannot be sent to it,
/// its base URL is not an HTTP address, or the system's TLS certificates cannot be read.
pub fn from_config(config: &SmsConfig) -> Result<Vec<Arc<dyn SmsProvider>>, ConfigError> {
    let services = config.services.iter();
    services.map(|service| provider(*service, config)).collect()
}

fn provider(service: SmsService, config: &SmsConfig) -> Result<Arc<dyn SmsProvider>, ConfigError> {
    Ok(match service {
        SmsService::KavenegarCom => Arc::new(kavenegar::Kavenegar::new(config)?),
        SmsService::MeliPayamakCom => meli_payamak::provider(config)?,
        SmsService::ParsianWebcoIr => Arc::new(parsian::Parsian::new(config)?),
        SmsService::Console => Arc::new(Console::new()),
    })
}

/// Refuses an account without one of its credentials.
fn require(key: &str, is_empty: bool) -> Result<(), ConfigError> {
    if is_empty {
        return Err(ConfigError::about(
            key,
            "is empty, and the chosen SMS_SERVICE needs it",
        ));
    }
    Ok(())
}
