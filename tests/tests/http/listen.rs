//! What `chelseru_actix::listen` does for any application: connections that leave HTTP, and their end.

use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::rt::{System, spawn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, Error, HttpRequest, HttpResponse};
use actix_ws::Message;
use chelseru_tests::{open, run, until};
use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// How long the server may take; not a measure of speed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than any test: who waits for it hangs.
const FOR_EVER: u64 = 3600;

/// A masked text frame, and what it is answered with.
const HI: &[u8] = b"\x81\x82\0\0\0\0hi";
const HI_AGAIN: &[u8] = b"\x81\x02hi";

/// A server with routes of its own.
struct Served {
    address: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    fn start(routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (started, start) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            System::new().block_on(async move {
                let server = Server::build()
                    .workers(1)
                    .disable_signals()
                    .shutdown_timeout(FOR_EVER);
                let app = move || App::new().configure(routes.clone());
                let keep_alive = Duration::from_secs(FOR_EVER);
                let server = chelseru_actix::listen(server, listener, keep_alive, app);
                let server = server.unwrap().run();
                started.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self {
            address,
            handle: start.recv().unwrap(),
            thread: Some(thread),
        }
    }

    async fn open(&self) -> TcpStream {
        open(self.address).await
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok() || std::thread::panicking());
        }
    }
}

fn handshake(path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .into_bytes()
}

/// Reads until this has come.
async fn read_to(client: &mut TcpStream, end: &[u8]) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end) {
        let read = timeout(PATIENCE, client.read_buf(&mut bytes)).await;
        let read = read.expect("an answer in time").unwrap();
        assert_ne!(read, 0, "closed after {}", String::from_utf8_lossy(&bytes));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn read_to_end(client: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = timeout(PATIENCE, client.read_to_end(&mut bytes)).await;
    read.expect("an end in time").unwrap();
    String::from_utf8(bytes).unwrap()
}

fn routes(routes: &mut ServiceConfig) {
    routes
        .route("/hello", web::get().to(async || "hello"))
        .route("/echo", web::get().to(echo))
        .route("/refused", web::get().to(refuse));
}

/// A socket of an application's own, read by a task of its own.
async fn echo(request: HttpRequest, body: web::Payload) -> Result<HttpResponse, Error> {
    let (response, mut session, mut messages) = actix_ws::handle(&request, body)?;
    spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            if let Message::Text(text) = message {
                session.text(text).await.unwrap();
            }
        }
    });
    Ok(response)
}

async fn refuse() -> HttpResponse {
    HttpResponse::Forbidden().body("not you")
}

#[test]
fn a_socket_of_the_applications_own_is_served() {
    run(async {
        let server = Served::start(routes);
        let mut client = server.open().await;
        client.write_all(&handshake("/echo")).await.unwrap();
        let head = read_to(&mut client, b"\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(
            head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            "the accepted key: {head}"
        );
        for _ in 0..3 {
            client.write_all(HI).await.unwrap();
            let answer = read_to(&mut client, HI_AGAIN).await;
            assert_eq!(answer.chars().count(), HI_AGAIN.len(), "{answer}");
        }
    });
}

#[test]
fn what_is_sent_together_with_a_handshake_is_not_lost() {
    run(async {
        let server = Served::start(routes);
        let mut client = server.open().await;
        let together = [&handshake("/echo"), HI].concat();
        client.write_all(&together).await.unwrap();
        let answer = read_to(&mut client, HI_AGAIN).await;
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    });
}

#[test]
fn answers_to_earlier_requests_come_before_that_to_a_handshake() {
    run(async {
        let server = Served::start(routes);
        let mut client = server.open().await;
        let earlier = b"GET /hello HTTP/1.1\r\nHost: test\r\n\r\n".as_slice();
        let together = [earlier, earlier, &handshake("/echo"), HI].concat();
        client.write_all(&together).await.unwrap();
        let answers = read_to(&mut client, HI_AGAIN).await;
        let statuses: Vec<_> = answers
            .split("HTTP/1.1 ")
            .skip(1)
            .map(|answer| &answer[..3])
            .collect();
        assert_eq!(statuses, ["200", "200", "101"], "{answers}");
    });
}

#[test]
fn a_handshake_that_is_refused_is_answered_and_the_connection_closes() {
    run(async {
        let server = Served::start(routes);
        for (path, status, body) in [("/refused", "403", "not you"), ("/nowhere", "404", "")] {
            let mut client = server.open().await;
            client.write_all(&handshake(path)).await.unwrap();
            let answer = read_to_end(&mut client).await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{answer}"
            );
            assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
            assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{answer}");
        }
    });
}

#[test]
fn a_client_that_does_not_close_after_the_end_is_let_go() {
    run(async {
        let server = Served::start(routes);
        let mut client = server.open().await;
        client.write_all(&handshake("/refused")).await.unwrap();
        read_to_end(&mut client).await;
        until("the connection is gone", async || {
            client.write_all(b"still here").await.is_err()
        })
        .await;
    });
}

/// A socket that ends at once or with its client, and says when its reader has ended.
async fn watch(
    request: HttpRequest,
    body: web::Payload,
    ended: web::Data<UnboundedSender<()>>,
) -> Result<HttpResponse, Error> {
    let (response, session, mut messages) = actix_ws::handle(&request, body)?;
    let ends_at_once = request.query_string() == "end";
    spawn(async move {
        let session = if ends_at_once {
            session.close(None).await.unwrap();
            None
        } else {
            Some(session)
        };
        while let Some(Ok(_)) = messages.next().await {}
        drop(session);
        ended.send(()).unwrap();
    });
    Ok(response)
}

#[test]
fn who_reads_is_told_when_the_client_is_gone_or_the_answer_has_ended() {
    run(async {
        let (sender, mut ended) = unbounded_channel::<()>();
        let server = Served::start(move |routes| {
            routes
                .app_data(web::Data::new(sender.clone()))
                .route("/watch", web::get().to(watch));
        });
        let mut client = server.open().await;
        client.write_all(&handshake("/watch")).await.unwrap();
        read_to(&mut client, b"\r\n\r\n").await;
        drop(client);
        until("the reader has ended", async || ended.try_recv().is_ok()).await;

        let mut client = server.open().await;
        client.write_all(&handshake("/watch?end")).await.unwrap();
        until("the reader has ended", async || ended.try_recv().is_ok()).await;
        drop(client);
    });
}

#[test]
fn a_server_that_stops_does_not_wait_for_connections_without_a_request() {
    run(async {
        let mut server = Served::start(routes);
        let mut client = server.open().await;
        let request = b"GET /hello HTTP/1.1\r\nHost: test\r\n\r\n";
        client.write_all(request).await.unwrap();
        read_to(&mut client, b"hello").await;
        server.handle.stop(true).await;
        let thread = server.thread.take().unwrap();
        until("the server has stopped", async || thread.is_finished()).await;
    });
}
