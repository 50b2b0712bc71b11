//! Users who are brought over by SQL, as docs/passwords.md shows it.

use crate::common::{Folder, Schema};
use chelseru_core::store::{AccountName, PasswordStore};
use chelseru_diesel::DieselStore;
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

const DOCUMENTATION: &str = include_str!("../../../docs/passwords.md");

fn statement() -> &'static str {
    let (_, rest) = DOCUMENTATION.split_once("```sql\n").expect("a statement");
    rest.split("```").next().expect("its end")
}

#[tokio::test]
async fn the_documented_statement_brings_a_user_over_to_a_file() {
    let folder = Folder::new();
    let store = DieselStore::open(&folder.url()).await.unwrap();
    let mut connection = SqliteConnection::establish(folder.file().to_str().unwrap()).unwrap();
    connection.batch_execute(statement()).unwrap();
    the_user_is_there(store).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
async fn the_documented_statement_brings_a_user_over_to_a_schema() {
    let schema = Schema::new().await;
    let store = DieselStore::open(&schema.url()).await.unwrap();
    let sql = format!("SET search_path = {}; {}", schema.name(), statement());
    crate::common::execute(&sql).await;
    the_user_is_there(store).await;
}

async fn the_user_is_there(store: DieselStore) {
    for name in [
        AccountName::Username {
            name: "golnar".to_owned(),
            key: None,
        },
        AccountName::Number {
            mobile_number: "09121234567".parse().unwrap(),
            group: 0,
        },
    ] {
        let (user, hash) = store.find_password(&name).await.unwrap().unwrap();
        assert!(user.is_active);
        assert_eq!(user.username, "golnar");
        let hash = hash.expect("the hash of the statement");
        assert!(hash.expose().starts_with("pbkdf2_sha256$1200000$"));
        assert!(statement().contains(hash.expose()));
    }
}
