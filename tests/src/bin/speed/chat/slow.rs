//! What a reader that stops reading costs everybody else: the delay of the others' messages, measured in turns
//! without it and with it, and whether it has everything when it is back.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use chelseru_tests::has_connection;
use serde_json::Value;
use tokio::net::TcpSocket;
use tokio::sync::Semaphore;
use tokio::task::spawn_local;

use super::load::{connect, micros, on_one_thread, quantile, sent_at};
use super::socket::{Reader, Writer, open_over};
use super::{Kind, on_server};
use crate::Result;
use crate::client::{Client, find};
use crate::process::Server;
use crate::serve::Front;

const ROUNDS: usize = 3;
const READERS: usize = 20;
const SENDERS: usize = 4;

/// How many messages are on their way at once.
const WINDOW: usize = 16;

/// As little as a client's kernel keeps for it, so that it is the server that has to.
const SLOW_BUFFER: u32 = 64 * 1024;

const SIGN_EVERY: Duration = Duration::from_secs(15);

/// One in so many delays is looked at; a prime.
const SAMPLE: u64 = 7;

/// `speed slow [MESSAGES] [postgres://…]`
pub(crate) fn measure(messages: u64, database: Option<&str>, folder: &Path) -> Result<()> {
    println!(
        "{messages} messages to {READERS} readers, {SENDERS} of whom send, with {WINDOW} on their way\n"
    );
    println!(
        "| round | p50 ms without | p50 ms with | p99 ms without | p99 ms with | p99 ratio | closed after | \
         peak MiB before, after | it had | back |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for round in 1..=ROUNDS {
        let chelseru = Kind::Chelseru { database }.on(Front::Listen);
        on_server(chelseru, folder, |server, prepared| {
            // The room of 50; the rest of its members are away.
            let paths = prepared.rooms.get(1).ok_or("no room")?;
            one_round(round, server, paths, messages)
        })?;
    }
    Ok(())
}

fn one_round(round: usize, server: &Server, paths: &[String], messages: u64) -> Result<()> {
    let (slow, others) = paths.split_last().ok_or("nobody is in the room")?;
    let others = others.get(..READERS).ok_or("too few are in the room")?;
    on_one_thread(async {
        let warm_up = messages / 10;
        flow(server, others, warm_up).await?;
        let without = flow(server, others, messages).await?;
        let before = server.peak_mib()?;
        // It has what was sent so far.
        let since = warm_up + messages;
        let stopped = Stopped::open(server.address, &from(slow, since)).await?;
        let start = Instant::now();
        let closed = spawn_local(stopped.closed(start));
        let with = flow(server, others, messages).await?;
        let (mut reader, closed) = closed.await?;
        let after = server.peak_mib()?;
        let had = read_rest(&mut reader, since).await?;
        let back = come_back(server.address, slow, had, since + messages).await?;
        let quantiles = |percent| (quantile(&without, percent), quantile(&with, percent));
        let ((p50, p50_with), (p99, p99_with)) = (quantiles(50), quantiles(99));
        println!(
            "| {round} | {p50:.2} | {p50_with:.2} | {p99:.2} | {p99_with:.2} | {:.2} | {:.1} s | \
             {before:.0}, {after:.0} | {} | {back} |",
            p99_with / p99,
            closed.as_secs_f64(),
            had - since,
        );
        Ok(())
    })
}

fn from(path: &str, since: u64) -> String {
    format!("{path}&since={since}")
}

/// Sends so many messages until everybody has them; the delays in microseconds, sorted.
async fn flow(server: &Server, paths: &[String], messages: u64) -> Result<Vec<u64>> {
    let start = Instant::now();
    let window = Rc::new(Semaphore::new(WINDOW));
    let arrived = Rc::new(Cell::new(0));
    let delays = Rc::new(RefCell::new(Vec::new()));
    let left = Rc::new(Cell::new(messages));
    let mut readers = Vec::new();
    let mut writers = Vec::new();
    for (reader, writer) in connect(server.address, paths).await? {
        writers.push(writer);
        let (window, arrived) = (Rc::clone(&window), Rc::clone(&arrived));
        let listener = Listener {
            start,
            window,
            arrived,
            delays: Rc::clone(&delays),
        };
        readers.push(spawn_local(listener.listen(reader, messages)));
    }
    let silent = writers.split_off(SENDERS);
    let mut talking: Vec<_> = silent.into_iter().map(|it| spawn_local(stay(it))).collect();
    for writer in writers {
        let talk = talk(writer, start, Rc::clone(&window), Rc::clone(&left));
        talking.push(spawn_local(talk));
    }
    for reader in readers {
        reader.await??;
    }
    for talking in talking {
        talking.abort();
    }
    let mut delays = delays.take();
    delays.sort_unstable();
    Ok(delays)
}

struct Listener {
    start: Instant,
    window: Rc<Semaphore>,
    arrived: Rc<Cell<u64>>,
    delays: Rc<RefCell<Vec<u64>>>,
}

