//! Usernames that people choose: which may be chosen, and which are the same to a reader's eye.
//!
//! A name is of one script, Latin or Persian and Arabic, so that no letter of the other one passes for
//! one of its own. Names that differ only in case, marks, digits of another keyboard, or letters and
//! digits that look alike have one key, and a store gives every key to one account at most.
//!
//! Names that the service makes ([`random::username`] and the package's `G{group}-{mobile}`) cannot be
//! chosen, so nobody passes for an account that has not chosen its name yet.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::random;

/// The least and the most characters of a name.
const LENGTH: std::ops::RangeInclusive<usize> = 3..=30;

/// From this number of digits on, a name may read as a number that can be called.
const TOO_MANY_DIGITS: usize = 10;

/// What Persian is written with between letters that are not joined.
const NON_JOINER: char = '\u{200C}';

/// Names of those who speak for the service, or of nobody.
const RESERVED: &[&str] = &[
    "abuse",
    "admin",
    "administrator",
    "anonymous",
    "api",
    "chelseru",
    "deleted",
    "everyone",
    "help",
    "helpdesk",
    "hostmaster",
    "me",
    "mod",
    "moderator",
    "nobody",
    "none",
    "noreply",
    "null",
    "official",
    "operator",
    "owner",
    "postmaster",
    "root",
    "security",
    "service",
    "staff",
    "superuser",
    "support",
    "sysadmin",
    "system",
    "undefined",
    "webmaster",
    "ادمین",
    "امنیت",
    "اپراتور",
    "پشتیبان",
    "پشتیبانی",
    "چلسرو",
    "حذف شده",
    "خدمات",
    "راهبر",
    "رسمی",
    "سامانه",
    "سیستم",
    "مدیر",
    "مدیر سیستم",
    "مدیریت",
    "ناشناس",
    "ناظر",
];

/// A username that may be chosen, in Unicode's normal form C.
///
/// ```
/// use chelseru_core::Username;
///
/// let name: Username = "Ali_Reza7".parse()?;
/// let alike: Username = "ali-reza۷".parse()?;
/// assert_eq!(name.as_str(), "Ali_Reza7");
/// assert_eq!(name.key(), alike.key());
/// assert!("аdmin".parse::<Username>().is_err()); // its first letter is Cyrillic
/// # Ok::<(), chelseru_core::InvalidUsername>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    name: String,
    key: String,
}

/// Why a username may not be chosen. The text is for who chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUsername {
    /// It is too short or too long.
    #[error("Enter 3 to 30 characters.")]
    Length,
    /// It has a character that is none of the allowed ones, perhaps an invisible one.
    #[error("Enter Latin or Persian letters, digits, and dots, dashes and underscores only.")]
    Characters,
    /// It has letters of both scripts.
    #[error("Enter letters of one script: Latin or Persian.")]
    MixedScripts,
    /// A dot, dash or underscore is at an end, or next to another one.
    #[error("Enter dots, dashes and underscores between letters and digits only, one at a time.")]
    Separators,
    /// It has no letter, or as many digits as a telephone number.
    #[error("Enter at least one letter and fewer than 10 digits.")]
    Number,
    /// It belongs to the service: a role, or the form of the names that it makes itself.
    #[error("This username is reserved.")]
    Reserved,
}

impl Username {
    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// What it has in common with all names that a reader could take it for.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl FromStr for Username {
    type Err = InvalidUsername;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Normalising makes a text shorter by the marks that its letters take in: never by so many.
        if text.chars().nth(4 * LENGTH.end()).is_some() {
            return Err(InvalidUsername::Length);
        }
        let name: String = text.nfc().collect();
        if !LENGTH.contains(&name.chars().count()) {
            return Err(InvalidUsername::Length);
        }
        check_characters(&name)?;
        if is_reserved(&name) {
            return Err(InvalidUsername::Reserved);
        }
        let key = key_of(&name);
        Ok(Self { name, key })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Latin,
    Persian,
    Digit,
    Separator,
    NonJoiner,
}

impl Kind {
    fn of(char: char) -> Option<Self> {
        Some(match char {
            '.' | '-' | '_' => Self::Separator,
            NON_JOINER => Self::NonJoiner,
            _ if ascii_digit(char).is_some() => Self::Digit,
            _ => match base(char)? {
                'a'..='z' | 'A'..='Z' => Self::Latin,
                '\u{0621}'..='\u{063A}'
                | '\u{0641}'..='\u{064A}'
                | 'پ'
                | 'چ'
                | 'ژ'
                | 'ک'
                | 'گ'
                | 'ی'
                | 'ە' => Self::Persian,
                _ => return None,
            },
        })
    }
}

