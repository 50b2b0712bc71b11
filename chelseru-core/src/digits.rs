//! Digits as people type them: with a Persian or an Arabic keyboard, with spaces and dashes.

/// What is left of a text that should be a number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Digits {
    /// Whether a `+` stood before the first digit.
    pub(crate) plus: bool,
    /// The digits as ASCII.
    pub(crate) ascii: String,
}

/// The longest text worth looking at; longer ones cannot be a number with separators.
const MAX_CHARS: usize = 64;

/// Reads the digits of `text`: ASCII, Persian (U+06F0 to U+06F9) and Arabic-Indic (U+0660 to
/// U+0669), with separators between them. `None` when anything else is in it.
///
/// Other scripts' digits are refused on purpose: nobody in our users' countries types them, and a
/// number should have few spellings.
pub(crate) fn read(text: &str) -> Option<Digits> {
    let mut digits = Digits {
        plus: false,
        ascii: String::with_capacity(14),
    };
    for (count, char) in text.chars().enumerate() {
        if count >= MAX_CHARS {
            return None;
        }
        match char {
            '0'..='9' => digits.ascii.push(char),
            '\u{06F0}'..='\u{06F9}' => digits.ascii.push(ascii_digit(char, 0x06F0)),
            '\u{0660}'..='\u{0669}' => digits.ascii.push(ascii_digit(char, 0x0660)),
            '+' if !digits.plus && digits.ascii.is_empty() => digits.plus = true,
            _ if is_separator(char) => {}
            _ => return None,
        }
    }
    (!digits.ascii.is_empty()).then_some(digits)
}

fn ascii_digit(char: char, zero: u32) -> char {
    char::from_digit(u32::from(char) - zero, 10).unwrap_or('0')
}

/// Spaces, dashes and parentheses, and the invisible marks that Persian keyboards and address books
/// put around numbers (zero-width non-joiner, direction marks).
fn is_separator(char: char) -> bool {
    matches!(
        char,
        ' ' | '\t' | '\u{00A0}' | '\u{2009}' | '\u{202F}'
            | '-' | '\u{2010}'..='\u{2014}'
            | '(' | ')'
            | '\u{200C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::read;

    fn ascii(text: &str) -> Option<String> {
        read(text).map(|digits| digits.ascii)
    }

    #[test]
    fn persian_and_arabic_digits_read_as_ascii() {
        assert_eq!(ascii("۰۱۲۳۴۵۶۷۸۹").as_deref(), Some("0123456789"));
        assert_eq!(ascii("٠١٢٣٤٥٦٧٨٩").as_deref(), Some("0123456789"));
    }

    #[test]
    fn separators_are_dropped_and_a_plus_may_only_lead() {
        assert_eq!(ascii("(12) 3-4\u{200C}5").as_deref(), Some("12345"));
        assert!(read("+1").is_some_and(|digits| digits.plus));
        assert_eq!(read("1+2"), None);
        assert_eq!(read("++1"), None);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            " ",
            "+",
            "12a",
            "1\u{0}2",
            "१२३",
            "１２３",
            "1\n2",
            "1.2",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert_eq!(read(&"1 ".repeat(1000)), None);
    }
}
