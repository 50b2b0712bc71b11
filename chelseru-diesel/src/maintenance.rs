//! Housekeeping.

use async_trait::async_trait;
use chelseru_core::Timestamp;
use chelseru_core::store::{Maintenance, StoreResult};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer};
use diesel_async::RunQueryDsl;

use crate::DieselStore;
use crate::run::run;

#[async_trait]
impl Maintenance for DieselStore {
    async fn ping(&self) -> StoreResult<()> {
        // As a write: a database that can only be read cannot serve a login.
        run!(self, write, |connection| {
            diesel::select(1.into_sql::<Integer>())
                .get_result::<i32>(connection)
                .await?;
            Ok(())
        })
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> StoreResult<u64> {
        let codes = self
            .delete_ended("chelseru_otp_codes", "mobile_number", now, limit)
            .await?;
        let sessions = self
            .delete_ended("chelseru_sessions", "id", now, limit)
            .await?;
        Ok((codes + sessions) as u64)
    }
}

impl DieselStore {
    async fn delete_ended(
        &self,
        table: &'static str,
        key: &'static str,
        now: Timestamp,
        limit: u32,
    ) -> StoreResult<usize> {
        // Text, because only PostgreSQL has a lock for it: two nodes that purge at once would wait for
        // each other's rows. SQLite has one writer.
        let delete = move |lock: &str| {
            sql_query(format!(
                "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} \
                 WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 {lock})"
            ))
            .bind::<BigInt, _>(now.as_millis())
            .bind::<BigInt, _>(i64::from(limit))
        };
        run!(
            self,
            write,
            sqlite | connection | delete("").execute(connection).await,
            postgres | connection | delete("FOR UPDATE SKIP LOCKED").execute(connection).await
        )
    }
}
