//! Uploaded files: of one message of their uploader's, and thrown away when they are of none.

use super::chat_fixture::{
    ALL, append, change, deletion, group, group_of_two, message, revise, stored, users,
};
use super::fixture::{CROWD, MINUTE, NOW, SharedStore, all_at_once, count, ok};
use crate::chat::{AttachmentId, MessageType, RoomId};
use crate::clock::Timestamp;
use crate::store::{Appended, Attachment, NewAttachment, NewChatMessage, RoomEdit};
use crate::user::UserId;

fn upload(room: RoomId, uploader: UserId, n: u64) -> NewAttachment {
    NewAttachment {
        room,
        uploader,
        blob_key: format!("blob-{n}"),
        name: format!("عکس {n} '\".png"),
        content_type: "image/png".to_owned(),
        bytes: n,
        now: NOW,
    }
}

async fn add(store: &SharedStore, new: &NewAttachment) -> AttachmentId {
    ok(store.add_attachment(new).await).expect("a member")
}

fn with_file(room: RoomId, sender: UserId, n: usize, attachment: AttachmentId) -> NewChatMessage {
    NewChatMessage {
        message_type: MessageType::Image,
        attachment: Some(attachment),
        ..message(room, sender, n)
    }
}

async fn is_shown(store: &SharedStore, id: AttachmentId, reader: UserId) -> bool {
    ok(store.find_attachment(id, reader).await).is_some()
}

async fn discarded(store: &SharedStore, before: Timestamp) -> Vec<AttachmentId> {
    let discarded = ok(store.discard_attachments(before, ALL).await);
    discarded.iter().map(|attachment| attachment.id).collect()
}

pub async fn an_upload_is_its_uploaders_until_it_is_sent(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let new = upload(room, owner, 5_000_000_000);
    let id = add(&store, &new).await;
    let expected = Attachment {
        id,
        room,
        blob_key: new.blob_key,
        name: new.name,
        content_type: new.content_type,
        bytes: new.bytes,
        created_at: NOW,
    };
    let found = ok(store.find_attachment(id, owner).await);
    assert_eq!(found, Some(expected.clone()));
    assert!(!is_shown(&store, id, other).await);

    let sent = stored(append(&store, with_file(room, owner, 1, id)).await);
    assert_eq!(sent.attachment, Some(id));
    let found = ok(store.find_attachment(id, other).await);
    assert_eq!(found, Some(expected));
    assert!(!is_shown(&store, AttachmentId(999_999), owner).await);
}

pub async fn only_members_upload_and_see_files(store: SharedStore) {
    let [owner, member, stranger] = users(&store).await;
    let room = group(&store, owner, &[member]).await;
    let id = add(&store, &upload(room, owner, 1)).await;
    stored(append(&store, with_file(room, owner, 1, id)).await);
    assert!(is_shown(&store, id, member).await);
    assert!(!is_shown(&store, id, stranger).await);
    change(&store, room, &[RoomEdit::Ban(member)]).await;
    assert!(!is_shown(&store, id, member).await);
    for (room, user) in [
        (room, member),
        (room, stranger),
        (room, UserId(999_999)),
        (RoomId(999_999), owner),
    ] {
        let refused = store.add_attachment(&upload(room, user, 2)).await;
        assert_eq!(ok(refused), None);
    }
}

pub async fn a_file_is_part_of_one_message_of_its_uploader_in_its_room(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let elsewhere = group(&store, owner, &[]).await;
    let id = add(&store, &upload(room, owner, 1)).await;
    for bad in [
        with_file(room, other, 1, id),
        with_file(elsewhere, owner, 1, id),
        with_file(room, owner, 1, AttachmentId(999_999)),
    ] {
        assert_eq!(append(&store, bad).await, Appended::BadReference);
    }
    let batch = [1, 2].map(|n| with_file(room, owner, n, id));
    let answers = ok(store.append(&batch).await);
    assert!(matches!(answers[0], Appended::Stored(_)), "{answers:?}");
    assert_eq!(answers[1], Appended::BadReference);
}

pub async fn of_many_messages_with_one_file_one_is_stored(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let id = add(&store, &upload(room, owner, 1)).await;
    let answers = all_at_once(&store, move |store, n| async move {
        append(&store, with_file(room, owner, n, id)).await
    })
    .await;
    assert_eq!(count(&answers, &Appended::BadReference), CROWD - 1);
}

