//! The contract, row by row.

mod authenticate;
mod bodies;
mod budget;
mod groups;
mod guard;
mod idempotency;
mod jwks;
mod limits;
mod logout;
mod message_limits;
mod message_rights;
mod message_send;
mod methods;
mod otp_send;
mod paths;
mod pumping;
mod refresh;
mod resend;
mod sessions;
mod sessions_end;
mod sessions_seen;
mod test_numbers;
mod verify;
mod wording;
