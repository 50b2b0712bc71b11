//! Who is sent to: all numbers are read and checked before the first message.

use std::collections::HashSet;
use std::path::Path;

use chelseru_core::MobileNumber;

use super::Refusal;
use crate::options::SendOptions;
use crate::terminal::tell;

/// The receivers in their order, each once.
pub(super) fn read(options: &SendOptions) -> Result<Vec<MobileNumber>, Refusal> {
    let mut list = List::default();
    for text in &options.to {
        list.add(text, || "--to".to_owned());
    }
    if let Some(file) = &options.file {
        list.add_lines(file, &text_of(file)?);
    }
    list.into_receivers()
}

fn text_of(file: &Path) -> Result<String, Refusal> {
    let name = file.display();
    let bytes = std::fs::read(file).map_err(|error| format!("{name} cannot be read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        format!("{name} is not UTF-8 text; save it as plain text, one number a line")
    })?;
    Ok(text)
}

#[derive(Default)]
struct List {
    receivers: Vec<MobileNumber>,
    known: HashSet<MobileNumber>,
    repeated: usize,
    problems: Vec<String>,
}

impl List {
    fn add(&mut self, text: &str, place: impl Fn() -> String) {
        match text.parse::<MobileNumber>() {
            Ok(number) if self.known.insert(number) => self.receivers.push(number),
            Ok(_) => self.repeated += 1,
            Err(error) => self
                .problems
                .push(format!("{}: {text:?}: {error}", place())),
        }
    }

    /// A `#` begins a comment: nothing that a number is written with.
    fn add_lines(&mut self, file: &Path, text: &str) {
        // Editors of Windows begin a file with a mark.
        let text = text.trim_start_matches('\u{FEFF}');
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                self.add(line, || format!("{}:{number}", file.display()));
            }
        }
    }

    fn into_receivers(self) -> Result<Vec<MobileNumber>, Refusal> {
        if !self.problems.is_empty() {
            return Err(format!("{}\nnothing was sent", self.problems.join("\n")).into());
        }
        if self.receivers.is_empty() {
            return Err("there is no number to send to".into());
        }
        if self.repeated > 0 {
            let repeated = count(self.repeated, "number");
            tell(&format!("{repeated} left out: named before"));
        }
        Ok(self.receivers)
    }
}

/// `1 message`, `2 messages`.
pub(super) fn count(amount: usize, what: &str) -> String {
    let plural = if amount == 1 { "" } else { "s" };
    format!("{amount} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::List;

    #[test]
    fn a_file_has_numbers_in_any_form_comments_and_blank_lines() {
        let mut list = List::default();
        list.add_lines(
            Path::new("numbers.txt"),
            "\u{FEFF}09121234567\r\n\n# all\n  ۰۹۱۲ ۱۲۳ ۴۵۶۸ # Sara\n+98 912 123 4567\n",
        );
        assert_eq!(list.repeated, 1);
        let receivers = list.into_receivers().unwrap();
        let receivers: Vec<_> = receivers.iter().map(ToString::to_string).collect();
        assert_eq!(receivers, ["09121234567", "09121234568"]);
    }

    #[test]
    fn every_wrong_line_is_named() {
        let mut list = List::default();
        list.add_lines(Path::new("numbers.txt"), "0912\n09121234567\n\nabc\n");
        let error = list.into_receivers().unwrap_err().to_string();
        for place in ["numbers.txt:1: \"0912\"", "numbers.txt:4: \"abc\""] {
            assert!(error.contains(place), "{error}");
        }
        assert!(!error.contains("09121234567"), "{error}");
    }
}
