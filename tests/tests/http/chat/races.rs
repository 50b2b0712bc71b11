//! Many at once.

use std::collections::{BTreeMap, BTreeSet};

use chelseru_tests::{Answer, Call, ChatSocket, Database, TestServer, on_both_databases};
use futures_util::future::{join, join_all};
use serde_json::json;

use super::{Person, Scene, id_of, results};

on_both_databases! {
    fifty_sends_under_one_client_id_are_one_message
    fifty_sends_over_routes_and_sockets_and_after_a_restart_are_one_message
    of_many_openings_of_a_room_for_two_one_makes_it
    messages_of_many_over_two_servers_have_numbers_without_gaps
    a_ban_among_many_messages_is_the_last_that_is_heard_of_the_banned
    many_changes_at_once_are_all_made
}

async fn at_once(calls: impl IntoIterator<Item = Call>) -> (BTreeMap<u16, usize>, Vec<Answer>) {
    let answers = join_all(calls.into_iter().map(IntoFuture::into_future)).await;
    let mut statuses = BTreeMap::new();
    for answer in &answers {
        *statuses.entry(answer.status).or_default() += 1;
    }
    (statuses, answers)
}

async fn fifty_sends_under_one_client_id_are_one_message(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let beside = server.beside().await;
    let servers = [server, &beside];
    let room = one.pair(server, other).await;
    let body = json!({ "chat_room": room, "text": "سلام", "client_id": "7f3" });
    let sends = (0..50).map(|nth| one.post(servers[nth % 2], "messages/", &body));
    let (statuses, answers) = at_once(sends).await;
    assert_eq!(statuses, BTreeMap::from([(200, 49), (201, 1)]));
    let ids: BTreeSet<_> = answers.iter().map(id_of).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(other.texts(server, room).await, ["سلام"]);
    assert_eq!(other.room(server, room).await["last_seq"], 1);
}

/// Sends it so many times over a socket without waiting; the ids of the acknowledgements.
async fn send_over(server: &TestServer, one: &Person, room: i64, times: usize) -> Vec<i64> {
    let mut socket = ChatSocket::open(server, &one.room_path(room)).await;
    for _ in 0..times {
        socket
            .say(&json!({ "message": "سلام", "client_id": "7f3" }))
            .await;
    }
    let mut ids = Vec::new();
    while ids.len() < times {
        let ack = socket.frame_of("ack").await;
        assert_eq!((&ack["client_id"], &ack["seq"]), (&json!("7f3"), &json!(1)));
        ids.push(ack["id"].as_i64().unwrap());
    }
    ids
}

async fn fifty_sends_over_routes_and_sockets_and_after_a_restart_are_one_message(
    database: Database,
) {
    let Scene { server, people } = Scene::<2>::new(database).await;
    let [one, other] = &people;
    let beside = server.beside().await;
    let room = one.pair(&server, other).await;
    let body = json!({ "chat_room": room, "text": "سلام", "client_id": "7f3" });
    let mut witness = ChatSocket::open(&beside, &other.room_path(room)).await;
    let servers = [&server, &beside];
    let by_route = (0..25).map(|nth| one.post(servers[nth % 2], "messages/", &body));
    let by_socket = (0..5).map(|nth| send_over(servers[nth % 2], one, room, 5));
    let ((statuses, answers), acks) = join(at_once(by_route), join_all(by_socket)).await;
    assert!(statuses.keys().all(|status| [200, 201].contains(status)));
    assert!(statuses.get(&201).is_none_or(|made| *made == 1));
    let mut ids: BTreeSet<_> = answers.iter().map(id_of).collect();
    ids.extend(acks.into_iter().flatten());
    assert_eq!(ids.len(), 1, "{ids:?}");

    drop(beside.restart(|setup| setup).await);
    let server = server.restart(|setup| setup).await;
    let by_route = (0..25).map(|_| one.post(&server, "messages/", &body));
    let by_socket = (0..5).map(|_| send_over(&server, one, room, 5));
    let ((statuses, answers), acks) = join(at_once(by_route), join_all(by_socket)).await;
    assert_eq!(statuses, BTreeMap::from([(200, 25)]));
    ids.extend(answers.iter().map(id_of));
    ids.extend(acks.into_iter().flatten());
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(other.texts(&server, room).await, ["سلام"]);
    assert_eq!(other.room(&server, room).await["last_seq"], 1);
    let (frames, _) = witness.closed().await;
    let told = frames
        .iter()
        .filter(|frame| frame["type"] == "chat_message");
    assert!(told.count() <= 1, "{frames:?}");
}

