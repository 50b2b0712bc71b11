//! The operator's commands. They work with the server's settings, providers and database, beside a
//! server that may be running; standard output is the result, standard error is for people.

mod balance;
mod check;
mod housekeeping;
pub(crate) mod progress;
mod send;
mod sessions;
mod status;
mod table;
mod users;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use chelseru_core::config::DatabaseConfig;
use chelseru_core::store::Store;
use chelseru_core::{Chelseru, Config, ConfigError};
use chelseru_diesel::DieselStore;

use crate::options::{SessionsCommand, SmsCommand, UsersCommand};
use crate::providers::Providers;
use crate::terminal::{print, tell, with_causes};
use crate::{database, logging, signing_key};

/// The exit code when nothing was done: a wrong command line, wrong settings, no database.
pub(crate) const NOTHING_DONE: u8 = 2;

/// What a command found.
enum Found {
    /// All is well.
    Well,
    /// It did its work, and somebody should look.
    Amiss,
}

impl Found {
    fn well_if(is_well: bool) -> Self {
        if is_well { Self::Well } else { Self::Amiss }
    }
}

/// An error before anything was done.
type Refusal = Box<dyn Error>;

/// `check`.
pub(crate) fn check(settings: Result<Config, ConfigError>) -> ExitCode {
    let found = settings.map_err(Refusal::from).and_then(check::run);
    exit_code("check", found)
}

/// `sms …`.
pub(crate) async fn run(command: SmsCommand, settings: Result<Config, ConfigError>) -> ExitCode {
    let name = match command {
        SmsCommand::Status(_) => "sms status",
        SmsCommand::Balance(_) => "sms balance",
        SmsCommand::Send(_) => "sms send",
    };
    with_settings(name, settings, async |config| match command {
        SmsCommand::Status(options) => status::run(&options, &config).await,
        SmsCommand::Balance(options) => balance::run(&options, config).await,
        SmsCommand::Send(options) => send::run(options, config).await,
    })
    .await
}

/// `users …`.
pub(crate) async fn users(
    command: UsersCommand,
    settings: Result<Config, ConfigError>,
) -> ExitCode {
    let name = match command {
        UsersCommand::Find(_) => "users find",
        UsersCommand::Disable { .. } => "users disable",
        UsersCommand::Enable { .. } => "users enable",
    };
    with_settings(name, settings, async |config| {
        users::run(&command, &config).await
    })
    .await
}

/// `sessions …`.
pub(crate) async fn sessions(
    command: SessionsCommand,
    settings: Result<Config, ConfigError>,
) -> ExitCode {
    let name = match command {
        SessionsCommand::List(_) => "sessions list",
        SessionsCommand::End(_) => "sessions end",
    };
    with_settings(name, settings, async |config| {
        sessions::run(&command, &config).await
    })
    .await
}

/// `housekeeping`.
pub(crate) async fn housekeeping(settings: Result<Config, ConfigError>) -> ExitCode {
    with_settings("housekeeping", settings, housekeeping::run).await
}

async fn with_settings(
    name: &str,
    settings: Result<Config, ConfigError>,
    command: impl AsyncFnOnce(Config) -> Result<Found, Refusal>,
) -> ExitCode {
    let found = match settings {
        Ok(config) => {
            logging::start_quietly(&config.server);
            command(config).await
        }
        Err(error) => Err(error.into()),
    };
    exit_code(name, found)
}

fn exit_code(name: &str, found: Result<Found, Refusal>) -> ExitCode {
    match found {
        Ok(Found::Well) => ExitCode::SUCCESS,
        Ok(Found::Amiss) => ExitCode::FAILURE,
        Err(error) => {
            let error = with_causes(&*error);
            tell(&format!("chelseru-server {name}:\n{error}"));
            ExitCode::from(NOTHING_DONE)
        }
    }
}

/// The server's database, which must be there: a command makes none in a wrong place.
async fn database(config: &DatabaseConfig) -> Result<Arc<dyn Store>, Refusal> {
    let file = database::file_of(config.url.expose());
    if let Some(file) = file.filter(|file| !file.exists()) {
        return Err(format!(
            "DATABASE.URL: there is no database at {}; the server makes one when it starts",
            file.display()
        )
        .into());
    }
    Ok(Arc::new(DieselStore::connect(config).await?))
}

/// The service over this database. Commands sign nothing and check no token, so its key is one that
/// nobody else has.
fn service(mut config: Config, store: Arc<dyn Store>) -> Result<Chelseru, Refusal> {
    signing_key::for_nothing(&mut config);
    let providers = Providers::new(&config.sms)?;
    let builder = Chelseru::builder(config);
    Ok(builder.store(store).sms(providers.all).build()?)
}

/// One JSON document on standard output.
fn print_json(document: &impl serde::Serialize) -> Result<(), Refusal> {
    print(&serde_json::to_string_pretty(document)?);
    Ok(())
}

/// A text from outside as one line that cannot command the terminal.
fn in_one_line(text: &str) -> String {
    text.replace(char::is_control, "\u{FFFD}")
}
