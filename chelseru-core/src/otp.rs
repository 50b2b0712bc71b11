//! One-time codes: how they are made, hashed and compared.
//!
//! A code is uniform over all codes of its length. The store keeps HMAC-SHA256 of the code, its number
//! and what it is for, under a key derived from the signing key, so a copy of the database gives no
//! code, not even by trying them all. The comparison takes the same time whatever it finds, also while
//! there are previous signing keys under which the code may have been sent.

use std::fmt;

use rand::{CryptoRng, RngExt};
use subtle::{Choice, ConstantTimeEq};

use crate::digits;
use crate::keyed_hash::{KeyedHash, KeyedHashes};
use crate::mobile::MobileNumber;
use crate::secret::Secret;
use crate::store::{CodeHash, CodeId};
use crate::user::UserId;

/// What the derived key is for; a change of the scheme changes it.
const KEY_PURPOSE: &str = "chelseru one-time code v3";

/// A code as a user typed it or as it was made: ASCII digits. Prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

/// The text is not the digits of any code: too few, too many, or something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code is 3 to 10 digits")]
pub struct InvalidCode;

impl Code {
    /// Makes a code of `length` digits, leading zeros included.
    pub(crate) fn random(rng: &mut impl CryptoRng, length: u8) -> Self {
        let number = rng.random_range(0..10_u64.pow(u32::from(length)));
        Self(format!("{number:0width$}", width = usize::from(length)))
    }

    /// Makes the code that belongs to a number and a random id, the same every time: uniform to who does
    /// not know the key.
    pub(crate) fn derived(
        key: &KeyedHash,
        mobile_number: MobileNumber,
        id: CodeId,
        length: u8,
    ) -> Self {
        let codes = 10_u64.pow(u32::from(length));
        // Beyond the last whole range the first codes would be likelier than the others.
        let whole = u64::MAX - u64::MAX % codes;
        let id = id.0.to_string();
        let mut round = 0_u64;
        let number = loop {
            let hash = key.of(&[mobile_number.as_str(), &id, &round.to_string()]);
            let number = hash.iter().take(8).fold(0, |number: u64, byte| {
                number.wrapping_shl(8) | u64::from(*byte)
            });
            if number < whole {
                break number % codes;
            }
            round += 1;
        };
        Self(format!("{number:0width$}", width = usize::from(length)))
    }

    /// The digits, for the message that carries them.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// How many digits there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl std::str::FromStr for Code {
    type Err = InvalidCode;

    /// Takes Persian and Arabic-Indic digits, and spaces and dashes between digits, as mobile numbers
    /// do.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = digits::read(text).ok_or(InvalidCode)?;
        if digits.plus || !(3..=10).contains(&digits.ascii.len()) {
            return Err(InvalidCode);
        }
        Ok(Self(digits.ascii))
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a code does. One that was sent for one thing does nothing else, so nobody can be talked into
/// reading out a code that does more than its owner asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodePurpose {
    /// Logs in.
    Login,
    /// Makes an account with a password.
    Register,
    /// Sets the password of an account.
    ResetPassword,
    /// Gives that account the number to which it was sent.
    ChangeNumber(UserId),
    /// Deletes that account.
    DeleteAccount(UserId),
}

impl CodePurpose {
    /// What is hashed with the code.
    fn context(self) -> String {
        match self {
            Self::Login => "login".to_owned(),
            Self::Register => "register".to_owned(),
            Self::ResetPassword => "reset password".to_owned(),
            Self::ChangeNumber(user) => format!("change the number of {}", user.0),
            Self::DeleteAccount(user) => format!("delete {}", user.0),
        }
    }

    /// The account for which it is good alone, whichever number it is sent to.
    pub(crate) fn account(self) -> Option<UserId> {
        let (Self::ChangeNumber(user) | Self::DeleteAccount(user)) = self else {
            return None;
        };
        Some(user)
    }
}

/// Hashes codes under a key of their own.
#[derive(Clone)]
pub(crate) struct CodeHasher(KeyedHashes);

