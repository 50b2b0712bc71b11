//! What Kavenegar's codes mean: REST documentation, table 1 (results) and table 2 (message states).

use chelseru_core::sms::Delivery;
use chelseru_core::sms::SmsErrorKind::{
    self, MessageRefused, NotSent, NumberRefused, PerhapsSent, TemplateRefused, TextRefused,
    Throttled,
};

use crate::codes::{Codes, Row};

/// `sms/send`.
#[rustfmt::skip]
pub(super) const SEND: Codes = Codes {
    own: &[(426, NotSent, "the line needs the advanced service")],
    shared: &[MESSAGES, GENERAL],
};

/// `verify/lookup`.
#[rustfmt::skip]
pub(super) const LOOKUP: Codes = Codes {
    own: &[
        (424, TemplateRefused, "the template is unknown or not yet approved"),
        (426, TemplateRefused, "templates need the advanced service"),
        (428, TemplateRefused, "the template is read out by a call, which needs digits only"),
        (431, TextRefused, "a token has a newline, a space, an underscore or a separator"),
        (432, TemplateRefused, "the template has no %token"),
    ],
    shared: &[MESSAGES, GENERAL],
};

/// `sms/status`.
#[rustfmt::skip]
pub(super) const STATUS: Codes = Codes {
    own: &[(414, NotSent, "more than 500 message ids")],
    shared: &[GENERAL],
};

/// `sms/statuslocalmessageid`.
#[rustfmt::skip]
pub(super) const FIND: Codes = Codes {
    own: &[(414, NotSent, "too many local ids")],
    shared: &[GENERAL],
};

/// `account/info`.
pub(super) const INFO: Codes = Codes {
    own: &[],
    shared: &[GENERAL],
};

/// What any method may answer.
#[rustfmt::skip]
const GENERAL: &[Row] = &[
    (400, NotSent, "parameters are incomplete"),
    (401, NotSent, "the account is inactive"),
    // "The operation failed": nothing says that no part of it succeeded.
    (402, PerhapsSent, "the operation failed for an unknown reason"),
    (403, NotSent, "the API key is invalid"),
    (404, NotSent, "there is no such method"),
    (405, NotSent, "the method needs the other of GET and POST"),
    (406, NotSent, "a required parameter is empty"),
    (407, NotSent, "no access: the panel must allow this IP address, or the line is international"),
    (409, Throttled, "the server cannot answer now"),
    (416, NotSent, "the IP address does not match the settings"),
    (429, Throttled, "the IP address is limited"),
    (451, Throttled, "too many calls, the IP address is limited"),
];

/// What a method that sends may answer besides.
#[rustfmt::skip]
const MESSAGES: &[Row] = &[
    (411, NumberRefused, "the receptor is invalid"),
    (412, NotSent, "the sender is invalid"),
    (413, TextRefused, "the message is empty or too long"),
    (414, NotSent, "too many records"),
    (415, NotSent, "the start index is beyond the total"),
    (417, NotSent, "the date is wrong"),
    (418, NotSent, "the credit is too low"),
    (419, NotSent, "the arrays differ in length"),
    (420, TextRefused, "links are restricted for this account"),
    (422, TextRefused, "an unsuitable character"),
    (427, NotSent, "the line needs an access level"),
    (501, NotSent, "a test account may send to its owner's number only"),
    (604, NotSent, "too many numbers"),
    (607, NotSent, "the tag is wrong"),
];

/// What a result outside table 1 means: those from 400 to 499 refuse the request, as in HTTP.
pub(super) fn kind_of_undocumented(result: i128) -> SmsErrorKind {
    if (400..500).contains(&result) {
        NotSent
    } else {
        PerhapsSent
    }
}

/// The state of an id that Kavenegar does not know, or not any more (table 2).
pub(super) const UNKNOWN_ID: i128 = 100;

/// What became of a message in this state (table 2).
pub(super) fn delivery(state: i128) -> Delivery {
    match state {
        // In the queue, and scheduled.
        1 | 2 => Delivery::Pending,
        4 | 5 => Delivery::AtOperator,
        10 => Delivery::Delivered,
        // Failed at the operator, not delivered, cancelled.
        6 | 11 | 13 => Delivery::Failed,
        14 => Delivery::Blocked,
        // Besides the unknown id also 50, which is of received messages.
        _ => Delivery::Unknown,
    }
}

/// The state of a message that was taken and then not sent (table 2). Any other state, also one
/// that is not documented, is on its way.
pub(super) fn refused_record(state: i128) -> Option<&'static Row> {
    #[rustfmt::skip]
    const REFUSED: &[Row] = &[
        (6, MessageRefused, "failed at the operator"),
        (11, MessageRefused, "not delivered"),
        (13, NotSent, "cancelled, or debugmode is on"),
        (14, NumberRefused, "blocked by the recipient"),
        (UNKNOWN_ID, PerhapsSent, "an unknown message id, for a message just taken"),
    ];
    REFUSED.iter().find(|(known, ..)| *known == state)
}
