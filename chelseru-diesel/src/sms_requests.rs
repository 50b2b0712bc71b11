//! Requests with an idempotency key.

use async_trait::async_trait;
use chelseru_core::Timestamp;
use chelseru_core::store::{
    NewSmsRequest, SmsClaim, SmsRequestId, SmsRequests, SmsStatus, StoreResult,
};
use diesel::prelude::*;
use diesel::query_dsl::methods;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_query;
use diesel::sql_types::BigInt;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use crate::DieselStore;
use crate::prepared::Prepare;
use crate::run::run;
use crate::schema::chelseru_sms_requests as requests;
use crate::words::{value, word};

/// How often a key may come free or be forgotten between two statements before the caller is told to
/// come back.
const CLAIM_TRIES: usize = 16;

/// Whether a request has an attempt in that status.
fn attempt_with(status: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM chelseru_sms_log AS attempt \
         WHERE attempt.request_id = chelseru_sms_requests.id AND attempt.status = '{status}')"
    )
}

/// What became of a request, none of whose attempts is on its way.
fn status_by_attempts() -> String {
    format!(
        "CASE WHEN {accepted} THEN 'accepted' WHEN {unknown} THEN 'unknown' ELSE 'not_sent' END",
        accepted = attempt_with("accepted"),
        unknown = attempt_with("unknown"),
    )
}

#[async_trait]
impl SmsRequests for DieselStore {
    async fn claim_sms_request(&self, request: &NewSmsRequest) -> StoreResult<SmsClaim> {
        let request = request.clone();
        run!(self, write, |connection| {
            for _ in 0..CLAIM_TRIES {
                let claim = diesel::insert_into(requests::table)
                    .values((
                        requests::user_id.eq(request.user.0),
                        requests::key.eq(request.key.as_str()),
                        requests::fingerprint.eq(request.fingerprint.as_slice()),
                        requests::status.eq(word(SmsStatus::Sending)?),
                        requests::claimed_at.eq(request.now.as_millis()),
                    ))
                    .on_conflict((requests::user_id, requests::key))
                    .do_update()
                    .set((
                        requests::status.eq(excluded(requests::status)),
                        requests::claimed_at.eq(excluded(requests::claimed_at)),
                    ));
                let is_open = requests::status
                    .eq(word(SmsStatus::NotSent)?)
                    .and(requests::fingerprint.eq(excluded(requests::fingerprint)));
                let claimed = methods::FilterDsl::filter(claim, is_open)
                    .returning(requests::id)
                    .prepared()
                    .get_result::<i64>(connection)
                    .await
                    .optional()?;
                if let Some(id) = claimed {
                    return Ok(SmsClaim::Yours(SmsRequestId(id)));
                }
                let known = requests::table
                    .filter(requests::user_id.eq(request.user.0))
                    .filter(requests::key.eq(request.key.as_str()))
                    .select((requests::fingerprint, requests::status))
                    .first::<(Vec<u8>, String)>(connection)
                    .await
                    .optional()?;
                // None was purged in between.
                if let Some((fingerprint, status)) = known {
                    if fingerprint != request.fingerprint {
                        return Ok(SmsClaim::OtherMessage);
                    }
                    match value(&status)? {
                        // In between it turned out that nothing was sent: the key is free again.
                        SmsStatus::NotSent => {}
                        status => return Ok(SmsClaim::Taken(status)),
                    }
                }
            }
            Err(Error::DatabaseError(
                DatabaseErrorKind::SerializationFailure,
                Box::new("the key comes and goes too fast".to_owned()),
            ))
        })
    }

    async fn settle_sms_request(&self, id: SmsRequestId, status: SmsStatus) -> StoreResult<()> {
        run!(self, write, |connection| {
            diesel::update(requests::table.find(id.0))
                .set(requests::status.eq(word(status)?))
                .prepared()
                .execute(connection)
                .await?;
            Ok(())
        })
    }

    async fn resolve_sms_request(&self, id: SmsRequestId) -> StoreResult<()> {
        run!(self, write, |connection| {
            sql_query(format!(
                "UPDATE chelseru_sms_requests SET status = {by_attempts} \
                 WHERE id = $1 AND status = 'unknown' AND NOT {sending}",
                by_attempts = status_by_attempts(),
                sending = attempt_with("sending"),
            ))
            .bind::<BigInt, _>(id.0)
            .execute(connection)
            .await?;
            Ok(())
        })
    }

    async fn resolve_sms_requests(&self, claimed_before: Timestamp) -> StoreResult<u64> {
        // Text, for the words by which the partial index is found, and because only PostgreSQL has a
        // lock: a request that its process is settling after all is not waited for.
        let resolve = move |lock: &str| {
            sql_query(format!(
                "UPDATE chelseru_sms_requests SET status = {by_attempts} WHERE id IN (SELECT id FROM chelseru_sms_requests \
                 WHERE status = 'sending' AND claimed_at < $1 AND NOT {sending} {lock})",
                by_attempts = status_by_attempts(),
                sending = attempt_with("sending"),
            ))
            .bind::<BigInt, _>(claimed_before.as_millis())
        };
        let resolved: usize = run!(
            self,
            write,
            sqlite | connection | resolve("").execute(connection).await,
            postgres | connection | resolve("FOR UPDATE SKIP LOCKED").execute(connection).await
        )?;
        Ok(resolved as u64)
    }
}
