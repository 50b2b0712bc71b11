//! A provider that sends nothing and remembers everything.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::sms::{Content, Sent, Sms, SmsError, SmsProvider};

/// An SMS provider for tests: it records every message and answers as told, success by default.
/// Clones share the record.
///
/// ```
/// # use chelseru_core::{sms::{Content, Sms, SmsError, SmsErrorKind, SmsProvider}, testing::StubProvider};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let provider = StubProvider::new();
/// provider.fail_next(SmsError::new(SmsErrorKind::Throttled, "too many"));
/// let sms = Sms::new("09121234567".parse().unwrap(), Content::Text("hi".into()));
/// assert!(provider.send(&sms).await.is_err());
/// assert!(provider.send(&sms).await.is_ok());
/// assert_eq!(provider.sent(), 1);
/// # });
/// ```
#[derive(Clone, Debug, Default)]
pub struct StubProvider(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    calls: Vec<Sms>,
    accepted: Vec<Sms>,
    failures: VecDeque<SmsError>,
}

impl StubProvider {
    /// A provider that accepts every message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the next call fail with this error; several are taken in order.
    pub fn fail_next(&self, error: SmsError) {
        self.state().failures.push_back(error);
    }

    /// How many messages it accepted.
    pub fn sent(&self) -> usize {
        self.state().accepted.len()
    }

    /// How often it was called, failures included.
    pub fn calls(&self) -> usize {
        self.state().calls.len()
    }

    /// The last accepted message.
    pub fn last(&self) -> Option<Sms> {
        self.state().accepted.last().cloned()
    }

    /// The code in the last message for that number, accepted or not: its longest run of digits, or the
    /// template's first value.
    pub fn last_code_for(&self, mobile_number: &str) -> Option<String> {
        let state = self.state();
        let sms = state
            .calls
            .iter()
            .rev()
            .find(|sms| sms.to.as_str() == mobile_number)?;
        match &sms.content {
            Content::Text(text) => text
                .split(|char: char| !char.is_ascii_digit())
                .max_by_key(|digits| digits.len())
                .map(str::to_owned),
            Content::Template { variables, .. } => variables.first().cloned(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SmsProvider for StubProvider {
    fn name(&self) -> &'static str {
        "STUB"
    }

    async fn send(&self, sms: &Sms) -> Result<Sent, SmsError> {
        let mut state = self.state();
        state.calls.push(sms.clone());
        if let Some(error) = state.failures.pop_front() {
            return Err(error);
        }
        state.accepted.push(sms.clone());
        Ok(Sent::with_id(state.accepted.len().to_string()))
    }
}
