//! Random names and ids. Every function takes its generator, so that policy stays testable; the
//! services pass `rand::rng()`, a CSPRNG seeded by the operating system.

use rand::{CryptoRng, RngExt};

/// `length` lower-case hexadecimal digits, such as a token's `jti` (32 of them, 128 bits).
pub(crate) fn hex(rng: &mut impl CryptoRng, length: usize) -> String {
    pick(rng, length, b"0123456789abcdef")
}

/// An opaque username: `u` and ten characters without look-alikes, 49 bits.
pub(crate) fn username(rng: &mut impl CryptoRng) -> String {
    let mut name = pick(rng, 10, b"23456789abcdefghjkmnpqrstuvwxyz");
    name.insert(0, 'u');
    name
}

/// A positive integer of 63 bits.
pub(crate) fn id(rng: &mut impl CryptoRng) -> i64 {
    rng.random_range(1..=i64::MAX)
}

fn pick(rng: &mut impl CryptoRng, length: usize, alphabet: &[u8]) -> String {
    (0..length)
        .map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())]))
        .collect()
}
