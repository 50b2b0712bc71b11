//! The schema, compiled in and brought up to date whenever a store opens.
//!
//! Any number of processes may open at once: one migrates while the others wait. What was applied is
//! noted in diesel's own table, `__diesel_schema_migrations`, which an application may use as well: so the
//! versions, the part of a folder's name before `_`, hold `chelseru` and not a date that both may pick.

use diesel::connection::SimpleConnection;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::error::Failure;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Any number will do, as long as nobody else in the database locks by it: "chelseru" in ASCII.
const LOCK: i64 = 0x6368_656c_7365_7275;

/// Migrates a file. Others that open it wait for the one write lock that SQLite has.
pub(crate) fn migrate_sqlite(connection: &mut diesel::SqliteConnection) -> Result<(), Failure> {
    connection
        .immediate_transaction(|connection| {
            let done = connection.run_pending_migrations(SQLITE).map(drop);
            done.map_err(|error| Stop::Migration(error.to_string()))
        })
        .map_err(Stop::into_failure)
}

/// Migrates a database over a connection that is then closed, which gives up the lock. Waits on the
/// thread, so it must not be called on one that serves a runtime.
pub(crate) fn migrate_postgres(connection: AsyncPgConnection) -> Result<(), Failure> {
    let mut connection = AsyncConnectionWrapper::<AsyncPgConnection>::from(connection);
    connection.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))?;
    let done = connection.run_pending_migrations(POSTGRES).map(drop);
    done.map_err(|error| Stop::Migration(error.to_string()).into_failure())
}

enum Stop {
    Query(diesel::result::Error),
    Migration(String),
}

impl From<diesel::result::Error> for Stop {
    fn from(error: diesel::result::Error) -> Self {
        Self::Query(error)
    }
}

impl Stop {
    fn into_failure(self) -> Failure {
        match self {
            Self::Query(error) => error.into(),
            Self::Migration(text) => Failure::fault(format!("a migration failed: {text}")),
        }
    }
}
