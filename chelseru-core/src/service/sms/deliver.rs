//! Failover: one message, through whichever provider takes it, once.
//!
//! What a failure means decides, not that there was one:
//!
//! | the provider | then |
//! | --- | --- |
//! | certainly did not send, or is throttled, paused or full | the next one, at once |
//! | cannot send this text or template | the next one |
//! | says that the number is wrong or blocked | nobody |
//! | perhaps sent, and can be asked by our id | as it answers |
//! | perhaps sent, and nobody knows | a code goes to the next one, flagged as a possible repetition; anything else to nobody |
//!
//! At most one attempt of a message is ever in doubt before the last, so a receiver gets at most one
//! SMS too many, and only of a code. All of it happens before one deadline.
//!
//! Every attempt has its row in the log before the provider is asked: a crash leaves a row that says
//! what to find out ([`super::follow_up`]).

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::super::Chelseru;
use super::budget::Payment;
use super::follow_up::{FIRST_DELIVERY_CHECK, FIRST_DOUBT_CHECK};
use super::gateway::{Gateway, Slot};
use super::outgoing::Outgoing;
use crate::error::Error;
use crate::events::{Event, SmsAttempt};
use crate::random;
use crate::sms::{Content, DeliveryReport, LocalId, Sent, Sms, SmsError, SmsErrorKind};
use crate::store::{NewSms, SmsId, SmsOutcome, SmsPurpose, SmsStatus};

/// What the last provider is left of the time when an earlier one hangs.
const LEFT_FOR_THE_NEXT: Duration = Duration::from_secs(3);

/// What is left to ask a provider for a message whose answer was lost.
const LEFT_TO_ASK: Duration = Duration::from_millis(1500);

/// With less time than this nothing is begun.
const TOO_LATE: Duration = Duration::from_millis(100);

/// How long a full provider is waited for when there is another one.
const SHORT_WAIT: Duration = Duration::from_millis(300);

/// What no message costs, in rial: what a provider says beyond it is not believed.
const TOO_DEAR: i64 = 1_000_000_000;

/// How much longer than it promised a provider is waited for.
const GRACE: Duration = Duration::from_millis(250);

/// How long after the deadline an attempt without an outcome is one whose process has died: longer than
/// a store may take to note an outcome.
const DEAD_AFTER: Duration = Duration::from_secs(10);

/// An attempt whose message was perhaps sent.
struct Doubt {
    sms: SmsId,
    error: SmsError,
}

/// What one provider is asked.
struct Attempt<'a> {
    gateway: &'a Gateway,
    content: Content,
    deadline: Instant,
    /// Kept free for what may come after it.
    reserve: Duration,
    may_repeat: Option<SmsId>,
}

/// How an attempt failed.
struct Failed {
    /// Its row, if the provider was asked.
    sms: Option<SmsId>,
    error: SmsError,
}

impl Chelseru {
    /// Sends one message, or says why not.
    pub(super) async fn deliver(&self, outgoing: &Outgoing<'_>) -> Result<(), Error> {
        let deadline = Instant::now() + self.config().sms.timeout;
        let gateways = &self.inner.gateways;
        let mut failures = Vec::new();
        let mut doubt: Option<Doubt> = None;
        for (index, gateway) in gateways.iter().enumerate() {
            let content = match self.content_for(outgoing, gateway) {
                Ok(content) => content,
                Err(error) => {
                    failures.push(error);
                    continue;
                }
            };
            let has_next = gateways[index + 1..]
                .iter()
                .any(|next| next.is_up(self.now()) && self.content_for(outgoing, next).is_ok());
            let attempt = Attempt {
                gateway,
                content,
                deadline,
                reserve: if has_next {
                    LEFT_FOR_THE_NEXT
                } else {
                    Duration::ZERO
                },
                may_repeat: doubt.as_ref().map(|doubt| doubt.sms),
            };
            let failed = match (self.attempt(outgoing, attempt).await, &doubt) {
                (Ok(Ok(())), _) => return Ok(()),
                (Ok(Err(failed)), _) => failed,
                (Err(error), None) => return Err(error),
                // What was perhaps sent is more to be told than why no other provider was asked.
                (Err(error), Some(_)) => {
                    tracing::warn!(?error, "a message in doubt was not sent again");
                    break;
                }
            };
            match (failed.error.kind(), failed.sms) {
                (SmsErrorKind::PerhapsSent, Some(sms)) => {
                    let is_second = doubt.is_some();
                    doubt.get_or_insert(Doubt {
                        sms,
                        error: failed.error,
                    });
                    if is_second || outgoing.purpose() != SmsPurpose::Code {
                        break;
                    }
                }
                (SmsErrorKind::NumberRefused, _) => {
                    failures = vec![failed.error];
                    break;
                }
                _ => failures.push(failed.error),
            }
        }
        Err(Error::Sms(match doubt {
            Some(doubt) => doubt.error,
            None => most_telling(failures),
        }))
    }

