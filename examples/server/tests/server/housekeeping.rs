//! The operator removes what has run out without waiting for a server.

use chelseru_core::Timestamp;
use chelseru_core::store::{RateStore, Take};
use chelseru_diesel::DieselStore;
use chelseru_tests::{Database, on_both_databases};

use crate::harness::{Installation, stderr, stdout};

async fn what_has_run_out_is_removed_and_counted(database: Database) {
    let installation = Installation::new(database).await;
    let store = DieselStore::open(installation.database().url())
        .await
        .unwrap();
    for key in ["a", "b"] {
        let take = Take {
            key: key.to_owned(),
            amount: 1,
            limit: 1,
            window: std::time::Duration::from_secs(60),
        };
        let long_ago = Timestamp::from_secs(1_000_000);
        store.take(&[take], long_ago).await.unwrap();
    }
    for removed in ["removed 2 rows", "removed 0 rows"] {
        let output = installation.run(&["housekeeping"]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(
            stdout(&output).trim_end(),
            format!("{removed} that had run out")
        );
    }
    drop(store);
}
on_both_databases! { what_has_run_out_is_removed_and_counted }

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    let installation = Installation::new(Database::Sqlite)
        .await
        .set("CHELSERU_DATABASE__URL", "sqlite://elsewhere.db");
    for arguments in [
        &["housekeeping"][..],
        &["users", "find", "1"],
        &["sessions", "list", "1"],
    ] {
        let output = installation.run(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("elsewhere.db"), "{output:?}");
    }
}
