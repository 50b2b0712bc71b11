//! What is left of an account in chats when its row is deleted.

use crate::common::{NOW, code, login, number};
use chelseru_core::UserId;
use chelseru_core::chat::{MessageType, RoomId, Seq};
use chelseru_core::store::{
    Appended, AttachmentStore, CodeId, MemberStore, MessageStore, NewAttachment, NewChatMessage,
    NewGroup, OtpStore, Redeemed, RoomOpened, RoomStore, Span,
};
use chelseru_diesel::DieselStore;
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

#[tokio::test]
async fn what_a_deleted_account_wrote_stays_in_a_file() {
    let (store, folder) = crate::common::sqlite().await;
    what_it_wrote_stays(&store, async |delete: &str| {
        let file = folder.file();
        let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
        connection
            .batch_execute(&format!("PRAGMA foreign_keys = ON; {delete}"))
            .unwrap();
    })
    .await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
async fn what_a_deleted_account_wrote_stays_in_a_schema() {
    let (store, schema) = crate::common::postgres().await;
    what_it_wrote_stays(&store, async |delete: &str| {
        let sql = format!("SET search_path = {}; {delete}", schema.name());
        crate::common::execute(&sql).await;
    })
    .await;
}

async fn user(store: &DieselStore, n: usize) -> UserId {
    let id = i64::try_from(n).unwrap();
    store.reserve_code(&code(number(n), id, NOW)).await.unwrap();
    let login = login(number(n), id, NOW);
    match store.redeem_code(CodeId(id), &login).await.unwrap() {
        Redeemed::LoggedIn { user, .. } => user.id,
        other => panic!("not logged in: {other:?}"),
    }
}

fn message(room: RoomId, sender: UserId) -> NewChatMessage {
    NewChatMessage {
        room,
        revision: 1,
        sender,
        client_id: Some("a".to_owned()),
        fingerprint: [7; 32],
        message_type: MessageType::Text,
        text: "hello".to_owned(),
        folded_text: "hello".to_owned(),
        reply_to: None,
        attachment: None,
        now: NOW,
    }
}

async fn what_it_wrote_stays(store: &DieselStore, execute: impl AsyncFn(&str)) {
    let gone = user(store, 1).await;
    let other = user(store, 2).await;
    let RoomOpened::New(pair) = store.open_pair(gone, other, NOW).await.unwrap() else {
        panic!("the pair is new");
    };
    let group = NewGroup {
        owner: gone,
        name: "group".to_owned(),
        description: None,
        avatar_url: None,
        members: vec![other],
        now: NOW,
    };
    let RoomOpened::New(group) = store.create_group(&group).await.unwrap() else {
        panic!("the group is new");
    };
    let upload = NewAttachment {
        room: group,
        uploader: gone,
        blob_key: "blob".to_owned(),
        name: "a.png".to_owned(),
        content_type: "image/png".to_owned(),
        bytes: 1,
        now: NOW,
    };
    let file = store.add_attachment(&upload).await.unwrap();
    let with_file = NewChatMessage {
        attachment: file,
        ..message(group, gone)
    };
    let answers = store.append(&[with_file, message(pair, gone)]).await;
    let stored = |one: &Appended| matches!(one, Appended::Stored(_));
    assert!(answers.as_ref().unwrap().iter().all(stored), "{answers:?}");

    execute(&format!("DELETE FROM chelseru_users WHERE id = {}", gone.0)).await;

    for room in [pair, group] {
        let log = store.read_log(room, other, Span::After(Seq(0)), 9).await;
        let log = log.unwrap();
        assert_eq!(log.len(), 1);
        assert_eq!(log[0].message.text, "hello");
        assert_eq!(log[0].message.sender, None);
        let (found, _) = store.find_room(room, other).await.unwrap().unwrap();
        assert_eq!((found.owner, found.member_count), (None, 1));
        let late = store.append(&[message(room, gone)]).await.unwrap();
        assert_eq!(late, [Appended::Stale]);
        let next = store.append(&[message(room, other)]).await.unwrap();
        assert!(stored(&next[0]), "{next:?}");
    }
    assert!(store.rooms_of(gone, None, 9).await.unwrap().is_empty());
    let file = file.expect("it was uploaded");
    assert!(store.find_attachment(file, other).await.unwrap().is_some());
    let listed = store.list_rooms(other, None, 9).await.unwrap();
    let pair = listed.iter().find(|one| one.room.id == pair).unwrap();
    assert_eq!(pair.peer, None);
    assert_eq!(pair.unread, 0, "who writes has read");
}
