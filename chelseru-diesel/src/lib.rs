//! [`DieselStore`]: chelseru's store over SQLite, in one file beside the application, and over
//! PostgreSQL. Which one is decided by the URL when it opens; the type is the same.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let folder = std::env::temp_dir().join(format!("chelseru-diesel-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # let url = format!("sqlite://{}/app.db", folder.display());
//! use chelseru_core::store::Maintenance;
//! use chelseru_diesel::DieselStore;
//!
//! let store = DieselStore::open(&url).await?; // sqlite://app.db, or postgres://…
//! store.ping().await.unwrap();
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok::<(), chelseru_diesel::OpenError>(())
//! # }).unwrap();
//! ```
//!
//! What both databases promise:
//!
//! - Opening brings the schema up to date; any number of processes may do so at once.
//! - A call that has begun runs to its end. A caller that goes away leaves nothing half done and no
//!   connection in a strange state, on any tokio runtime.
//! - A database that is away or hangs is
//!   [`StoreError::Unavailable`](chelseru_core::store::StoreError::Unavailable) within seconds, and
//!   when it is back the store serves again by itself.
//! - No error text holds a row's data or the URL's password.
//!
//! | | SQLite | PostgreSQL |
//! | --- | --- | --- |
//! | durable | when a call has answered (`synchronous=FULL`) | as the server is configured |
//! | busy | waits 2 s for another process's write | 5 s for a call, 3 s of it for a connection |
//! | encrypted | a matter of the file system | not yet: use loopback or a private network |

mod bus;
mod changes;
mod chat;
mod error;
mod maintenance;
mod migrations;
mod otp;
mod passwords;
mod postgres;
mod prepared;
mod profiles;
mod rates;
mod rows;
mod run;
mod schema;
mod sessions;
mod sms_log;
mod sms_requests;
mod sqlite;
mod url;
mod user_search;
mod users;
mod words;

use std::fmt;
use std::sync::Arc;

use chelseru_core::chat::{Bus, LocalBus};
use chelseru_core::config::DatabaseConfig;

use crate::bus::PostgresBus;
pub use crate::error::OpenError;
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::url::Target;

// Named only for its feature, which compiles SQLite in.
use libsqlite3_sys as _;

/// A store in SQLite or PostgreSQL. Clones share it; the last one closes it.
#[derive(Clone)]
pub struct DieselStore {
    backend: Backend,
}

#[derive(Clone)]
enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl DieselStore {
    /// Opens the database that `url` names: `sqlite://app.db` (`sqlite:///var/app.db` for an absolute
    /// path) or `postgres://user:password@host/database`. An SQLite file is made if there is none, for
    /// its owner alone.
    ///
    /// # Errors
    ///
    /// [`OpenError`], whose text says what is wrong.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        Self::open_with(url, DatabaseConfig::default().max_connections).await
    }

    /// Opens the database of the configuration's `DATABASE`.
    ///
    /// # Errors
    ///
    /// [`OpenError`], whose text says what is wrong.
    pub async fn connect(config: &DatabaseConfig) -> Result<Self, OpenError> {
        Self::open_with(config.url.expose(), config.max_connections).await
    }

    async fn open_with(url: &str, max_connections: u32) -> Result<Self, OpenError> {
        let backend = match url::read(url)? {
            Target::Sqlite(file) => Backend::Sqlite(Sqlite::open(file).await?),
            Target::Postgres(config) => {
                Backend::Postgres(Postgres::open(*config, max_connections).await?)
            }
        };
        Ok(Self { backend })
    }

    /// The bus for [`ChelseruBuilder::bus`](chelseru_core::ChelseruBuilder::bus) that fits the database: over
    /// PostgreSQL its NOTIFY, so that all servers over the database are one chat. Processes that share an
    /// SQLite file find what happened in the others some seconds later.
    pub fn bus(&self) -> Arc<dyn Bus> {
        match &self.backend {
            Backend::Sqlite(_) => Arc::new(LocalBus),
            Backend::Postgres(postgres) => Arc::new(PostgresBus::new(postgres.config().clone())),
        }
    }
}

impl fmt::Debug for DieselStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.backend {
            Backend::Sqlite(_) => "DieselStore(SQLite)",
            Backend::Postgres(_) => "DieselStore(PostgreSQL)",
        })
    }
}
