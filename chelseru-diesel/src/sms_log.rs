//! The log of messages.

use async_trait::async_trait;
use chelseru_core::store::{
    NewSms, SmsId, SmsLog, SmsOutcome, SmsPurpose, SmsRecord, SmsStatus, StoreResult,
};
use chelseru_core::{Timestamp, UserId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::DieselStore;
use crate::prepared::Prepare;
use crate::rows::{damaged, mobile_number};
use crate::run::run;
use crate::schema::chelseru_sms_log as log;

#[derive(Queryable, Selectable)]
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
}

impl TryFrom<SmsRow> for SmsRecord {
    type Error = diesel::result::Error;

    fn try_from(row: SmsRow) -> QueryResult<Self> {
        let parts = row.parts.map(u32::try_from).transpose();
        Ok(Self {
            id: SmsId(row.id),
            sms: NewSms {
                mobile_number: mobile_number(&row.mobile_number)?,
                provider: row.provider,
                purpose: read(&PURPOSES, purpose_word, &row.purpose)?,
                user: row.user_id.map(UserId),
                parts: parts.map_err(|_| damaged("a number of parts is out of range"))?,
                created_at: Timestamp::from_millis(row.created_at),
            },
            outcome: SmsOutcome {
                status: read(&STATUSES, status_word, &row.status)?,
                provider_id: row.provider_id,
                provider_code: row.provider_code,
                cost_rial: row.cost_rial,
                at: Timestamp::from_millis(row.updated_at),
            },
        })
    }
}

const PURPOSES: [SmsPurpose; 2] = [SmsPurpose::Code, SmsPurpose::Message];

fn purpose_word(purpose: SmsPurpose) -> &'static str {
    match purpose {
        SmsPurpose::Code => "code",
        SmsPurpose::Message => "message",
    }
}

const STATUSES: [SmsStatus; 4] = [
    SmsStatus::Sending,
    SmsStatus::Accepted,
    SmsStatus::NotSent,
    SmsStatus::Unknown,
];

fn status_word(status: SmsStatus) -> &'static str {
    match status {
        SmsStatus::Sending => "sending",
        SmsStatus::Accepted => "accepted",
        SmsStatus::NotSent => "not_sent",
        SmsStatus::Unknown => "unknown",
    }
}

/// The value that is written as `word`.
fn read<T: Copy>(values: &[T], word_of: fn(T) -> &'static str, word: &str) -> QueryResult<T> {
    let found = values.iter().find(|value| word_of(**value) == word);
    found
        .copied()
        .ok_or_else(|| damaged("a word in the log is unknown"))
}

#[async_trait]
impl SmsLog for DieselStore {
    async fn log_sms(&self, sms: &NewSms) -> StoreResult<SmsId> {
        let sms = sms.clone();
        run!(self, write, |connection| {
            let id = diesel::insert_into(log::table)
                .values((
                    log::mobile_number.eq(sms.mobile_number.as_str()),
                    log::provider.eq(sms.provider.as_str()),
                    log::purpose.eq(purpose_word(sms.purpose)),
                    log::user_id.eq(sms.user.map(|user| user.0)),
                    log::status.eq(status_word(SmsStatus::Sending)),
                    log::parts.eq(sms.parts.map(i64::from)),
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
                .set((
                    log::status.eq(status_word(outcome.status)),
                    log::provider_id.eq(outcome.provider_id.as_deref()),
                    log::provider_code.eq(outcome.provider_code.as_deref()),
                    log::cost_rial.eq(outcome.cost_rial),
                    log::updated_at.eq(outcome.at.as_millis()),
                ))
                .prepared()
                .execute(connection)
                .await?;
            Ok(())
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
}
