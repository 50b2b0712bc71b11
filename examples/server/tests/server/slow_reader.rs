//! A member stops reading while long messages flow: the server keeps a little of them and puts the member
//! out, and whoever comes back gets everything.

use std::net::SocketAddr;
use std::sync::Arc;

use chelseru_tests::{ChatSocket, Database, has_connection, on_both_databases, until};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::chat_member::{Entry, Frame, Member, Person, Stage, all_of, people, stored};
use crate::harness::{Installation, Server};

on_both_databases! { a_reader_that_stops_costs_little_is_closed_and_has_everything_when_it_is_back }

const SENDERS: usize = 4;
/// Together fewer than `CHAT.MAX_REPLAY`, so that the socket brings them all.
const MESSAGES: usize = 2400;
const ALL: usize = SENDERS * MESSAGES;

/// Of two bytes each: all messages are 79 MB.
const CHARACTERS: usize = 4096;

/// How much more memory than before the server may have used, far from all messages. On SQLite five connections
/// may keep 8 MiB of pages each, which has nothing to do with who reads.
fn most_kib(database: Database) -> u32 {
    match database {
        Database::Sqlite => 64 * 1024,
        Database::Postgres => 16 * 1024,
    }
}

/// A client that has missed more than this pages through the rest.
const REPLAY_LATER: &str = "2000";

fn address(server: &Server) -> SocketAddr {
    server.address().parse().unwrap()
}

/// Reads what still comes until the connection is found to be over.
async fn read_to_the_end(mut socket: ChatSocket) -> (Vec<Entry>, Option<u16>) {
    let (frames, code) = socket.closed().await;
    let frames = frames.iter().map(Value::to_string);
    let log = frames.filter_map(|text| Frame::read(&text).entry());
    (log.collect(), code)
}

/// Everything after a place, page by page.
async fn page_through(server: &Server, person: &Person, since: i64) -> Vec<Entry> {
    let mut log = Vec::new();
    let first = format!(
        "/api/chat/messages/?chat_room={}&since={since}&page_size=100",
        person.room
    );
    let mut next = Some(first);
    while let Some(path) = next {
        let request = server.http.get(server.url(&path));
        let answer = request.bearer_auth(&person.access).send().await.unwrap();
        let page: Value = answer.json().await.unwrap();
        let entries = page["results"]
            .as_array()
            .unwrap_or_else(|| panic!("{page}"));
        log.extend(entries.iter().map(|entry| {
            let text = entry.to_string();
            Frame::read(&text).entry().unwrap()
        }));
        next = page["next"].as_str().map(str::to_owned);
    }
    log
}

async fn a_reader_that_stops_costs_little_is_closed_and_has_everything_when_it_is_back(
    database: Database,
) {
    let installation = Installation::new(database)
        .await
        .set("CHELSERU_CHAT__LIMITS__MESSAGES_PER_USER_PER_MINUTE", "0")
        .set("CHELSERU_CHAT__LIMITS__FRAMES_PER_SOCKET_PER_SECOND", "0");
    let mut servers = vec![installation.start()];
    if database == Database::Postgres {
        servers.push(installation.start());
    }
    let mut people = people(&servers[0], SENDERS + 1).await;
    let slow = people.pop().unwrap();
    let its_server = servers.last().unwrap();
    let socket = ChatSocket::open_at(address(its_server), &slow.path(0)).await;
    let client = socket.address();
    assert!(has_connection(address(its_server), client));
    let before = its_server.memory_kib("VmRSS");

    let stage = Arc::new(Stage::free());
    *stage.addresses.lock().unwrap() = servers.iter().map(address).collect();
    let mut taking_part = JoinSet::new();
    for (nth, person) in people.into_iter().enumerate() {
        let member = Member::new(nth, person, MESSAGES, ALL).at_length(CHARACTERS);
        let stage = Arc::clone(&stage);
        taking_part.spawn(async move { member.take_part(&stage).await });
    }
    let members = all_of(taking_part).await;
    let log = stored(&installation, slow.room).await;
    for Member {
        nth,
        log: had,
        connections,
        ..
    } in &members
    {
        assert!(*had == log, "member {nth} has another log");
        assert_eq!(*connections, 1, "nobody else was put out");
    }
    until("the slow one is put out", async || {
        !has_connection(address(its_server), client)
    })
    .await;
    let more = its_server.memory_kib("VmHWM") - before;
    assert!(more < most_kib(database), "it took {more} KiB");
    let (had, code) = read_to_the_end(socket).await;
    assert!(matches!(code, None | Some(4508)), "{code:?}");
    assert!(
        had.len() < ALL / 2,
        "it was put out early, not after {}",
        had.len()
    );

    let back = Member::new(0, slow.clone(), 0, ALL).with_log(had);
    let back = back.take_part(&stage).await;
    assert!(back.log == log, "everything, over the socket");

    for server in servers {
        server.terminate();
    }
    let installation = installation.set("CHELSERU_CHAT__MAX_REPLAY", REPLAY_LATER);
    let server = installation.start();
    let mut socket = ChatSocket::open_at(address(&server), &slow.path(0)).await;
    let too_far = socket.frame_of("too_far").await;
    assert_eq!(
        (&too_far["since"], &too_far["seq"]),
        (&json!(0), &json!(ALL))
    );
    socket.say(&json!({ "message": "live" })).await;
    assert_eq!(socket.frame_of("chat_message").await["seq"], ALL + 1);
    let mut paged = page_through(&server, &slow, 0).await;
    assert_eq!(paged.pop().unwrap().text, "live");
    assert!(paged == log, "everything, page by page");
}
