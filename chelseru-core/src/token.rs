//! Access and refresh tokens: the claims of djangorestframework-simplejwt, and `sid`, our session.
//!
//! A Django service that shares the key verifies ours and we verify its. The library's own defaults
//! for validation are not relied on: the algorithm is exactly the configured one, `exp` and `jti`
//! are required, and time is the caller's `now`.

mod ring;

use std::fmt;
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use self::ring::KeyRing;
use crate::clock::Timestamp;
use crate::config::{ConfigError, JwtConfig};
use crate::session::{RefreshHash, SessionId};
use crate::user::UserId;

/// No token of ours or of simplejwt comes near this length; longer ones are not even parsed.
const MAX_TOKEN_BYTES: usize = 4096;

/// How far the clocks of servers that share a key may differ, and how far one that went wrong may be put
/// back without logging anybody out. A token from further ahead was not made by one of them.
const CLOCK_SKEW: Duration = Duration::from_secs(3600);

/// No setting lets a token live as long: its end is no date but a trick.
const LONGEST_LIFE: Duration = Duration::from_secs(101 * 365 * 86_400);

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// Opens the routes for a few minutes.
    Access,
    /// Is exchanged for the next access token.
    Refresh,
}

impl TokenType {
    fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

/// Why a token is refused. The texts are simplejwt's, clients branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not signed by us, not a token, or without the claims that we need.
    #[error("Token is invalid")]
    Invalid,
    /// Past its `exp`.
    #[error("Token is expired")]
    Expired,
    /// An access token where a refresh token is needed, or the other way round.
    #[error("Token has wrong type")]
    WrongType,
    /// Its session has ended, or it was exchanged before.
    #[error("Token is blacklisted")]
    Blacklisted,
}

/// A new pair, as a login answers it. Prints as `***`.
#[derive(Clone, Serialize)]
pub struct TokenPair {
    /// The access token.
    pub access: String,
    /// The refresh token; absent where a refresh does not rotate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
}

impl fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenPair(***)")
    }
}

/// What a verified token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) token_type: TokenType,
    pub(crate) user: UserId,
    /// `None` in tokens of other services.
    pub(crate) session: Option<SessionId>,
    pub(crate) jti: String,
    pub(crate) expires_at: Timestamp,
}

/// The hash under which the store knows a refresh token.
pub(crate) fn refresh_hash(jti: &str) -> RefreshHash {
    Sha256::digest(jti).into()
}

/// Signs and verifies.
pub(crate) struct Tokens {
    ring: KeyRing,
    config: JwtConfig,
}

impl Tokens {
    pub(crate) fn new(config: &JwtConfig) -> Result<Self, ConfigError> {
        install_crypto();
        let tokens = Self {
            ring: KeyRing::new(config)?,
            config: config.clone(),
        };
        tokens.check_keys_match()?;
        Ok(tokens)
    }

    /// The public keys that tokens can be verified with; none for HS algorithms.
    pub(crate) fn public_keys(&self) -> Option<JwkSet> {
        self.ring.public_keys()
    }

    /// An access token of that session.
    pub(crate) fn access(
        &self,
        user: UserId,
        session: SessionId,
        jti: &str,
        now: Timestamp,
    ) -> String {
        self.sign(&Payload {
            token_type: TokenType::Access,
            expires_at: now + self.config.access_token_lifetime,
            issued_at: now,
            jti,
            user,
            session,
            config: &self.config,
        })
    }

    /// A refresh token of that session. The same arguments make the same token.
    pub(crate) fn refresh(
        &self,
        user: UserId,
        session: SessionId,
        jti: &str,
        issued_at: Timestamp,
        expires_at: Timestamp,
    ) -> String {
        self.sign(&Payload {
            token_type: TokenType::Refresh,
            expires_at,
            issued_at,
            jti,
            user,
            session,
            config: &self.config,
        })
    }

    /// When a refresh token made now runs out.
    pub(crate) fn refresh_expires_at(&self, now: Timestamp) -> Timestamp {
        now + self.config.refresh_token_lifetime
    }

    fn sign(&self, payload: &Payload<'_>) -> String {
        self.ring
            .sign(payload)
            // `Tokens::new` has signed with this very key.
            .unwrap_or_else(|error| unreachable!("signing failed after it had worked: {error}"))
    }

