//! What happened to accounts.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::super::{AccountChange, AccountChanges, CHANGES_KEPT, ChangeNumber, StoreResult};
use super::MemoryStore;
use crate::clock::Timestamp;
use crate::user::UserId;

#[derive(Debug, Default)]
pub(super) struct Changes {
    newest: i64,
    kept: BTreeMap<ChangeNumber, (UserId, Timestamp)>,
}

impl Changes {
    /// Adds a change of the account.
    pub(super) fn note(&mut self, user: UserId, now: Timestamp) {
        self.newest += 1;
        self.kept.insert(ChangeNumber(self.newest), (user, now));
    }

    pub(super) fn purge(&mut self, now: Timestamp, limit: usize) -> usize {
        let kept_since = now - CHANGES_KEPT;
        let is_old = |(_, (_, at)): &(&ChangeNumber, &(UserId, Timestamp))| *at <= kept_since;
        let old = self.kept.iter().filter(is_old).map(|(number, _)| *number);
        let old: Vec<_> = old.take(limit).collect();
        for number in &old {
            self.kept.remove(number);
        }
        old.len()
    }
}

#[async_trait]
impl AccountChanges for MemoryStore {
    async fn newest_change(&self) -> StoreResult<ChangeNumber> {
        Ok(ChangeNumber(self.tables().changes.newest))
    }

    async fn changes_after(
        &self,
        after: ChangeNumber,
        limit: u32,
    ) -> StoreResult<Option<Vec<AccountChange>>> {
        let tables = self.tables();
        let Changes { newest, kept } = &tables.changes;
        let missing = newest
            .checked_sub(after.0)
            .and_then(|n| usize::try_from(n).ok());
        let Some(missing) = missing else {
            return Ok(None);
        };
        let expected = missing.min(limit as usize);
        let changes: Vec<_> = (after.0 + 1..)
            .map(ChangeNumber)
            .take(expected)
            .map_while(|number| {
                let (user, _) = kept.get(&number)?;
                Some(AccountChange {
                    number,
                    user: *user,
                })
            })
            .collect();
        Ok((changes.len() == expected).then_some(changes))
    }
}
