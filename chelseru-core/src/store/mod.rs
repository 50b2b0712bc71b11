//! What a store promises. Each method is one intention and is atomic in the store: correctness under
//! concurrency is one SQL statement or one short transaction, never a read followed by a write.
//!
//! Stores never read the time and make no ids but the integers of new rows: `now`, random ids and
//! hashes are arguments. Every method is safe to cancel: a dropped future leaves the work done or not
//! done, never half.
//!
//! A store of your own passes the conformance suite of feature `testing`
//! (`chelseru_core::store_conformance!`); [`MemoryStore`] is the reference to read first.

mod chat;
mod memory;
mod passwords;
mod profiles;

use std::error::Error;
use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;

pub use self::chat::{
    Appended, Attachment, AttachmentStore, MemberStore, MessageStore, NewAttachment,
    NewChatMessage, NewGroup, ReadPointer, Revised, Revision, RoomChange, RoomChanged, RoomCursor,
    RoomEdit, RoomListing, RoomOpened, RoomState, RoomStore, Search, Span, UNREAD_COUNTED,
};
pub use self::memory::MemoryStore;
pub use self::passwords::{
    AccountName, KnownPassword, NewAccount, NewPassword, PasswordChange, PasswordReset,
    PasswordSession, PasswordStore, Registered,
};
pub use self::profiles::{
    Deletion, NameReplacement, NumberChange, NumberChanged, ProfileStore, Rename, Renamed,
};
use crate::clock::Timestamp;
use crate::mobile::MobileNumber;
use crate::session::{ClientInfo, RefreshHash, Session, SessionId};
use crate::sms::{Delivery, LocalId};
use crate::user::{User, UserId};

/// Everything that chelseru keeps. Implemented for whatever implements the parts.
pub trait Store:
    OtpStore
    + UserStore
    + UserSearch
    + PasswordStore
    + ProfileStore
    + SessionStore
    + AccountChanges
    + SmsLog
    + SmsRequests
    + RateStore
    + RoomStore
    + MemberStore
    + MessageStore
    + AttachmentStore
    + Maintenance
{
}

impl<T> Store for T where
    T: OtpStore
        + UserStore
        + UserSearch
        + PasswordStore
        + ProfileStore
        + SessionStore
        + AccountChanges
        + SmsLog
        + SmsRequests
        + RateStore
        + RoomStore
        + MemberStore
        + MessageStore
        + AttachmentStore
        + Maintenance
{
}

/// Why a store could not do what was asked. Nothing was changed, unless the answer of a commit was lost.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database cannot be reached, is busy or did not answer in time. Trying later may help.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Anything else: a fault of the store or of its data.
    #[error("the store failed")]
    Fault(#[source] Box<dyn Error + Send + Sync>),
}

/// What a store answers.
pub type StoreResult<T> = Result<T, StoreError>;

/// Which reservation of a number a code belongs to: random, chosen by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CodeId(pub i64);

/// The keyed hash of a one-time code: all that the store knows of the code.
pub type CodeHash = [u8; 32];

/// A code to be kept for a number.
#[derive(Clone, Debug)]
pub struct NewCode {
    /// Random; never used twice.
    pub id: CodeId,
    /// Whose it is.
    pub mobile_number: MobileNumber,
    /// The keyed hash.
    pub hash: CodeHash,
    /// Now.
    pub created_at: Timestamp,
    /// From this point on it is not accepted.
    pub expires_at: Timestamp,
}

/// The answer to [`OtpStore::reserve_code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// The code is kept; send it.
    Reserved,
    /// Another code is live; the new one is not kept.
    Live(LiveCode),
}

/// A code that holds its number's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveCode {
    /// Which reservation it is.
    pub id: CodeId,
    /// The keyed hash.
    pub hash: CodeHash,
    /// How many tries were counted against it.
    pub attempts: u32,
    /// When it ends.
    pub until: Timestamp,
}

/// A code against which one try was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedCode {
    /// Which reservation it is.
    pub id: CodeId,
    /// What to compare with.
    pub hash: CodeHash,
}

