//! What became of messages: of those that a crash or a lost answer left in doubt, and of those that a
//! provider took.
//!
//! Nothing is ever sent again here. An attempt without an outcome is one whose process died between
//! the provider's answer and our record: the provider is asked for it by our id, and where it takes
//! none, the attempt stays in doubt. Deliveries are asked for less and less often, until the last word
//! or the end of [`DELIVERY_CHECKS`].

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::super::Chelseru;
use super::gateway::Gateway;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::events::Event;
use crate::sms::{Delivery, DeliveryReport, SmsError, SmsErrorKind};
use crate::store::{SmsOutcome, SmsRecord, SmsStatus};

/// When a delivery is asked for first. Kavenegar asks for no sooner.
pub(super) const FIRST_DELIVERY_CHECK: Duration = minutes(5);

/// After each further check, how long until the next. All of it is less than the 48 hours for which
/// Kavenegar keeps the answer.
const DELIVERY_CHECKS: [Duration; 7] = [
    minutes(10),
    minutes(30),
    minutes(60),
    minutes(3 * 60),
    minutes(6 * 60),
    minutes(12 * 60),
    minutes(24 * 60),
];

/// When a provider is asked for a message in doubt, if it could not be at once.
pub(super) const FIRST_DOUBT_CHECK: Duration = Duration::from_secs(30);

/// After each further check of a doubt that brought no answer, how long until the next. All of it is
/// less than the 12 hours for which Kavenegar knows our ids.
const DOUBT_CHECKS: [Duration; 5] = [
    minutes(1),
    minutes(5),
    minutes(30),
    minutes(2 * 60),
    minutes(6 * 60),
];

/// For how long after the sending a provider's "there is no such message" is believed: Kavenegar forgets
/// our ids after 12 hours.
const IDS_KNOWN_FOR: Duration = minutes(11 * 60);

/// How long a claimed row is ours, at least.
const CLAIM: Duration = minutes(5);

/// After this time a round of questions ends, so that other work in the background has its turn.
const ROUND: Duration = minutes(1);

/// While a provider is paused, when to look again.
const PAUSED: Duration = minutes(1);

/// How much longer than it promised a provider is waited for when it is asked something.
const GRACE: Duration = Duration::from_secs(1);

/// How long a provider may take to report deliveries, which may need several calls.
const DELIVERIES_TIME: Duration = minutes(2);

/// Rows claimed at once, and asked for one after the other.
const BATCH: u32 = 25;

/// How long after its deadline a request with an idempotency key has died: longer than an attempt's
/// outcome may take to be noted, so that the last attempt is known to be over first.
const REQUEST_DEAD_AFTER: Duration = Duration::from_secs(15);

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

impl Chelseru {
    /// Finds out what became of messages that are due for it, and says how many were looked after.
    ///
    /// Adapters call it in the background; calling it from several processes is harmless.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]; what was found out before stays.
    pub async fn follow_up_sms(&self) -> Result<u64, Error> {
        let started = Instant::now();
        // Longer than all of its questions may take.
        let providers = u32::try_from(self.inner.gateways.len()).unwrap_or(u32::MAX);
        let claim = CLAIM.max(self.question_time() * BATCH + DELIVERIES_TIME * providers);
        let mut looked_after = 0;
        loop {
            let now = self.now();
            let until = now + claim;
            let due = self.store().claim_due_sms(now, until, BATCH).await?;
            let is_last = due.len() < BATCH as usize;
            looked_after += due.len() as u64;
            let mut taken = Vec::new();
            for record in due {
                match record.outcome.status {
                    SmsStatus::Accepted => taken.push(record),
                    _ => self.resolve_doubt(record, until).await?,
                }
            }
            self.ask_for_deliveries(taken, until).await?;
            if is_last || started.elapsed() > ROUND {
                break;
            }
        }
        let dead = self.config().sms.timeout + REQUEST_DEAD_AFTER;
        self.store().resolve_sms_requests(self.now() - dead).await?;
        Ok(looked_after)
    }

    /// Asks for one message whose answer we do not have.
    async fn resolve_doubt(&self, record: SmsRecord, claimed: Timestamp) -> Result<(), Error> {
        let mut outcome = record.outcome.clone();
        let was_sent = match self.find(&record).await {
            Found::Yes(report) => {
                outcome.status = SmsStatus::Accepted;
                outcome.provider_id = Some(report.message_id);
                outcome.delivery = Some(report.delivery);
                outcome.checks = 0;
                outcome.check_at = Some(self.now() + FIRST_DELIVERY_CHECK);
                Some(true)
            }
            Found::No => {
                outcome.status = SmsStatus::NotSent;
                outcome.check_at = None;
                Some(false)
            }
            Found::NotNow => {
                outcome.status = SmsStatus::Unknown;
                outcome.check_at = Some(self.now() + PAUSED);
                None
            }
            Found::NoAnswer => {
                let wait = DOUBT_CHECKS.get(outcome.checks as usize);
                outcome.status = SmsStatus::Unknown;
                outcome.checks += 1;
                outcome.check_at = wait.map(|wait| self.now() + *wait);
                None
            }
            Found::Never => {
                outcome.status = SmsStatus::Unknown;
                outcome.check_at = None;
                None
            }
        };
        outcome.at = self.now();
        let is_settled = was_sent.is_some() || outcome.check_at.is_none();
        if !self.resolve(&record, claimed, &outcome).await? || !is_settled {
            return Ok(());
        }
        // Not what became of this attempt: others may have been made since, or be on their way.
        if let Some(request) = record.sms.request {
            self.store().resolve_sms_request(request).await?;
        }
        self.tell(Event::SmsResolved {
            sms: record.id,
            provider: record.sms.provider,
            was_sent,
        });
        Ok(())
    }

