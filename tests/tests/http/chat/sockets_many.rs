//! Many senders into one room: everyone sees one order, without a gap or a duplicate.

use chelseru_tests::{ChatSocket, Database, Setup, TestServer, on_both_databases};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::{Person, Scene};

on_both_databases! {
    fifty_senders_are_seen_in_one_order_by_everyone
    clients_that_are_cut_again_and_again_miss_nothing
}

const SENDERS: usize = 50;

async fn servers(database: Database) -> (Vec<TestServer>, Vec<Person>, i64) {
    let setup = Setup::new(database).await;
    let setup = setup.config(|config| {
        let config = config.chat_messages_per_user_per_minute(0);
        config.chat_frames_per_socket_per_second(0)
    });
    let Scene { server, people } = Scene::<SENDERS>::on(setup.start().await).await;
    let mut servers = vec![];
    if database == Database::Postgres {
        servers.push(server.beside().await);
    }
    let members: Vec<_> = people[1..].iter().collect();
    let room = people[0].group(&server, &members).await;
    servers.push(server);
    (servers, people.into(), room)
}

fn path(person: &Person, room: i64, since: i64) -> String {
    format!("/api/chat/{room}/?since={since}&token={}", person.access)
}

/// Sends so many messages and reads until all are there, cutting the connection now and then; what it saw.
async fn take_part(
    server: &TestServer,
    person: &Person,
    room: i64,
    messages: usize,
    all: i64,
    cuts: usize,
) -> Vec<i64> {
    let mut random = StdRng::seed_from_u64(person.id.unsigned_abs());
    let mut seen: Vec<i64> = Vec::new();
    let mut acked = 0;
    let mut left = cuts;
    let mut socket = ChatSocket::open(server, &path(person, room, 0)).await;
    while acked < messages || seen.len() < usize::try_from(all).unwrap() {
        let key = acked.to_string();
        if acked < messages {
            socket.say(&json!({"message": key, "client_id": key})).await;
        }
        loop {
            let frame = socket.frame().await;
            match frame["type"].as_str() {
                Some("chat_message") => seen.push(frame["seq"].as_i64().unwrap()),
                Some("ack") if frame["client_id"] == key.as_str() => {
                    acked += 1;
                    break;
                }
                Some("error") => panic!("{frame}"),
                _ => {}
            }
            if acked == messages && seen.len() >= usize::try_from(all).unwrap() {
                return seen;
            }
            if left > 0 && random.random_ratio(1, 100) {
                // The message that is under way is sent again under its key.
                left -= 1;
                let since = seen.last().copied().unwrap_or(0);
                socket = ChatSocket::open(server, &path(person, room, since)).await;
                break;
            }
        }
    }
    seen
}

async fn check(database: Database, messages: usize, cuts: usize) {
    let (servers, people, room) = servers(database).await;
    let all = i64::try_from(SENDERS * messages).unwrap();
    let parts = people.iter().enumerate().map(|(nth, person)| {
        let server = &servers[nth % servers.len()];
        take_part(server, person, room, messages, all, cuts)
    });
    let expected: Vec<_> = (1..=all).collect();
    for seen in futures_util::future::join_all(parts).await {
        assert!(seen == expected, "not one order without gaps");
    }
    let last = people[0].room(&servers[0], room).await;
    assert_eq!(last["last_seq"], all);
}

async fn fifty_senders_are_seen_in_one_order_by_everyone(database: Database) {
    check(database, 200, 0).await;
}

async fn clients_that_are_cut_again_and_again_miss_nothing(database: Database) {
    check(database, 40, 20).await;
}
