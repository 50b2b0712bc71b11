//! Tables of a provider's result codes.
//!
//! The same number means different things for different operations, so each operation has a table
//! of its own: what is particular to it, and then what it shares with others.
//!
//! The kinds are those of sending a message; [`Purpose`](crate::http::Purpose) turns them into what
//! they mean for a question.

use chelseru_core::sms::SmsErrorKind;

/// A code, what the caller can do about it, and its meaning for operators.
pub(crate) type Row = (i128, SmsErrorKind, &'static str);

/// The codes of one operation.
pub(crate) struct Codes {
    /// Looked at first.
    pub(crate) own: &'static [Row],
    /// The codes that mean the same for several of the provider's operations.
    pub(crate) shared: &'static [&'static [Row]],
}

impl Codes {
    /// The row of a code; `None` for one that the provider has not documented.
    pub(crate) fn find(&self, code: i128) -> Option<&'static Row> {
        self.own
            .iter()
            .chain(self.shared.iter().copied().flatten())
            .find(|(known, ..)| *known == code)
    }
}
