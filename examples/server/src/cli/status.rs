//! `sms status`: what became of the newest messages, and what they cost.

use std::time::Duration;

use chelseru_core::store::{SmsRecord, SmsStatus, SmsTotal};
use chelseru_core::{Clock, Config, SystemClock, Timestamp};
use serde::Serialize;

use super::table::{self, in_utc, or_dash, said};
use super::{Found, Refusal, database, in_one_line, print_json};
use crate::options::StatusOptions;
use crate::terminal::print;
use crate::words;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Serialize)]
struct Status {
    /// The newest first.
    messages: Vec<Message>,
    bill: Bill,
}

#[derive(Serialize)]
struct Message {
    id: i64,
    created_at: Timestamp,
    /// When the status or the delivery last changed.
    changed_at: Timestamp,
    /// Masked.
    to: String,
    provider: String,
    purpose: &'static str,
    status: &'static str,
    delivery: Option<&'static str>,
    parts: Option<u32>,
    cost_rial: Option<i64>,
    provider_code: Option<String>,
    may_repeat: bool,
}

#[derive(Serialize)]
struct Bill {
    since: Timestamp,
    lines: Vec<Line>,
    /// Of all messages but those that were certainly not sent.
    total: Sum,
}

#[derive(Serialize)]
struct Line {
    provider: String,
    status: &'static str,
    delivery: Option<&'static str>,
    #[serde(flatten)]
    sum: Sum,
}

#[derive(Clone, Copy, Default, Serialize)]
struct Sum {
    messages: u64,
    parts: u64,
    cost_rial: i64,
}

pub(super) async fn run(options: &StatusOptions, config: &Config) -> Result<Found, Refusal> {
    let store = database(&config.database).await?;
    let since = SystemClock.now() - DAY * options.days;
    let messages = match options.last {
        0 => Vec::new(),
        last => store.recent_sms(None, last).await?,
    };
    let status = Status {
        messages: messages.into_iter().map(Message::from).collect(),
        bill: Bill::new(since, store.total_sms(since).await?),
    };
    if options.json {
        print_json(&status)?;
    } else {
        if options.last > 0 {
            print(&format!("{}\n", messages_table(&status.messages)));
        }
        let days = match options.days {
            1 => "day".to_owned(),
            days => format!("{days} days"),
        };
        print(&format!("The last {days}:\n{}", bill_table(&status.bill)));
    }
    Ok(Found::Well)
}

impl From<SmsRecord> for Message {
    fn from(SmsRecord { id, sms, outcome }: SmsRecord) -> Self {
        Self {
            id: id.0,
            created_at: sms.created_at,
            changed_at: outcome.at,
            to: format!("{:?}", sms.mobile_number),
            provider: sms.provider,
            purpose: words::purpose(sms.purpose),
            status: words::status(outcome.status),
            delivery: outcome.delivery.map(words::delivery),
            parts: sms.parts,
            cost_rial: outcome.cost_rial,
            provider_code: outcome.provider_code,
            may_repeat: sms.may_repeat.is_some(),
        }
    }
}

impl Bill {
    fn new(since: Timestamp, mut totals: Vec<SmsTotal>) -> Self {
        let mut total = Sum::default();
        for one in totals.iter().filter(|one| one.status != SmsStatus::NotSent) {
            total.messages += one.messages;
            total.parts += one.parts;
            total.cost_rial += one.cost_rial;
        }
        totals.sort_by_cached_key(|one| {
            let delivery = one.delivery.map(words::delivery);
            (one.provider.clone(), words::status(one.status), delivery)
        });
        let lines = totals.into_iter().map(|one| Line {
            status: words::status(one.status),
            delivery: one.delivery.map(words::delivery),
            sum: Sum {
                messages: one.messages,
                parts: one.parts,
                cost_rial: one.cost_rial,
            },
            provider: one.provider,
        });
        Self {
            since,
            lines: lines.collect(),
            total,
        }
    }
}

fn messages_table(messages: &[Message]) -> String {
    let mut table = table::new(&[
        ">ID",
        "TIME (UTC)",
        "TO",
        "PROVIDER",
        "FOR",
        "STATUS",
        "DELIVERY",
        ">PARTS",
        ">RIAL",
        "CODE",
        "NOTE",
    ]);
    for message in messages {
        let note = if message.may_repeat {
            "possible repetition"
        } else {
            ""
        };
        table.add_row([
            message.id.to_string(),
            in_utc(message.created_at),
            message.to.clone(),
            in_one_line(&message.provider),
            said(message.purpose),
            said(message.status),
            or_dash(message.delivery.map(said)),
            or_dash(message.parts),
            or_dash(message.cost_rial),
            or_dash(message.provider_code.as_deref().map(in_one_line)),
            note.to_owned(),
        ]);
    }
    table::text(&table)
}

fn bill_table(bill: &Bill) -> String {
    let mut table = table::new(&[
        "PROVIDER",
        "STATUS",
        "DELIVERY",
        ">MESSAGES",
        ">PARTS",
        ">RIAL",
    ]);
    let amounts = |sum: Sum| {
        [
            sum.messages.to_string(),
            sum.parts.to_string(),
            sum.cost_rial.to_string(),
        ]
    };
    for line in &bill.lines {
        let delivery = or_dash(line.delivery.map(said));
        let of = [in_one_line(&line.provider), said(line.status), delivery];
        table.add_row(of.into_iter().chain(amounts(line.sum)));
    }
    let of = ["all but not sent", "", ""].map(str::to_owned);
    table.add_row(of.into_iter().chain(amounts(bill.total)));
    table::text(&table)
}
