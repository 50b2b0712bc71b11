//! For tests: a clock that is set, a provider that records, key pairs, and the conformance suite for stores.

mod clock;
pub mod conformance;
mod key_pair;
mod stub_sms;

pub use self::clock::ManualClock;
pub use self::key_pair::KeyPair;
pub use self::stub_sms::StubProvider;
pub use crate::password::PasswordWork;
