//! No statement that the store runs reads a whole table. A test binary of its own, because it listens to
//! all connections of its process.

#[path = "store/common/mod.rs"]
#[allow(dead_code, reason = "one test needs a part of it")]
mod common;

use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::Duration;

use crate::common::{NOW, code, login, number};
use chelseru_core::chat::{
    AttachmentId, ChatMessage, MessageId, MessageType, Permissions, RoomId, RoomStatus, Seq,
};
use chelseru_core::store::{
    AccountChanges, AccountName, Appended, AttachmentStore, ChangeNumber, CodeId, Correction,
    Deletion, Maintenance, MemberStore, MessageStore, NameReplacement, NewAccount, NewAttachment,
    NewChatMessage, NewGroup, NewPassword, NewSession, NewSms, NewSmsRequest, NumberChange,
    NumberChanged, OtpStore, PasswordChange, PasswordReset, PasswordSession, PasswordStore,
    ProfileStore, RateStore, Redeemed, Registered, Rename, Revised, Revision, RoomChange,
    RoomChanged, RoomEdit, RoomOpened, RoomStore, Rotation, Search, SessionStore, SmsClaim, SmsLog,
    SmsOutcome, SmsPurpose, SmsRequests, SmsStatus, Span, Successor, Take, UserSearch, UserStore,
};
use chelseru_core::{ClientInfo, PasswordHash, SessionId, UserId};
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

