//! The speed comparison: chelseru's routes against the same work written by hand with nothing around.
//!
//! `cargo run --release -p chelseru-tests --bin speed` starts each server in turn as a process of its
//! own, loads it over real sockets, and prints a table. `… -- hang 500` measures what 500 sends through a
//! provider that hangs cost everybody else, `… -- slow` what a chat costs with one who does not read, and
//! `… -- known` what a request costs whose token is known.
//! docs/performance.md says how to read them.

mod baseline;
mod chat;
mod chelseru;
mod client;
mod hanging;
mod known;
mod load;
mod options;
mod process;
mod report;
mod serve;

use std::error::Error;
use std::process::ExitCode;

use crate::load::Round;
use crate::options::Options;
use crate::process::{Folder, Server};
use crate::serve::Front;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Chelseru,
    /// By hand, as durable as chelseru: SQLite's `synchronous=FULL`.
    Baseline,
    /// By hand, and a power failure may undo the last commits: `synchronous=NORMAL`.
    Relaxed,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Chelseru, Self::Baseline, Self::Relaxed];

    fn name(self) -> &'static str {
        match self {
            Self::Chelseru => "chelseru",
            Self::Baseline => "baseline",
            Self::Relaxed => "baseline-relaxed",
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", "chat", front, database] => serve_chat(front, database),
        ["serve", "bare-chat", front] => serve_bare_chat(front),
        ["serve", kind, database] => serve(kind, database, None),
        ["serve", kind, database, hanging] => serve(kind, database, Some(hanging)),
        ["hang", sends] => hang(sends),
        ["chat", "idle"] => chat::measure_idle(None, &std::env::temp_dir()),
        ["chat", seconds] => measure_chat(seconds, None),
        ["chat", seconds, database] => measure_chat(seconds, Some(database)),
        ["slow"] => measure_slow("100000", None),
        ["slow", messages] => measure_slow(messages, None),
        ["slow", messages, database] => measure_slow(messages, Some(database)),
        ["known"] => known::measure(),
        _ => Options::parse(arguments).and_then(|options| compare(&options)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve_chat(front: &str, database: &str) -> Result<()> {
    chat::serve_chelseru(Front::named(front)?, database)
}

fn serve_bare_chat(front: &str) -> Result<()> {
    chat::serve_bare(Front::named(front)?)
}

/// `speed chat 10`
fn measure_chat(seconds: &str, database: Option<&str>) -> Result<()> {
    chat::measure(seconds.parse()?, database, &std::env::temp_dir())
}

/// `speed slow 100000`
fn measure_slow(messages: &str, database: Option<&str>) -> Result<()> {
    chat::measure_slow(messages.parse()?, database, &std::env::temp_dir())
}

/// `speed hang 500`
fn hang(sends: &str) -> Result<()> {
    const ROUNDS: usize = 3;
    hanging::measure(ROUNDS, sends.parse()?, &std::env::temp_dir())
}

fn serve(kind: &str, database: &str, hanging: Option<&str>) -> Result<()> {
    match Kind::ALL.iter().find(|known| known.name() == kind) {
        Some(Kind::Chelseru) => chelseru::serve(database, hanging),
        Some(Kind::Baseline) => baseline::serve(database, "FULL"),
        Some(Kind::Relaxed) => baseline::serve(database, "NORMAL"),
        None => Err(format!("{kind} is not a server").into()),
    }
}

fn compare(options: &Options) -> Result<()> {
    let kinds = match options.database {
        Some(_) => &Kind::ALL[..1],
        None => &Kind::ALL[..],
    };
    let mut results: Vec<(Kind, Vec<Round>)> =
        kinds.iter().map(|kind| (*kind, Vec::new())).collect();
    // Numbers are never used twice, also not by the next run on the same PostgreSQL database.
    let mut numbers = load::Numbers::random();
    for round in 1..=options.rounds {
        for (kind, rounds) in &mut results {
            let folder = Folder::make(&options.folder)?;
            let database = match &options.database {
                Some(url) => url.clone(),
                None => format!("sqlite://{}", folder.file("speed.db")?),
            };
            let server = Server::start(&[kind.name(), &database])?;
            let result = load::run(&server, options, &mut numbers)?;
            eprintln!("round {round}, {}: {result}", kind.name());
            rounds.push(result);
        }
    }
    report::print(options, &results);
    Ok(())
}
