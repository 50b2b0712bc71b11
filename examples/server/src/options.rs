//! The command line.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

/// What a server that does not start says first.
pub(crate) const CANNOT_START: &str = "chelseru-server cannot start:";

const ABOUT: &str = "chelseru-server: phone-number login, sessions and SMS over HTTP";

const MORE: &str = "\
Without a command it serves. Every setting is in docs/settings.md. Without any, it listens on
127.0.0.1:8000 with SQLite at ./chelseru.db and prints SMS to the terminal.";

const EXIT_CODES: &str = "\
Ends with 0 when all went well, 1 when something did not, 2 when nothing was done.";

const CHECK: &str = "\
Touches no database, asks no provider and writes nothing.

Ends with 0 when the server would start, 1 when it would and something in the settings deserves a
look, 2 when it would not.";

const NOT_FOUND: &str = "\
Ends with 0 when it was done, 2 when there is no such account or session, or nothing could be done.";

const DISABLE: &str = "\
Its sessions are not ended: when it is let in again they go on. `sessions end` ends them.

Ends with 0 when it was done, 2 when there is no such account, or nothing could be done.";

/// What begins a command line that starts no server.
const COMMANDS: [&str; 5] = ["check", "sms", "users", "sessions", "housekeeping"];

const BALANCE: &str = "\
Ends with 0 when what is left is known and enough, 1 when an account is low (SMS.LOW_BALANCE_RIAL,
SMS.LOW_BALANCE_MESSAGES), did not answer, or none can be asked, 2 when nothing was done.";

const SEND: &str = "\
NUMBERS.TXT holds one number a line, in any form (0912…, +98 912…, ۰۹۱۲…); blank lines and what
follows a # are skipped. All of them are checked, and each is sent to once. Several receivers are
confirmed on the terminal first. Ctrl-C begins no further message and waits for those under way.

What is printed at the end can be given to --file again: it names the receivers that certainly got
nothing; those that perhaps got the message are comments.

Ends with 0 when all messages were accepted, 1 when one was not, 2 when nothing was sent.";

/// What was asked for.
pub(crate) enum Asked {
    For(Options),
    /// The help or the version.
    ToPrint(String),
}

#[derive(Parser)]
#[command(
    name = "chelseru-server",
    about = ABOUT,
    after_help = MORE,
    version,
    disable_help_subcommand = true
)]
pub(crate) struct Options {
    /// Settings in TOML or JSON; CHELSERU_… environment variables beat it
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Look at the settings and keys, and say what the server would run with
    #[command(after_help = CHECK)]
    Check,
    /// Status, balance, send: look after messages with the server's settings and database
    #[command(subcommand, disable_help_subcommand = true)]
    Sms(SmsCommand),
    /// Find, disable, enable: look after accounts in the server's database
    #[command(subcommand, disable_help_subcommand = true)]
    Users(UsersCommand),
    /// List, end: look after the logins of an account
    #[command(subcommand, disable_help_subcommand = true)]
    Sessions(SessionsCommand),
    /// Remove now what has run out, as servers do once a minute, and say how much it was
    #[command(after_help = EXIT_CODES)]
    Housekeeping,
}

#[derive(Subcommand)]
pub(crate) enum UsersCommand {
    /// The accounts of a mobile number, a username or an id
    #[command(after_help = NOT_FOUND)]
    Find(FindOptions),
    /// Keep an account out: its tokens are refused within a second
    #[command(after_help = DISABLE)]
    Disable {
        /// The account's id, as `users find` shows it
        id: i64,
    },
    /// Let an account in again
    #[command(after_help = NOT_FOUND)]
    Enable {
        /// The account's id, as `users find` shows it
        id: i64,
    },
}

#[derive(Subcommand)]
pub(crate) enum SessionsCommand {
    /// The sessions that can be used, the newest login first
    #[command(after_help = NOT_FOUND)]
    List(ListOptions),
    /// End all sessions of an account, or one: their tokens are refused within a second
    #[command(after_help = NOT_FOUND)]
    End(EndOptions),
}

#[derive(Args)]
pub(crate) struct FindOptions {
    /// In any form that the routes take, or an exact name
    #[arg(value_name = "NUMBER_OR_USERNAME_OR_ID")]
    pub(crate) who: String,
    /// One JSON document instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct ListOptions {
    /// The account's id, as `users find` shows it
    #[arg(value_name = "USER_ID")]
    pub(crate) user: i64,
    /// One JSON document instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct EndOptions {
    /// The account's id, as `users find` shows it
    #[arg(value_name = "USER_ID")]
    pub(crate) user: i64,
    /// This one alone, by its id in `sessions list`
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<i64>,
}

#[derive(Subcommand)]
pub(crate) enum SmsCommand {
    /// The newest messages, and what they cost
    #[command(after_help = EXIT_CODES)]
    Status(StatusOptions),
    /// What the providers' accounts have left
    #[command(after_help = BALANCE)]
    Balance(BalanceOptions),
    /// Send a message to one number or to many
    #[command(after_help = SEND)]
    Send(SendOptions),
}

#[derive(Args)]
pub(crate) struct StatusOptions {
    /// How many messages
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) last: u32,
    /// How many days of the bill
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) days: u32,
    /// One JSON document instead of tables
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct BalanceOptions {
    /// One JSON document instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[group(skip)]
#[command(group = clap::ArgGroup::new("receivers").args(["to", "file"]).multiple(true).required(true))]
pub(crate) struct SendOptions {
    /// A receiver; again for another one, or several with commas
    #[arg(long, value_name = "NUMBER", value_delimiter = ',')]
    pub(crate) to: Vec<String>,
    /// A file of receivers
    #[arg(long, value_name = "NUMBERS.TXT")]
    pub(crate) file: Option<PathBuf>,
    /// A provider's template or a name of SMS.TEMPLATES; TEXT is the value of its first placeholder
    #[arg(long, value_name = "ID_OR_NAME")]
    pub(crate) template: Option<String>,
    /// How many messages are under way at once; at most SMS.MAX_CONCURRENT
    #[arg(long, value_name = "N", default_value = "8")]
    pub(crate) concurrency: NonZeroUsize,
    /// Ask for no confirmation
    #[arg(long)]
    pub(crate) yes: bool,
    /// What to send
    pub(crate) text: String,
}

/// Reads the command line; the error is for a person.
pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, String> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let is_command = arguments
        .iter()
        .any(|argument| COMMANDS.iter().any(|command| argument == command));
    match Options::try_parse_from(arguments) {
        Ok(options) => Ok(Asked::For(options)),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp => Ok(Asked::ToPrint(error.to_string())),
            ErrorKind::DisplayVersion => Ok(Asked::ToPrint(env!("CARGO_PKG_VERSION").to_owned())),
            _ if is_command => Err(error.to_string()),
            _ => Err(format!("{CANNOT_START}\n{error}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Options;

    #[test]
    fn the_command_line_is_well_made() {
        Options::command().debug_assert();
    }
}
