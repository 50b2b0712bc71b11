//! No statement that the store runs reads a whole table. A test binary of its own, because it listens to
//! all connections of its process.

#[path = "store/common/mod.rs"]
#[allow(dead_code, reason = "one test needs a part of it")]
mod common;

use std::sync::Mutex;

use crate::common::{NOW, code, login, number};
use chelseru_core::ClientInfo;
use chelseru_core::store::{
    CodeId, Maintenance, NewSms, OtpStore, Redeemed, Rotation, SessionStore, SmsLog, SmsOutcome,
    SmsPurpose, SmsStatus, UserStore,
};
use chelseru_diesel::DieselStore;
use diesel::connection::{InstrumentationEvent, set_default_instrumentation};
use diesel::prelude::*;
use diesel::sql_types::Text;

static STATEMENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[allow(clippy::needless_pass_by_value, reason = "diesel's signature")]
fn note(event: InstrumentationEvent<'_>) {
    if let InstrumentationEvent::StartQuery { query, .. } = event {
        let text = query.to_string();
        let statement = text
            .split(" -- binds")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned();
        STATEMENTS.lock().unwrap().push(statement);
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    set_default_instrumentation(|| Some(Box::new(note))).unwrap();
    let (store, folder) = crate::common::sqlite().await;
    STATEMENTS.lock().unwrap().clear();
    call_everything(&store).await;

    let mut statements = std::mem::take(&mut *STATEMENTS.lock().unwrap());
    statements.retain(|one| one.contains("chelseru_"));
    statements.sort();
    statements.dedup();
    assert!(
        statements.len() >= 20,
        "all methods were heard: {statements:#?}"
    );

    let mut connection = SqliteConnection::establish(folder.file().to_str().unwrap()).unwrap();
    for statement in &statements {
        let plan: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"))
            .load(&mut connection)
            .unwrap();
        let scans = plan
            .iter()
            .any(|step| step.detail.starts_with("SCAN chelseru_"));
        let steps: Vec<_> = plan.iter().map(|step| &step.detail).collect();
        assert!(!scans, "{statement}\n{steps:#?}");
    }
}

async fn call_everything(store: &DieselStore) {
    for id in [1, 2] {
        store.reserve_code(&code(number(1), id, NOW)).await.unwrap();
    }
    store.count_attempt(number(1), NOW, 5).await.unwrap();
    let redeemed = store
        .redeem_code(CodeId(1), &login(number(1), 1, NOW))
        .await
        .unwrap();
    let Redeemed::LoggedIn { user, session, .. } = redeemed else {
        panic!("not logged in: {redeemed:?}");
    };
    store.withdraw_code(number(1), CodeId(1)).await.unwrap();

    store.find_user(user.id).await.unwrap();
    store.set_user_active(user.id, true).await.unwrap();

    let client = ClientInfo::default();
    store.find_session(session).await.unwrap();
    store.list_sessions(user.id, NOW).await.unwrap();
    store.touch_session(session, &client, NOW).await.unwrap();
    let rotation = Rotation {
        session,
        presented: [9; 32],
        successor: [2; 32],
        expires_at: None,
        client,
        now: NOW,
    };
    store.rotate_refresh(&rotation).await.unwrap();
    store
        .adopt_session(user.id, &login(number(1), 2, NOW).session, NOW)
        .await
        .unwrap();
    store.end_session(user.id, session, NOW).await.unwrap();
    store.end_sessions(user.id, None, NOW).await.unwrap();

    let sms = NewSms {
        mobile_number: number(1),
        provider: "TEST".to_owned(),
        purpose: SmsPurpose::Code,
        user: Some(user.id),
        parts: None,
        created_at: NOW,
    };
    let id = store.log_sms(&sms).await.unwrap();
    let outcome = SmsOutcome {
        status: SmsStatus::Accepted,
        provider_id: None,
        provider_code: None,
        cost_rial: None,
        at: NOW,
    };
    store.settle_sms(id, &outcome).await.unwrap();
    store.recent_sms(Some(id), 10).await.unwrap();
    store.purge(NOW, 10).await.unwrap();
    store.ping().await.unwrap();
}
