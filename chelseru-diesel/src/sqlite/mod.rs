//! SQLite: one thread that writes, a few that read, each with a connection of its own.
//!
//! A call is one job in one queue, so it costs one hop to a thread however many statements it has, and
//! it runs to its end whether or not its caller stays. The writer commits whatever is waiting in one
//! transaction and answers only then: under load the price of a durable commit is shared by many.

mod connection;
mod job;
mod threads;

use std::path::PathBuf;

use chelseru_core::store::StoreResult;
use diesel::QueryResult;
use tokio::sync::{mpsc, oneshot};

pub(crate) use self::connection::Connection;
use self::job::Job;
use crate::error::{Failure, OpenError};

/// How many calls may wait; more of them wait to be let in.
const QUEUE: usize = 1024;

/// A handle to the threads. They end when the last one is dropped.
#[derive(Clone)]
pub(crate) struct Sqlite {
    writer: mpsc::Sender<Job>,
    readers: mpsc::Sender<Job>,
}

impl Sqlite {
    /// Opens the file, making it if there is none, and brings its schema up to date.
    pub(crate) async fn open(file: PathBuf) -> Result<Self, OpenError> {
        let (writer, write_jobs) = mpsc::channel(QUEUE);
        let (readers, read_jobs) = mpsc::channel(QUEUE);
        let (report, opened) = oneshot::channel();
        threads::start(file, write_jobs, read_jobs, report)
            .map_err(|error| OpenError::Fault(format!("a thread cannot be started: {error}")))?;
        opened
            .await
            .map_err(|_| OpenError::Fault("the writing thread is gone".to_owned()))??;
        Ok(Self { writer, readers })
    }

    /// Runs a body that changes something.
    pub(crate) async fn write<T, F>(&self, body: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
    {
        call(&self.writer, body).await
    }

    /// Runs a body that changes nothing.
    pub(crate) async fn read<T, F>(&self, body: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
    {
        call(&self.readers, body).await
    }
}

async fn call<T, F>(queue: &mpsc::Sender<Job>, body: F) -> StoreResult<T>
where
    T: Send + 'static,
    F: AsyncFnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
{
    let (job, answer) = job::job(body);
    if queue.send(job).await.is_err() {
        return Err(Failure::unavailable("the store is closed").into());
    }
    // Only a panic drops a job that was let in without an answer.
    let panicked = |_| Failure::fault("the store panicked");
    answer.await.map_err(panicked)?.map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::Sqlite;
    use chelseru_core::store::StoreError;
    use diesel::sql_types::Integer;
    use diesel::{IntoSql, select};
    use diesel_async::RunQueryDsl;
    use futures_util::future::join_all;

    /// A panic is our own mistake, but it must not take the store down with it.
    #[tokio::test]
    async fn after_a_panic_the_threads_serve_on() {
        let folder = std::env::temp_dir().join(format!("chelseru-panic-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let database = Sqlite::open(folder.join("app.db")).await.unwrap();
        // More than there are readers.
        for _ in 0..8 {
            let written = database.write::<(), _>(async |_| panic!("a mistake")).await;
            assert!(matches!(written, Err(StoreError::Fault(_))), "{written:?}");
            let read = database.read::<(), _>(async |_| panic!("a mistake")).await;
            assert!(matches!(read, Err(StoreError::Fault(_))), "{read:?}");
        }
        let one = async |connection: &mut super::Connection| {
            select(1.into_sql::<Integer>())
                .get_result::<i32>(connection)
                .await
        };
        for answer in join_all((0..16).map(|_| database.write(one))).await {
            assert_eq!(answer.unwrap(), 1);
        }
        for answer in join_all((0..16).map(|_| database.read(one))).await {
            assert_eq!(answer.unwrap(), 1);
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
