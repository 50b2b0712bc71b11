//! A client of the chat sockets.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Request, Response};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use crate::TestServer;

/// How long the server may take for a frame; not a measure of speed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A chat socket, as a client has it.
#[derive(Debug)]
pub struct ChatSocket {
    stream: WebSocketStream<TcpStream>,
    /// The answer to the handshake.
    pub handshake: Response<()>,
}

impl ChatSocket {
    /// Opens one; the path holds the token.
    pub async fn open(server: &TestServer, path: &str) -> Self {
        let opened = Self::try_open(server, path, &[]).await;
        opened.unwrap_or_else(|status| panic!("refused with {status}"))
    }

    /// Opens one to the server that listens there.
    pub async fn open_at(address: SocketAddr, path: &str) -> Self {
        let opened = Self::connect(address, path, &[]).await;
        opened.unwrap_or_else(|status| panic!("refused with {status}"))
    }

    /// Opens one with these headers, or gives the status of the refusal.
    pub async fn try_open(
        server: &TestServer,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, u16> {
        Self::connect(server.address(), path, headers).await
    }

    async fn connect(
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, u16> {
        let url = format!("ws://{address}{path}");
        let mut request = url.into_client_request().expect("a URL");
        for (name, value) in headers {
            let name = HeaderName::try_from(*name).expect("a header's name");
            let value = HeaderValue::from_str(value).expect("a header's value");
            request.headers_mut().insert(name, value);
        }
        let stream = TcpStream::connect(address).await;
        let stream = stream.expect("a connection to the server");
        match Self::shake_hands(request, stream).await {
            Ok(socket) => Ok(socket),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("no answer to the handshake: {error}"),
        }
    }

    /// Opens one to the server that listens there; `None` when there is none, or it went away meanwhile.
    pub async fn reach(address: SocketAddr, path: &str) -> Option<Self> {
        let url = format!("ws://{address}{path}");
        let request = url.into_client_request().expect("a URL");
        let stream = TcpStream::connect(address).await.ok()?;
        match Self::shake_hands(request, stream).await {
            Err(Error::Http(answer)) => panic!("refused with {}", answer.status()),
            opened => opened.ok(),
        }
    }

    async fn shake_hands(request: Request<()>, stream: TcpStream) -> Result<Self, Error> {
        let (stream, answer) = tokio_tungstenite::client_async(request, stream).await?;
        Ok(Self {
            stream,
            handshake: answer.map(drop),
        })
    }

    /// This end of the connection.
    pub fn address(&self) -> SocketAddr {
        self.stream.get_ref().local_addr().expect("a socket")
    }

    /// Sends a frame.
    pub async fn say(&mut self, frame: &Value) {
        self.send(Message::text(frame.to_string())).await;
    }

    /// Sends anything.
    pub async fn send(&mut self, message: Message) {
        // A server that has closed is found when its close is read.
        let _ = self.stream.send(message).await;
    }

    async fn next(&mut self) -> Option<Message> {
        let next = tokio::time::timeout(PATIENCE, self.stream.next());
        match next.await.expect("a frame of the server in time") {
            Some(Ok(message)) => Some(message),
            Some(Err(_)) | None => None,
        }
    }

    /// The next frame; presence is left out.
    pub async fn frame(&mut self) -> Value {
        loop {
            match self.next().await {
                Some(Message::Text(text)) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    if frame["type"] != "presence" {
                        return frame;
                    }
                }
                Some(Message::Close(close)) => panic!("closed: {close:?}"),
                Some(_) => {}
                None => panic!("the connection is gone"),
            }
        }
    }

    /// The text of the next frame, presence too; `None` when the server has closed or the connection is gone.
    pub async fn text_if_open(&mut self) -> Option<Utf8Bytes> {
        loop {
            match self.next().await? {
                Message::Text(text) => return Some(text),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// The next frame of this type; others are left out, but an error is not.
    pub async fn frame_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["type"] == kind {
                return frame;
            }
            assert_ne!(frame["type"], "error", "instead of {kind}: {frame}");
        }
    }

    /// Reads to the end: the frames that still came, and the code of the close. `None` when the connection
    /// broke off without one.
    pub async fn closed(&mut self) -> (Vec<Value>, Option<u16>) {
        let mut frames = Vec::new();
        loop {
            match self.next().await {
                Some(Message::Text(text)) => {
                    frames.push(serde_json::from_str(&text).expect("JSON"));
                }
                Some(Message::Close(close)) => {
                    return (frames, close.map(|close| close.code.into()));
                }
                Some(_) => {}
                None => return (frames, None),
            }
        }
    }
}