/// A login to be stored when the code turns out right.
#[derive(Clone, Debug)]
pub struct NewLogin {
    /// Whose code it was.
    pub mobile_number: MobileNumber,
    /// The account's group.
    pub group: i64,
    /// Whether the account may be made if there is none.
    pub may_sign_up: bool,
    /// The name for a new account: random, unique for all practical purposes.
    pub username: String,
    /// The session to open.
    pub session: NewSession,
    /// Now.
    pub now: Timestamp,
}

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// A random public name.
    pub key: String,
    /// The hash of its first refresh token.
    pub refresh_hash: RefreshHash,
    /// Where the login came from.
    pub client: ClientInfo,
    /// When the refresh token runs out.
    pub expires_at: Timestamp,
    /// How many live sessions the account may have, this one included. Those that were not used for
    /// the longest time end to make room. `None` for any number.
    pub at_most: Option<NonZeroU32>,
}

/// The answer to [`OtpStore::redeem_code`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// The code is used up, the account exists, the session is open.
    LoggedIn {
        /// The account, perhaps new.
        user: User,
        /// The new session.
        session: SessionId,
        /// Whether the account was made just now.
        is_new: bool,
    },
    /// Somebody else redeemed, or the code was withdrawn or has ended. Nothing was changed.
    AlreadyUsed,
    /// There is no account in that group and none may be made. Nothing was changed.
    SignUpClosed,
    /// The account is not active. Nothing was changed.
    Inactive,
}

/// One-time codes: at most one a number.
#[async_trait]
pub trait OtpStore: Send + Sync {
    /// Keeps `code` unless a code of its number is live at `code.created_at`. A code stays live until
    /// it ends, is withdrawn or redeemed: one whose tries are used up still holds its place, so that
    /// guessing never buys another SMS.
    async fn reserve_code(&self, code: &NewCode) -> StoreResult<Reservation>;

    /// Forgets a reserved code, if it is still that one.
    async fn withdraw_code(&self, mobile_number: MobileNumber, id: CodeId) -> StoreResult<()>;

    /// Counts one try against the number's live code and gives its hash, unless `max_attempts` were
    /// counted before. `None` for no code, an ended one and one whose tries are used up.
    async fn count_attempt(
        &self,
        mobile_number: MobileNumber,
        now: Timestamp,
        max_attempts: u32,
    ) -> StoreResult<Option<CountedCode>>;

    /// Uses the code up, finds or makes the account and opens the session: all of it or nothing.
    /// Of any number of calls with one code, exactly one is answered with
    /// [`Redeemed::LoggedIn`].
    async fn redeem_code(&self, id: CodeId, login: &NewLogin) -> StoreResult<Redeemed>;
}

/// Accounts.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// The account with that id.
    async fn find_user(&self, id: UserId) -> StoreResult<Option<User>>;

    /// The account that others see under exactly that name.
    async fn find_user_by_name(&self, username: &str) -> StoreResult<Option<User>>;

    /// Whether the number has an active account in any group.
    async fn is_known_number(&self, mobile_number: MobileNumber) -> StoreResult<bool>;

    /// Lets an account in or keeps it out, which is a [change](AccountChanges). False when there is
    /// none.
    async fn set_user_active(&self, id: UserId, active: bool, now: Timestamp) -> StoreResult<bool>;
}

/// Accounts, as an operator looks for them.
#[async_trait]
pub trait UserSearch: Send + Sync {
    /// The number's accounts, active or not, by their groups.
    async fn find_users_with_number(&self, mobile_number: MobileNumber) -> StoreResult<Vec<User>>;

    /// The account of exactly that name.
    async fn find_user_named(&self, username: &str) -> StoreResult<Option<User>>;
}

/// The place of a change in the sequence of all changes: 1 for the first, and each one more than the one
/// committed before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChangeNumber(pub i64);

/// Something about an account is not as it was: a session was ended, or the account itself was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountChange {
    /// Its place.
    pub number: ChangeNumber,
    /// Whose.
    pub user: UserId,
}

/// How long a change can be read.
pub const CHANGES_KEPT: Duration = Duration::from_secs(60 * 60);

/// What happened to accounts that others may remember otherwise: every call that ends sessions or changes
/// an account adds, in the same transaction, a change that names it. A call that ends nothing adds none.
///
/// The numbers have no gaps and are those of the commits' order, so whoever has read up to one has missed
/// nothing before it.
#[async_trait]
pub trait AccountChanges: Send + Sync {
    /// The number of the newest change; 0 before the first.
    async fn newest_change(&self) -> StoreResult<ChangeNumber>;

    /// The first changes after that one, at most `limit`, in their order. `None` when they cannot be told:
    /// one of them was [purged](Maintenance::purge), or the number is larger than the newest, as after the
    /// return to an older copy of the database.
    async fn changes_after(
        &self,
        after: ChangeNumber,
        limit: u32,
    ) -> StoreResult<Option<Vec<AccountChange>>>;
}

