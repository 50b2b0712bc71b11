//! How many parts of an SMS a text takes: parts are what is billed (3GPP TS 23.038, TS 23.040).

/// The GSM 7-bit default alphabet: one septet each.
const GSM_BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Its extension table: an escape and a septet.
const GSM_EXTENSION: &str = "\u{C}^{}\\[~]|€";

/// The number of parts that `text` is sent in.
///
/// 160 septets alone or 153 a part when every character is in the GSM 7-bit alphabet, else 70 UTF-16
/// units alone or 67 a part; a character of two units is never split. An empty text is one part.
///
/// ```
/// use chelseru_core::sms::count_parts;
///
/// assert_eq!(count_parts("code 123456"), 1);
/// assert_eq!(count_parts(&"س".repeat(71)), 2);
/// ```
pub fn count_parts(text: &str) -> u32 {
    if let Some(units) = text.chars().map(septets).collect::<Option<Vec<_>>>() {
        parts(&units, 160, 153)
    } else {
        let units: Vec<u32> = text
            .chars()
            .map(|char| if char.len_utf16() == 2 { 2 } else { 1 })
            .collect();
        parts(&units, 70, 67)
    }
}

fn septets(char: char) -> Option<u32> {
    if GSM_BASIC.contains(char) {
        Some(1)
    } else if GSM_EXTENSION.contains(char) {
        Some(2)
    } else {
        None
    }
}

fn parts(units: &[u32], alone: u32, each: u32) -> u32 {
    if units.iter().sum::<u32>() <= alone {
        return 1;
    }
    let (mut parts, mut used) = (1, 0);
    for unit in units {
        if used + unit > each {
            parts += 1;
            used = 0;
        }
        used += unit;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::count_parts;

    #[test]
    fn latin_texts_have_160_characters_alone_and_153_a_part() {
        assert_eq!(count_parts(""), 1);
        assert_eq!(count_parts(&"a".repeat(160)), 1);
        assert_eq!(count_parts(&"a".repeat(161)), 2);
        assert_eq!(count_parts(&"a".repeat(306)), 2);
        assert_eq!(count_parts(&"a".repeat(307)), 3);
    }

    #[test]
    fn extension_characters_cost_two_and_are_not_split() {
        assert_eq!(count_parts(&"€".repeat(80)), 1);
        assert_eq!(count_parts(&"€".repeat(81)), 2);
        // 76 pairs fill 152 of 153 septets; the next pair starts a new part.
        assert_eq!(count_parts(&"€".repeat(153)), 3);
    }

    #[test]
    fn persian_texts_have_70_characters_alone_and_67_a_part() {
        assert_eq!(count_parts(&"س".repeat(70)), 1);
        assert_eq!(count_parts(&"س".repeat(71)), 2);
        assert_eq!(count_parts(&"س".repeat(134)), 2);
        assert_eq!(count_parts(&"س".repeat(135)), 3);
    }

    #[test]
    fn an_emoji_costs_two_units_and_is_not_split() {
        assert_eq!(count_parts(&"🙂".repeat(35)), 1);
        assert_eq!(count_parts(&"🙂".repeat(36)), 2);
        // 33 pairs fill 66 of 67 units.
        assert_eq!(count_parts(&"🙂".repeat(67)), 3);
    }
}
