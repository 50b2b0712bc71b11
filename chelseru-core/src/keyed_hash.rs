//! HMAC-SHA256 under keys that are derived from the signing key, one for each purpose: what is hashed
//! with it can be compared, and not guessed from a copy of the database.
//!
//! When the signing key is changed, what was hashed before is found under the previous ones.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::Secret;

/// A hash for one purpose.
#[derive(Clone)]
pub(crate) struct KeyedHash(Hmac<Sha256>);

impl KeyedHash {
    /// `purpose` names what is hashed and the version of how.
    pub(crate) fn new(secret: &Secret, purpose: &str) -> Self {
        let derived = keyed(secret.expose().as_bytes())
            .chain_update(purpose)
            .finalize()
            .into_bytes();
        Self(keyed(&derived))
    }

    /// The hash of these parts. Each is hashed with its length, so no two lists are alike.
    pub(crate) fn of(&self, parts: &[&str]) -> [u8; 32] {
        let mut hash = self.0.clone();
        for part in parts {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().into_bytes().into()
    }
}

impl fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedHash(***)")
    }
}

/// Hashes for one purpose under each key of the ring.
#[derive(Clone, Debug)]
pub(crate) struct KeyedHashes {
    current: KeyedHash,
    previous: Vec<KeyedHash>,
}

impl KeyedHashes {
    /// `secrets` are the current one and then the previous ones; `purpose` as for [`KeyedHash::new`].
    pub(crate) fn new(secrets: &[Secret], purpose: &str) -> Self {
        let mut hashes = secrets.iter().map(|secret| KeyedHash::new(secret, purpose));
        Self {
            current: hashes
                .next()
                .unwrap_or_else(|| unreachable!("a ring has a key")),
            previous: hashes.collect(),
        }
    }

    /// The hash of these parts, to be kept.
    pub(crate) fn of(&self, parts: &[&str]) -> [u8; 32] {
        self.current.of(parts)
    }

    /// The hashes under which these parts may have been kept before.
    pub(crate) fn previous_of(&self, parts: &[&str]) -> impl Iterator<Item = [u8; 32]> {
        self.previous.iter().map(|hash| hash.of(parts))
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"))
}

#[cfg(test)]
mod tests {
    use super::KeyedHash;
    use crate::secret::Secret;

    fn hash(key: &str, purpose: &str, parts: &[&str]) -> [u8; 32] {
        KeyedHash::new(&Secret::new(key), purpose).of(parts)
    }

    #[test]
    fn the_same_parts_have_the_same_hash() {
        assert_eq!(hash("k", "p", &["a", "b"]), hash("k", "p", &["a", "b"]));
    }

    #[test]
    fn another_key_purpose_or_division_has_another_hash() {
        let one = hash("k", "p", &["a", "b"]);
        assert_ne!(one, hash("other", "p", &["a", "b"]));
        assert_ne!(one, hash("k", "other", &["a", "b"]));
        assert_ne!(one, hash("k", "p", &["ab", ""]));
        assert_ne!(one, hash("k", "p", &["ab"]));
    }
}