    /// Asks one provider. An [`Error`] is ours, before it was asked.
    async fn attempt(
        &self,
        outgoing: &Outgoing<'_>,
        attempt: Attempt<'_>,
    ) -> Result<Result<(), Failed>, Error> {
        let gateway = attempt.gateway;
        let not_asked = |error| Ok(Err(Failed { sms: None, error }));
        let left = left_until(attempt.deadline);
        if left < TOO_LATE {
            return not_asked(no_time_left());
        }
        // With another provider to go to, hardly any time is spent on waiting for this one.
        let patience = if attempt.reserve.is_zero() {
            left / 2
        } else {
            SHORT_WAIT.min(left / 2)
        };
        let slot = match gateway.slot(patience, || self.now()).await {
            Ok(slot) => slot,
            Err(error) => return not_asked(error),
        };
        let parts = attempt.content.parts();
        let payment = self.pay(outgoing.purpose(), outgoing.to, parts).await?;
        let logged = self.log(outgoing, &attempt, parts).await;
        let (id, local_id) = match logged {
            Ok(logged) => logged,
            Err(error) => {
                self.settle_payment(&payment, false, None).await;
                return Err(error);
            }
        };
        let mut sms = Sms::new(outgoing.to, attempt.content);
        sms.local_id = local_id;
        let started = Instant::now();
        // Again: the store may have taken the time.
        let result = if left_until(attempt.deadline) < TOO_LATE {
            Err(no_time_left())
        } else {
            self.ask(gateway, &slot, &mut sms, attempt.deadline, attempt.reserve)
                .await
        };
        let told = SmsAttempt {
            sms: id,
            provider: gateway.name().to_owned(),
            purpose: outgoing.purpose(),
            to: outgoing.to,
            parts,
            cost_rial: result.as_ref().ok().and_then(|sent| sent.cost_rial),
            took: started.elapsed(),
            may_repeat: attempt.may_repeat.is_some(),
        };
        // Free before the store is asked: the provider has answered.
        drop(slot);
        self.settle(id, gateway, local_id, &payment, &result).await;
        match result {
            Ok(_) => {
                self.tell(Event::SmsAccepted(told));
                Ok(Ok(()))
            }
            Err(error) => {
                self.tell(Event::SmsFailed {
                    attempt: told,
                    error: error.clone(),
                });
                Ok(Err(Failed {
                    sms: Some(id),
                    error,
                }))
            }
        }
    }

    /// Notes an attempt before it is made.
    async fn log(
        &self,
        outgoing: &Outgoing<'_>,
        attempt: &Attempt<'_>,
        parts: Option<u32>,
    ) -> Result<(SmsId, Option<LocalId>), Error> {
        let provider = &attempt.gateway.provider;
        let takes_id =
            provider.capabilities().local_ids && matches!(attempt.content, Content::Text(_));
        // Random, not the row's id: an account outlives databases, and a local id that it has seen
        // before would not be sent.
        let local_id = takes_id.then(|| LocalId(random::id(&mut rand::rng())));
        let now = self.now();
        let new = NewSms {
            mobile_number: outgoing.to,
            provider: provider.name().to_owned(),
            purpose: outgoing.purpose(),
            user: outgoing.user,
            parts,
            local_id,
            request: outgoing.request,
            may_repeat: attempt.may_repeat,
            created_at: now,
        };
        let check_at = now + left_until(attempt.deadline) + DEAD_AFTER;
        let id = self.store().log_sms(&new, check_at).await?;
        Ok((id, local_id))
    }

