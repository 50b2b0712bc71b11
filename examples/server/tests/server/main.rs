//! The bundled server as its users meet it: the real binary, started with settings, called over HTTP,
//! stopped with signals.

mod browser;
mod chat_member;
mod check;
mod command_line;
mod dump;
mod harness;
mod health;
mod housekeeping;
mod inbox;
mod killed;
mod killed_while_chatting;
mod killed_while_sending;
mod limits;
mod login;
mod metrics;
mod page;
mod readme;
mod secrets;
mod secrets_of_providers;
mod sessions;
mod simplejwt;
mod slow_reader;
mod sms_balance;
mod sms_send;
mod sms_status;
mod sockets;
mod start;
mod users;
