//! What the whole service may send: messages an hour and a day, rial a day.
//!
//! A part of each is kept for the codes of numbers that have an account: who floods the service with
//! messages to other numbers does not lock its users out. An attempt is paid for before it is made,
//! at the price of the settings, and corrected by what became of it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::super::Chelseru;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::events::{Budget, Event};
use crate::mobile::MobileNumber;
use crate::store::{Correction, SmsPurpose, Take, TakeResult, Taken};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// At these parts of a budget, in percent, somebody is told.
const MARKS: [u8; 2] = [80, 100];

/// What was paid for one attempt; `None` inside where there is no such budget.
#[derive(Debug, Default)]
pub(super) struct Payment(Vec<Paid>);

#[derive(Debug)]
struct Paid {
    budget: Budget,
    amount: u64,
    taken: Taken,
}

impl Budget {
    /// The name of its counter, how long that counts, and its size; none without a limit.
    fn counter(self, chelseru: &Chelseru) -> Option<(&'static str, Duration, u64)> {
        let limits = &chelseru.config().auth.limits;
        let (key, window, size) = match self {
            Self::MessagesPerHour => ("sms/hour", HOUR, limits.sms_per_hour),
            Self::MessagesPerDay => ("sms/day", DAY, limits.sms_per_day),
            Self::RialPerDay => ("sms/rial/day", DAY, limits.sms_rial_per_day),
        };
        (size > 0).then_some((key, window, size))
    }
}

/// Of which windows this process has told.
#[derive(Debug, Default)]
pub(in crate::service) struct ToldBudgets(Mutex<HashMap<(Budget, u8), Timestamp>>);

impl ToldBudgets {
    /// Whether it was not told yet that so much of the window that ends then is used; it is now.
    fn is_first(&self, budget: Budget, percent: u8, ends_at: Timestamp) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert((budget, percent), ends_at) != Some(ends_at)
    }
}

const BUDGETS: [Budget; 3] = [
    Budget::MessagesPerHour,
    Budget::MessagesPerDay,
    Budget::RialPerDay,
];

impl Chelseru {
    /// Pays for one attempt, or says how long until there is something to pay with.
    pub(super) async fn pay(
        &self,
        purpose: SmsPurpose,
        to: MobileNumber,
        parts: Option<u32>,
    ) -> Result<Payment, Error> {
        let price = self.price(parts);
        let mut budgets = Vec::new();
        let mut takes = Vec::new();
        let limited = BUDGETS
            .iter()
            .filter_map(|budget| Some((*budget, budget.counter(self)?)));
        for (budget, (key, window, size)) in limited {
            budgets.push((budget, size));
            takes.push(Take {
                key: key.to_owned(),
                amount: match budget {
                    Budget::RialPerDay => price,
                    _ => 1,
                },
                limit: size,
                window,
            });
        }
        if takes.is_empty() {
            return Ok(Payment::default());
        }
        let may_use_reserve =
            purpose == SmsPurpose::Code && self.store().is_known_number(to).await?;
        if !may_use_reserve {
            let share = 100 - u64::from(self.config().auth.limits.sms_reserve_percent.min(100));
            for take in &mut takes {
                take.limit = percent_of(take.limit, share);
            }
        }
        let now = self.now();
        match self.store().take(&takes, now).await? {
            TakeResult::Taken(totals) => {
                let paid = budgets.into_iter().zip(takes).zip(totals);
                let paid = paid.map(|(((budget, size), take), taken)| {
                    self.tell_of_budget(budget, size, take.amount, taken);
                    Paid {
                        budget,
                        amount: take.amount,
                        taken,
                    }
                });
                Ok(Payment(paid.collect()))
            }
            TakeResult::Exhausted { index, ends_at } => {
                tracing::warn!(
                    budget = budgets.get(index).map(|(budget, _)| budget.key()),
                    ?to,
                    "a message was not sent: the SMS budget is used up"
                );
                Err(Error::OverBudget {
                    wait: ends_at.since(now),
                })
            }
        }
    }

    /// Corrects what was paid: nothing for a message that was not sent, else what the provider says.
    pub(super) async fn settle_payment(
        &self,
        payment: &Payment,
        was_sent: bool,
        cost_rial: Option<i64>,
    ) {
        let mut corrections = Vec::new();
        for paid in &payment.0 {
            let due = match paid.budget {
                _ if !was_sent => 0,
                Budget::RialPerDay => cost_rial
                    .and_then(|cost| u64::try_from(cost).ok())
                    .unwrap_or(paid.amount),
                _ => paid.amount,
            };
            let change = signed(due) - signed(paid.amount);
            let Some((key, ..)) = paid.budget.counter(self).filter(|_| change != 0) else {
                continue;
            };
            corrections.push(Correction {
                key: key.to_owned(),
                ends_at: paid.taken.ends_at,
                change,
            });
        }
        if corrections.is_empty() {
            return;
        }
        if let Err(error) = self.store().correct(&corrections).await {
            tracing::error!(?error, "the SMS budgets could not be corrected");
        }
    }

    /// What a message costs by the settings; a template, whose text only the provider knows, counts as
    /// one part.
    fn price(&self, parts: Option<u32>) -> u64 {
        u64::from(parts.unwrap_or(1)).saturating_mul(self.config().sms.price_rial_per_part)
    }

    /// Tells once in a window that most of a budget is used, and once that all of it is.
    fn tell_of_budget(&self, budget: Budget, size: u64, amount: u64, taken: Taken) {
        let before = taken.total.saturating_sub(amount);
        for percent in MARKS {
            let mark = percent_of(size, percent.into());
            // Refunds may bring a budget below its mark and the next message above it again.
            if before < mark
                && taken.total >= mark
                && self
                    .inner
                    .told_budgets
                    .is_first(budget, percent, taken.ends_at)
            {
                self.tell(Event::BudgetUsed {
                    budget,
                    percent,
                    until: taken.ends_at,
                });
            }
        }
    }
}

/// Rounded up: a budget of one is one.
fn percent_of(size: u64, percent: u64) -> u64 {
    let part = (u128::from(size) * u128::from(percent)).div_ceil(100);
    u64::try_from(part).unwrap_or(u64::MAX)
}

fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::percent_of;

    #[test]
    fn a_part_of_a_budget_is_rounded_up_and_never_overflows() {
        assert_eq!(percent_of(10, 80), 8);
        assert_eq!(percent_of(1, 80), 1);
        assert_eq!(percent_of(0, 80), 0);
        assert_eq!(percent_of(u64::MAX, 100), u64::MAX);
    }
}
