//! What a provider keeps: its account, its templates, and every message that it really sent.

use std::collections::{BTreeMap, HashMap};

use chelseru_core::config::SmsService;

/// A message that was really sent: the receiver got it and the account paid for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentSms {
    /// By whom.
    pub provider: SmsService,
    /// The provider's name of the operation, as in [`Fault::only`](crate::Fault::only).
    pub operation: String,
    /// The receiver, as `09121234567`.
    pub to: String,
    /// What the receiver reads.
    pub text: String,
    /// The line; empty where the provider chose it.
    pub sender: String,
    /// The provider's id or name of the template, if it was one.
    pub template: Option<String>,
    /// The values of the template's placeholders, in the provider's order.
    pub variables: Vec<String>,
    /// The sender's own id of it.
    pub local_id: Option<i64>,
    /// The provider's id of it.
    pub message_id: String,
    /// What was paid for it, in the unit of the provider's credit.
    pub cost: i64,
}

/// A message before the provider gave it an id.
#[derive(Debug, Default)]
pub(super) struct NewMessage {
    pub(super) operation: String,
    pub(super) to: String,
    pub(super) text: String,
    pub(super) sender: String,
    pub(super) template: Option<String>,
    pub(super) variables: Vec<String>,
    pub(super) local_id: Option<i64>,
}

/// The provider's memory.
#[derive(Debug)]
pub(super) struct Book {
    service: SmsService,
    first_id: u64,
    messages: Vec<Message>,
    by_local_id: HashMap<i64, usize>,
    pub(super) credit: i64,
    pub(super) cost: i64,
    pub(super) templates: BTreeMap<String, String>,
    pub(super) polls_until_delivered: u32,
}

#[derive(Debug)]
struct Message {
    sms: SentSms,
    polls: u32,
    /// What the test says became of it.
    delivery: Option<i64>,
}

impl Book {
    /// An account with this credit, whose messages cost this much and have ids from `first_id` on.
    pub(super) fn new(service: SmsService, first_id: u64, credit: i64, cost: i64) -> Self {
        Self {
            service,
            first_id,
            messages: Vec::new(),
            by_local_id: HashMap::new(),
            credit,
            cost,
            templates: BTreeMap::new(),
            polls_until_delivered: 1,
        }
    }

    pub(super) fn sent(&self) -> impl Iterator<Item = &SentSms> {
        self.messages.iter().map(|message| &message.sms)
    }

    /// Whether this many messages can be paid.
    pub(super) fn can_pay(&self, messages: usize) -> bool {
        let messages = i64::try_from(messages).unwrap_or(i64::MAX);
        self.cost.saturating_mul(messages) <= self.credit
    }

    /// Sends a message.
    pub(super) fn send(&mut self, message: NewMessage) -> &SentSms {
        self.credit -= self.cost;
        let index = self.messages.len();
        if let Some(local_id) = message.local_id {
            self.by_local_id.insert(local_id, index);
        }
        self.messages.push(Message {
            sms: SentSms {
                provider: self.service,
                operation: message.operation,
                to: message.to,
                text: message.text,
                sender: message.sender,
                template: message.template,
                variables: message.variables,
                local_id: message.local_id,
                message_id: (self.first_id + index as u64).to_string(),
                cost: self.cost,
            },
            polls: 0,
            delivery: None,
        });
        &self.messages[index].sms
    }

    /// The message that was sent with this id of the sender.
    pub(super) fn find_local(&self, local_id: i64) -> Option<&SentSms> {
        let index = self.by_local_id.get(&local_id)?;
        Some(&self.messages[*index].sms)
    }

    /// Says from now on that this became of a message, in the provider's own code.
    pub(super) fn set_delivery(&mut self, message_id: &str, code: i64) {
        let message = self.message(message_id);
        message
            .unwrap_or_else(|| panic!("no message {message_id} was sent"))
            .delivery = Some(code);
    }

    /// What became of a message, in the provider's code: what the test said, else queued for the first
    /// polls and then delivered. Asking counts as a poll.
    pub(super) fn poll(&mut self, message_id: &str, queued: i64, delivered: i64) -> Option<i64> {
        let patience = self.polls_until_delivered;
        let message = self.message(message_id)?;
        message.polls += 1;
        Some(message.delivery.unwrap_or(if message.polls <= patience {
            queued
        } else {
            delivered
        }))
    }

    fn message(&mut self, message_id: &str) -> Option<&mut Message> {
        let id: u64 = message_id.parse().ok()?;
        let index = usize::try_from(id.checked_sub(self.first_id)?).ok()?;
        self.messages.get_mut(index)
    }
}

/// A template's text with its placeholders replaced. What a value has of placeholders stays as it is.
pub(super) fn render(template: &str, values: &[(String, String)]) -> String {
    let mut rendered = String::new();
    let mut rest = template;
    while let Some(next) = rest.chars().next() {
        // The longest, because one may begin with another: %token, %token2.
        let placeholder = values
            .iter()
            .filter(|(placeholder, _)| rest.starts_with(placeholder.as_str()))
            .max_by_key(|(placeholder, _)| placeholder.len());
        if let Some((placeholder, value)) = placeholder {
            rendered.push_str(value);
            rest = &rest[placeholder.len()..];
        } else {
            rendered.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    rendered
}

/// The canonical form of an Iranian mobile number; `None` when it is none. Which of the ways to write
/// one are understood is for the provider to say: `prefixes`, longest first.
pub(super) fn mobile_number(number: &str, prefixes: &[&str]) -> Option<String> {
    prefixes.iter().find_map(|prefix| {
        let national = number.strip_prefix(prefix)?;
        let is_mobile = national.len() == 10
            && national.starts_with('9')
            && national.bytes().all(|byte| byte.is_ascii_digit());
        is_mobile.then(|| format!("0{national}"))
    })
}
