//! The command line.

use std::path::PathBuf;

const HELP: &str = "\
chelseru-server: phone-number login, sessions and SMS over HTTP

Usage: chelseru-server [--config FILE]

  --config FILE  settings in TOML or JSON; CHELSERU_… environment variables beat it
  --version      print the version
  --help         print this

Every setting is in docs/settings.md. Without any, it listens on 127.0.0.1:8000 with SQLite at
./chelseru.db and prints SMS to the terminal.";

/// What was asked for.
pub(crate) enum Options {
    /// Serve, with the settings of that file.
    Run { config: Option<PathBuf> },
    /// Print a text and end.
    Print(&'static str),
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut config = None;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--help" | "-h" => return Ok(Self::Print(HELP)),
                "--version" | "-V" => return Ok(Self::Print(env!("CARGO_PKG_VERSION"))),
                "--config" => {
                    config = Some(
                        arguments
                            .next()
                            .ok_or("--config needs a file's name")?
                            .into(),
                    );
                }
                other => match other.strip_prefix("--config=") {
                    Some(file) => config = Some(file.into()),
                    None => return Err(format!("{other}: unknown argument; see --help")),
                },
            }
        }
        Ok(Self::Run { config })
    }
}
