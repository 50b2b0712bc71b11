//! The log of messages and the requests with an idempotency key.

use std::collections::HashMap;

use async_trait::async_trait;

use super::{MemoryStore, Tables, fault};
use crate::clock::Timestamp;
use crate::store::{
    NewSms, NewSmsRequest, REQUESTS_KEPT, SmsClaim, SmsId, SmsLog, SmsOutcome, SmsRecord,
    SmsRequestId, SmsRequests, SmsStatus, SmsTotal, StoreError, StoreResult,
};
use crate::user::UserId;

/// A request with an idempotency key.
#[derive(Debug)]
pub(super) struct Request {
    user: UserId,
    key: String,
    fingerprint: [u8; 32],
    status: SmsStatus,
    claimed_at: Timestamp,
}

fn no_account() -> StoreError {
    fault("there is no such account")
}

impl Tables {
    pub(super) fn purge_requests(&mut self, now: Timestamp, limit: usize) -> usize {
        let over: Vec<_> = self
            .requests
            .iter()
            .filter(|(_, request)| {
                request.status != SmsStatus::Sending && request.claimed_at + REQUESTS_KEPT <= now
            })
            .map(|(&id, _)| id)
            .take(limit)
            .collect();
        for id in &over {
            self.requests.remove(id);
        }
        over.len()
    }

    pub(super) fn purge_sms(&mut self, made_before: Timestamp, limit: usize) -> usize {
        let is_over = |record: &&SmsRecord| {
            record.sms.created_at < made_before
                && record.outcome.check_at.is_none()
                && record
                    .sms
                    .request
                    .is_none_or(|request| !self.requests.contains_key(&request))
        };
        let over = self.sms.values().filter(is_over).map(|record| record.id);
        let over: Vec<_> = over.take(limit).collect();
        for id in &over {
            self.sms.remove(id);
        }
        over.len()
    }

    pub(super) fn remove_requests_of(&mut self, user: UserId) {
        self.requests.retain(|_, request| request.user != user);
    }

    /// What is known of a request by its attempts.
    fn status_by_attempts(&self, id: SmsRequestId) -> SmsStatus {
        let of_attempts: Vec<_> = self
            .sms
            .values()
            .filter(|record| record.sms.request == Some(id))
            .map(|record| record.outcome.status)
            .collect();
        [SmsStatus::Sending, SmsStatus::Accepted, SmsStatus::Unknown]
            .into_iter()
            .find(|status| of_attempts.contains(status))
            .unwrap_or(SmsStatus::NotSent)
    }
}

#[async_trait]
impl SmsLog for MemoryStore {
    async fn log_sms(&self, sms: &NewSms, check_at: Timestamp) -> StoreResult<SmsId> {
        let mut tables = self.tables();
        if sms
            .user
            .is_some_and(|user| !tables.users.contains_key(&user))
        {
            return Err(no_account());
        }
        tables.last_sms += 1;
        let id = SmsId(tables.last_sms);
        let outcome = SmsOutcome {
            status: SmsStatus::Sending,
            provider_id: None,
            provider_code: None,
            cost_rial: None,
            delivery: None,
            checks: 0,
            check_at: Some(check_at),
            at: sms.created_at,
        };
        tables.sms.insert(
            id,
            SmsRecord {
                id,
                sms: sms.clone(),
                outcome,
            },
        );
        Ok(id)
    }

    async fn settle_sms(&self, id: SmsId, outcome: &SmsOutcome) -> StoreResult<()> {
        if let Some(record) = self.tables().sms.get_mut(&id) {
            record.outcome = outcome.clone();
        }
        Ok(())
    }

