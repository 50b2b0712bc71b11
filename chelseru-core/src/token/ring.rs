//! The key ring: signs with one key, verifies with several, and says which are public.
//!
//! Every key is for the one configured algorithm, so a token cannot choose how it is verified
//! (RFC 8725, section 3.1). A key comes from the settings alone: `jku`, `jwk`, `x5u` and `x5c` of a
//! token are not looked at.

use std::fmt;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse, ThumbprintHash,
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::config::{ConfigError, JwtAlgorithm, JwtConfig, is_private_pem};
use crate::secret::Secret;

const SIGNING_KEY: &str = "AUTH.JWT.SIGNING_KEY";

/// A modulus of 2048 bits (RFC 7518, section 3.3) in base64.
const SHORTEST_RSA_MODULUS: usize = 342;

/// See the module.
pub(super) struct KeyRing {
    header: Header,
    signing_key: EncodingKey,
    /// The first one belongs to the signing key.
    keys: Vec<VerifyingKey>,
    validation: Validation,
}

impl KeyRing {
    pub(super) fn new(config: &JwtConfig) -> Result<Self, ConfigError> {
        let algorithm = algorithm(config.algorithm);
        if config.signing_key.is_empty() {
            return Err(ConfigError::about(
                SIGNING_KEY,
                "is missing; tokens are signed with it: a secret of at least 32 bytes, the same on every start",
            ));
        }
        let signing_key = signing_key(&config.signing_key, algorithm).ok_or_else(|| {
            ConfigError::about(
                SIGNING_KEY,
                "is not a private key in PEM for AUTH.JWT.ALGORITHM",
            )
        })?;
        let current = if config.algorithm.is_symmetric() {
            &config.signing_key
        } else {
            &config.verifying_key
        };
        let current = VerifyingKey::new(current, algorithm).ok_or_else(|| {
            ConfigError::about(
                "AUTH.JWT.VERIFYING_KEY",
                "is not a public key in PEM for AUTH.JWT.ALGORITHM",
            )
        })?;
        let mut header = Header::new(algorithm);
        header.kid.clone_from(&current.id);
        let mut keys = vec![current];
        for (place, key) in (1..).zip(&config.previous_keys) {
            let key = VerifyingKey::new_or_private(key, algorithm).ok_or_else(|| {
                ConfigError::about(
                    "AUTH.JWT.PREVIOUS_KEYS",
                    format!("key {place} is not a key in PEM for AUTH.JWT.ALGORITHM"),
                )
            })?;
            // One that is there already is no mistake: servers that share a list may sign differently.
            if key.id.is_none() || keys.iter().all(|known| known.id != key.id) {
                keys.push(key);
            }
        }
        Ok(Self {
            header,
            signing_key,
            keys,
            validation: validation(config, algorithm),
        })
    }

    pub(super) fn sign(&self, payload: &impl Serialize) -> jsonwebtoken::errors::Result<String> {
        jsonwebtoken::encode(&self.header, payload, &self.signing_key)
    }

    /// The claims of a token that one of the keys signed. A token that names its key is tried with
    /// that one alone, another one with each.
    pub(super) fn open(&self, token: &str) -> Option<Map<String, Value>> {
        let named = match self.keys.as_slice() {
            [_] => None,
            _ => jsonwebtoken::decode_header(token).ok()?.kid,
        };
        let candidates = self.keys.iter().filter(|key| key.is_called(named.as_ref()));
        for key in candidates {
            match jsonwebtoken::decode::<UniqueClaims>(token, &key.key, &self.validation) {
                Ok(token) if key.may_have_made(&token.header) => return Some(token.claims.0),
                Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {}
                _ => return None,
            }
        }
        None
    }

    /// The public keys (RFC 7517, section 5), the current one first; none for HS algorithms.
    pub(super) fn public_keys(&self) -> Option<JwkSet> {
        let keys = self.keys.iter().map(|key| key.jwk.clone());
        let keys = keys.collect::<Option<_>>()?;
        Some(JwkSet { keys })
    }
}

/// One key that tokens are verified with.
struct VerifyingKey {
    key: DecodingKey,
    /// The thumbprint (RFC 7638) of a public key. A secret has no name.
    id: Option<String>,
    jwk: Option<Jwk>,
}

