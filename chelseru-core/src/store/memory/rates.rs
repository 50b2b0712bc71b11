//! Counters.

use std::collections::HashSet;

use async_trait::async_trait;

use super::{MemoryStore, fault};
use crate::clock::Timestamp;
use crate::store::{Correction, RateStore, StoreResult, Take, TakeResult, Taken};

#[async_trait]
impl RateStore for MemoryStore {
    async fn take(&self, takes: &[Take], now: Timestamp) -> StoreResult<TakeResult> {
        let keys: HashSet<_> = takes.iter().map(|take| &take.key).collect();
        if keys.len() < takes.len() {
            return Err(fault("a key is there twice"));
        }
        let rates = &mut self.tables().rates;
        let wanted: Vec<_> = takes
            .iter()
            .map(|take| {
                let open = rates.get(&take.key).filter(|taken| taken.ends_at > now);
                Taken {
                    total: open
                        .map_or(0, |taken| taken.total)
                        .saturating_add(take.amount),
                    ends_at: open.map_or(now + take.window, |taken| taken.ends_at),
                }
            })
            .collect();
        let last_exhausted = takes
            .iter()
            .zip(&wanted)
            .enumerate()
            .filter(|(_, (take, taken))| taken.total > take.limit)
            .max_by_key(|(_, (_, taken))| taken.ends_at);
        if let Some((index, (_, taken))) = last_exhausted {
            return Ok(TakeResult::Exhausted {
                index,
                ends_at: taken.ends_at,
            });
        }
        for (take, taken) in takes.iter().zip(&wanted) {
            rates.insert(take.key.clone(), *taken);
        }
        Ok(TakeResult::Taken(wanted))
    }

    async fn correct(&self, corrections: &[Correction]) -> StoreResult<()> {
        let rates = &mut self.tables().rates;
        for correction in corrections {
            if let Some(taken) = rates.get_mut(&correction.key)
                && taken.ends_at == correction.ends_at
            {
                taken.total = taken.total.saturating_add_signed(correction.change);
            }
        }
        Ok(())
    }
}
