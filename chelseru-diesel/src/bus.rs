//! The bus between servers over one PostgreSQL: its LISTEN and NOTIFY.
//!
//! One connection of its own, beside the pool. What is published waits in a bounded queue and goes out
//! in batches: each is one statement, however many hints there are. Notifications are limited to 8,000
//! bytes, so the frame of a long message stays behind, and a server that has clients for it reads it from
//! the store.

use std::collections::VecDeque;
use std::fmt;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chelseru_core::chat::{Bus, Heard, Hint};
use futures_util::future::{self, Either};
use futures_util::stream::{self, StreamExt};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Socket};

/// PostgreSQL takes less than 8,000 bytes.
const MOST_BYTES: usize = 7_999;

/// How many hints may wait. That is seconds of a busy service: beyond it the others read the store.
const MOST_WAITING: usize = 10_000;

/// How many go out in one statement.
const BATCH: usize = 256;

/// How long the server may take for anything.
const ANSWER_TIME: Duration = Duration::from_secs(5);

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

const LISTEN: &str = "LISTEN chelseru_chat";
const NOTIFY: &str = "SELECT pg_notify('chelseru_chat', hint) FROM unnest($1::text[]) AS hint";

/// What stands for hints that were dropped.
const LOST: &str = "";

/// The servers over one PostgreSQL database as one chat.
pub(crate) struct PostgresBus {
    config: Config,
    waiting: Mutex<Waiting>,
    has_more: Notify,
}

#[derive(Default)]
struct Waiting {
    hints: VecDeque<String>,
    has_dropped: bool,
}

impl PostgresBus {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            waiting: Mutex::default(),
            has_more: Notify::new(),
        }
    }

    fn next_batch(&self) -> Vec<String> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.hints.len().min(BATCH);
        let mut batch: Vec<_> = waiting.hints.drain(..count).collect();
        if std::mem::take(&mut waiting.has_dropped) {
            batch.push(LOST.to_owned());
        }
        batch
    }

    /// Serves over one connection until it breaks.
    async fn serve(
        &self,
        heard: &(dyn Fn(Heard) + Send + Sync),
        is_first: bool,
        pause: &mut Duration,
    ) -> Result<(), tokio_postgres::Error> {
        let connecting = timeout(ANSWER_TIME, self.config.connect(NoTls));
        let Ok(connected) = connecting.await else {
            return Ok(());
        };
        let (client, connection) = connected?;
        let listening = pin!(listen(connection, heard));
        let telling = pin!(async {
            match timeout(ANSWER_TIME, client.batch_execute(LISTEN)).await {
                Ok(listens) => listens?,
                Err(_) => return Ok(()),
            }
            *pause = FIRST_PAUSE;
            if !is_first {
                heard(Heard::Lost);
            }
            self.tell(&client).await
        });
        match future::select(listening, telling).await {
            Either::Left((ended, _)) | Either::Right((ended, _)) => ended,
        }
    }

    async fn tell(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        let notify = client.prepare(NOTIFY).await?;
        loop {
            let batch = self.next_batch();
            if batch.is_empty() {
                self.has_more.notified().await;
                continue;
            }
            match timeout(ANSWER_TIME, client.execute(&notify, &[&batch])).await {
                Ok(told) => drop(told?),
                Err(_) => return Ok(()),
            }
        }
    }
}

async fn listen(
    mut connection: Connection<Socket, NoTlsStream>,
    heard: &(dyn Fn(Heard) + Send + Sync),
) -> Result<(), tokio_postgres::Error> {
    let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
    while let Some(message) = messages.next().await {
        if let AsyncMessage::Notification(notification) = message? {
            heard(match notification.payload() {
                LOST => Heard::Lost,
                text => Heard::Hint(Hint::read(text)),
            });
        }
    }
    Ok(())
}

#[async_trait]
impl Bus for PostgresBus {
    fn publish(&self, hint: Hint) {
        let Some(text) = hint.text(MOST_BYTES) else {
            return;
        };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.hints.len() < MOST_WAITING {
            waiting.hints.push_back(text);
        } else {
            waiting.has_dropped = true;
        }
        drop(waiting);
        self.has_more.notify_one();
    }

    async fn run(&self, heard: &(dyn Fn(Heard) + Send + Sync)) {
        let mut pause = FIRST_PAUSE;
        let mut is_first = true;
        loop {
            if let Err(error) = self.serve(heard, is_first, &mut pause).await {
                tracing::warn!(%error, "the bus between the servers is cut; trying again");
            }
            is_first = false;
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl fmt::Debug for PostgresBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresBus")
    }
}
