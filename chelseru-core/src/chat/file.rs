//! What is believed of an uploaded file: its bytes, and of them only what they are. Its name is shown and
//! nothing else, and what a browser could run is never served as what it is.

/// The most characters of a name that are kept.
const MAX_NAME_CHARS: usize = 100;

/// The pictures that are shown in place. SVG is not among them: it can hold scripts.
const SHOWN: [&str; 4] = ["image/gif", "image/jpeg", "image/png", "image/webp"];

/// What is said of everything else.
const OPAQUE: &str = "application/octet-stream";

/// What the bytes are, by their first ones; `application/octet-stream` for what is not known, and for
/// what browsers run.
pub(crate) fn sniff(bytes: &[u8]) -> &'static str {
    infer::get(bytes)
        .map(|kind| kind.mime_type())
        .filter(|mime| {
            ["image/", "audio/", "video/"]
                .iter()
                .any(|kind| mime.starts_with(kind))
        })
        .filter(|mime| !mime.contains("xml"))
        .unwrap_or(OPAQUE)
}

/// Whether a file of this type is shown in place, instead of offered for download.
pub(crate) fn is_shown(content_type: &str) -> bool {
    SHOWN.contains(&content_type)
}

/// The name without a path, without what is not seen, and not too long.
pub(crate) fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let seen = last.chars().filter(|char| !is_unseen(*char));
    let name: String = seen.take(MAX_NAME_CHARS).collect();
    let name = name.trim().trim_matches('.');
    if name.is_empty() {
        "file".to_owned()
    } else {
        name.to_owned()
    }
}

/// Control characters, and those that turn the direction of the text so that `gpj.exe` reads `exe.jpg`.
fn is_unseen(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The `Content-Disposition` of a file (RFC 6266, RFC 8187): its name in percent-encoded UTF-8 alone, so
/// that nothing in it can end the header or be read in two ways.
pub(crate) fn disposition(content_type: &str, name: &str) -> String {
    use std::fmt::Write as _;

    let kind = if is_shown(content_type) {
        "inline"
    } else {
        "attachment"
    };
    let mut text = format!("{kind}; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{clean_name, disposition, is_shown, sniff};

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    #[test]
    fn a_file_is_what_its_bytes_are() {
        assert_eq!(sniff(PNG), "image/png");
        assert_eq!(sniff(b"\xff\xd8\xff\xe0\0\x10JFIF"), "image/jpeg");
        assert_eq!(sniff(b"GIF89a........"), "image/gif");
    }

    #[test]
    fn what_a_browser_could_run_is_nothing_known() {
        for bytes in [
            &b"<!DOCTYPE html><script>alert(1)</script>"[..],
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
            b"<?xml version='1.0'?><svg/>",
            b"%PDF-1.7",
            b"#!/bin/sh",
            b"MZ\x90\0",
            b"",
        ] {
            assert_eq!(sniff(bytes), "application/octet-stream");
        }
        assert!(!is_shown("image/svg+xml"));
        assert!(!is_shown("text/html"));
    }

    #[test]
    fn a_name_has_no_path_and_nothing_unseen() {
        assert_eq!(clean_name("../../etc/passwd"), "passwd");
        assert_eq!(clean_name("C:\\temp\\عکس من.png"), "عکس من.png");
        assert_eq!(clean_name("photo\u{202e}gpj.exe\0\n"), "photogpj.exe");
        assert_eq!(clean_name(" .. "), "file");
        assert_eq!(clean_name(&"a".repeat(500)).len(), 100);
    }

    #[test]
    fn nothing_in_a_name_ends_the_header() {
        assert_eq!(
            disposition("text/html", "a\"; x=\r\n.html"),
            "attachment; filename*=UTF-8''a%22%3B%20x%3D%0D%0A.html"
        );
        assert_eq!(
            disposition("image/png", "عکس.png"),
            "inline; filename*=UTF-8''%D8%B9%DA%A9%D8%B3.png"
        );
    }
}
