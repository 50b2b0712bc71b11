//! Messages: what is stored, changed and taken back.

use std::time::Duration;

use chelseru_core::config::ConfigBuilder;
use chelseru_tests::{Database, Setup, on_both_databases};
use serde_json::{Value, json};

use super::{Scene, id_of, results};

on_both_databases! {
    a_text_is_returned_as_it_was_sent
    what_a_message_cannot_be_is_refused_by_field
    a_message_is_answered_with_all_that_is_known_of_it
    a_resend_is_the_same_message_and_another_text_is_a_conflict
    a_resend_is_the_same_message_after_a_restart
    a_reply_stays_in_its_room
    a_message_is_edited_by_its_sender_while_the_window_is_open
    a_window_of_nothing_never_ends
    a_deleted_message_stays_as_a_tombstone
    a_message_hidden_from_oneself_is_there_for_the_others
    changes_take_places_of_the_log
    messages_of_a_minute_are_limited
}

async fn a_text_is_returned_as_it_was_sent(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    let emoji = "😀".repeat(4096);
    let texts = [
        "  سلام، می‌روم\n\tفردا ",
        "عَلَيْكُم ٱلسَّلَام ۱۲۳ ٤٥٦ كي",
        "<script>alert('x')</script>",
        "'; DROP TABLE chat_messages; --",
        "%s %00 \\u0000 {}",
        "e\u{301} é \u{202E}abc\u{202C}",
        "👨‍👩‍👧‍👦",
        "0",
        "null",
        &emoji,
    ];
    for text in texts {
        let sent = one.send(server, room, text).await;
        sent.assert_status(201);
        assert_eq!(sent.field("text"), text);
        assert_eq!(sent.field("message"), text);
        let seen = other
            .get(server, &format!("messages/{}/", id_of(&sent)))
            .await;
        assert_eq!(seen.field("text"), text);
    }
    let mut expected = texts.to_vec();
    expected.reverse();
    assert_eq!(other.texts(server, room).await, expected);

    // By a form, and under the other name.
    let form = server.post(&format!("/api/chat/messages/?chat_room={room}"));
    let form = form
        .bearer(&one.access)
        .form(&[("message", " سلام + & = ")])
        .await;
    form.assert_status(201);
    assert_eq!(form.field("text"), " سلام + & = ");
}

async fn what_a_message_cannot_be_is_refused_by_field(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    for (body, field) in [
        (json!({ "chat_room": room }), "text"),
        (json!({ "chat_room": room, "text": null }), "text"),
        (json!({ "chat_room": room, "text": "" }), "text"),
        (json!({ "chat_room": room, "text": " \n\t" }), "text"),
        (
            json!({ "chat_room": room, "text": "\u{200C}\u{FEFF}" }),
            "text",
        ),
        (json!({ "chat_room": room, "text": "a\u{0}b" }), "text"),
        (
            json!({ "chat_room": room, "text": "😀".repeat(4097) }),
            "text",
        ),
        (json!({ "chat_room": room, "text": ["a"] }), "text"),
        (
            json!({ "chat_room": room, "text": "a", "client_id": "" }),
            "client_id",
        ),
        (
            json!({ "chat_room": room, "text": "a", "client_id": "x".repeat(65) }),
            "client_id",
        ),
        (
            json!({ "chat_room": room, "text": "a", "client_id": "\u{0}" }),
            "client_id",
        ),
        (
            json!({ "chat_room": room, "text": "a", "client_id": {} }),
            "client_id",
        ),
        (
            json!({ "chat_room": room, "text": "a", "reply_to": "x" }),
            "reply_to",
        ),
        (
            json!({ "chat_room": room, "text": "a", "reply_to": 999_999 }),
            "reply_to",
        ),
        (
            json!({ "chat_room": room, "text": "a", "attachment": 999_999 }),
            "attachment",
        ),
        (
            json!({ "chat_room": room, "text": "a", "message_type": "poll" }),
            "message_type",
        ),
        (json!({ "text": "a" }), "chat_room"),
        (json!({ "chat_room": null, "text": "a" }), "chat_room"),
        (json!({ "chat_room": "x", "text": "a" }), "chat_room"),
    ] {
        let answer = one.post(server, "messages/", &body).await;
        answer.assert_faulty_fields(&[field]);
    }
    assert!(one.texts(server, room).await.is_empty());
    assert_eq!(one.room(server, room).await["last_seq"], 0);
}

