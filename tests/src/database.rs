//! Databases that live as long as a test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process, thread};

use chelseru_diesel::DieselStore;
use tokio_postgres::config::Host;
use tokio_postgres::{Config, NoTls};

/// The variable that names the PostgreSQL server on which tests may make databases, as in
/// `postgres://postgres@127.0.0.1:5432/postgres`.
pub const POSTGRES_URL: &str = "CHELSERU_TEST_POSTGRES_URL";

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file.
    Sqlite,
    /// A database of the server that [`POSTGRES_URL`] names.
    Postgres,
}

/// A fresh database; dropping it removes it.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    Server { server: Box<Config>, name: String },
}

impl TestDatabase {
    /// Makes one.
    pub async fn create(database: Database) -> Self {
        let name = unique_name();
        match database {
            Database::Sqlite => {
                let folder = env::temp_dir().join(name);
                fs::create_dir(&folder).expect("a folder for the database");
                Self {
                    url: format!("sqlite://{}", folder.join("test.db").display()),
                    place: Place::Folder(folder),
                }
            }
            Database::Postgres => {
                let url = env::var(POSTGRES_URL)
                    .unwrap_or_else(|_| panic!("{POSTGRES_URL} must name a PostgreSQL server"));
                let server: Config = url.parse().expect("a PostgreSQL URL");
                execute(&server, &format!("CREATE DATABASE {name}")).await;
                let address = address_of(&server);
                let user = server.get_user().unwrap_or("postgres");
                let password = server.get_password().map_or_else(String::new, |password| {
                    format!(":{}", String::from_utf8_lossy(password))
                });
                Self {
                    url: format!("postgres://{user}{password}@{address}/{name}"),
                    place: Place::Server {
                        server: Box::new(server),
                        name,
                    },
                }
            }
        }
    }

    /// Its URL, as `DATABASE.URL` takes it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where its server listens.
    pub fn address(&self) -> SocketAddr {
        match &self.place {
            Place::Server { server, .. } => address_of(server),
            Place::Folder(_) => panic!("a file has no address"),
        }
    }

    /// Its URL when a proxy stands before its server.
    pub fn url_through(&self, proxy: SocketAddr) -> String {
        self.url
            .replace(&self.address().to_string(), &proxy.to_string())
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        match &self.place {
            Place::Folder(folder) => {
                let _ = fs::remove_dir_all(folder);
            }
            Place::Server { server, name } => {
                let statement = format!("DROP DATABASE {name} WITH (FORCE)");
                // Dropping is not async, and this thread may be running a runtime.
                let dropping = thread::scope(|scope| {
                    let runtime = || {
                        tokio::runtime::Builder::new_current_thread()
                            .enable_all()
                            .build()
                            .expect("a runtime to drop the database")
                            .block_on(execute(server, &statement));
                    };
                    scope.spawn(runtime).join()
                });
                assert!(
                    dropping.is_ok() || thread::panicking(),
                    "database {name} could not be dropped"
                );
            }
        }
    }
}

/// Opens the store of a database, as an application does.
pub(crate) async fn open_store(url: &str) -> DieselStore {
    let store = DieselStore::open(url).await;
    store.unwrap_or_else(|error| panic!("no store over the fresh database: {error:?}"))
}

async fn execute(server: &Config, statement: &str) {
    let (client, connection) = server
        .connect(NoTls)
        .await
        .expect("a connection to the PostgreSQL server");
    let connection = tokio::spawn(connection);
    client
        .batch_execute(statement)
        .await
        .expect("a statement that the PostgreSQL server takes");
    connection.abort();
}

fn address_of(server: &Config) -> SocketAddr {
    let port = server.get_ports().first().copied().unwrap_or(5432);
    match server.get_hosts().first() {
        Some(Host::Tcp(host)) => {
            let address = host.parse().map(|ip| SocketAddr::new(ip, port));
            address.unwrap_or_else(|_| panic!("{POSTGRES_URL} must name the server by IP address"))
        }
        _ => panic!("{POSTGRES_URL} must name a server that is reached by TCP"),
    }
}

fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    format!(
        "chelseru_test_{}_{}_{count}",
        process::id(),
        since_1970.as_micros()
    )
}
