//! What errors say and do not say.

use std::error::Error;

use crate::common::{NOW, code, login, number};
use chelseru_core::store::{CodeId, NewLogin, OtpStore, StoreError};
use chelseru_diesel::DieselStore;

#[tokio::test]
async fn no_sqlite_error_quotes_the_row() {
    let (store, _folder) = crate::common::sqlite().await;
    no_error_quotes_the_row(store).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
async fn no_postgres_error_quotes_the_row() {
    let (store, _schema) = crate::common::postgres().await;
    no_error_quotes_the_row(store).await;
}

async fn no_error_quotes_the_row(store: DieselStore) {
    for n in [1, 2] {
        let id = i64::try_from(n).unwrap();
        store.reserve_code(&code(number(n), id, NOW)).await.unwrap();
    }
    let first = NewLogin {
        username: "taken".to_owned(),
        ..login(number(1), 1, NOW)
    };
    store.redeem_code(CodeId(1), &first).await.unwrap();
    let second = NewLogin {
        username: "taken".to_owned(),
        ..login(number(2), 2, NOW)
    };
    let error = store.redeem_code(CodeId(2), &second).await.unwrap_err();

    assert!(matches!(error, StoreError::Fault(_)), "{error:?}");
    let cause = error.source().expect("a cause").to_string();
    assert!(
        cause.contains("username"),
        "it says which rule was broken: {cause}"
    );
    assert!(
        !format!("{error:?} {error} {cause}").contains("taken"),
        "{error:?}"
    );
}
