//! Removing what has run out.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Chelseru;
use crate::error::Error;

/// Rows of each kind in one statement: short enough to let logins in between.
const BATCH: u32 = 500;

impl Chelseru {
    /// How long to wait between two calls of [`sweep`](Self::sweep).
    pub const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

    /// Removes codes and sessions that have run out, in small batches, and says how many rows.
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
                return Ok(removed);
            }
        }
    }

    /// The claim to call [`sweep`](Self::sweep) from time to time, for the first who asks; for
    /// adapters, which are mounted once for each thread. Whoever drops it lets another have it.
    pub fn claim_housekeeping(&self) -> Option<HousekeepingClaim> {
        let is_first = !self
            .inner
            .housekeeping_claimed
            .swap(true, Ordering::Relaxed);
        is_first.then(|| HousekeepingClaim(self.clone()))
    }
}

/// The duty to sweep, which one task has at a time.
#[derive(Debug)]
pub struct HousekeepingClaim(Chelseru);

impl HousekeepingClaim {
    /// The service to sweep.
    pub fn service(&self) -> &Chelseru {
        &self.0
    }
}

impl Drop for HousekeepingClaim {
    fn drop(&mut self) {
        self.0
            .inner
            .housekeeping_claimed
            .store(false, Ordering::Relaxed);
    }
}
