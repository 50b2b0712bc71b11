//! The core of chelseru: phone-number login by SMS one-time password, JWT tokens, a user's sessions,
//! and SMS policy. It knows no web framework, no database and no HTTP client, and reads neither the
//! clock nor the environment by itself.
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`Chelseru`] | the service: codes, logins, sessions, tokens, messages |
//! | [`api`] | the documented routes without HTTP, for adapters |
//! | [`chat`] | rooms, messages and the frames of the chat sockets |
//! | [`config`] | the settings |
//! | [`events`] | what happens, as a stream |
//! | [`sms`] | what a provider promises |
//! | [`store`] | what a store promises, and one in memory |
//! | `testing` | for tests, behind the feature of that name |
//!
//! An application uses it through chelseru-actix, chelseru-diesel and chelseru-sms.

pub mod api;
pub mod chat;
mod clock;
pub mod config;
mod device;
mod digits;
mod error;
pub mod events;
mod keyed_hash;
mod mobile;
mod otp;
mod password;
mod random;
mod secret;
mod service;
mod session;
pub mod sms;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod token;
mod user;
mod username;

pub use crate::clock::{Clock, SystemClock, Timestamp};
pub use crate::config::{Config, ConfigError};
pub use crate::device::Client;
pub use crate::error::Error;
pub use crate::mobile::{InvalidMobileNumber, MobileNumber};
pub use crate::otp::{Code, InvalidCode};
pub use crate::password::{InvalidPassword, Password, PasswordHash, WeakPassword};
pub use crate::secret::Secret;
pub use crate::service::{
    AccountChangeStream, AccountsChanged, Balance, ChatUpkeep, Chelseru, ChelseruBuilder,
    CurrentUser, GroupDraft, HousekeepingClaim, IdempotencyKey, IntoProviders, IntoShared,
    InvalidIdempotencyKey, Login, LogoutScope, Message, PasswordLogin, PasswordResetting, Post,
    Posted, Profile, ProviderHealth, Registration, RoomUpdate, RoomView, SessionView, WatchClaim,
};
pub use crate::session::{ClientInfo, RefreshHash, ReplacedToken, Session, SessionId};
pub use crate::token::{TokenError, TokenPair, TokenType};
pub use crate::user::{User, UserId};
pub use crate::username::{InvalidUsername, Username};
