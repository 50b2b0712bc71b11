//! What it will be, before it is done.

use std::io::{self, IsTerminal, Write};

use chelseru_core::sms::count_parts;
use chelseru_core::{Config, MobileNumber};

use super::Refusal;
use super::receivers::count;
use crate::options::SendOptions;
use crate::providers;
use crate::terminal::tell;

/// Says how much is to be sent and asks whether to; one message needs no asking.
pub(super) fn confirm(
    options: &SendOptions,
    receivers: &[MobileNumber],
    config: &Config,
) -> Result<(), Refusal> {
    let [_, _, ..] = receivers else {
        return Ok(());
    };
    tell(&format!(
        "{}, through {}",
        amount(options, receivers.len(), config),
        providers::names(config)
    ));
    if options.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err("nobody can be asked here: --yes sends without asking".into());
    }
    write!(io::stderr(), "Send? [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err("nothing was sent".into()),
    }
}

/// `250 messages of 2 parts each, 500 parts in all, about 60000 rial`
fn amount(options: &SendOptions, receivers: usize, config: &Config) -> String {
    let messages = count(receivers, "message");
    if options.template.is_some() {
        // Only the provider knows the text.
        return messages;
    }
    let parts = count_parts(&options.text) as usize;
    let all = receivers.saturating_mul(parts);
    let price = match config.sms.price_rial_per_part {
        0 => String::new(),
        price => format!(", about {} rial", price.saturating_mul(all as u64)),
    };
    format!(
        "{messages} of {} each, {} in all{price}",
        count(parts, "part"),
        count(all, "part")
    )
}
