//! The store on real databases: what every store promises, and what these two add.

mod accounts;
mod cancellation;
mod common;
mod conformance;
mod errors;
mod opening;
mod outages;
mod processes;
mod upgrades;
