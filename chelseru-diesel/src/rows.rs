//! Rows as the tables hold them, and what core makes of them.

use chelseru_core::store::{CodeHash, NewSession};
use chelseru_core::{
    ClientInfo, MobileNumber, ReplacedToken, Session, SessionId, Timestamp, User, UserId,
};
use diesel::prelude::*;
use diesel::result::Error;

use crate::schema::{chelseru_sessions, chelseru_users};

#[derive(Queryable, Selectable)]
#[diesel(table_name = chelseru_users)]
pub(crate) struct UserRow {
    id: i64,
    mobile_number: String,
    group_id: i64,
    username: String,
    is_active: bool,
    created_at: i64,
}

impl TryFrom<UserRow> for User {
    type Error = Error;

    fn try_from(row: UserRow) -> QueryResult<Self> {
        Ok(Self {
            id: UserId(row.id),
            mobile_number: mobile_number(&row.mobile_number)?,
            group: row.group_id,
            username: row.username,
            is_active: row.is_active,
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = chelseru_sessions)]
pub(crate) struct SessionRow {
    id: i64,
    user_id: i64,
    session_key: String,
    refresh_hash: Vec<u8>,
    user_agent: String,
    ip_address: String,
    device: String,
    browser: String,
    last_seen: i64,
    created_at: i64,
    expires_at: i64,
    ended_at: Option<i64>,
    replaced_hash: Option<Vec<u8>>,
    replaced_at: Option<i64>,
}

impl TryFrom<SessionRow> for Session {
    type Error = Error;

    fn try_from(row: SessionRow) -> QueryResult<Self> {
        let replaced = match row.replaced_hash.zip(row.replaced_at) {
            Some((bytes, at)) => Some(ReplacedToken {
                hash: hash(&bytes)?,
                at: Timestamp::from_millis(at),
            }),
            None => None,
        };
        Ok(Self {
            id: SessionId(row.id),
            user: UserId(row.user_id),
            key: row.session_key,
            refresh_hash: hash(&row.refresh_hash)?,
            replaced,
            client: ClientInfo {
                user_agent: row.user_agent,
                device: row.device,
                browser: row.browser,
                ip_address: row.ip_address,
            },
            last_seen: Timestamp::from_millis(row.last_seen),
            created_at: Timestamp::from_millis(row.created_at),
            expires_at: Timestamp::from_millis(row.expires_at),
            ended_at: row.ended_at.map(Timestamp::from_millis),
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = chelseru_sessions)]
pub(crate) struct NewSessionRow<'a> {
    user_id: i64,
    session_key: &'a str,
    refresh_hash: &'a [u8],
    user_agent: &'a str,
    ip_address: &'a str,
    device: &'a str,
    browser: &'a str,
    last_seen: i64,
    created_at: i64,
    expires_at: i64,
}

impl<'a> NewSessionRow<'a> {
    pub(crate) fn new(user: UserId, session: &'a NewSession, now: Timestamp) -> Self {
        Self {
            user_id: user.0,
            session_key: &session.key,
            refresh_hash: &session.refresh_hash,
            user_agent: &session.client.user_agent,
            ip_address: &session.client.ip_address,
            device: &session.client.device,
            browser: &session.client.browser,
            last_seen: now.as_millis(),
            created_at: now.as_millis(),
            expires_at: session.expires_at.as_millis(),
        }
    }
}

/// Where and when a session was last used.
#[derive(AsChangeset)]
#[diesel(table_name = chelseru_sessions)]
pub(crate) struct LastUse<'a> {
    user_agent: &'a str,
    ip_address: &'a str,
    device: &'a str,
    browser: &'a str,
    last_seen: i64,
}

impl<'a> LastUse<'a> {
    pub(crate) fn new(client: &'a ClientInfo, now: Timestamp) -> Self {
        Self {
            user_agent: &client.user_agent,
            ip_address: &client.ip_address,
            device: &client.device,
            browser: &client.browser,
            last_seen: now.as_millis(),
        }
    }
}

pub(crate) fn hash(bytes: &[u8]) -> QueryResult<CodeHash> {
    bytes
        .try_into()
        .map_err(|_| damaged("a hash is not 32 bytes long"))
}

pub(crate) fn mobile_number(text: &str) -> QueryResult<MobileNumber> {
    text.parse()
        .map_err(|_| damaged("a mobile number is not one"))
}

/// A number in the log of messages, where that of a deleted account is erased.
pub(crate) fn receiver(text: &str) -> QueryResult<MobileNumber> {
    if text == MobileNumber::ERASED.as_str() {
        return Ok(MobileNumber::ERASED);
    }
    mobile_number(text)
}

/// The row holds what no chelseru wrote.
pub(crate) fn damaged(message: &'static str) -> Error {
    Error::DeserializationError(message.into())
}
