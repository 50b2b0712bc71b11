//! Django's own hashes, so that users can be brought over with their passwords:
//! `pbkdf2_sha256$ITERATIONS$SALT$HASH`, the hash in base64 with padding.
//!
//! Django hashes a password as it was typed, without any Unicode form, and so does this.

use base64ct::{Base64, Encoding};
use pbkdf2::pbkdf2_hmac;
use sha2::Sha256;

use super::Password;

/// A hash that Django made.
#[derive(Debug)]
pub(super) struct DjangoHash<'a> {
    pub(super) iterations: u32,
    salt: &'a str,
    output: [u8; 32],
}

impl<'a> DjangoHash<'a> {
    /// Reads a hash; `None` for anything that Django would not have written.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("pbkdf2_sha256$")?.split('$');
        let (iterations, salt, output) = (parts.next()?, parts.next()?, parts.next()?);
        let is_plain = iterations.bytes().all(|byte| byte.is_ascii_digit());
        let iterations = iterations.parse().ok().filter(|n| is_plain && *n > 0)?;
        let mut bytes = [0; 32];
        let decoded = Base64::decode(output, &mut bytes).ok()?;
        (decoded.len() == bytes.len() && parts.next().is_none()).then_some(Self {
            iterations,
            salt,
            output: bytes,
        })
    }

    /// What the password must come to, and what it comes to.
    pub(super) fn compare(&self, password: &Password) -> ([u8; 32], [u8; 32]) {
        let salt = self.salt.as_bytes();
        (self.output, stretch(password, salt, self.iterations))
    }
}

/// PBKDF2 of a password as it was typed.
pub(super) fn stretch(password: &Password, salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut output = [0; 32];
    pbkdf2_hmac::<Sha256>(password.typed().as_bytes(), salt, iterations, &mut output);
    output
}

#[cfg(test)]
mod tests {
    use super::DjangoHash;

    /// Made with Python's `hashlib.pbkdf2_hmac`, as Django does.
    const HASH: &str = "pbkdf2_sha256$1000$seasalt$JgZryXe2Ga8ysg6XbzkLpTdyPQrHqsinbL9BnnhgX4A=";

    fn is_right(hash: &str, password: &str) -> bool {
        let hash = DjangoHash::read(hash).expect("a hash");
        let (expected, found) = hash.compare(&password.parse().unwrap());
        expected == found
    }

    #[test]
    fn a_hash_of_django_knows_its_password() {
        assert!(is_right(HASH, "lètmein"));
        assert!(!is_right(HASH, "letmein"));
        assert!(!is_right(HASH, "le\u{300}tmein"), "Django knows no form");
    }

    #[test]
    fn what_django_did_not_write_is_no_hash() {
        let (rest, output) = HASH.rsplit_once('$').unwrap();
        for text in [
            "",
            "pbkdf2_sha256",
            "!unusable",
            rest,
            &format!("{HASH}$"),
            &format!("{rest}$"),
            &format!("{rest}${}", &output[1..]),
            &format!("pbkdf2_sha256$0$s${output}"),
            &format!("pbkdf2_sha256$+1$s${output}"),
            &format!("pbkdf2_sha256$-1$s${output}"),
            &format!("pbkdf2_sha256$4294967296$s${output}"),
            &format!("pbkdf2_sha1$1$s${output}"),
        ] {
            assert!(DjangoHash::read(text).is_none(), "{text:?}");
        }
    }
}
