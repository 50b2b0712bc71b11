//! What is measured: messages delivered in rooms of several sizes, messages acknowledged, and sockets that
//! do nothing.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio::task::{LocalSet, spawn_local};

use super::socket::{Reader, Writer, open};
use crate::Result;
use crate::client::find;
use crate::process::Server;

/// Of how many deliveries the delay is looked at: one in so many. A prime, so that each member and each
/// sender has a part in it.
const SAMPLE: u64 = 7;

/// What a room delivered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FanOut {
    pub(crate) delivered_per_second: f64,
    pub(crate) p50_milliseconds: f64,
    pub(crate) p99_milliseconds: f64,
    pub(crate) cpu_microseconds: f64,
}

/// Counts what arrives, and when.
struct Tally {
    start: Instant,
    counting: Cell<bool>,
    delivered: Cell<u64>,
    delays: std::cell::RefCell<Vec<u64>>,
    /// How many messages may be on their way at once.
    window: Semaphore,
    /// How many deliveries of the present messages are awaited.
    members: u64,
}

/// All members of one room listen; `senders` of them send as fast as their messages reach everybody, with
/// `window` messages on their way at most.
pub(crate) fn fan_out(
    server: &Server,
    paths: &[String],
    senders: usize,
    window: usize,
    time: Duration,
) -> Result<FanOut> {
    on_one_thread(async {
        let tally = Rc::new(Tally {
            start: Instant::now(),
            counting: Cell::new(false),
            delivered: Cell::new(0),
            delays: std::cell::RefCell::default(),
            window: Semaphore::new(window),
            members: paths.len() as u64,
        });
        let sockets = connect(server.address, paths).await?;
        let mut writers = Vec::new();
        let arrived = Rc::new(Cell::new(0_u64));
        for (reader, writer) in sockets {
            writers.push(writer);
            spawn_local(listen(reader, Rc::clone(&tally), Rc::clone(&arrived)));
        }
        let kept = writers.split_off(senders.min(writers.len()));
        for (sender, writer) in writers.into_iter().enumerate() {
            spawn_local(talk(sender, writer, Rc::clone(&tally)));
        }
        tokio::time::sleep(time / 4).await;
        tally.counting.set(true);
        let (cpu, start) = (server.cpu_milliseconds()?, Instant::now());
        tokio::time::sleep(time).await;
        tally.counting.set(false);
        let (cpu, elapsed) = (server.cpu_milliseconds()? - cpu, start.elapsed());
        drop(kept);
        let delivered = tally.delivered.get();
        if delivered == 0 {
            return Err("nothing was delivered".into());
        }
        #[allow(clippy::cast_precision_loss, reason = "a figure of a few digits")]
        let delivered = delivered as f64;
        let mut delays = tally.delays.borrow_mut();
        delays.sort_unstable();
        Ok(FanOut {
            delivered_per_second: delivered / elapsed.as_secs_f64(),
            p50_milliseconds: quantile(&delays, 50),
            p99_milliseconds: quantile(&delays, 99),
            cpu_microseconds: cpu * 1000.0 / delivered,
        })
    })
}

async fn listen(mut reader: Reader, tally: Rc<Tally>, arrived: Rc<Cell<u64>>) {
    while let Ok(frame) = reader.next().await {
        let Some(sent_at) = sent_at(frame) else {
            continue;
        };
        // Whichever member it reaches: when as many arrived as there are members, one more may be sent.
        arrived.set(arrived.get() + 1);
        if arrived.get().is_multiple_of(tally.members) {
            tally.window.add_permits(1);
        }
        if tally.counting.get() {
            tally.delivered.set(tally.delivered.get() + 1);
            if tally.delivered.get().is_multiple_of(SAMPLE) {
                let delay = micros(tally.start).saturating_sub(sent_at);
                tally.delays.borrow_mut().push(delay);
            }
        }
    }
}

async fn talk(sender: usize, mut writer: Writer, tally: Rc<Tally>) {
    for number in 0_u64.. {
        let Ok(permit) = tally.window.acquire().await else {
            return;
        };
        permit.forget();
        let text = format!(
            r#"{{"message":"{:016} سلام، خوبی؟","client_id":"{sender}-{number}"}}"#,
            micros(tally.start)
        );
        if writer.send(&text).await.is_err() {
            return;
        }
        // So that nobody takes the whole window at the start.
        tokio::task::yield_now().await;
    }
}

/// Messages that were acknowledged, after their commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acknowledged {
    pub(crate) per_second: f64,
    pub(crate) cpu_microseconds: f64,
}

