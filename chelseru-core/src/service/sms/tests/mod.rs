//! What becomes of one message, over providers that do as they are told.

mod budgets;
mod failover;
mod followed_up;
mod requests;
mod rights;
pub(in crate::service) mod slow_store;
mod templates;

use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, ConfigBuilder};
use crate::device::Client;
use crate::error::Error;
use crate::events::{Event, EventStream};
use crate::mobile::MobileNumber;
use crate::service::{Chelseru, CurrentUser, Message};
use crate::sms::{SmsError, SmsErrorKind, SmsProvider};
use crate::store::{
    CodeId, MemoryStore, NewCode, NewLogin, NewSession, OtpStore, Redeemed, SmsRecord, SmsStatus,
    Store,
};
use crate::testing::{ManualClock, StubProvider};

pub(super) const NUMBER: &str = "09121234567";

/// A service over a store in memory.
pub(super) struct Fixture {
    pub(super) chelseru: Chelseru,
    pub(super) clock: ManualClock,
    pub(super) events: EventStream,
}

impl Fixture {
    pub(super) fn new(providers: &[&StubProvider]) -> Self {
        Self::with(providers, |config| config)
    }

    pub(super) fn with(
        providers: &[&StubProvider],
        change: impl FnOnce(ConfigBuilder) -> ConfigBuilder,
    ) -> Self {
        Self::over(Arc::new(MemoryStore::new()), providers, change)
    }

    /// Over a store that there is already: what another process left.
    pub(super) fn over(
        store: Arc<dyn Store>,
        providers: &[&StubProvider],
        change: impl FnOnce(ConfigBuilder) -> ConfigBuilder,
    ) -> Self {
        let config = Config::builder().signing_key("a key of at least 32 bytes, for tests");
        let providers: Vec<Arc<dyn SmsProvider>> = providers
            .iter()
            .map(|provider| Arc::new((*provider).clone()) as _)
            .collect();
        let clock = ManualClock::default();
        let chelseru = Chelseru::builder(change(config).build().unwrap())
            .store(store)
            .sms(providers)
            .clock(clock.clone())
            .build()
            .unwrap();
        Self {
            events: chelseru.events(),
            chelseru,
            clock,
        }
    }

    pub(super) async fn send_code(&self) -> Result<(), Error> {
        self.chelseru
            .send_code(number(NUMBER), Client::default())
            .await
    }

    pub(super) async fn send_text(&self) -> Result<(), Error> {
        self.chelseru
            .send_sms(Message::new(number(NUMBER), "سلام"))
            .await
    }

    /// All attempts, the oldest first.
    pub(super) async fn log(&self) -> Vec<SmsRecord> {
        let mut log = self.chelseru.store().recent_sms(None, 100).await.unwrap();
        log.reverse();
        log
    }

    /// What became of the attempts, the oldest first.
    pub(super) async fn statuses(&self) -> Vec<(String, SmsStatus)> {
        let log = self.log().await.into_iter();
        log.map(|record| (record.sms.provider, record.outcome.status))
            .collect()
    }

    /// Everything that has happened since it was last asked.
    pub(super) async fn happened(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        // Told before the calls return, so there is nothing to wait for.
        while let Ok(Some(event)) = tokio::time::timeout(Duration::ZERO, self.events.next()).await {
            events.push(event);
        }
        events
    }

    /// An account with that number.
    pub(super) async fn user(&self, mobile_number: &str) -> CurrentUser {
        let now = self.chelseru.now();
        let number = number(mobile_number);
        let store = self.chelseru.store();
        let code = NewCode {
            id: CodeId(1),
            mobile_number: number,
            hash: [0; 32],
            created_at: now,
            expires_at: now + Duration::from_secs(1),
        };
        OtpStore::reserve_code(store, &code).await.unwrap();
        let login = NewLogin {
            mobile_number: number,
            group: 0,
            may_sign_up: true,
            username: format!("u{mobile_number}"),
            session: NewSession {
                key: format!("k{mobile_number}"),
                refresh_hash: [0; 32],
                client: Client::default().describe(),
                expires_at: now + Duration::from_secs(1000),
                at_most: None,
            },
            now,
        };
        let redeemed = store.redeem_code(code.id, &login).await.unwrap();
        let Redeemed::LoggedIn { user, .. } = redeemed else {
            panic!("{redeemed:?}");
        };
        CurrentUser {
            id: user.id,
            mobile_number: number,
            group: 0,
            username: user.username,
            session: None,
        }
    }
}

pub(super) fn number(text: &str) -> MobileNumber {
    text.parse().unwrap()
}

pub(super) fn error(kind: SmsErrorKind) -> SmsError {
    SmsError::new(kind, "as the test wants it").with_code(7)
}

pub(super) fn kind(result: Result<(), Error>) -> SmsErrorKind {
    match result.unwrap_err() {
        Error::Sms(error) | Error::CodePerhapsSent { error, .. } => error.kind(),
        other => panic!("{other:?}"),
    }
}
