//! The load: three phases, each a number of requests over all connections, each connection with one
//! request at a time.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::time::Instant;

use futures_util::future::try_join_all;
use rand::RngExt;

use crate::Result;
use crate::client::{Client, find};
use crate::hanging::HANGING;
use crate::options::Options;
use crate::process::Server;

/// The names of the phases.
pub(crate) const PHASES: [&str; 3] = ["POST otp/send/", "POST authenticate/", "GET sessions/"];

/// How many logins go before the measured ones.
const WARM_UP: usize = 256;

const USER_AGENT: &str = "Mozilla/5.0 (Linux; Android 14; SM-A546E) AppleWebKit/537.36 (KHTML, like Gecko) \
                          Chrome/126.0.0.0 Mobile Safari/537.36";

/// What was measured of one phase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phase {
    pub(crate) per_second: f64,
    /// The server's processor time for a request.
    pub(crate) cpu_milliseconds: f64,
    pub(crate) p50_milliseconds: f64,
    pub(crate) p99_milliseconds: f64,
}

/// What was measured of a server from its start to its end.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    pub(crate) phases: [Phase; 3],
    pub(crate) peak_mib: f64,
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, phase) in PHASES.iter().zip(&self.phases) {
            write!(f, "{name} {:.0}/s; ", phase.per_second)?;
        }
        write!(f, "{:.0} MiB", self.peak_mib)
    }
}

/// Mobile numbers, none twice.
#[derive(Debug)]
pub(crate) struct Numbers(u32);

impl Numbers {
    pub(crate) fn random() -> Self {
        Self(rand::rng().random_range(0..1_000_000_000))
    }

    pub(crate) fn take(&mut self, count: usize) -> Vec<String> {
        std::iter::repeat_with(|| {
            self.0 = (self.0 + 1) % 1_000_000_000;
            format!("09{:09}", self.0)
        })
        .filter(|number| !number.starts_with(HANGING))
        .take(count)
        .collect()
    }
}

pub(crate) fn run(server: &Server, options: &Options, numbers: &mut Numbers) -> Result<Round> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let load = Load {
            server,
            connections: options.connections,
        };
        load.phases(numbers.take(WARM_UP), WARM_UP).await?;
        let phases = load
            .phases(numbers.take(options.logins), options.reads)
            .await?;
        Ok(Round {
            phases,
            peak_mib: server.peak_mib()?,
        })
    })
}

pub(crate) struct Load<'a> {
    pub(crate) server: &'a Server,
    pub(crate) connections: usize,
}

impl Load<'_> {
    /// Logs all the numbers in, and reads their sessions `reads` times.
    async fn phases(&self, numbers: Vec<String>, reads: usize) -> Result<[Phase; 3]> {
        let (send, authenticate, tokens) = self.log_in(numbers).await?;
        let sessions = self.sessions(&tokens, reads).await?;
        Ok([send, authenticate, sessions])
    }

    /// Logs all the numbers in, and gives their access tokens.
    pub(crate) async fn tokens(&self, numbers: Vec<String>) -> Result<Vec<String>> {
        Ok(self.log_in(numbers).await?.2)
    }

    /// Reads the sessions of these tokens' users `reads` times.
    pub(crate) async fn sessions(&self, tokens: &[String], reads: usize) -> Result<Phase> {
        let requests: Vec<_> = tokens.iter().map(|token| get(token)).collect();
        Ok(self.phase(&requests, reads).await?.0)
    }

    async fn log_in(&self, numbers: Vec<String>) -> Result<(Phase, Phase, Vec<String>)> {
        let requests = numbers
            .iter()
            .map(|number| post("otp/send/", &format!(r#"{{"mobile_number":"{number}"}}"#)));
        let requests: Vec<_> = requests.collect();
        let (send, _) = self.phase(&requests, requests.len()).await?;

        let codes = self.codes().await?;
        let requests = numbers.iter().map(|number| {
            let code = codes
                .get(number)
                .ok_or_else(|| format!("no code for {number}"))?;
            let body = format!(r#"{{"mobile_number":"{number}","code":"{code}"}}"#);
            Ok(post("authenticate/", &body))
        });
        let requests = requests.collect::<Result<Vec<_>>>()?;
        let (authenticate, answers) = self.phase(&requests, requests.len()).await?;

        let tokens = answers
            .iter()
            .map(|answer| Ok(access_token(answer)?.to_owned()));
        let tokens = tokens.collect::<Result<Vec<_>>>()?;
        Ok((send, authenticate, tokens))
    }

    /// Sends `count` requests, from the first to the last and again. The answers come in any order.
    async fn phase(&self, requests: &[Vec<u8>], count: usize) -> Result<(Phase, Vec<Vec<u8>>)> {
        let mut clients = Vec::new();
        for _ in 0..self.connections {
            clients.push(Client::connect(self.server.address).await?);
        }
        let next = Cell::new(0);
        let cpu = self.server.cpu_milliseconds()?;
        let start = Instant::now();
        let work = clients.iter_mut().map(|client| async {
            let mut done = Vec::new();
            loop {
                let index = next.replace(next.get() + 1);
                if index >= count {
                    break Ok::<_, Box<dyn std::error::Error>>(done);
                }
                let request = &requests[index % requests.len()];
                let start = Instant::now();
                let answer = client.send(request).await?.to_vec();
                done.push((start.elapsed().as_secs_f64() * 1000.0, answer));
            }
        });
        let done = try_join_all(work).await?;
        let seconds = start.elapsed().as_secs_f64();
        let cpu = self.server.cpu_milliseconds()? - cpu;

        let (mut latencies, answers): (Vec<f64>, Vec<_>) = done.into_iter().flatten().unzip();
        latencies.sort_by(f64::total_cmp);
        let count = f64::from(u32::try_from(latencies.len())?);
        let phase = Phase {
            per_second: count / seconds,
            cpu_milliseconds: cpu / count,
            p50_milliseconds: latencies[latencies.len() / 2],
            p99_milliseconds: latencies[latencies.len() * 99 / 100],
        };
        Ok((phase, answers))
    }

    /// The codes that the server sent, by number.
    async fn codes(&self) -> Result<HashMap<String, String>> {
        let mut client = Client::connect(self.server.address).await?;
        let body = client
            .send(b"GET /codes HTTP/1.1\r\nhost: speed\r\n\r\n")
            .await?;
        let lines = std::str::from_utf8(body)?.lines();
        let pairs = lines.filter_map(|line| line.split_once(' '));
        Ok(pairs
            .map(|(number, code)| (number.to_owned(), code.to_owned()))
            .collect())
    }
}

pub(crate) fn post(path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST /api/{path} HTTP/1.1\r\nhost: speed\r\nuser-agent: {USER_AGENT}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn get(token: &str) -> Vec<u8> {
    format!(
        "GET /api/sessions/ HTTP/1.1\r\nhost: speed\r\nuser-agent: {USER_AGENT}\r\n\
         authorization: Bearer {token}\r\n\r\n"
    )
    .into_bytes()
}

fn access_token(answer: &[u8]) -> Result<&str> {
    let name = br#""access":""#;
    let start = find(answer, name).ok_or("an answer without a token")? + name.len();
    let token = answer[start..].split(|byte| *byte == b'"').next();
    Ok(std::str::from_utf8(token.unwrap_or_default())?)
}
