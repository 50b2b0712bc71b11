//! Housekeeping.

use async_trait::async_trait;
use chelseru_core::Timestamp;
use chelseru_core::store::{CHANGES_KEPT, Maintenance, REQUESTS_KEPT, StoreResult};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer};
use diesel_async::RunQueryDsl;

use crate::DieselStore;
use crate::chat::skip_locked;
use crate::run::{Outcome, run};

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
        let codes = self.delete_old(&CODES, now, limit).await?;
        let sessions = self.delete_old(&SESSIONS, now, limit).await?;
        let windows = self.delete_old(&WINDOWS, now, limit).await?;
        let requests = self
            .delete_old(&REQUESTS, now - REQUESTS_KEPT, limit)
            .await?;
        let changes = self.delete_old(&CHANGES, now - CHANGES_KEPT, limit).await?;
        let entries = self.delete_logs(limit).await?;
        Ok((codes + sessions + windows + requests + changes + entries) as u64)
    }

    async fn purge_sms(&self, made_before: Timestamp, limit: u32) -> StoreResult<u64> {
        Ok(self.delete_old(&MESSAGES, made_before, limit).await? as u64)
    }
}

/// Rows that are of use for a time only.
struct Passing {
    table: &'static str,
    key: &'static str,
    /// Which of them are old at `$1`.
    is_old: &'static str,
    /// The column that the oldest have the least of.
    age: &'static str,
}

const CODES: Passing = Passing {
    table: "chelseru_otp_codes",
    key: "mobile_number",
    is_old: "expires_at <= $1",
    age: "expires_at",
};

const SESSIONS: Passing = Passing {
    table: "chelseru_sessions",
    key: "id",
    is_old: "expires_at <= $1",
    age: "expires_at",
};

const WINDOWS: Passing = Passing {
    table: "chelseru_rates",
    key: "key",
    is_old: "ends_at <= $1",
    age: "ends_at",
};

const REQUESTS: Passing = Passing {
    table: "chelseru_sms_requests",
    key: "id",
    is_old: "claimed_at <= $1 AND status <> 'sending'",
    age: "claimed_at",
};

const CHANGES: Passing = Passing {
    table: "chelseru_account_changes",
    key: "number",
    is_old: "changed_at <= $1",
    age: "changed_at",
};

const MESSAGES: Passing = Passing {
    table: "chelseru_sms_log",
    key: "id",
    is_old: "created_at < $1 AND check_at IS NULL AND NOT EXISTS \
             (SELECT 1 FROM chelseru_sms_requests AS request WHERE request.id = request_id)",
    age: "created_at",
};

#[derive(QueryableByName)]
struct DeletedRoom {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

impl DieselStore {
    /// Removes entries of the logs whose rooms were deleted, room by room.
    async fn delete_logs(&self, limit: u32) -> StoreResult<usize> {
        let limit = limit as usize;
        let mut deleted = 0;
        while deleted < limit {
            let Some((entries, is_last)) = self.delete_log(limit - deleted).await? else {
                break;
            };
            deleted += entries;
            if !is_last {
                break;
            }
        }
        Ok(deleted)
    }

    /// Removes entries of the log of one room that was deleted: how many, and whether it had no more.
    /// `None` when there is no such room, or none that nobody else is at.
    async fn delete_log(&self, limit: usize) -> StoreResult<Option<(usize, bool)>> {
        run!(self, transaction, |connection| {
            let room = sql_query(format!(
                "SELECT id FROM chelseru_chat_deleted_rooms WHERE id > 0 ORDER BY id LIMIT 1 {}",
                skip_locked(&*connection)
            ))
            .get_result::<DeletedRoom>(connection)
            .await
            .optional()?;
            let Some(room) = room else {
                return Ok(Outcome::RollBack(None));
            };
            let entries = sql_query(
                "DELETE FROM chelseru_chat_log WHERE id IN (SELECT id FROM chelseru_chat_log \
                 WHERE room_id = $1 ORDER BY seq LIMIT $2)",
            )
            .bind::<BigInt, _>(room.id)
            .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
            .execute(connection)
            .await?;
            let is_last = entries < limit;
            if is_last {
                sql_query("DELETE FROM chelseru_chat_deleted_rooms WHERE id = $1")
                    .bind::<BigInt, _>(room.id)
                    .execute(connection)
                    .await?;
            }
            Ok(Outcome::Commit(Some((entries, is_last))))
        })
    }

    async fn delete_old(
        &self,
        rows: &'static Passing,
        now: Timestamp,
        limit: u32,
    ) -> StoreResult<usize> {
        let Passing {
            table,
            key,
            is_old,
            age,
        } = rows;
        // Text, because only PostgreSQL has a lock for it: two nodes that purge at once would wait for
        // each other's rows. SQLite has one writer.
        let delete = move |lock: &str| {
            sql_query(format!(
                "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} \
                 WHERE {is_old} ORDER BY {age} LIMIT $2 {lock})"
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
