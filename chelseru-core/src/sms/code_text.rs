//! The text of a one-time code's message, in the forms that browsers and phones read by themselves.
//!
//! - WebOTP (WICG, sms-one-time-codes): the last line is `@host #code`.
//! - Android's SMS Retriever: the message begins with `<#>` and has the application's hash, in at most
//!   140 bytes. Newer versions take the hash anywhere, older ones only at the end: with both forms
//!   it stands before the last line, and older ones do not find it.

use super::count_parts;
use crate::config::OtpOptions;
use crate::otp::Code;

/// What one message holds, in septets of the GSM alphabet or in UTF-16 units (3GPP TS 23.038).
const LATIN_LIMIT: usize = 160;
const UNICODE_LIMIT: usize = 70;
/// The longest message that SMS Retriever takes.
const RETRIEVER_BYTES: usize = 140;

/// The whole text of the message with this code.
pub(crate) fn code_text(options: &OtpOptions, code: &Code) -> String {
    text_with(options, code.expose())
}

/// One sentence for each thing about the text that costs money or keeps a phone from reading it.
pub(crate) fn warnings(options: &OtpOptions) -> Vec<String> {
    let code = "0".repeat(options.length.into());
    let text = text_with(options, &code);
    let length = Length::of(&text);
    [
        parts_warning(&length, count_parts(&text)),
        options
            .sms_app_hash
            .as_ref()
            .and_then(|_| retriever_warning(&length)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn text_with(options: &OtpOptions, code: &str) -> String {
    // Digits alone are filled in, so neither value can hold the other's place.
    let mut text = options
        .sms_text
        .replace("{minutes}", &minutes(options).to_string())
        .replace("{code}", code);
    if let Some(hash) = &options.sms_app_hash {
        text = format!("<#> {}\n{hash}", text.trim_end());
    }
    if let Some(host) = &options.sms_host {
        text = format!("{}\n@{host} #{code}", text.trim_end());
    }
    text
}

/// The code's lifetime in whole minutes, rounded up: a code of 30 seconds is not valid for 0 minutes.
fn minutes(options: &OtpOptions) -> u128 {
    options.lifetime.as_millis().div_ceil(60_000)
}

/// How much of a message a text takes.
enum Length {
    /// Septets of the GSM alphabet.
    Latin(usize),
    /// UTF-16 units, because of at least one character outside of that alphabet.
    Unicode(usize),
}

impl Length {
    fn of(text: &str) -> Self {
        match text.chars().map(septets).sum() {
            Some(septets) => Self::Latin(septets),
            None => Self::Unicode(text.encode_utf16().count()),
        }
    }
}

/// What a character takes in the GSM alphabet, asked of the one who knows it: 160 or 80 of them in one
/// part.
fn septets(char: char) -> Option<usize> {
    let fit = |times| count_parts(&char.to_string().repeat(times)) == 1;
    if fit(LATIN_LIMIT) {
        Some(1)
    } else if fit(LATIN_LIMIT / 2) {
        Some(2)
    } else {
        None
    }
}

fn parts_warning(length: &Length, parts: u32) -> Option<String> {
    let (length, limit, alphabet) = match length {
        Length::Latin(length) => (length, LATIN_LIMIT, "in Latin letters (GSM 7-bit)"),
        Length::Unicode(length) => (
            length,
            UNICODE_LIMIT,
            "in Persian and other letters (UCS-2)",
        ),
    };
    (parts > 1).then(|| {
        format!(
            "AUTH.OPTIONS.OTP_SMS_TEXT: a code's message costs {parts} parts, for it has {length} \
             characters and one part holds {limit} {alphabet}: {} too many",
            length.saturating_sub(limit)
        )
    })
}

/// Whether a Latin letter counts as 8 bits or as 7 is not documented, so it is 8 here.
fn retriever_warning(length: &Length) -> Option<String> {
    let bytes = match length {
        Length::Latin(septets) => *septets,
        Length::Unicode(units) => 2 * units,
    };
    (bytes > RETRIEVER_BYTES).then(|| {
        format!(
            "AUTH.OPTIONS.OTP_SMS_APP_HASH: a code's message has {bytes} bytes and Android's SMS \
             Retriever takes {RETRIEVER_BYTES}, so phones may not read the code"
        )
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{code_text, warnings};
    use crate::config::OtpOptions;
    use crate::otp::Code;

    const HASH: &str = "FA+9qCX9V/u";

    fn options(text: &str) -> OtpOptions {
        OtpOptions {
            sms_text: text.to_owned(),
            ..OtpOptions::default()
        }
    }

    fn text(options: &OtpOptions) -> String {
        code_text(options, &"012345".parse::<Code>().unwrap())
    }

    fn with_hash(text: &str) -> OtpOptions {
        OtpOptions {
            sms_app_hash: Some(HASH.to_owned()),
            ..options(text)
        }
    }

    fn with_host(options: OtpOptions) -> OtpOptions {
        OtpOptions {
            sms_host: Some("shop.example".to_owned()),
            ..options
        }
    }

    #[test]
    fn the_code_and_the_minutes_are_filled_in_wherever_they_stand() {
        assert_eq!(
            text(&options("{code}: {minutes} min, {code} {other}\n")),
            "012345: 4 min, 012345 {other}\n"
        );
    }

    #[test]
    fn a_typed_code_in_persian_digits_is_sent_in_ascii_ones() {
        let code: Code = "۱۲۳۴".parse().unwrap();
        assert_eq!(
            code_text(&with_host(options("کد: {code}")), &code),
            "کد: 1234\n@shop.example #1234"
        );
    }

    #[test]
    fn minutes_are_whole_and_rounded_up() {
        for (milliseconds, minutes) in [
            (1, "1"),
            (60_000, "1"),
            (60_001, "2"),
            (60_500, "2"),
            (120_000, "2"),
            (86_400_000, "1440"),
        ] {
            let options = OtpOptions {
                lifetime: Duration::from_millis(milliseconds),
                ..options("{minutes}")
            };
            assert_eq!(text(&options), minutes, "{milliseconds} ms");
        }
    }

    #[test]
    fn a_browser_finds_the_host_and_the_code_in_the_last_line() {
        for written in ["code: {code}", "code: {code}\n", "code: {code} \r\n\n"] {
            assert_eq!(
                text(&with_host(options(written))),
                "code: 012345\n@shop.example #012345"
            );
        }
    }

    #[test]
    fn sms_retriever_finds_its_mark_first_and_the_hash_on_the_last_line() {
        for written in ["code: {code}", "code: {code}\n"] {
            assert_eq!(text(&with_hash(written)), "<#> code: 012345\nFA+9qCX9V/u");
        }
    }

    #[test]
    fn with_both_the_hash_stands_before_the_host() {
        assert_eq!(
            text(&with_host(with_hash("code: {code}"))),
            "<#> code: 012345\nFA+9qCX9V/u\n@shop.example #012345"
        );
    }

    #[test]
    fn the_default_text_is_one_part_for_every_length_of_code() {
        for length in 3..=10 {
            let options = OtpOptions {
                length,
                lifetime: Duration::from_secs(86_400),
                ..OtpOptions::default()
            };
            assert_eq!(warnings(&options), [""; 0]);
        }
    }

    #[test]
    fn a_persian_text_of_more_than_70_characters_is_warned_of() {
        // The code has 8 digits by default.
        let text = |letters| options(&format!("{}{{code}}", "س".repeat(letters)));
        assert_eq!(warnings(&text(62)), [""; 0]);
        assert_eq!(
            warnings(&text(63)),
            [
                "AUTH.OPTIONS.OTP_SMS_TEXT: a code's message costs 2 parts, for it has 71 characters \
                 and one part holds 70 in Persian and other letters (UCS-2): 1 too many"
            ]
        );
        assert!(warnings(&text(127))[0].contains("costs 3 parts, for it has 135 characters"));
    }

    #[test]
    fn a_latin_text_of_more_than_160_characters_is_warned_of() {
        let text = |letters| options(&format!("{}{{code}}", "a".repeat(letters)));
        assert_eq!(warnings(&text(152)), [""; 0]);
        assert_eq!(
            warnings(&text(153)),
            [
                "AUTH.OPTIONS.OTP_SMS_TEXT: a code's message costs 2 parts, for it has 161 characters \
                 and one part holds 160 in Latin letters (GSM 7-bit): 1 too many"
            ]
        );
        // A bracket takes two of the 160.
        let brackets = options(&format!("[]{}{{code}}", "a".repeat(149)));
        assert!(warnings(&brackets)[0].ends_with(": 1 too many"));
    }

    #[test]
    fn a_longer_code_and_the_lines_for_browsers_count() {
        let text = format!("{}{{code}}", "س".repeat(62));
        let longer = OtpOptions {
            length: 9,
            ..options(&text)
        };
        assert!(warnings(&longer)[0].ends_with(": 1 too many"));
        // "\n@shop.example #" and eight digits.
        let host = with_host(options(&text));
        assert!(warnings(&host)[0].ends_with(": 24 too many"));
    }

    #[test]
    fn a_text_too_long_for_sms_retriever_is_warned_of() {
        // "<#> ", a line's end, the hash and eight digits are 24 of them.
        let persian = |letters| with_hash(&format!("{}{{code}}", "س".repeat(letters)));
        assert_eq!(warnings(&persian(46)), [""; 0]);
        let found = warnings(&persian(47));
        assert!(found[0].contains("costs 2 parts"), "{found:?}");
        assert_eq!(
            found[1],
            "AUTH.OPTIONS.OTP_SMS_APP_HASH: a code's message has 142 bytes and Android's SMS \
             Retriever takes 140, so phones may not read the code"
        );

        let latin = |letters| with_hash(&format!("{}{{code}}", "a".repeat(letters)));
        assert_eq!(warnings(&latin(116)), [""; 0]);
        let found = warnings(&latin(117));
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("has 141 bytes"), "{found:?}");
    }
}
