//! What Kavenegar's codes mean: REST documentation, table 1 (results) and table 2 (message states).

use chelseru_core::sms::SmsErrorKind::{
    self, NotSent, NumberRefused, PerhapsSent, TemplateRefused, TextRefused, Throttled,
};

use crate::codes::{Codes, Row};

/// `sms/send`.
#[rustfmt::skip]
pub(super) const SEND: Codes = Codes {
    own: &[(426, NotSent, "the line needs the advanced service")],
    shared: SHARED,
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
    shared: SHARED,
};

#[rustfmt::skip]
const SHARED: &[Row] = &[
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
    (411, NumberRefused, "the receptor is invalid"),
    (412, NotSent, "the sender is invalid"),
    (413, TextRefused, "the message is empty or too long"),
    (414, NotSent, "too many records"),
    (415, NotSent, "the start index is beyond the total"),
    (416, NotSent, "the IP address does not match the settings"),
    (417, NotSent, "the date is wrong"),
    (418, NotSent, "the credit is too low"),
    (419, NotSent, "the arrays differ in length"),
    (420, TextRefused, "links are restricted for this account"),
    (422, TextRefused, "an unsuitable character"),
    (427, NotSent, "the line needs an access level"),
    (429, Throttled, "the IP address is limited"),
    (451, Throttled, "too many calls, the IP address is limited"),
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

/// The state of a message that was taken and then not sent (table 2). Any other state, also one
/// that is not documented, is on its way.
pub(super) fn refused_entry(state: i128) -> Option<&'static Row> {
    #[rustfmt::skip]
    const REFUSED: &[Row] = &[
        (6, NotSent, "failed at the operator"),
        (11, NotSent, "not delivered"),
        (13, NotSent, "cancelled, or debugmode is on"),
        (14, NumberRefused, "blocked by the recipient"),
        (100, PerhapsSent, "an unknown message id, for a message just taken"),
    ];
    REFUSED.iter().find(|(known, ..)| *known == state)
}