impl VerifyingKey {
    /// Of a secret or of a public key in PEM.
    fn new(key: &Secret, algorithm: Algorithm) -> Option<Self> {
        let bytes = key.expose().as_bytes();
        let key = match algorithm {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
                return Some(Self {
                    key: DecodingKey::from_secret(bytes),
                    id: None,
                    jwk: None,
                });
            }
            Algorithm::ES256 | Algorithm::ES384 => DecodingKey::from_ec_pem(bytes),
            Algorithm::EdDSA => DecodingKey::from_ed_pem(bytes),
            _ => DecodingKey::from_rsa_pem(bytes),
        };
        let key = key.ok()?;
        let jwk = Jwk::from_decoding_key(&key, Some(algorithm)).ok()?;
        Self::public(key, jwk, algorithm)
    }

    /// Of a secret, or of a public or a private key in PEM.
    fn new_or_private(key: &Secret, algorithm: Algorithm) -> Option<Self> {
        if !is_private_pem(key.expose()) {
            return Self::new(key, algorithm);
        }
        let private = signing_key(key, algorithm)?;
        let jwk = Jwk::from_encoding_key(&private, algorithm).ok()?;
        Self::public(DecodingKey::from_jwk(&jwk).ok()?, jwk, algorithm)
    }

    fn public(key: DecodingKey, mut jwk: Jwk, algorithm: Algorithm) -> Option<Self> {
        if !fits(&jwk, algorithm) {
            return None;
        }
        let id = jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
        jwk.common.key_id = Some(id.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Some(Self {
            key,
            id: Some(id),
            jwk: Some(jwk),
        })
    }

    fn is_called(&self, name: Option<&String>) -> bool {
        name.is_none() || name == self.id.as_ref()
    }

    /// Whether the header of a token that this key has signed says nothing else. Extensions that must
    /// be understood (RFC 7515, section 4.1.11) are not: we know none.
    fn may_have_made(&self, header: &Header) -> bool {
        header.crit.is_none() && self.is_called(header.kid.as_ref())
    }
}

/// Whether a public key is of the algorithm's curve, or long enough.
fn fits(jwk: &Jwk, algorithm: Algorithm) -> bool {
    match (&jwk.algorithm, algorithm) {
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => {
            key.curve == EllipticCurve::P256
        }
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES384) => {
            key.curve == EllipticCurve::P384
        }
        (AlgorithmParameters::OctetKeyPair(_), Algorithm::EdDSA) => true,
        (AlgorithmParameters::RSA(key), Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512) => {
            key.n.len() >= SHORTEST_RSA_MODULUS
        }
        _ => false,
    }
}

fn signing_key(key: &Secret, algorithm: Algorithm) -> Option<EncodingKey> {
    let bytes = key.expose().as_bytes();
    let key = match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
            return Some(EncodingKey::from_secret(bytes));
        }
        Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(bytes),
        Algorithm::EdDSA => EncodingKey::from_ed_pem(bytes),
        _ => EncodingKey::from_rsa_pem(bytes),
    };
    key.ok()
}

fn validation(config: &JwtConfig, algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    // The library would read the machine's clock; `Tokens::verify` compares with the caller's.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = !config.audience.is_empty();
    if !config.audience.is_empty() {
        validation.set_audience(&config.audience);
        validation.required_spec_claims.insert("aud".to_owned());
    }
    if let Some(issuer) = &config.issuer {
        validation.set_issuer(&[issuer]);
        validation.required_spec_claims.insert("iss".to_owned());
    }
    validation
}

fn algorithm(algorithm: JwtAlgorithm) -> Algorithm {
    match algorithm {
        JwtAlgorithm::HS256 => Algorithm::HS256,
        JwtAlgorithm::HS384 => Algorithm::HS384,
        JwtAlgorithm::HS512 => Algorithm::HS512,
        JwtAlgorithm::RS256 => Algorithm::RS256,
        JwtAlgorithm::RS384 => Algorithm::RS384,
        JwtAlgorithm::RS512 => Algorithm::RS512,
        JwtAlgorithm::ES256 => Algorithm::ES256,
        JwtAlgorithm::ES384 => Algorithm::ES384,
        JwtAlgorithm::EdDSA => Algorithm::EdDSA,
    }
}

/// Claims, each of them once: of two with one name, two readers could believe different ones
/// (RFC 7519, section 4).
struct UniqueClaims(Map<String, Value>);

impl<'de> Deserialize<'de> for UniqueClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Claims;

        impl<'de> Visitor<'de> for Claims {
            type Value = UniqueClaims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UniqueClaims, A::Error> {
                let mut claims = Map::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if claims.insert(name, value).is_some() {
                        return Err(A::Error::custom("a claim stands there twice"));
                    }
                }
                Ok(UniqueClaims(claims))
            }
        }

        deserializer.deserialize_map(Claims)
    }
}
