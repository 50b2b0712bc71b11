//! The little XML that SOAP needs: texts written into an envelope, and one text found in a reply.

use chelseru_core::sms::{SmsError, SmsErrorKind};
use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

/// A text as the content of an element.
///
/// Refuses a text with a character that XML 1.0 cannot carry, not even escaped (section 2.2): the
/// receiver would get another message than the one meant, or the provider no envelope.
pub(crate) fn escaped(text: &str) -> Result<String, SmsError> {
    if !can_carry(text) {
        return Err(SmsError::new(
            SmsErrorKind::TextRefused,
            "the text has a control character, which this provider cannot take",
        ));
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // Readers turn a bare one into a line feed (section 2.11).
            '\r' => escaped.push_str("&#13;"),
            other => escaped.push(other),
        }
    }
    Ok(escaped)
}

/// Whether XML 1.0 has all characters of the text: its rule `Char`.
pub(crate) fn can_carry(text: &str) -> bool {
    text.chars().all(|character| match character {
        '\t' | '\n' | '\r' => true,
        '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => false,
        _ => true,
    })
}

/// The text of the one element at this path from the root, whatever its prefixes.
///
/// `None` when the document is not well formed to its end, or has no such element or several, or
/// the element has no plain text in it.
pub(crate) fn text_at(document: &str, path: &[&str]) -> Option<String> {
    let mut reader = Reader::from_str(document);
    // The names of the open elements, outermost first.
    let mut open: Vec<String> = Vec::new();
    let mut found: Option<String> = None;
    loop {
        let is_at_path = open == path;
        match reader.read_event().ok()? {
            Event::Start(element) => {
                if is_at_path {
                    return None;
                }
                open.push(element.local_name().into_inner().to_owned());
                if open == path && found.replace(String::new()).is_some() {
                    return None;
                }
            }
            // The reader has checked that it closes the innermost.
            Event::End(_) => {
                open.pop();
            }
            Event::Text(text) if is_at_path => found.as_mut()?.push_str(&text),
            Event::CData(text) if is_at_path => found.as_mut()?.push_str(&text),
            Event::GeneralRef(reference) if is_at_path => {
                found.as_mut()?.push(character(&reference)?);
            }
            Event::Empty(_) if is_at_path => return None,
            Event::Eof => return found.filter(|_| open.is_empty()),
            _ => {}
        }
    }
}

/// The character of a reference: by number, or one of the five that need no declaration.
fn character(reference: &BytesRef<'_>) -> Option<char> {
    if let Some(character) = reference.resolve_char_ref().ok()? {
        return Some(character);
    }
    quick_xml::escape::resolve_xml_entity(reference)?
        .chars()
        .next()
}

#[cfg(test)]
mod tests {
    use super::{escaped, text_at};

    const PATH: [&str; 2] = ["a", "b"];

    #[test]
    fn what_is_escaped_is_read_back_unchanged() {
        let text = "<b>&amp; \"کد\" 'x' ]]>\r\n\t\u{200C}\u{1F600}\u{7F}";
        let document = format!("<a><b>{}</b></a>", escaped(text).unwrap());
        assert_eq!(text_at(&document, &PATH).as_deref(), Some(text));
    }

    #[test]
    fn a_character_that_xml_cannot_carry_is_refused() {
        for character in [
            '\0', '\u{1}', '\u{8}', '\u{B}', '\u{C}', '\u{1B}', '\u{FFFE}', '\u{FFFF}',
        ] {
            assert!(escaped(&format!("a{character}b")).is_err(), "{character:?}");
        }
    }

    #[test]
    fn an_element_is_found_whatever_its_prefix_and_however_its_text_is_written() {
        for document in [
            "<a><b>5</b></a>",
            "<?xml version=\"1.0\"?>\n<x:a xmlns:x=\"urn:x\"><x:b y=\"z\">5</x:b></x:a>\n",
            "<a><c><b>6</b></c><b><![CDATA[5]]></b><!-- b --></a>",
            "<a><b>&#53;</b><b2>7</b2></a>",
            "<a><b>&#x35;</b></a>",
        ] {
            assert_eq!(text_at(document, &PATH).as_deref(), Some("5"), "{document}");
        }
    }

    #[test]
    fn what_is_not_one_plain_text_is_not_found() {
        for document in [
            "",
            "5",
            "{\"a\":{\"b\":5}}",
            "<a></a>",
            "<a><b/></a>",
            "<b>5</b>",
            "<a><b>5</b>",
            "<a><b>5</a></b>",
            "<a><b>5</b></a",
            "<a><b>5</b><b>6</b></a>",
            "<a><b><c/>5</b></a>",
            "<a><b><c>5</c></b></a>",
            "<!DOCTYPE a [<!ENTITY e \"5\">]><a><b>&e;</b></a>",
        ] {
            assert_eq!(text_at(document, &PATH), None, "{document}");
        }
    }
}