    /// Checks signature, time, issuer and audience, and the claims that we need.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        let claims = self.ring.open(token).ok_or(TokenError::Invalid)?;
        // We write no `nbf`; another service may (RFC 7519, section 4.1.5).
        self.check_not_after(&claims, "nbf", now)?;
        self.check_not_after(&claims, "iat", now + CLOCK_SKEW)?;
        let claims = self.read(&claims).ok_or(TokenError::Invalid)?;
        if claims.expires_at > now + LONGEST_LIFE {
            return Err(TokenError::Invalid);
        }
        if now >= claims.expires_at + self.config.leeway {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }

    /// [`verify`](Self::verify), for a token of this type.
    pub(crate) fn verify_type(
        &self,
        token: &str,
        token_type: TokenType,
        now: Timestamp,
    ) -> Result<Claims, TokenError> {
        let claims = self.verify(token, now)?;
        if claims.token_type == token_type {
            Ok(claims)
        } else {
            Err(TokenError::WrongType)
        }
    }

    /// A time in the claims, if it is there, is not later than this.
    fn check_not_after(
        &self,
        claims: &Map<String, Value>,
        name: &str,
        latest: Timestamp,
    ) -> Result<(), TokenError> {
        let Some(time) = claims.get(name) else {
            return Ok(());
        };
        let time = time.as_i64().ok_or(TokenError::Invalid)?;
        if latest + self.config.leeway < Timestamp::from_secs(time) {
            return Err(TokenError::Invalid);
        }
        Ok(())
    }

    fn read(&self, claims: &Map<String, Value>) -> Option<Claims> {
        let token_type = match claims.get("token_type")?.as_str()? {
            "access" => TokenType::Access,
            "refresh" => TokenType::Refresh,
            _ => return None,
        };
        // simplejwt wrote integers and, in later versions, text.
        let user = match claims.get(&self.config.user_id_claim)? {
            Value::String(text) => text.parse().ok()?,
            value => value.as_i64()?,
        };
        let session = match claims.get("sid") {
            None => None,
            Some(value) => Some(SessionId(value.as_i64()?)),
        };
        let jti = claims.get("jti")?.as_str().filter(|jti| !jti.is_empty())?;
        Some(Claims {
            token_type,
            user: UserId(user),
            session,
            jti: jti.to_owned(),
            expires_at: Timestamp::from_secs(claims.get("exp")?.as_i64()?),
        })
    }

    /// A pair of keys that do not belong together must stop the start, not the first login.
    fn check_keys_match(&self) -> Result<(), ConfigError> {
        let start = Timestamp::default();
        let payload = Payload {
            token_type: TokenType::Access,
            expires_at: Timestamp::from_secs(1),
            issued_at: start,
            jti: "check",
            user: UserId(0),
            session: SessionId(0),
            config: &self.config,
        };
        let token = self.ring.sign(&payload).map_err(|_| {
            ConfigError::about(
                "AUTH.JWT.SIGNING_KEY",
                "this key cannot sign with AUTH.JWT.ALGORITHM",
            )
        })?;
        self.verify(&token, start).map_err(|_| {
            ConfigError::about(
                "AUTH.JWT.VERIFYING_KEY",
                "this key does not belong to AUTH.JWT.SIGNING_KEY",
            )
        })?;
        Ok(())
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(***)")
    }
}

/// The payload, with the claim for the user under its configured name.
struct Payload<'a> {
    token_type: TokenType,
    expires_at: Timestamp,
    issued_at: Timestamp,
    jti: &'a str,
    user: UserId,
    session: SessionId,
    config: &'a JwtConfig,
}

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("token_type", self.token_type.name())?;
        map.serialize_entry("exp", &self.expires_at.as_secs())?;
        map.serialize_entry("iat", &self.issued_at.as_secs())?;
        map.serialize_entry("jti", self.jti)?;
        map.serialize_entry(&self.config.user_id_claim, &self.user)?;
        map.serialize_entry("sid", &self.session)?;
        if let Some(issuer) = &self.config.issuer {
            map.serialize_entry("iss", issuer)?;
        }
        match self.config.audience.as_slice() {
            [] => {}
            [audience] => map.serialize_entry("aud", audience)?,
            audiences => map.serialize_entry("aud", audiences)?,
        }
        map.end()
    }
}

/// jsonwebtoken panics at first use when its features name no provider or both, and a host's other
/// crates may add one; naming ours settles it.
fn install_crypto() {
    #[cfg(feature = "aws-lc-rs")]
    // An error means that the application installed one before: that is its choice.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}

#[cfg(test)]
mod tests;
