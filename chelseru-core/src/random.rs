//! Random names and ids. Every function takes its generator, so that policy stays testable; the
//! services pass `rand::rng()`, a CSPRNG seeded by the operating system.

use std::fmt::Write as _;

use rand::{CryptoRng, RngExt};

/// 128 bits as 32 lower-case hexadecimal digits, such as a token's `jti`.
pub(crate) fn token_id(rng: &mut impl CryptoRng) -> String {
    format!("{:032x}", rng.random::<u128>())
}

/// The first 128 bits of a hash, as 32 lower-case hexadecimal digits.
pub(crate) fn hex(hash: [u8; 32]) -> String {
    hash[..16].iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
/// Digits and letters without look-alikes.
const ALPHABET: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";

/// An opaque username: `u` and ten characters without look-alikes, 49 bits.
pub(crate) fn username(rng: &mut impl CryptoRng) -> String {
    let characters = (0..10).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]));
    std::iter::once('u').chain(characters).collect()
}

/// Whether [`username`] could have made this name.
pub(crate) fn is_like_a_username(name: &str) -> bool {
    let rest = name.strip_prefix('u').unwrap_or_default();
    rest.len() == 10 && rest.bytes().all(|byte| ALPHABET.contains(&byte))
}

/// A positive integer of 63 bits.
pub(crate) fn id(rng: &mut impl CryptoRng) -> i64 {
    rng.random_range(1..=i64::MAX)
}
