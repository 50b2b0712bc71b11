//! What the tests of the whole system share: the real server on a real socket over a real database,
//! with a clock that is set and a provider that records.
//!
//! A behaviour is one async function that takes a [`Database`]; [`on_both_databases!`] makes two tests
//! of it. SQLite needs nothing; PostgreSQL needs a server, see [`POSTGRES_URL`].

#![allow(
    clippy::missing_panics_doc,
    reason = "everything here panics when a test has failed"
)]

mod answer;
mod browser;
mod call;
mod database;
mod folder;
mod kernel;
pub mod providers;
mod proxy;
mod raw;
mod run;
mod server;
mod slow_provider;
mod socket;
mod users;

pub use crate::answer::Answer;
pub use crate::browser::Browser;
pub use crate::call::Call;
pub use crate::database::{Database, POSTGRES_URL, TestDatabase};
pub use crate::kernel::{has_connection, memory_kib};
pub use crate::providers::{FakeProvider, FakeProviders, Fault, Injected, SentSms};
pub use crate::proxy::Proxy;
pub use crate::raw::{exchange, open};
pub use crate::run::{run, until};
pub use crate::server::{SIGNING_KEY, Setup, TestServer};
pub use crate::slow_provider::SlowProvider;
pub use crate::socket::ChatSocket;
pub use crate::users::{Tokens, another_code, log_in, log_in_with, send_code};

/// The application that the README shows is compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
