//! What the texts of rooms and messages may be.

use crate::chat::{ChatError, is_blank};

const MAX_TEXT: usize = 4096;
const MAX_CLIENT_ID: usize = 64;
const MAX_NAME: usize = 45;
const MAX_DESCRIPTION: usize = 1000;
const MAX_URL: usize = 500;

/// What is searched for need not be longer than anybody types.
const MAX_WORDS: usize = 200;

const BLANK: &str = "This field may not be blank.";
const NUL: &str = "Null characters are not allowed.";

/// The text of a message, returned as it is; may only be empty beside a file.
pub(super) fn text(text: &str, has_attachment: bool) -> Result<(), ChatError> {
    within("text", text, MAX_TEXT)?;
    if is_blank(text) && !(has_attachment && text.is_empty()) {
        return Err(field("text", BLANK));
    }
    Ok(())
}

pub(super) fn client_id(id: &str) -> Result<(), ChatError> {
    within("client_id", id, MAX_CLIENT_ID)?;
    if id.is_empty() {
        return Err(field("client_id", BLANK));
    }
    Ok(())
}

/// The name of a group, trimmed.
pub(super) fn name(name: &str) -> Result<String, ChatError> {
    let name = name.trim();
    within("name", name, MAX_NAME)?;
    if is_blank(name) {
        return Err(field("name", BLANK));
    }
    Ok(name.to_owned())
}

/// A description; a blank one is none.
pub(super) fn description(text: Option<String>) -> Result<Option<String>, ChatError> {
    let Some(text) = text.filter(|text| !is_blank(text)) else {
        return Ok(None);
    };
    within("description", &text, MAX_DESCRIPTION)?;
    Ok(Some(text))
}

/// The address of a picture, which clients load from wherever it is; a blank one is none.
pub(super) fn avatar_url(url: Option<String>) -> Result<Option<String>, ChatError> {
    let Some(url) = url.filter(|url| !is_blank(url)) else {
        return Ok(None);
    };
    let url = url.trim();
    within("avatar_url", url, MAX_URL)?;
    let is_plain =
        |char: char| !char.is_whitespace() && !char.is_control() && !"\"'<>\\^`{|}".contains(char);
    let host = url.strip_prefix("https://").unwrap_or_default();
    let starts_well = host.starts_with(|char: char| char.is_alphanumeric() || char == '[');
    if !starts_well || !url.chars().all(is_plain) {
        return Err(field(
            "avatar_url",
            "Enter a valid URL that begins with https://.",
        ));
    }
    Ok(Some(url.to_owned()))
}

/// Words to be searched for, folded.
pub(super) fn words(words: &str) -> Result<String, ChatError> {
    within("search", words, MAX_WORDS)?;
    let folded = crate::chat::fold(words).trim().to_owned();
    if folded.is_empty() {
        return Err(field("search", BLANK));
    }
    Ok(folded)
}

fn within(name: &'static str, text: &str, most: usize) -> Result<(), ChatError> {
    if text.contains('\0') {
        return Err(field(name, NUL));
    }
    // A character has at least one byte: most texts need not be counted.
    if text.len() > most && text.chars().count() > most {
        return Err(ChatError::Field {
            field: name,
            problem: format!("Ensure this field has no more than {most} characters."),
        });
    }
    Ok(())
}

fn field(field: &'static str, problem: &str) -> ChatError {
    ChatError::Field {
        field,
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{avatar_url, client_id, description, name, text, words};

    #[test]
    fn a_text_has_1_to_4096_characters_whatever_their_bytes() {
        for good in ["a", " سلام ", "😀", &"😀".repeat(4096), &"س".repeat(4096)] {
            assert_eq!(text(good, false), Ok(()));
        }
        for bad in ["", " \n", "\u{200C}", "a\0b", &"😀".repeat(4097)] {
            assert!(text(bad, false).is_err(), "{bad:?}");
        }
        assert_eq!(text("", true), Ok(()));
        assert!(text(" ", true).is_err());
    }

    #[test]
    fn a_client_id_has_1_to_64_characters() {
        for good in ["a", " ", &"۱".repeat(64)] {
            assert_eq!(client_id(good), Ok(()));
        }
        for bad in ["", "a\0", &"a".repeat(65)] {
            assert!(client_id(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_is_trimmed_and_a_blank_description_is_none() {
        assert_eq!(name("  خانواده "), Ok("خانواده".to_owned()));
        assert_eq!(name(&"x".repeat(45)).unwrap().len(), 45);
        for bad in ["", " ", "\u{200F}", "a\0", &"x".repeat(46)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        let of = |text: &str| description(Some(text.to_owned()));
        assert_eq!(of(" "), Ok(None));
        assert_eq!(of(" a"), Ok(Some(" a".to_owned())));
        assert!(of("a\0").is_err());
        assert!(of(&"x".repeat(1001)).is_err());
    }

    #[test]
    fn a_picture_is_at_an_https_url() {
        let of = |url: &str| avatar_url(Some(url.to_owned()));
        for good in [
            "https://shop.example/a.png?b=c",
            "https://[::1]/",
            "https://مثال.example/",
        ] {
            assert_eq!(of(good), Ok(Some(good.to_owned())));
        }
        assert_eq!(of(""), Ok(None));
        let long = format!("https://a.example/{}", "x".repeat(500));
        for bad in [
            "http://a.example/",
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "https://a.example/ x",
            "https://a.example/\"onerror=x",
            "//a.example",
            &long,
        ] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_are_folded_and_must_be_something() {
        assert_eq!(words(" كتاب "), Ok("کتاب".to_owned()));
        for bad in ["", " ", "\u{200C}", "\0", &"x".repeat(201)] {
            assert!(words(bad).is_err(), "{bad:?}");
        }
    }
}
