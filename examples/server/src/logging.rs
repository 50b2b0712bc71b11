//! Log lines on standard error: coloured on a terminal, plain in a file, JSON by setting.

use std::io::{self, IsTerminal, Write};

use chelseru_core::config::{LogFormat, LogLevel, ServerConfig};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::cli::progress;

/// Starts logging of a command, whose result is what counts: at WARN, unless the settings name a level
/// other than INFO, the default.
pub(crate) fn start_quietly(config: &ServerConfig) {
    let mut config = config.clone();
    if config.log_level == LogLevel::Info {
        config.log_level = LogLevel::Warn;
    }
    start(&config);
}

/// Starts logging at the configured level.
///
/// Libraries never log below INFO here, whatever the level: the database driver would log the values
/// of its queries, and an HTTP client the addresses that it calls, in which a provider's key may be.
pub(crate) fn start(config: &ServerConfig) {
    let level = match config.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::INFO))
        .with_target("chelseru", level);
    let lines = fmt::layer().with_writer(|| Lines);
    let layer = match config.log_format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Pretty => lines.with_ansi(true).boxed(),
        LogFormat::Auto => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
    };
    // Fails only if something has set a logger before, which then stays.
    let _ = tracing_subscriber::registry()
        .with(layer.with_filter(targets))
        .try_init();
}

/// Standard error; above a progress bar, where there is one.
struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // A closed standard error is no reason to stop, nor to be told there.
        let _ = progress::above(|| io::stderr().write_all(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