fn check_characters(name: &str) -> Result<(), InvalidUsername> {
    let kinds: Option<Vec<_>> = name.chars().map(Kind::of).collect();
    let kinds = kinds.ok_or(InvalidUsername::Characters)?;
    let count = |kind| kinds.iter().filter(|one| **one == kind).count();
    let (latin, persian) = (count(Kind::Latin), count(Kind::Persian));

    // A non-joiner shows nothing, and is right only where it parts two letters.
    let is_right = |place: usize| {
        let next_to_it = [place.checked_sub(1), place.checked_add(1)];
        let mut kinds = next_to_it.map(|place| place.and_then(|place| kinds.get(place)));
        kinds.iter_mut().all(|kind| *kind == Some(&Kind::Persian))
    };
    let mut non_joiners = (0..kinds.len()).filter(|&place| kinds[place] == Kind::NonJoiner);
    if !non_joiners.all(is_right) {
        return Err(InvalidUsername::Characters);
    }
    if latin > 0 && persian > 0 {
        return Err(InvalidUsername::MixedScripts);
    }
    let is_separator = |kind: Option<&Kind>| kind == Some(&Kind::Separator);
    let are_two = |pair: &[Kind]| pair.iter().all(|kind| *kind == Kind::Separator);
    if is_separator(kinds.first()) || is_separator(kinds.last()) || kinds.windows(2).any(are_two) {
        return Err(InvalidUsername::Separators);
    }
    if latin + persian == 0 || count(Kind::Digit) >= TOO_MANY_DIGITS {
        return Err(InvalidUsername::Number);
    }
    Ok(())
}

/// Whether the name is a role's, however it is spelt and whatever number is added, or one that the service
/// makes.
fn is_reserved(name: &str) -> bool {
    let plain: String = plain(name).collect();
    let bare = plain.trim_end_matches(|char: char| char.is_ascii_digit() || is_separator(char));
    let role = role(bare);
    let mut reserved = RESERVED.iter();
    random::is_like_a_username(&plain) || reserved.any(|name| self::role(name) == role)
}

/// A name without what separates its words. Here pairs of letters that look like one count as that one;
/// in keys they do not, because that depends on the font.
fn role(name: &str) -> String {
    let key = key_of(name);
    let joined = key.replace([' ', '_'], "");
    joined.replace("rn", "m").replace("vv", "w")
}

/// What a name has in common with all names that look like it.
fn key_of(name: &str) -> String {
    let alike = |char| match char {
        '1' | 'i' | 'l' | 'ا' => 'l',
        '0' | 'o' => 'o',
        char if is_separator(char) => '_',
        char => char,
    };
    plain(name).map(alike).collect()
}

/// A name in small letters without marks, in Persian letters instead of Arabic ones, with ASCII digits.
fn plain(name: &str) -> impl Iterator<Item = char> {
    let without_marks = name
        .nfd()
        .filter(|char| !is_combining_mark(*char) && *char != NON_JOINER);
    without_marks.map(|char| match char {
        'ي' | 'ى' => 'ی',
        'ك' => 'ک',
        'ة' | 'ە' => 'ه',
        char => ascii_digit(char).unwrap_or(char.to_ascii_lowercase()),
    })
}

fn is_separator(char: char) -> bool {
    matches!(char, '.' | '-' | '_')
}

fn ascii_digit(char: char) -> Option<char> {
    let value = match char {
        '0'..='9' => u32::from(char) - u32::from('0'),
        '\u{06F0}'..='\u{06F9}' => u32::from(char) - 0x06F0,
        '\u{0660}'..='\u{0669}' => u32::from(char) - 0x0660,
        _ => return None,
    };
    char::from_digit(value, 10)
}

/// A letter without its marks; none if there is more to it.
fn base(char: char) -> Option<char> {
    let mut parts = std::iter::once(char).nfd();
    let base = parts.next().filter(|base| !is_combining_mark(*base));
    base.filter(|_| parts.all(is_combining_mark))
}

#[cfg(test)]
mod tests {
    use super::{InvalidUsername, Username};
    use crate::random;

    fn refused(text: &str) -> Option<InvalidUsername> {
        text.parse::<Username>().err()
    }

    fn key(text: &str) -> String {
        let name: Result<Username, _> = text.parse();
        name.unwrap_or_else(|why| panic!("{text:?}: {why}"))
            .key()
            .to_owned()
    }

