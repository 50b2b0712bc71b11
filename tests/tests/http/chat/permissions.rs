//! Every verb of the routes by everyone: nobody (without a token), a stranger, somebody banned, a member
//! who may only read, a member, an admin with every code, and the owner.

use chelseru_tests::{Answer, Call, Database, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Person, Scene};

on_both_databases! {
    everyone_may_do_what_the_table_says_and_nothing_else
    codes_are_given_and_taken_by_the_table
    in_a_room_for_two_both_are_equal
}

/// What stands for somebody or something in paths and bodies.
const MARKS: [&str; 6] = ["ROOM", "OWN", "OTHERS", "TARGET", "OWNER", "OUTSIDER"];

/// The verb, and the statuses for: read only, member, admin, owner. Nobody is always 401; a stranger and
/// the banned are always 404.
#[rustfmt::skip]
const TABLE: [(Method, &str, &str, [u16; 4]); 33] = [
    (Method::GET,    "chatrooms/ROOM/",                   "",                             [200, 200, 200, 200]),
    (Method::PATCH,  "chatrooms/ROOM/",                   r#"{"pinned": true}"#,          [200, 200, 200, 200]),
    (Method::PATCH,  "chatrooms/ROOM/",                   r#"{"muted": true}"#,           [200, 200, 200, 200]),
    (Method::PUT,    "chatrooms/ROOM/",                   r#"{"read_seq": 1}"#,           [200, 200, 200, 200]),
    (Method::POST,   "chatrooms/ROOM/read/",              r#"{"seq": 1}"#,                [200, 200, 200, 200]),
    (Method::GET,    "chatrooms/ROOM/members/",           "",                             [200, 200, 200, 200]),
    (Method::GET,    "messages/?chat_room=ROOM",          "",                             [200, 200, 200, 200]),
    (Method::GET,    "messages/?chat_room=ROOM&since=0",  "",                             [200, 200, 200, 200]),
    (Method::GET,    "messages/?chat_room=ROOM&search=a", "",                             [200, 200, 200, 200]),
    (Method::GET,    "messages/OTHERS/",                  "",                             [200, 200, 200, 200]),
    (Method::DELETE, "messages/OTHERS/?for=me",           "",                             [204, 204, 204, 204]),
    (Method::POST,   "chatrooms/ROOM/leave/",             "",                             [204, 204, 204, 409]),
    (Method::POST,   "messages/",                         r#"{"chat_room": ROOM, "text": "a"}"#, [403, 201, 201, 201]),
    (Method::POST,   "messages/?chat_room=ROOM",          r#"{"message": "a"}"#,          [403, 201, 201, 201]),
    (Method::PATCH,  "messages/OWN/",                     r#"{"text": "b"}"#,             [403, 200, 200, 200]),
    (Method::PUT,    "messages/OTHERS/",                  r#"{"text": "b"}"#,             [403, 403, 403, 403]),
    (Method::DELETE, "messages/OWN/",                     "",                             [403, 204, 204, 204]),
    (Method::DELETE, "messages/OTHERS/?for=everyone",     "",                             [403, 403, 204, 204]),
    (Method::POST,   "chatrooms/ROOM/typing/",            "",                             [403, 204, 204, 204]),
    (Method::POST,   "chatrooms/ROOM/members/",           r#"{"user": OUTSIDER}"#,        [403, 403, 201, 201]),
    (Method::DELETE, "chatrooms/ROOM/members/TARGET/",    "",                             [403, 403, 204, 204]),
    (Method::DELETE, "chatrooms/ROOM/members/OWNER/",     "",                             [403, 403, 403, 409]),
    (Method::PATCH,  "chatrooms/ROOM/members/TARGET/",    r#"{"permissions": [1, 10]}"#,  [403, 403, 200, 200]),
    (Method::PATCH,  "chatrooms/ROOM/members/OWNER/",     r#"{"permissions": [0]}"#,      [403, 403, 403, 403]),
    (Method::POST,   "chatrooms/ROOM/bans/",              r#"{"user": TARGET}"#,          [403, 403, 201, 201]),
    (Method::POST,   "chatrooms/ROOM/bans/",              r#"{"user": OWNER}"#,           [403, 403, 403, 403]),
    (Method::GET,    "chatrooms/ROOM/bans/",              "",                             [403, 403, 200, 200]),
    (Method::PATCH,  "chatrooms/ROOM/",                   r#"{"status": 2}"#,             [403, 403, 200, 200]),
    (Method::PATCH,  "chatrooms/ROOM/",                   r#"{"name": "x"}"#,             [403, 403, 200, 200]),
    (Method::PATCH,  "chatrooms/ROOM/",                   r#"{"descriptions": "x"}"#,     [403, 403, 200, 200]),
    (Method::PATCH,  "chatrooms/ROOM/",                   r#"{"avatar_url": "https://a.example/"}"#, [403, 403, 200, 200]),
    (Method::DELETE, "chatrooms/ROOM/",                   "",                             [403, 403, 204, 204]),
    (Method::POST,   "chatrooms/ROOM/owner/",             r#"{"user": TARGET}"#,          [403, 403, 403, 200]),
];

/// A group of all of them, each of whom has sent a message.
struct Room {
    id: i64,
    /// The messages of: the banned, who only reads, the member, the admin, the owner.
    own: [i64; 5],
    others: i64,
}

const OWNER: usize = 0;
const ADMIN: usize = 1;
const MEMBER: usize = 2;
const SILENT: usize = 3;
const BANNED: usize = 4;
const TARGET: usize = 5;
const STRANGER: usize = 6;
const OUTSIDER: usize = 7;

async fn room(scene: &Scene<8>) -> Room {
    let Scene { server, people } = scene;
    let owner = &people[OWNER];
    let members: Vec<_> = people[ADMIN..=TARGET].iter().collect();
    let id = owner.group(server, &members).await;
    let mut own = [0; 5];
    for (place, person) in [BANNED, SILENT, MEMBER, ADMIN, OWNER]
        .into_iter()
        .enumerate()
    {
        own[place] = people[person].say(server, id, "a").await;
    }
    let others = people[TARGET].say(server, id, "a").await;
    let permit = |person: usize, codes: Value| {
        let path = format!("chatrooms/{id}/members/{}/", people[person].id);
        owner.patch(server, &path, &json!({ "permissions": codes }))
    };
    permit(ADMIN, json!([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]))
        .await
        .assert_status(200);
    permit(SILENT, json!([0, 1])).await.assert_status(200);
    let ban = json!({ "user": people[BANNED].id });
    let banned = owner.post(server, &format!("chatrooms/{id}/bans/"), &ban);
    banned.await.assert_status(201);
    Room { id, own, others }
}

fn filled(text: &str, values: [i64; 6]) -> String {
    let mut text = text.to_owned();
    // OWNER before OWN, which it begins with.
    for place in [0, 4, 1, 2, 3, 5] {
        text = text.replace(MARKS[place], &values[place].to_string());
    }
    text
}

fn with_body(call: Call, body: &str) -> Call {
    if body.is_empty() {
        call
    } else {
        call.body("application/json", body.to_owned())
    }
}

async fn everyone_may_do_what_the_table_says_and_nothing_else(database: Database) {
    let scene = Scene::<8>::new(database).await;
    let Scene { server, people } = &scene;
    for (method, path, body, statuses) in TABLE {
        let mut room = room(&scene).await;
        let values = |room: &Room, own: i64| {
            let id = |person: usize| people[person].id;
            [
                room.id,
                own,
                room.others,
                id(TARGET),
                id(OWNER),
                id(OUTSIDER),
            ]
        };
        let call = |values: [i64; 6]| {
            let path = format!("/api/chat/{}", filled(path, values));
            with_body(server.call(method.clone(), &path), &filled(body, values))
        };
        call(values(&room, room.own[4])).await.assert_status(401);

        // Who may not know of a room is told what is told of one that does not exist.
        let unknown = [
            999_999,
            999_999,
            999_999,
            people[TARGET].id,
            people[OWNER].id,
            1,
        ];
        for (person, own) in [(STRANGER, room.own[4]), (BANNED, room.own[0])] {
            let access = &people[person].access;
            let refused = call(values(&room, own)).bearer(access).await;
            assert_same_404(&refused, &call(unknown).bearer(access).await);
        }
        for (place, person) in [SILENT, MEMBER, ADMIN, OWNER].into_iter().enumerate() {
            let own = room.own[place + 1];
            let answer = call(values(&room, own))
                .bearer(&people[person].access)
                .await;
            assert_eq!(
                answer.status, statuses[place],
                "{person} {body}: {answer:?}"
            );
            if answer.status < 300 && method != Method::GET {
                room = self::room(&scene).await;
            }
        }
    }
}

#[track_caller]
fn assert_same_404(answer: &Answer, unknown: &Answer) {
    answer.assert_text(404, r#"{"detail":"Not found."}"#);
    assert_eq!(answer.body, unknown.body, "{unknown:?}");
    assert_eq!(unknown.status, 404);
    let headers = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.remove("date");
        headers
    };
    assert_eq!(headers(answer), headers(unknown));
}

async fn codes_are_given_and_taken_by_the_table(database: Database) {
    let scene = Scene::<4>::new(database).await;
    let Scene { server, people } = &scene;
    let [owner, giver, taker, target] = people;
    let room = owner.group(server, &[giver, taker, target]).await;
    let permit = async |who: &Person, of: &Person, codes: &[i64]| {
        let path = format!("chatrooms/{room}/members/{}/", of.id);
        let body = json!({ "permissions": codes });
        who.patch(server, &path, &body).await
    };
    permit(owner, giver, &[1, 5, 10]).await.assert_status(200);
    permit(owner, taker, &[1, 6, 10]).await.assert_status(200);

    // Only what one has, and never to oneself.
    permit(giver, target, &[1, 9]).await.assert_status(403);
    permit(giver, giver, &[1, 5]).await.assert_status(403);
    permit(giver, target, &[]).await.assert_status(403);
    let answer = permit(giver, target, &[1, 10]).await;
    answer.assert_status(200);
    assert_eq!(answer.field("permissions"), json!([1, 10]));
    assert_eq!(answer.field("user"), target.json());

    // The target is an admin now, from whom 7 is needed to take.
    permit(taker, target, &[1]).await.assert_status(403);
    permit(owner, taker, &[1, 6, 7, 10])
        .await
        .assert_status(200);
    permit(taker, target, &[1]).await.assert_status(200);
    permit(taker, target, &[1, 10]).await.assert_status(403);
    permit(taker, owner, &[1]).await.assert_status(403);

    // Read only takes everything, and is given back by who could give it.
    permit(giver, target, &[0, 1]).await.assert_status(403);
    permit(taker, target, &[0, 1]).await.assert_status(200);
    target.send(server, room, "a").await.assert_status(403);
    permit(taker, target, &[1]).await.assert_status(403);
    permit(giver, target, &[1]).await.assert_status(200);
    target.send(server, room, "a").await.assert_status(201);

    for codes in [
        json!([13]),
        json!([-1]),
        json!(["x"]),
        json!("x"),
        json!(null),
        json!(1),
    ] {
        let path = format!("chatrooms/{room}/members/{}/", target.id);
        let body = json!({ "permissions": codes });
        let answer = owner.patch(server, &path, &body).await;
        answer.assert_faulty_fields(&["permissions"]);
    }
}

async fn in_a_room_for_two_both_are_equal(database: Database) {
    let scene = Scene::<3>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other, third] = people;
    let room = one.pair(server, other).await;
    let id = other.say(server, room, "a").await;
    for person in [one, other] {
        person.send(server, room, "b").await.assert_status(201);
        let path = format!("chatrooms/{room}/");
        for body in [
            json!({ "name": "x" }),
            json!({ "description": "x" }),
            json!({ "avatar_url": null }),
            json!({ "status": 2 }),
            json!({ "status": 1 }),
        ] {
            person.patch(server, &path, &body).await.assert_status(403);
        }
        let pinned = person.patch(server, &path, &json!({ "pinned": true, "muted": true }));
        let pinned = pinned.await;
        pinned.assert_status(200);
        assert_eq!(pinned.field("pinned_for"), json!([person.id]));
        assert_eq!(pinned.field("muted"), json!(true));
        person.delete(server, &path).await.assert_status(403);
        let user = json!({ "user": third.id });
        for list in ["members", "bans", "owner"] {
            let path = format!("chatrooms/{room}/{list}/");
            person.post(server, &path, &user).await.assert_status(403);
        }
        let bans = person.get(server, &format!("chatrooms/{room}/bans/")).await;
        bans.assert_status(403);
    }
    let kick = one.delete(server, &format!("chatrooms/{room}/members/{}/", other.id));
    kick.await.assert_status(403);
    let theirs = one.delete(server, &format!("messages/{id}/")).await;
    theirs.assert_status(403);
    let stranger = third.get(server, &format!("chatrooms/{room}/")).await;
    stranger.assert_status(404);
}
