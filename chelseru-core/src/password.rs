//! Passwords: how they are read, what may be one, and the hashes that are kept of them.
//!
//! A password is an opaque text: nothing is trimmed, no kind of character is demanded, and digits and
//! letters are kept as they were typed, Persian ones too. Before it is hashed it is brought to Unicode
//! form NFC (RFC 8265), so that it does not matter how a keyboard composes its letters.

mod django;
mod hashing;
mod weak;

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;

#[cfg(any(test, feature = "testing"))]
pub use self::hashing::PasswordWork;
pub(crate) use self::hashing::{Hashing, HashingFailed, Verdict};
pub use self::weak::WeakPassword;
pub(crate) use self::weak::check;

/// A password as it was typed. `Debug` prints `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// The text cannot be a password at all, right or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPassword {
    /// There is no text.
    #[error("This field may not be blank.")]
    Empty,
    /// It has a NUL character, which no keyboard types.
    #[error("Null characters are not allowed.")]
    NulCharacter,
    /// It is longer than [`Password::MAX_CHARS`].
    #[error(
        "Ensure this field has no more than {} characters.",
        Password::MAX_CHARS
    )]
    TooLong,
}

impl Password {
    /// The longest password, in characters: longer than anybody's.
    pub const MAX_CHARS: usize = 1024;

    /// As it was typed.
    pub(crate) fn typed(&self) -> &str {
        &self.0
    }

    /// In the form that is hashed and whose characters count.
    pub(crate) fn normal(&self) -> String {
        self.0.nfc().collect()
    }
}

impl FromStr for Password {
    type Err = InvalidPassword;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            Err(InvalidPassword::Empty)
        } else if text.contains('\0') {
            Err(InvalidPassword::NulCharacter)
        } else if text.chars().nth(Self::MAX_CHARS).is_some() {
            Err(InvalidPassword::TooLong)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What is kept of a password: an argon2id hash as a PHC string (`$argon2id$v=19$m=…,t=…,p=…$…$…`) or,
/// of an account that was brought over, Django's `pbkdf2_sha256$…`. Stores keep the text as it is.
///
/// `Debug` prints `***`: whoever has a hash can try passwords at home.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Reads what a store kept. Whether anybody can log in with it turns out at the login.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the store.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidPassword, Password, PasswordHash};

    #[test]
    fn a_password_is_kept_as_it_was_typed() {
        for text in [" ", "  a  b ", "۱۲۳", "رمز\u{200c}عبور", "a\tb", "🔑"] {
            assert_eq!(text.parse::<Password>().unwrap().typed(), text);
        }
    }

    #[test]
    fn a_text_that_nobody_types_is_no_password() {
        let long = "م".repeat(Password::MAX_CHARS);
        assert!(long.parse::<Password>().is_ok());
        for (text, error) in [
            (String::new(), InvalidPassword::Empty),
            ("a\0b".to_owned(), InvalidPassword::NulCharacter),
            (format!("{long}م"), InvalidPassword::TooLong),
        ] {
            assert_eq!(text.parse::<Password>(), Err(error));
        }
    }

    #[test]
    fn how_letters_are_composed_does_not_matter() {
        let normal = |text: &str| text.parse::<Password>().unwrap().normal();
        assert_eq!(normal("caf\u{e9}"), normal("cafe\u{301}"));
        assert_eq!(normal("\u{622}"), normal("\u{627}\u{653}"));
        assert_ne!(normal("۱"), normal("1"));
        assert_ne!(normal("ﬁ"), normal("fi"));
    }

    #[test]
    fn neither_a_password_nor_its_hash_prints() {
        let password: Password = "hunter2".parse().unwrap();
        assert_eq!(format!("{password:?}"), "***");
        assert_eq!(format!("{:?}", PasswordHash::new("$argon2id$…")), "***");
    }
}
