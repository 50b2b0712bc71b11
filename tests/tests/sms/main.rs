//! The providers against a scripted server on a loopback socket: what they send, and what they make
//! of every answer; and against servers that behave as the real ones, in `fakes`.

mod capabilities;
mod console;
mod fakes;
mod kavenegar;
mod meli_payamak;
mod parsian;
mod parts;
mod secrets;
mod server;
mod setup;
mod time;
mod transport;