/// A refresh token to be exchanged for its successor.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The token's session.
    pub session: SessionId,
    /// The hash of the token that was presented.
    pub presented: RefreshHash,
    /// Its successor; `None` where tokens do not rotate, and the token and its end stay as they are.
    pub successor: Option<Successor>,
    /// Where the request came from.
    pub client: ClientInfo,
    /// Now.
    pub now: Timestamp,
}

/// What a refresh token is exchanged for.
#[derive(Clone, Debug)]
pub struct Successor {
    /// Its hash, unless the token was exchanged before.
    pub hash: RefreshHash,
    /// When the session ends now.
    pub expires_at: Timestamp,
    /// A token that was exchanged then or later may be exchanged again, for the same successor, until
    /// that one is exchanged itself. `None` for never.
    pub repeat_since: Option<Timestamp>,
}

/// The answer to [`SessionStore::rotate_refresh`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The successor is the session's only good refresh token.
    Done {
        /// Its hash: that of the rotation, or of the first one if this is a repetition. Where tokens do
        /// not rotate, that of the token itself.
        successor: RefreshHash,
        /// When the token was exchanged for it: now, or earlier if this is a repetition.
        at: Timestamp,
    },
    /// The token was exchanged before and may not be again. The session is ended, and that is
    /// committed.
    Reused,
    /// The session has ended or never was.
    Gone,
}

/// The answer to [`SessionStore::adopt_session`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// The session.
    pub session: SessionId,
    /// The hash of its refresh token: the given one, or the first one if this is a repetition.
    pub refresh_hash: RefreshHash,
    /// When it was opened: now, or earlier if this is a repetition.
    pub at: Timestamp,
}

/// Sessions. Where one is ended, that is a [change](AccountChanges) of its account.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// The session and its account, live or not.
    async fn find_session(&self, id: SessionId) -> StoreResult<Option<(Session, User)>>;

    /// The account's live sessions, the newest login first; none for an account that is not active.
    async fn list_sessions(&self, user: UserId, now: Timestamp) -> StoreResult<Vec<Session>>;

    /// Notes where and when a session was last used.
    async fn touch_session(
        &self,
        id: SessionId,
        client: &ClientInfo,
        now: Timestamp,
    ) -> StoreResult<()>;

    /// Exchanges a refresh token for its successor, which ends the life of the token before it. The
    /// token that was exchanged last may be exchanged again, as [`Successor::repeat_since`] says, and
    /// changes nothing but the last use then: of any number of calls at once with one token, all are
    /// answered with the same [`Rotated::Done`], or, where no repetition is allowed, exactly one.
    async fn rotate_refresh(&self, rotation: &Rotation) -> StoreResult<Rotated>;

    /// Opens a session for a refresh token that another service signed, exactly once for each
    /// `session.key`. When the account's live session has that key and still its first refresh token,
    /// and was opened at `repeat_since` or later, it is given again. Otherwise `None` when a session has
    /// or had that key, as long as its row is kept ([`Maintenance::purge`]): the token was used twice,
    /// so that session, if it is the account's, is ended, and that is committed. An account that does
    /// not exist is a [`StoreError::Fault`].
    async fn adopt_session(
        &self,
        user: UserId,
        session: &NewSession,
        repeat_since: Option<Timestamp>,
        now: Timestamp,
    ) -> StoreResult<Option<Adopted>>;

    /// Ends one of the account's live sessions. False when it has no such one.
    async fn end_session(&self, user: UserId, id: SessionId, now: Timestamp) -> StoreResult<bool>;

    /// Ends all of the account's live sessions but `keep`. How many there were.
    async fn end_sessions(
        &self,
        user: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> StoreResult<u64>;
}

/// The id of a row in the log of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SmsId(pub i64);

/// What a message was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SmsPurpose {
    /// A one-time code.
    Code,
    /// A message that a user or the operator sent.
    Message,
}

/// What became of a message, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SmsStatus {
    /// Handed to the provider; no answer yet.
    Sending,
    /// The provider accepted it.
    Accepted,
    /// Not sent, for certain.
    NotSent,
    /// Perhaps sent.
    Unknown,
}

