//! Who is asking, and their sessions.

use std::time::Duration;

use serde::Serialize;

use super::Chelseru;
use crate::clock::Timestamp;
use crate::device::Client;
use crate::error::Error;
use crate::mobile::MobileNumber;
use crate::session::{Session, SessionId};
use crate::store::StoreResult;
use crate::token::{Claims, TokenError, TokenType};
use crate::user::{User, UserId};

/// How exact `last_seen` is: a write for every request would make reading as dear as writing.
const LAST_SEEN_PRECISION: Duration = Duration::from_secs(60);

/// The user of a request, proven by an access token whose session is live.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CurrentUser {
    /// The account.
    pub id: UserId,
    /// Its group. Clients choose it at their first login, within `AUTH.OPTIONS.SIGNUP_GROUPS`.
    pub group: i64,
    /// Its number: show it to nobody else.
    pub mobile_number: MobileNumber,
    /// What others may see.
    pub username: String,
    /// The session of the token; `None` for a token that another service signed.
    pub session: Option<SessionId>,
}

impl CurrentUser {
    fn new(user: User, session: Option<SessionId>) -> Self {
        Self {
            id: user.id,
            group: user.group,
            mobile_number: user.mobile_number,
            username: user.username,
            session,
        }
    }
}

/// Which sessions a logout ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogoutScope {
    /// That of the token.
    #[default]
    This,
    /// All of the user's but that one.
    Others,
    /// All of the user's.
    All,
}

/// A session as its owner sees it.
#[derive(Clone, Debug, Serialize)]
pub struct SessionView {
    id: SessionId,
    user: UserId,
    session_key: String,
    user_agent: String,
    ip_address: Option<String>,
    device: String,
    browser: String,
    last_seen: Timestamp,
    created_at: Timestamp,
    current: bool,
}

impl SessionView {
    fn new(session: Session, current: Option<SessionId>) -> Self {
        let client = session.client;
        Self {
            id: session.id,
            user: session.user,
            session_key: session.key,
            user_agent: client.user_agent,
            ip_address: Some(client.ip_address).filter(|address| !address.is_empty()),
            device: client.device,
            browser: client.browser,
            last_seen: session.last_seen,
            created_at: session.created_at,
            current: current == Some(session.id),
        }
    }
}

impl Chelseru {
    /// The user whose access token this is. Notes the session's use, to about a minute.
    ///
    /// # Errors
    ///
    /// [`Error::AccessToken`] for a token that is not accepted or whose session has ended,
    /// [`Error::UserNotFound`], [`Error::UserInactive`], [`Error::Store`].
    pub async fn authenticate(
        &self,
        access: &str,
        client: Client<'_>,
    ) -> Result<CurrentUser, Error> {
        let now = self.now();
        let claims = self.access_claims(access, now)?;
        self.current_user(&claims, client, now).await
    }

    /// As [`authenticate`](Self::authenticate); also when the token ends.
    pub(crate) async fn authenticate_until(
        &self,
        access: &str,
        client: Client<'_>,
    ) -> Result<(CurrentUser, Timestamp), Error> {
        let now = self.now();
        let claims = self.access_claims(access, now)?;
        let user = self.current_user(&claims, client, now).await?;
        Ok((user, claims.expires_at))
    }

    /// Whether a user who was authenticated may still be here: the account is active, and the session
    /// has not ended.
    pub(crate) async fn is_still_here(&self, user: &CurrentUser) -> StoreResult<bool> {
        let Some(id) = user.session else {
            let found = self.store().find_user(user.id).await?;
            return Ok(found.is_some_and(|user| user.is_active));
        };
        let found = self.store().find_session(id).await?;
        let now = self.now();
        Ok(found.is_some_and(|(session, account)| {
            account.is_active && account.id == user.id && self.is_live(&session, now)
        }))
    }

    /// The live sessions of the user whose access token this is, the newest first.
    ///
    /// # Errors
    ///
    /// As [`authenticate`](Self::authenticate).
    pub async fn sessions(
        &self,
        access: &str,
        client: Client<'_>,
    ) -> Result<Vec<SessionView>, Error> {
        let now = self.now();
        let claims = self.access_claims(access, now)?;
        let mut sessions = self.store().list_sessions(claims.user, now).await?;
        sessions.retain(|session| self.is_live(session, now));
        let current = sessions
            .iter()
            .find(|session| Some(session.id) == claims.session);
        match current {
            // The list itself proves that the token's session is live: no second question.
            Some(session) => self.touch(session, client, now).await,
            None => drop(self.current_user(&claims, client, now).await?),
        }
        Ok(sessions
            .into_iter()
            .map(|session| SessionView::new(session, claims.session))
            .collect())
    }

    /// Ends one of the user's sessions; the current one is allowed.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when the user has no such live session, [`Error::Store`].
    pub async fn end_session(&self, user: &CurrentUser, id: SessionId) -> Result<(), Error> {
        if self.store().end_session(user.id, id, self.now()).await? {
            tracing::info!(user = user.id.0, session = id.0, "session ended");
            self.hub().account_changed(user.id);
            Ok(())
        } else {
            Err(Error::NotFound)
        }
    }

    /// Ends all of the user's sessions but the current one, and says how many.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn end_other_sessions(&self, user: &CurrentUser) -> Result<u64, Error> {
        self.end_sessions(user.id, user.session, self.now()).await
    }

    /// Ends all of the user's sessions, the current one too, and says how many.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn end_all_sessions(&self, user: &CurrentUser) -> Result<u64, Error> {
        self.end_sessions(user.id, None, self.now()).await
    }

    pub(super) async fn end_sessions(
        &self,
        user: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> Result<u64, Error> {
        let ended = self.store().end_sessions(user, keep, now).await?;
        let kept = keep.map(|session| session.0);
        tracing::info!(user = user.0, kept, ended, "sessions ended");
        self.hub().account_changed(user);
        Ok(ended)
    }

    fn access_claims(&self, access: &str, now: Timestamp) -> Result<Claims, Error> {
        self.inner
            .tokens
            .verify_type(access, TokenType::Access, now)
            .map_err(Error::AccessToken)
    }

    async fn current_user(
        &self,
        claims: &Claims,
        client: Client<'_>,
        now: Timestamp,
    ) -> Result<CurrentUser, Error> {
        let Some(id) = claims.session else {
            let user = self.active_user(claims.user).await?;
            return Ok(CurrentUser::new(user, None));
        };
        let (session, user) = self
            .store()
            .find_session(id)
            .await?
            .filter(|(session, user)| self.is_live(session, now) && user.id == claims.user)
            .ok_or(Error::AccessToken(TokenError::Invalid))?;
        if !user.is_active {
            return Err(Error::UserInactive);
        }
        self.touch(&session, client, now).await;
        Ok(CurrentUser::new(user, Some(id)))
    }

    /// The account, if it may be used.
    pub(super) async fn active_user(&self, id: UserId) -> Result<User, Error> {
        let user = self
            .store()
            .find_user(id)
            .await?
            .ok_or(Error::UserNotFound)?;
        if user.is_active {
            Ok(user)
        } else {
            Err(Error::UserInactive)
        }
    }

    /// Notes a session's use if the last note is old. Failing to is no reason to refuse the request.
    async fn touch(&self, session: &Session, client: Client<'_>, now: Timestamp) {
        if now.since(session.last_seen) < LAST_SEEN_PRECISION {
            return;
        }
        if let Err(error) = self
            .store()
            .touch_session(session.id, &client.describe(), now)
            .await
        {
            tracing::warn!(
                session = session.id.0,
                ?error,
                "the last use of a session could not be stored"
            );
        }
    }
}
