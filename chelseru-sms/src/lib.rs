//! SMS through the Iranian providers Kavenegar, Melipayamak and Parsian, and to the terminal for
//! development.
//!
//! [`from_config`] makes the [`SmsProvider`] that `SMS_SERVICE` names:
//!
//! | `SMS_SERVICE` | text | template | template id | settings that it needs |
//! | --- | --- | --- | --- | --- |
//! | `KAVENEGAR_COM` | up to 900 characters | 1 to 5 variables, see below | a name | `KAVENEGAR_COM_API_KEY`; `KAVENEGAR_COM_FROM` for a line other than the account's default |
//! | `MELI_PAYAMAK_COM` | yes | no `;` in a variable | a number | `MELI_PAYAMAK_COM_USERNAME`, `MELI_PAYAMAK_COM_PASSWORD` (or the API key in its place); `MELI_PAYAMAK_COM_FROM` for texts |
//! | `PARSIAN_WEBCO_IR` | no | no `,` in a variable | a number | `PARSIAN_WEBCO_IR_API_KEY` |
//! | `CONSOLE` | yes | yes | anything | none |
//!
//! Kavenegar takes the first three variables of a template without white space, `_` and `,`; the
//! fourth may have 5 spaces and the fifth 8; each at most 100 characters. Nothing is changed to fit:
//! a variable that a provider cannot take is refused before anything is sent.
//!
//! # What an error tells
//!
//! Every provider answers within `TIMEOUT_SECONDS` and sends one request for one call. When no
//! connection could be made, nothing was sent ([`NotSent`]); once the request may have left, a lost
//! or unintelligible answer is [`PerhapsSent`]. The provider's own result code decides wherever there
//! is one, and [`SmsError::code`] keeps it; an error that has only an HTTP status to tell has a code
//! such as `HTTP 502`. No error, log or `Debug` shows a key, a password, a text, a URL, or what the
//! provider replied.
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
//! [`SmsError::code`]: chelseru_core::sms::SmsError::code

mod codes;
mod console;
mod http;
mod kavenegar;
mod lenient;
mod meli_payamak;
mod parsian;
mod template;

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
/// When no client can be made: a credential that the service needs is empty, its base URL is not an
/// HTTP address, or the system's TLS certificates cannot be read.
pub fn from_config(config: &SmsConfig) -> Result<Vec<Arc<dyn SmsProvider>>, ConfigError> {
    let services = config.services.iter();
    services.map(|service| provider(*service, config)).collect()
}

fn provider(service: SmsService, config: &SmsConfig) -> Result<Arc<dyn SmsProvider>, ConfigError> {
    Ok(match service {
        SmsService::KavenegarCom => Arc::new(kavenegar::Kavenegar::new(config)?),
        SmsService::MeliPayamakCom => Arc::new(meli_payamak::MeliPayamak::new(config)?),
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
