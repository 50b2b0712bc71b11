//! Connections to the file, and how async query code runs on them without a runtime.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use diesel::{Connection as _, QueryResult, SqliteConnection};
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use crate::error::Failure;
use crate::migrations::migrate_sqlite;

/// An SQLite connection for async query code.
pub(crate) type Connection = SyncConnectionWrapper<SqliteConnection, Inline>;

/// Runs each statement on the thread that asks for it: it is a database thread already.
pub(crate) struct Inline;

impl SpawnBlocking for Inline {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn Error + Send + Sync>>>
    where
        R: Send + 'static,
    {
        ready(Ok(task())).boxed()
    }

    fn get_runtime() -> Self {
        Self
    }
}

/// The answer of query code that runs on [`Inline`]: it never waits, so it has one.
pub(super) fn at_once<T>(body: impl Future<Output = QueryResult<T>>) -> QueryResult<T> {
    body.now_or_never().unwrap_or_else(|| {
        let message = Box::new("a query waited for something else".to_owned());
        Err(QueryError::DatabaseError(
            DatabaseErrorKind::Unknown,
            message,
        ))
    })
}

/// How long to wait for a write of another process.
const BUSY: Duration = Duration::from_secs(2);

/// How often the writer asks whether the other process is done. SQLite has no queue for its lock, and
/// its own way of waiting asks ever more rarely: beside a process that writes without end it gives up.
const POLL: Duration = Duration::from_millis(1);

/// Foreign keys are off by default; temporary tables never go to a disk; 8 MiB of pages are kept.
const EVERY_CONNECTION: &str = "PRAGMA busy_timeout = 2000; PRAGMA foreign_keys = ON; \
                                PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;";

/// FULL: a code that was redeemed stays redeemed when the power fails. The commits are shared. Pages go from
/// the log to the file each 16 MiB and not each 4: those that are written again and again go there once.
const WRITER: &str = "PRAGMA synchronous = FULL; PRAGMA busy_timeout = 0; \
                      PRAGMA wal_autocheckpoint = 4000;";

/// Tries again while another process is in the way, for as long as [`BUSY`].
fn while_busy<T>(mut attempt: impl FnMut() -> QueryResult<T>) -> Result<T, Failure> {
    let deadline = Instant::now() + BUSY;
    loop {
        match attempt().map_err(Failure::from) {
            Err(failure) if failure.is_passing() && Instant::now() < deadline => {
                thread::sleep(POLL);
            }
            result => return result,
        }
    }
}

/// The connection for writing, to a file that is made if there is none and whose schema is made or
/// brought up to date.
pub(super) fn open_writer(file: &Path) -> Result<Connection, Failure> {
    make_private(file)?;
    let mut connection = open(file)?;
    // Changing the journal's mode does not wait for others by itself.
    while_busy(|| connection.batch_execute("PRAGMA journal_mode = WAL;"))?;
    migrate_sqlite(&mut connection)?;
    connection.batch_execute(WRITER)?;
    Ok(Connection::new(connection))
}

/// A connection for reading, to a file that [`open_writer`] opened before.
pub(super) fn open_reader(file: &Path) -> Result<Connection, Failure> {
    let mut connection = open(file)?;
    connection.batch_execute("PRAGMA query_only = ON;")?;
    Ok(Connection::new(connection))
}

fn open(file: &Path) -> Result<SqliteConnection, Failure> {
    let path = file
        .to_str()
        .ok_or_else(|| Failure::fault("the file's name is not UTF-8"))?;
    let mut connection = SqliteConnection::establish(path)
        .map_err(|error| Failure::fault(format!("{path}: {error}")))?;
    connection.batch_execute(EVERY_CONNECTION)?;
    Ok(connection)
}

/// Makes the file for its owner alone: it holds the users' numbers. SQLite gives the files beside it
/// the same rights.
fn make_private(file: &Path) -> Result<(), Failure> {
    // On Unix, closing a file takes away the locks that other threads of the process have on it, so no
    // other store may open the new file before this has closed it.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file).map(drop) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(Failure::fault(format!("{}: {error}", file.display())))
        }
        _ => Ok(()),
    }
}

/// Takes the write lock, waiting for other processes.
pub(super) fn begin(connection: &mut Connection) -> Result<(), Failure> {
    while_busy(|| {
        at_once(connection.spawn_blocking(|connection| {
            AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")
        }))
    })
}

pub(super) fn commit(connection: &mut Connection) -> QueryResult<()> {
    at_once(connection.spawn_blocking(|connection| {
        <AnsiTransactionManager as TransactionManager<_>>::commit_transaction(connection)
    }))
}
