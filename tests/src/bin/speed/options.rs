//! What the command line says.

use std::path::PathBuf;
use std::str::FromStr;

use crate::Result;

const HELP: &str =
    "speed [--rounds N] [--logins N] [--reads N] [--connections N] [--folder DIR] [--database URL]
speed hang SENDS
speed chat SECONDS [postgres://…]
speed slow [MESSAGES] [postgres://…]
speed known

  --rounds N        how often each server is measured, in turns (3)
  --logins N        requests of each of the phases otp/send and authenticate (4000)
  --reads N         requests of the phase sessions (20000)
  --connections N   connections, each with one request at a time (64)
  --folder DIR      where the SQLite files are made (the system's folder for temporary files);
                    one in memory, such as /dev/shm, leaves the disk out of the comparison
  --database URL    postgres://… measures chelseru alone, on this database; its rows stay there";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) logins: usize,
    pub(crate) reads: usize,
    pub(crate) connections: usize,
    pub(crate) folder: PathBuf,
    pub(crate) database: Option<String>,
}

impl Options {
    pub(crate) fn parse(arguments: Vec<String>) -> Result<Self> {
        let mut options = Self {
            rounds: 3,
            logins: 4000,
            reads: 20_000,
            connections: 64,
            folder: std::env::temp_dir(),
            database: None,
        };
        let mut arguments = arguments.into_iter();
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(HELP)?;
            match name.as_str() {
                "--rounds" => options.rounds = positive(&value)?,
                "--logins" => options.logins = positive(&value)?,
                "--reads" => options.reads = positive(&value)?,
                "--connections" => options.connections = positive(&value)?,
                "--folder" => options.folder = PathBuf::from(value),
                "--database" if value.starts_with("postgres") => options.database = Some(value),
                _ => return Err(HELP.into()),
            }
        }
        Ok(options)
    }
}

fn positive(text: &str) -> Result<usize> {
    let number = usize::from_str(text).ok().filter(|number| *number > 0);
    number.ok_or_else(|| HELP.into())
}
