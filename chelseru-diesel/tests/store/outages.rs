//! Databases that are busy, hang or go away while a store is open, and come back.

use std::time::{Duration, Instant};

use crate::common::proxy::Proxy;
use crate::common::{NOW, Schema, code, number};
use chelseru_core::UserId;
use chelseru_core::store::{Maintenance, OtpStore, Reservation, StoreError, UserStore};
use chelseru_diesel::DieselStore;
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use futures_util::future::join_all;

fn assert_unavailable<T: std::fmt::Debug>(answer: &Result<T, StoreError>) {
    assert!(
        matches!(answer, Err(StoreError::Unavailable(_))),
        "{answer:?}"
    );
}

#[tokio::test]
async fn while_another_process_writes_to_the_file_for_long_writing_is_unavailable_and_reading_goes_on()
 {
    let (store, folder) = crate::common::sqlite().await;
    let mut other = SqliteConnection::establish(folder.file().to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();

    let began = Instant::now();
    let writes = (0..8).map(|n| {
        let store = store.clone();
        async move { store.reserve_code(&code(number(n), 1, NOW)).await }
    });
    let reading = async {
        assert_eq!(store.find_user(UserId(1)).await.unwrap(), None);
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "a reader waits for nobody"
        );
    };
    let (answers, ()) = tokio::join!(join_all(writes), reading);
    answers.iter().for_each(assert_unavailable);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "they wait together: {:?}",
        began.elapsed()
    );

    other.batch_execute("COMMIT").unwrap();
    let answer = store.reserve_code(&code(number(1), 1, NOW)).await.unwrap();
    assert_eq!(answer, Reservation::Reserved);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
async fn connections_that_the_server_closed_cost_no_request() {
    let (store, schema) = crate::common::postgres().await;
    let pings = (0..10).map(|_| store.ping());
    assert!(join_all(pings).await.iter().all(Result::is_ok));

    let ours = format!(
        "FROM pg_stat_activity WHERE application_name = '{}'",
        schema.name()
    );
    crate::common::execute(&format!(
        "DO $$ BEGIN
            PERFORM pg_terminate_backend(pid) {ours};
            WHILE EXISTS (SELECT 1 {ours}) LOOP
                PERFORM pg_stat_clear_snapshot();
            END LOOP;
        END $$"
    ))
    .await;

    let pings = (0..10).map(|_| store.ping());
    for answer in join_all(pings).await {
        answer.expect("a new connection is made");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
async fn a_server_that_goes_away_is_unavailable_and_service_resumes_when_it_is_back() {
    let schema = Schema::new().await;
    let proxy = Proxy::start().await;
    let store = DieselStore::open(&proxy.url(&schema)).await.unwrap();
    store.ping().await.unwrap();

    proxy.refuse();
    let began = Instant::now();
    for _ in 0..3 {
        assert_unavailable(&store.ping().await);
    }
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );

    proxy.forward();
    store.ping().await.expect("the server is back");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
async fn a_server_that_hangs_is_unavailable_within_seconds_and_service_resumes() {
    let schema = Schema::new().await;
    let proxy = Proxy::start().await;
    let store = DieselStore::open(&proxy.url(&schema)).await.unwrap();
    store.ping().await.unwrap();

    proxy.hang();
    let began = Instant::now();
    // More callers than the pool has connections: those that wait for one give up as well.
    let calls = (0..20).map(|n| {
        let store = store.clone();
        async move { store.reserve_code(&code(number(n), 1, NOW)).await }
    });
    join_all(calls).await.iter().for_each(assert_unavailable);
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "{:?}",
        began.elapsed()
    );

    proxy.forward();
    let answer = store.reserve_code(&code(number(100), 1, NOW)).await;
    assert_eq!(answer.expect("the server is back"), Reservation::Reserved);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
async fn a_row_that_somebody_keeps_locked_is_unavailable_within_seconds() {
    let (store, schema) = crate::common::postgres().await;
    store.reserve_code(&code(number(1), 1, NOW)).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&schema.url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    client
        .batch_execute("BEGIN; LOCK TABLE chelseru_otp_codes")
        .await
        .unwrap();

    let began = Instant::now();
    assert_unavailable(&store.count_attempt(number(1), NOW, 5).await);
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "{:?}",
        began.elapsed()
    );

    client.batch_execute("COMMIT").await.unwrap();
    assert!(
        store
            .count_attempt(number(1), NOW, 5)
            .await
            .unwrap()
            .is_some()
    );
    drop(client);
    connection.await.unwrap().unwrap();
}
