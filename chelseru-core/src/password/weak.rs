//! Which passwords are too easy to guess.
//!
//! There are no rules on kinds of characters (NIST SP 800-63B): a password is long enough, and is not
//! one of those that everybody tries first. Those are not kept as a list but recognised by what they are
//! made of: words that people choose, walks over a keyboard, sequences, repetitions, dates, and what is
//! known of the account. Each of these costs an attacker about as much as one character that he has to
//! guess, so a password counts as short when it is made of few of them.

use unicode_normalization::UnicodeNormalization;

use super::Password;

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeakPassword {
    /// It is shorter than `AUTH.PASSWORDS.MIN_LENGTH`.
    #[error("This password is too short. It must contain at least {min} characters.")]
    TooShort {
        /// The least number of characters.
        min: usize,
    },
    /// It is one of those that are tried first.
    #[error("This password is too common.")]
    TooCommon,
}

/// A password of so few pieces is too common, whatever its length.
const FEWEST_PIECES: usize = 5;

/// A shorter part of a row is no walk: it occurs in any password.
const SHORTEST_WALK: usize = 3;

/// A repetition of more characters than these is a password of its own, typed twice.
const LONGEST_PERIOD: usize = 8;

/// Rows of keys and of the alphabets, to be walked in both directions and around the end.
const ROWS: &[&str] = &[
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1a2b3c4d5e6f7g8h9i",
    "a1b2c3d4e5f6g7h8i9",
    "!@#$%^&*()",
    "147258369",
    "ابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی",
    "ابجدهوزحطیکلمنسعفصقرشتثخذضظغ",
    "ضصثقفغعهخحجچ",
    "شسیبلاتنمکگ",
    "ظطزرذدپو",
];

/// Words of which such passwords are made, and some of them on the other layout of the keyboard.
const WORDS: &[&str] = &[
    "password",
    "passwd",
    "pass",
    "passcode",
    "admin",
    "administrator",
    "root",
    "user",
    "guest",
    "login",
    "welcome",
    "letmein",
    "changeme",
    "secret",
    "default",
    "test",
    "hello",
    "iloveyou",
    "love",
    "sunshine",
    "princess",
    "dragon",
    "monkey",
    "master",
    "football",
    "baseball",
    "shadow",
    "superman",
    "batman",
    "freedom",
    "whatever",
    "trustno1",
    "computer",
    "internet",
    "google",
    "samsung",
    "apple",
    "android",
    "telegram",
    "instagram",
    "chelseru",
    "iran",
    "irani",
    "tehran",
    "persian",
    "salam",
    "ramz",
    "ramze",
    "obur",
    "gozarvazhe",
    "eshgh",
    "eshgham",
    "azizam",
    "khoda",
    "allah",
    "mohammad",
    "ali",
    "hossein",
    "hosein",
    "hasan",
    "reza",
    "mahdi",
    "mehdi",
    "amir",
    "fatemeh",
    "zahra",
    "maryam",
    "sara",
    "persepolis",
    "perspolis",
    "esteghlal",
    "barcelona",
    "realmadrid",
    "رمز",
    "عبور",
    "رمزعبور",
    "گذرواژه",
    "پسورد",
    "سلام",
    "ایران",
    "تهران",
    "عشق",
    "عشقم",
    "عزیزم",
    "دوستتدارم",
    "خدا",
    "الله",
    "محمد",
    "علی",
    "حسین",
    "حسن",
    "رضا",
    "مهدی",
    "امیر",
    "فاطمه",
    "زهرا",
    "مریم",
    "پرسپولیس",
    "استقلال",
    "حشسسصخقی",
    "sghl",
];

