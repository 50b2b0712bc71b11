//! Bytes over a socket, for what no HTTP client would send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long the server may take; it has to answer or to close.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to the server.
pub async fn open(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address)
        .await
        .expect("a connection to the server")
}

/// Sends bytes, closes that side, and reads the status of what comes back; `None` when the connection
/// is closed without an answer.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Option<u16> {
    let mut socket = open(address).await;
    let talk = async {
        // A server that refuses early may close while we still write or read.
        let _ = socket.write_all(bytes).await;
        let _ = socket.shutdown().await;
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer).await;
        answer
    };
    let answer = tokio::time::timeout(PATIENCE, talk)
        .await
        .expect("the server neither answered nor closed");
    if answer.is_empty() {
        return None;
    }
    let text = String::from_utf8_lossy(&answer);
    let status = text
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| text.strip_prefix("HTTP/1.0 "))
        .and_then(|rest| rest.get(..3)?.parse().ok());
    Some(status.unwrap_or_else(|| panic!("not HTTP: {text}")))
}
