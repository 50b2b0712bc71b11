//! Chat sockets of the real server, to its end.

use chelseru_tests::{ChatSocket, Database, on_both_databases};

use crate::harness::Installation;

async fn sigterm_sends_clients_away_and_the_server_ends(database: Database) {
    let installation = Installation::new(database).await;
    let server = installation.start();
    let access = server.log_in("09121234567").await.unwrap().access;
    let address = server.address().parse().unwrap();
    let mut socket = ChatSocket::open_at(address, &format!("/api/chat/?token={access}")).await;
    assert_eq!(socket.frame().await["type"], "hello");

    let ended = tokio::task::spawn_blocking(move || server.terminate());
    let (frames, code) = socket.closed().await;
    assert_eq!(code, Some(1001));
    assert_eq!(frames.last().unwrap()["type"], "reconnect");
    let (status, logs) = ended.await.unwrap();
    assert!(status.success(), "{status}");
    assert!(!logs.contains(&access), "a token in the logs");
}
on_both_databases! { sigterm_sends_clients_away_and_the_server_ends }
