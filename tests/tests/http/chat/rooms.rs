//! Rooms: making, showing, changing and leaving them.

use chelseru_core::{Clock, UserId};
use chelseru_tests::{Answer, Database, Setup, on_both_databases};
use serde_json::{Value, json};

use super::{Scene, id_of, results};

on_both_databases! {
    a_room_for_two_is_made_once_by_id_alias_or_name
    a_group_has_its_members_its_owner_and_its_texts
    what_a_room_cannot_be_is_refused_by_field
    a_room_is_shown_with_what_is_in_it
    rooms_are_listed_pinned_first_then_by_what_happened_last
    unread_messages_are_counted_until_they_are_read
    a_room_is_changed_in_part
    who_leaves_a_room_for_two_is_brought_back_by_opening_it
    an_owner_hands_over_before_leaving
    a_deleted_group_is_gone_for_all
    a_group_is_full_at_its_limit
    who_was_kicked_may_come_back_and_who_was_banned_may_not
    no_answer_shows_a_number
}

async fn a_room_for_two_is_made_once_by_id_alias_or_name(database: Database) {
    let scene = Scene::<3>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other, third] = people;
    let first = one
        .post(server, "chatrooms/", &json!({ "user": other.id }))
        .await;
    first.assert_status(201);
    assert_eq!(first.field("kind"), "pair");
    assert_eq!(first.field("user_1"), one.json());
    assert_eq!(first.field("user_2"), other.json());
    assert_eq!(first.field("users"), json!([one.json(), other.json()]));
    assert_eq!(first.field("owner"), json!(null));
    assert_eq!(first.field("permissions"), json!([1]));
    for (person, body) in [
        (one, json!({ "user": other.id })),
        (one, json!({ "user": other.id.to_string() })),
        (one, json!({ "user_id": other.id })),
        (one, json!({ "username": other.username })),
        (other, json!({ "user_id": one.id })),
        (other, json!({ "username": one.username })),
    ] {
        let again = person.post(server, "chatrooms/", &body).await;
        again.assert_status(200);
        assert_eq!(id_of(&again), id_of(&first));
    }
    let form = server.post("/api/chat/chatrooms").bearer(&one.access);
    let user = other.id.to_string();
    form.form(&[("user_id", &user)]).await.assert_status(200);
    let another = one
        .post(server, "chatrooms/", &json!({ "user": third.id }))
        .await;
    another.assert_status(201);
    assert_ne!(id_of(&another), id_of(&first));
}

