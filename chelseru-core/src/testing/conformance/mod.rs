//! What every store must do, one test a behaviour, the races included.
//!
//! [`store_conformance!`](crate::store_conformance) expands the whole suite over a store of yours:
//!
//! ```
//! use chelseru_core::store::MemoryStore;
//!
//! // A future that gives a fresh, empty store, and whatever must live as long as it does: the guard
//! // of a temporary folder, or `()`.
//! async fn open() -> (MemoryStore, ()) {
//!     (MemoryStore::new(), ())
//! }
//!
//! mod in_memory {
//!     chelseru_core::store_conformance!(super::open());
//! }
//!
//! mod when_asked_for {
//!     chelseru_core::store_conformance!(super::open(), #[ignore = "needs a database"]);
//! }
//! # fn main() {}
//! ```
//!
//! Nothing else is needed: the suite brings its own tokio runtime, with several threads, because
//! tasks that only take turns do not race. Each test gets a store of its own, so all may run at once.

#![allow(missing_docs, reason = "the tests' names are the sentences")]
#![allow(clippy::missing_panics_doc, reason = "that is how a test fails")]

mod changes;
mod chat_attachments;
mod chat_fixture;
mod chat_log;
mod chat_members;
mod chat_messages;
mod chat_rooms;
mod fixture;
mod logins;
mod macros;
mod maintenance;
mod otp;
mod passwords;
mod profiles;
mod rates;
mod sessions;
mod sms_checks;
mod sms_log;
mod sms_requests;
mod users;

pub use self::changes::*;
pub use self::chat_attachments::*;
pub use self::chat_log::*;
pub use self::chat_members::*;
pub use self::chat_messages::*;
pub use self::chat_rooms::*;
pub use self::fixture::{SharedStore, run};
pub use self::logins::*;
pub use self::maintenance::*;
pub use self::otp::*;
pub use self::passwords::*;
pub use self::profiles::*;
pub use self::rates::*;
pub use self::sessions::*;
pub use self::sms_checks::*;
pub use self::sms_log::*;
pub use self::sms_requests::*;
pub use self::users::*;
