//! Running a behaviour as a test.

use std::future::Future;
use std::time::Duration;

/// How long a condition may take to come true before the test fails; not a measure of speed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes two tests of each behaviour, an `async fn(Database)`: `…::sqlite`, and `…::postgres`, which
/// is ignored unless asked for.
#[macro_export]
macro_rules! on_both_databases {
    ($($behaviour:ident)+) => {$(
        mod $behaviour {
            #[test]
            fn sqlite() {
                $crate::run(super::$behaviour($crate::Database::Sqlite));
            }

            #[test]
            #[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
            fn postgres() {
                $crate::run(super::$behaviour($crate::Database::Postgres));
            }
        }
    )+};
    (postgres only: $($behaviour:ident)+) => {$(
        mod $behaviour {
            #[test]
            #[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
            fn postgres() {
                $crate::run(super::$behaviour($crate::Database::Postgres));
            }
        }
    )+};
}

/// Runs a test's future to its end, on threads of its own.
pub fn run(behaviour: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime for the test")
        .block_on(behaviour);
}

/// Asks again and again until the answer is yes.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(
        tokio::time::timeout(PATIENCE, asking).await.is_ok(),
        "waited in vain until {what}"
    );
}