impl Listener {
    async fn listen(self, mut reader: Reader, messages: u64) -> Result<()> {
        let mut had = 0;
        while had < messages {
            let Some(sent_at) = sent_at(reader.next().await?) else {
                continue;
            };
            had += 1;
            let arrived = self.arrived.get() + 1;
            self.arrived.set(arrived);
            if arrived.is_multiple_of(READERS as u64) {
                self.window.add_permits(1);
            }
            if arrived.is_multiple_of(SAMPLE) {
                let delay = micros(self.start).saturating_sub(sent_at);
                self.delays.borrow_mut().push(delay);
            }
        }
        Ok(())
    }
}

async fn talk(
    mut writer: Writer,
    start: Instant,
    window: Rc<Semaphore>,
    left: Rc<Cell<u64>>,
) -> Result<()> {
    while let Some(rest) = left.get().checked_sub(1) {
        left.set(rest);
        window.acquire().await?.forget();
        let text = format!(r#"{{"message":"{:016} سلام، خوبی؟"}}"#, micros(start));
        writer.send(&text).await?;
        tokio::task::yield_now().await;
    }
    // The others still send: the socket stays open until all have everything.
    std::future::pending().await
}

/// Gives a sign now and then, without which the server takes who only reads for gone.
async fn stay(mut writer: Writer) -> Result<()> {
    loop {
        writer.send(r#"{"type":"ping"}"#).await?;
        tokio::time::sleep(SIGN_EVERY).await;
    }
}

/// A socket that nobody reads.
struct Stopped {
    reader: Reader,
    writer: Writer,
    server: SocketAddr,
    client: SocketAddr,
}

impl Stopped {
    async fn open(server: SocketAddr, path: &str) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(SLOW_BUFFER)?;
        let stream = socket.connect(server).await?;
        let client = stream.local_addr()?;
        let (reader, writer) = open_over(stream, path).await?;
        Ok(Self {
            reader,
            writer,
            server,
            client,
        })
    }

    /// Until the server has given the connection up, and how long that took.
    async fn closed(self, start: Instant) -> (Reader, Duration) {
        while has_connection(self.server, self.client) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        drop(self.writer);
        (self.reader, start.elapsed())
    }
}

/// Reads what had still come after that place, to the end of the connection.
async fn read_rest(reader: &mut Reader, since: u64) -> Result<u64> {
    let mut at = since;
    // The end is an error here, and what is expected.
    while let Ok(frame) = reader.next().await {
        if sent_at(frame).is_some() {
            at = follows(at, seq_of(frame)?)?;
        }
    }
    Ok(at)
}

/// Comes back as docs/websocket.md says: resumes, or pages through when that is too far. How it got the rest.
async fn come_back(server: SocketAddr, path: &str, since: u64, end: u64) -> Result<&'static str> {
    let stream = TcpSocket::new_v4()?.connect(server).await?;
    let (mut reader, _writer) = open_over(stream, &from(path, since)).await?;
    let mut at = since;
    loop {
        let frame = reader.next().await?;
        if sent_at(frame).is_some() {
            at = follows(at, seq_of(frame)?)?;
        } else if frame.starts_with(br#"{"type":"synced""#) {
            return ends(at, end, "all, by the socket");
        } else if frame.starts_with(br#"{"type":"too_far""#) {
            at = page_through(server, path, at).await?;
            return ends(at, end, "all, by pages");
        }
    }
}

async fn page_through(server: SocketAddr, path: &str, since: u64) -> Result<u64> {
    // Of `/api/chat/ROOM/?token=TOKEN`.
    let room = path.split('/').nth(3).ok_or("no room")?;
    let (_, token) = path.split_once("token=").ok_or("no token")?;
    let mut client = Client::connect(server).await?;
    let mut at = since;
    let mut next = Some(format!(
        "/api/chat/messages/?chat_room={room}&since={since}&page_size=100"
    ));
    while let Some(path) = next {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {server}\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        let page: Value = serde_json::from_slice(client.send(request.as_bytes()).await?)?;
        for entry in page["results"].as_array().ok_or("a page without results")? {
            at = follows(at, entry["seq"].as_u64().ok_or("an entry without a place")?)?;
        }
        next = page["next"].as_str().map(str::to_owned);
    }
    Ok(at)
}

fn follows(at: u64, seq: u64) -> Result<u64> {
    if seq == at + 1 {
        Ok(seq)
    } else {
        Err(format!("{seq} came after {at}").into())
    }
}

fn ends(at: u64, end: u64, how: &'static str) -> Result<&'static str> {
    if at == end {
        Ok(how)
    } else {
        Err(format!("the log ended at {at}, not at {end}").into())
    }
}

fn seq_of(frame: &[u8]) -> Result<u64> {
    const FIELD: &[u8] = br#""seq":"#;
    let start = find(frame, FIELD).ok_or("a message without a place")? + FIELD.len();
    let digits = frame[start..].split(|byte| !byte.is_ascii_digit()).next();
    Ok(std::str::from_utf8(digits.unwrap_or_default())?.parse()?)
}
