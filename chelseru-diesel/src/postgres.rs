//! PostgreSQL: a pool of connections, and limits on how long anything may take.
//!
//! A body of queries runs as a task of its own: the caller may go away, the body does not stop half
//! way, and its connection is never given back in the middle of something.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use chelseru_core::store::{StoreError, StoreResult};
use diesel::{ConnectionError, ConnectionResult, QueryResult};
use diesel_async::pooled_connection::deadpool::{Object, Pool, PoolError as GetError};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolError, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::{Config, NoTls};

use crate::error::{Failure, OpenError};
use crate::migrations::migrate_postgres;

pub(crate) type Connection = AsyncPgConnection;

/// How long a call waits for a connection: a free one of the pool, or a new one.
const CONNECTION_TIME: Duration = Duration::from_secs(3);

/// How long a call may take, waiting for the connection included.
const CALL_TIME: Duration = Duration::from_secs(5);

/// How long opening may take when others migrate or the schema is large.
const MIGRATION_TIME: Duration = Duration::from_secs(60);

/// The server's own limits: they end what nobody waits for any more.
const SESSION: &str = "SET statement_timeout = '5s'; SET lock_timeout = '5s'; \
                       SET idle_in_transaction_session_timeout = '10s'";

/// A handle to the pool.
#[derive(Clone)]
pub(crate) struct Postgres {
    pool: Pool<Connection>,
    config: Arc<Config>,
}

/// A connection of the pool, for one call.
pub(crate) struct Lease {
    connection: Object<Connection>,
    deadline: Instant,
}

impl Lease {
    /// When the call is to be over.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Postgres {
    pub(crate) async fn open(mut config: Config, max_connections: u32) -> Result<Self, OpenError> {
        // A peer that vanished without a word is found by the kernel, not by a user's request.
        config
            .keepalives_idle(Duration::from_secs(30))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3)
            .tcp_user_timeout(Duration::from_secs(10));
        if config.get_application_name().is_none() {
            config.application_name("chelseru");
        }
        migrate(&config).await?;

        let own = Arc::new(config.clone());
        let mut manager = ManagerConfig::default();
        // A connection that the server closed is known to be closed; asking each time is not needed.
        manager.recycling_method = RecyclingMethod::Fast;
        manager.custom_setup = Box::new(move |_| {
            let config = config.clone();
            async move {
                let mut connection = connect(&config).await?;
                let set = connection.batch_execute(SESSION).await;
                set.map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(connection)
            }
            .boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config("", manager);
        let pool = Pool::builder(manager)
            .max_size(max_connections.max(1) as usize)
            .build()
            .map_err(|error| OpenError::Fault(error.to_string()))?;
        Ok(Self { pool, config: own })
    }

    /// How the server is reached.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// A connection that is not known to be broken. Waiting for it may be given up.
    pub(crate) async fn lease(&self) -> StoreResult<Lease> {
        let deadline = Instant::now() + CALL_TIME;
        let failure = match timeout(CONNECTION_TIME, self.pool.get()).await {
            Ok(Ok(connection)) => {
                return Ok(Lease {
                    connection,
                    deadline,
                });
            }
            Ok(Err(GetError::Backend(PoolError::ConnectionError(error)))) => {
                Failure::unavailable(error.to_string())
            }
            Ok(Err(error)) => Failure::unavailable(error.to_string()),
            Err(_) => Failure::unavailable("no connection was to be had in time"),
        };
        Err(failure.into())
    }
}

async fn connect(config: &Config) -> ConnectionResult<Connection> {
    let bad = |text: String| ConnectionError::BadConnection(text);
    let connecting = timeout(CONNECTION_TIME, config.connect(NoTls));
    let (client, connection) = connecting
        .await
        .map_err(|_| bad("the server did not answer in time".to_owned()))?
        .map_err(|error| bad(with_cause(&error)))?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

/// What the driver says and why: "db error" alone helps nobody. Neither holds the password.
fn with_cause(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(database), _) => format!("{}: {}", database.severity(), database.message()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}

async fn migrate(config: &Config) -> Result<(), OpenError> {
    let connection = connect(config)
        .await
        .map_err(|error| OpenError::Unavailable(error.to_string()))?;
    // Not diesel-async's own harness: it panics on the single-threaded runtimes of actix.
    let migration = tokio::task::spawn_blocking(move || migrate_postgres(connection));
    match timeout(MIGRATION_TIME, migration).await {
        Ok(Ok(done)) => done.map_err(OpenError::from),
        Ok(Err(panic)) => Err(OpenError::Fault(panic.to_string())),
        Err(_) => Err(OpenError::Unavailable(
            "the migrations did not end in time".to_owned(),
        )),
    }
}

/// The answer of a body of queries, if it comes before the deadline.
pub(crate) async fn in_time<T>(
    deadline: Instant,
    body: impl Future<Output = QueryResult<T>>,
) -> Option<QueryResult<T>> {
    timeout_at(deadline, body).await.ok()
}

/// Gives the connection back, or away for good when it did not answer: it is still busy.
pub(crate) fn settle<T>(lease: Lease, result: Option<QueryResult<T>>) -> StoreResult<T> {
    if let Some(result) = result {
        return result.map_err(|error| Failure::from(error).into());
    }
    drop(Object::take(lease.connection));
    Err(Failure::unavailable("the database did not answer in time").into())
}

/// Runs a call's work to its end, whether or not the caller stays.
pub(crate) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = StoreResult<T>> + Send + 'static,
) -> StoreResult<T> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) if error.is_cancelled() => {
            Err(Failure::unavailable("the runtime is shutting down").into())
        }
        Err(_) => Err(StoreError::from(Failure::fault("the store panicked"))),
    }
}