/// Each sender has `window` messages on their way, in a room of its own with one more member who listens.
pub(crate) fn acknowledged(
    server: &Server,
    senders: &[String],
    listeners: &[String],
    window: usize,
    time: Duration,
) -> Result<Acknowledged> {
    on_one_thread(async {
        let counted = Rc::new(Cell::new(None::<u64>));
        for (mut reader, writer) in connect(server.address, listeners).await? {
            spawn_local(async move {
                while reader.next().await.is_ok() {}
                drop(writer);
            });
        }
        for (reader, writer) in connect(server.address, senders).await? {
            let free = Rc::new(Semaphore::new(window));
            spawn_local(acks(reader, Rc::clone(&free), Rc::clone(&counted)));
            spawn_local(send_all(writer, free));
        }
        tokio::time::sleep(time / 4).await;
        counted.set(Some(0));
        let (cpu, start) = (server.cpu_milliseconds()?, Instant::now());
        tokio::time::sleep(time).await;
        let acknowledged = counted.take().unwrap_or_default();
        let (cpu, elapsed) = (server.cpu_milliseconds()? - cpu, start.elapsed());
        #[allow(clippy::cast_precision_loss, reason = "a figure of a few digits")]
        let acknowledged = acknowledged as f64;
        Ok(Acknowledged {
            per_second: acknowledged / elapsed.as_secs_f64(),
            cpu_microseconds: cpu * 1000.0 / acknowledged,
        })
    })
}

async fn acks(mut reader: Reader, free: Rc<Semaphore>, counted: Rc<Cell<Option<u64>>>) {
    while let Ok(frame) = reader.next().await {
        if frame.starts_with(br#"{"type":"ack""#) {
            free.add_permits(1);
            counted.set(counted.get().map(|count| count + 1));
        }
    }
}

async fn send_all(mut writer: Writer, free: Rc<Semaphore>) {
    for number in 0_u64.. {
        let Ok(permit) = free.acquire().await else {
            return;
        };
        permit.forget();
        let text = format!(r#"{{"message":"سلام، خوبی؟ {number}","client_id":"{number}"}}"#);
        if writer.send(&text).await.is_err() {
            return;
        }
    }
}

/// What sockets that do nothing cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Idle {
    pub(crate) kib_each: f64,
    pub(crate) cpu_milliseconds_per_second: f64,
}

/// Opens all of these sockets and lets them be.
pub(crate) fn idle(server: &Server, paths: &[String], time: Duration) -> Result<Idle> {
    on_one_thread(async {
        let before = server.resident_kib()?;
        let mut sockets = connect(server.address, paths).await?;
        // What greets them has been sent when one asks for memory.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let after = server.resident_kib()?;
        let (cpu, start) = (server.cpu_milliseconds()?, Instant::now());
        tokio::time::sleep(time).await;
        let cpu = server.cpu_milliseconds()? - cpu;
        let elapsed = start.elapsed().as_secs_f64();
        sockets.clear();
        #[allow(clippy::cast_precision_loss, reason = "a figure of a few digits")]
        Ok(Idle {
            kib_each: (after - before) / paths.len() as f64,
            cpu_milliseconds_per_second: cpu / elapsed,
        })
    })
}

pub(super) async fn connect(
    address: SocketAddr,
    paths: &[String],
) -> Result<Vec<(Reader, Writer)>> {
    const AT_ONCE: usize = 64;
    let mut sockets = Vec::with_capacity(paths.len());
    for some in paths.chunks(AT_ONCE) {
        for socket in join_all(some.iter().map(|path| open(address, path))).await {
            sockets.push(socket?);
        }
    }
    Ok(sockets)
}

pub(super) fn on_one_thread<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, work)
}

/// When the message in a frame was sent, in microseconds since the start.
pub(super) fn sent_at(frame: &[u8]) -> Option<u64> {
    const FIELD: &[u8] = br#""message":""#;
    if frame.starts_with(br#"{"type":"ack""#) {
        return None;
    }
    let start = find(frame, FIELD)? + FIELD.len();
    std::str::from_utf8(frame.get(start..start + 16)?)
        .ok()?
        .parse()
        .ok()
}

pub(super) fn micros(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX)
}

pub(super) fn quantile(sorted: &[u64], percent: usize) -> f64 {
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    #[allow(clippy::cast_precision_loss, reason = "a figure of a few digits")]
    sorted
        .get(place)
        .map_or(f64::NAN, |micros| *micros as f64 / 1000.0)
}