impl CodeHasher {
    /// Of the signing key and then the previous ones.
    pub(crate) fn new(secrets: &[Secret]) -> Self {
        Self(KeyedHashes::new(secrets, KEY_PURPOSE))
    }

    /// The hash that the store keeps.
    pub(crate) fn hash(
        &self,
        purpose: CodePurpose,
        mobile_number: MobileNumber,
        code: &Code,
    ) -> CodeHash {
        self.0
            .of(&[&purpose.context(), mobile_number.as_str(), &code.0])
    }

    /// Whether `code` has that hash under one of the keys, in constant time: all are tried. Without a
    /// hash it does the same work and says no.
    pub(crate) fn verify(
        &self,
        purpose: CodePurpose,
        mobile_number: MobileNumber,
        code: &Code,
        expected: Option<&CodeHash>,
    ) -> bool {
        let context = purpose.context();
        let parts = [&context, mobile_number.as_str(), &code.0];
        let kept = expected.unwrap_or(&[0; 32]);
        let mut is_equal = self.0.of(&parts).ct_eq(kept);
        for hash in self.0.previous_of(&parts) {
            is_equal |= hash.ct_eq(kept);
        }
        bool::from(is_equal & Choice::from(u8::from(expected.is_some())))
    }
}

impl fmt::Debug for CodeHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeHasher(***)")
    }
}

#[cfg(test)]
mod statistics;

#[cfg(test)]
mod tests {
    use super::{Code, CodeHasher, CodePurpose};
    use crate::keyed_hash::KeyedHash;
    use crate::mobile::MobileNumber;
    use crate::secret::Secret;
    use crate::store::CodeId;
    use crate::user::UserId;

    fn number(text: &str) -> MobileNumber {
        text.parse().unwrap()
    }

    fn hasher_of(secrets: &[&str]) -> CodeHasher {
        let secrets: Vec<_> = secrets.iter().map(|text| Secret::new(*text)).collect();
        CodeHasher::new(&secrets)
    }

    fn hasher() -> CodeHasher {
        hasher_of(&["a signing key of at least 32 bytes"])
    }

    #[test]
    fn codes_of_every_length_use_every_digit_in_every_place() {
        let mut rng = rand::rng();
        for length in 3..=10 {
            let mut seen = vec![[false; 10]; usize::from(length)];
            for _ in 0..2000 {
                let code = Code::random(&mut rng, length);
                assert_eq!(code.len(), usize::from(length));
                for (place, digit) in code.expose().bytes().enumerate() {
                    seen[place][usize::from(digit - b'0')] = true;
                }
            }
            assert!(seen.iter().flatten().all(|&seen| seen), "length {length}");
        }
    }

    #[test]
    fn a_derived_code_is_the_same_for_the_same_key_number_and_id_alone() {
        let key = |secret| KeyedHash::new(&Secret::new(secret), "test");
        let derived = |secret, text, id| Code::derived(&key(secret), number(text), CodeId(id), 10);
        let code = derived("a", "09121234567", 1);
        assert!(code == derived("a", "09121234567", 1));
        assert!(code != derived("b", "09121234567", 1));
        assert!(code != derived("a", "09121234568", 1));
        assert!(code != derived("a", "09121234567", 2));
    }

    /// Chi-squared over all codes of three digits: beyond 1 150 once in a thousand times, and this is
    /// the same sample every time.
    #[test]
    fn derived_codes_are_uniform() {
        let key = KeyedHash::new(&Secret::new("a signing key"), "test");
        let mut seen = vec![0_u32; 1000];
        for id in 0..100_000 {
            let code = Code::derived(&key, number("09121234567"), CodeId(id), 3);
            seen[code.expose().parse::<usize>().unwrap()] += 1;
        }
        let chi_squared: f64 = seen
            .iter()
            .map(|&times| (f64::from(times) - 100.0).powi(2) / 100.0)
            .sum();
        assert!((850.0..1150.0).contains(&chi_squared), "{chi_squared}");
        for length in 3..=10 {
            let code = Code::derived(&key, number("09121234567"), CodeId(7), length);
            assert_eq!(code.len(), usize::from(length));
        }
    }

