//! Chat: messages delivered in rooms of several sizes, messages acknowledged after their commit, and sockets
//! that do nothing, each beside actix-ws alone, which broadcasts and stores nothing, in the same run.

mod bare;
mod load;
mod service;
mod slow;
mod socket;

use std::path::Path;
use std::time::Duration;

pub(crate) use self::bare::serve as serve_bare;
pub(crate) use self::service::serve as serve_chelseru;
pub(crate) use self::slow::measure as measure_slow;
use crate::Result;
use crate::client::Client;
use crate::process::{Folder, Server};
use crate::serve::Front;

/// Members of the rooms in which messages are delivered.
const ROOMS: [usize; 3] = [2, 50, 500];

/// How many send in such a room, if it has as many members, and how many messages of all of them are on
/// their way at once.
const SENDERS: usize = 64;
const WINDOW: usize = 64;

/// Rooms of two in which one sends for acknowledgement, and how many are on their way in each: one from
/// somebody who writes, several from a client that sends what it has kept.
const ACKNOWLEDGED_ROOMS: usize = 250;
const ACKNOWLEDGED_WINDOWS: [usize; 2] = [1, 8];

/// Sockets that do nothing.
const IDLE: [usize; 2] = [1_000, 10_000];

/// For how long they are looked at.
const IDLE_TIME: Duration = Duration::from_secs(3);

/// What the server that is measured has made, in its own words.
#[derive(Debug)]
struct Prepared {
    rooms: Vec<Vec<String>>,
    senders: Vec<String>,
    listeners: Vec<String>,
}

impl Prepared {
    /// Of a line `SIZE PATH`, `ack SENDER'S-PATH LISTENER'S-PATH`.
    fn read(text: &str) -> Self {
        let mut prepared = Self {
            rooms: vec![Vec::new(); ROOMS.len()],
            senders: Vec::new(),
            listeners: Vec::new(),
        };
        for line in text.lines() {
            let words: Vec<_> = line.split(' ').collect();
            match words.as_slice() {
                ["ack", sender, listener] => {
                    prepared.senders.push((*sender).to_owned());
                    prepared.listeners.push((*listener).to_owned());
                }
                [size, path] => {
                    let place = ROOMS.iter().position(|room| room.to_string() == *size);
                    if let Some(room) = place.and_then(|place| prepared.rooms.get_mut(place)) {
                        room.push((*path).to_owned());
                    }
                }
                _ => {}
            }
        }
        prepared
    }

    /// The same for a server that asks nobody who they are.
    fn bare() -> Self {
        let room = |(place, size): (usize, &usize)| {
            vec![format!("/api/chat/{}/", 1_000_000 + place); *size]
        };
        Self {
            rooms: ROOMS.iter().enumerate().map(room).collect(),
            senders: Vec::new(),
            listeners: Vec::new(),
        }
    }
}

/// `speed chat SECONDS [postgres://…]`
pub(crate) fn measure(seconds: u64, database: Option<&str>, folder: &Path) -> Result<()> {
    let time = Duration::from_secs(seconds);
    let chelseru = Kind::Chelseru { database }.on(Front::Listen);
    let bare = Kind::Bare.on(Front::HttpServer);
    println!(
        "| room of | server | delivered/s | chelseru / bare | CPU µs each | p50 ms | p99 ms |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (place, size) in ROOMS.iter().enumerate() {
        let one = on_server(chelseru, folder, |server, prepared| {
            load::fan_out(server, &prepared.rooms[place], SENDERS, WINDOW, time)
        })?;
        let other = on_server(bare, folder, |server, prepared| {
            load::fan_out(server, &prepared.rooms[place], SENDERS, WINDOW, time)
        })?;
        let ratio = one.delivered_per_second / other.delivered_per_second;
        for (name, figures, ratio) in [
            ("chelseru", one, format!("{ratio:.2}")),
            ("actix-ws alone", other, String::new()),
        ] {
            println!(
                "| {size} | {name} | {:.0} | {ratio} | {:.2} | {:.2} | {:.2} |",
                figures.delivered_per_second,
                figures.cpu_microseconds,
                figures.p50_milliseconds,
                figures.p99_milliseconds
            );
        }
    }
    println!(
        "\n| on their way in each of {ACKNOWLEDGED_ROOMS} rooms | acknowledged/s | CPU µs each |"
    );
    println!("| --- | --- | --- |");
    for window in ACKNOWLEDGED_WINDOWS {
        let figures = on_server(chelseru, folder, |server, prepared| {
            load::acknowledged(server, &prepared.senders, &prepared.listeners, window, time)
        })?;
        println!(
            "| {window} | {:.0} | {:.1} |",
            figures.per_second, figures.cpu_microseconds
        );
    }
    println!();
    measure_idle(database, folder)
}

/// `speed chat idle`
pub(crate) fn measure_idle(database: Option<&str>, folder: &Path) -> Result<()> {
    let chelseru = Kind::Chelseru { database };
    println!("| idle sockets | server | KiB each | CPU ms/s |");
    println!("| --- | --- | --- | --- |");
    for count in IDLE {
        for (name, tested) in [
            ("chelseru", chelseru.on(Front::Listen)),
            ("chelseru in `HttpServer`", chelseru.on(Front::HttpServer)),
            ("actix-ws alone", Kind::Bare.on(Front::HttpServer)),
            ("actix-ws alone in `listen`", Kind::Bare.on(Front::Listen)),
        ] {
            let idle = on_server(tested, folder, |server, prepared| {
                let largest = prepared.rooms.last().ok_or("no rooms")?;
                let paths: Vec<_> = largest.iter().cycle().take(count).cloned().collect();
                load::idle(server, &paths, IDLE_TIME)
            })?;
            println!(
                "| {count} | {name} | {:.1} | {:.1} |",
                idle.kib_each, idle.cpu_milliseconds_per_second
            );
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Kind<'a> {
    Chelseru { database: Option<&'a str> },
    Bare,
}

impl<'a> Kind<'a> {
    fn on(self, front: Front) -> Tested<'a> {
        Tested { kind: self, front }
    }
}

/// A server, and what serves it.
#[derive(Clone, Copy)]
struct Tested<'a> {
    kind: Kind<'a>,
    front: Front,
}

/// Does something with a server of its own, on an empty SQLite file unless a database is named.
fn on_server<T>(
    tested: Tested<'_>,
    folder: &Path,
    work: impl FnOnce(&Server, &Prepared) -> Result<T>,
) -> Result<T> {
    let folder = Folder::make(folder)?;
    let front = tested.front.name();
    match tested.kind {
        Kind::Bare => work(&Server::start(&["bare-chat", front])?, &Prepared::bare()),
        Kind::Chelseru { database } => {
            let file = format!("sqlite://{}", folder.file("speed.db")?);
            let server = Server::start(&["chat", front, database.unwrap_or(&file)])?;
            let prepared = prepared_by(&server)?;
            work(&server, &prepared)
        }
    }
}

fn prepared_by(server: &Server) -> Result<Prepared> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut client = Client::connect(server.address).await?;
        let request = format!("GET /prepared HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
        let lines = client.send(request.as_bytes()).await?;
        Ok(Prepared::read(std::str::from_utf8(lines)?))
    })
}
