//! Accounts.

use crate::clock::Timestamp;
use crate::mobile::MobileNumber;

/// The id of an account, as in the `user_id` of tokens.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct UserId(pub i64);

/// One account: one mobile number owns at most one in each group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Unique over all accounts.
    pub id: UserId,
    /// Shown to the account's owner alone.
    pub mobile_number: MobileNumber,
    /// The group that the account was made in; 0 unless the client named one.
    pub group: i64,
    /// What others see. Opaque: it says nothing about the number.
    pub username: String,
    /// Whether the account may log in.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Timestamp,
}