    async fn claim_due_sms(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> StoreResult<Vec<SmsRecord>> {
        let mut tables = self.tables();
        let mut due: Vec<_> = tables
            .sms
            .values_mut()
            .filter(|record| record.outcome.check_at.is_some_and(|at| at <= now))
            .collect();
        due.sort_by_key(|record| (record.outcome.check_at, record.id));
        due.truncate(limit as usize);
        for record in &mut due {
            record.outcome.check_at = Some(until);
        }
        Ok(due.into_iter().map(|record| record.clone()).collect())
    }

    async fn resolve_sms(
        &self,
        id: SmsId,
        claimed_until: Timestamp,
        outcome: &SmsOutcome,
    ) -> StoreResult<bool> {
        let mut tables = self.tables();
        let record = tables
            .sms
            .get_mut(&id)
            .filter(|record| record.outcome.check_at == Some(claimed_until));
        Ok(record
            .map(|record| record.outcome = outcome.clone())
            .is_some())
    }

    async fn recent_sms(&self, before: Option<SmsId>, limit: u32) -> StoreResult<Vec<SmsRecord>> {
        let before = before.unwrap_or(SmsId(i64::MAX));
        let tables = self.tables();
        let newest_first = tables.sms.range(..before).rev();
        Ok(newest_first
            .map(|(_, record)| record.clone())
            .take(limit as usize)
            .collect())
    }

    async fn total_sms(&self, since: Timestamp) -> StoreResult<Vec<SmsTotal>> {
        let tables = self.tables();
        let mut totals = HashMap::new();
        for SmsRecord { sms, outcome, .. } in tables.sms.values() {
            if sms.created_at < since {
                continue;
            }
            let key = (sms.provider.clone(), outcome.status, outcome.delivery);
            let total = totals.entry(key).or_insert_with(|| SmsTotal {
                provider: sms.provider.clone(),
                status: outcome.status,
                delivery: outcome.delivery,
                messages: 0,
                parts: 0,
                cost_rial: 0,
            });
            total.messages += 1;
            total.parts += u64::from(sms.parts.unwrap_or(1));
            total.cost_rial = total
                .cost_rial
                .checked_add(outcome.cost_rial.unwrap_or(0))
                .ok_or_else(|| fault("the cost is too large"))?;
        }
        Ok(totals.into_values().collect())
    }
}

#[async_trait]
impl SmsRequests for MemoryStore {
    async fn claim_sms_request(&self, request: &NewSmsRequest) -> StoreResult<SmsClaim> {
        let mut tables = self.tables();
        let known = tables
            .requests
            .iter_mut()
            .find(|(_, known)| known.user == request.user && known.key == request.key);
        if let Some((&id, known)) = known {
            if known.fingerprint != request.fingerprint {
                return Ok(SmsClaim::OtherMessage);
            }
            if known.status != SmsStatus::NotSent {
                return Ok(SmsClaim::Taken(known.status));
            }
            known.status = SmsStatus::Sending;
            known.claimed_at = request.now;
            return Ok(SmsClaim::Yours(id));
        }
        if !tables.users.contains_key(&request.user) {
            return Err(no_account());
        }
        tables.last_request += 1;
        let id = SmsRequestId(tables.last_request);
        tables.requests.insert(
            id,
            Request {
                user: request.user,
                key: request.key.clone(),
                fingerprint: request.fingerprint,
                status: SmsStatus::Sending,
                claimed_at: request.now,
            },
        );
        Ok(SmsClaim::Yours(id))
    }

    async fn settle_sms_request(&self, id: SmsRequestId, status: SmsStatus) -> StoreResult<()> {
        if let Some(request) = self.tables().requests.get_mut(&id) {
            request.status = status;
        }
        Ok(())
    }

    async fn resolve_sms_request(&self, id: SmsRequestId) -> StoreResult<()> {
        let mut tables = self.tables();
        let status = tables.status_by_attempts(id);
        if let Some(request) = tables.requests.get_mut(&id)
            && request.status == SmsStatus::Unknown
            && status != SmsStatus::Sending
        {
            request.status = status;
        }
        Ok(())
    }

    async fn resolve_sms_requests(&self, claimed_before: Timestamp) -> StoreResult<u64> {
        let mut tables = self.tables();
        let dead: Vec<_> = tables
            .requests
            .iter()
            .filter(|(_, request)| {
                request.status == SmsStatus::Sending && request.claimed_at < claimed_before
            })
            .map(|(&id, _)| (id, tables.status_by_attempts(id)))
            .filter(|(_, status)| *status != SmsStatus::Sending)
            .collect();
        for (id, status) in &dead {
            if let Some(request) = tables.requests.get_mut(id) {
                request.status = *status;
            }
        }
        Ok(dead.len() as u64)
    }
}
