//! What happens in the service, as one typed stream: for metrics, alerts and an application's own
//! reactions.
//!
//! Every event is logged when it happens, whoever listens. [`Chelseru::events`] gives a stream of
//! those that come after it. A listener that falls behind by more than [`EventStream::CAPACITY`] loses
//! the oldest, never slows the service, and is told how many it lost.
//!
//! No event carries a code, a token, a key or the text of a message. Mobile numbers are in some, for
//! the application; their `Debug` is masked.
//!
//! [`Chelseru::events`]: crate::Chelseru::events

use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::broadcast;

use crate::clock::Timestamp;
use crate::mobile::MobileNumber;
use crate::session::{ClientInfo, SessionId};
use crate::sms::{Credit, Delivery, SmsError};
use crate::store::{SmsId, SmsPurpose};
use crate::user::UserId;

/// Something that happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A one-time code was sent.
    CodeSent {
        /// To whom.
        mobile_number: MobileNumber,
    },
    /// A code that was tried was not right.
    CodeRefused {
        /// For which number.
        mobile_number: MobileNumber,
    },
    /// Somebody logged in.
    LoggedIn {
        /// Who.
        user: UserId,
        /// The new session.
        session: SessionId,
        /// Whether the account was made just now.
        is_new: bool,
        /// From where, and with which device and browser.
        client: ClientInfo,
    },
    /// A name and a password that were tried did not belong together.
    #[non_exhaustive]
    LoginRefused {
        /// For which number, if the account was named by it.
        mobile_number: Option<MobileNumber>,
    },
    /// An account has another password, or its first one. Its sessions have ended, but for the one in
    /// which it was changed or which a reset opened.
    #[non_exhaustive]
    PasswordChanged {
        /// Whose.
        user: UserId,
        /// Whether the old one was not asked for: the number was proven by a code.
        was_reset: bool,
    },
    /// Somebody has chosen a name.
    #[non_exhaustive]
    UsernameChanged {
        /// Who.
        user: UserId,
    },
    /// An account has another number. Its sessions have ended, but for the one in which it was changed.
    #[non_exhaustive]
    NumberChanged {
        /// Whose.
        user: UserId,
        /// The number before.
        from: MobileNumber,
        /// The number now.
        to: MobileNumber,
    },
    /// Somebody has deleted the own account.
    #[non_exhaustive]
    AccountDeleted {
        /// Whose it was.
        user: UserId,
    },
    /// A provider accepted a message.
    SmsAccepted(SmsAttempt),
    /// A provider did not accept a message, or its answer was lost.
    SmsFailed {
        /// Which.
        attempt: SmsAttempt,
        /// Why.
        error: SmsError,
    },
    /// A provider said what became of a message, and it is its last word.
    SmsDelivery {
        /// Which.
        sms: SmsId,
        /// The provider's name.
        provider: String,
        /// What became of it.
        delivery: Delivery,
    },
    /// It is known now what became of a message whose answer was lost.
    SmsResolved {
        /// Which.
        sms: SmsId,
        /// The provider's name.
        provider: String,
        /// Whether it was sent; `None` if nobody can say.
        was_sent: Option<bool>,
    },
    /// A provider failed too often and is left alone for a while.
    BreakerOpened {
        /// The provider's name.
        provider: String,
        /// When it is tried again.
        until: Timestamp,
    },
    /// A provider works again.
    BreakerClosed {
        /// The provider's name.
        provider: String,
    },
    /// So much of a budget is used: 80 or 100 percent.
    BudgetUsed {
        /// Which.
        budget: Budget,
        /// How much.
        percent: u8,
        /// When it is whole again.
        until: Timestamp,
    },
    /// A code was not sent, a code or a password not looked at, or a user's message not sent, because of
    /// a limit.
    #[non_exhaustive]
    LimitReached {
        /// Which.
        limit: Limit,
        /// For which number, if it is about one.
        mobile_number: Option<MobileNumber>,
        /// When there is room again.
        until: Timestamp,
    },
    /// Codes are sent and hardly any are verified.
    #[non_exhaustive]
    PumpingSuspected {
        /// Where, and how many.
        pumping: Pumping,
        /// Whether this code was not sent because of it.
        was_stopped: bool,
    },
    /// What an account has left.
    Balance {
        /// The provider's name.
        provider: String,
        /// What is left.
        credit: Credit,
        /// Whether it is less than the setting for alerts.
        is_low: bool,
    },
    /// This listener was too slow and has lost so many events.
    Missed {
        /// How many.
        events: u64,
    },
}

