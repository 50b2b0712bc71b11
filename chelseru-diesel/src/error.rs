//! What went wrong, in words that hold no row's data and no password.

use chelseru_core::store::StoreError;
use diesel::result::{DatabaseErrorKind, Error};

/// Why a database could not be opened. The text says all of it, and never shows the URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL is not one that a store can be opened from.
    #[error("the database URL is wrong: {0}")]
    Url(String),
    /// The database cannot be reached or is busy. Trying later may help.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Anything else: no rights, no folder, a migration that fails.
    #[error("the database cannot be opened: {0}")]
    Fault(String),
}

/// Why a call failed. Unlike [`StoreError`] it can be given to all callers that a failure concerns.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    message: String,
    is_passing: bool,
}

impl Failure {
    /// Trying later may help.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            is_passing: true,
        }
    }

    /// Trying later will not help.
    pub(crate) fn fault(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            is_passing: false,
        }
    }

    pub(crate) fn is_passing(&self) -> bool {
        self.is_passing
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        if failure.is_passing {
            Self::Unavailable(Box::new(failure))
        } else {
            Self::Fault(Box::new(failure))
        }
    }
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        if failure.is_passing {
            Self::Unavailable(failure.message)
        } else {
            Self::Fault(failure.message)
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            // Only the message: PostgreSQL's details quote the row.
            Error::DatabaseError(kind, information) => {
                let message = information.message().to_owned();
                let is_passing = is_passing(kind, &message);
                Self {
                    message,
                    is_passing,
                }
            }
            Error::BrokenTransactionManager => Self::unavailable("the connection broke"),
            other => Self::fault(other.to_string()),
        }
    }
}

/// Whether the statement was fine and only the moment was not.
fn is_passing(kind: DatabaseErrorKind, message: &str) -> bool {
    // Neither driver passes the database's own code on, so what has no kind is told by its text.
    const PASSING: [&str; 9] = [
        "database is locked",
        "database table is locked",
        "canceling statement due to",
        "terminating connection due to",
        "the database system is",
        "deadlock detected",
        "remaining connection slots",
        "too many clients",
        "too many connections",
    ];
    match kind {
        DatabaseErrorKind::UnableToSendCommand
        | DatabaseErrorKind::ClosedConnection
        | DatabaseErrorKind::SerializationFailure
        // A server that became a standby: its successor is elsewhere soon.
        | DatabaseErrorKind::ReadOnlyTransaction => true,
        DatabaseErrorKind::Unknown => PASSING.iter().any(|text| message.contains(text)),
        _ => false,
    }
}

/// Whether SQLite may have rolled the whole transaction back, not the statement alone.
pub(crate) fn spoils_transaction(error: &Error) -> bool {
    match error {
        Error::DatabaseError(kind, _) => !matches!(
            kind,
            DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::CheckViolation
        ),
        Error::BrokenTransactionManager
        | Error::RollbackErrorOnCommit { .. }
        | Error::RollbackTransaction
        | Error::AlreadyInTransaction
        | Error::NotInTransaction => true,
        _ => false,
    }
}
