//! The bundled server as its users meet it: the real binary, started with settings, called over HTTP,
//! stopped with signals.

mod dump;
mod harness;
mod inbox;
mod killed;
mod login;
mod readme;
mod secrets;
mod simplejwt;
mod start;
