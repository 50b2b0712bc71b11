//! The socket that comes back: connect, resume, talk, and after a cut the same again.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::api::Api;
use crate::room::{After, Room};
use crate::{Failure, say};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Lines = mpsc::Receiver<String>;

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// After a connection that lived this long the next wait is short again.
const GOOD_AFTER: Duration = Duration::from_secs(10);
const PING_EVERY: Duration = Duration::from_secs(25);
/// A link on which nothing came for so long is dead, whatever the operating system thinks.
const SILENCE: Duration = Duration::from_secs(35);

/// How a connection ended.
enum End {
    /// The user wants no more.
    Quit,
    /// Come back after this time, or after a wait that grows.
    Lost(Option<Duration>),
    /// The token is not good any more.
    TokenEnded,
    /// The same again would end the same way.
    Final(String),
}

/// Talks until the user ends it or the server does for good.
pub(crate) async fn keep(api: &mut Api, room: &mut Room, lines: &mut Lines) -> Result<(), Failure> {
    let mut failures = 0;
    loop {
        let began = Instant::now();
        let end = match connect(api).await {
            Ok(socket) => talk(socket, api, room, lines).await,
            Err(Error::Http(answer)) if answer.status() == StatusCode::UNAUTHORIZED => {
                End::TokenEnded
            }
            Err(_) => End::Lost(None),
        };
        failures = if began.elapsed() > GOOD_AFTER {
            1
        } else {
            failures + 1
        };
        let wait = match end {
            End::Quit => return Ok(()),
            End::Final(why) => return Err(why.into()),
            // Without an answer nobody knows, and it is tried again.
            End::TokenEnded if matches!(api.renew().await, Ok(false)) => {
                return Err("The session has ended: log in again.".into());
            }
            End::TokenEnded => back_off(failures),
            End::Lost(wait) => wait.unwrap_or_else(|| back_off(failures)),
        };
        say("… reconnecting");
        if !write_meanwhile(wait, room, lines).await {
            return Ok(());
        }
    }
}

/// Doubled with each failure, and by chance between half and all of it.
fn back_off(failures: u32) -> Duration {
    let most = FIRST_WAIT.saturating_mul(1 << failures.min(7).saturating_sub(1));
    most.min(LONGEST_WAIT)
        .mul_f64(f64::midpoint(1.0, rand::random()))
}

/// What is written without a connection waits for the next; whether there is more to come.
async fn write_meanwhile(wait: Duration, room: &mut Room, lines: &mut Lines) -> bool {
    let until = Instant::now() + wait;
    loop {
        tokio::select! {
            () = sleep_until(until) => return true,
            line = lines.recv() => match line {
                Some(text) if text.trim().is_empty() => {}
                Some(text) => drop(room.write(text)),
                None => return false,
            },
        }
    }
}

async fn connect(api: &Api) -> Result<Socket, Error> {
    let mut request = api.socket_url().into_client_request()?;
    let bearer = format!("Bearer {}", api.access()).parse()?;
    request.headers_mut().insert(AUTHORIZATION, bearer);
    let connected = timeout(SILENCE, connect_async(request)).await;
    let (socket, _) = connected.map_err(|_| Error::ConnectionClosed)??;
    Ok(socket)
}

async fn talk(mut socket: Socket, api: &mut Api, room: &mut Room, lines: &mut Lines) -> End {
    for frame in room.greeting() {
        if send(&mut socket, &frame).await.is_err() {
            return End::Lost(None);
        }
    }
    let mut wait = None;
    let mut heard = Instant::now();
    let mut pings = interval_at(heard + PING_EVERY, PING_EVERY);
    loop {
        let to_send = tokio::select! {
            message = socket.next() => {
                heard = Instant::now();
                let frame = match message {
                    Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap_or_default(),
                    Some(Ok(Message::Close(close))) => {
                        return after_close(close.map_or(1006, |close| close.code.into()), wait);
                    }
                    Some(Ok(_)) => Value::Null,
                    Some(Err(_)) | None => return End::Lost(wait),
                };
                match room.take(&frame, api).await {
                    After::Nothing => {}
                    After::Reconnect => return End::Lost(None),
                    After::Gone => return End::Final("You are not in this room any more.".into()),
                }
                match frame["type"].as_str() {
                    Some("token_expiring") => {
                        // Without a fresh one the server closes the connection in its time.
                        if !matches!(api.renew().await, Ok(true)) {
                            continue;
                        }
                        json!({ "type": "auth", "token": api.access() })
                    }
                    Some("reconnect") => {
                        wait = frame["after_ms"].as_u64().map(Duration::from_millis);
                        continue;
                    }
                    _ => continue,
                }
            }
            line = lines.recv() => match line {
                Some(text) if text.trim().is_empty() => continue,
                Some(text) => room.write(text),
                None => {
                    let _ = socket.close(None).await;
                    return End::Quit;
                }
            },
            _ = pings.tick() => json!({ "type": "ping" }),
            () = sleep_until(heard + SILENCE) => return End::Lost(None),
        };
        if send(&mut socket, &to_send).await.is_err() {
            return End::Lost(wait);
        }
    }
}

async fn send(socket: &mut Socket, frame: &Value) -> Result<(), Error> {
    socket.send(Message::text(frame.to_string())).await
}

/// The table of docs/websocket.md.
fn after_close(code: u16, wait: Option<Duration>) -> End {
    match code {
        1000 | 1009 | 4400 | 4403 | 4409 => {
            End::Final(format!("The server has closed the connection ({code})."))
        }
        4401 => End::TokenEnded,
        4429 => End::Lost(Some(Duration::from_secs(10))),
        _ => End::Lost(wait),
    }
}
