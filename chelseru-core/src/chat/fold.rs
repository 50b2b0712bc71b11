//! Texts as they are searched: what people type for the same word becomes one form of it.

/// The text with Arabic and Persian letter forms made one (ي ى and ی, ك and ک, ة and ه, أ إ آ and ا),
/// without what is not seen or read (vowel marks, joiners, direction marks, the stretching tatweel), with
/// ASCII digits, in lower case, and with one space for each run of white space.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            _ if is_unseen(char) => {}
            'ي' | 'ى' | 'ئ' => folded.push('ی'),
            'ك' => folded.push('ک'),
            'ة' | 'ۀ' | 'ۂ' | 'ہ' | 'ھ' => folded.push('ه'),
            'أ' | 'إ' | 'آ' | 'ٱ' => folded.push('ا'),
            'ؤ' => folded.push('و'),
            '۰'..='۹' => folded.push(digit(char, '۰')),
            '٠'..='٩' => folded.push(digit(char, '٠')),
            _ if char.is_whitespace() => {
                if !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
            _ => folded.extend(char.to_lowercase()),
        }
    }
    folded
}

/// Whether a text has nothing in it that could be seen.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|char| char.is_whitespace() || is_unseen(char))
}

fn digit(char: char, zero: char) -> char {
    char::from_digit(u32::from(char) - u32::from(zero), 10).unwrap_or(char)
}

fn is_unseen(char: char) -> bool {
    matches!(
        char,
        // Vowel marks, and the hamza and madda of letters that are written as two characters.
        '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{06D6}'..='\u{06DC}' | '\u{06DF}'..='\u{06E4}'
            | '\u{06E7}' | '\u{06E8}' | '\u{06EA}'..='\u{06ED}' | '\u{0610}'..='\u{061A}'
            | '\u{0640}'
            // Joiners, direction marks, the soft hyphen, the byte order mark.
            | '\u{00AD}' | '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::{fold, is_blank};

    #[test]
    fn arabic_and_persian_forms_of_a_letter_are_one() {
        for (one, other) in [
            ("علي", "علی"),
            ("على", "علی"),
            ("كتاب", "کتاب"),
            ("فاطمة", "فاطمه"),
            ("خانۀ", "خانه"),
            ("أحمد", "احمد"),
            ("إسلام", "اسلام"),
            ("آب", "اب"),
            ("ا\u{653}ب", "آب"),
            ("مسئول", "مسیول"),
            ("مؤمن", "مومن"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        assert_ne!(fold("کتاب"), fold("حساب"));
    }

    #[test]
    fn what_is_not_seen_is_left_out() {
        assert_eq!(fold("می\u{200C}روم"), "میروم");
        assert_eq!(fold("مُحَمَّد"), "محمد");
        assert_eq!(fold("ســـلام"), "سلام");
        assert_eq!(fold("\u{202B}سلام\u{202C}"), "سلام");
        assert_eq!(fold("  a \n\t b\u{A0}c "), " a b c ");
    }

    #[test]
    fn digits_are_ascii_and_letters_small() {
        assert_eq!(fold("۱۲۳ ٤٥٦ 789"), "123 456 789");
        assert_eq!(fold("ÄPFEL Straße"), "äpfel straße");
        assert_eq!(fold("👨‍👩‍👧 😀"), "👨👩👧 😀");
    }

    #[test]
    fn only_what_can_be_seen_is_a_text() {
        for text in ["", " ", "\n\t", "\u{A0}", "\u{200C}", "\u{FEFF} \u{200F}"] {
            assert!(is_blank(text), "{text:?}");
        }
        for text in [".", " a ", "😀", "س"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }
}
