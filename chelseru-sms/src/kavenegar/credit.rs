//! `account/info`: what is left in the account, in rial.

use chelseru_core::sms::{Credit, SmsError};

use super::{Kavenegar, codes};
use crate::http::Purpose;
use crate::lenient::whole;

impl Kavenegar {
    /// Reads `{"remaincredit":…,"expiredate":…,"type":"master"}`.
    pub(super) async fn remaining_credit(&self) -> Result<Credit, SmsError> {
        let answer = self
            .call(["account", "info.json"], &[], &codes::INFO, Purpose::Ask)
            .await?;
        answer
            .records()
            .first()
            .and_then(|account| whole(&account["remaincredit"]))
            .map(Credit::Rial)
            .ok_or_else(|| answer.reply.not_understood())
    }
}
