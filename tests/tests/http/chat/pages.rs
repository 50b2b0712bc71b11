//! Pages of messages: complete and without repetition, whatever happens between them.

use chelseru_tests::{Database, TestServer, on_both_databases};
use serde_json::json;

use super::{Person, Scene, texts};

on_both_databases! {
    pages_of_thirty_go_back_to_the_first_message
    messages_that_come_and_go_between_pages_move_nothing
    pages_lead_forward_again
    a_page_that_cannot_be_is_refused
}

/// The texts of a page, and its links.
async fn page(person: &Person, server: &TestServer, path: &str) -> (Vec<String>, [String; 2]) {
    let answer = server.get(path).bearer(&person.access).await;
    let link = |name| answer.field(name).as_str().unwrap_or_default().to_owned();
    (texts(&answer), [link("next"), link("previous")])
}

fn numbers(range: impl IntoIterator<Item = usize>) -> Vec<String> {
    range.into_iter().map(|number| number.to_string()).collect()
}

async fn with_messages(database: Database, count: usize) -> (Scene<2>, i64) {
    let scene = Scene::<2>::new(database).await;
    let [one, other] = &scene.people;
    let room = one.pair(&scene.server, other).await;
    for number in 1..=count {
        one.say(&scene.server, room, &number.to_string()).await;
    }
    (scene, room)
}

async fn pages_of_thirty_go_back_to_the_first_message(database: Database) {
    let (scene, room) = with_messages(database, 65).await;
    let Scene { server, people } = &scene;
    let path = format!("/api/chat/messages/?chat_room={room}");
    let (newest, [next, previous]) = page(&people[1], server, &path).await;
    assert_eq!(newest, numbers((36..=65).rev()));
    assert_eq!(previous, "");
    assert!(next.starts_with(&format!("{path}&cursor=")), "{next}");
    let (middle, [next, previous]) = page(&people[1], server, &next).await;
    assert_eq!(middle, numbers((6..=35).rev()));
    assert_ne!(previous, "");
    let (oldest, [next, _]) = page(&people[1], server, &next).await;
    assert_eq!(oldest, numbers((1..=5).rev()));
    assert_eq!(next, "");
    // Without the final slash, and of another size.
    let path = format!("/api/chat/messages?page_size=100&chat_room={room}");
    let (all, [next, _]) = page(&people[1], server, &path).await;
    assert_eq!(all, numbers((1..=65).rev()));
    assert_eq!(next, "");
}

async fn messages_that_come_and_go_between_pages_move_nothing(database: Database) {
    let (scene, room) = with_messages(database, 9).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let path = format!("/api/chat/messages/?chat_room={room}&page_size=3");
    let (mut found, [mut next, _]) = page(other, server, &path).await;
    let mut number = 9;
    while !next.is_empty() {
        number += 1;
        let id = one.say(server, room, &number.to_string()).await;
        one.say(server, room, "more").await;
        // What is deleted keeps its place; edits and deletions of the log take none in the list.
        one.delete(server, &format!("messages/{id}/"))
            .await
            .assert_status(204);
        let older;
        (older, [next, _]) = page(other, server, &next).await;
        found.extend(older);
    }
    assert_eq!(found, numbers((1..=9).rev()));
}

async fn pages_lead_forward_again(database: Database) {
    let (scene, room) = with_messages(database, 7).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let path = format!("/api/chat/messages/?chat_room={room}&page_size=3");
    let (_, [next, _]) = page(other, server, &path).await;
    let (_, [next, _]) = page(other, server, &next).await;
    let (oldest, [next, previous]) = page(other, server, &next).await;
    assert_eq!((oldest, next), (numbers([1]), String::new()));

    one.say(server, room, "8").await;
    let (newer, [next, previous]) = page(other, server, &previous).await;
    assert_eq!(newer, numbers([4, 3, 2]));
    assert_eq!(page(other, server, &next).await.0, numbers([1]));
    let (newer, [_, previous]) = page(other, server, &previous).await;
    assert_eq!(newer, numbers([7, 6, 5]));
    let (newest, [next, previous]) = page(other, server, &previous).await;
    assert_eq!((newest, previous), (numbers([8]), String::new()));
    assert_eq!(page(other, server, &next).await.0, numbers([7, 6, 5]));
}

async fn a_page_that_cannot_be_is_refused(database: Database) {
    let (scene, room) = with_messages(database, 1).await;
    let Scene { server, people } = &scene;
    let get = async |path: &str| people[0].get(server, path).await;
    for cursor in [
        "x",
        "",
        "b",
        "bx",
        "b1.5",
        "c1",
        "b99999999999999999999",
        "%FF",
        "a%00",
    ] {
        let path = format!("messages/?chat_room={room}&cursor={cursor}");
        let refused = get(&path).await;
        refused.assert_json(404, &json!({ "detail": "Invalid cursor" }));
    }
    for cursor in ["x", "2-1-1", "1-1", "1-1-x", "0--", "-1", "1-1-1-1"] {
        get(&format!("chatrooms/?cursor={cursor}"))
            .await
            .assert_status(404);
        let members = get(&format!("chatrooms/{room}/members/?cursor={cursor}x")).await;
        members.assert_status(404);
    }
    for size in ["0", "-1", "101", "x", "", "1.5"] {
        for path in ["chatrooms/?", &format!("messages/?chat_room={room}&")] {
            let refused = get(&format!("{path}page_size={size}")).await;
            refused.assert_faulty_fields(&["page_size"]);
        }
    }
    get("messages/").await.assert_faulty_fields(&["chat_room"]);
    get("messages/?chat_room=x")
        .await
        .assert_faulty_fields(&["chat_room"]);
    get("messages/?chat_room=")
        .await
        .assert_faulty_fields(&["chat_room"]);
    get("messages/?chat_room=999999").await.assert_status(404);
    get("messages/?chat_room=-1").await.assert_status(404);
    let since = get(&format!("messages/?chat_room={room}&since=-1")).await;
    since.assert_faulty_fields(&["since"]);
    // A place beyond the end, or before the beginning, is one at which there is nothing.
    for cursor in ["b0", "b-5", &format!("a{}", i64::MAX)] {
        let page = get(&format!("messages/?chat_room={room}&cursor={cursor}")).await;
        assert!(texts(&page).is_empty(), "{cursor}");
    }
}
