//! What is done in the background: removing what has run out, finding out what became of messages,
//! watching balances.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Chelseru;
use crate::clock::Timestamp;
use crate::error::Error;

/// Rows of each kind in one statement: short enough to let logins in between.
const BATCH: u32 = 500;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often what has run out is removed.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// How often balances are asked for, where somebody wants to know.
const BALANCES_EVERY: Duration = Duration::from_secs(15 * 60);

impl Chelseru {
    /// Removes codes, sessions, counters, idempotency keys and changes of accounts that have run out, and
    /// messages that were logged `SMS.LOG_DAYS` ago, in small batches, and says how many rows.
    ///
    /// Adapters call it in the background; calling it from several processes is harmless.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]; what was removed before stays removed.
    pub async fn sweep(&self) -> Result<u64, Error> {
        let now = self.now();
        let mut removed = 0;
        loop {
            let rows = self.store().purge(now, BATCH).await?;
            removed += rows;
            if rows < u64::from(BATCH) {
                break;
            }
        }
        Ok(removed + self.sweep_log(now).await?)
    }

    async fn sweep_log(&self, now: Timestamp) -> Result<u64, Error> {
        let mut removed = 0;
        let days = self.config().sms.log_days;
        if days == 0 {
            return Ok(removed);
        }
        loop {
            let rows = self.store().purge_sms(now - DAY * days, BATCH).await?;
            removed += rows;
            if rows < u64::from(BATCH) {
                return Ok(removed);
            }
        }
    }

    /// The claim to the work in the background, for the first who asks; for adapters, which are
    /// mounted once for each thread. Whoever drops it lets another have it.
    pub fn claim_housekeeping(&self) -> Option<HousekeepingClaim> {
        let is_first = !self
            .inner
            .housekeeping_claimed
            .swap(true, Ordering::Relaxed);
        is_first.then(|| HousekeepingClaim {
            service: self.clone(),
            swept_at: None,
            balances_at: None,
        })
    }
}

/// The duty to work in the background, which one task has at a time.
#[derive(Debug)]
pub struct HousekeepingClaim {
    service: Chelseru,
    swept_at: Option<Timestamp>,
    balances_at: Option<Timestamp>,
}

impl HousekeepingClaim {
    /// How long to wait between two calls of [`work`](Self::work).
    pub const INTERVAL: Duration = Duration::from_secs(5);

    /// Does what is due. What fails is logged, and due again the next time.
    pub async fn work(&mut self) {
        let service = &self.service;
        let now = service.now();
        let is_due = |last: Option<Timestamp>, every| {
            // A clock that was set back puts nothing off.
            last.is_none_or(|last| last + every <= now || now < last)
        };

        // First what needs nobody's answer.
        if is_due(self.swept_at, SWEEP_EVERY) {
            match service.sweep().await {
                Ok(rows) => {
                    self.swept_at = Some(now);
                    if rows > 0 {
                        tracing::debug!(rows, "removed what had run out");
                    }
                }
                Err(error) => tracing::warn!(?error, "removing what had run out failed"),
            }
        }
        match service.remove_discarded_files().await {
            Ok(0) => {}
            Ok(files) => tracing::debug!(files, "removed files that nobody needs"),
            Err(error) => tracing::warn!(?error, "removing files failed"),
        }
        match service.follow_up_sms().await {
            Ok(0) => {}
            Ok(messages) => tracing::debug!(messages, "looked after messages"),
            Err(error) => tracing::warn!(?error, "looking after messages failed"),
        }
        if service.watches_balances() && is_due(self.balances_at, BALANCES_EVERY) {
            service.sms_balances().await;
            self.balances_at = Some(now);
        }
    }
}

impl Drop for HousekeepingClaim {
    fn drop(&mut self) {
        self.service
            .inner
            .housekeeping_claimed
            .store(false, Ordering::Relaxed);
    }
}
