//! The keys of tokens: which fit their algorithm, which of them are secrets, and which are weak.

use super::error::Problems;
use super::{JwtAlgorithm, JwtConfig};
use crate::secret::Secret;

/// As long as the shortest hash of the HS algorithms (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;

/// A rotation has two or three keys. A token that names no key is tried with each of them, so their
/// number bounds the work that a forged one makes.
const MOST_PREVIOUS: usize = 8;

/// Texts with fewer different characters than this come from no generator.
const FEWEST_CHARACTERS: usize = 8;

/// Secrets that everybody can read in our documentation.
const PUBLISHED: [&str; 2] = [
    "at least 32 bytes that nobody can guess",
    "a secret of at least 32 bytes, kept",
];

impl JwtConfig {
    /// What the keys for hashes are derived from: the signing key, then the previous keys that are
    /// secrets. A public key is none: who has it and a copy of the database could try all codes.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let is_symmetric = self.algorithm.is_symmetric();
        let previous = self.previous_keys.iter();
        let secret = previous.filter(|key| is_symmetric || is_private_pem(key.expose()));
        std::iter::once(&self.signing_key)
            .chain(secret)
            .map(|key| {
                if is_symmetric {
                    key.clone()
                } else {
                    // A line's end after a key in PEM is no part of it, and is lost when it is copied.
                    Secret::new(key.expose().trim())
                }
            })
            .collect()
    }

    /// Keys that are allowed and that somebody may guess. A key is not shown.
    pub(crate) fn weak_keys(&self) -> Vec<String> {
        if !self.algorithm.is_symmetric() {
            return Vec::new();
        }
        let signing = ("AUTH.JWT.SIGNING_KEY", &self.signing_key);
        let previous = self.previous_keys.iter();
        let keys = previous.map(|key| ("AUTH.JWT.PREVIOUS_KEYS", key));
        let keys = std::iter::once(signing).chain(keys);
        keys.filter_map(|(name, key)| {
            let weakness = weakness(key.expose().as_bytes(), self.algorithm)?;
            Some(format!(
                "{name} {weakness}; who guesses it can log in as anybody. Make one with: openssl rand -hex 64"
            ))
        })
        .collect()
    }
}

/// What makes a secret one that can be guessed.
fn weakness(secret: &[u8], algorithm: JwtAlgorithm) -> Option<String> {
    if secret.is_empty() {
        return None;
    }
    let mut characters = secret.to_vec();
    characters.sort_unstable();
    characters.dedup();
    let is_repeated = |length| secret.iter().zip(&secret[length..]).all(|(a, b)| a == b);
    // RFC 7518, section 3.2. Below 32 bytes nothing starts.
    let hash_bytes = match algorithm {
        JwtAlgorithm::HS384 => 48,
        JwtAlgorithm::HS512 => 64,
        _ => SHORTEST_SECRET,
    };
    if PUBLISHED.iter().any(|text| text.as_bytes() == secret) {
        Some("is the example of the documentation".to_owned())
    } else if secret.starts_with(b"django-insecure-") {
        Some("is the one that Django made for development".to_owned())
    } else if characters.len() < FEWEST_CHARACTERS {
        Some("has very few different characters".to_owned())
    } else if (1..=secret.len() / 2).any(is_repeated) {
        Some("is one text again and again".to_owned())
    } else if secret.len() < hash_bytes {
        Some(format!(
            "is {} bytes long, {algorithm:?} should have {hash_bytes}",
            secret.len()
        ))
    } else {
        None
    }
}

pub(crate) fn is_private_pem(key: &str) -> bool {
    is_pem(key) && key.contains("PRIVATE KEY-----")
}

fn is_pem(key: &str) -> bool {
    key.trim_start().starts_with("-----BEGIN")
}

/// The keys of tokens fit the algorithm. There may be no signing key yet: a server can make one.
pub(super) fn check(jwt: &JwtConfig, problems: &mut Problems) {
    if problems.has("AUTH.JWT.ALGORITHM") {
        return;
    }
    check_previous(jwt, problems);
    let algorithm = jwt.algorithm;
    let (signing, verifying) = (jwt.signing_key.expose(), jwt.verifying_key.expose());
    if algorithm.is_symmetric() {
        if !signing.is_empty()
            && let Some(fault) = fault_of_secret(signing, algorithm)
        {
            problems.add("AUTH.JWT.SIGNING_KEY", fault);
        }
        return;
    }
    if !signing.is_empty() && !is_pem(signing) {
        let message =
            format!("is not PEM, {algorithm:?} needs a private key that begins with -----BEGIN");
        problems.add("AUTH.JWT.SIGNING_KEY", message);
    }
    if !is_pem(verifying) {
        let found = if verifying.is_empty() {
            "is missing"
        } else {
            "is not PEM"
        };
        let message =
            format!("{found}, {algorithm:?} needs a public key that begins with -----BEGIN");
        problems.add("AUTH.JWT.VERIFYING_KEY", message);
    }
}

fn check_previous(jwt: &JwtConfig, problems: &mut Problems) {
    const PREVIOUS: &str = "AUTH.JWT.PREVIOUS_KEYS";
    let (keys, algorithm) = (&jwt.previous_keys, jwt.algorithm);
    if keys.len() > MOST_PREVIOUS {
        let message = format!("has {} keys, allowed are {MOST_PREVIOUS}", keys.len());
        problems.add(PREVIOUS, message);
    }
    for (place, key) in (1..).zip(keys) {
        let key = key.expose();
        let fault = if algorithm.is_symmetric() {
            fault_of_secret(key, algorithm)
        } else if is_pem(key) {
            None
        } else {
            Some(format!(
                "is not PEM, {algorithm:?} needs a public or a private key that begins with -----BEGIN"
            ))
        };
        if let Some(fault) = fault {
            problems.add(PREVIOUS, format!("key {place} {fault}"));
        }
    }
}

/// A key in PEM is none: with a public one, which everybody may read, everybody could sign.
fn fault_of_secret(secret: &str, algorithm: JwtAlgorithm) -> Option<String> {
    if is_pem(secret) {
        Some(format!("is PEM, {algorithm:?} needs a secret"))
    } else if secret.len() < SHORTEST_SECRET {
        Some(format!(
            "is {} bytes long, {algorithm:?} needs at least {SHORTEST_SECRET}",
            secret.len()
        ))
    } else {
        None
    }
}
