//! The threads and what they do all day.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::{mpsc, oneshot};

use super::connection::{Connection, begin, commit, open_reader, open_writer};
use super::job::{Done, Job};
use crate::error::{Failure, OpenError};

/// Readers run beside each other and beside the writer; more than a few only take turns.
const READERS: usize = 4;

/// How many calls may share a commit. It bounds how long the first of them waits.
const BATCH: usize = 128;

/// Starts the writer, which opens the file, says so, and starts the readers.
pub(super) fn start(
    file: PathBuf,
    writes: mpsc::Receiver<Job>,
    reads: mpsc::Receiver<Job>,
    report: oneshot::Sender<Result<(), OpenError>>,
) -> io::Result<()> {
    let work = move || {
        let opened = open_writer(&file)
            .map_err(OpenError::from)
            .and_then(|connection| {
                start_readers(&file, reads)?;
                Ok(connection)
            });
        match opened {
            Ok(connection) => {
                // Whoever opened may be gone; then the queue is closed and this ends at once.
                let _ = report.send(Ok(()));
                write(&file, connection, writes);
            }
            Err(error) => {
                let _ = report.send(Err(error));
            }
        }
    };
    thread::Builder::new()
        .name("chelseru-write".to_owned())
        .spawn(work)?;
    Ok(())
}

fn start_readers(file: &Path, reads: mpsc::Receiver<Job>) -> Result<(), OpenError> {
    let reads = Arc::new(Mutex::new(reads));
    for _ in 0..READERS {
        let connection = open_reader(file)?;
        let (file, reads) = (file.to_owned(), Arc::clone(&reads));
        thread::Builder::new()
            .name("chelseru-read".to_owned())
            .spawn(move || read(&file, connection, &reads))
            .map_err(|error| OpenError::Fault(format!("a thread cannot be started: {error}")))?;
    }
    Ok(())
}

fn read(file: &Path, connection: Connection, reads: &Mutex<mpsc::Receiver<Job>>) {
    let mut connection = Some(connection);
    // The lock is held while waiting, not while reading: one waits for a job, the others for the lock.
    let next = || {
        reads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .blocking_recv()
    };
    while let Some(job) = next() {
        match opened(&mut connection, || open_reader(file)) {
            Ok(open) => match run(job, open) {
                Ok(done) => done.answer(Ok(())),
                Err(_panicked) => connection = None,
            },
            Err(failure) => refuse(job, failure),
        }
    }
}

fn write(file: &Path, connection: Connection, mut writes: mpsc::Receiver<Job>) {
    let mut connection = Some(connection);
    while let Some(first) = writes.blocking_recv() {
        let open = match opened(&mut connection, || open_writer(file)) {
            Ok(open) => open,
            Err(failure) => {
                refuse(first, failure);
                continue;
            }
        };
        if let Err(failure) = begin(open) {
            // All that wait now waited for the same lock, and each of them alone would take as long.
            // They are counted before the first is refused: who comes after that has not waited.
            let waiting = writes.len();
            let waited: Vec<Job> = std::iter::once(first)
                .chain(std::iter::from_fn(|| writes.try_recv().ok()).take(waiting))
                .collect();
            for job in waited {
                refuse(job, failure.clone());
            }
            // Where the lock was not the problem, a new connection may help.
            connection = connection.filter(|_| failure.is_passing());
            continue;
        }
        let others = std::iter::from_fn(|| writes.try_recv().ok()).take(BATCH - 1);
        let (done, spoiled) = run_batch(open, std::iter::once(first).chain(others));
        let committed = match spoiled {
            Some(failure) => Err(failure),
            None => commit(open).map_err(Failure::from),
        };
        if committed.is_err() {
            // Closing the connection rolls back whatever is left of the transaction.
            connection = None;
        }
        for done in done {
            done.answer(committed.clone());
        }
    }
}

/// Runs jobs until there is none or one of them spoils the transaction for all.
fn run_batch(
    connection: &mut Connection,
    jobs: impl Iterator<Item = Job>,
) -> (Vec<Done>, Option<Failure>) {
    let mut batch = Vec::new();
    for job in jobs {
        match run(job, connection) {
            Ok(mut done) => {
                let spoiled = done.spoiled.take();
                batch.push(done);
                if spoiled.is_some() {
                    return (batch, spoiled);
                }
            }
            Err(panicked) => return (batch, Some(panicked)),
        }
    }
    (batch, None)
}

/// Runs a job. A panic leaves its caller without an answer, which it notices, and the connection in a
/// state that nobody knows.
fn run(job: Job, connection: &mut Connection) -> Result<Done, Failure> {
    catch_unwind(AssertUnwindSafe(|| job(Ok(connection))))
        .map_err(|_| Failure::unavailable("another call in the same commit panicked"))
}

fn refuse(job: Job, failure: Failure) {
    job(Err(failure)).answer(Ok(()));
}

/// The connection, opened again if it was given up.
fn opened(
    connection: &mut Option<Connection>,
    open: impl FnOnce() -> Result<Connection, Failure>,
) -> Result<&mut Connection, Failure> {
    match connection {
        Some(open) => Ok(open),
        None => Ok(connection.insert(open()?)),
    }
}