    async fn find(&self, record: &SmsRecord) -> Found {
        let gateway = self.gateway(&record.sms.provider);
        let gateway = gateway.filter(|gateway| gateway.provider.capabilities().local_ids);
        let (Some(gateway), Some(local_id)) = (gateway, record.sms.local_id) else {
            return Found::Never;
        };
        let now = self.now();
        let is_old = now.since(record.sms.created_at) > IDS_KNOWN_FOR;
        if !gateway.is_up(now) {
            return if is_old { Found::Never } else { Found::NotNow };
        }
        let answer = gateway.provider.find(local_id);
        match in_time(self.question_time(), answer).await {
            Ok(Some(report)) => Found::Yes(report),
            Ok(None) if is_old => Found::Never,
            Ok(None) => Found::No,
            Err(error) => {
                tracing::warn!(
                    provider = gateway.name(),
                    %error,
                    "a message in doubt could not be asked for"
                );
                Found::NoAnswer
            }
        }
    }

    /// Asks each provider once for all of its messages.
    async fn ask_for_deliveries(
        &self,
        mut taken: Vec<SmsRecord>,
        claimed: Timestamp,
    ) -> Result<(), Error> {
        taken.sort_by(|a, b| a.sms.provider.cmp(&b.sms.provider));
        for messages in taken.chunk_by(|a, b| a.sms.provider == b.sms.provider) {
            let gateway = self.gateway(&messages[0].sms.provider);
            let gateway = gateway.filter(|gateway| gateway.provider.capabilities().deliveries);
            let is_paused = gateway.is_some_and(|gateway| !gateway.is_up(self.now()));
            let reports = match gateway.filter(|_| !is_paused) {
                Some(gateway) => self.deliveries(gateway, messages).await,
                None => Ok(Vec::new()),
            };
            for record in messages {
                let report = reports.as_ref().ok().and_then(|reports| {
                    let id = record.outcome.provider_id.as_ref()?;
                    reports.iter().find(|report| report.message_id == *id)
                });
                let mut outcome = record.outcome.clone();
                if let Some(report) = report {
                    outcome.delivery = Some(report.delivery);
                    outcome.provider_code.clone_from(&report.code);
                }
                let is_over = outcome.delivery.is_some_and(Delivery::is_final);
                outcome.check_at = match gateway {
                    Some(_) if is_paused => Some(self.now() + PAUSED),
                    Some(_) if !is_over => {
                        let wait = DELIVERY_CHECKS.get(outcome.checks as usize);
                        wait.map(|wait| self.now() + *wait)
                    }
                    _ => None,
                };
                outcome.checks += u32::from(!is_paused);
                outcome.at = self.now();
                let is_ours = self.resolve(record, claimed, &outcome).await?;
                if let Some(delivery) = outcome.delivery.filter(|_| is_ours && is_over) {
                    self.tell(Event::SmsDelivery {
                        sms: record.id,
                        provider: record.sms.provider.clone(),
                        delivery,
                    });
                }
            }
        }
        Ok(())
    }

    async fn resolve(
        &self,
        record: &SmsRecord,
        claimed: Timestamp,
        outcome: &SmsOutcome,
    ) -> Result<bool, Error> {
        let resolved = self.store().resolve_sms(record.id, claimed, outcome);
        Ok(resolved.await?)
    }

    /// How long a provider may take to answer a question.
    pub(super) fn question_time(&self) -> Duration {
        self.config().sms.timeout + GRACE
    }

    async fn deliveries(
        &self,
        gateway: &Gateway,
        messages: &[SmsRecord],
    ) -> Result<Vec<DeliveryReport>, SmsError> {
        let ids: Vec<_> = messages
            .iter()
            .filter_map(|record| record.outcome.provider_id.clone())
            .collect();
        let result = in_time(DELIVERIES_TIME, gateway.provider.deliveries(&ids)).await;
        if let Err(error) = &result {
            tracing::warn!(
                provider = gateway.name(),
                %error,
                "what became of messages could not be asked for"
            );
        }
        result
    }

    /// A provider by its name; it may be gone from the settings since the message was sent.
    fn gateway(&self, name: &str) -> Option<&Gateway> {
        let mut gateways = self.inner.gateways.iter();
        gateways.find(|gateway| gateway.name() == name)
    }
}

/// What is found out about a message in doubt.
enum Found {
    /// The provider took it.
    Yes(DeliveryReport),
    /// It did not.
    No,
    /// It did not say.
    NoAnswer,
    /// It is paused.
    NotNow,
    /// Nobody knows any more.
    Never,
}

/// The answer of a provider that may not keep to its time.
pub(super) async fn in_time<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, SmsError>>,
) -> Result<T, SmsError> {
    timeout(limit, answer).await.unwrap_or_else(|_| {
        Err(SmsError::new(
            SmsErrorKind::PerhapsSent,
            "the provider does not keep to its time",
        ))
    })
}
