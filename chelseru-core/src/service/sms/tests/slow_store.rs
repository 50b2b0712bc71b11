//! A store in memory that takes its time, fails when told to, and says what it was asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::chat::{AttachmentId, ChatMessage, LogEntry, Membership, MessageId, Room, RoomId, Seq};
use crate::clock::Timestamp;
use crate::mobile::MobileNumber;
use crate::session::{ClientInfo, Session, SessionId};
use crate::store::{
    AccountChange, AccountChanges, AccountName, Adopted, Appended, Attachment, AttachmentStore,
    ChangeNumber, CodeId, Correction, CountedCode, Deletion, KnownPassword, Maintenance,
    MemberStore, MemoryStore, MessageStore, NewAccount, NewAttachment, NewChatMessage, NewCode,
    NewGroup, NewLogin, NewPassword, NewSession, NewSms, NewSmsRequest, NumberChange,
    NumberChanged, OtpStore, PasswordChange, PasswordReset, PasswordSession, PasswordStore,
    ProfileStore, RateStore, ReadPointer, Redeemed, Registered, Rename, Renamed, Reservation,
    Revised, Revision, RoomChange, RoomChanged, RoomCursor, RoomListing, RoomOpened, RoomState,
    RoomStore, Rotated, Rotation, Search, SessionStore, SmsClaim, SmsId, SmsLog, SmsOutcome,
    SmsRecord, SmsRequestId, SmsRequests, SmsStatus, SmsTotal, Span, StoreError, StoreResult, Take,
    TakeResult, UserSearch, UserStore,
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
        fn find_user_by_name(username: &str) -> Option<User>;
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
    PasswordStore {
        fn find_password(name: &AccountName) -> Option<KnownPassword>;
        fn register(code: CodeId, account: &NewAccount) -> Registered;
        fn open_password_session(login: &PasswordSession) -> Option<SessionId>;
        fn change_password(change: &PasswordChange) -> bool;
        fn reset_password(code: CodeId, password: &NewPassword) -> PasswordReset;
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
    RoomStore {
        fn open_pair(one: UserId, other: UserId, now: Timestamp) -> RoomOpened;
        fn create_group(group: &NewGroup) -> RoomOpened;
        fn find_room(room: RoomId, user: UserId) -> Option<(Room, Option<Membership>)>;
        fn find_listing(room: RoomId, user: UserId) -> Option<RoomListing>;
        fn list_rooms(user: UserId, after: Option<RoomCursor>, limit: u32) -> Vec<RoomListing>;
        fn change_room(change: &RoomChange) -> RoomChanged;
        fn delete_room(room: RoomId, revision: i64) -> RoomChanged;
    }
    MemberStore {
        fn members(room: RoomId, banned: bool, after: Option<UserId>, limit: u32) -> Vec<Membership>;
        fn memberships(room: RoomId, users: &[UserId]) -> Vec<Membership>;
        fn rooms_of(user: UserId, after: Option<RoomId>, limit: u32) -> Vec<RoomState>;
        fn room_states(rooms: &[RoomId]) -> Vec<RoomState>;
        fn move_read_pointer(room: RoomId, user: UserId, seq: Seq) -> Option<ReadPointer>;
        fn set_member_flags(room: RoomId, user: UserId, pinned: Option<bool>, muted: Option<bool>) -> bool;
    }
    MessageStore {
        fn append(messages: &[NewChatMessage]) -> Vec<Appended>;
        fn read_log(room: RoomId, reader: UserId, span: Span, limit: u32) -> Vec<LogEntry>;
        fn find_message(id: MessageId, reader: UserId) -> Option<ChatMessage>;
        fn revise(revision: &Revision) -> Revised;
        fn hide_message(id: MessageId, reader: UserId, now: Timestamp) -> ();
        fn search_messages(search: &Search) -> Vec<ChatMessage>;
    }
    AttachmentStore {
        fn add_attachment(new: &NewAttachment) -> Option<AttachmentId>;
        fn find_attachment(id: AttachmentId, reader: UserId) -> Option<Attachment>;
        fn discard_attachments(uploaded_before: Timestamp, limit: u32) -> Vec<Attachment>;
        fn forget_attachments(ids: &[AttachmentId]) -> ();
    }
    Maintenance {
        fn ping() -> ();
        fn purge(now: Timestamp, limit: u32) -> u64;
        fn purge_sms(made_before: Timestamp, limit: u32) -> u64;
    }
}
