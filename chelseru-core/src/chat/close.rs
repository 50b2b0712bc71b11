//! Why a socket is closed, and what its client does then.

/// Why the server closes a socket. docs/websocket.md says the same to who writes clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Close {
    /// 1000: the client has closed it.
    Normal,
    /// 1001: the server stops. Come back after the time in the `reconnect` frame.
    Stopping,
    /// 1009: a frame is longer than `CHAT.LIMITS.MAX_FRAME_BYTES`. Do not send it again.
    FrameTooBig,
    /// 4400: frame after frame could not be understood. Do not come back as you are.
    Protocol,
    /// 4401: the token or the session has ended. Come back with a fresh token.
    Unauthorized,
    /// 4403: of the socket for one room: the user is no member of it any more, or it is gone. Do not come
    /// back.
    NotAMember,
    /// 4408: nothing was heard for too long. Come back and resume.
    HalfOpen,
    /// 4409: the user has opened too many others since. Do not come back.
    TooManySockets,
    /// 4429: far too many frames. Come back after ten seconds.
    TooManyFrames,
    /// 4503: the server cannot read its store. Come back after growing pauses, and resume.
    Unavailable,
    /// 4508: the client reads too slowly. Come back and resume.
    TooSlow,
}

impl Close {
    /// The code of the closing frame.
    pub const fn code(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::Stopping => 1001,
            Self::FrameTooBig => 1009,
            Self::Protocol => 4400,
            Self::Unauthorized => 4401,
            Self::NotAMember => 4403,
            Self::HalfOpen => 4408,
            Self::TooManySockets => 4409,
            Self::TooManyFrames => 4429,
            Self::Unavailable => 4503,
            Self::TooSlow => 4508,
        }
    }

    /// The reason that goes with the code.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Normal => "",
            Self::Stopping => "the server stops, reconnect",
            Self::FrameTooBig => "a frame is too big",
            Self::Protocol => "too many frames that cannot be understood",
            Self::Unauthorized => "get a fresh token, then reconnect",
            Self::NotAMember => "no longer a member of this room",
            Self::HalfOpen => "nothing was heard for too long, reconnect",
            Self::TooManySockets => "too many sockets of this user",
            Self::TooManyFrames => "too many frames, reconnect later",
            Self::Unavailable => "the service is unavailable, reconnect later",
            Self::TooSlow => "too slow, reconnect and resume",
        }
    }

    /// Whether frames that are waiting are sent first: never to somebody who may not have them.
    pub(crate) const fn is_said_last(self) -> bool {
        matches!(
            self,
            Self::Normal | Self::Stopping | Self::Protocol | Self::TooManyFrames
        )
    }
}
