//! The documented service over a real socket: what clients of the Django package rely on, what happens
//! when many ask at once, when time passes, when nonsense arrives, and when the database is away.

mod attacks;
mod chat;
mod contract;
mod disconnect;
mod dump;
mod forge;
mod keys;
mod listen;
mod malformed;
mod me;
mod outage;
mod passwords;
mod races;
mod revocation;
mod sms;
mod time;
mod tokens_of_others;
