//! Iranian mobile numbers: every way of writing one, one canonical form.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::digits;

/// An Iranian mobile number in its canonical form: 11 ASCII digits, `09` and nine more.
///
/// Read with [`str::parse`], which also takes `+98…`, `0098…`, `98…` and `9…`, spaces, dashes and
/// parentheses between digits, and Persian and Arabic-Indic digits. Which carrier a prefix belongs
/// to is not checked: ranges grow and numbers are ported.
///
/// `Debug` masks the middle, as logs should; [`MobileNumber::as_str`] and `Display` do not.
///
/// ```
/// use chelseru_core::MobileNumber;
///
/// let number: MobileNumber = "+98 (912) ۱۲۳-۴۵۶۷".parse()?;
/// assert_eq!(number.as_str(), "09121234567");
/// assert_eq!(format!("{number:?}"), "0912***4567");
/// # Ok::<(), chelseru_core::InvalidMobileNumber>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MobileNumber([u8; 11]);

const KNOWN_PREFIXES: &[&str] = &[
    "0900", "0901", "0902", "0903", "0904", "0905", "091", "0920", "0921", "0922", "0923", "093",
    "0990", "0991", "0992", "0993", "0994", "0996", "09955", "099510", "09981", "09982", "099830",
    "099831", "099832", "099888", "09990", "09991", "09992", "09993", "09995", "09999", "099969",
    "099977", "099987", "099988", "099989",
];

/// The text is not an Iranian mobile number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an Iranian mobile number: 09 and nine more digits are expected")]
pub struct InvalidMobileNumber;

impl MobileNumber {
    /// Eleven zeros, which no text is read as: what the log of messages has in the place of a number
    /// whose account was deleted.
    pub const ERASED: Self = Self([b'0'; 11]);

    /// Whether carriers are known to have numbers that begin like this one: the mobile ranges of Google's
    /// libphonenumber 9.0. A range that is new is not among them.
    pub fn has_known_prefix(&self) -> bool {
        let mut known = KNOWN_PREFIXES.iter();
        known.any(|prefix| self.as_str().starts_with(prefix))
    }

    /// The canonical form, `09123456789`.
    pub fn as_str(&self) -> &str {
        // The bytes are ASCII digits by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for MobileNumber {
    type Err = InvalidMobileNumber;

    /// The length decides what the leading digits mean: `998…` could be the country code 98 and a
    /// number, or the prefix 0998 without its zero.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = digits::read(text).ok_or(InvalidMobileNumber)?;
        let ascii = digits.ascii.as_str();
        let national = match (digits.plus, ascii.len()) {
            (false, 10) => ascii,
            (false, 11) => ascii.strip_prefix('0').ok_or(InvalidMobileNumber)?,
            (_, 12) => ascii.strip_prefix("98").ok_or(InvalidMobileNumber)?,
            (false, 14) => ascii.strip_prefix("0098").ok_or(InvalidMobileNumber)?,
            _ => return Err(InvalidMobileNumber),
        };
        if !national.starts_with('9') {
            return Err(InvalidMobileNumber);
        }
        let mut canonical = [b'0'; 11];
        canonical[1..].copy_from_slice(national.as_bytes());
        Ok(Self(canonical))
    }
}

impl fmt::Display for MobileNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for MobileNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.as_str();
        write!(f, "{}***{}", &text[..4], &text[7..])
    }
}

impl Serialize for MobileNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::MobileNumber;

    #[test]
    fn every_accepted_spelling_has_one_canonical_form() {
        for text in [
            "09121234567",
            "+989121234567",
            "00989121234567",
            "989121234567",
            "9121234567",
            "0912 123 4567",
            "0912-123-4567",
            "(0912) 123-45-67",
            "+98 912 123 4567",
            "۰۹۱۲۱۲۳۴۵۶۷",
            "٠٩١٢١٢٣٤٥٦٧",
            "+۹۸ ۹۱۲ ۱۲۳ ۴۵۶۷",
            "\u{202A}+98 912 123 4567\u{202C}",
        ] {
            let number: MobileNumber = text.parse().unwrap_or_else(|_| panic!("{text:?}"));
            assert_eq!(number.as_str(), "09121234567", "{text:?}");
        }
    }

    #[test]
    fn prefixes_of_carriers_are_known_and_others_are_not() {
        let is_known = |text: &str| text.parse::<MobileNumber>().unwrap().has_known_prefix();
        for text in [
            "09001234567",
            "09121234567",
            "09351234567",
            "09981123456",
            "09998912345",
        ] {
            assert!(is_known(text), "{text}");
        }
        for text in [
            "09061234567",
            "09241234567",
            "09411234567",
            "09951234567",
            "09971234567",
        ] {
            assert!(!is_known(text), "{text}");
        }
    }

    #[test]
    fn a_leading_998_is_read_by_length() {
        let national: MobileNumber = "9981234567".parse().unwrap();
        assert_eq!(national.as_str(), "09981234567");
        let international: MobileNumber = "989981234567".parse().unwrap();
        assert_eq!(international.as_str(), "09981234567");
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            MobileNumber::ERASED.as_str(),
            "",
            "0",
            "0912123456",
            "091212345678",
            "08121234567",
            "02188888888",
            "+09121234567",
            "+9809121234567",
            "+9121234567",
            "+00989121234567",
            "+447911123456",
            "0044791112345",
            "+12025550123",
            "0912123456a",
            "0912.123.4567",
            "09121234567\u{0}",
            "०९१२१२३४५६७",
            "09121234567,09121234568",
        ] {
            assert!(text.parse::<MobileNumber>().is_err(), "{text:?}");
        }
    }
}
