//! For tests: a clock that is set, a provider that records, and the conformance suite for stores.

mod clock;
pub mod conformance;
mod stub_sms;

pub use self::clock::ManualClock;
pub use self::stub_sms::StubProvider;
