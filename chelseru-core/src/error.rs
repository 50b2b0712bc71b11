//! What can go wrong for a caller: one type, from which [`api`](crate::api) makes every error answer.

use std::time::Duration;

use crate::chat::{BlobError, ChatError};
use crate::events::Limit;
use crate::password::WeakPassword;
use crate::sms::SmsError;
use crate::store::StoreError;
use crate::token::TokenError;

/// Why a request could not be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A code was sent before and is still valid.
    #[error("a code was sent before and is valid for {} s more", .wait.as_secs())]
    CodeStillValid {
        /// How long it is still valid.
        wait: Duration,
    },
    /// Wrong, expired, used up or never sent: a caller cannot tell which.
    #[error("the code is not right")]
    WrongCode,
    /// No account in that group, and none may be made there.
    #[error("no account may be made in that group")]
    SignUpClosed,
    /// There is no active account of that name with that password: a caller cannot tell which is wrong.
    #[error("no active account has that name and password")]
    NoActiveAccount,
    /// The number has an account in that group already. Told only to who has proven the number.
    #[error("the number has an account in that group")]
    NumberTaken,
    /// The number has no account in that group. Told only to who has proven the number.
    #[error("the number has no account in that group")]
    NoAccount,
    /// Another account has the username. Told only to who may have one.
    #[error("the username is taken")]
    UsernameTaken,
    /// The present password is another one.
    #[error("the present password is another one")]
    WrongPassword,
    /// The password is one that others guess.
    #[error("{0}")]
    WeakPassword(#[from] WeakPassword),
    /// More passwords are waiting to be hashed than can be in a short time.
    #[error("too many passwords are being hashed")]
    Overloaded,
    /// The settings do not accept the number. Nothing was sent.
    #[error("the number is not accepted")]
    NumberNotAccepted,
    /// The token is good but its account is gone.
    #[error("the account does not exist")]
    UserNotFound,
    /// The account may not log in.
    #[error("the account is not active")]
    UserInactive,
    /// A request that needs an access token came without one.
    #[error("no access token was given")]
    NotAuthenticated,
    /// The access token of a request is not accepted.
    #[error("access token: {0}")]
    AccessToken(TokenError),
    /// A token in a request's body is not accepted.
    #[error("{0}")]
    Token(TokenError),
    /// The way of logging in is none of the configured ones.
    #[error("this way of logging in is not configured")]
    MethodNotConfigured,
    /// There is no such thing, or it belongs to somebody else.
    #[error("not found")]
    NotFound,
    /// The message was not accepted by the provider.
    #[error("SMS: {0}")]
    Sms(#[from] SmsError),
    /// The message may have been sent; `wait` is how long its code is valid.
    #[error("SMS: {error}")]
    CodePerhapsSent {
        /// What is known.
        error: SmsError,
        /// How long the code is valid, and so how long until the next.
        wait: Duration,
    },
    /// The service has sent as many messages as it may for now. Nothing was sent.
    #[error("the SMS budget is used up for {} s more", .wait.as_secs())]
    OverBudget {
        /// How long until there is something to send with.
        wait: Duration,
    },
    /// The account may not do this.
    #[error("the account may not do this")]
    PermissionDenied,
    /// Too often for this number, this client address or this account. Nothing was sent, and no code was
    /// looked at.
    #[error("{} is reached, for {} s more", .limit.key(), .wait.as_secs())]
    LimitReached {
        /// Which limit.
        limit: Limit,
        /// How long until there is room again.
        wait: Duration,
    },
    /// The message of this idempotency key is being sent. Nothing more was sent.
    #[error("a request with this idempotency key is in progress")]
    RequestInProgress,
    /// Nobody knows whether the message of this idempotency key was sent. Nothing more was sent.
    #[error("the message of this idempotency key may have been sent")]
    SentUnderKey,
    /// The idempotency key was used for another message. Nothing was sent.
    #[error("this idempotency key belongs to another message")]
    KeyOfAnotherMessage,
    /// Something was not done in a chat.
    #[error(transparent)]
    Chat(#[from] ChatError),
    /// There is no place for files: uploads are off.
    #[error("files are not configured")]
    NoFiles,
    /// The place for files failed.
    #[error(transparent)]
    Files(#[from] BlobError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
