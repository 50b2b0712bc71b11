//! Why something was not done in a chat: one list for the routes and the sockets.

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// There is no such room, or the user is no member of it: which one, nobody is told.
    #[error("no such room")]
    NoSuchRoom,
    /// There is no such message in a room of the user's.
    #[error("no such message")]
    NoSuchMessage,
    /// There is no such member of the room.
    #[error("no such member")]
    NoSuchMember,
    /// The member may not do that.
    #[error("you may not do this in this room")]
    NotPermitted,
    /// The room is closed.
    #[error("this room is closed")]
    RoomClosed,
    /// The room is on hold.
    #[error("this room is on hold")]
    RoomOnHold,
    /// The room's owner cannot leave it to nobody.
    #[error("hand the room over before you leave it")]
    OwnerMustHandOver,
    /// The room has as many members as it may have.
    #[error("this room is full")]
    RoomFull,
    /// Who is banned cannot become a member.
    #[error("this user is banned from the room")]
    UserBanned,
    /// The client id belongs to another message of the same sender in that room.
    #[error("this client_id was used for another message")]
    ClientIdTaken,
    /// A field of a message or a room cannot be used.
    #[error("{field}: {problem}")]
    Field {
        /// Its name on the wire.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The time in which a message may be edited is over.
    #[error("this message can no longer be edited")]
    TooLateToEdit,
    /// The room changed again and again while this was decided.
    #[error("the room is changing too fast, try again")]
    TooManyChanges,
}

impl ChatError {
    /// The stable code of error frames.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchRoom => "no_such_room",
            Self::NoSuchMessage => "no_such_message",
            Self::NoSuchMember => "no_such_member",
            Self::OwnerMustHandOver => "must_hand_over",
            Self::RoomFull => "room_full",
            Self::UserBanned => "user_banned",
            Self::NotPermitted => "not_permitted",
            Self::RoomClosed => "room_closed",
            Self::RoomOnHold => "room_on_hold",
            Self::ClientIdTaken => "client_id_taken",
            Self::Field { .. } => "invalid_field",
            Self::TooLateToEdit => "too_late",
            Self::TooManyChanges => "try_again",
        }
    }
}
