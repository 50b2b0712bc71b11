//! The words that the tables hold for core's enums.
//!
//! Core may learn more values than this version of the store has words for: such a value is not stored,
//! and a word of a later version is not read. Both are faults, and nothing is changed.

use chelseru_core::chat::{MessageType, RoomKind, RoomStatus};
use chelseru_core::sms::Delivery;
use chelseru_core::store::{SmsPurpose, SmsStatus};
use diesel::result::{Error, QueryResult};

use crate::rows::damaged;

/// An enum whose values are written as words.
pub(crate) trait Words: Copy + PartialEq + 'static {
    const WORDS: &'static [(Self, &'static str)];
}

impl Words for SmsPurpose {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Code, "code"), (Self::Message, "message")];
}

impl Words for SmsStatus {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Sending, "sending"),
        (Self::Accepted, "accepted"),
        (Self::NotSent, "not_sent"),
        (Self::Unknown, "unknown"),
    ];
}

impl Words for Delivery {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Pending, "pending"),
        (Self::AtOperator, "at_operator"),
        (Self::Delivered, "delivered"),
        (Self::Failed, "failed"),
        (Self::Blocked, "blocked"),
        (Self::Unknown, "unknown"),
    ];
}

impl Words for RoomKind {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::Pair, "pair"), (Self::Group, "group")];
}

impl Words for RoomStatus {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Open, "open"),
        (Self::Closed, "closed"),
        (Self::Hold, "hold"),
    ];
}

impl Words for MessageType {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Text, "text"),
        (Self::Image, "image"),
        (Self::File, "file"),
    ];
}

/// The word for a value.
pub(crate) fn word<T: Words>(value: T) -> QueryResult<&'static str> {
    let found = T::WORDS.iter().find(|(known, _)| *known == value);
    found.map(|(_, word)| *word).ok_or_else(|| {
        Error::SerializationError("this version of the store has no word for a value".into())
    })
}

/// The value that is written as `word`.
pub(crate) fn value<T: Words>(word: &str) -> QueryResult<T> {
    let found = T::WORDS.iter().find(|(_, known)| *known == word);
    found
        .map(|(value, _)| *value)
        .ok_or_else(|| damaged("a word is not one that this version of the store knows"))
}

#[cfg(test)]
mod tests {
    use super::{Words, value, word};
    use chelseru_core::chat::{MessageType, RoomKind, RoomStatus};
    use chelseru_core::sms::Delivery;
    use chelseru_core::store::{SmsPurpose, SmsStatus};

    #[test]
    fn every_word_is_read_as_the_value_that_wrote_it() {
        fn check<T: Words + std::fmt::Debug>() {
            for (known, _) in T::WORDS {
                assert_eq!(value::<T>(word(*known).unwrap()).unwrap(), *known);
            }
        }
        check::<SmsPurpose>();
        check::<SmsStatus>();
        check::<Delivery>();
        check::<RoomKind>();
        check::<RoomStatus>();
        check::<MessageType>();
    }

    #[test]
    fn a_word_of_a_later_version_is_an_error() {
        let error = value::<SmsStatus>("scheduled").unwrap_err();
        assert!(!error.to_string().contains("scheduled"), "{error}");
    }
}
