//! What happened to accounts: a sequence without gaps, in the order of the commits.

use async_trait::async_trait;
use chelseru_core::UserId;
use chelseru_core::store::{AccountChange, AccountChanges, ChangeNumber, StoreResult};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::DieselStore;
use crate::run::run;
use crate::schema::{chelseru_account_changes as changes, chelseru_newest_change as newest};

/// The one row of the counter.
pub(crate) const COUNTER: i64 = 1;

/// Adds a change of account `$user` to the transaction that made it.
///
/// The counter's row is locked until the commit, so numbers are those of the commits' order and one that
/// was rolled back is taken again. Make it the last statement of the transaction: whoever waits for
/// another row with the counter in hand keeps all others waiting, and may wait for one of them.
macro_rules! note_change {
    ($connection:expr, $user:expr, $now:expr) => {{
        use crate::schema::{chelseru_account_changes, chelseru_newest_change};
        let number = diesel::update(chelseru_newest_change::table.find(crate::changes::COUNTER))
            .set(chelseru_newest_change::number.eq(chelseru_newest_change::number + 1))
            .returning(chelseru_newest_change::number)
            .prepared()
            .get_result::<i64>($connection)
            .await?;
        diesel::insert_into(chelseru_account_changes::table)
            .values((
                chelseru_account_changes::number.eq(number),
                chelseru_account_changes::user_id.eq($user.0),
                chelseru_account_changes::changed_at.eq($now.as_millis()),
            ))
            .execute($connection)
            .await?;
    }};
}
pub(crate) use note_change;

#[async_trait]
impl AccountChanges for DieselStore {
    async fn newest_change(&self) -> StoreResult<ChangeNumber> {
        run!(self, read, |connection| {
            let number = newest::table
                .find(COUNTER)
                .select(newest::number)
                .first::<i64>(connection)
                .await?;
            Ok(ChangeNumber(number))
        })
    }

    async fn changes_after(
        &self,
        after: ChangeNumber,
        limit: u32,
    ) -> StoreResult<Option<Vec<AccountChange>>> {
        run!(self, read, |connection| {
            // First the counter: all that it counts is there to be read afterwards, unless it was purged.
            let number = newest::table
                .find(COUNTER)
                .select(newest::number)
                .first::<i64>(connection)
                .await?;
            let missing = match number.checked_sub(after.0) {
                Some(0) => return Ok(Some(Vec::new())),
                Some(missing) if missing > 0 => missing,
                _ => return Ok(None),
            };
            let rows = changes::table
                .filter(changes::number.gt(after.0))
                .order(changes::number)
                .limit(limit.into())
                .select((changes::number, changes::user_id))
                .load::<(i64, i64)>(connection)
                .await?;
            Ok(contiguous(after, missing.min(limit.into()), rows))
        })
    }
}

/// The changes, if they are as many as are expected and none is missing among them.
fn contiguous(
    after: ChangeNumber,
    expected: i64,
    rows: Vec<(i64, i64)>,
) -> Option<Vec<AccountChange>> {
    let mut in_order = (after.0 + 1..).zip(&rows);
    let is_whole = rows.len() as u64 >= expected.unsigned_abs()
        && in_order.all(|(due, (number, _))| due == *number);
    let change = |(number, user)| AccountChange {
        number: ChangeNumber(number),
        user: UserId(user),
    };
    is_whole.then(|| rows.into_iter().map(change).collect())
}