/// One attempt to send a message by one provider.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SmsAttempt {
    /// Its row in the log.
    pub sms: SmsId,
    /// The provider's name.
    pub provider: String,
    /// What the message is for.
    pub purpose: SmsPurpose,
    /// The receiver.
    pub to: MobileNumber,
    /// The number of billed parts, where it is known.
    pub parts: Option<u32>,
    /// What it costs, where the provider said so.
    pub cost_rial: Option<i64>,
    /// How long the provider took.
    pub took: Duration,
    /// Whether an earlier attempt of the same message was perhaps sent.
    pub may_repeat: bool,
}

/// A limit on what the whole service sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Budget {
    /// `AUTH.LIMITS.SMS_PER_HOUR`
    MessagesPerHour,
    /// `AUTH.LIMITS.SMS_PER_DAY`
    MessagesPerDay,
    /// `AUTH.LIMITS.SMS_RIAL_PER_DAY`
    RialPerDay,
}

impl Budget {
    /// The key of its setting.
    pub const fn key(self) -> &'static str {
        match self {
            Self::MessagesPerHour => "AUTH.LIMITS.SMS_PER_HOUR",
            Self::MessagesPerDay => "AUTH.LIMITS.SMS_PER_DAY",
            Self::RialPerDay => "AUTH.LIMITS.SMS_RIAL_PER_DAY",
        }
    }
}

/// A limit on what is done for one number, one client address or one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// `AUTH.LIMITS.OTP_PER_NUMBER_PER_HOUR`
    CodesPerNumberPerHour,
    /// `AUTH.LIMITS.OTP_PER_NUMBER_PER_DAY`
    CodesPerNumberPerDay,
    /// `AUTH.LIMITS.OTP_PER_ADDRESS_PER_HOUR`
    CodesPerAddressPerHour,
    /// `AUTH.LIMITS.OTP_FAILURES_PER_NUMBER_PER_HOUR`
    FailuresPerNumberPerHour,
    /// `AUTH.LIMITS.OTP_FAILURES_PER_ADDRESS_PER_HOUR`
    FailuresPerAddressPerHour,
    /// `AUTH.LIMITS.LOGIN_FAILURES_PER_USER_PER_HOUR`
    LoginFailuresPerUserPerHour,
    /// `AUTH.LIMITS.LOGIN_FAILURES_PER_USER_AND_ADDRESS_PER_HOUR`
    LoginFailuresPerUserAndAddressPerHour,
    /// `AUTH.LIMITS.LOGIN_FAILURES_PER_ADDRESS_PER_HOUR`
    LoginFailuresPerAddressPerHour,
    /// `AUTH.LIMITS.USERNAME_CHANGES_PER_USER_PER_HOUR`
    UsernameChangesPerUserPerHour,
    /// `AUTH.LIMITS.PUMPING_GUARD`
    Pumping,
    /// `AUTH.LIMITS.MESSAGES_PER_USER_PER_HOUR`
    MessagesPerUserPerHour,
    /// `AUTH.LIMITS.MESSAGES_PER_RECEIVER_PER_HOUR`
    MessagesPerReceiverPerHour,
    /// `CHAT.LIMITS.MESSAGES_PER_USER_PER_MINUTE`
    MessagesPerUserPerMinute,
    /// `CHAT.LIMITS.ROOMS_PER_USER_PER_DAY`
    RoomsPerUserPerDay,
    /// `CHAT.LIMITS.LOOKUPS_PER_USER_PER_HOUR`
    LookupsPerUserPerHour,
    /// `CHAT.LIMITS.FILES_PER_USER_PER_DAY`
    FilesPerUserPerDay,
}

