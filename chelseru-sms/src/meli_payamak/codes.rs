//! What Melipayamak's codes mean, one table for each operation.
//!
//! Sources: Melipayamak's documentation of SendSimpleSMS2 and SendByBaseNumber2, whose codes the
//! REST operations share; 8, 18, 19, -10 and those from 108 on from public clients. Sources differ in
//! the sign of 108 to 111, so both are known.

use chelseru_core::sms::SmsErrorKind::{
    NotSent, NumberRefused, PerhapsSent, TemplateRefused, TextRefused, Throttled,
};

use crate::codes::{Codes, Row};

/// `SendSMS`: plain texts.
#[rustfmt::skip]
pub(super) const SEND: Codes = Codes {
    own: &[
        (3, Throttled, "the daily sending limit is reached"),
        (4, Throttled, "the volume limit is reached"),
        (5, NotSent, "the sender is invalid"),
        (8, NotSent, "fewer messages than the minimum"),
        (9, NotSent, "public lines cannot be used by web service"),
        (14, TextRefused, "the text has a link"),
        (15, TextRefused, "several recipients need the words for opting out in the text"),
        (16, NumberRefused, "no recipient was found"),
        (17, TextRefused, "the text is empty"),
    ],
    shared: SHARED,
};

/// `BaseServiceNumber`: templates, which Melipayamak calls patterns.
#[rustfmt::skip]
pub(super) const PATTERN: Codes = Codes {
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
    shared: SHARED,
};

#[rustfmt::skip]
const SHARED: &[Row] = &[
    (0, NotSent, "the username or password is wrong"),
    (2, NotSent, "the credit is too low"),
    (6, Throttled, "the system is being updated"),
    (7, TextRefused, "the text has a filtered word"),
    (10, NotSent, "the user is inactive"),
    // The documentation says no more than this; one client takes it for a blacklisted number.
    (11, NotSent, "not sent"),
    (12, NotSent, "the user's documents are incomplete"),
    (18, NumberRefused, "the recipient is invalid"),
    (19, Throttled, "the hourly limit is reached"),
    (35, NumberRefused, "the recipient is in the operators' blacklist"),
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
