//! Refreshing, verifying and giving up tokens.

use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::time::Duration;

use super::{Chelseru, LogoutScope};
use crate::clock::Timestamp;
use crate::device::Client;
use crate::error::Error;
use crate::keyed_hash::KeyedHashes;
use crate::random;
use crate::secret::Secret;
use crate::session::{RefreshHash, ReplacedToken, Session, SessionId};
use crate::store::{Adopted, NewSession, Rotated, Rotation, Successor};
use crate::token::{Claims, TokenError, TokenPair, TokenType, refresh_hash};
use crate::user::UserId;

/// Names the successor of a refresh token. It is always the same one, so that whoever lost an answer can
/// be given it again although only hashes are stored.
pub(super) struct Successors(KeyedHashes);

impl Successors {
    /// `secrets` are those of the ring, the current one first.
    pub(super) fn new(secrets: &[Secret]) -> Self {
        Self(KeyedHashes::new(secrets, "chelseru refresh successor v1"))
    }

    /// The token for which that one of the session is exchanged.
    fn of(&self, session: SessionId, jti: &str) -> SuccessorName {
        self.name(&[&session.0.to_string(), jti])
    }

    /// The first token of the session that another service's token opens.
    fn of_adopted(&self, jti: &str) -> SuccessorName {
        self.name(&["adopted", jti])
    }

    fn name(&self, parts: &[&str]) -> SuccessorName {
        SuccessorName {
            jti: hex(self.0.of(parts)),
            before: self.0.previous_of(parts).map(hex).collect(),
        }
    }
}

/// The `jti` of a successor.
struct SuccessorName {
    jti: String,
    /// What it was under the previous signing keys.
    before: Vec<String>,
}

impl SuccessorName {
    /// The name of the token that was given first. When the key under which it was made is gone from the
    /// ring, that answer cannot be given again, which is nobody's fault and ends nothing.
    fn given(self, first: &RefreshHash) -> Result<String, TokenError> {
        let mut names = std::iter::once(self.jti).chain(self.before);
        let given = names.find(|jti| refresh_hash(jti) == *first);
        given.ok_or(TokenError::Blacklisted)
    }
}

impl Chelseru {
    /// Exchanges a refresh token for a new access token and, where tokens rotate, its successor.
    ///
    /// As long as nobody has used the successor, the token may be exchanged again, for the same one:
    /// the answer may have been lost, or several asked at once. How long, `AUTH.JWT.REFRESH_GRACE_SECONDS`
    /// says. After that, using it ends its session: either it was stolen or its owner's successor was.
    /// A refresh token that another service signed with our key opens a session, by the same rule.
    ///
    /// # Errors
    ///
    /// [`Error::Token`], [`Error::UserNotFound`], [`Error::UserInactive`], [`Error::Store`].
    pub async fn refresh(&self, refresh: &str, client: Client<'_>) -> Result<TokenPair, Error> {
        let now = self.now();
        let claims = self
            .inner
            .tokens
            .verify_type(refresh, TokenType::Refresh, now)?;
        let Some(session) = claims.session else {
            return self.adopt(&claims, client, now).await;
        };
        let opened_at = self.session_of(&claims, session, now).await?.created_at;
        let rotates = self.config().auth.jwt.rotate_refresh_tokens;
        let name = rotates.then(|| self.inner.successors.of(session, &claims.jti));
        let rotation = Rotation {
            session,
            presented: refresh_hash(&claims.jti),
            successor: name.as_ref().map(|name| Successor {
                hash: refresh_hash(&name.jti),
                expires_at: self.session_ends_at(opened_at, now),
                repeat_since: self.repeat_since(now),
            }),
            client: client.describe(),
            now,
        };
        match self.store().rotate_refresh(&rotation).await? {
            Rotated::Done { successor, at } => {
                let user = claims.user;
                let jti = name.map(|name| name.given(&successor)).transpose()?;
                let refresh = jti.map(|jti| self.refresh_token(user, session, &jti, opened_at, at));
                Ok(self.pair(user, session, refresh, now))
            }
            Rotated::Reused => {
                tracing::warn!(
                    user = claims.user.0,
                    session = session.0,
                    "a refresh token was used after its successor; its session is ended"
                );
                self.hub().account_changed(claims.user);
                Err(TokenError::Blacklisted.into())
            }
            Rotated::Gone => Err(TokenError::Blacklisted.into()),
        }
    }

    /// Whether a token, of either type, is good. Of a token that another service signed only the
    /// signature and the claims are looked at, as simplejwt does.
    ///
    /// # Errors
    ///
    /// [`Error::Token`], [`Error::UserInactive`], [`Error::Store`].
    pub async fn verify_token(&self, token: &str) -> Result<(), Error> {
        let now = self.now();
        let claims = self.inner.tokens.verify(token, now)?;
        let Some(id) = claims.session else {
            return Ok(());
        };
        let session = self.session_of(&claims, id, now).await?;
        if claims.token_type == TokenType::Refresh && !self.is_exchangeable(&session, &claims, now)
        {
            return Err(TokenError::Blacklisted.into());
        }
        Ok(())
    }