pub async fn the_file_of_a_hidden_or_deleted_message_is_not_shown(store: SharedStore) {
    let (room, owner, other) = group_of_two(&store).await;
    let id = add(&store, &upload(room, owner, 1)).await;
    let sent = stored(append(&store, with_file(room, owner, 1, id)).await);
    ok(store.hide_message(sent.id, other, NOW).await);
    assert!(!is_shown(&store, id, other).await);
    assert!(is_shown(&store, id, owner).await);
    let hidden = ok(store.find_message(sent.id, other).await);
    assert_eq!(hidden.expect("its place").attachment, None);

    let deleted = revise(&store, &deletion(&sent, owner, NOW)).await;
    assert_eq!(deleted.message.attachment, None);
    assert!(!is_shown(&store, id, owner).await);
    let again = append(&store, with_file(room, owner, 2, id)).await;
    assert_eq!(again, Appended::BadReference, "its bytes may be gone");
    assert_eq!(discarded(&store, NOW + MINUTE).await, [id]);
}

pub async fn files_of_no_message_are_discarded_until_they_are_forgotten(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let used = add(&store, &upload(room, owner, 1)).await;
    let sent = stored(append(&store, with_file(room, owner, 1, used)).await);
    let unused = add(&store, &upload(room, owner, 2)).await;
    let recent = NewAttachment {
        now: NOW + MINUTE,
        ..upload(room, owner, 3)
    };
    let recent = add(&store, &recent).await;
    assert!(discarded(&store, NOW).await.is_empty());
    for _ in 0..2 {
        assert_eq!(discarded(&store, NOW + MINUTE).await, [unused]);
    }
    let late = append(&store, with_file(room, owner, 2, unused)).await;
    assert_eq!(late, Appended::BadReference);
    assert!(!is_shown(&store, unused, owner).await);
    ok(store.forget_attachments(&[used, unused, recent]).await);
    assert!(discarded(&store, NOW + MINUTE).await.is_empty());
    assert!(is_shown(&store, used, owner).await, "it was not discarded");
    assert!(is_shown(&store, recent, owner).await);
    let found = ok(store.find_message(sent.id, owner).await);
    assert_eq!(found.expect("the message").attachment, Some(used));
    let all = ok(store.discard_attachments(NOW + 2 * MINUTE, 0).await);
    assert!(all.is_empty());
    ok(store.forget_attachments(&[]).await);
}

pub async fn the_files_of_a_deleted_room_are_discarded(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let unused = add(&store, &upload(room, owner, 1)).await;
    let used = add(&store, &upload(room, owner, 2)).await;
    stored(append(&store, with_file(room, owner, 1, used)).await);
    ok(store.delete_room(room, 1).await);
    for id in [unused, used] {
        assert!(!is_shown(&store, id, owner).await);
    }
    // Where the store takes its time to remove a log, it removes it while it is purged.
    ok(store.purge(NOW, ALL).await);
    let mut gone = discarded(&store, NOW + MINUTE).await;
    gone.sort();
    assert_eq!(gone, [unused, used]);
}

pub async fn sending_and_discarding_a_file_at_once_agree(store: SharedStore) {
    let (room, owner, _) = group_of_two(&store).await;
    let mut files = Vec::new();
    for n in 0..CROWD as u64 / 2 {
        files.push(add(&store, &upload(room, owner, n)).await);
    }
    let files = std::sync::Arc::new(files);
    let answers = all_at_once(&store, move |store, n| {
        let files = std::sync::Arc::clone(&files);
        async move {
            if n % 2 == 0 {
                let sent = append(&store, with_file(room, owner, n, files[n / 2])).await;
                let is_sent = matches!(sent, Appended::Stored(_));
                (is_sent.then_some(files[n / 2]), Vec::new())
            } else {
                (None, discarded(&store, NOW + MINUTE).await)
            }
        }
    })
    .await;
    let sent: Vec<_> = answers.iter().filter_map(|(sent, _)| *sent).collect();
    for (_, discarded) in &answers {
        assert!(discarded.iter().all(|id| !sent.contains(id)));
    }
    for id in sent {
        assert!(is_shown(&store, id, owner).await);
    }
}
