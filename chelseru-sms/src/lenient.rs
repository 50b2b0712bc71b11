//! Reading numbers and ids out of replies whose JSON types are not reliable.
//!
//! The providers write the same field as a number in one reply and as a string in the next, and
//! their ids have up to 19 digits, which a float would round.

use serde_json::Value;

/// The longest text that is taken for an id.
const LONGEST_ID: usize = 64;

/// An integer, written as a JSON number or as a string of one.
pub(crate) fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number
            .as_i64()
            .map(i128::from)
            .or_else(|| number.as_u64().map(i128::from)),
        Value::String(text) => integer_text(text),
        _ => None,
    }
}

/// An integer in a text, also with space around it.
pub(crate) fn integer_text(text: &str) -> Option<i128> {
    text.trim().parse().ok()
}

/// An amount, written as a JSON number or as a string of one, rounded down to a whole one.
///
/// The digits are read as they are: a float would round a long amount, and the wrong way.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let rounds_down = whole.starts_with('-') && fraction.bytes().any(|digit| digit != b'0');
    whole.parse::<i64>().ok()?.checked_sub(rounds_down.into())
}

/// An id: an integer or a short word. Anything else could be a text that must not be logged.
pub(crate) fn identifier(value: &Value) -> Option<String> {
    if let Some(number) = integer(value) {
        return Some(number.to_string());
    }
    let word = value.as_str()?;
    let is_word = (1..=LONGEST_ID).contains(&word.len())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_word.then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{identifier, integer, whole};

    #[test]
    fn an_integer_is_read_from_a_number_and_from_a_string() {
        assert_eq!(integer(&json!(-110)), Some(-110));
        assert_eq!(integer(&json!("-110")), Some(-110));
        assert_eq!(integer(&json!(" 35 ")), Some(35));
    }

    #[test]
    fn nineteen_digits_keep_their_last_one() {
        assert_eq!(
            integer(&json!(5_461_268_677_656_004_204_u64)),
            Some(5_461_268_677_656_004_204)
        );
        assert_eq!(
            integer(&json!("9999999999999999999")),
            Some(9_999_999_999_999_999_999)
        );
    }

    #[test]
    fn what_is_not_an_integer_is_not_read_as_one() {
        for value in [
            json!(null),
            json!(1.5),
            json!("1.5"),
            json!(""),
            json!([1]),
            json!(true),
        ] {
            assert_eq!(integer(&value), None, "{value}");
        }
    }

    #[test]
    fn an_id_is_a_number_or_a_short_word_and_never_a_text() {
        assert_eq!(identifier(&json!("0042")), Some("42".to_owned()));
        assert_eq!(identifier(&json!("a1-b2")), Some("a1-b2".to_owned()));
        for value in [
            json!(""),
            json!("your code is 1"),
            json!("x".repeat(65)),
            json!(null),
        ] {
            assert_eq!(identifier(&value), None, "{value}");
        }
    }

    #[test]
    fn an_amount_is_rounded_down_and_never_through_a_float() {
        for (value, amount) in [
            (json!(1200), 1200),
            (json!("1200"), 1200),
            (json!(" 1200.99 "), 1200),
            (json!(1200.99), 1200),
            (json!("0.5"), 0),
            (json!("-0.5"), -1),
            (json!("-2.00"), -2),
            (json!("9007199254740993.5"), 9_007_199_254_740_993),
            (json!("9223372036854775807"), i64::MAX),
        ] {
            assert_eq!(whole(&value), Some(amount), "{value}");
        }
    }

    #[test]
    fn what_is_no_amount_is_not_read_as_one() {
        for value in [
            json!("NULL"),
            json!(null),
            json!(""),
            json!("."),
            json!("1.2.3"),
            json!("1.-2"),
            json!("1,200"),
            json!("9223372036854775808"),
            json!("-9223372036854775808.5"),
            json!(1e300),
            json!(true),
            json!([1]),
        ] {
            assert_eq!(whole(&value), None, "{value}");
        }
    }
}