async fn a_message_is_answered_with_all_that_is_known_of_it(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.group(server, &[other]).await;
    let body = json!({ "chat_room": room, "text": "سلام", "client_id": "7f3" });
    let sent = one.post(server, "messages/", &body).await;
    let at = sent.field("created_at");
    let id = id_of(&sent);
    let expected = json!({
        "id": id,
        "chat_room": { "id": room, "name": "گروه", "status": 1 },
        "seq": 1,
        "sender": one.json(),
        "text": "سلام",
        "message": "سلام",
        "message_type": "text",
        "client_id": "7f3",
        "reply_to": null,
        "attachment": null,
        "file_url": null,
        "read_by": [],
        "read_count": 0,
        "lat": null,
        "lng": null,
        "timestamp": at,
        "created_at": at,
        "edited_at": null,
        "deleted_at": null,
    });
    sent.assert_json(201, &expected);
    let path = format!("messages/{id}/");
    one.get(server, &path).await.assert_json(200, &expected);
    // The key is its sender's alone.
    let of_other = other.get(server, &path).await;
    assert_eq!(of_other.field("client_id"), json!(null));
}

async fn a_resend_is_the_same_message_and_another_text_is_a_conflict(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    let elsewhere = one.group(server, &[other]).await;
    let send = async |room: i64, text: &str| {
        let body = json!({ "chat_room": room, "text": text, "client_id": "۱" });
        one.post(server, "messages/", &body).await
    };
    let first = send(room, "a").await;
    first.assert_status(201);
    for _ in 0..3 {
        let again = send(room, "a").await;
        again.assert_json(200, &first.json());
    }
    let conflict = send(room, "b").await;
    conflict.assert_status(409);
    assert_eq!(conflict.field("code"), "client_id_taken");
    // It is a key of that sender in that room.
    assert_ne!(id_of(&send(elsewhere, "b").await), id_of(&first));
    let body = json!({ "chat_room": room, "text": "b", "client_id": "۱" });
    other
        .post(server, "messages/", &body)
        .await
        .assert_status(201);

    // For ever: also when the message is another one by now, or none.
    let path = format!("messages/{}/", id_of(&first));
    one.patch(server, &path, &json!({ "text": "c" }))
        .await
        .assert_status(200);
    assert_eq!(send(room, "a").await.assert_status(200).field("text"), "c");
    one.delete(server, &path).await.assert_status(204);
    let again = send(room, "a").await;
    assert_eq!(again.assert_status(200).field("id"), first.field("id"));
    assert_eq!(again.field("text"), "");
    send(room, "b").await.assert_status(409);
    assert_eq!(one.texts(server, room).await, ["b", ""]);
}

async fn a_resend_is_the_same_message_after_a_restart(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = scene;
    let [one, other] = &people;
    let room = one.pair(&server, other).await;
    let body = json!({ "chat_room": room, "text": "a", "client_id": "x" });
    let first = one.post(&server, "messages/", &body).await;
    first.assert_status(201);
    let server = server.restart(|setup| setup).await;
    let again = one.post(&server, "messages/", &body).await;
    again.assert_json(200, &first.json());
    let beside = server.beside().await;
    one.post(&beside, "messages/", &body)
        .await
        .assert_json(200, &first.json());
}

async fn a_reply_stays_in_its_room(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    let elsewhere = one.group(server, &[]).await;
    let id = other.say(server, room, "a").await;
    let secret = one.say(server, elsewhere, "a").await;
    let reply = |to: i64| {
        let body = json!({ "chat_room": room, "text": "b", "reply_to": to });
        one.post(server, "messages/", &body)
    };
    assert_eq!(reply(id).await.assert_status(201).field("reply_to"), id);
    reply(secret).await.assert_faulty_fields(&["reply_to"]);
}

/// People whose tokens last as long as the test.
async fn patient(
    database: Database,
    change: impl FnOnce(ConfigBuilder) -> ConfigBuilder,
) -> Scene<2> {
    let year = Duration::from_secs(400 * 24 * 60 * 60);
    let setup = Setup::new(database).await.config(|config| {
        change(config)
            .access_token_lifetime(year)
            .refresh_token_lifetime(year)
            .session_lifetime(Duration::ZERO)
    });
    Scene::on(setup.start().await).await
}

async fn a_message_is_edited_by_its_sender_while_the_window_is_open(database: Database) {
    let scene = patient(database, |config| config).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    let id = one.say(server, room, "a").await;
    let path = format!("messages/{id}/");
    let edit = async |text: &Value| one.patch(server, &path, &json!({ "text": text })).await;

    server.clock.advance(Duration::from_secs(48 * 60 * 60));
    let edited = edit(&json!(" ب ")).await;
    edited.assert_status(200);
    assert_eq!(edited.field("text"), " ب ");
    assert_eq!(edited.field("seq"), 1);
    assert!(edited.field("edited_at").is_string());
    assert_eq!(other.texts(server, room).await, [" ب "]);
    // The same text once more is no other edit.
    edit(&json!(" ب ")).await.assert_json(200, &edited.json());
    assert_eq!(one.room(server, room).await["last_seq"], 2);
    for text in [
        json!(""),
        json!(" "),
        json!(null),
        json!("\u{0}"),
        json!("x".repeat(4097)),
    ] {
        edit(&text).await.assert_faulty_fields(&["text"]);
    }
    one.patch(server, &path, &json!({}))
        .await
        .assert_faulty_fields(&["text"]);
    other
        .patch(server, &path, &json!({ "text": "c" }))
        .await
        .assert_status(403);

    server.clock.advance(Duration::from_millis(1));
    let late = edit(&json!("c")).await;
    late.assert_status(403);
    assert_eq!(late.field("code"), "too_late");
    // Taking it back is always possible.
    one.delete(server, &path).await.assert_status(204);
    assert_eq!(
        edit(&json!("c")).await.assert_status(403).field("code"),
        "too_late"
    );
}

