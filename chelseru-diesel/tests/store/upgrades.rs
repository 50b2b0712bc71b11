//! Databases that an earlier version made.

use crate::common::{Folder, NOW, Schema};
use chelseru_core::chat::RoomId;
use chelseru_core::store::{NewGroup, RoomOpened, RoomStore, SmsId, SmsLog, SmsStatus};
use chelseru_core::{Timestamp, UserId};
use chelseru_diesel::DieselStore;
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

/// How diesel notes what was applied.
const MIGRATIONS: &str = "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY \
     NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP); \
     INSERT INTO __diesel_schema_migrations (version) VALUES ('chelseru0001');";

/// An account and two messages: one that a process was sending when it was stopped.
const ROWS: &str = "INSERT INTO chelseru_users \
         (mobile_number, group_id, username, is_active, created_at) \
         VALUES ('09120000001', 0, 'u', '1', 5); \
     INSERT INTO chelseru_sms_log (mobile_number, provider, purpose, user_id, status, \
         provider_id, parts, cost_rial, created_at, updated_at) VALUES \
         ('09120000001', 'TEST', 'code', NULL, 'accepted', '7', 2, 900, 5, 6), \
         ('09120000001', 'TEST', 'message', 1, 'sending', NULL, NULL, NULL, 7, 7);";

