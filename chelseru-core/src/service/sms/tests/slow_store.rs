//! A store in memory that takes its time, fails when told to, and says what it was asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::mobile::MobileNumber;
use crate::session::{ClientInfo, Session, SessionId};
use crate::store::{
    AccountChange, AccountChanges, Adopted, ChangeNumber, CodeId, Correction, CountedCode,
    Maintenance, MemoryStore, NewCode, NewLogin, NewSession, NewSms, NewSmsRequest, OtpStore,
    RateStore, Redeemed, Reservation, Rotated, Rotation, SessionStore, SmsClaim, SmsId, SmsLog,
    SmsOutcome, SmsRecord, SmsRequestId, SmsRequests, SmsStatus, SmsTotal, StoreError, StoreResult,
    Take, TakeResult, UserSearch, UserStore,
};
use crate::user::{User, UserId};

#[derive(Debug, Default)]
pub(in crate::service) struct SlowStore {
    pub(in crate::service) inner: MemoryStore,
    /// How long the answer is on its way that tells of a session.
    pub(in crate::service) finding_takes: Duration,
    /// Whether every call fails.
    pub(in crate::service) is_away: AtomicBool,
    pub(in crate::service) calls: Mutex<Vec<&'static str>>,
    pub(in crate::service) log_sms_takes: Duration,
    pub(in crate::service) settle_sms_takes: Duration,
    /// Whether noting an attempt fails.
    pub(in crate::service) fails_to_log: AtomicBool,
    /// Whether every attempt was settled by somebody else when it is resolved.
    pub(in crate::service) resolves_too_late: AtomicBool,
}

impl SlowStore {
    /// What it was asked since the last time.
    pub(in crate::service) fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note_call(&self, name: &'static str) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(name);
    }

    async fn settle_what_was_claimed(&self) {
        if !self.resolves_too_late.load(Ordering::Relaxed) {
            return;
        }
        for record in self.inner.recent_sms(None, 100).await.unwrap() {
            let mut outcome = record.outcome;
            outcome.check_at = None;
            self.inner.settle_sms(record.id, &outcome).await.unwrap();
        }
    }
}

macro_rules! pass_on {
    ($($part:ident { $(fn $name:ident($($arg:ident: $of:ty),*) -> $answer:ty;)* })*) => {$(
        #[async_trait]
        impl $part for SlowStore {
            $(async fn $name(&self, $($arg: $of),*) -> StoreResult<$answer> {
                self.note_call(stringify!($name));
                if self.is_away.load(Ordering::Relaxed) {
                    return Err(StoreError::Unavailable("as the test wants it".into()));
                }
                match stringify!($name) {
                    "log_sms" if self.fails_to_log.load(Ordering::Relaxed) => {
                        return Err(StoreError::Fault("as the test wants it".into()));
                    }
                    "log_sms" => tokio::time::sleep(self.log_sms_takes).await,
                    "settle_sms" => tokio::time::sleep(self.settle_sms_takes).await,
                    _ => {}
                }
                let answer = self.inner.$name($($arg),*).await;
                match stringify!($name) {
                    "claim_due_sms" => self.settle_what_was_claimed().await,
                    "find_session" => tokio::time::sleep(self.finding_takes).await,
                    _ => {}
                }
                answer
            })*
        }
    )*};
}

pass_on! {
    OtpStore {
        fn reserve_code(code: &NewCode) -> Reservation;
        fn withdraw_code(mobile_number: MobileNumber, id: CodeId) -> ();
        fn count_attempt(mobile_number: MobileNumber, now: Timestamp, max: u32) -> Option<CountedCode>;
        fn redeem_code(id: CodeId, login: &NewLogin) -> Redeemed;
    }
    UserStore {
        fn find_user(id: UserId) -> Option<User>;
        fn is_known_number(mobile_number: MobileNumber) -> bool;
        fn set_user_active(id: UserId, active: bool, now: Timestamp) -> bool;
    }
    UserSearch {
        fn find_users_with_number(mobile_number: MobileNumber) -> Vec<User>;
        fn find_user_named(username: &str) -> Option<User>;
    }
    AccountChanges {
        fn newest_change() -> ChangeNumber;
        fn changes_after(after: ChangeNumber, limit: u32) -> Option<Vec<AccountChange>>;
    }
    SessionStore {
        fn find_session(id: SessionId) -> Option<(Session, User)>;
        fn list_sessions(user: UserId, now: Timestamp) -> Vec<Session>;
        fn touch_session(id: SessionId, client: &ClientInfo, now: Timestamp) -> ();
        fn rotate_refresh(rotation: &Rotation) -> Rotated;
        fn adopt_session(user: UserId, session: &NewSession, repeat_since: Option<Timestamp>, now: Timestamp) -> Option<Adopted>;
        fn end_session(user: UserId, id: SessionId, now: Timestamp) -> bool;
        fn end_sessions(user: UserId, keep: Option<SessionId>, now: Timestamp) -> u64;
    }
    SmsLog {
        fn log_sms(sms: &NewSms, check_at: Timestamp) -> SmsId;
        fn settle_sms(id: SmsId, outcome: &SmsOutcome) -> ();
        fn claim_due_sms(now: Timestamp, until: Timestamp, limit: u32) -> Vec<SmsRecord>;
        fn resolve_sms(id: SmsId, claimed_until: Timestamp, outcome: &SmsOutcome) -> bool;
        fn recent_sms(before: Option<SmsId>, limit: u32) -> Vec<SmsRecord>;
        fn total_sms(since: Timestamp) -> Vec<SmsTotal>;
    }
    SmsRequests {
        fn claim_sms_request(request: &NewSmsRequest) -> SmsClaim;
        fn settle_sms_request(id: SmsRequestId, status: SmsStatus) -> ();
        fn resolve_sms_request(id: SmsRequestId) -> ();
        fn resolve_sms_requests(claimed_before: Timestamp) -> u64;
    }
    RateStore {
        fn take(takes: &[Take], now: Timestamp) -> TakeResult;
        fn correct(corrections: &[Correction]) -> ();
    }
    Maintenance {
        fn ping() -> ();
        fn purge(now: Timestamp, limit: u32) -> u64;
        fn purge_sms(made_before: Timestamp, limit: u32) -> u64;
    }
}