impl Limit {
    /// The key of its setting.
    pub const fn key(self) -> &'static str {
        match self {
            Self::CodesPerNumberPerHour => "AUTH.LIMITS.OTP_PER_NUMBER_PER_HOUR",
            Self::CodesPerNumberPerDay => "AUTH.LIMITS.OTP_PER_NUMBER_PER_DAY",
            Self::CodesPerAddressPerHour => "AUTH.LIMITS.OTP_PER_ADDRESS_PER_HOUR",
            Self::FailuresPerNumberPerHour => "AUTH.LIMITS.OTP_FAILURES_PER_NUMBER_PER_HOUR",
            Self::FailuresPerAddressPerHour => "AUTH.LIMITS.OTP_FAILURES_PER_ADDRESS_PER_HOUR",
            Self::LoginFailuresPerUserPerHour => "AUTH.LIMITS.LOGIN_FAILURES_PER_USER_PER_HOUR",
            Self::LoginFailuresPerUserAndAddressPerHour => {
                "AUTH.LIMITS.LOGIN_FAILURES_PER_USER_AND_ADDRESS_PER_HOUR"
            }
            Self::LoginFailuresPerAddressPerHour => {
                "AUTH.LIMITS.LOGIN_FAILURES_PER_ADDRESS_PER_HOUR"
            }
            Self::UsernameChangesPerUserPerHour => "AUTH.LIMITS.USERNAME_CHANGES_PER_USER_PER_HOUR",
            Self::Pumping => "AUTH.LIMITS.PUMPING_GUARD",
            Self::MessagesPerUserPerHour => "AUTH.LIMITS.MESSAGES_PER_USER_PER_HOUR",
            Self::MessagesPerReceiverPerHour => "AUTH.LIMITS.MESSAGES_PER_RECEIVER_PER_HOUR",
            Self::MessagesPerUserPerMinute => "CHAT.LIMITS.MESSAGES_PER_USER_PER_MINUTE",
            Self::RoomsPerUserPerDay => "CHAT.LIMITS.ROOMS_PER_USER_PER_DAY",
            Self::LookupsPerUserPerHour => "CHAT.LIMITS.LOOKUPS_PER_USER_PER_HOUR",
            Self::FilesPerUserPerDay => "CHAT.LIMITS.FILES_PER_USER_PER_DAY",
        }
    }
}

/// What the guard against pumping saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pumping {
    /// Where the request came from, if that is known.
    pub network: Option<IpNet>,
    /// Whether it is all addresses together that leave their codes unverified, not this one alone.
    pub is_overall: bool,
    /// Codes of this day, this one included.
    pub sent: u64,
    /// Codes verified on this day and the day before.
    pub verified: u64,
}

/// The events after its making.
#[derive(Debug)]
pub struct EventStream(broadcast::Receiver<Event>);

impl EventStream {
    /// How many events a listener may be behind.
    pub const CAPACITY: usize = 1024;

    /// The next event; `None` when the service is gone.
    ///
    /// Safe to cancel: a dropped future has taken nothing.
    pub async fn next(&mut self) -> Option<Event> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(events)) => Some(Event::Missed { events }),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// Where events are told.
#[derive(Debug)]
pub(crate) struct Events(broadcast::Sender<Event>);

impl Events {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(EventStream::CAPACITY))
    }

    pub(crate) fn subscribe(&self) -> EventStream {
        EventStream(self.0.subscribe())
    }

    /// Logs an event and tells it to whoever listens.
    pub(crate) fn tell(&self, event: Event) {
        log(&event);
        // Fails when nobody listens.
        let _ = self.0.send(event);
    }
}

