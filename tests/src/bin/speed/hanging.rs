//! What a provider that hangs costs everybody else: the sessions route, measured in turns while nobody
//! sends and while many wait for a provider that has read their message and says nothing.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::Result;
use crate::client::Client;
use crate::load::{Load, Numbers, Phase, post};
use crate::process::{Folder, Server};

/// Numbers that begin so are sent to through the provider that hangs.
pub(crate) const HANGING: &str = "0999";

/// As `SMS.MAX_CONCURRENT` is by default: so many messages reach the provider.
const REACH_THE_PROVIDER: usize = 64;

const LOGINS: usize = 256;
const READS: usize = 40_000;
const CONNECTIONS: usize = 64;

pub(crate) fn measure(rounds: usize, sends: usize, folder: &Path) -> Result<()> {
    println!(
        "{sends} sends wait for a provider that hangs; GET sessions/ over {CONNECTIONS} connections, \
         {READS} reads\n"
    );
    println!(
        "| round | p50 ms alone | p50 ms while they wait | p99 ms alone | p99 ms while they wait | \
         p99 ratio | slowest send | answers | peak MiB before, after |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut numbers = Numbers::random();
    for round in 1..=rounds {
        let folder = Folder::make(folder)?;
        let database = format!("sqlite://{}", folder.file("speed.db")?);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(one_round(round, sends, &database, &mut numbers))?;
    }
    Ok(())
}

async fn one_round(
    round: usize,
    sends: usize,
    database: &str,
    numbers: &mut Numbers,
) -> Result<()> {
    let provider = HangingProvider::start().await?;
    let server = Server::start(&["chelseru", database, &provider.url])?;
    let load = Load {
        server: &server,
        connections: CONNECTIONS,
    };
    let tokens = load.tokens(numbers.take(LOGINS)).await?;
    load.sessions(&tokens, READS).await?;

    let alone = load.sessions(&tokens, READS).await?;
    let before = server.peak_mib()?;
    let start = Instant::now();
    let waiting = join_all((0..sends).map(|n| send(server.address, n)));
    let meanwhile = async {
        provider.has_read(sends.min(REACH_THE_PROVIDER)).await?;
        load.sessions(&tokens, READS).await
    };
    let waiting = async { Ok((waiting.await, start.elapsed())) };
    let ((answers, slowest), busy) = try_join(waiting, meanwhile).await?;
    report(round, &alone, &busy, &answers, slowest);
    println!("{before:.0}, {:.0} |", server.peak_mib()?);
    Ok(())
}

fn report(round: usize, alone: &Phase, busy: &Phase, answers: &[String], slowest: Duration) {
    let mut statuses = std::collections::BTreeMap::new();
    for status in answers {
        *statuses.entry(status).or_insert(0) += 1;
    }
    print!(
        "| {round} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} s | {statuses:?} | ",
        alone.p50_milliseconds,
        busy.p50_milliseconds,
        alone.p99_milliseconds,
        busy.p99_milliseconds,
        busy.p99_milliseconds / alone.p99_milliseconds,
        slowest.as_secs_f64(),
    );
}

/// Asks for a code through the provider that hangs, and gives the status of the answer.
async fn send(address: SocketAddr, n: usize) -> String {
    let body = format!(r#"{{"mobile_number":"{HANGING}{n:07}"}}"#);
    let answer = async {
        let mut client = Client::connect(address).await?;
        client.send(&post("otp/send/", &body)).await?;
        Ok::<_, Box<dyn std::error::Error>>(())
    };
    match answer.await {
        Ok(()) => "200".to_owned(),
        Err(error) => {
            let text = error.to_string();
            let status = text.split(' ').nth(1).unwrap_or("no answer");
            status.to_owned()
        }
    }
}

/// Reads requests and never answers.
struct HangingProvider {
    url: String,
    read: Arc<Semaphore>,
}

impl HangingProvider {
    async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let read = Arc::new(Semaphore::new(0));
        let count = Arc::clone(&read);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(hang(stream, Arc::clone(&count)));
            }
        });
        Ok(Self { url, read })
    }

    /// Waits until so many requests have come.
    async fn has_read(&self, requests: usize) -> Result<()> {
        let permits = self.read.acquire_many(u32::try_from(requests)?).await?;
        permits.forget();
        Ok(())
    }
}

async fn hang(mut stream: TcpStream, count: Arc<Semaphore>) {
    let mut buffer = [0; 4096];
    if stream.read(&mut buffer).await.is_ok() {
        count.add_permits(1);
    }
    // Until the client goes.
    while let Ok(1..) = stream.read(&mut buffer).await {}
}