/// Whether it may be a password of an account of which this is known: its number, its username.
pub(crate) fn check(
    password: &Password,
    min_length: usize,
    known: &[&str],
) -> Result<(), WeakPassword> {
    let normal = password.normal();
    if normal.chars().count() < min_length {
        return Err(WeakPassword::TooShort { min: min_length });
    }
    let mut words: Vec<Vec<char>> = WORDS.iter().map(|word| folded(word)).collect();
    for word in known.iter().map(|word| folded(word)) {
        // A number is also written without its zero, and typed backwards.
        let without_zero = word.strip_prefix(&['0'][..]).map(<[char]>::to_vec);
        words.extend(without_zero.filter(|rest| rest.len() >= SHORTEST_WALK));
        words.extend((word.len() >= SHORTEST_WALK).then_some(word));
    }
    let text = folded(&normal);
    let plain: Vec<char> = text.iter().map(|char| without_disguise(*char)).collect();
    if pieces(&text, &words).min(pieces(&plain, &words)) < FEWEST_PIECES {
        return Err(WeakPassword::TooCommon);
    }
    Ok(())
}

/// The characters as an attacker sees them: without case, spaces and the look of letters and digits.
fn folded(text: &str) -> Vec<char> {
    let chars = text.nfkc().flat_map(char::to_lowercase);
    chars
        .filter(|char| !char.is_whitespace() && *char != '\u{200c}')
        .map(|char| match char {
            '۰'..='۹' => digit(u32::from(char) - u32::from('۰')),
            '٠'..='٩' => digit(u32::from(char) - u32::from('٠')),
            'ي' => 'ی',
            'ك' => 'ک',
            'آ' | 'أ' | 'إ' => 'ا',
            other => other,
        })
        .collect()
}

fn digit(value: u32) -> char {
    char::from_digit(value, 10).unwrap_or('0')
}

/// The letter that is meant by a digit or sign that looks like it.
fn without_disguise(char: char) -> char {
    match char {
        '@' | '4' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '$' | '5' => 's',
        '7' => 't',
        other => other,
    }
}

/// The least number of pieces that the text can be cut into, where a single character is one too.
fn pieces(text: &[char], words: &[Vec<char>]) -> usize {
    let mut fewest = vec![usize::MAX; text.len() + 1];
    fewest[0] = 0;
    for start in 0..text.len() {
        let next = fewest[start] + 1;
        let mut reach = |lengths: std::ops::RangeInclusive<usize>| {
            for length in lengths {
                let end = &mut fewest[start + length];
                *end = next.min(*end);
            }
        };
        reach(1..=1);
        let rest = &text[start..];
        for word in words {
            let is_word = rest.starts_with(word) || starts_with_reversed(rest, word);
            if is_word {
                reach(word.len()..=word.len());
            }
        }
        for length in dates(rest) {
            reach(length..=length);
        }
        for row in ROWS {
            reach(SHORTEST_WALK..=walk(rest, row));
        }
        for period in 1..=LONGEST_PERIOD.min(start) {
            let again = rest
                .iter()
                .zip(&text[start - period..])
                .take_while(|(one, other)| one == other)
                .count();
            reach(period..=again);
        }
    }
    fewest[text.len()]
}

fn starts_with_reversed(text: &[char], word: &[char]) -> bool {
    text.len() >= word.len() && text.iter().zip(word.iter().rev()).all(|(a, b)| a == b)
}

/// How many characters at the beginning are next to each other in the row.
fn walk(text: &[char], row: &str) -> usize {
    let keys: Vec<char> = row.chars().collect();
    let place = |char: &char| keys.iter().position(|key| key == char);
    let Some(first) = text.first().and_then(place) else {
        return 0;
    };
    let along = |step: usize| {
        let expected = (0..).map(|n| keys[(first + n * step) % keys.len()]);
        let same = text.iter().zip(expected).take_while(|(a, b)| *a == b);
        same.count()
    };
    along(1).max(along(keys.len() - 1))
}

