//! What the owner of an account changes about it.

use async_trait::async_trait;

use super::{CodeId, StoreResult};
use crate::clock::Timestamp;
use crate::mobile::MobileNumber;
use crate::session::SessionId;
use crate::user::{User, UserId};
use crate::username::Username;

/// A username for an account.
#[derive(Clone, Debug)]
pub struct Rename {
    /// Whose.
    pub user: UserId,
    /// The name that its owner has chosen.
    pub username: Username,
    /// Now.
    pub now: Timestamp,
}

/// The answer to [`ProfileStore::rename_user`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renamed {
    /// The account has the name.
    Done(User),
    /// Another account has the name or one that looks like it, or had it when it was deleted. Nothing
    /// was changed.
    Taken,
    /// There is no such account, or it is not active. Nothing was changed.
    Gone,
}

/// A number for an account.
#[derive(Clone, Debug)]
pub struct NumberChange {
    /// Whose.
    pub user: UserId,
    /// The number, whose code it was.
    pub mobile_number: MobileNumber,
    /// A name that is replaced with the number, if the account still has it: one that says the old
    /// number.
    pub username: Option<NameReplacement>,
    /// The session that does not end.
    pub keep: Option<SessionId>,
    /// Now.
    pub now: Timestamp,
}

/// A name that the service made, for another one that it made.
#[derive(Clone, Debug)]
pub struct NameReplacement {
    /// The name before.
    pub from: String,
    /// The name after.
    pub to: String,
}

/// The answer to [`ProfileStore::change_number`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberChanged {
    /// The code is used up, the account has the number, and its other sessions have ended.
    Done(User),
    /// Somebody else used the code, or it was withdrawn or has ended. Nothing was changed.
    AlreadyUsed,
    /// The number has an account in that group. Nothing was changed.
    Taken,
    /// There is no such account, or it is not active. Nothing was changed.
    Gone,
}

/// The end of an account.
#[derive(Clone, Debug)]
pub struct Deletion {
    /// Whose.
    pub user: UserId,
    /// Its number, whose code it was.
    pub mobile_number: MobileNumber,
    /// Now.
    pub now: Timestamp,
}

/// What the owner of an account changes about it. The generated names of new accounts have no part in
/// this: a [`Username`] is never one of them.
#[async_trait]
pub trait ProfileStore: Send + Sync {
    /// Gives the account a name. Of any number of calls at once with names of one
    /// [key](Username::key), for different accounts, one at most is answered with [`Renamed::Done`]. The
    /// name that it had is free again.
    async fn rename_user(&self, rename: &Rename) -> StoreResult<Renamed>;

    /// Uses the code up, gives the account the number and ends its sessions but the one to keep: all of
    /// it or nothing. Of any number of calls at once with one number, for different accounts of one
    /// group, one at most is answered with [`NumberChanged::Done`].
    async fn change_number(
        &self,
        code: CodeId,
        change: &NumberChange,
    ) -> StoreResult<NumberChanged>;

    /// Uses the code up and removes the account with its sessions and its requests: all of it or nothing.
    /// Nobody is given its id again, or the name that its owner has chosen. The attempts in the log of
    /// messages stay, those to the number with [`MobileNumber::ERASED`] in its place. False, and nothing
    /// is changed, when the code was used, withdrawn or has ended, or there is no active account of that
    /// id and number.
    async fn delete_user(&self, code: CodeId, deletion: &Deletion) -> StoreResult<bool>;
}