async fn a_group_has_its_members_its_owner_and_its_texts(database: Database) {
    let scene = Scene::<3>::new(database).await;
    let Scene { server, people } = &scene;
    let [owner, member, other] = people;
    let body = json!({
        "users": [member.id, other.id, member.id, owner.id],
        "name": "  خانواده ",
        "descriptions": "همهٔ ما",
        "avatar_url": "https://pictures.example/1.png",
    });
    let made = owner.post(server, "chatrooms/", &body).await;
    made.assert_status(201);
    for (field, value) in [
        ("kind", json!("group")),
        ("name", json!("خانواده")),
        ("description", json!("همهٔ ما")),
        ("descriptions", json!("همهٔ ما")),
        ("avatar_url", json!("https://pictures.example/1.png")),
        ("status", json!(1)),
        ("owner", owner.json()),
        ("user_1", json!(null)),
        ("user_2", json!(null)),
        ("users", json!([owner.json(), member.json(), other.json()])),
        ("member_count", json!(3)),
        (
            "permissions",
            json!([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
        ),
        ("banneds", json!([])),
        ("pinned_for", json!([])),
        ("last_message", json!(null)),
    ] {
        assert_eq!(made.field(field), value, "{field}");
    }
    let seen = member.room(server, id_of(&made)).await;
    assert_eq!(seen["permissions"], json!([1]));
    assert_eq!(seen["owner"], owner.json());

    let path = format!("chatrooms/{}/members/", id_of(&made));
    let members = results(&other.get(server, &path).await);
    let of = |member: &Value, field: &str| member[field].clone();
    assert_eq!(members.len(), 3);
    assert_eq!(of(&members[0], "user"), owner.json());
    assert_eq!(of(&members[0], "is_owner"), json!(true));
    assert_eq!(of(&members[1], "permissions"), json!([1]));

    // In a form a list is separated by commas.
    let users = format!("{},{}", member.id, other.id);
    let form = server.post("/api/chat/chatrooms/").bearer(&owner.access);
    let form = form.form(&[("name", "form"), ("users", &users)]).await;
    form.assert_status(201);
    assert_eq!(form.field("member_count"), 3);
}

async fn what_a_room_cannot_be_is_refused_by_field(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    for (body, field) in [
        (json!({}), "user"),
        (json!({ "user": null }), "user"),
        (json!({ "user": one.id }), "user"),
        (json!({ "user": 999_999 }), "user"),
        (json!({ "user": "x" }), "user"),
        (json!({ "user": [other.id] }), "user"),
        (json!({ "username": "nobody" }), "username"),
        (json!({ "users": [other.id] }), "name"),
        (json!({ "name": " ", "users": [other.id] }), "name"),
        (json!({ "name": "x".repeat(46) }), "name"),
        (json!({ "name": "a\u{0}b" }), "name"),
        (json!({ "name": "x", "users": [999_999] }), "users"),
        (json!({ "name": "x", "users": ["x"] }), "users"),
        (json!({ "name": "x", "users": 7 }), "users"),
        (
            json!({ "name": "x", "description": "x".repeat(1001) }),
            "description",
        ),
        (
            json!({ "name": "x", "avatar_url": "javascript:alert(1)" }),
            "avatar_url",
        ),
        (
            json!({ "name": "x", "avatar_url": "http://a.example/" }),
            "avatar_url",
        ),
    ] {
        let answer = one.post(server, "chatrooms/", &body).await;
        answer.assert_faulty_fields(&[field]);
    }
    assert!(results(&one.get(server, "chatrooms/").await).is_empty());

    // Who may not log in is not written to either.
    let store = server.store();
    store
        .set_user_active(UserId(other.id), false, server.clock.now())
        .await
        .unwrap();
    for body in [
        json!({ "user": other.id }),
        json!({ "username": other.username }),
    ] {
        one.post(server, "chatrooms/", &body)
            .await
            .assert_status(400);
    }
}

async fn a_room_is_shown_with_what_is_in_it(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    let id = other.say(server, room, " سلام ").await;
    let seen = one.room(server, room).await;
    assert_eq!(seen["last_seq"], 1);
    assert_eq!(seen["read_seq"], 0);
    assert_eq!(seen["unread_count"], 1);
    assert_eq!(seen["last_message"]["id"], id);
    assert_eq!(seen["last_message"]["text"], " سلام ");
    assert_eq!(seen["last_message"]["sender"], other.json());
    let message = one.get(server, &format!("messages/{id}/")).await.json();
    assert_eq!(seen["last_message"], message);
    let keys: Vec<_> = seen.as_object().unwrap().keys().cloned().collect();
    let expected = [
        "avatar_url",
        "banneds",
        "created_at",
        "description",
        "descriptions",
        "id",
        "kind",
        "last_message",
        "last_seq",
        "member_count",
        "muted",
        "name",
        "online",
        "owner",
        "permissions",
        "pinned",
        "pinned_for",
        "read_seq",
        "status",
        "unread_count",
        "updated_at",
        "user_1",
        "user_2",
        "users",
    ];
    assert_eq!(keys, expected);
    let keys: Vec<_> = message.as_object().unwrap().keys().cloned().collect();
    let expected = [
        "attachment",
        "chat_room",
        "client_id",
        "created_at",
        "deleted_at",
        "edited_at",
        "file_url",
        "id",
        "lat",
        "lng",
        "message",
        "message_type",
        "read_by",
        "read_count",
        "reply_to",
        "sender",
        "seq",
        "text",
        "timestamp",
    ];
    assert_eq!(keys, expected);
}

fn ids(answer: &Answer) -> Vec<i64> {
    let results = results(answer).into_iter();
    results.map(|room| room["id"].as_i64().unwrap()).collect()
}

async fn rooms_are_listed_pinned_first_then_by_what_happened_last(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.push(one.group(server, &[other]).await);
        server.clock.advance(std::time::Duration::from_secs(1));
    }
    one.say(server, rooms[1], "a").await;
    let pin = json!({ "pinned": true });
    let path = format!("chatrooms/{}/", rooms[0]);
    one.patch(server, &path, &pin).await.assert_status(200);
    let expected = [rooms[0], rooms[1], rooms[4], rooms[3], rooms[2]];
    assert_eq!(ids(&one.get(server, "chatrooms/").await), expected);
    // It is the one's pin, not the other's.
    let of_other = ids(&other.get(server, "chatrooms/").await);
    assert_eq!(of_other, [rooms[1], rooms[4], rooms[3], rooms[2], rooms[0]]);

    let mut found = Vec::new();
    let mut page = one.get(server, "chatrooms/?page_size=2").await;
    loop {
        found.extend(ids(&page));
        let next = page.field("next");
        if next.is_null() {
            break;
        }
        assert!(
            next.as_str()
                .unwrap()
                .starts_with("/api/chat/chatrooms/?page_size=2&cursor=")
        );
        page = one.follow(server, &next).await;
    }
    assert_eq!(found, expected);
}

async fn unread_messages_are_counted_until_they_are_read(database: Database) {
    let scene = Scene::<3>::new(database).await;
    let Scene { server, people } = &scene;
    let [owner, member, late] = people;
    let room = owner.group(server, &[member]).await;
    let first = owner.say(server, room, "a").await;
    for text in ["b", "c"] {
        owner.say(server, room, text).await;
    }
    member.say(server, room, "d").await;
    let unread = async |person: &super::Person| {
        let room = person.room(server, room).await;
        (
            room["unread_count"].as_i64().unwrap(),
            room["read_seq"].as_i64().unwrap(),
        )
    };
    assert_eq!(unread(owner).await, (1, 3));
    // Whoever answers has read what was there.
    assert_eq!(unread(member).await, (0, 4));
    owner.say(server, room, "e").await;
    assert_eq!(unread(member).await, (1, 4));

    let path = format!("chatrooms/{room}/read/");
    let read = async |seq: i64| {
        let answer = member.post(server, &path, &json!({ "seq": seq })).await;
        answer.field("read_seq").as_i64().unwrap()
    };
    // Only forward, and never beyond the end.
    assert_eq!(read(2).await, 4);
    assert_eq!(read(i64::MAX).await, 5);
    assert_eq!(unread(member).await, (0, 5));
    let message = owner.get(server, &format!("messages/{first}/")).await;
    assert_eq!(message.field("read_by"), json!([member.json()]));
    assert_eq!(message.field("read_count"), 1);
    for body in [
        json!({}),
        json!({ "seq": -1 }),
        json!({ "seq": "x" }),
        json!({ "seq": null }),
    ] {
        let answer = member.post(server, &path, &body).await;
        answer.assert_faulty_fields(&["seq"]);
    }

    // Deleted messages and changes of messages wait for nobody.
    let gone = owner.say(server, room, "f").await;
    owner
        .patch(
            server,
            &format!("messages/{first}/"),
            &json!({ "text": "x" }),
        )
        .await;
    assert_eq!(unread(member).await.0, 1);
    owner
        .delete(server, &format!("messages/{gone}/"))
        .await
        .assert_status(204);
    assert_eq!(unread(member).await.0, 0);

    // A new member has all of it before them.
    let add = json!({ "user": late.id });
    let added = owner
        .post(server, &format!("chatrooms/{room}/members/"), &add)
        .await;
    added.assert_status(201);
    assert_eq!(unread(late).await, (5, 0));
    assert_eq!(
        late.texts(server, room).await,
        ["", "e", "d", "c", "b", "x"]
    );
}

async fn a_room_is_changed_in_part(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [owner, member] = people;
    let room = owner.group(server, &[member]).await;
    let path = format!("chatrooms/{room}/");
    let change = async |body: Value| owner.patch(server, &path, &body).await;
    let changed = change(json!({ "name": " تازه ", "descriptions": "الف" })).await;
    changed.assert_status(200);
    assert_eq!(changed.field("name"), "تازه");
    assert_eq!(changed.field("description"), "الف");
    let changed = change(json!({ "description": null, "avatar_url": "https://a.example/" })).await;
    assert_eq!(changed.field("name"), "تازه");
    assert_eq!(changed.field("description"), json!(null));
    assert_eq!(changed.field("avatar_url"), "https://a.example/");
    assert_eq!(
        change(json!({ "avatar_url": "" }))
            .await
            .field("avatar_url"),
        json!(null)
    );
    change(json!({})).await.assert_status(200);
    let all = json!({ "status": 3, "pinned": "true", "muted": true, "read_seq": 0 });
    let changed = change(all).await;
    assert_eq!(changed.field("status"), 3);
    assert_eq!(changed.field("pinned"), true);
    for (body, field) in [
        (json!({ "name": null }), "name"),
        (json!({ "name": "" }), "name"),
        (json!({ "status": 4 }), "status"),
        (json!({ "status": null }), "status"),
        (json!({ "pinned": "perhaps" }), "pinned"),
        (json!({ "muted": null }), "muted"),
        (json!({ "read_seq": -1 }), "read_seq"),
        (json!({ "avatar_url": "ftp://a.example" }), "avatar_url"),
    ] {
        change(body).await.assert_faulty_fields(&[field]);
    }
    // All of it or nothing: the member may pin, and not rename.
    let both = json!({ "pinned": true, "name": "x" });
    member.patch(server, &path, &both).await.assert_status(403);
    assert_eq!(member.room(server, room).await["pinned"], false);
}

async fn who_leaves_a_room_for_two_is_brought_back_by_opening_it(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    one.say(server, room, "a").await;
    let leave = one.post(server, &format!("chatrooms/{room}/leave/"), &json!({}));
    leave.await.assert_status(204);
    assert!(results(&one.get(server, "chatrooms/").await).is_empty());
    one.send(server, room, "b").await.assert_status(404);
    other.say(server, room, "c").await;

    assert_eq!(one.pair(server, other).await, room);
    assert_eq!(one.texts(server, room).await, ["c", "a"]);
    one.say(server, room, "d").await;
    let own = format!("chatrooms/{room}/members/{}/", other.id);
    other.delete(server, &own).await.assert_status(204);
    assert!(results(&other.get(server, "chatrooms/").await).is_empty());
}

async fn an_owner_hands_over_before_leaving(database: Database) {
    let scene = Scene::<3>::new(database).await;
    let Scene { server, people } = &scene;
    let [owner, heir, stranger] = people;
    let room = owner.group(server, &[heir]).await;
    let leave = format!("chatrooms/{room}/leave/");
    let refused = owner.post(server, &leave, &json!({})).await;
    refused.assert_status(409);
    assert_eq!(refused.field("code"), "must_hand_over");
    let hand_over = format!("chatrooms/{room}/owner/");
    let to_stranger = owner
        .post(server, &hand_over, &json!({ "user": stranger.id }))
        .await;
    to_stranger.assert_status(404);
    let handed = owner
        .post(server, &hand_over, &json!({ "user": heir.id }))
        .await;
    handed.assert_status(200);
    assert_eq!(handed.field("owner"), heir.json());
    owner
        .post(server, &leave, &json!({}))
        .await
        .assert_status(204);
    let all = json!([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    assert_eq!(heir.room(server, room).await["permissions"], all);
    // The last one takes the room along.
    heir.post(server, &leave, &json!({}))
        .await
        .assert_status(204);
    heir.get(server, &format!("chatrooms/{room}/"))
        .await
        .assert_status(404);
}

async fn a_deleted_group_is_gone_for_all(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [owner, member] = people;
    let room = owner.group(server, &[member]).await;
    let id = member.say(server, room, "a").await;
    let path = format!("chatrooms/{room}/");
    owner.delete(server, &path).await.assert_status(204);
    for person in [owner, member] {
        person.get(server, &path).await.assert_status(404);
        let message = person.get(server, &format!("messages/{id}/")).await;
        message.assert_status(404);
        person.send(server, room, "b").await.assert_status(404);
        assert!(results(&person.get(server, "chatrooms/").await).is_empty());
    }
    owner.delete(server, &path).await.assert_status(404);
}

async fn a_group_is_full_at_its_limit(database: Database) {
    let setup = Setup::new(database).await;
    let setup = setup.config(|config| config.chat_members_per_room(3));
    let scene = Scene::<4>::on(setup.start().await).await;
    let Scene { server, people } = &scene;
    let [owner, one, two, three] = people;
    let users = json!({ "name": "x", "users": [one.id, two.id, three.id] });
    let too_many = owner.post(server, "chatrooms/", &users).await;
    too_many.assert_faulty_fields(&["users"]);
    let room = owner.group(server, &[one]).await;
    let path = format!("chatrooms/{room}/members/");
    let add = async |id: i64| owner.post(server, &path, &json!({ "user": id })).await;
    add(two.id).await.assert_status(201);
    let full = add(three.id).await;
    full.assert_status(409);
    assert_eq!(full.field("code"), "room_full");
    // Who is in already is no matter of room.
    add(two.id).await.assert_status(200);
}

async fn who_was_kicked_may_come_back_and_who_was_banned_may_not(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [owner, member] = people;
    let room = owner.group(server, &[member]).await;
    let user = json!({ "user": member.id });
    let (members, bans) = (
        format!("chatrooms/{room}/members/"),
        format!("chatrooms/{room}/bans/"),
    );
    let add = async || owner.post(server, &members, &user).await;
    let kick = owner
        .delete(server, &format!("{members}{}/", member.id))
        .await;
    kick.assert_status(204);
    member.send(server, room, "a").await.assert_status(404);
    let kick = owner
        .delete(server, &format!("{members}{}/", member.id))
        .await;
    kick.assert_status(404);
    add().await.assert_status(201);
    member.send(server, room, "a").await.assert_status(201);

    for _ in 0..2 {
        let banned = owner.post(server, &bans, &user).await;
        banned.assert_status(201);
        assert_eq!(banned.field("user"), member.json());
    }
    assert_eq!(results(&owner.get(server, &bans).await).len(), 1);
    assert_eq!(results(&owner.get(server, &members).await).len(), 1);
    let refused = add().await;
    refused.assert_status(409);
    assert_eq!(refused.field("code"), "user_banned");
    let lift = async || owner.delete(server, &format!("{bans}{}/", member.id)).await;
    lift().await.assert_status(204);
    lift().await.assert_status(404);
    member.send(server, room, "a").await.assert_status(404);
    add().await.assert_status(201);
    assert_eq!(member.texts(server, room).await, ["a"]);
    for body in [
        json!({ "user": 999_999 }),
        json!({}),
        json!({ "user": "x" }),
    ] {
        for path in [&members, &bans] {
            let answer = owner.post(server, path, &body).await;
            answer.assert_faulty_fields(&["user"]);
        }
    }
}

async fn no_answer_shows_a_number(database: Database) {
    let scene = Scene::<3>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other, banned] = people;
    let room = one.group(server, &[other, banned]).await;
    one.pair(server, other).await;
    let id = other.say(server, room, "a").await;
    let ban = json!({ "user": banned.id });
    one.post(server, &format!("chatrooms/{room}/bans/"), &ban)
        .await;
    for path in [
        "chatrooms/".to_owned(),
        format!("chatrooms/{room}/"),
        format!("chatrooms/{room}/members/"),
        format!("chatrooms/{room}/bans/"),
        format!("messages/?chat_room={room}"),
        format!("messages/?chat_room={room}&since=0"),
        format!("messages/{id}/"),
        format!("users/?username={}", other.username),
    ] {
        let answer = one.get(server, &path).await;
        answer.assert_status(200);
        assert!(!answer.body.contains("0912"), "{answer:?}");
    }
}
