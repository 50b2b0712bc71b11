//! `sms balance`: what the providers' accounts have left.

use std::sync::Arc;

use chelseru_core::sms::{Credit, SmsErrorKind};
use chelseru_core::store::MemoryStore;
use chelseru_core::{Balance, Config};
use serde::Serialize;

use super::table;
use super::{Found, Refusal, in_one_line, print_json, service};
use crate::options::BalanceOptions;
use crate::terminal::print;

#[derive(Serialize)]
struct Account {
    provider: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rial: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<i64>,
    is_low: bool,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) async fn run(options: &BalanceOptions, config: Config) -> Result<Found, Refusal> {
    // No database is needed for it.
    let chelseru = service(config, Arc::new(MemoryStore::new()))?;
    let balances = chelseru.sms_balances().await;
    let is_well = is_well(&balances);
    let accounts: Vec<_> = balances.into_iter().map(Account::from).collect();
    if options.json {
        print_json(&accounts)?;
    } else {
        print(&in_table(&accounts));
    }
    Ok(Found::well_if(is_well))
}

/// Something is known, nothing is low, and whoever can be asked has answered.
fn is_well(balances: &[Balance]) -> bool {
    let is_fine = |balance: &Balance| match &balance.credit {
        Ok(_) => !balance.is_low,
        Err(error) => error.kind() == SmsErrorKind::Unsupported,
    };
    balances.iter().any(|balance| balance.credit.is_ok()) && balances.iter().all(is_fine)
}

impl From<Balance> for Account {
    fn from(balance: Balance) -> Self {
        let mut account = Self {
            provider: balance.provider,
            rial: None,
            messages: None,
            is_low: balance.is_low,
            error: None,
        };
        match balance.credit {
            Ok(Credit::Rial(left)) => account.rial = Some(left),
            Ok(Credit::Messages(left)) => account.messages = Some(left),
            Ok(_) => account.error = Some("counted in a way that is not known here".to_owned()),
            Err(error) => account.error = Some(error.to_string()),
        }
        account
    }
}

fn in_table(accounts: &[Account]) -> String {
    let mut table = table::new(&["PROVIDER", ">LEFT", "IN", "NOTE"]);
    for account in accounts {
        let (left, unit) = match (account.rial, account.messages) {
            (Some(rial), _) => (rial.to_string(), "rial"),
            (None, Some(messages)) => (messages.to_string(), "messages"),
            (None, None) => ("-".to_owned(), "-"),
        };
        let note = match &account.error {
            Some(error) => in_one_line(error),
            None if account.is_low => "low".to_owned(),
            None => String::new(),
        };
        table.add_row([in_one_line(&account.provider), left, unit.to_owned(), note]);
    }
    table::text(&table)
}
