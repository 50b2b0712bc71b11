//! Hearing of what other nodes did to accounts, so that a token whose session was ended anywhere is
//! refused here within a second, and nobody asks the store for each request.
//!
//! The watch reads the store's sequence of changes ([`AccountChanges`](crate::store::AccountChanges)) a
//! few times a second. As long as it has caught up within the last second, requests are answered from
//! memory; when it fails or stands still they ask the store, so it can make them slower and never wrong.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, broadcast};

use super::Chelseru;
use crate::error::Error;
use crate::store::ChangeNumber;
use crate::user::UserId;

/// Changes in one question.
const PAGE: u32 = 1000;

/// What a listener hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountsChanged {
    /// A session of this account was ended, or the account itself was changed: kept out, say.
    One(UserId),
    /// Nobody knows which accounts were: any may be. So it is when the listener was too slow, and when
    /// this node was away from the database for too long.
    Any,
}

/// The changes of accounts after its making: [`Chelseru::account_changes`].
#[derive(Debug)]
pub struct AccountChangeStream(broadcast::Receiver<AccountsChanged>);

impl AccountChangeStream {
    /// How many changes a listener may be behind before it hears of [`AccountsChanged::Any`].
    pub const CAPACITY: usize = 1024;

    /// The next change; `None` when the service is gone. One change may be told more than once.
    ///
    /// Safe to cancel: a dropped future has taken nothing.
    pub async fn next(&mut self) -> Option<AccountsChanged> {
        match self.0.recv().await {
            Ok(changed) => Some(changed),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(AccountsChanged::Any),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// How far the changes were read, and who listens.
#[derive(Debug)]
pub(super) struct Watch {
    /// `None` until it is known where to begin.
    read: Mutex<Option<ChangeNumber>>,
    listeners: broadcast::Sender<AccountsChanged>,
    is_claimed: AtomicBool,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            read: Mutex::new(None),
            listeners: broadcast::Sender::new(AccountChangeStream::CAPACITY),
            is_claimed: AtomicBool::new(false),
        }
    }

    fn tell(&self, changed: AccountsChanged) {
        // Fails when nobody listens.
        let _ = self.listeners.send(changed);
    }
}

impl Chelseru {
    /// Reads what happened to accounts since the last time, on whichever node, and forgets what was
    /// remembered of them. Afterwards, for a second, requests are answered from memory.
    ///
    /// Adapters call it in the background ([`claim_watch`](Self::claim_watch)). Without it everything
    /// works, and every request asks the store.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]; requests ask the store until it works again.
    pub async fn watch(&self) -> Result<(), Error> {
        let watch = &self.inner.watch;
        let mut read = watch.read.lock().await;
        loop {
            // Before the store is asked: what is committed later is not in its answer.
            let now = self.now();
            let Some(after) = *read else {
                let newest = self.store().newest_change().await?;
                self.inner.sessions.forget_all();
                self.hub().accounts_changed();
                watch.tell(AccountsChanged::Any);
                *read = Some(newest);
                self.inner.sessions.caught_up(now);
                return Ok(());
            };
            let Some(changes) = self.store().changes_after(after, PAGE).await? else {
                tracing::warn!("changes of accounts were missed; nothing is remembered of any");
                *read = None;
                continue;
            };
            for change in &changes {
                self.account_changed(change.user);
                *read = Some(change.number);
            }
            if changes.len() < PAGE as usize {
                self.inner.sessions.caught_up(now);
                return Ok(());
            }
        }
    }

    /// The claim to [watch](Self::watch) in the background, for the first who asks; for adapters, which
    /// are mounted once for each thread. Whoever drops it lets another have it.
    pub fn claim_watch(&self) -> Option<WatchClaim> {
        let is_first = !self.inner.watch.is_claimed.swap(true, Ordering::Relaxed);
        is_first.then(|| WatchClaim {
            service: self.clone(),
            is_failing: false,
        })
    }

    /// The accounts whose sessions were ended or that were changed from now on: on this node at once, on
    /// another within a second while somebody [watches](Self::watch).
    ///
    /// For who holds connections for longer than a request: on [`AccountsChanged::One`] it asks
    /// [`revalidate`](Self::revalidate) for the connections of that account, on
    /// [`AccountsChanged::Any`] for all. Nothing of before the change is remembered when it is told.
    ///
    /// ```
    /// # use chelseru_core::{AccountsChanged, Chelseru, Config, UserId, store::MemoryStore, testing::StubProvider};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let config = Config::builder().signing_key("a secret of at least 32 bytes, kept").build().unwrap();
    /// # let chelseru = Chelseru::builder(config)
    /// #     .store(MemoryStore::new()).sms(StubProvider::new()).build().unwrap();
    /// let mut changes = chelseru.account_changes();
    /// chelseru.watch().await?;
    /// // It is not known what happened before the watch began.
    /// assert_eq!(changes.next().await, Some(AccountsChanged::Any));
    /// # Ok::<(), chelseru_core::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn account_changes(&self) -> AccountChangeStream {
        AccountChangeStream(self.inner.watch.listeners.subscribe())
    }

    /// Forgets what is remembered of an account whose sessions were ended or that was changed, and tells
    /// of it. On this node nobody waits for the watch.
    pub(super) fn account_changed(&self, user: UserId) {
        self.inner.sessions.forget(user);
        self.hub().account_changed(user);
        self.inner.watch.tell(AccountsChanged::One(user));
    }
}

/// The duty to watch, which one task has at a time.
#[derive(Debug)]
pub struct WatchClaim {
    service: Chelseru,
    is_failing: bool,
}

impl WatchClaim {
    /// How long to wait between two calls of [`work`](Self::work): several fit into the second within
    /// which an ended session is refused.
    pub const INTERVAL: Duration = Duration::from_millis(250);

    /// Reads what happened. What fails is logged once, and tried again the next time.
    pub async fn work(&mut self) {
        let done = self.service.watch().await;
        let was_failing = std::mem::replace(&mut self.is_failing, done.is_err());
        match done {
            Ok(()) if was_failing => tracing::info!("watching accounts works again"),
            Err(error) if !was_failing => tracing::warn!(
                ?error,
                "watching accounts failed; every request asks the store"
            ),
            _ => {}
        }
    }
}

impl Drop for WatchClaim {
    fn drop(&mut self) {
        let is_claimed = &self.service.inner.watch.is_claimed;
        is_claimed.store(false, Ordering::Relaxed);
    }
}