    /// Ends sessions of a refresh token's user. To end its own session, any refresh token of it will
    /// do: who holds one may end it. To end others, it must be one that could be exchanged.
    ///
    /// # Errors
    ///
    /// [`Error::Token`], also when the session has ended before; [`Error::UserInactive`],
    /// [`Error::Store`].
    pub async fn log_out(&self, refresh: &str, scope: LogoutScope) -> Result<(), Error> {
        let now = self.now();
        let claims = self
            .inner
            .tokens
            .verify_type(refresh, TokenType::Refresh, now)?;
        // A token of another service names no session of ours that could be ended.
        let session = claims.session.ok_or(TokenError::Invalid)?;
        if scope != LogoutScope::This {
            let kept = self.session_of(&claims, session, now).await?;
            if !self.is_exchangeable(&kept, &claims, now) {
                return Err(TokenError::Blacklisted.into());
            }
            let keep = (scope == LogoutScope::Others).then_some(session);
            return self.end_sessions(claims.user, keep, now).await.map(drop);
        }
        if self.store().end_session(claims.user, session, now).await? {
            tracing::info!(user = claims.user.0, session = session.0, "logged out");
            self.hub().account_changed(claims.user);
            Ok(())
        } else {
            Err(TokenError::Blacklisted.into())
        }
    }

    /// Whether the refresh token is the session's, or the one before it that may be exchanged again.
    fn is_exchangeable(&self, session: &Session, claims: &Claims, now: Timestamp) -> bool {
        let hash = refresh_hash(&claims.jti);
        let may_repeat = |replaced: ReplacedToken| {
            let since = self.repeat_since(now);
            replaced.hash == hash && since.is_some_and(|since| replaced.at >= since)
        };
        session.refresh_hash == hash || session.replaced.is_some_and(may_repeat)
    }

    /// The live session of a token, of an account that may use it.
    async fn session_of(
        &self,
        claims: &Claims,
        id: SessionId,
        now: Timestamp,
    ) -> Result<Session, Error> {
        let (session, user) = self
            .store()
            .find_session(id)
            .await?
            .filter(|(session, user)| self.is_live(session, now) && user.id == claims.user)
            .ok_or(TokenError::Blacklisted)?;
        if user.is_active {
            Ok(session)
        } else {
            Err(Error::UserInactive)
        }
    }

    /// Opens a session for another service's refresh token. Its key is made from the token's id, so a
    /// second use finds the first; the row outlives the token because a token that would outlive the
    /// row is refused.
    async fn adopt(
        &self,
        claims: &Claims,
        client: Client<'_>,
        now: Timestamp,
    ) -> Result<TokenPair, Error> {
        if claims.expires_at > self.refresh_ends_at(now, now) {
            return Err(TokenError::Invalid.into());
        }
        let user = self.active_user(claims.user).await?.id;
        let name = self.inner.successors.of_adopted(&claims.jti);
        let key = hex(refresh_hash(&claims.jti));
        let session = self.new_session(key, &name.jti, client, now);
        let Some(Adopted {
            session,
            refresh_hash,
            at,
        }) = self
            .store()
            .adopt_session(user, &session, self.repeat_since(now), now)
            .await?
        else {
            tracing::warn!(
                user = user.0,
                "a refresh token of another service was used again; its session is ended"
            );
            return Err(TokenError::Blacklisted.into());
        };
        let jti = name.given(&refresh_hash)?;
        tracing::info!(
            user = user.0,
            session = session.0,
            "a refresh token of another service opened a session"
        );
        let refresh = self.refresh_token(user, session, &jti, at, at);
        Ok(self.pair(user, session, Some(refresh), now))
    }

    /// A session that is opened now, with its first refresh token.
    pub(super) fn new_session(
        &self,
        key: String,
        refresh_jti: &str,
        client: Client<'_>,
        now: Timestamp,
    ) -> NewSession {
        NewSession {
            key,
            refresh_hash: refresh_hash(refresh_jti),
            client: client.describe(),
            expires_at: self.session_ends_at(now, now),
            at_most: NonZeroU32::new(self.config().auth.sessions.max_per_user),
        }
    }

    /// A new access token beside a refresh token.
    pub(super) fn pair(
        &self,
        user: UserId,
        session: SessionId,
        refresh: Option<String>,
        now: Timestamp,
    ) -> TokenPair {
        let jti = random::token_id(&mut rand::rng());
        TokenPair {
            access: self.inner.tokens.access(user, session, &jti, now),
            refresh,
        }
    }

    pub(super) fn refresh_token(
        &self,
        user: UserId,
        session: SessionId,
        jti: &str,
        opened_at: Timestamp,
        issued_at: Timestamp,
    ) -> String {
        let expires_at = self.refresh_ends_at(opened_at, issued_at);
        self.inner
            .tokens
            .refresh(user, session, jti, issued_at, expires_at)
    }

    /// When a refresh token ends that is made now for a session that was opened then.
    fn refresh_ends_at(&self, opened_at: Timestamp, now: Timestamp) -> Timestamp {
        let ends_at = self.inner.tokens.refresh_expires_at(now);
        match self.config().auth.sessions.absolute_lifetime {
            Duration::ZERO => ends_at,
            lifetime => ends_at.min(opened_at + lifetime),
        }
    }

    /// When that session ends: when its refresh token is not accepted any more.
    fn session_ends_at(&self, opened_at: Timestamp, now: Timestamp) -> Timestamp {
        self.refresh_ends_at(opened_at, now) + self.config().auth.jwt.leeway
    }

    /// Whether the session can be used, also by a setting that is shorter than it was at its refresh.
    pub(super) fn is_live(&self, session: &Session, now: Timestamp) -> bool {
        session.is_live(now) && now < self.session_ends_at(session.created_at, now)
    }

    /// Since when a refresh token must have been exchanged to be exchanged again.
    fn repeat_since(&self, now: Timestamp) -> Option<Timestamp> {
        let grace = self.config().auth.jwt.refresh_grace;
        (!grace.is_zero()).then(|| now - grace)
    }
}

/// The first 128 bits, as 32 hexadecimal digits.
fn hex(hash: [u8; 32]) -> String {
    hash[..16].iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
