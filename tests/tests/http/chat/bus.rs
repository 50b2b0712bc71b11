//! Two servers over one PostgreSQL, while the connections over which they hear of each other break.

use std::time::Duration;

use chelseru_tests::{ChatSocket, Database, Proxy, Setup, on_both_databases, until};
use serde_json::json;
use tokio_postgres::{Client, NoTls};

use super::{Scene, apart};

on_both_databases! {
    postgres only:
    what_is_sent_while_the_bus_is_cut_arrives_once_and_in_order
    a_session_that_ends_while_a_server_hears_nothing_loses_its_sockets_there
    messages_too_long_for_the_bus_arrive_on_other_servers
}

async fn setup(database: Database) -> Setup {
    Setup::new(database).await.config(|config| {
        let config = config.chat_frames_per_socket_per_second(0);
        config.chat_typing(Duration::ZERO)
    })
}

/// A connection to the database of its own.
struct Scissors(Client);

impl Scissors {
    async fn new(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        Self(client)
    }

    /// Ends the connection of each of the two servers over which it hears of the other.
    async fn cut(&self) {
        for _ in 0..2 {
            until("a connection of the bus is cut", async || {
                let cut = self.0.query(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                     WHERE datname = current_database() AND application_name = 'chelseru bus' LIMIT 1",
                    &[],
                );
                cut.await.unwrap().len() == 1
            })
            .await;
        }
    }
}

/// Types on one server until it is seen on the other: that is nowhere but on the bus.
async fn until_hints_flow(from: &mut ChatSocket, to: &mut ChatSocket) {
    let typing = async {
        loop {
            from.say(&json!({ "type": "typing" })).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        _ = to.frame_of("typing") => {}
        () = typing => {}
    }
}

async fn what_is_sent_while_the_bus_is_cut_arrives_once_and_in_order(database: Database) {
    const CUTS: i64 = 10;
    const BETWEEN: i64 = 20;
    let setup = setup(database).await;
    let scissors = Scissors::new(setup.database().url()).await;
    let Scene { server, people } = Scene::<2>::on(setup.start().await).await;
    let beside = server.beside().await;
    let [one, _] = &people;
    let (room, [mut here, mut there]) = apart(&people, &server, &beside).await;
    until_hints_flow(&mut here, &mut there).await;
    for _ in 0..CUTS {
        scissors.cut().await;
        for _ in 0..BETWEEN {
            one.say(&server, room, "a").await;
        }
    }
    for seq in 1..=CUTS * BETWEEN {
        assert_eq!(there.frame_of("chat_message").await["seq"], seq);
    }
    until_hints_flow(&mut here, &mut there).await;
    one.say(&server, room, "after").await;
    let next = there.frame_of("chat_message").await;
    assert_eq!(next["message"], "after", "and nothing twice: {next}");
}

async fn a_session_that_ends_while_a_server_hears_nothing_loses_its_sockets_there(
    database: Database,
) {
    let setup = setup(database).await;
    let mut proxy = Proxy::to(setup.database().address()).await;
    let Scene { server, people } = Scene::<2>::on(setup.clone().start().await).await;
    let beside = setup.behind(proxy.address()).start().await;
    let [one, other] = &people;
    let room = one.pair(&server, other).await;
    let mut ending = ChatSocket::open(&beside, &other.room_path(room)).await;
    let mut staying = ChatSocket::open(&beside, &one.room_path(room)).await;
    let mut here = ChatSocket::open(&server, &other.room_path(room)).await;
    until_hints_flow(&mut here, &mut staying).await;

    proxy.refuse().await;
    other.log_out(&server).await;
    // Its hint has arrived where it could, and the server beside is not told again.
    assert_eq!(here.closed().await.1, Some(4401));
    proxy.recover().await;
    // No time passes on the servers' clock, after which they would look by themselves.
    assert_eq!(ending.closed().await.1, Some(4401));
    staying.say(&json!({ "type": "ping" })).await;
    staying.frame_of("pong").await;
}

async fn messages_too_long_for_the_bus_arrive_on_other_servers(database: Database) {
    let Scene { server, people } = Scene::<2>::new(database).await;
    let beside = server.beside().await;
    let [one, _] = &people;
    let (room, [_here, mut there]) = apart(&people, &server, &beside).await;
    // Two bytes a letter. Around 7,750 bytes it is one byte that decides whether the frame fits.
    let mut texts = vec!["س".repeat(4096)];
    texts.extend((0..200).map(|more| "س".repeat(3800) + &"x".repeat(more)));
    texts.push("short".to_owned());
    texts.push("س".repeat(4096));
    for text in &texts {
        one.say(&server, room, text).await;
    }
    for (seq, text) in (1..).zip(&texts) {
        let told = there.frame_of("chat_message").await;
        assert_eq!(told["seq"], seq);
        assert!(told["message"] == text.as_str(), "message {seq} as it was");
    }
}
