//! The metrics: their names, their labels, and which event counts where.

use chelseru_core::events::{Budget, Event, SmsAttempt};
use chelseru_core::sms::Credit;
use chelseru_core::store::SmsPurpose;
use chelseru_core::{ProviderHealth, Timestamp};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::health::paused_until;
use crate::words;

/// Seconds: a provider answers within one as a rule, and `SMS.TIMEOUT_SECONDS` is 8 by default.
const DURATIONS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0];

const ACCEPTED: &str = "accepted";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfProvider {
    provider: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPurpose {
    provider: String,
    purpose: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAttempt {
    provider: String,
    purpose: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDelivery {
    provider: String,
    delivery: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDoubt {
    provider: String,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfBudget {
    budget: &'static str,
    percent: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfLimit {
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPumping {
    by: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAccount {
    account: &'static str,
}

/// Clones count in the same place.
#[derive(Clone)]
pub(super) struct Counters {
    attempts: Family<OfAttempt, Counter>,
    parts: Family<OfPurpose, Counter>,
    cost_rial: Family<OfPurpose, Counter>,
    durations: Family<OfProvider, Histogram, fn() -> Histogram>,
    repetitions: Family<OfProvider, Counter>,
    deliveries: Family<OfDelivery, Counter>,
    doubts: Family<OfDoubt, Counter>,
    pauses: Family<OfProvider, Counter>,
    paused: Family<OfProvider, Gauge>,
    in_flight: Family<OfProvider, Gauge>,
    balance_rial: Family<OfProvider, Gauge>,
    balance_messages: Family<OfProvider, Gauge>,
    budgets: Family<OfBudget, Counter>,
    codes_sent: Counter,
    codes_refused: Counter,
    logins_refused: Counter,
    logins: Family<OfAccount, Counter>,
    limits: Family<OfLimit, Counter>,
    pumping: Family<OfPumping, Counter>,
    missed: Counter,
}

impl Counters {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let counters = Self {
            attempts: Family::default(),
            parts: Family::default(),
            cost_rial: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            repetitions: Family::default(),
            deliveries: Family::default(),
            doubts: Family::default(),
            pauses: Family::default(),
            paused: Family::default(),
            in_flight: Family::default(),
            balance_rial: Family::default(),
            balance_messages: Family::default(),
            budgets: Family::default(),
            codes_sent: Counter::default(),
            codes_refused: Counter::default(),
            logins_refused: Counter::default(),
            logins: Family::default(),
            limits: Family::default(),
            pumping: Family::default(),
            missed: Counter::default(),
        };
        counters.register_sms(registry);
        counters.register_accounts(registry);
        counters.register_logins(registry);
        counters
    }

    fn register_sms(&self, registry: &mut Registry) {
        registry.register(
            "sms_attempts",
            "Messages handed to a provider, by what it answered",
            self.attempts.clone(),
        );
        registry.register(
            "sms_parts",
            "Parts of accepted messages; one of unknown length counts as one",
            self.parts.clone(),
        );
        registry.register(
            "sms_cost_rial",
            "Cost of accepted messages in rial, where the provider tells it at once",
            self.cost_rial.clone(),
        );
        registry.register_with_unit(
            "sms_attempt_duration",
            "How long a provider took to answer",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register(
            "sms_possible_repetitions",
            "Codes handed to a provider after an earlier one had perhaps sent them",
            self.repetitions.clone(),
        );
        registry.register(
            "sms_deliveries",
            "Last words of providers on what became of messages",
            self.deliveries.clone(),
        );
        registry.register(
            "sms_doubts_resolved",
            "Messages whose answer was lost, by what was found out later",
            self.doubts.clone(),
        );
    }

    fn register_accounts(&self, registry: &mut Registry) {
        registry.register(
            "sms_provider_pauses",
            "How often a provider was paused after repeated failure",
            self.pauses.clone(),
        );
        registry.register(
            "sms_provider_paused",
            "1 while messages are held back from a provider after repeated failure",
            self.paused.clone(),
        );
        registry.register(
            "sms_in_flight",
            "Messages that a provider has not answered yet",
            self.in_flight.clone(),
        );
        registry.register(
            "sms_balance_rial",
            "What an account had left when it was last asked for, in rial",
            self.balance_rial.clone(),
        );
        registry.register(
            "sms_balance_messages",
            "What an account had left when it was last asked for, in messages",
            self.balance_messages.clone(),
        );
        registry.register(
            "sms_budget_warnings",
            "How often 80 or 100 percent of a budget were used",
            self.budgets.clone(),
        );
    }

    fn register_logins(&self, registry: &mut Registry) {
        registry.register(
            "codes_sent",
            "One-time codes that were sent",
            self.codes_sent.clone(),
        );
        registry.register(
            "codes_refused",
            "One-time codes that were tried and not right",
            self.codes_refused.clone(),
        );
        registry.register(
            "logins_refused",
            "Passwords that were tried and not right, or for no account",
            self.logins_refused.clone(),
        );
        registry.register(
            "logins",
            "Logins to new accounts and to known ones",
            self.logins.clone(),
        );
        registry.register(
            "limits_reached",
            "Codes that were not sent, and codes and passwords not looked at, because of a limit",
            self.limits.clone(),
        );
        registry.register(
            "pumping_suspected",
            "Codes asked for while hardly any were verified, by one address or by all together",
            self.pumping.clone(),
        );
        registry.register(
            "events_missed",
            "Events that came faster than they were counted: the other counters lack so many",
            self.missed.clone(),
        );
        for is_new in [true, false] {
            self.logins.get_or_create_owned(&of_account(is_new));
        }
        for budget in [
            Budget::MessagesPerHour,
            Budget::MessagesPerDay,
            Budget::RialPerDay,
        ] {
            for percent in [80, 100] {
                let budget = budget.key();
                self.budgets
                    .get_or_create_owned(&OfBudget { budget, percent });
            }
        }
    }

    /// Starts a provider's series at 0, so that the first failure is seen as an increase.
    pub(super) fn know_provider(&self, provider: &str) {
        let of_provider = of_provider(provider);
        self.repetitions.get_or_create_owned(&of_provider);
        self.pauses.get_or_create_owned(&of_provider);
        for purpose in [SmsPurpose::Code, SmsPurpose::Message] {
            let purpose = words::purpose(purpose);
            let of_purpose = OfPurpose {
                provider: provider.to_owned(),
                purpose,
            };
            self.parts.get_or_create_owned(&of_purpose);
            self.cost_rial.get_or_create_owned(&of_purpose);
            let failures = words::FAILURES.map(words::failure);
            for result in failures.into_iter().chain([ACCEPTED]) {
                self.attempts.get_or_create_owned(&OfAttempt {
                    provider: provider.to_owned(),
                    purpose,
                    result,
                });
            }
        }
    }

    pub(super) fn count(&self, event: &Event) {
        match event {
            Event::CodeSent { .. } => {
                self.codes_sent.inc();
            }
            Event::CodeRefused { .. } => {
                self.codes_refused.inc();
            }
            Event::LoginRefused { .. } => {
                self.logins_refused.inc();
            }
            Event::LoggedIn { is_new, .. } => {
                self.logins.get_or_create(&of_account(*is_new)).inc();
            }
            Event::SmsAccepted(attempt) => {
                self.count_attempt(attempt, ACCEPTED);
                self.count_cost(attempt);
            }
            Event::SmsFailed { attempt, error } => {
                self.count_attempt(attempt, words::failure(error.kind()));
            }
            Event::SmsDelivery {
                provider, delivery, ..
            } => {
                let of_delivery = OfDelivery {
                    provider: provider.clone(),
                    delivery: words::delivery(*delivery),
                };
                self.deliveries.get_or_create(&of_delivery).inc();
            }
            Event::SmsResolved {
                provider, was_sent, ..
            } => {
                let of_doubt = OfDoubt {
                    provider: provider.clone(),
                    result: match was_sent {
                        Some(true) => "sent",
                        Some(false) => "not_sent",
                        None => "unknown",
                    },
                };
                self.doubts.get_or_create(&of_doubt).inc();
            }
            Event::BreakerOpened { provider, .. } => {
                self.pauses.get_or_create(&of_provider(provider)).inc();
            }
            Event::LimitReached { limit, .. } => {
                let limit = limit.key();
                self.limits.get_or_create(&OfLimit { limit }).inc();
            }
            Event::PumpingSuspected {
                pumping,
                was_stopped,
                ..
            } => {
                let of_pumping = OfPumping {
                    by: if pumping.is_overall { "all" } else { "address" },
                    result: if *was_stopped { "stopped" } else { "sent" },
                };
                self.pumping.get_or_create(&of_pumping).inc();
            }
            Event::BudgetUsed {
                budget, percent, ..
            } => {
                let of_budget = OfBudget {
                    budget: budget.key(),
                    percent: *percent,
                };
                self.budgets.get_or_create(&of_budget).inc();
            }
            Event::Balance {
                provider, credit, ..
            } => self.note_balance(provider, *credit),
            Event::Missed { events } => {
                self.missed.inc_by(*events);
            }
            // The end of a pause is seen in what is looked at; what a newer core tells is not known.
            _ => {}
        }
    }

    fn count_attempt(&self, attempt: &SmsAttempt, result: &'static str) {
        let of_attempt = OfAttempt {
            provider: attempt.provider.clone(),
            purpose: words::purpose(attempt.purpose),
            result,
        };
        self.attempts.get_or_create(&of_attempt).inc();
        let of_provider = of_provider(&attempt.provider);
        self.durations
            .get_or_create(&of_provider)
            .observe(attempt.took.as_secs_f64());
        if attempt.may_repeat {
            self.repetitions.get_or_create(&of_provider).inc();
        }
    }

    fn count_cost(&self, attempt: &SmsAttempt) {
        let of_purpose = OfPurpose {
            provider: attempt.provider.clone(),
            purpose: words::purpose(attempt.purpose),
        };
        let parts = attempt.parts.unwrap_or(1);
        self.parts.get_or_create(&of_purpose).inc_by(parts.into());
        let cost = attempt.cost_rial.and_then(|cost| u64::try_from(cost).ok());
        let cost = cost.unwrap_or_default();
        self.cost_rial.get_or_create(&of_purpose).inc_by(cost);
    }

    fn note_balance(&self, provider: &str, credit: Credit) {
        let of_provider = of_provider(provider);
        match credit {
            Credit::Rial(left) => {
                self.balance_rial.get_or_create(&of_provider).set(left);
            }
            Credit::Messages(left) => {
                self.balance_messages.get_or_create(&of_provider).set(left);
            }
            _ => {}
        }
    }

    /// Notes how the providers are doing now.
    pub(super) fn look_at(&self, providers: &[ProviderHealth], now: Timestamp) {
        for provider in providers {
            let of_provider = of_provider(&provider.provider);
            let is_paused = paused_until(provider, now).is_some();
            self.paused
                .get_or_create(&of_provider)
                .set(i64::from(is_paused));
            let in_flight = i64::try_from(provider.in_flight).unwrap_or(i64::MAX);
            self.in_flight.get_or_create(&of_provider).set(in_flight);
        }
    }
}

fn of_provider(provider: &str) -> OfProvider {
    OfProvider {
        provider: provider.to_owned(),
    }
}

fn of_account(is_new: bool) -> OfAccount {
    OfAccount {
        account: if is_new { "new" } else { "known" },
    }
}
