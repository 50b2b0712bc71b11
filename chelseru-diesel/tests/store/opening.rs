//! Opening: what is made, who may do it at once, and what an error says.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::common::{Folder, NOW, Schema, code, login, number};
use chelseru_core::Secret;
use chelseru_core::config::DatabaseConfig;
use chelseru_core::store::{Maintenance, OtpStore, Reservation, UserStore};
use chelseru_diesel::{DieselStore, OpenError};
use futures_util::future::try_join_all;

async fn refusal(url: &str) -> OpenError {
    DieselStore::open(url)
        .await
        .expect_err("this does not open")
}

#[tokio::test]
async fn a_file_keeps_what_was_stored_when_it_is_opened_again() {
    let folder = Folder::new();
    let first = DieselStore::open(&folder.url()).await.unwrap();
    assert_eq!(
        first.reserve_code(&code(number(1), 1, NOW)).await.unwrap(),
        Reservation::Reserved
    );
    drop(first);
    let second = DieselStore::open(&folder.url()).await.unwrap();
    let again = second.reserve_code(&code(number(1), 2, NOW)).await.unwrap();
    assert!(matches!(again, Reservation::Live { .. }), "{again:?}");
}

#[tokio::test]
async fn a_store_is_opened_from_the_configuration() {
    let folder = Folder::new();
    let mut config = DatabaseConfig::default();
    config.url = Secret::new(folder.url());
    DieselStore::connect(&config)
        .await
        .unwrap()
        .ping()
        .await
        .unwrap();
    assert!(folder.file().exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_and_those_beside_it_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let (store, folder) = crate::common::sqlite().await;
    store.reserve_code(&code(number(1), 1, NOW)).await.unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder.file().parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
        seen += 1;
    }
    assert!(seen >= 2, "the file and its journal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_open_a_new_file_at_once() {
    let folder = Folder::new();
    open_at_once(&folder.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
async fn many_open_a_new_schema_at_once() {
    let schema = Schema::new().await;
    open_at_once(&schema.url()).await;
}

async fn open_at_once(url: &str) {
    let opening = (0..8).map(|_| {
        let url = url.to_owned();
        async move {
            tokio::spawn(async move { DieselStore::open(&url).await })
                .await
                .unwrap()
        }
    });
    let stores = try_join_all(opening).await.expect("all open");
    stores[0]
        .reserve_code(&code(number(1), 1, NOW))
        .await
        .unwrap();
    let login = login(number(1), 1, NOW);
    stores[1]
        .redeem_code(chelseru_core::store::CodeId(1), &login)
        .await
        .unwrap();
    for store in stores {
        let found = store.find_user(chelseru_core::UserId(1)).await.unwrap();
        assert_eq!(found.map(|user| user.mobile_number), Some(number(1)));
    }
}

/// Applications on actix open their store on a runtime with one thread.
#[tokio::test(flavor = "current_thread")]
#[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
async fn a_schema_is_made_on_a_single_threaded_runtime() {
    let (store, _schema) = crate::common::postgres().await;
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let folder = Folder::new();
    let error = refusal(&format!("{}/no/such/app.db", folder.url())).await;
    assert!(matches!(error, OpenError::Fault(_)));
    assert!(error.to_string().contains("no/such/app.db"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_was() {
    let folder = Folder::new();
    let letter = "Dear diary, this is a letter and not a database. ".repeat(100);
    std::fs::write(folder.file(), &letter).unwrap();
    let error = refusal(&folder.url()).await;
    assert!(error.to_string().contains("not a database"), "{error}");
    assert_eq!(std::fs::read_to_string(folder.file()).unwrap(), letter);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_at_once_and_no_password_is_shown() {
    let began = Instant::now();
    let error = refusal("postgres://somebody:hunter2@127.0.0.1:1/app").await;
    assert!(matches!(error, OpenError::Unavailable(_)), "{error:?}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_server_that_never_answers_is_unavailable_within_seconds() {
    // Connections wait in the listener's queue for ever.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let began = Instant::now();
    let url = format!(
        "postgres://somebody:hunter2@{}/app",
        silent.local_addr().unwrap()
    );
    let error = refusal(&url).await;
    assert!(matches!(error, OpenError::Unavailable(_)), "{error:?}");
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
async fn a_database_that_is_not_there_is_named() {
    let url = crate::common::postgres_url();
    let (server, _) = url.rsplit_once('/').expect("a URL with a database");
    let error = refusal(&format!("{server}/no_such_database")).await;
    assert!(error.to_string().contains("no_such_database"), "{error}");
}

#[tokio::test]
async fn a_store_does_not_show_its_url() {
    let (store, folder) = crate::common::sqlite().await;
    let shown = format!("{store:?}");
    assert_eq!(shown, "DieselStore(SQLite)");
    assert!(!shown.contains(folder.file().to_str().unwrap()));
}
