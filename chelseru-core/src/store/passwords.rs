//! Accounts that have a password.

use async_trait::async_trait;

use super::{CodeId, NewSession, StoreResult};
use crate::clock::Timestamp;
use crate::mobile::MobileNumber;
use crate::password::PasswordHash;
use crate::session::SessionId;
use crate::user::{User, UserId};

/// How an account is named by who wants to use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountName {
    /// By its id, which only its tokens say.
    Id(UserId),
    /// By its number and group.
    Number {
        /// The number.
        mobile_number: MobileNumber,
        /// The group.
        group: i64,
    },
    /// By its username.
    Username {
        /// As it is kept.
        name: String,
        /// The [key](crate::Username::key) of one that may be chosen: then any name with this key is meant.
        key: Option<String>,
    },
}

/// An account and the hash of its password; `None` for an account that has no password.
pub type KnownPassword = (User, Option<PasswordHash>);

/// An account with a password, to be made when the code that was sent for it turns out right.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Whose code it was.
    pub mobile_number: MobileNumber,
    /// The account's group.
    pub group: i64,
    /// Its username.
    pub username: String,
    /// The [key](crate::Username::key) of a name that was chosen, which no other account has or had.
    pub username_key: Option<String>,
    /// The hash of its password.
    pub password: PasswordHash,
    /// The session to open.
    pub session: NewSession,
    /// Now.
    pub now: Timestamp,
}

/// The answer to [`PasswordStore::register`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The code is used up, the account is made, the session is open.
    Done {
        /// The account.
        user: User,
        /// The new session.
        session: SessionId,
    },
    /// Somebody else used the code, or it was withdrawn or has ended. Nothing was changed.
    AlreadyUsed,
    /// The number has an account in that group. Nothing was changed.
    NumberTaken,
    /// Another account has the username. Nothing was changed.
    UsernameTaken,
}

/// A login whose password was right.
#[derive(Clone, Debug)]
pub struct PasswordSession {
    /// Whose.
    pub user: UserId,
    /// The hash that the password was compared with.
    pub verified: PasswordHash,
    /// What takes its place; `None` to leave it.
    pub replacement: Option<PasswordHash>,
    /// The session to open.
    pub session: NewSession,
    /// Now.
    pub now: Timestamp,
}

/// Another password for an account whose present one is known.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// Whose.
    pub user: UserId,
    /// The hash that the present password was compared with.
    pub from: PasswordHash,
    /// The hash of the next one.
    pub to: PasswordHash,
    /// The session that does not end.
    pub keep: Option<SessionId>,
    /// Now.
    pub now: Timestamp,
}

/// A password for an account whose number was proven by a code.
#[derive(Clone, Debug)]
pub struct NewPassword {
    /// Whose code it was.
    pub mobile_number: MobileNumber,
    /// The account's group.
    pub group: i64,
    /// The hash of the password.
    pub password: PasswordHash,
    /// The session to open.
    pub session: NewSession,
    /// Now.
    pub now: Timestamp,
}

/// The answer to [`PasswordStore::reset_password`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordReset {
    /// The code is used up, the account has the password, all its sessions have ended but the new one.
    Done {
        /// The account.
        user: User,
        /// The new session.
        session: SessionId,
    },
    /// Somebody else used the code, or it was withdrawn or has ended. Nothing was changed.
    AlreadyUsed,
    /// The number has no account in that group. Nothing was changed.
    NoAccount,
    /// The account is not active. Nothing was changed.
    Inactive,
}

/// Passwords. A store keeps their hashes as they are given, and shows them to nobody else.
#[async_trait]
pub trait PasswordStore: Send + Sync {
    /// The account of that name, active or not, with the hash of its password.
    async fn find_password(&self, name: &AccountName) -> StoreResult<Option<KnownPassword>>;

    /// Uses the code up, makes the account and opens the session: all of it or nothing. Of any number of
    /// calls for one number and group, and of any number with one username, one at most is answered with
    /// [`Registered::Done`].
    async fn register(&self, code: CodeId, account: &NewAccount) -> StoreResult<Registered>;

    /// Opens the session and replaces the hash, if the account is active and its hash is still the one
    /// that was verified. `None`, and nothing is changed, otherwise.
    async fn open_password_session(
        &self,
        login: &PasswordSession,
    ) -> StoreResult<Option<SessionId>>;

    /// Replaces the hash, if the account is active and its hash is still the one that the change begins
    /// with, and ends all of its sessions but the one to keep. False, and nothing is changed, otherwise.
    async fn change_password(&self, change: &PasswordChange) -> StoreResult<bool>;

    /// Uses the code up, gives the account the password, whether it had one or not, ends all of its
    /// sessions and opens the new one: all of it or nothing.
    async fn reset_password(
        &self,
        code: CodeId,
        password: &NewPassword,
    ) -> StoreResult<PasswordReset>;
}
