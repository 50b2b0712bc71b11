//! Who is asking, and their sessions.

use std::time::Duration;

use serde::Serialize;

use super::Chelseru;
use super::session_cache::Before;
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

    /// Lets accounts of these groups pass.
    ///
    /// A client names the group of its first login itself: a group is a privilege only if
    /// `AUTH.OPTIONS.SIGNUP_GROUPS` is set and does not have it.
    ///
    /// # Errors
    ///
    /// [`Error::PermissionDenied`] for all others.
    pub fn require_group(&self, groups: &[i64]) -> Result<(), Error> {
        if groups.contains(&self.group) {
            Ok(())
        } else {
            Err(Error::PermissionDenied)
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
    /// While somebody [watches](Self::watch), a token that came before is answered from memory: what was
    /// done to its session and its account on this node counts at once, on another within a second.
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
        self.current_user(claims.user, claims.session, Some(client), now)
            .await
    }

    /// The user once more, as the account is now: for who holds a connection for longer than a request,
    /// after a change of the account ([`account_changes`](Self::account_changes)). As cheap as
    /// [`authenticate`](Self::authenticate), and notes no use of the session. Whether the token has run
    /// out is not looked at.
    ///
    /// # Errors
    ///
    /// As [`authenticate`](Self::authenticate): the connection is to be closed, unless it is
    /// [`Error::Store`].
    pub async fn revalidate(&self, user: &CurrentUser) -> Result<CurrentUser, Error> {
        self.current_user(user.id, user.session, None, self.now())
            .await
    }

    /// As [`authenticate`](Self::authenticate); also when the token ends.
    pub(crate) async fn authenticate_until(
        &self,
        access: &str,
        client: Client<'_>,
    ) -> Result<(CurrentUser, Timestamp), Error> {
        let now = self.now();
        let claims = self.access_claims(access, now)?;
        let user = self
            .current_user(claims.user, claims.session, Some(client), now)
            .await?;
        Ok((user, claims.expires_at))
    }

    /// A user who was authenticated, as the account is in the store now; `None` when that one may no
    /// longer be here: the account is not active, or the session has ended.
    pub(crate) async fn still_here(&self, user: &CurrentUser) -> StoreResult<Option<CurrentUser>> {
        let account = match user.session {
            None => self.store().find_user(user.id).await?,
            Some(id) => {
                let now = self.now();
                let found = self.store().find_session(id).await?;
                let found = found.filter(|(session, account)| {
                    account.id == user.id && self.is_live(session, now)
                });
                found.map(|(_, account)| account)
            }
        };
        let account = account.filter(|account| account.is_active);
        Ok(account.map(|account| CurrentUser::new(account, user.session)))
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
            None => {
                self.current_user(claims.user, claims.session, Some(client), now)
                    .await?;
            }
        }
        Ok(sessions
            .into_iter()
            .map(|session| SessionView::new(session, claims.session))
            .collect())
    }

    /// Lets an account in or keeps it out, and says whether there is one. Who is kept out is refused
    /// at once, with all its tokens; let in again, its sessions go on as far as they have not run out.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn set_user_active(&self, id: UserId, active: bool) -> Result<bool, Error> {
        let is_known = self.store().set_user_active(id, active, self.now()).await?;
        if is_known {
            self.account_changed(id);
            tracing::info!(user = id.0, active, "account changed");
        }
        Ok(is_known)
    }

    /// Ends one of the user's sessions; the current one is allowed.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when the user has no such live session, [`Error::Store`].
    pub async fn end_session(&self, user: &CurrentUser, id: SessionId) -> Result<(), Error> {
        if self.store().end_session(user.id, id, self.now()).await? {
            self.account_changed(user.id);
            tracing::info!(user = user.id.0, session = id.0, "session ended");
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
        if ended > 0 {
            self.account_changed(user);
        }
        let kept = keep.map(|session| session.0);
        tracing::info!(user = user.0, kept, ended, "sessions ended");
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
        user: UserId,
        session: Option<SessionId>,
        client: Option<Client<'_>>,
        now: Timestamp,
    ) -> Result<CurrentUser, Error> {
        if let Some(known) = self.known_user(user, session, now) {
            if let (Some(client), Some(session)) = (client, session) {
                let known = &self.inner.sessions;
                if known.is_touched(user, session, LAST_SEEN_PRECISION, now) {
                    self.note_use(session, client, now).await;
                }
            }
            return Ok(known);
        }
        let before = self.inner.sessions.before();
        let Some(id) = session else {
            let user = self.active_user(user).await?;
            self.keep(&user, None, before, now);
            return Ok(CurrentUser::new(user, None));
        };
        let (mut session, user) = self
            .store()
            .find_session(id)
            .await?
            .filter(|(session, owner)| self.is_live(session, now) && owner.id == user)
            .ok_or(Error::AccessToken(TokenError::Invalid))?;
        if !user.is_active {
            return Err(Error::UserInactive);
        }
        let client = client.filter(|_| is_use_to_be_noted(&session, now));
        if client.is_some() {
            session.last_seen = now;
        }
        self.keep(&user, Some(&session), before, now);
        if let Some(client) = client {
            self.note_use(id, client, now).await;
        }
        Ok(CurrentUser::new(user, Some(id)))
    }

    /// The user of a token, if it is remembered that it may come in.
    fn known_user(
        &self,
        user: UserId,
        session: Option<SessionId>,
        now: Timestamp,
    ) -> Option<CurrentUser> {
        let known = &self.inner.sessions;
        if !known.is_fresh(now) {
            return None;
        }
        let user = match session {
            None => known.user(user)?,
            Some(id) => {
                let (session, user) = known.session(user, id)?;
                let has_time = self.has_time(session.created_at, session.expires_at, now);
                has_time.then_some(user)?
            }
        };
        Some(CurrentUser::new(user, session))
    }

    /// Remembers who came in, where somebody watches.
    fn keep(&self, user: &User, session: Option<&Session>, before: Before, now: Timestamp) {
        if self.inner.sessions.is_fresh(now) {
            self.inner.sessions.keep(user, session, before);
        }
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

    /// Notes a session's use if the last note is old.
    async fn touch(&self, session: &Session, client: Client<'_>, now: Timestamp) {
        if is_use_to_be_noted(session, now) {
            self.note_use(session.id, client, now).await;
        }
    }

    /// Notes a session's use. Failing to is no reason to refuse the request.
    async fn note_use(&self, session: SessionId, client: Client<'_>, now: Timestamp) {
        if let Err(error) = self
            .store()
            .touch_session(session, &client.describe(), now)
            .await
        {
            tracing::warn!(
                session = session.0,
                ?error,
                "the last use of a session could not be stored"
            );
        }
    }
}

fn is_use_to_be_noted(session: &Session, now: Timestamp) -> bool {
    now.since(session.last_seen) >= LAST_SEEN_PRECISION
}