/// One attempt to send a message by one provider, about to be made. Its text is never kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSms {
    /// The receiver; [`MobileNumber::ERASED`] once its account was deleted.
    pub mobile_number: MobileNumber,
    /// The provider's name.
    pub provider: String,
    /// What it is for.
    pub purpose: SmsPurpose,
    /// Who asked for it; `None` for a code.
    pub user: Option<UserId>,
    /// The number of billed parts, where it is known.
    pub parts: Option<u32>,
    /// The id under which the provider can be asked for it.
    pub local_id: Option<LocalId>,
    /// The request with an idempotency key that it belongs to.
    pub request: Option<SmsRequestId>,
    /// The earlier attempt of the same message that was perhaps sent: the receiver may get both.
    pub may_repeat: Option<SmsId>,
    /// Now.
    pub created_at: Timestamp,
}

/// What is known of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsOutcome {
    /// What became of it.
    pub status: SmsStatus,
    /// The provider's id of the message.
    pub provider_id: Option<String>,
    /// The provider's own code: of its refusal, or of the last delivery report.
    pub provider_code: Option<String>,
    /// What it costs, in rial.
    pub cost_rial: Option<i64>,
    /// The provider's last word on the delivery; `None` before the first.
    pub delivery: Option<Delivery>,
    /// How often the provider was asked what became of it.
    pub checks: u32,
    /// When to ask next; `None` for never.
    pub check_at: Option<Timestamp>,
    /// Now.
    pub at: Timestamp,
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsRecord {
    /// Unique, growing.
    pub id: SmsId,
    /// What was to be sent.
    pub sms: NewSms,
    /// What became of it; its time is that of the last change.
    pub outcome: SmsOutcome,
}

/// One line of the bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsTotal {
    /// The provider's name.
    pub provider: String,
    /// What became of these messages.
    pub status: SmsStatus,
    /// What became of those that were accepted.
    pub delivery: Option<Delivery>,
    /// How many there are.
    pub messages: u64,
    /// Their parts, as far as known; a message of unknown length counts as one.
    pub parts: u64,
    /// Their cost in rial, as far as the provider told it.
    pub cost_rial: i64,
}

/// The log of all messages: the owner's side of the provider's bill, and what a crash leaves to find
/// out.
#[async_trait]
pub trait SmsLog: Send + Sync {
    /// Notes an attempt before it is handed to the provider, with status [`SmsStatus::Sending`]. If it
    /// is not settled at `check_at`, its process has died, and it is to be looked after. An account
    /// that does not exist is a [`StoreError::Fault`].
    async fn log_sms(&self, sms: &NewSms, check_at: Timestamp) -> StoreResult<SmsId>;

    /// Notes what the provider said to who sent it, whatever was noted before. What the outcome does not
    /// say is not known any more.
    async fn settle_sms(&self, id: SmsId, outcome: &SmsOutcome) -> StoreResult<()>;

    /// At most `limit` of the attempts whose `check_at` is `now` or earlier, the earliest first; theirs is
    /// now `until`, so that nobody else is given them before.
    async fn claim_due_sms(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> StoreResult<Vec<SmsRecord>>;

    /// Notes what was found out about a claimed attempt. False, and nothing is changed, when it was
    /// settled or claimed again since: its `check_at` is no longer `claimed_until`.
    async fn resolve_sms(
        &self,
        id: SmsId,
        claimed_until: Timestamp,
        outcome: &SmsOutcome,
    ) -> StoreResult<bool>;

    /// The newest attempts, newest first, older than `before` if given.
    async fn recent_sms(&self, before: Option<SmsId>, limit: u32) -> StoreResult<Vec<SmsRecord>>;

    /// The bill of all attempts made at `since` or later: one line for each provider, status and
    /// delivery that occurs, in any order. A sum that is too large for its type is a
    /// [`StoreError::Fault`], never a wrong one.
    async fn total_sms(&self, since: Timestamp) -> StoreResult<Vec<SmsTotal>>;
}

/// The id of a request with an idempotency key. Never used again, because the log keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SmsRequestId(pub i64);

/// A request to send one message, under a key of the caller's: the same key is the same message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSmsRequest {
    /// Whose key it is.
    pub user: UserId,
    /// The key.
    pub key: String,
    /// A keyed hash of what is to be sent.
    pub fingerprint: [u8; 32],
    /// Now.
    pub now: Timestamp,
}

/// The answer to [`SmsRequests::claim_sms_request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsClaim {
    /// Send it: the key is new, or what was sent under it certainly did not leave.
    Yours(SmsRequestId),
    /// Send nothing: this became of the message ([`SmsStatus::Sending`]: somebody is at it).
    Taken(SmsStatus),
    /// Send nothing: the key belongs to another message.
    OtherMessage,
}

