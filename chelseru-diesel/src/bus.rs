//! The bus between servers over one PostgreSQL: its LISTEN and NOTIFY.
//!
//! One connection of its own, beside the pool. What is published waits in a bounded queue and goes out
//! in batches: each is one statement, however many hints there are. Notifications are limited to 8,000
//! bytes, so the frame of a long message stays behind, and a server that has clients for it reads it from
//! the store.
//!
//! A connection that breaks is made again. What waited goes out then; for what was under way, and for what
//! came while nobody listened, everyone concerned hears that something may be lost.

use std::collections::VecDeque;
use std::fmt;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
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

/// What stands for hints that may be lost.
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
    /// Some were dropped since the last batch.
    has_dropped: bool,
    /// A batch was taken, and nobody knows yet whether it arrived.
    is_under_way: bool,
}

impl PostgresBus {
    pub(crate) fn new(mut config: Config) -> Self {
        // Whoever looks into pg_stat_activity can tell it from the pool's connections.
        let name = config.get_application_name().unwrap_or("chelseru");
        config.application_name(format!("{name} bus"));
        Self {
            config,
            waiting: Mutex::default(),
            has_more: Notify::new(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics while it holds the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes out next. It is under way until it is [told](Self::was_told).
    fn next_batch(&self) -> Vec<String> {
        let mut waiting = self.waiting();
        let count = waiting.hints.len().min(BATCH);
        let mut batch: Vec<_> = waiting.hints.drain(..count).collect();
        let went_down = std::mem::take(&mut waiting.is_under_way);
        if std::mem::take(&mut waiting.has_dropped) || went_down {
            batch.push(LOST.to_owned());
        }
        waiting.is_under_way = !batch.is_empty();
        batch
    }

    fn was_told(&self) {
        self.waiting().is_under_way = false;
    }

    /// Serves over one connection until it breaks.
    async fn serve(
        &self,
        heard: &(dyn Fn(Heard) + Send + Sync),
        pause: &mut Duration,
    ) -> Result<(), tokio_postgres::Error> {
        let Some(connected) = in_time(self.config.connect(NoTls)).await else {
            return Ok(());
        };
        let (client, connection) = connected?;
        let listening = pin!(listen(connection, heard));
        let telling = pin!(async {
            match in_time(client.batch_execute(LISTEN)).await {
                Some(listens) => listens?,
                None => return Ok(()),
            }
            *pause = FIRST_PAUSE;
            // There may have been clients and news before.
            heard(Heard::Lost);
            self.tell(&client).await
        });
        match future::select(listening, telling).await {
            Either::Left((ended, _)) | Either::Right((ended, _)) => ended,
        }
    }

    async fn tell(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        let Some(notify) = in_time(client.prepare(NOTIFY)).await else {
            return Ok(());
        };
        let notify = notify?;
        loop {
            let batch = self.next_batch();
            if batch.is_empty() {
                self.has_more.notified().await;
                continue;
            }
            match in_time(client.execute(&notify, &[&batch])).await {
                Some(told) => drop(told?),
                None => return Ok(()),
            }
            self.was_told();
        }
    }
}

/// The answer of the server, unless it takes too long.
async fn in_time<T>(answer: impl Future<Output = T>) -> Option<T> {
    let answer = timeout(ANSWER_TIME, answer).await;
    if answer.is_err() {
        tracing::warn!("the bus between the servers hangs; trying again");
    }
    answer.ok()
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
        let mut waiting = self.waiting();
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
        loop {
            if let Err(error) = self.serve(heard, &mut pause).await {
                tracing::warn!(%error, "the bus between the servers is cut; trying again");
            }
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

#[cfg(test)]
mod tests {
    use chelseru_core::chat::{Bus, Hint};
    use tokio_postgres::Config;

    use super::{BATCH, LOST, MOST_WAITING, PostgresBus};

    fn bus(hints: usize) -> PostgresBus {
        let bus = PostgresBus::new(Config::new());
        for _ in 0..hints {
            bus.publish(Hint::read(""));
        }
        bus
    }

    #[test]
    fn what_was_told_is_told_once() {
        let bus = bus(BATCH + 1);
        for length in [BATCH, 1] {
            assert_eq!(bus.next_batch().len(), length);
            bus.was_told();
        }
        assert!(bus.next_batch().is_empty());
    }

    #[test]
    fn a_batch_that_went_down_with_its_connection_may_be_lost() {
        let bus = bus(1);
        assert_eq!(bus.next_batch().len(), 1);
        assert_eq!(bus.next_batch(), [LOST]);
        // Neither is it known whether that arrived.
        assert_eq!(bus.next_batch(), [LOST]);
        bus.was_told();
        assert!(bus.next_batch().is_empty());
    }

    #[test]
    fn hints_that_do_not_fit_are_said_to_be_lost() {
        let bus = bus(MOST_WAITING + 1);
        assert_eq!(bus.next_batch().last().map(String::as_str), Some(LOST));
        bus.was_told();
        assert_eq!(bus.next_batch().len(), BATCH);
    }
}
