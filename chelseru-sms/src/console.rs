//! Messages to the terminal, for development: nothing is sent, everything is shown.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chelseru_core::MobileNumber;
use chelseru_core::config::SmsService;
use chelseru_core::sms::{Content, Sent, Sms, SmsError, SmsProvider};

/// How many messages are kept.
const KEPT: usize = 1000;

/// A provider that prints every message, codes and numbers in clear, to standard output and keeps the
/// last 1,000. It never fails, also when standard output is closed.
///
/// Only for development: whoever reads the terminal can log in as anybody.
///
/// Clones share one inbox:
///
/// ```
/// use std::sync::Arc;
/// use chelseru_core::sms::SmsProvider;
/// use chelseru_sms::Console;
///
/// let console = Console::new();
/// let provider: Arc<dyn SmsProvider> = Arc::new(console.clone());
/// // The application sends through `provider`; a page for developers shows the inbox.
/// assert!(console.messages().is_empty());
/// # drop(provider);
/// ```
#[derive(Clone, Default)]
pub struct Console {
    inbox: Arc<Mutex<Inbox>>,
}

#[derive(Default)]
struct Inbox {
    last_id: u64,
    newest_first: VecDeque<ConsoleMessage>,
}

/// A message in the inbox of a [`Console`]. Its `Debug` masks the number and hides the text.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsoleMessage {
    /// Its number in this inbox, from 1.
    pub id: u64,
    /// The receiver.
    pub to: MobileNumber,
    /// What it says. For a template, the template's id on the first line and then one variable a
    /// line.
    pub text: String,
}

impl Console {
    /// A console with an empty inbox.
    pub fn new() -> Self {
        Self::default()
    }

    /// The last 1,000 messages, newest first.
    pub fn messages(&self) -> Vec<ConsoleMessage> {
        self.inbox().newest_first.iter().cloned().collect()
    }

    fn keep(&self, sms: &Sms) -> ConsoleMessage {
        let mut inbox = self.inbox();
        inbox.last_id += 1;
        let message = ConsoleMessage {
            id: inbox.last_id,
            to: sms.to,
            text: text(&sms.content),
        };
        inbox.newest_first.push_front(message.clone());
        inbox.newest_first.truncate(KEPT);
        message
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        // The inbox is whole between any two statements, so a panic elsewhere does not spoil it.
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SmsProvider for Console {
    fn name(&self) -> &str {
        SmsService::Console.name()
    }

    async fn send(&self, sms: &Sms) -> Result<Sent, SmsError> {
        let message = self.keep(sms);
        print(&message, &mut io::stdout().lock());
        Ok(Sent::with_id(message.id.to_string()))
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

impl fmt::Debug for ConsoleMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleMessage")
            .field("id", &self.id)
            .field("to", &self.to)
            .field("text", &format_args!("***"))
            .finish()
    }
}

fn text(content: &Content) -> String {
    match content {
        Content::Text(text) => text.clone(),
        Content::Template { id, variables } => {
            let mut lines = vec![format!("template {}", id.0)];
            lines.extend(
                (1..)
                    .zip(variables)
                    .map(|(n, variable)| format!("{n}: {variable}")),
            );
            lines.join("\n")
        }
    }
}

/// Prints a message. A closed terminal is no reason to fail.
fn print(message: &ConsoleMessage, out: &mut impl Write) {
    let _ = write_block(message, out);
}

fn write_block(message: &ConsoleMessage, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "┌ SMS {} to {}", message.id, message.to)?;
    for line in message.text.lines() {
        // A text from outside must not command the terminal.
        writeln!(out, "│ {}", line.replace(char::is_control, "\u{FFFD}"))?;
    }
    writeln!(out, "└")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use super::{ConsoleMessage, print};

    fn message(text: &str) -> ConsoleMessage {
        ConsoleMessage {
            id: 7,
            to: "09121234567".parse().unwrap(),
            text: text.to_owned(),
        }
    }

    fn printed(text: &str) -> String {
        let mut out = Vec::new();
        print(&message(text), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_message_is_printed_with_its_receiver_and_every_line() {
        assert_eq!(
            printed("کد: 123456\n@shop.example #123456"),
            "┌ SMS 7 to 09121234567\n│ کد: 123456\n│ @shop.example #123456\n└\n"
        );
    }

    #[test]
    fn a_text_cannot_command_the_terminal() {
        assert_eq!(
            printed("a\u{1b}[2Jb"),
            "┌ SMS 7 to 09121234567\n│ a\u{FFFD}[2Jb\n└\n"
        );
    }

    #[test]
    fn a_closed_output_is_ignored() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        print(&message("anything"), &mut Closed);
    }

    #[test]
    fn debug_hides_the_text_and_masks_the_number() {
        let shown = format!("{:?}", message("123456"));
        assert_eq!(
            shown,
            "ConsoleMessage { id: 7, to: 0912***4567, text: *** }"
        );
    }
}
