//! What the accounts have left.

use super::super::Chelseru;
use super::follow_up::in_time;
use crate::events::Event;
use crate::sms::{Credit, SmsError};

/// What a provider says of its account.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Balance {
    /// The provider's name.
    pub provider: String,
    /// What is left, or why that is not known.
    pub credit: Result<Credit, SmsError>,
    /// Whether it is less than the setting for alerts.
    pub is_low: bool,
}

impl Chelseru {
    /// Asks every provider what its account has left, and tells it as an [event](Event::Balance).
    ///
    /// The housekeeping does so from time to time where `SMS.LOW_BALANCE_RIAL` or
    /// `SMS.LOW_BALANCE_MESSAGES` asks for alerts.
    pub async fn sms_balances(&self) -> Vec<Balance> {
        let mut balances = Vec::new();
        for gateway in &self.inner.gateways {
            let provider = gateway.name().to_owned();
            let credit = if gateway.provider.capabilities().credit {
                in_time(self.question_time(), gateway.provider.credit()).await
            } else {
                Err(SmsError::unsupported())
            };
            let is_low = credit.as_ref().is_ok_and(|credit| self.is_low(*credit));
            match &credit {
                Ok(credit) => self.tell(Event::Balance {
                    provider: provider.clone(),
                    credit: *credit,
                    is_low,
                }),
                Err(error) => tracing::debug!(provider, %error, "the balance is not known"),
            }
            balances.push(Balance {
                provider,
                credit,
                is_low,
            });
        }
        balances
    }

    /// Whether somebody wants to be told of a low balance.
    pub(in crate::service) fn watches_balances(&self) -> bool {
        let sms = &self.config().sms;
        sms.low_balance_rial > 0 || sms.low_balance_messages > 0
    }

    fn is_low(&self, credit: Credit) -> bool {
        let sms = &self.config().sms;
        match credit {
            Credit::Rial(rial) => rial < sms.low_balance_rial,
            Credit::Messages(messages) => messages < sms.low_balance_messages,
        }
    }
}