    #[test]
    fn a_code_is_good_for_its_own_number_only() {
        let code: Code = "12345678".parse().unwrap();
        let hash = hasher().hash(CodePurpose::Login, number("09121234567"), &code);
        assert!(hasher().verify(
            CodePurpose::Login,
            number("09121234567"),
            &code,
            Some(&hash)
        ));
        assert!(!hasher().verify(
            CodePurpose::Login,
            number("09121234568"),
            &code,
            Some(&hash)
        ));
        assert!(!hasher().verify(
            CodePurpose::Login,
            number("09121234567"),
            &"12345679".parse().unwrap(),
            Some(&hash)
        ));
        assert!(!hasher().verify(CodePurpose::Login, number("09121234567"), &code, None));
    }

    #[test]
    fn a_code_does_only_what_it_was_sent_for_and_for_its_account_alone() {
        let code: Code = "12345678".parse().unwrap();
        let number = number("09121234567");
        let purposes = [
            CodePurpose::Login,
            CodePurpose::Register,
            CodePurpose::ResetPassword,
            CodePurpose::ChangeNumber(UserId(1)),
            CodePurpose::ChangeNumber(UserId(2)),
            CodePurpose::DeleteAccount(UserId(1)),
            CodePurpose::DeleteAccount(UserId(2)),
        ];
        for sent_for in purposes {
            let hash = hasher().hash(sent_for, number, &code);
            for used_for in purposes {
                let is_good = hasher().verify(used_for, number, &code, Some(&hash));
                assert_eq!(is_good, sent_for == used_for, "{sent_for:?} {used_for:?}");
            }
        }
    }

    #[test]
    fn another_secret_gives_another_hash() {
        let code: Code = "12345678".parse().unwrap();
        let other = hasher_of(&["another signing key of 32 bytes or more"]);
        assert_ne!(
            hasher().hash(CodePurpose::Login, number("09121234567"), &code),
            other.hash(CodePurpose::Login, number("09121234567"), &code)
        );
    }

    #[test]
    fn a_code_is_good_under_each_key_of_the_ring_and_hashed_under_the_first() {
        let number = number("09121234567");
        let code: Code = "12345678".parse().unwrap();
        let [old, older, new] = ["old", "older", "new"].map(|key| hasher_of(&[key]));
        let ring = hasher_of(&["new", "old", "older"]);
        assert_eq!(
            ring.hash(CodePurpose::Login, number, &code),
            new.hash(CodePurpose::Login, number, &code)
        );
        for kept in [&old, &older, &new] {
            let hash = kept.hash(CodePurpose::Login, number, &code);
            assert!(ring.verify(CodePurpose::Login, number, &code, Some(&hash)));
            assert!(!ring.verify(
                CodePurpose::Login,
                number,
                &"12345679".parse().unwrap(),
                Some(&hash)
            ));
        }
        let hash = ring.hash(CodePurpose::Login, number, &code);
        assert!(!old.verify(CodePurpose::Login, number, &code, Some(&hash)));
        assert!(!ring.verify(CodePurpose::Login, number, &code, None));
    }

    #[test]
    fn a_typed_code_may_have_other_digits_and_separators() {
        for text in ["12345678", "۱۲۳۴۵۶۷۸", "١٢٣٤٥٦٧٨", " 1234-5678 "] {
            assert_eq!(text.parse::<Code>().unwrap().expose(), "12345678");
        }
        for text in [
            "",
            "12",
            "-1",
            "abc",
            "+1234",
            "12345678901",
            "1234\u{0}",
            "१२३४",
        ] {
            assert!(text.parse::<Code>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_code_does_not_print() {
        assert_eq!(format!("{:?}", "1234".parse::<Code>().unwrap()), "***");
    }
}