/// One line for each event. What an operator has to do something about is a warning.
fn log(event: &Event) {
    match event {
        Event::CodeSent { mobile_number } => tracing::info!(?mobile_number, "code sent"),
        Event::CodeRefused { mobile_number } => tracing::info!(?mobile_number, "code refused"),
        Event::LoggedIn {
            user,
            session,
            is_new,
            client,
        } => tracing::info!(
            user = user.0,
            session = session.0,
            is_new,
            device = client.device,
            browser = client.browser,
            "logged in"
        ),
        Event::LoginRefused { mobile_number } => tracing::info!(?mobile_number, "login refused"),
        Event::PasswordChanged { user, was_reset } => {
            tracing::info!(user = user.0, was_reset, "password changed");
        }
        Event::UsernameChanged { user } => tracing::info!(user = user.0, "username changed"),
        Event::NumberChanged { user, from, to } => {
            tracing::info!(user = user.0, ?from, ?to, "mobile number changed");
        }
        Event::AccountDeleted { user } => tracing::info!(user = user.0, "account deleted"),
        Event::SmsAccepted(sms) => tracing::info!(
            sms = sms.sms.0,
            to = ?sms.to,
            provider = sms.provider,
            may_repeat = sms.may_repeat,
            took_ms = millis(sms.took),
            "message accepted"
        ),
        Event::SmsFailed { attempt, error } => tracing::warn!(
            sms = attempt.sms.0,
            to = ?attempt.to,
            provider = attempt.provider,
            took_ms = millis(attempt.took),
            %error,
            "message failed"
        ),
        Event::SmsDelivery {
            sms,
            provider,
            delivery,
        } => tracing::debug!(sms = sms.0, provider, ?delivery, "message reported"),
        Event::SmsResolved {
            sms,
            provider,
            was_sent,
        } => tracing::info!(sms = sms.0, provider, ?was_sent, "message resolved"),
        Event::BreakerOpened { provider, until } => {
            tracing::warn!(provider, %until, "provider paused after repeated failure");
        }
        Event::BreakerClosed { provider } => tracing::info!(provider, "provider works again"),
        Event::BudgetUsed {
            budget,
            percent,
            until,
        } => tracing::warn!(budget = budget.key(), percent, %until, "SMS budget used"),
        Event::LimitReached {
            limit,
            mobile_number,
            until,
        } => tracing::info!(limit = limit.key(), ?mobile_number, %until, "limit reached"),
        Event::PumpingSuspected {
            pumping,
            was_stopped,
        } => tracing::warn!(
            network = pumping.network.map(|network| network.to_string()),
            is_overall = pumping.is_overall,
            sent = pumping.sent,
            verified = pumping.verified,
            was_stopped,
            "codes are sent and hardly any are verified"
        ),
        Event::Balance {
            provider,
            credit,
            is_low: true,
        } => tracing::warn!(provider, ?credit, "the account's balance is low"),
        Event::Balance {
            provider, credit, ..
        } => tracing::debug!(provider, ?credit, "balance"),
        // Made by a stream, never told.
        Event::Missed { .. } => {}
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Event, EventStream, Events};

    fn event() -> Event {
        Event::BreakerClosed {
            provider: "A".to_owned(),
        }
    }

    #[tokio::test]
    async fn every_listener_gets_every_event_after_its_start() {
        let events = Events::new();
        events.tell(event());
        let mut one = events.subscribe();
        let mut two = events.subscribe();
        events.tell(Event::Missed { events: 7 });
        drop(events);
        for stream in [&mut one, &mut two] {
            assert!(matches!(
                stream.next().await,
                Some(Event::Missed { events: 7 })
            ));
            assert!(stream.next().await.is_none());
        }
    }

    #[tokio::test]
    async fn a_listener_that_falls_behind_is_told_how_many_it_lost() {
        let events = Events::new();
        let mut slow = events.subscribe();
        for _ in 0..EventStream::CAPACITY + 3 {
            events.tell(event());
        }
        assert!(matches!(
            slow.next().await,
            Some(Event::Missed { events: 3 })
        ));
        for _ in 0..EventStream::CAPACITY {
            assert!(matches!(
                slow.next().await,
                Some(Event::BreakerClosed { .. })
            ));
        }
    }
}
