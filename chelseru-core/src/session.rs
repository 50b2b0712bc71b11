//! Sessions: one login on one device.

use crate::clock::Timestamp;
use crate::user::UserId;

/// The id of a session, as in the `sid` of tokens. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct SessionId(pub i64);

/// Where a request came from, as it is shown in the list of sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// The `User-Agent` header, cut to 512 characters.
    pub user_agent: String,
    /// The device family read from it.
    pub device: String,
    /// The browser family read from it.
    pub browser: String,
    /// The client's address; empty when unknown.
    pub ip_address: String,
}

/// The SHA-256 of a refresh token's unique id: all that the store knows of a refresh token.
pub type RefreshHash = [u8; 32];

/// A refresh token that was exchanged for the one that is good now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplacedToken {
    /// Its hash.
    pub hash: RefreshHash,
    /// When it was exchanged, and so when its successor was made.
    pub at: Timestamp,
}

/// One login on one device, from the code to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Unique over all sessions, never used twice.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// A public random name of the session, unique.
    pub key: String,
    /// The only refresh token that is good now.
    pub refresh_hash: RefreshHash,
    /// The one before it: nobody has used the present one yet, so who presents this one may have lost
    /// the answer.
    pub replaced: Option<ReplacedToken>,
    /// Where it was last used from.
    pub client: ClientInfo,
    /// When it was last used, to about a minute.
    pub last_seen: Timestamp,
    /// When the login was.
    pub created_at: Timestamp,
    /// When its refresh token runs out, and with it the session.
    pub expires_at: Timestamp,
    /// When it was ended, if it was.
    pub ended_at: Option<Timestamp>,
}

impl Session {
    /// Whether the session can be used at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}
