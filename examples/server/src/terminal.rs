//! What is said on standard output and standard error, and how an error is said. Neither being closed
//! is a reason to stop: what was begun is ended, and its end code is right.

use std::error::Error;
use std::io::Write;

/// Prints a text on standard output.
pub(crate) fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Tells a person something on standard error; when that is closed, nobody wants to know.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// An error and what caused it, one line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
