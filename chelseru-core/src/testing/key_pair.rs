//! Key pairs that everybody knows, to sign with in tests.

use crate::config::JwtAlgorithm;

/// A private key and its public half, both in PEM. Good for tests alone: they are published.
#[derive(Clone, Copy, Debug)]
pub struct KeyPair {
    /// For `AUTH.JWT.SIGNING_KEY`.
    pub private: &'static str,
    /// For `AUTH.JWT.VERIFYING_KEY`.
    pub public: &'static str,
}

macro_rules! pair {
    ($name:literal) => {
        KeyPair {
            private: include_str!(concat!("keys/", $name, ".pem")),
            public: include_str!(concat!("keys/", $name, ".pub.pem")),
        }
    };
}

const RSA: [KeyPair; 2] = [pair!("rsa-1"), pair!("rsa-2")];
const P256: [KeyPair; 2] = [pair!("p256-1"), pair!("p256-2")];
const P384: [KeyPair; 2] = [pair!("p384-1"), pair!("p384-2")];
const ED25519: [KeyPair; 2] = [pair!("ed25519-1"), pair!("ed25519-2")];

impl KeyPair {
    /// Two pairs for an algorithm with pairs.
    ///
    /// # Panics
    ///
    /// For HS algorithms, which have none.
    pub fn two_for(algorithm: JwtAlgorithm) -> [Self; 2] {
        match algorithm {
            JwtAlgorithm::RS256 | JwtAlgorithm::RS384 | JwtAlgorithm::RS512 => RSA,
            JwtAlgorithm::ES256 => P256,
            JwtAlgorithm::ES384 => P384,
            JwtAlgorithm::EdDSA => ED25519,
            JwtAlgorithm::HS256 | JwtAlgorithm::HS384 | JwtAlgorithm::HS512 => {
                panic!("{algorithm:?} has no key pairs")
            }
        }
    }
}
