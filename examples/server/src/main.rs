//! The bundled server: the documented routes over SQLite or PostgreSQL, ready to run; and commands for
//! its operator, with the same settings.
//!
//! What can be asked for is in [`options`]; everything else is a setting (docs/settings.md).

mod cli;
mod database;
mod files;
mod greeting;
mod health;
mod inbox;
mod logging;
mod metrics;
mod options;
mod page;
mod providers;
mod serve;
mod shutdown;
mod signing_key;
mod terminal;
mod words;

use std::path::Path;
use std::process::ExitCode;

use chelseru_core::{Config, ConfigError};

use crate::options::{Asked, Command};
use crate::terminal::with_causes;

#[actix_web::main]
async fn main() -> ExitCode {
    let options = match options::read(std::env::args_os()) {
        Ok(Asked::For(options)) => options,
        Ok(Asked::ToPrint(text)) => {
            terminal::print(text.trim_end());
            return ExitCode::SUCCESS;
        }
        Err(refusal) => {
            terminal::tell(refusal.trim_end());
            return ExitCode::from(cli::NOTHING_DONE);
        }
    };
    let config = options.config.as_deref();
    match options.command {
        None => serve(config).await,
        Some(Command::Check) => cli::check(settings(config)),
        Some(Command::Sms(command)) => cli::run(command, settings(config)).await,
        Some(Command::Users(command)) => cli::users(command, settings(config)).await,
        Some(Command::Sessions(command)) => cli::sessions(command, settings(config)).await,
        Some(Command::Housekeeping) => cli::housekeeping(settings(config)).await,
    }
}

async fn serve(config: Option<&Path>) -> ExitCode {
    let served = match settings(config) {
        Ok(config) => {
            logging::start(&config.server);
            let served = serve::run(config).await;
            served.map_err(|error| with_causes(&*error))
        }
        Err(error) => Err(error.to_string()),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            terminal::tell(&format!("{}\n{message}", options::CANNOT_START));
            ExitCode::FAILURE
        }
    }
}

/// The settings of a file and of the environment. What is not text in it is somebody else's, or is
/// refused like any wrong value.
fn settings(file: Option<&Path>) -> Result<Config, ConfigError> {
    let variables = std::env::vars_os().map(|(name, value)| {
        (
            name.to_string_lossy().into_owned(),
            value.to_string_lossy().into_owned(),
        )
    });
    Config::load(file, variables)
}
