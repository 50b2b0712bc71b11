//! One body of diesel code for both databases.
//!
//! [`run!`] expands its body twice, once with a connection of each type, because bounds that are
//! generic over the database are unreadable. Whatever the body uses is moved into it: it runs to its
//! end even when the caller goes away.

use diesel::QueryResult;
use diesel_async::{AsyncConnection, TransactionManager};

/// What becomes of a transaction's changes.
pub(crate) enum Outcome<T> {
    /// They stay.
    Commit(T),
    /// They go, and that is no error.
    RollBack(T),
}

/// Starts a transaction; inside one that is open, as every write on SQLite is, a savepoint.
pub(crate) async fn begin<C: AsyncConnection>(connection: &mut C) -> QueryResult<()> {
    C::TransactionManager::begin_transaction(connection).await
}

/// Ends what [`begin`] started.
pub(crate) async fn end<C: AsyncConnection, T>(
    connection: &mut C,
    outcome: QueryResult<Outcome<T>>,
) -> QueryResult<T> {
    match outcome {
        Ok(Outcome::Commit(value)) => {
            C::TransactionManager::commit_transaction(connection).await?;
            Ok(value)
        }
        Ok(Outcome::RollBack(value)) => {
            C::TransactionManager::rollback_transaction(connection).await?;
            Ok(value)
        }
        Err(error) => {
            C::TransactionManager::rollback_transaction(connection).await?;
            Err(error)
        }
    }
}

/// Runs a body on whichever database the store has.
///
/// - `run!(store, read, |connection| …)`: a query that changes nothing.
/// - `run!(store, write, |connection| …)`: one statement that changes something, and queries.
/// - `run!(store, transaction, |connection| …)`: several; the body gives an [`Outcome`].
///
/// Where the databases differ, `sqlite |connection| …, postgres |connection| …` are two bodies.
macro_rules! run {
    ($store:expr, transaction, |$connection:ident| $body:expr) => {
        $crate::run::run!($store, write, |$connection| {
            $crate::run::begin($connection).await?;
            let outcome = async {
                let $connection = &mut *$connection;
                $body
            }
            .await;
            $crate::run::end($connection, outcome).await
        })
    };
    ($store:expr, $queue:ident, |$connection:ident| $body:expr) => {
        $crate::run::run!(
            $store,
            $queue,
            sqlite | $connection | $body,
            postgres | $connection | $body
        )
    };
    ($store:expr, $queue:ident,
        sqlite |$on_sqlite:ident| $sqlite:expr,
        postgres |$on_postgres:ident| $postgres:expr
    ) => {
        match &$store.backend {
            $crate::Backend::Sqlite(database) => {
                database
                    .$queue(async move |$on_sqlite: &mut $crate::sqlite::Connection| $sqlite)
                    .await
            }
            $crate::Backend::Postgres(database) => {
                let mut lease = database.lease().await?;
                $crate::postgres::to_its_end(async move {
                    let result = $crate::postgres::in_time(lease.deadline(), async {
                        let $on_postgres: &mut $crate::postgres::Connection = &mut lease;
                        $postgres
                    })
                    .await;
                    $crate::postgres::settle(lease, result)
                })
                .await
            }
        }
    };
}

pub(crate) use run;
