//! A store that takes its time to note an attempt.

use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::mobile::MobileNumber;
use crate::session::{ClientInfo, Session, SessionId};
use crate::store::{
    CodeId, CountedCode, Maintenance, MemoryStore, NewCode, NewLogin, NewSession, NewSms,
    NewSmsRequest, OtpStore, RateStore, Redeemed, Reservation, Rotated, Rotation, SessionStore,
    SmsClaim, SmsId, SmsLog, SmsOutcome, SmsRecord, SmsRequestId, SmsRequests, SmsStatus, SmsTotal,
    StoreResult, Take, TakeResult, UserStore,
};
use crate::user::{User, UserId};

#[derive(Debug, Default)]
pub(super) struct SlowStore {
    pub(super) inner: MemoryStore,
    pub(super) log_sms_takes: Duration,
}

macro_rules! pass_on {
    ($($part:ident { $(fn $name:ident($($arg:ident: $of:ty),*) -> $answer:ty;)* })*) => {$(
        #[async_trait]
        impl $part for SlowStore {
            $(async fn $name(&self, $($arg: $of),*) -> StoreResult<$answer> {
                if stringify!($name) == "log_sms" {
                    tokio::time::sleep(self.log_sms_takes).await;
                }
                self.inner.$name($($arg),*).await
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
    SessionStore {
        fn find_session(id: SessionId) -> Option<(Session, User)>;
        fn list_sessions(user: UserId, now: Timestamp) -> Vec<Session>;
        fn touch_session(id: SessionId, client: &ClientInfo, now: Timestamp) -> ();
        fn rotate_refresh(rotation: &Rotation) -> Rotated;
        fn adopt_session(user: UserId, session: &NewSession, now: Timestamp) -> Option<SessionId>;
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
        fn correct(key: &str, ends_at: Timestamp, change: i64) -> ();
    }
    Maintenance {
        fn ping() -> ();
        fn purge(now: Timestamp, limit: u32) -> u64;
    }
}