/// The lengths of the years and days that are written in digits at the beginning: `1375`, `13750412`,
/// `12041375`.
fn dates(text: &[char]) -> Vec<usize> {
    let digits = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?.iter().map(|char| char.to_digit(10));
        digits.reduce(|sum, digit| Some(sum? * 10 + digit?))?
    };
    let is_year = |start: usize| {
        let year = digits(start..start + 4);
        year.is_some_and(|year| matches!(year, 1300..=1450 | 1900..=2099))
    };
    let is_part = |start: usize, most: u32| {
        let part = digits(start..start + 2);
        part.is_some_and(|part| (1..=most).contains(&part))
    };
    let is_day = |start: usize| {
        (is_part(start, 12) && is_part(start + 2, 31))
            || (is_part(start, 31) && is_part(start + 2, 12))
    };
    let mut lengths = Vec::new();
    if is_year(0) {
        lengths.push(4);
        if is_day(4) {
            lengths.push(8);
        }
    }
    if is_day(0) && is_year(4) {
        lengths.push(8);
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::{WeakPassword, check};

    fn checked(text: &str) -> Result<(), WeakPassword> {
        check(&text.parse().unwrap(), 8, &["09121234567", "golnar.k"])
    }

    #[test]
    fn a_password_has_at_least_so_many_characters_of_any_kind() {
        let short = Err(WeakPassword::TooShort { min: 8 });
        assert_eq!(checked("x7kqm2p"), short);
        assert_eq!(checked("ژکپگچخف"), short, "characters count, not bytes");
        assert_eq!(checked("x7kqm2pd"), Ok(()));
        assert_eq!(checked("ژکپگچخفم"), Ok(()));
        assert_eq!(checked("e\u{301}".repeat(7).as_str()), short);
    }

    #[test]
    fn what_everybody_tries_first_is_too_common() {
        for text in [
            "password",
            "Password1",
            "P@ssw0rd",
            "passw0rd123",
            "12345678",
            "123456789012",
            "87654321",
            "۱۲۳۴۵۶۷۸",
            "٨٧٦٥٤٣٢١",
            "11111111",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abababab",
            "12121212",
            "abcabcabc",
            "12341234",
            "00000000",
            "abcdefgh",
            "zyxwvuts",
            "qwertyuiop",
            "poiuytrewq",
            "asdfghjkl",
            "qwerty123456",
            "1qaz2wsx",
            "1q2w3e4r",
            "qazwsxedc",
            "q1w2e3r4",
            "a1b2c3d4",
            "!@#$%^&*",
            "ضصثقفغعه",
            "شسیبلاتن",
            "ابپتثجچح",
            "ضصثق1234",
            "iloveyou",
            "ILoveYou!",
            "admin123",
            "welcome1",
            "letmein!!",
            "tehran1400",
            "ali12345",
            "13750412",
            "12041375",
            "19901231",
            "رمزعبور",
            "رمز عبور ۱۲۳",
            "دوستت دارم",
            "سلام۱۲۳۴۵",
            "حشسسصخقی",
            "chelseru1",
            "password password",
        ] {
            let text = if text.chars().count() < 8 {
                format!("{text}{}", "۱۱")
            } else {
                text.to_owned()
            };
            assert_eq!(checked(&text), Err(WeakPassword::TooCommon), "{text}");
        }
    }

    #[test]
    fn what_is_known_of_the_account_is_too_common() {
        for text in [
            "09121234567",
            "9121234567",
            "۰۹۱۲۱۲۳۴۵۶۷",
            "76543212190",
            "a09121234567",
            "golnar.k",
            "GOLNAR.K1",
            "k.ranlog",
            "golnar.k1234",
        ] {
            assert_eq!(checked(text), Err(WeakPassword::TooCommon), "{text}");
        }
        assert_eq!(
            check(&"golnar.k".parse().unwrap(), 8, &["09121234567", "x"]),
            Ok(())
        );
    }

    #[test]
    fn anything_else_is_a_password() {
        for text in [
            "correct horse battery",
            "x7kq!m2pd",
            "9f8e2c71",
            "abcdX7kq!",
            "درخت کاج کوچه ما",
            "🔑🚪🪴🎈🧩🧵🪁🛶",
            "k3#Lq99vT",
        ] {
            assert_eq!(checked(text), Ok(()), "{text}");
        }
        assert_eq!(checked(&"x7kqm2pd".repeat(128)), Ok(()));
    }
}
