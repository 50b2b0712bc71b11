//! The log of messages.

use async_trait::async_trait;
use chelseru_core::sms::LocalId;
use chelseru_core::store::{
    NewSms, SmsId, SmsLog, SmsOutcome, SmsRecord, SmsRequestId, SmsStatus, SmsTotal, StoreResult,
};
use chelseru_core::{Timestamp, UserId};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;

use crate::DieselStore;
use crate::prepared::Prepare;
use crate::rows::{damaged, receiver};
use crate::run::run;
use crate::schema::chelseru_sms_log as log;
use crate::words::{value, word};

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = log)]
struct SmsRow {
    id: i64,
    mobile_number: String,
    provider: String,
    purpose: String,
    user_id: Option<i64>,
    status: String,
    provider_id: Option<String>,
    provider_code: Option<String>,
    parts: Option<i64>,
    cost_rial: Option<i64>,
    created_at: i64,
    updated_at: i64,
    local_id: Option<i64>,
    request_id: Option<i64>,
    may_repeat: Option<i64>,
    delivery: Option<String>,
    checks: i64,
    check_at: Option<i64>,
}

impl TryFrom<SmsRow> for SmsRecord {
    type Error = diesel::result::Error;

    fn try_from(row: SmsRow) -> QueryResult<Self> {
        let parts = row.parts.map(u32::try_from).transpose();
        let checks = u32::try_from(row.checks);
        Ok(Self {
            id: SmsId(row.id),
            sms: NewSms {
                mobile_number: receiver(&row.mobile_number)?,
                provider: row.provider,
                purpose: value(&row.purpose)?,
                user: row.user_id.map(UserId),
                parts: parts.map_err(|_| damaged("a number of parts is out of range"))?,
                local_id: row.local_id.map(LocalId),
                request: row.request_id.map(SmsRequestId),
                may_repeat: row.may_repeat.map(SmsId),
                created_at: Timestamp::from_millis(row.created_at),
            },
            outcome: SmsOutcome {
                status: value(&row.status)?,
                provider_id: row.provider_id,
                provider_code: row.provider_code,
                cost_rial: row.cost_rial,
                delivery: row.delivery.as_deref().map(value).transpose()?,
                checks: checks.map_err(|_| damaged("a number of checks is out of range"))?,
                check_at: row.check_at.map(Timestamp::from_millis),
                at: Timestamp::from_millis(row.updated_at),
            },
        })
    }
}

/// What an outcome changes. Whatever it does not say is not known, and not kept from before.
#[derive(AsChangeset)]
#[diesel(table_name = log, treat_none_as_null = true)]
struct OutcomeChange {
    status: &'static str,
    provider_id: Option<String>,
    provider_code: Option<String>,
    cost_rial: Option<i64>,
    delivery: Option<String>,
    checks: i64,
    check_at: Option<i64>,
    updated_at: i64,
}

impl OutcomeChange {
    fn new(outcome: SmsOutcome) -> QueryResult<Self> {
        let delivery = outcome.delivery.map(word).transpose()?;
        Ok(Self {
            status: word(outcome.status)?,
            provider_id: outcome.provider_id,
            provider_code: outcome.provider_code,
            cost_rial: outcome.cost_rial,
            delivery: delivery.map(str::to_owned),
            checks: i64::from(outcome.checks),
            check_at: outcome.check_at.map(Timestamp::as_millis),
            updated_at: outcome.at.as_millis(),
        })
    }
}

#[derive(QueryableByName)]
struct TotalRow {
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    delivery: Option<String>,
    #[diesel(sql_type = BigInt)]
    messages: i64,
    #[diesel(sql_type = BigInt)]
    parts: i64,
    #[diesel(sql_type = BigInt)]
    cost_rial: i64,
}

impl TryFrom<TotalRow> for SmsTotal {
    type Error = diesel::result::Error;

    fn try_from(row: TotalRow) -> QueryResult<Self> {
        let count = |number: i64| {
            u64::try_from(number).map_err(|_| damaged("a number of messages is negative"))
        };
        Ok(Self {
            provider: row.provider,
            status: value(&row.status)?,
            delivery: row.delivery.as_deref().map(value).transpose()?,
            messages: count(row.messages)?,
            parts: count(row.parts)?,
            cost_rial: row.cost_rial,
        })
    }
}

