//! A store in memory that takes its time, and fails when told to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::mobile::MobileNumber;
use crate::session::{ClientInfo, Session, SessionId};
use crate::store::{
    Adopted, CodeId, Correction, CountedCode, Deletion, Maintenance, MemoryStore, NewCode,
    NewLogin, NewSession, NewSms, NewSmsRequest, NumberChange, NumberChanged, OtpStore,
    ProfileStore, RateStore, Redeemed, Rename, Renamed, Reservation, Rotated, Rotation,
    SessionStore, SmsClaim, SmsId, SmsLog, SmsOutcome, SmsRecord, SmsRequestId, SmsRequests,
    SmsStatus, SmsTotal, StoreError, StoreResult, Take, TakeResult, UserStore,
};
use crate::user::{User, UserId};

#[derive(Debug, Default)]
pub(super) struct SlowStore {
    pub(super) inner: MemoryStore,
    pub(super) log_sms_takes: Duration,
    pub(super) settle_sms_takes: Duration,
    /// Whether noting an attempt fails.
    pub(super) fails_to_log: AtomicBool,
    /// Whether every attempt was settled by somebody else when it is resolved.
    pub(super) resolves_too_late: AtomicBool,
}

impl SlowStore {
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
                match stringify!($name) {
                    "log_sms" if self.fails_to_log.load(Ordering::Relaxed) => {
                        return Err(StoreError::Fault("as the test wants it".into()));
                    }
                    "log_sms" => tokio::time::sleep(self.log_sms_takes).await,
                    "settle_sms" => tokio::time::sleep(self.settle_sms_takes).await,
                    _ => {}
                }
                let answer = self.inner.$name($($arg),*).await;
                if stringify!($name) == "claim_due_sms" {
                    self.settle_what_was_claimed().await;
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
        fn set_user_active(id: UserId, active: bool) -> bool;
    }
    ProfileStore {
        fn rename_user(rename: &Rename) -> Renamed;
        fn change_number(code: CodeId, change: &NumberChange) -> NumberChanged;
        fn delete_user(code: CodeId, deletion: &Deletion) -> bool;
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
    }
}