/// Requests with an idempotency key.
#[async_trait]
pub trait SmsRequests: Send + Sync {
    /// Claims the right to send the message of a key. Of any number of calls with one key exactly one
    /// is answered with [`SmsClaim::Yours`], until that one is settled as [`SmsStatus::NotSent`];
    /// then again exactly one. An account that does not exist is a [`StoreError::Fault`].
    async fn claim_sms_request(&self, request: &NewSmsRequest) -> StoreResult<SmsClaim>;

    /// Notes what became of the message. [`SmsStatus::NotSent`] opens the key for another try.
    async fn settle_sms_request(&self, id: SmsRequestId, status: SmsStatus) -> StoreResult<()>;

    /// Settles a request anew that is [`SmsStatus::Unknown`] and whose attempts are known by now: none of
    /// them is [`SmsStatus::Sending`]. The best of them decides, as in
    /// [`resolve_sms_requests`](Self::resolve_sms_requests). A request in any other status, and one that
    /// does not exist, stays as it is.
    async fn resolve_sms_request(&self, id: SmsRequestId) -> StoreResult<()>;

    /// Settles the requests whose process died: those claimed before `claimed_before`, still
    /// [`SmsStatus::Sending`] and without an attempt in that status. The best of their attempts
    /// decides: one accepted, else one unknown, else (or without any) not sent. How many there were.
    async fn resolve_sms_requests(&self, claimed_before: Timestamp) -> StoreResult<u64>;
}

/// Something to be taken from a limited supply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// What is limited, and for whom: `sms/hour`.
    pub key: String,
    /// How much.
    pub amount: u64,
    /// How much may be taken in one window; the part of it that this caller may use up to.
    pub limit: u64,
    /// How long a window is. It begins with the first take, be it of 0; later ones do not move its end.
    pub window: Duration,
}

/// How much was taken from one supply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// All that was taken in this window, this included.
    pub total: u64,
    /// When the window ends.
    pub ends_at: Timestamp,
}

/// The answer to [`RateStore::take`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakeResult {
    /// All was taken; one answer for each, in their order.
    Taken(Vec<Taken>),
    /// Nothing was taken: there is too little of this one.
    Exhausted {
        /// Its place among those asked for; with several, the one that lasts longest.
        index: usize,
        /// When its window ends.
        ends_at: Timestamp,
    },
}

/// A change of what was taken from one supply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The supply.
    pub key: String,
    /// When the window ends in which it was taken.
    pub ends_at: Timestamp,
    /// How much more was taken than was counted; less than 0 gives back.
    pub change: i64,
}

/// Counters of what may happen only so often.
#[async_trait]
pub trait RateStore: Send + Sync {
    /// Takes all of it or nothing; a take that is refused begins no window. An amount larger than the
    /// limit is never there, and one of 0 is as long as no more than the limit was taken. A key that
    /// is there twice is a [`StoreError::Fault`].
    async fn take(&self, takes: &[Take], now: Timestamp) -> StoreResult<TakeResult>;

    /// Corrects what was taken, all of it or nothing, down to 0 and beyond any limit, each in the window
    /// that ends at its `ends_at`; if that was purged, or has ended and another one begun, that one is
    /// left out. A total never wraps: it stops at the largest that the store has.
    async fn correct(&self, corrections: &[Correction]) -> StoreResult<()>;
}

/// How long an idempotency key stands for its message.
pub const REQUESTS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Housekeeping.
#[async_trait]
pub trait Maintenance: Send + Sync {
    /// Answers when the database does.
    async fn ping(&self) -> StoreResult<()>;

    /// Removes at most `limit` each of the codes, sessions and windows of counters that ended by `now`,
    /// of the changes that were made [`CHANGES_KEPT`] before `now`, of the requests with an idempotency key
    /// that were claimed [`REQUESTS_KEPT`] before `now` and settled, and of what a store has left of the
    /// logs of deleted rooms, and says how many rows it removed. A session that was ended early keeps its
    /// row until its refresh token runs out.
    async fn purge(&self, now: Timestamp, limit: u32) -> StoreResult<u64>;

    /// Removes at most `limit` of the attempts in the log of messages that were made before that point,
    /// and says how many. One that is still to be looked after stays, and so do those of a request with
    /// an idempotency key that is still kept, which they decide.
    async fn purge_sms(&self, made_before: Timestamp, limit: u32) -> StoreResult<u64>;
}
