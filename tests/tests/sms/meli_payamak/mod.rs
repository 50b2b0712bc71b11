//! Melipayamak: requests, recorded replies and codes of each of its APIs.

mod choice;
mod console_reports;
mod console_send;
mod rest_credit;
mod rest_deliveries;
mod rest_send;
mod soap;

use chelseru_core::sms::Delivery;
use chelseru_core::sms::SmsErrorKind::{
    self, MessageRefused, NotSent, NumberRefused, TextRefused, Throttled,
};

use crate::setup::Api;

const REST: Api = Api::MeliRest;
const SOAP: Api = Api::MeliSoap;
const CONSOLE: Api = Api::MeliConsole;

/// The codes that mean the same for texts and templates.
const OF_BOTH: [(i64, SmsErrorKind); 18] = [
    (0, NotSent),
    (2, NotSent),
    (6, Throttled),
    (7, TextRefused),
    (10, NotSent),
    (11, MessageRefused),
    (12, NotSent),
    (18, NumberRefused),
    (19, Throttled),
    (35, NumberRefused),
    (-108, Throttled),
    (108, Throttled),
    (-109, NotSent),
    (109, NotSent),
    (-110, NotSent),
    (110, NotSent),
    (-111, NotSent),
    (111, NotSent),
];

/// The codes of texts, by REST and by SOAP.
const OF_TEXTS: [(i64, SmsErrorKind); 9] = [
    (3, Throttled),
    (4, Throttled),
    (5, NotSent),
    (8, NotSent),
    (9, NotSent),
    (14, TextRefused),
    (15, TextRefused),
    (16, NumberRefused),
    (17, TextRefused),
];

/// What is wrong with the account, whatever is asked.
const OF_THE_ACCOUNT: [(i64, SmsErrorKind); 10] = [
    (10, NotSent),
    (12, NotSent),
    (-108, Throttled),
    (108, Throttled),
    (-109, NotSent),
    (109, NotSent),
    (-110, NotSent),
    (110, NotSent),
    (-111, NotSent),
    (111, NotSent),
];

/// The states of a message, by REST and by the console.
const STATES: [(i64, Delivery); 19] = [
    (0, Delivery::AtOperator),
    (1, Delivery::Delivered),
    (2, Delivery::Failed),
    (3, Delivery::Failed),
    (5, Delivery::Unknown),
    (8, Delivery::AtOperator),
    (9, Delivery::Pending),
    (16, Delivery::Failed),
    (35, Delivery::Blocked),
    (100, Delivery::Unknown),
    (200, Delivery::AtOperator),
    (300, Delivery::Failed),
    (400, Delivery::Pending),
    (500, Delivery::Failed),
    (-1, Delivery::Unknown),
    // Not documented; 4 and 32 are states of another provider.
    (4, Delivery::Unknown),
    (32, Delivery::Unknown),
    (-2, Delivery::Unknown),
    (1001, Delivery::Unknown),
];
