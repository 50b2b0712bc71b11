//! `sms/status` for what became of messages, and `sms/statuslocalmessageid` to find one by our own
//! id of it.
//!
//! Kavenegar knows ids for a limited time: its own for 48 hours, ours for 12. After that a message
//! is as unknown as one that was never taken.

use chelseru_core::sms::{DeliveryReport, LocalId, SmsError};
use serde_json::Value;

use super::{Answer, Kavenegar, codes};
use crate::http::Purpose;
use crate::lenient::{identifier, integer};

/// How many ids one question may have (code 414).
const MOST_IDS: usize = 500;

impl Kavenegar {
    /// Asks in portions. The first that fails ends the asking, and is the result only when nothing
    /// was learned before.
    pub(super) async fn delivery_reports(
        &self,
        message_ids: &[String],
    ) -> Result<Vec<DeliveryReport>, SmsError> {
        // The ids go out in a list; one that is no number would be refused together with the rest.
        let ids: Vec<&str> = message_ids
            .iter()
            .map(String::as_str)
            .filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
            .collect();
        let mut reports = Vec::new();
        for portion in ids.chunks(MOST_IDS) {
            match self.portion(portion).await {
                Ok(more) => reports.extend(more),
                Err(error) if reports.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(reports)
    }

    async fn portion(&self, ids: &[&str]) -> Result<Vec<DeliveryReport>, SmsError> {
        let form = [("messageid", ids.join(","))];
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = self
            .call(["sms", "status.json"], &form, &codes::STATUS, Purpose::Ask)
            .await?;
        let records = answer.records();
        let reports: Vec<_> = records
            .iter()
            .filter_map(report)
            .filter(|report| ids.contains(&report.message_id.as_str()))
            .collect();
        if reports.is_empty() && !records.is_empty() {
            return Err(answer.reply.not_understood());
        }
        Ok(reports)
    }

    pub(super) async fn find_by_local_id(
        &self,
        local_id: LocalId,
    ) -> Result<Option<DeliveryReport>, SmsError> {
        let id = local_id.0.to_string();
        let path = ["sms", "statuslocalmessageid.json"];
        let form = [("localid", id.as_str())];
        let answer = self.call(path, &form, &codes::FIND, Purpose::Find).await?;
        found(&answer, local_id)
    }
}

/// The message with our id in the answer, and `None` only when Kavenegar says that it took none.
fn found(answer: &Answer, local_id: LocalId) -> Result<Option<DeliveryReport>, SmsError> {
    let nobody_knows = || answer.reply.not_understood();
    if answer.entries.as_array().is_some_and(Vec::is_empty) {
        return Ok(None);
    }
    let [record] = answer.records() else {
        return Err(nobody_knows());
    };
    // The id is documented as a number, and a string in the documented sample.
    let id = &record["localid"];
    if !id.is_null() && integer(id) != Some(local_id.0.into()) {
        return Err(nobody_knows());
    }
    if integer(&record["status"]) == Some(codes::UNKNOWN_ID) {
        return Ok(None);
    }
    report(record).map(Some).ok_or_else(nobody_knows)
}

/// Reads `{"messageid":…,"status":…}`.
fn report(record: &Value) -> Option<DeliveryReport> {
    let status = integer(&record["status"])?;
    Some(DeliveryReport {
        message_id: identifier(&record["messageid"])?,
        delivery: codes::delivery(status),
        code: Some(status.to_string()),
    })
}