async fn of_many_openings_of_a_room_for_two_one_makes_it(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let beside = server.beside().await;
    let servers = [server, &beside];
    let opens = (0..40).map(|nth| {
        let (who, with) = if nth % 4 < 2 {
            (one, other)
        } else {
            (other, one)
        };
        who.post(servers[nth % 2], "chatrooms/", &json!({ "user": with.id }))
    });
    let (statuses, answers) = at_once(opens).await;
    assert_eq!(statuses, BTreeMap::from([(200, 39), (201, 1)]));
    let ids: BTreeSet<_> = answers.iter().map(id_of).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(results(&one.get(server, "chatrooms/").await).len(), 1);
}

async fn messages_of_many_over_two_servers_have_numbers_without_gaps(database: Database) {
    let scene = Scene::<5>::new(database).await;
    let Scene { server, people } = &scene;
    let beside = server.beside().await;
    let servers = [server, &beside];
    let members: Vec<_> = people[1..].iter().collect();
    let room = people[0].group(server, &members).await;
    let sends = (0..200).map(|nth| {
        let text = format!("{nth}");
        people[nth % 5].send(servers[nth % 2], room, &text)
    });
    let (statuses, answers) = at_once(sends).await;
    assert_eq!(statuses, BTreeMap::from([(201, 200)]));
    let told: BTreeMap<_, _> = answers
        .iter()
        .map(|answer| (answer.field("seq").as_i64().unwrap(), answer.field("text")))
        .collect();
    assert!(told.keys().copied().eq(1..=200));

    let mut read = BTreeMap::new();
    let mut page = people[4]
        .get(
            server,
            &format!("messages/?chat_room={room}&since=0&page_size=100"),
        )
        .await;
    loop {
        for entry in results(&page) {
            read.insert(entry["seq"].as_i64().unwrap(), entry["message"].clone());
        }
        let next = page.field("next");
        if next.is_null() {
            break;
        }
        page = people[4].follow(server, &next).await;
    }
    assert_eq!(read, told);
}

async fn a_ban_among_many_messages_is_the_last_that_is_heard_of_the_banned(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [owner, member] = people;
    let beside = server.beside().await;
    let servers = [server, &beside];
    let room = owner.group(server, &[member]).await;
    let ban = json!({ "user": member.id });
    let calls = (0..60).map(|nth| {
        if nth == 30 {
            owner.post(server, &format!("chatrooms/{room}/bans/"), &ban)
        } else {
            member.send(servers[nth % 2], room, "a")
        }
    });
    let (statuses, answers) = at_once(calls).await;
    answers[30].assert_status(201);
    let stored = statuses[&201] - 1;
    let refused = statuses.get(&404).copied().unwrap_or_default();
    assert_eq!(stored + refused, 59, "{statuses:?}");
    assert_eq!(owner.texts(server, room).await.len(), stored);
    for server in servers {
        member.send(server, room, "b").await.assert_status(404);
    }
}

async fn many_changes_at_once_are_all_made(database: Database) {
    let scene = Scene::<6>::new(database).await;
    let Scene { server, people } = &scene;
    let [owner, others @ ..] = people;
    let room = owner.group(server, &[]).await;
    let path = format!("chatrooms/{room}/members/");
    let adds = others
        .iter()
        .map(|other| owner.post(server, &path, &json!({ "user": other.id })));
    let (statuses, _) = at_once(adds).await;
    assert_eq!(statuses, BTreeMap::from([(201, 5)]));
    assert_eq!(owner.room(server, room).await["member_count"], 6);
    let again = others
        .iter()
        .map(|_| owner.post(server, &path, &json!({ "user": others[0].id })));
    assert_eq!(at_once(again).await.0, BTreeMap::from([(200, 5)]));
}