    /// Hands the message over, and asks for it when the answer is lost and somebody may know.
    async fn ask(
        &self,
        gateway: &Gateway,
        slot: &Slot<'_>,
        sms: &mut Sms,
        deadline: Instant,
        reserve: Duration,
    ) -> Result<Sent, SmsError> {
        let started = Instant::now();
        let left = left_until(deadline);
        let to_ask = sms.local_id.map_or(Duration::ZERO, |_| LEFT_TO_ASK);
        sms.time_limit = left.saturating_sub(reserve + to_ask).max(left / 2);
        let provider = &gateway.provider;
        let result = match timeout(sms.time_limit + GRACE, provider.send(sms)).await {
            Ok(result) => result,
            Err(_) => Err(SmsError::new(
                SmsErrorKind::PerhapsSent,
                "the provider does not keep to its time",
            )),
        };
        gateway.report(slot, result.as_ref().err(), self.now(), &self.inner.events);
        let (Err(error), Some(local_id)) = (&result, sms.local_id) else {
            return result;
        };
        let left_to_ask = left_until(deadline);
        if error.is_certain() || left_to_ask < TOO_LATE {
            return result;
        }
        let hung = started.elapsed() >= sms.time_limit;
        // What hangs for the message may hang for the question too: the next provider needs its time.
        let patience = left_to_ask.saturating_sub(reserve).max(left_to_ask / 2);
        match timeout(patience, provider.find(local_id)).await {
            Ok(Ok(Some(DeliveryReport { message_id, .. }))) => Ok(Sent::with_id(message_id)),
            // A request that hangs may still be worked on; one that broke off is over.
            Ok(Ok(None)) if !hung => Err(SmsError::new(
                SmsErrorKind::NotSent,
                "the answer was lost, and the provider does not know the message",
            )),
            _ => result,
        }
    }

    /// Notes what the provider said, and pays for it.
    async fn settle(
        &self,
        id: SmsId,
        gateway: &Gateway,
        local_id: Option<LocalId>,
        payment: &Payment,
        result: &Result<Sent, SmsError>,
    ) {
        let now = self.now();
        let mut outcome = SmsOutcome {
            status: SmsStatus::NotSent,
            provider_id: None,
            provider_code: None,
            cost_rial: None,
            delivery: None,
            checks: 0,
            check_at: None,
            at: now,
        };
        match result {
            Ok(sent) => {
                outcome.status = SmsStatus::Accepted;
                outcome.provider_id.clone_from(&sent.message_id);
                outcome.cost_rial = sent.cost_rial.filter(|cost| (0..TOO_DEAR).contains(cost));
                let is_reported =
                    gateway.provider.capabilities().deliveries && sent.message_id.is_some();
                outcome.check_at = is_reported.then(|| now + FIRST_DELIVERY_CHECK);
            }
            Err(error) => {
                outcome.provider_code = error.code().map(str::to_owned);
                if !error.is_certain() {
                    outcome.status = SmsStatus::Unknown;
                    outcome.check_at = local_id.map(|_| now + FIRST_DOUBT_CHECK);
                }
            }
        }
        // What the provider did stands, whether or not we can write it down.
        if let Err(error) = self.store().settle_sms(id, &outcome).await {
            tracing::error!(
                sms = id.0,
                ?error,
                "the outcome of a message could not be stored"
            );
        }
        let was_sent = outcome.status != SmsStatus::NotSent;
        self.settle_payment(payment, was_sent, outcome.cost_rial)
            .await;
    }
}

fn no_time_left() -> SmsError {
    SmsError::new(SmsErrorKind::NotSent, "no time was left")
}

fn left_until(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// The failure to tell, of several: what a provider did rather than what it could not be asked, and
/// the first of those.
fn most_telling(failures: Vec<SmsError>) -> SmsError {
    let rank = |error: &SmsError| match error.kind() {
        SmsErrorKind::TextRefused | SmsErrorKind::TemplateRefused | SmsErrorKind::Unsupported => 1,
        _ => 0,
    };
    let first_of_best = failures.into_iter().min_by_key(rank);
    first_of_best.unwrap_or_else(|| SmsError::new(SmsErrorKind::NotSent, "there is no provider"))
}
