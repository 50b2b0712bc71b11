//! Who sends the messages, and the console among them, whose inbox can be shown.

use std::sync::Arc;

use chelseru_core::config::{SmsConfig, SmsService};
use chelseru_core::sms::SmsProvider;
use chelseru_core::{Config, ConfigError};
use chelseru_sms::Console;

/// The configured providers.
pub(crate) struct Providers {
    /// In the order in which they are tried.
    pub(crate) all: Vec<Arc<dyn SmsProvider>>,
    /// The console, if it is one of them.
    pub(crate) console: Option<Console>,
}

impl Providers {
    pub(crate) fn new(config: &SmsConfig) -> Result<Self, ConfigError> {
        let mut all = chelseru_sms::from_config(config)?;
        let mut console = None;
        for (service, provider) in config.services.iter().zip(&mut all) {
            if *service == SmsService::Console {
                let ours = console.get_or_insert_with(Console::new);
                *provider = Arc::new(ours.clone());
            }
        }
        Ok(Self { all, console })
    }
}

/// The providers' names in the order in which they are tried.
pub(crate) fn names(config: &Config) -> String {
    let names: Vec<_> = config.sms.services.iter().map(|one| one.name()).collect();
    names.join(", then ")
}

/// What is to be said of the console on a server that others can reach.
pub(crate) fn console_warning(config: &Config) -> Option<&'static str> {
    let has_console = config.sms.services.contains(&SmsService::Console);
    (has_console && !config.server.bind.ip().is_loopback()).then_some(
        "CONSOLE is in SMS.SMS_SERVICE: its messages are printed here and sent to nobody",
    )
}
