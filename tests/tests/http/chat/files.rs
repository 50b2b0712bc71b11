//! Files of messages: who may send and see them, and what a browser makes of them.

use std::time::Duration;

use chelseru_tests::{Answer, Call, Database, Setup, TestServer, on_both_databases};
use serde_json::{Value, json};

use super::{Person, Scene, id_of, results};

on_both_databases! {
    a_file_is_uploaded_sent_and_seen_by_members
    what_a_browser_could_run_is_only_offered_for_download
    a_file_that_cannot_be_taken_is_refused_by_field
    only_members_upload_and_see
    a_link_is_good_for_its_reader_its_file_and_its_time
    a_file_belongs_to_one_message_of_its_uploader_and_room
    a_deleted_messages_file_is_gone
    a_file_that_was_never_sent_is_removed_after_a_day
    files_of_a_day_are_limited
    without_a_token_not_a_byte_of_a_file_is_read
}

const BOUNDARY: &str = "----chelseru-test";
const PICTURE: &str = "GIF89a a picture for tests";

fn form(parts: &[(&str, Option<&str>, &str)]) -> String {
    let part = |(name, file_name, content): &(&str, Option<&str>, &str)| {
        let file_name = file_name.map(|name| format!("; filename=\"{name}\""));
        let file_name = file_name.unwrap_or_default();
        format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\
             Content-Type: text/html\r\n\r\n{content}\r\n"
        )
    };
    let parts: Vec<_> = parts.iter().map(part).collect();
    parts.concat() + &format!("--{BOUNDARY}--\r\n")
}

impl Person {
    fn upload(&self, server: &TestServer, parts: &[(&str, Option<&str>, &str)]) -> Call {
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        let call = server
            .post("/api/message/file/upload/")
            .bearer(&self.access);
        call.body(&content_type, form(parts))
    }

    fn upload_picture(&self, server: &TestServer, room: i64) -> Call {
        let room = room.to_string();
        self.upload(
            server,
            &[
                ("chatroom", None, &room),
                ("file", Some("../عکس.gif"), PICTURE),
                ("text", None, "زیرنویس"),
            ],
        )
    }

    fn send_file(&self, server: &TestServer, room: i64, file: i64) -> Call {
        let body = json!({ "chat_room": room, "attachment": file, "message_type": "image" });
        self.post(server, "messages/", &body)
    }
}

fn url(answer: &Answer) -> String {
    answer.field("file_url").as_str().unwrap().to_owned()
}

async fn a_file_is_uploaded_sent_and_seen_by_members(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;

    let uploaded = one.upload_picture(server, room).await;
    uploaded.assert_status(201);
    assert_eq!(uploaded.field("chatroom"), room);
    assert_eq!(uploaded.field("name"), "عکس.gif");
    assert_eq!(uploaded.field("content_type"), "image/gif");
    assert_eq!(uploaded.field("bytes"), PICTURE.len());
    assert_eq!(uploaded.field("text"), "زیرنویس");
    assert_eq!(uploaded.field("file"), uploaded.field("file_url"));

    let sent = one.send_file(server, room, id_of(&uploaded)).await;
    sent.assert_status(201);
    assert_eq!(sent.field("attachment"), id_of(&uploaded));

    let list = other
        .get(server, &format!("messages/?chat_room={room}"))
        .await;
    let url = results(&list)[0]["file_url"].as_str().unwrap().to_owned();
    // As a browser does for a picture: without a token.
    let picture = server.get(&url).any_answer().await;
    picture
        .assert_text(200, PICTURE)
        .assert_header("content-type", "image/gif")
        .assert_header("x-content-type-options", "nosniff")
        .assert_header("content-security-policy", "default-src 'none'; sandbox")
        .assert_header(
            "content-disposition",
            "inline; filename*=UTF-8''%D8%B9%DA%A9%D8%B3.gif",
        )
        .assert_header("cache-control", "private, max-age=300");
    let described = other
        .get(server, &format!("files/{}/", id_of(&uploaded)))
        .await;
    assert_eq!(described.field("name"), "عکس.gif");
}