#[async_trait]
impl SmsLog for DieselStore {
    async fn log_sms(&self, sms: &NewSms, check_at: Timestamp) -> StoreResult<SmsId> {
        let sms = sms.clone();
        run!(self, write, |connection| {
            let id = diesel::insert_into(log::table)
                .values((
                    log::mobile_number.eq(sms.mobile_number.as_str()),
                    log::provider.eq(sms.provider.as_str()),
                    log::purpose.eq(word(sms.purpose)?),
                    log::user_id.eq(sms.user.map(|user| user.0)),
                    log::status.eq(word(SmsStatus::Sending)?),
                    log::parts.eq(sms.parts.map(i64::from)),
                    log::local_id.eq(sms.local_id.map(|id| id.0)),
                    log::request_id.eq(sms.request.map(|request| request.0)),
                    log::may_repeat.eq(sms.may_repeat.map(|earlier| earlier.0)),
                    log::checks.eq(0),
                    log::check_at.eq(check_at.as_millis()),
                    log::created_at.eq(sms.created_at.as_millis()),
                    log::updated_at.eq(sms.created_at.as_millis()),
                ))
                .returning(log::id)
                .get_result::<i64>(connection)
                .await?;
            Ok(SmsId(id))
        })
    }

    async fn settle_sms(&self, id: SmsId, outcome: &SmsOutcome) -> StoreResult<()> {
        let outcome = outcome.clone();
        run!(self, write, |connection| {
            diesel::update(log::table.find(id.0))
                .set(OutcomeChange::new(outcome)?)
                .prepared()
                .execute(connection)
                .await?;
            Ok(())
        })
    }

    async fn claim_due_sms(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> StoreResult<Vec<SmsRecord>> {
        let (now, until, limit) = (now.as_millis(), until.as_millis(), i64::from(limit));
        run!(
            self,
            write,
            sqlite | connection | {
                // Nobody writes between these. One statement alone cannot answer in the order of what
                // it overwrites.
                let mut due: Vec<SmsRow> = log::table
                    .filter(log::check_at.le(now))
                    .order((log::check_at, log::id))
                    .limit(limit)
                    .select(SmsRow::as_select())
                    .load(connection)
                    .await?;
                for row in &mut due {
                    row.check_at = Some(until);
                    diesel::update(log::table.find(row.id))
                        .set(log::check_at.eq(row.check_at))
                        .prepared()
                        .execute(connection)
                        .await?;
                }
                due.into_iter().map(SmsRecord::try_from).collect()
            },
            // What another node is claiming is not waited for. The due ones are found in a CTE because
            // a subquery may run, and so lock, more than once. Not kept prepared: a plan that does not
            // know the limit reads the whole log.
            postgres | connection | {
                let claimed: Vec<SmsRow> = sql_query(
                    "WITH due AS ( \
                         SELECT id AS due_id, check_at AS due_at FROM chelseru_sms_log \
                         WHERE check_at <= $1 ORDER BY check_at, id LIMIT $2 \
                         FOR UPDATE SKIP LOCKED \
                     ), claimed AS ( \
                         UPDATE chelseru_sms_log SET check_at = $3 \
                         FROM due WHERE id = due_id RETURNING chelseru_sms_log.*, due_at \
                     ) SELECT * FROM claimed ORDER BY due_at, id",
                )
                .bind::<BigInt, _>(now)
                .bind::<BigInt, _>(limit)
                .bind::<BigInt, _>(until)
                .load(connection)
                .await?;
                claimed.into_iter().map(SmsRecord::try_from).collect()
            }
        )
    }

    async fn resolve_sms(
        &self,
        id: SmsId,
        claimed_until: Timestamp,
        outcome: &SmsOutcome,
    ) -> StoreResult<bool> {
        let outcome = outcome.clone();
        run!(self, write, |connection| {
            let resolved = diesel::update(log::table.find(id.0))
                .filter(log::check_at.eq(claimed_until.as_millis()))
                .set(OutcomeChange::new(outcome)?)
                .prepared()
                .execute(connection)
                .await?;
            Ok(resolved == 1)
        })
    }

    async fn recent_sms(&self, before: Option<SmsId>, limit: u32) -> StoreResult<Vec<SmsRecord>> {
        let before = before.map_or(i64::MAX, |id| id.0);
        run!(self, read, |connection| {
            let rows = log::table
                .filter(log::id.lt(before))
                .order(log::id.desc())
                .limit(i64::from(limit))
                .select(SmsRow::as_select())
                .load(connection)
                .await?;
            rows.into_iter().map(SmsRecord::try_from).collect()
        })
    }

    async fn total_sms(&self, since: Timestamp) -> StoreResult<Vec<SmsTotal>> {
        run!(self, read, |connection| {
            // Text for the casts: PostgreSQL's sums of integers are of a wider type. A sum too large
            // for an integer is an error on both.
            let rows: Vec<TotalRow> = sql_query(
                "SELECT provider, status, delivery, count(*) AS messages, \
                 CAST(sum(coalesce(parts, 1)) AS BIGINT) AS parts, \
                 CAST(sum(coalesce(cost_rial, 0)) AS BIGINT) AS cost_rial \
                 FROM chelseru_sms_log WHERE created_at >= $1 GROUP BY provider, status, delivery",
            )
            .bind::<BigInt, _>(since.as_millis())
            .load(connection)
            .await?;
            rows.into_iter().map(SmsTotal::try_from).collect()
        })
    }
}
