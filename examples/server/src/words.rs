//! One word for each thing that can be said of a message, for machines; people read the same words
//! with spaces in them.

use chelseru_core::sms::{Delivery, SmsErrorKind};
use chelseru_core::store::{SmsPurpose, SmsStatus};

/// For what this program does not know yet of a newer core.
const OTHER: &str = "other";

pub(crate) fn purpose(purpose: SmsPurpose) -> &'static str {
    match purpose {
        SmsPurpose::Code => "code",
        SmsPurpose::Message => "message",
        _ => OTHER,
    }
}

pub(crate) fn status(status: SmsStatus) -> &'static str {
    match status {
        SmsStatus::Sending => "sending",
        SmsStatus::Accepted => "accepted",
        SmsStatus::NotSent => "not_sent",
        SmsStatus::Unknown => "perhaps_sent",
        _ => OTHER,
    }
}

pub(crate) fn delivery(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Pending => "pending",
        Delivery::AtOperator => "at_operator",
        Delivery::Delivered => "delivered",
        Delivery::Failed => "failed",
        Delivery::Blocked => "blocked",
        Delivery::Unknown => "unknown",
        _ => OTHER,
    }
}

/// All that [`failure`] knows.
pub(crate) const FAILURES: [SmsErrorKind; 7] = [
    SmsErrorKind::NotSent,
    SmsErrorKind::PerhapsSent,
    SmsErrorKind::NumberRefused,
    SmsErrorKind::Throttled,
    SmsErrorKind::TextRefused,
    SmsErrorKind::TemplateRefused,
    SmsErrorKind::Unsupported,
];

pub(crate) fn failure(kind: SmsErrorKind) -> &'static str {
    match kind {
        SmsErrorKind::NotSent => "not_sent",
        SmsErrorKind::PerhapsSent => "perhaps_sent",
        SmsErrorKind::NumberRefused => "number_refused",
        SmsErrorKind::Throttled => "throttled",
        SmsErrorKind::TextRefused => "text_refused",
        SmsErrorKind::TemplateRefused => "template_refused",
        SmsErrorKind::Unsupported => "unsupported",
        _ => OTHER,
    }
}
