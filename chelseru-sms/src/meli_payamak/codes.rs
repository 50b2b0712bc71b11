//! What Melipayamak's codes mean, one table for each operation. The console has codes only for
//! deliveries.
//!
//! Sources: Melipayamak's documentation of SendSimpleSMS2 and SendByBaseNumber2, whose codes the
//! REST operations share; 8, 18, 19, -10 and those from 108 on from public clients. Sources differ in
//! the sign of 108 to 111, so both are known.

use chelseru_core::sms::Delivery;
use chelseru_core::sms::SmsErrorKind::{
    MessageRefused, NotSent, NumberRefused, PerhapsSent, TemplateRefused, TextRefused, Throttled,
};

use crate::codes::{Codes, Row};

/// REST `SendSMS`: plain texts.
pub(super) const SEND_SMS: Codes = Codes {
    own: &[],
    shared: &[TEXTS, MESSAGES, ACCOUNT],
};

/// SOAP `SendSimpleSMS2`: plain texts.
pub(super) const SEND_SIMPLE_SMS_2: Codes = Codes {
    own: &[],
    shared: &[TEXTS, MESSAGES, ACCOUNT],
};

/// REST `BaseServiceNumber`: templates, which Melipayamak calls patterns.
#[rustfmt::skip]
pub(super) const BASE_SERVICE_NUMBER: Codes = Codes {
    own: &[
        (-1, TemplateRefused, "templates are disabled for this account"),
        (-2, NotSent, "more than one recipient"),
        (-3, NotSent, "the sender line is not defined"),
        (-4, TemplateRefused, "the template is unknown or not yet approved"),
        (-5, TextRefused, "the variables do not fit the template"),
        (-6, PerhapsSent, "an internal error of the provider"),
        (-7, NotSent, "an error in the sender"),
        (-10, TextRefused, "a variable has a link"),
        // An outdated sample writes -3, -4 and -5 without the sign, and plain texts have yet another
        // meaning for each. None of them was sent.
        (3, NotSent, "the sender line is not defined, or a limit is reached"),
        (4, NotSent, "the template is unknown, or a limit is reached"),
        (5, NotSent, "the variables do not fit the template, or the sender is invalid"),
    ],
    shared: &[MESSAGES, ACCOUNT],
};

/// REST `GetDeliveries2`, for what is not the state of a message.
#[rustfmt::skip]
pub(super) const GET_DELIVERIES_2: Codes = Codes {
    own: &[(WRONG_CREDENTIALS, NotSent, "the username or password is wrong")],
    shared: &[ACCOUNT],
};

/// REST `GetCredit`, for what is not an amount.
#[rustfmt::skip]
pub(super) const GET_CREDIT: Codes = Codes {
    own: &[(-1, NotSent, "the credit could not be read")],
    shared: &[ACCOUNT],
};

/// What is wrong with a plain text.
#[rustfmt::skip]
const TEXTS: &[Row] = &[
    (3, Throttled, "the daily sending limit is reached"),
    (4, Throttled, "the volume limit is reached"),
    (5, NotSent, "the sender is invalid"),
    (8, NotSent, "fewer messages than the minimum"),
    (9, NotSent, "public lines cannot be used by web service"),
    (14, TextRefused, "the text has a link"),
    (15, TextRefused, "several recipients need the words for opting out in the text"),
    (16, NumberRefused, "no recipient was found"),
    (17, TextRefused, "the text is empty"),
];

/// What is wrong with a text or a template.
#[rustfmt::skip]
const MESSAGES: &[Row] = &[
    (2, NotSent, "the credit is too low"),
    (6, Throttled, "the system is being updated"),
    (7, TextRefused, "the text has a filtered word"),
    // The documentation says no more than this; one client takes it for a blacklisted number.
    (11, MessageRefused, "not sent"),
    (18, NumberRefused, "the recipient is invalid"),
    (19, Throttled, "the hourly limit is reached"),
    (35, NumberRefused, "the recipient is in the operators' blacklist"),
];

/// What is wrong with the account, whatever is asked.
#[rustfmt::skip]
const ACCOUNT: &[Row] = &[
    (0, NotSent, "the username or password is wrong"),
    (10, NotSent, "the user is inactive"),
    (12, NotSent, "the user's documents are incomplete"),
    (-108, Throttled, IP_BLOCKED),
    (108, Throttled, IP_BLOCKED),
    (-109, NotSent, IP_NOT_SET),
    (109, NotSent, IP_NOT_SET),
    (-110, NotSent, API_KEY_NEEDED),
    (110, NotSent, API_KEY_NEEDED),
    (-111, NotSent, IP_NOT_ALLOWED),
    (111, NotSent, IP_NOT_ALLOWED),
];

const IP_BLOCKED: &str = "the IP address is blocked after failed logins";
const IP_NOT_SET: &str = "the panel must allow an IP address";
const API_KEY_NEEDED: &str = "the account demands its API key in place of the password";
const IP_NOT_ALLOWED: &str = "the panel does not allow this IP address";

/// In place of a message's state: the username or password is wrong.
const WRONG_CREDENTIALS: i128 = -3;

/// What became of a message in this state, in `GetDeliveries2` and in the console's
/// `receive/status`, whose documentation lists them; 5, 9 and 35 are from public clients. `None` for
/// what is a failure of the question.
///
/// The list is that of Melipayamak only: other providers use the same numbers for other states.
pub(super) fn delivery(state: i128) -> Option<Delivery> {
    Some(match state {
        // Not updated yet, and in the list of what is to be sent.
        9 | 400 => Delivery::Pending,
        // Sent to the operator, reached the operator, sent.
        0 | 8 | 200 => Delivery::AtOperator,
        1 => Delivery::Delivered,
        // Did not reach the phone, an error of the operator, did not reach the operator, filtered
        // for what it says, not accepted.
        2 | 3 | 16 | 300 | 500 => Delivery::Failed,
        // The operators' blacklist.
        35 => Delivery::Blocked,
        WRONG_CREDENTIALS | -111..=-108 => return None,
        // Among them 5 and 100, "unknown", and -1, a wrong id or not sent.
        _ => Delivery::Unknown,
    })
}
