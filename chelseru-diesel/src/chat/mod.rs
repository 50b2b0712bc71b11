//! Rooms, their members and their messages.
//!
//! A room's row is the lock for which its changes and its new messages wait: whatever decides about them
//! is read while it is held. Whoever needs several rows locks accounts first, then rooms, each in the
//! order of their ids, so that nobody waits in a circle.

mod append;
mod attachments;
mod dialect;
mod members;
mod messages;
mod rooms;
mod rows;

pub(crate) use self::dialect::skip_locked;