async fn what_a_browser_could_run_is_only_offered_for_download(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await.to_string();
    for content in [
        "<!DOCTYPE html><script>alert(document.domain)</script>",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>",
        "<?xml version=\"1.0\"?><?xml-stylesheet href=\"x\"?><x/>",
        "%PDF-1.7 something",
    ] {
        let parts = [
            ("chatroom", None, room.as_str()),
            ("file", Some("x.html"), content),
        ];
        let uploaded = one.upload(server, &parts).await;
        let file = server.get(&url(&uploaded)).any_answer().await;
        file.assert_text(200, content)
            .assert_header("content-type", "application/octet-stream")
            .assert_header("content-security-policy", "default-src 'none'; sandbox")
            .assert_header("content-disposition", "attachment; filename*=UTF-8''x.html");
    }
}

async fn a_file_that_cannot_be_taken_is_refused_by_field(database: Database) {
    let setup = Setup::new(database).await;
    let scene = Scene::<2>::on(
        setup
            .config(|config| config.chat_files_max_bytes(100))
            .start()
            .await,
    );
    let Scene { server, people } = &scene.await;
    let [one, other] = people;
    let room = one.pair(server, other).await.to_string();
    let (room, file) = (("chatroom", None, room.as_str()), ("file", Some("a"), "x"));
    let large = "x".repeat(101);
    for (parts, field) in [
        (vec![room], "file"),
        (vec![file], "chatroom"),
        (vec![("chatroom", None, "x"), file], "chatroom"),
        (vec![room, ("file", Some("a"), "")], "file"),
        (vec![room, ("file", Some("a"), &large)], "file"),
    ] {
        one.upload(server, &parts)
            .await
            .assert_faulty_fields(&[field]);
    }
    let much_too_large = "x".repeat(200_000);
    let parts = [room, ("file", Some("a"), much_too_large.as_str())];
    one.upload(server, &parts).await.assert_status(413);

    let post = || server.post("/api/message/file/upload/").bearer(&one.access);
    post()
        .json(&json!({ "chatroom": 1 }))
        .await
        .assert_status(415);
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    for nonsense in ["", "--", "no form at all", &format!("--{BOUNDARY}\r\n\r\n")] {
        let answer = post().body(&content_type, nonsense.to_owned()).await;
        answer.assert_status(400);
    }
}

async fn only_members_upload_and_see(database: Database) {
    let scene = Scene::<3>::new(database).await;
    let Scene { server, people } = &scene;
    let [owner, member, stranger] = people;
    let room = owner.group(server, &[member]).await;
    stranger
        .upload_picture(server, room)
        .await
        .assert_status(404);
    stranger
        .upload_picture(server, 999)
        .await
        .assert_status(404);

    let uploaded = member.upload_picture(server, room).await;
    let file = id_of(&uploaded);
    let path = format!("files/{file}/");
    // Until it is sent, it is its uploader's alone.
    owner.get(server, &path).await.assert_status(404);
    member.get(server, &path).await.assert_status(200);
    member
        .send_file(server, room, file)
        .await
        .assert_status(201);
    let link = url(owner.get(server, &path).await.assert_status(200));
    stranger.get(server, &path).await.assert_status(404);

    let link_of_member = url(&member.get(server, &path).await);
    owner
        .delete(server, &format!("chatrooms/{room}/members/{}/", member.id))
        .await
        .assert_status(204);
    server.get(&link_of_member).await.assert_status(404);
    server
        .get(&link)
        .any_answer()
        .await
        .assert_text(200, PICTURE);
}