#[tokio::test]
async fn the_messages_of_a_file_of_the_first_version_are_kept() {
    let folder = Folder::new();
    let mut connection = SqliteConnection::establish(folder.file().to_str().unwrap()).unwrap();
    let first = include_str!("../../migrations/sqlite/chelseru0001_login/up.sql");
    for statements in [first, MIGRATIONS, ROWS] {
        connection.batch_execute(statements).unwrap();
    }
    drop(connection);
    the_messages_are_kept(DieselStore::open(&folder.url()).await.unwrap()).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
async fn the_messages_of_a_schema_of_the_first_version_are_kept() {
    let schema = Schema::new().await;
    let first = include_str!("../../migrations/postgres/chelseru0001_login/up.sql");
    for statements in [first, MIGRATIONS, ROWS] {
        let sql = format!("SET search_path = {}; {statements}", schema.name());
        crate::common::execute(&sql).await;
    }
    the_messages_are_kept(DieselStore::open(&schema.url()).await.unwrap()).await;
}

async fn the_messages_are_kept(store: DieselStore) {
    let [sending, accepted] = store
        .recent_sms(None, 9)
        .await
        .unwrap()
        .try_into()
        .expect("two messages");
    assert_eq!(accepted.id, SmsId(1));
    assert_eq!(accepted.sms.parts, Some(2));
    assert_eq!(accepted.outcome.status, SmsStatus::Accepted);
    assert_eq!(accepted.outcome.cost_rial, Some(900));
    assert_eq!(accepted.outcome.at, Timestamp::from_millis(6));
    assert_eq!(
        (accepted.outcome.checks, accepted.outcome.check_at),
        (0, None)
    );
    assert_eq!(sending.sms.user, Some(UserId(1)));
    assert_eq!((sending.sms.local_id, sending.sms.request), (None, None));

    let due = store.claim_due_sms(NOW, NOW, 9).await.unwrap();
    let ids: Vec<_> = due.iter().map(|record| record.id).collect();
    assert_eq!(ids, [sending.id], "nobody waits for it any more");
    assert_eq!(
        store
            .total_sms(Timestamp::from_millis(5))
            .await
            .unwrap()
            .len(),
        2
    );
}

/// The database of the last version, which knew no chats.
const LAST: &str = "INSERT INTO __diesel_schema_migrations (version) VALUES ('chelseru0002'), \
     ('chelseru0003');";

#[tokio::test]
async fn the_accounts_of_a_file_without_chats_can_chat() {
    let folder = Folder::new();
    let mut connection = SqliteConnection::establish(folder.file().to_str().unwrap()).unwrap();
    for statements in [
        include_str!("../../migrations/sqlite/chelseru0001_login/up.sql"),
        include_str!("../../migrations/sqlite/chelseru0002_sms/up.sql"),
        include_str!("../../migrations/sqlite/chelseru0003_refresh/up.sql"),
        MIGRATIONS,
        LAST,
        ROWS,
    ] {
        connection.batch_execute(statements).unwrap();
    }
    drop(connection);
    the_account_can_chat(DieselStore::open(&folder.url()).await.unwrap()).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
async fn the_accounts_of_a_schema_without_chats_can_chat() {
    let schema = Schema::new().await;
    for statements in [
        include_str!("../../migrations/postgres/chelseru0001_login/up.sql"),
        include_str!("../../migrations/postgres/chelseru0002_sms/up.sql"),
        include_str!("../../migrations/postgres/chelseru0003_refresh/up.sql"),
        MIGRATIONS,
        LAST,
        ROWS,
    ] {
        let sql = format!("SET search_path = {}; {statements}", schema.name());
        crate::common::execute(&sql).await;
    }
    the_account_can_chat(DieselStore::open(&schema.url()).await.unwrap()).await;
}

async fn the_account_can_chat(store: DieselStore) {
    let group = NewGroup {
        owner: UserId(1),
        name: "group".to_owned(),
        description: None,
        avatar_url: None,
        members: Vec::new(),
        now: NOW,
    };
    let made = store.create_group(&group).await.unwrap();
    assert_eq!(made, RoomOpened::New(RoomId(1)));
    let (room, membership) = store
        .find_room(RoomId(1), UserId(1))
        .await
        .unwrap()
        .expect("the room");
    assert_eq!(room.owner, Some(UserId(1)));
    assert_eq!(membership.expect("a member").username, "u");
}

#[test]
fn a_file_goes_back_to_the_first_version() {
    let folder = Folder::new();
    let mut connection = SqliteConnection::establish(folder.file().to_str().unwrap()).unwrap();
    for statements in [
        include_str!("../../migrations/sqlite/chelseru0001_login/up.sql"),
        ROWS,
        include_str!("../../migrations/sqlite/chelseru0002_sms/up.sql"),
        include_str!("../../migrations/sqlite/chelseru0003_refresh/up.sql"),
        include_str!("../../migrations/sqlite/chelseru0004_revocations/up.sql"),
        include_str!("../../migrations/sqlite/chelseru0004_revocations/down.sql"),
        include_str!("../../migrations/sqlite/chelseru0005_passwords/up.sql"),
        include_str!("../../migrations/sqlite/chelseru0005_passwords/down.sql"),
        include_str!("../../migrations/sqlite/chelseru0006_profiles/up.sql"),
        include_str!("../../migrations/sqlite/chelseru0006_profiles/down.sql"),
        include_str!("../../migrations/sqlite/chelseru0007_chat/up.sql"),
        include_str!("../../migrations/sqlite/chelseru0007_chat/down.sql"),
        include_str!("../../migrations/sqlite/chelseru0003_refresh/down.sql"),
        include_str!("../../migrations/sqlite/chelseru0002_sms/down.sql"),
        ROWS.replace("'u'", "'v'")
            .replace("0001', 0", "0002', 0")
            .as_str(),
        include_str!("../../migrations/sqlite/chelseru0001_login/down.sql"),
    ] {
        connection.batch_execute(statements).unwrap();
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
async fn a_schema_goes_back_to_the_first_version() {
    let schema = Schema::new().await;
    for statements in [
        include_str!("../../migrations/postgres/chelseru0001_login/up.sql"),
        ROWS,
        include_str!("../../migrations/postgres/chelseru0002_sms/up.sql"),
        include_str!("../../migrations/postgres/chelseru0003_refresh/up.sql"),
        include_str!("../../migrations/postgres/chelseru0004_revocations/up.sql"),
        include_str!("../../migrations/postgres/chelseru0004_revocations/down.sql"),
        include_str!("../../migrations/postgres/chelseru0005_passwords/up.sql"),
        include_str!("../../migrations/postgres/chelseru0005_passwords/down.sql"),
        include_str!("../../migrations/postgres/chelseru0006_profiles/up.sql"),
        include_str!("../../migrations/postgres/chelseru0006_profiles/down.sql"),
        include_str!("../../migrations/postgres/chelseru0007_chat/up.sql"),
        include_str!("../../migrations/postgres/chelseru0007_chat/down.sql"),
        include_str!("../../migrations/postgres/chelseru0003_refresh/down.sql"),
        include_str!("../../migrations/postgres/chelseru0002_sms/down.sql"),
        ROWS.replace("'u'", "'v'")
            .replace("0001', 0", "0002', 0")
            .as_str(),
        include_str!("../../migrations/postgres/chelseru0001_login/down.sql"),
    ] {
        let sql = format!("SET search_path = {}; {statements}", schema.name());
        crate::common::execute(&sql).await;
    }
}