async fn a_window_of_nothing_never_ends(database: Database) {
    let scene = patient(database, |config| config.chat_edit_window(Duration::ZERO)).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    let id = one.say(server, room, "a").await;
    server
        .clock
        .advance(Duration::from_secs(365 * 24 * 60 * 60));
    let edit = one.patch(server, &format!("messages/{id}/"), &json!({ "text": "b" }));
    edit.await.assert_status(200);
}

async fn a_deleted_message_stays_as_a_tombstone(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    let id = one.say(server, room, "a").await;
    let path = format!("messages/{id}/");
    for _ in 0..2 {
        one.delete(server, &path).await.assert_status(204);
    }
    assert_eq!(one.room(server, room).await["last_seq"], 2);
    for person in [one, other] {
        let seen = person.get(server, &path).await;
        seen.assert_status(200);
        assert_eq!(seen.field("text"), "");
        assert_eq!(seen.field("seq"), 1);
        assert!(seen.field("deleted_at").is_string());
    }
    let strange = one.delete(server, &format!("{path}?for=nobody")).await;
    strange.assert_faulty_fields(&["for"]);
    one.delete(server, "messages/999999/")
        .await
        .assert_status(404);
}

async fn a_message_hidden_from_oneself_is_there_for_the_others(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    let id = one.say(server, room, "a").await;
    let path = format!("messages/{id}/");
    for _ in 0..2 {
        let hide = other.delete(server, &format!("{path}?for=me")).await;
        hide.assert_status(204);
    }
    assert_eq!(other.texts(server, room).await, [""]);
    assert!(
        other
            .get(server, &path)
            .await
            .field("deleted_at")
            .is_string()
    );
    assert_eq!(one.texts(server, room).await, ["a"]);
    assert_eq!(one.room(server, room).await["last_seq"], 1);
}

async fn changes_take_places_of_the_log(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    let first = one.say(server, room, "a").await;
    let second = one.say(server, room, "b").await;
    let edit = json!({ "text": "c" });
    one.patch(server, &format!("messages/{first}/"), &edit)
        .await
        .assert_status(200);
    one.delete(server, &format!("messages/{second}/"))
        .await
        .assert_status(204);
    let third = other.say(server, room, "d").await;

    let path = format!("messages/?chat_room={room}&since=0&page_size=2");
    let mut entries = Vec::new();
    let mut page = other.get(server, &path).await;
    loop {
        entries.extend(results(&page));
        let next = page.field("next");
        if next.is_null() {
            break;
        }
        page = other.follow(server, &next).await;
    }
    let told: Vec<_> = entries
        .iter()
        .map(|entry| json!([entry["seq"], entry["type"], entry["id"], entry["message"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!([1, "chat_message", first, "c"]),
            json!([2, "chat_message", second, ""]),
            json!([3, "message_edited", first, "c"]),
            json!([4, "message_deleted", second, null]),
            json!([5, "chat_message", third, "d"]),
        ]
    );
    let rest = other
        .get(server, &format!("messages/?chat_room={room}&since=4"))
        .await;
    assert_eq!(results(&rest).len(), 1);
    let none = other
        .get(server, &format!("messages/?chat_room={room}&since=5"))
        .await;
    assert!(results(&none).is_empty());
}

async fn messages_of_a_minute_are_limited(database: Database) {
    let setup = Setup::new(database).await;
    let setup = setup.config(|config| config.chat_messages_per_user_per_minute(3));
    let scene = Scene::<2>::on(setup.start().await).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    let id = one.say(server, room, "a").await;
    one.say(server, room, "b").await;
    let path = format!("messages/{id}/");
    one.patch(server, &path, &json!({ "text": "c" }))
        .await
        .assert_status(200);
    server.clock.advance(Duration::from_secs(20));
    for refused in [
        one.send(server, room, "d").await,
        one.patch(server, &path, &json!({ "text": "d" })).await,
    ] {
        refused
            .assert_status(429)
            .assert_header("retry-after", "40");
    }
    other.say(server, room, "e").await;
    one.delete(server, &path).await.assert_status(204);
    server.clock.advance(Duration::from_secs(40));
    one.say(server, room, "f").await;
}