    #[test]
    fn names_of_one_script_with_digits_and_separators_may_be_chosen() {
        for text in [
            "ali",
            "Ali.Reza-7_x",
            "x".repeat(30).as_str(),
            "José",
            "Şirin",
            "علی",
            "علی.رضا۷",
            "علی٧",
            "می\u{200C}خواهم",
            "مژده_گچ_پ",
            "خانۀ_ما",
            "ali123456789",
            "7ali",
            "understand",
        ] {
            assert_eq!(refused(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_name_is_kept_in_normal_form() {
        let name: Username = "Jose\u{301}".parse().unwrap();
        assert_eq!(name.as_str(), "José");
        let name: Username = "ا\u{653}رش".parse().unwrap();
        assert_eq!(name.as_str(), "آرش");
    }

    #[test]
    fn everything_else_is_refused_with_its_reason() {
        use InvalidUsername::{Characters, Length, MixedScripts, Number, Reserved, Separators};
        for (text, why) in [
            ("", Length),
            ("ab", Length),
            ("e\u{301}e\u{301}", Length),
            (&"x".repeat(31), Length),
            (&"x".repeat(100_000), Length),
            (&format!("e{}", "\u{301}".repeat(20)), Characters),
            ("ali reza", Characters),
            ("ali\u{a0}reza", Characters),
            ("ali\u{200B}reza", Characters),
            ("ali\u{200C}reza", Characters),
            ("ali\u{202E}reza", Characters),
            ("ali\u{2066}reza", Characters),
            ("ali\u{AD}reza", Characters),
            ("ali\nreza", Characters),
            ("ali\u{0}reza", Characters),
            ("ali\u{FE0F}", Characters),
            ("علی\u{200C}", Characters),
            ("\u{200C}علی", Characters),
            ("عل\u{200C}\u{200C}ی", Characters),
            ("عل\u{200C}7ی", Characters),
            ("ع\u{640}لی", Characters),
            ("عَلی", Characters),
            ("alι", Characters),
            ("аli", Characters),
            ("ａｌｉ", Characters),
            ("𝐚𝐥𝐢", Characters),
            ("alı", Characters),
            ("ali@x", Characters),
            ("ali/x", Characters),
            ("ali😀", Characters),
            ("ali१", Characters),
            ("aliعلی", MixedScripts),
            ("علیa", MixedScripts),
            (".ali", Separators),
            ("ali_", Separators),
            ("-علی", Separators),
            ("ali__reza", Separators),
            ("ali._reza", Separators),
            ("123", Number),
            ("۱۲۳", Number),
            ("09121234567", Number),
            ("0912-123-4567", Number),
            ("ali09121234567", Number),
            ("ali۹۱۲۱۲۳۴۵۶۷", Number),
            ("G0-09121234567", Number),
            ("admin", Reserved),
            ("ADMIN", Reserved),
            ("Ad.Min", Reserved),
            ("admin1", Reserved),
            ("admin_۰۱", Reserved),
            ("adm1n", Reserved),
            ("adrnin", Reserved),
            ("r00t", Reserved),
            ("ádmin", Reserved),
            ("Chelseru", Reserved),
            ("مدیر", Reserved),
            ("مدير", Reserved),
            ("مدیر_سیستم", Reserved),
            ("پشتیبانی2", Reserved),
            ("پشتي\u{200C}باني", Reserved),
            ("u23456789ab", Reserved),
            ("U۲۳۴۵۶۷۸۹ab", Reserved),
        ] {
            assert_eq!(refused(text), Some(why), "{text:?}");
        }
    }

    #[test]
    fn what_the_service_makes_cannot_be_chosen() {
        let mut rng = rand::rng();
        for _ in 0..1000 {
            let name = random::username(&mut rng);
            assert!(refused(&name).is_some(), "{name}");
            assert!(refused(&name.to_uppercase()).is_some(), "{name}");
        }
    }

    #[test]
    fn names_that_look_alike_have_one_key() {
        for (one, other) in [
            ("ali", "ALI"),
            ("ali", "al1"),
            ("ali", "aIi"),
            ("Zoo", "z00"),
            ("josé", "Jose"),
            ("İris", "iris"),
            ("ali.reza", "ali_reza"),
            ("ali7", "ali۷"),
            ("ali7", "ali٧"),
            ("علی", "علي"),
            ("کامران", "كامران"),
            ("آرش", "ارش"),
            ("مؤمن", "مومن"),
            ("فاطمه", "فاطمة"),
            ("علی۱", "علیا"),
            ("می\u{200C}خواهم", "میخواهم"),
        ] {
            assert_eq!(key(one), key(other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn names_that_are_told_apart_have_keys_of_their_own() {
        for (one, other) in [
            ("ali", "alireza"),
            ("alireza", "ali_reza"),
            ("ali2", "ali3"),
            ("علی", "علیرضا"),
            ("رضا", "رصا"),
            ("چنگ", "جنک"),
        ] {
            assert_ne!(key(one), key(other), "{one:?} {other:?}");
        }
    }
}