async fn a_link_is_good_for_its_reader_its_file_and_its_time(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    let uploaded = one.upload_picture(server, room).await;
    let link = url(&uploaded);
    server
        .get(&link)
        .any_answer()
        .await
        .assert_text(200, PICTURE);

    let (path, query) = link.split_once('?').unwrap();
    let another = link.replace(
        &format!("/{}/content", id_of(&uploaded)),
        &format!("/{}/content", id_of(&uploaded) + 1),
    );
    let reader = link.replace(
        &format!("reader={}", one.id),
        &format!("reader={}", other.id),
    );
    let later = link.replace("expires=1", "expires=2");
    for forged in [
        path.to_owned(),
        format!("{path}?{query}0"),
        format!("{path}?reader={}&expires=9999999999&signature=", one.id),
        another,
        reader,
        later,
    ] {
        assert_ne!(forged, link);
        server.get(&forged).await.assert_status(404);
    }
    server.clock.advance(Duration::from_secs(299));
    server
        .get(&link)
        .any_answer()
        .await
        .assert_text(200, PICTURE);
    server.clock.advance(Duration::from_secs(302));
    server.get(&link).await.assert_status(404);
}

async fn a_file_belongs_to_one_message_of_its_uploader_and_room(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    let elsewhere = one.group(server, &[other]).await;
    let file = id_of(&one.upload_picture(server, room).await);
    for refused in [
        other.send_file(server, room, file).await,
        one.send_file(server, elsewhere, file).await,
        one.send_file(server, room, file + 1).await,
    ] {
        refused.assert_faulty_fields(&["attachment"]);
    }
    one.send_file(server, room, file).await.assert_status(201);
    let again = one.send_file(server, room, file).await;
    again.assert_faulty_fields(&["attachment"]);
}

async fn a_deleted_messages_file_is_gone(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    let uploaded = one.upload_picture(server, room).await;
    let link = url(&uploaded);
    let sent = one.send_file(server, room, id_of(&uploaded)).await;
    one.delete(server, &format!("messages/{}/", id_of(&sent)))
        .await
        .assert_status(204);
    server.get(&link).await.assert_status(404);
    assert_eq!(server.files(), 1);
    server.clock.advance(Duration::from_secs(24 * 60 * 60 + 1));
    server.housekeep().await;
    assert_eq!(server.files(), 0);
}

async fn a_file_that_was_never_sent_is_removed_after_a_day(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    let forgotten = id_of(&one.upload_picture(server, room).await);
    let sent = id_of(&one.upload_picture(server, room).await);
    one.send_file(server, room, sent).await.assert_status(201);
    server.clock.advance(Duration::from_secs(24 * 60 * 60 - 1));
    server.housekeep().await;
    assert_eq!(server.files(), 2);
    server.clock.advance(Duration::from_secs(2));
    server.housekeep().await;
    assert_eq!(server.files(), 1);
    let found = |id| {
        server
            .store()
            .find_attachment(id, chelseru_core::UserId(one.id))
    };
    let [forgotten, sent] = [forgotten, sent].map(chelseru_core::chat::AttachmentId);
    assert!(found(forgotten).await.unwrap().is_none());
    assert!(found(sent).await.unwrap().is_some());
}

async fn files_of_a_day_are_limited(database: Database) {
    let setup = Setup::new(database).await;
    let setup = setup.config(|config| config.chat_files_per_user_per_day(2));
    let scene = Scene::<2>::on(setup.start().await).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    for status in [201, 201, 429] {
        one.upload_picture(server, room).await.assert_status(status);
    }
    other.upload_picture(server, room).await.assert_status(201);
}

async fn without_a_token_not_a_byte_of_a_file_is_read(database: Database) {
    let server = TestServer::start(database).await;
    // A body that never ends: who waited for it would never answer.
    let head = "POST /api/message/file/upload/ HTTP/1.1\r\nHost: x\r\n\
                Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9000000\r\n\r\n";
    assert_eq!(server.exchange(head).await, Some(401));
    let answer = server.post("/api/message/file/upload/").bearer("x").await;
    answer.assert_status(401);
    let _: Value = answer.json();
}
