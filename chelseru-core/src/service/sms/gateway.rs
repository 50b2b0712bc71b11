//! One provider as the service uses it: only so many messages at once, and none while its breaker is
//! open.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::clock::Timestamp;
use crate::config::SmsConfig;
use crate::events::{Event, Events};
use crate::sms::{Breaker, Change, Leave, SmsError, SmsErrorKind, SmsProvider};

/// A provider, its breaker and its slots.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(super) provider: Arc<dyn SmsProvider>,
    breaker: Breaker,
    slots: Semaphore,
    max_concurrent: usize,
}

/// Leave to send one message; ends with it.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    leave: Leave,
    _permit: SemaphorePermit<'a>,
}

/// How a provider is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderHealth {
    /// Its name.
    pub provider: String,
    /// When it is asked again after repeated failure; `None` while it is in use.
    pub paused_until: Option<Timestamp>,
    /// Messages handed to it that it has not answered yet.
    pub in_flight: usize,
}

impl Gateway {
    pub(crate) fn new(provider: Arc<dyn SmsProvider>, config: &SmsConfig) -> Self {
        Self {
            provider,
            breaker: Breaker::new(config.breaker_failures, config.breaker_pause),
            slots: Semaphore::new(config.max_concurrent),
            max_concurrent: config.max_concurrent,
        }
    }

    pub(super) fn name(&self) -> &str {
        self.provider.name()
    }

    pub(super) fn health(&self) -> ProviderHealth {
        ProviderHealth {
            provider: self.name().to_owned(),
            paused_until: self.breaker.open_until(),
            in_flight: self.max_concurrent - self.slots.available_permits(),
        }
    }

    /// Whether its breaker lets something through now.
    pub(super) fn is_up(&self, now: Timestamp) -> bool {
        self.breaker.closed_to(now).is_none()
    }

    /// Waits for leave to send a message, at most that long. The error says that nothing was sent.
    pub(super) async fn slot(
        &self,
        patience: Duration,
        now: impl Fn() -> Timestamp,
    ) -> Result<Slot<'_>, SmsError> {
        // Who is not let through does not wait for it.
        let asked_at = now();
        if let Some(until) = self.breaker.closed_to(asked_at) {
            return Err(paused(until, asked_at));
        }
        let Ok(Ok(permit)) = timeout(patience, self.slots.acquire()).await else {
            return Err(SmsError::new(
                SmsErrorKind::NotSent,
                "too many messages wait for this provider",
            ));
        };
        // Again: those who were waited for may have opened it.
        let now = now();
        match self.breaker.admit(now) {
            Ok(leave) => Ok(Slot {
                leave,
                _permit: permit,
            }),
            Err(until) => Err(paused(until, now)),
        }
    }

    /// Tells the breaker how a message ended. What is wrong with the message says nothing of the
    /// provider, unless it said so itself: then it works.
    pub(super) fn report(
        &self,
        slot: &Slot<'_>,
        error: Option<&SmsError>,
        now: Timestamp,
        events: &Events,
    ) {
        let change = match error {
            None => self.breaker.succeeded(slot.leave),
            Some(error) => match error.kind() {
                SmsErrorKind::NotSent | SmsErrorKind::PerhapsSent | SmsErrorKind::Throttled => {
                    self.breaker.failed(slot.leave, now)
                }
                _ if error.code().is_some() => self.breaker.succeeded(slot.leave),
                _ => None,
            },
        };
        let provider = || self.name().to_owned();
        match change {
            Some(Change::Opened { until }) => events.tell(Event::BreakerOpened {
                provider: provider(),
                until,
            }),
            Some(Change::Closed) => events.tell(Event::BreakerClosed {
                provider: provider(),
            }),
            None => {}
        }
    }
}

fn paused(until: Timestamp, now: Timestamp) -> SmsError {
    SmsError::new(
        SmsErrorKind::NotSent,
        "this provider is paused after repeated failure",
    )
    .with_retry_after(until.since(now))
}