/// What all tests of this process say is noted in one place.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// All statements that a store runs.
async fn statements_of(store: &DieselStore) -> Vec<String> {
    STATEMENTS.lock().unwrap().clear();
    call_everything(store).await;
    let mut statements = std::mem::take(&mut *STATEMENTS.lock().unwrap());
    statements.retain(|one| one.contains("chelseru_"));
    statements.sort();
    statements.dedup();
    assert!(
        statements.len() >= 30,
        "all methods were heard: {statements:#?}"
    );
    statements
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[tokio::test]
async fn every_sqlite_statement_finds_its_rows_by_an_index() {
    let _turn = ONE_AT_A_TIME.lock().await;
    set_default_instrumentation(|| Some(Box::new(note))).unwrap();
    let (store, folder) = crate::common::sqlite().await;
    let statements = statements_of(&store).await;

    let mut connection = SqliteConnection::establish(folder.file().to_str().unwrap()).unwrap();
    for statement in &statements {
        let plan: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"))
            .load(&mut connection)
            .unwrap();
        let steps: Vec<_> = plan.iter().map(|step| &step.detail).collect();
        let reads_all = |step: &&String| {
            let of_constants = step.ends_with("CONSTANT ROW") || step.ends_with("VALUES CLAUSE");
            // One row for each table that gives ids.
            let of_tables = step.as_str() == "SCAN sqlite_sequence";
            let is_short = of_constants || of_tables;
            step.starts_with("SCAN ") && !is_short || step.contains("AUTOMATIC")
        };
        assert!(
            !steps.iter().copied().any(|step| reads_all(&step)),
            "{statement}\n{steps:#?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
async fn every_postgres_statement_finds_its_rows_by_an_index() {
    let _turn = ONE_AT_A_TIME.lock().await;
    set_default_instrumentation(|| Some(Box::new(note))).unwrap();
    let (store, schema) = crate::common::postgres().await;
    let statements = statements_of(&store).await;

    let (client, connection) = tokio_postgres::connect(&schema.url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    // Empty tables are best read whole; the question is whether there is another way.
    client
        .batch_execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        .await
        .unwrap();
    for (n, statement) in statements.iter().enumerate() {
        let prepared = client
            .batch_execute(&format!("PREPARE s{n} AS {statement}"))
            .await;
        prepared.unwrap_or_else(|error| panic!("{statement}\n{error:?}"));
        let binds = (1..).take_while(|bind| statement.contains(&format!("${bind}")));
        let nulls = binds.map(|_| "NULL").collect::<Vec<_>>().join(", ");
        let arguments = if nulls.is_empty() {
            nulls
        } else {
            format!("({nulls})")
        };
        let plan = client
            .query(&format!("EXPLAIN EXECUTE s{n}{arguments}"), &[])
            .await
            .unwrap();
        let lines: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        let reads_all = lines.iter().enumerate().any(|(at, line)| {
            let has_condition = || {
                let next = lines.get(at + 1).map_or("", |line| line.trim_start());
                next.starts_with("Index Cond")
            };
            line.contains("Seq Scan")
                || line.contains("Index") && line.contains("Scan") && !has_condition()
        });
        assert!(!reads_all, "{statement}\n{lines:#?}");
    }
    drop(client);
    connection.await.unwrap().unwrap();
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
    store.find_user_by_name(&user.username).await.unwrap();
    store.set_user_active(user.id, true, NOW).await.unwrap();

    call_sessions(store, user.id, session).await;
    call_passwords(store).await;

    store.is_known_number(number(1)).await.unwrap();
    store.find_users_with_number(number(1)).await.unwrap();
    store.find_user_named("u").await.unwrap();
    let newest = store.newest_change().await.unwrap();
    let before = ChangeNumber(newest.0 - 1);
    let changes = store.changes_after(before, 10).await.unwrap();
    assert_eq!(changes.map(|changes| changes.len()), Some(1));

    let request = NewSmsRequest {
        user: user.id,
        key: "key".to_owned(),
        fingerprint: [1; 32],
        now: NOW,
    };
    let SmsClaim::Yours(request_id) = store.claim_sms_request(&request).await.unwrap() else {
        panic!("the key is new");
    };
    store.claim_sms_request(&request).await.unwrap();
    let sms = NewSms {
        mobile_number: number(1),
        provider: "TEST".to_owned(),
        purpose: SmsPurpose::Code,
        user: Some(user.id),
        parts: None,
        local_id: None,
        request: Some(request_id),
        may_repeat: None,
        created_at: NOW,
    };
    let id = store.log_sms(&sms, NOW).await.unwrap();
    let outcome = SmsOutcome {
        status: SmsStatus::Accepted,
        provider_id: None,
        provider_code: None,
        cost_rial: None,
        delivery: None,
        checks: 0,
        check_at: None,
        at: NOW,
    };
    let later = NOW + Duration::from_secs(60);
    assert_eq!(store.claim_due_sms(NOW, later, 10).await.unwrap().len(), 1);
    assert!(store.resolve_sms(id, later, &outcome).await.unwrap());
    store.settle_sms(id, &outcome).await.unwrap();
    store.recent_sms(Some(id), 10).await.unwrap();
    store.total_sms(NOW).await.unwrap();
    assert_eq!(store.resolve_sms_requests(later).await.unwrap(), 1);
    store
        .settle_sms_request(request_id, SmsStatus::NotSent)
        .await
        .unwrap();

    let takes = ["a", "b", "c"].map(|key| Take {
        key: key.to_owned(),
        amount: 1,
        limit: 9,
        window: Duration::from_secs(60),
    });
    for count in 1..=takes.len() {
        store.take(&takes[..count], NOW).await.unwrap();
    }
    let correction = Correction {
        key: "a".to_owned(),
        ends_at: later,
        change: 1,
    };
    store.correct(&[correction]).await.unwrap();

    call_chats(store, user.id).await;
    store.purge(NOW, 10).await.unwrap();
    store.purge_sms(NOW, 10).await.unwrap();
    store.ping().await.unwrap();

    call_profiles(store, user.id).await;
}

async fn call_profiles(store: &DieselStore, user: UserId) {
    let rename = Rename {
        user,
        username: "ali".parse().unwrap(),
        now: NOW,
    };
    store.rename_user(&rename).await.unwrap();
    let mobile_number = number(5);
    let change = NumberChange {
        user,
        mobile_number,
        username: Some(NameReplacement {
            from: "a".to_owned(),
            to: "b".to_owned(),
        }),
        keep: None,
        now: NOW,
    };
    let deletion = Deletion {
        user,
        mobile_number,
        now: NOW,
    };
    let code = code(mobile_number, 3, NOW);
    store.reserve_code(&code).await.unwrap();
    let changed = store.change_number(CodeId(3), &change).await.unwrap();
    assert!(matches!(changed, NumberChanged::Done(_)), "{changed:?}");
    store.reserve_code(&code).await.unwrap();
    assert!(store.delete_user(CodeId(3), &deletion).await.unwrap());
}

async fn call_passwords(store: &DieselStore) {
    let at_most_three = |n| NewSession {
        at_most: NonZeroU32::new(3),
        ..login(number(9), n, NOW).session
    };
    let hash = |text: &str| PasswordHash::new(text);
    store.reserve_code(&code(number(9), 91, NOW)).await.unwrap();
    let account = NewAccount {
        mobile_number: number(9),
        group: 0,
        username: "nine".to_owned(),
        username_key: None,
        password: hash("a"),
        session: at_most_three(91),
        now: NOW,
    };
    let registered = store.register(CodeId(91), &account).await.unwrap();
    let Registered::Done { user, session } = registered else {
        panic!("not registered: {registered:?}");
    };
    store.reserve_code(&code(number(9), 92, NOW)).await.unwrap();
    let again = store.register(CodeId(92), &account).await.unwrap();
    assert_eq!(again, Registered::NumberTaken);

    for name in [
        AccountName::Id(user.id),
        AccountName::Number {
            mobile_number: number(9),
            group: 0,
        },
        AccountName::Username {
            name: "nine".to_owned(),
            key: None,
        },
    ] {
        assert!(store.find_password(&name).await.unwrap().is_some());
    }
    let opening = PasswordSession {
        user: user.id,
        verified: hash("a"),
        replacement: Some(hash("b")),
        session: at_most_three(92),
        now: NOW,
    };
    assert!(
        store
            .open_password_session(&opening)
            .await
            .unwrap()
            .is_some()
    );
    let change = PasswordChange {
        user: user.id,
        from: hash("b"),
        to: hash("c"),
        keep: Some(session),
        now: NOW,
    };
    assert!(store.change_password(&change).await.unwrap());
    let reset = NewPassword {
        mobile_number: number(9),
        group: 0,
        password: hash("d"),
        session: at_most_three(93),
        now: NOW,
    };
    let done = store.reset_password(CodeId(92), &reset).await.unwrap();
    assert!(matches!(done, PasswordReset::Done { .. }), "{done:?}");
}

async fn call_sessions(store: &DieselStore, user: UserId, session: SessionId) {
    let client = ClientInfo::default();
    store.find_session(session).await.unwrap();
    store.list_sessions(user, NOW).await.unwrap();
    store.touch_session(session, &client, NOW).await.unwrap();
    let rotation = Rotation {
        session,
        presented: [9; 32],
        successor: Some(Successor {
            hash: [2; 32],
            expires_at: NOW,
            repeat_since: Some(NOW),
        }),
        client,
        now: NOW,
    };
    store.rotate_refresh(&rotation).await.unwrap();
    store
        .rotate_refresh(&Rotation {
            successor: None,
            ..rotation
        })
        .await
        .unwrap();
    for _ in 0..2 {
        let adopted = NewSession {
            at_most: NonZeroU32::new(3),
            ..login(number(1), 2, NOW).session
        };
        store
            .adopt_session(user, &adopted, Some(NOW), NOW)
            .await
            .unwrap();
    }
    store.end_session(user, session, NOW).await.unwrap();
    store.end_sessions(user, None, NOW).await.unwrap();
}

/// One message with all that it may have, and two without.
fn messages(
    room: RoomId,
    sender: UserId,
    reply_to: MessageId,
    file: AttachmentId,
) -> Vec<NewChatMessage> {
    let plain = NewChatMessage {
        room,
        revision: 2,
        sender,
        client_id: None,
        fingerprint: [7; 32],
        message_type: MessageType::Text,
        text: "hello".to_owned(),
        folded_text: "hello".to_owned(),
        reply_to: None,
        attachment: None,
        now: NOW,
    };
    let full = NewChatMessage {
        client_id: Some("a".to_owned()),
        reply_to: Some(reply_to),
        attachment: Some(file),
        ..plain.clone()
    };
    vec![plain.clone(), full, plain]
}

async fn call_chats(store: &DieselStore, user: UserId) {
    store.reserve_code(&code(number(2), 3, NOW)).await.unwrap();
    let other = store
        .redeem_code(CodeId(3), &login(number(2), 3, NOW))
        .await
        .unwrap();
    let Redeemed::LoggedIn { user: other, .. } = other else {
        panic!("not logged in: {other:?}");
    };
    for _ in 0..2 {
        store.open_pair(user, other.id, NOW).await.unwrap();
    }
    let group = NewGroup {
        owner: user,
        name: "group".to_owned(),
        description: None,
        avatar_url: None,
        members: vec![other.id],
        now: NOW,
    };
    let RoomOpened::New(room) = store.create_group(&group).await.unwrap() else {
        panic!("the group is new");
    };
    let change = RoomChange {
        room,
        revision: 1,
        edits: vec![
            RoomEdit::Name("name".to_owned()),
            RoomEdit::Description(None),
            RoomEdit::AvatarUrl(None),
            RoomEdit::Status(RoomStatus::Open),
            RoomEdit::Owner(user),
            RoomEdit::Remove(other.id),
            RoomEdit::Add(other.id, Permissions::MEMBER),
            RoomEdit::Permit(other.id, Permissions::MEMBER),
            RoomEdit::Ban(other.id),
            RoomEdit::Unban(other.id),
            RoomEdit::Add(other.id, Permissions::MEMBER),
        ],
        now: NOW,
    };
    let changed = store.change_room(&change).await.unwrap();
    assert!(matches!(changed, RoomChanged::Done(_)), "{changed:?}");

    let upload = NewAttachment {
        room,
        uploader: user,
        blob_key: "blob".to_owned(),
        name: "a.png".to_owned(),
        content_type: "image/png".to_owned(),
        bytes: 1,
        now: NOW,
    };
    let file = store.add_attachment(&upload).await.unwrap().unwrap();
    let first = store
        .append(&messages(room, user, MessageId(0), file)[..1])
        .await
        .unwrap();
    let [Appended::Stored(first)] = &first[..] else {
        panic!("not stored: {first:?}");
    };
    for _ in 0..2 {
        let batch = messages(room, user, first.id, file);
        let answers = store.append(&batch).await.unwrap();
        let good = |one: &Appended| matches!(one, Appended::Stored(_) | Appended::Again(_));
        assert!(answers.iter().all(good), "{answers:?}");
    }
    call_room(store, room, user, other.id).await;
    call_message(store, room, user, first).await;
    store.find_attachment(file, user).await.unwrap();
    store.discard_attachments(NOW, 10).await.unwrap();
    store.forget_attachments(&[file]).await.unwrap();
    let deleted = store.delete_room(room, 2).await.unwrap();
    assert!(matches!(deleted, RoomChanged::Done(_)), "{deleted:?}");
}

async fn call_room(store: &DieselStore, room: RoomId, user: UserId, other: UserId) {
    store.move_read_pointer(room, other, Seq(2)).await.unwrap();
    store
        .set_member_flags(room, user, Some(true), None)
        .await
        .unwrap();
    store.find_room(room, user).await.unwrap();
    store.list_rooms(user, None, 10).await.unwrap();
    for banned in [false, true] {
        store.members(room, banned, None, 10).await.unwrap();
    }
    store.memberships(room, &[user, other]).await.unwrap();
    store.rooms_of(user, None, 10).await.unwrap();
    store.room_states(&[room]).await.unwrap();
    for span in [
        Span::After(Seq(0)),
        Span::MessagesBefore(None),
        Span::MessagesAfter(Seq(0)),
    ] {
        store.read_log(room, user, span, 10).await.unwrap();
    }
}

async fn call_message(store: &DieselStore, room: RoomId, user: UserId, first: &ChatMessage) {
    store.find_message(first.id, user).await.unwrap();
    store.hide_message(first.id, user, NOW).await.unwrap();
    let search = Search {
        room,
        reader: user,
        folded_words: "hello".to_owned(),
        before: None,
        limit: 10,
    };
    store.search_messages(&search).await.unwrap();
    for text in [Some("text"), None] {
        let revision = Revision {
            room,
            revision: 2,
            message: first.id,
            by: user,
            text: text.map(|text| (text.to_owned(), text.to_owned())),
            now: NOW,
        };
        let revised = store.revise(&revision).await.unwrap();
        assert!(matches!(revised, Revised::Done(_)), "{revised:?}");
    }
}
