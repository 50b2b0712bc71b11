//! Counters of what may happen only so often.

use std::collections::HashMap;

use async_trait::async_trait;
use chelseru_core::Timestamp;
use chelseru_core::store::{Correction, RateStore, StoreResult, Take, TakeResult, Taken};
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;

use crate::DieselStore;
use crate::error::Failure;
use crate::prepared::Prepare;
use crate::rows::damaged;
use crate::run::{Outcome, run};
use crate::schema::chelseru_rates as rates;

#[derive(QueryableByName)]
#[diesel(table_name = rates)]
struct RateRow {
    key: String,
    total: i64,
    ends_at: i64,
}

/// The statement that takes from `count` supplies, whether or not there is enough, and answers what was
/// then taken from each. A total stops at the largest number that there is.
fn take_from(count: usize) -> String {
    const BINDS_OF_ROW: usize = 3;
    let rows: Vec<_> = (0..count)
        .map(|row| row * BINDS_OF_ROW)
        .map(|before| format!("(${}, ${}, ${})", before + 1, before + 2, before + 3))
        .collect();
    let now = format!("${}", count * BINDS_OF_ROW + 1);
    format!(
        "INSERT INTO chelseru_rates AS kept (key, total, ends_at) VALUES {rows} \
         ON CONFLICT (key) DO UPDATE SET \
         total = CASE WHEN kept.ends_at <= {now} THEN excluded.total \
         WHEN kept.total > {most} - excluded.total THEN {most} \
         ELSE kept.total + excluded.total END, \
         ends_at = CASE WHEN kept.ends_at <= {now} THEN excluded.ends_at ELSE kept.ends_at END \
         RETURNING key, total, ends_at",
        rows = rows.join(", "),
        most = i64::MAX,
    )
}

#[async_trait]
impl RateStore for DieselStore {
    async fn take(&self, takes: &[Take], now: Timestamp) -> StoreResult<TakeResult> {
        if takes.is_empty() {
            return Ok(TakeResult::Taken(Vec::new()));
        }
        // In the order of the keys, so that callers with the same ones never wait for each other in a
        // circle.
        let mut sorted = takes.to_vec();
        sorted.sort_by(|one, other| one.key.cmp(&other.key));
        if sorted.windows(2).any(|pair| pair[0].key == pair[1].key) {
            return Err(Failure::fault("a key is there twice").into());
        }
        let takes = takes.to_vec();
        run!(self, transaction, |connection| {
            let mut statement = sql_query(take_from(sorted.len())).into_boxed();
            for take in &sorted {
                statement = statement
                    .bind::<Text, _>(take.key.as_str())
                    .bind::<BigInt, _>(i64::try_from(take.amount).unwrap_or(i64::MAX))
                    .bind::<BigInt, _>((now + take.window).as_millis());
            }
            let rows: Vec<RateRow> = statement
                .bind::<BigInt, _>(now.as_millis())
                .prepared()
                .load(connection)
                .await?;
            judge(&takes, rows)
        })
    }

    async fn correct(&self, corrections: &[Correction]) -> StoreResult<()> {
        if corrections.is_empty() {
            return Ok(());
        }
        // In the order in which they are taken, for the same reason.
        let mut sorted = corrections.to_vec();
        sorted.sort_by(|one, other| one.key.cmp(&other.key));
        run!(self, transaction, |connection| {
            for correction in &sorted {
                // So that its opposite is a number too.
                let change = correction.change.max(-i64::MAX);
                let corrected = case_when(rates::total.lt(-change), 0_i64.into_sql::<BigInt>())
                    .when(rates::total.gt(i64::MAX - change.max(0)), i64::MAX)
                    .otherwise(rates::total + change);
                diesel::update(rates::table.find(correction.key.as_str()))
                    .filter(rates::ends_at.eq(correction.ends_at.as_millis()))
                    .set(rates::total.eq(corrected))
                    .prepared()
                    .execute(connection)
                    .await?;
            }
            Ok(Outcome::Commit(()))
        })
    }
}

/// What becomes of what was taken: it stays if all of it was there.
fn judge(takes: &[Take], rows: Vec<RateRow>) -> QueryResult<Outcome<TakeResult>> {
    let mut by_key: HashMap<_, _> = rows.into_iter().map(|row| (row.key.clone(), row)).collect();
    let answers = takes
        .iter()
        .map(|take| {
            let row = by_key.remove(&take.key).ok_or(Error::NotFound)?;
            let total = u64::try_from(row.total).map_err(|_| damaged("a total is negative"))?;
            let ends_at = Timestamp::from_millis(row.ends_at);
            Ok(Taken { total, ends_at })
        })
        .collect::<QueryResult<Vec<_>>>()?;
    let last_exhausted = takes
        .iter()
        .zip(&answers)
        .enumerate()
        .filter(|(_, (take, answer))| take.amount > take.limit || answer.total > take.limit)
        .max_by_key(|(_, (_, answer))| answer.ends_at);
    Ok(match last_exhausted {
        Some((index, (_, answer))) => Outcome::RollBack(TakeResult::Exhausted {
            index,
            ends_at: answer.ends_at,
        }),
        None => Outcome::Commit(TakeResult::Taken(answers)),
    })
}
