//! The providers against a scripted server on a loopback socket: what they send, and what they make
//! of every answer.

mod capabilities;
mod console;
mod kavenegar;
mod meli_payamak;
mod parsian;
mod secrets;
mod server;
mod setup;
mod time;
mod transport;
