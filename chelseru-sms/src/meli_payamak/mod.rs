//! Melipayamak, by the API that the account has: REST, SOAP, or the newer console.
//!
//! Each is a provider of its own here, with what it can do. All have the name of the service: they
//! are one account at one company, and only the settings tell them apart.

mod codes;
mod console;
mod rest;
mod soap;

use std::sync::Arc;

use chelseru_core::config::{MeliPayamakApi, SmsConfig};
use chelseru_core::sms::SmsProvider;
use chelseru_core::{ConfigError, Secret};

use crate::http::Http;
use crate::require;

/// A result up to here is a code and above a message id: codes have three digits, ids 15 or more.
const LARGEST_CODE: i128 = 1000;

/// The provider for the API of these settings. A console token wins, for it is of no other use.
pub(crate) fn provider(config: &SmsConfig) -> Result<Arc<dyn SmsProvider>, ConfigError> {
    let settings = &config.settings;
    if !settings.meli_payamak_com_console_token.is_empty() {
        return Ok(Arc::new(console::ConsoleApi::new(config)?));
    }
    Ok(match settings.meli_payamak_com_api {
        MeliPayamakApi::Rest => Arc::new(rest::Rest::new(config)?),
        MeliPayamakApi::Soap => Arc::new(soap::Soap::new(config)?),
    })
}

/// A client of the API at its official host, unless the settings name another.
fn http(config: &SmsConfig, official: &str) -> Result<Http, ConfigError> {
    let base_url = match config.settings.meli_payamak_com_base_url.as_str() {
        "" => official,
        other => other,
    };
    Http::new("MELI_PAYAMAK_COM_BASE_URL", base_url, config.timeout)
}

/// The account of the REST and the SOAP API.
#[derive(Debug)]
struct Account {
    username: Secret,
    password: Secret,
    from: String,
}

impl Account {
    fn new(config: &SmsConfig) -> Result<Self, ConfigError> {
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
            username: settings.meli_payamak_com_username.as_str().into(),
            password: settings.meli_payamak_com_password.clone(),
            from: settings.meli_payamak_com_from.clone(),
        })
    }
}
