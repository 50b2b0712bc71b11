//! Fresh databases for tests, gone when their guard is dropped.

pub(crate) mod proxy;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use chelseru_core::store::{CodeId, NewCode, NewLogin, NewSession};
use chelseru_core::{ClientInfo, MobileNumber, Timestamp};
use chelseru_diesel::DieselStore;
use tokio_postgres::NoTls;

static COUNTER: AtomicU32 = AtomicU32::new(0);

fn unique_name() -> String {
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("chelseru_test_{}_{number}", std::process::id())
}

/// A folder of its own.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique_name());
        std::fs::create_dir_all(&folder).expect("a folder for the test");
        Self(folder)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("app.db")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.file().display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The store's threads may still be closing their files; on Unix that is no obstacle.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A store over a new file.
pub(crate) async fn sqlite() -> (DieselStore, Folder) {
    let folder = Folder::new();
    let store = DieselStore::open(&folder.url())
        .await
        .expect("a new file opens");
    (store, folder)
}

/// A schema of its own in the database of `CHELSERU_TEST_POSTGRES_URL`.
pub(crate) struct Schema(String);

/// The URL of a PostgreSQL database in which tests may make and drop schemas.
pub(crate) fn postgres_url() -> String {
    std::env::var("CHELSERU_TEST_POSTGRES_URL").expect("CHELSERU_TEST_POSTGRES_URL is set")
}

impl Schema {
    pub(crate) async fn new() -> Self {
        let name = unique_name();
        execute(&format!("CREATE SCHEMA {name}")).await;
        Self(name)
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// What a URL needs to reach the schema: to be appended to it.
    pub(crate) fn options(&self) -> String {
        format!("options=-csearch_path%3D{0}&application_name={0}", self.0)
    }

    pub(crate) fn url(&self) -> String {
        let url = postgres_url();
        let separator = if url.contains('?') { '&' } else { '?' };
        format!("{url}{separator}{}", self.options())
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let drop_schema = format!("DROP SCHEMA {} CASCADE", self.0);
        // A thread of its own, because this one may be inside a runtime.
        let dropping = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime")
                .block_on(execute(&drop_schema));
        });
        let _ = dropping.join();
    }
}

/// Runs a statement over a connection of its own.
pub(crate) async fn execute(sql: &str) {
    let (client, connection) = tokio_postgres::connect(&postgres_url(), NoTls)
        .await
        .expect("PostgreSQL is reachable");
    let connection = tokio::spawn(connection);
    client
        .batch_execute(sql)
        .await
        .expect("the statement works");
    drop(client);
    let _ = connection.await;
}

/// A store over a new schema.
pub(crate) async fn postgres() -> (DieselStore, Schema) {
    let schema = Schema::new().await;
    let store = DieselStore::open(&schema.url())
        .await
        .expect("a new schema opens");
    (store, schema)
}

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);

pub(crate) fn number(n: usize) -> MobileNumber {
    format!("0912{n:07}").parse().expect("a mobile number")
}

/// A code that is good for a minute from `at`.
pub(crate) fn code(number: MobileNumber, id: i64, at: Timestamp) -> NewCode {
    NewCode {
        id: CodeId(id),
        mobile_number: number,
        hash: [7; 32],
        created_at: at,
        expires_at: at + std::time::Duration::from_secs(60),
    }
}

/// A login at `at` whose names are made of `id`.
pub(crate) fn login(number: MobileNumber, id: i64, at: Timestamp) -> NewLogin {
    NewLogin {
        mobile_number: number,
        group: 0,
        may_sign_up: true,
        username: format!("user{id}"),
        session: NewSession {
            key: format!("key{id}"),
            refresh_hash: [1; 32],
            client: ClientInfo::default(),
            expires_at: at + std::time::Duration::from_secs(86_400),
            at_most: None,
        },
        now: at,
    }
}
