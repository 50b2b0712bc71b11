//! Refreshing, verifying and giving up tokens.

use std::fmt::Write as _;

use super::Chelseru;
use crate::clock::Timestamp;
use crate::device::Client;
use crate::error::Error;
use crate::random;
use crate::session::{Session, SessionId};
use crate::store::{NewSession, Rotated, Rotation};
use crate::token::{Claims, TokenError, TokenPair, TokenType, refresh_hash};
use crate::user::UserId;

impl Chelseru {
    /// Exchanges a refresh token for a new access token and, where tokens rotate, its successor.
    ///
    /// A token that was exchanged before ends its session: either it was stolen or its owner's
    /// successor was. A refresh token that another service signed with our key opens a session, once.
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
        let (access_jti, successor_jti) = {
            let mut rng = rand::rng();
            (random::token_id(&mut rng), random::token_id(&mut rng))
        };
        let Some(session) = claims.session else {
            return self
                .adopt(&claims, &access_jti, &successor_jti, client, now)
                .await;
        };
        self.session_of(&claims, session, now).await?;
        let rotates = self.config().auth.jwt.rotate_refresh_tokens;
        let presented = refresh_hash(&claims.jti);
        let rotation = Rotation {
            session,
            presented,
            successor: if rotates {
                refresh_hash(&successor_jti)
            } else {
                presented
            },
            expires_at: rotates.then(|| self.inner.tokens.session_ends_at(now)),
            client: client.describe(),
            now,
        };
        match self.store().rotate_refresh(&rotation).await? {
            Rotated::Done => {
                let successor = rotates.then_some(successor_jti.as_str());
                Ok(self.pair(claims.user, session, &access_jti, successor, now))
            }
            Rotated::Reused => {
                tracing::warn!(
                    user = claims.user.0,
                    session = session.0,
                    "a refresh token was used twice; its session is ended"
                );
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
        if claims.token_type == TokenType::Refresh
            && session.refresh_hash != refresh_hash(&claims.jti)
        {
            return Err(TokenError::Blacklisted.into());
        }
        Ok(())
    }

    /// Ends the session of a refresh token. Any refresh token of the session will do: who holds one
    /// may end it.
    ///
    /// # Errors
    ///
    /// [`Error::Token`], also when the session has ended before; [`Error::Store`].
    pub async fn log_out(&self, refresh: &str) -> Result<(), Error> {
        let now = self.now();
        let claims = self
            .inner
            .tokens
            .verify_type(refresh, TokenType::Refresh, now)?;
        // A token of another service names no session of ours that could be ended.
        let session = claims.session.ok_or(TokenError::Invalid)?;
        if self.store().end_session(claims.user, session, now).await? {
            tracing::info!(user = claims.user.0, session = session.0, "logged out");
            Ok(())
        } else {
            Err(TokenError::Blacklisted.into())
        }
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
            .filter(|(session, user)| session.is_live(now) && user.id == claims.user)
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
        access_jti: &str,
        successor_jti: &str,
        client: Client<'_>,
        now: Timestamp,
    ) -> Result<TokenPair, Error> {
        if claims.expires_at > self.inner.tokens.refresh_expires_at(now) {
            return Err(TokenError::Invalid.into());
        }
        let user = self.active_user(claims.user).await?;
        let session = NewSession {
            key: adopted_key(&claims.jti),
            refresh_hash: refresh_hash(successor_jti),
            client: client.describe(),
            expires_at: self.inner.tokens.session_ends_at(now),
        };
        let session = self
            .store()
            .adopt_session(user.id, &session, now)
            .await?
            .ok_or(TokenError::Blacklisted)?;
        tracing::info!(
            user = user.id.0,
            session = session.0,
            "a refresh token of another service opened a session"
        );
        Ok(self.pair(user.id, session, access_jti, Some(successor_jti), now))
    }

    fn pair(
        &self,
        user: UserId,
        session: SessionId,
        access_jti: &str,
        refresh_jti: Option<&str>,
        now: Timestamp,
    ) -> TokenPair {
        let tokens = &self.inner.tokens;
        TokenPair {
            access: tokens.access(user, session, access_jti, now),
            refresh: refresh_jti.map(|jti| tokens.refresh(user, session, jti, now)),
        }
    }
}

/// 128 bits of the hash of the token's id, as 32 hexadecimal digits.
fn adopted_key(jti: &str) -> String {
    refresh_hash(jti)[..16]
        .iter()
        .fold(String::new(), |mut key, byte| {
            let _ = write!(key, "{byte:02x}");
            key
        })
}
