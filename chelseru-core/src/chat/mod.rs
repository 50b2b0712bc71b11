//! Real-time chat: rooms for two and for groups, their history in the database, and sockets that can be
//! lost at any moment and resumed without a gap or a duplicate.
//!
//! Every room has a log whose places are numbered without gaps in the transaction that stores them. A
//! client that has all numbers up to one has everything, and says so when it comes back. What is told
//! from server to server may be lost: whoever sees a gap reads the log.

mod blob;
mod bus;
mod close;
mod connection;
#[cfg(test)]
mod documented;
mod error;
mod file;
mod fold;
mod frame;
mod hub;
mod model;
mod permission;
mod policy;

pub use self::blob::{BlobError, BlobStore};
pub use self::bus::{Bus, Heard, Hint, LocalBus};
pub use self::close::Close;
pub(crate) use self::connection::Scope;
pub use self::connection::{Connection, Received, Step};
pub use self::error::ChatError;
pub(crate) use self::file::{clean_name, disposition, sniff};
pub(crate) use self::fold::{fold, is_blank};
pub use self::frame::{ClientFrame, MessageFrame, RoomPosition, SendFrame, ServerFrame};
pub(crate) use self::hub::{Hub, Question, Report, RoomEvent};
pub use self::model::{
    AttachmentId, ChatMessage, EntryKind, LogEntry, Membership, MessageId, MessageType, Room,
    RoomId, RoomKind, RoomStatus, Sender, Seq,
};
pub use self::permission::{Permission, Permissions};
pub(crate) use self::policy::{Standing, Target, Verb};
