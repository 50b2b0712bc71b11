//! Phone-number login by SMS one-time password, sessions, tokens and SMS policy.
#![doc = ""]

mod clock;
pub mod config;
mod digits;
mod mobile;
mod secret;
mod session;
pub mod sms;
pub mod store;
mod user;

pub use crate::clock::{Clock, SystemClock, Timestamp};
pub use crate::config::{Config, ConfigError};
pub use crate::mobile::{InvalidMobileNumber, MobileNumber};
pub use crate::secret::Secret;
pub use crate::session::{ClientInfo, RefreshHash, Session, SessionId};
pub use crate::user::{User, UserId};
