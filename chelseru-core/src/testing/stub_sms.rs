//! A provider that sends nothing and remembers everything.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::sms::{
    Capabilities, Content, Credit, Delivery, DeliveryReport, LocalId, Sent, Sms, SmsError,
    SmsErrorKind, SmsProvider,
};

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
#[derive(Clone)]
pub struct StubProvider {
    name: &'static str,
    capabilities: Capabilities,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    calls: Vec<Sms>,
    accepted: Vec<Sms>,
    next: VecDeque<Next>,
    deliveries: HashMap<String, Delivery>,
    asked: usize,
    is_silent: bool,
    knows: Option<SmsError>,
    credit: Option<Credit>,
    price: Option<i64>,
}

/// What the next call does instead of accepting its message.
enum Next {
    Fail(SmsError),
    TakeAndLoseTheAnswer,
    Hang,
}

impl Default for StubProvider {
    fn default() -> Self {
        Self::named("STUB")
    }
}

impl StubProvider {
    /// A provider that accepts every message.
    pub fn new() -> Self {
        Self::default()
    }

    /// One of several.
    pub fn named(name: &'static str) -> Self {
        Self {
            name,
            capabilities: Capabilities::default(),
            state: Arc::default(),
        }
    }

    /// With these capabilities; all of them work.
    #[must_use]
    pub fn that_can(mut self, change: impl FnOnce(&mut Capabilities)) -> Self {
        change(&mut self.capabilities);
        self
    }

    /// Lets the next call fail with this error; several are taken in order.
    pub fn fail_next(&self, error: SmsError) {
        self.state().next.push_back(Next::Fail(error));
    }

    /// Lets the next call take its message and fail as if the answer was lost.
    pub fn lose_next_answer(&self) {
        self.state().next.push_back(Next::TakeAndLoseTheAnswer);
    }

    /// Lets the next call never end, and not take its message.
    pub fn hang_next(&self) {
        self.state().next.push_back(Next::Hang);
    }

    /// Lets every question about a message fail; `None` lets them be answered again.
    pub fn answer_questions_with(&self, error: Option<SmsError>) {
        self.state().knows = error;
    }

    /// Lets no question about a message or the account ever end, until told otherwise.
    pub fn hang_on_questions(&self, hangs: bool) {
        self.state().is_silent = hangs;
    }

    /// Sets what it says of the delivery of its n-th message, counted from 1.
    pub fn deliver(&self, n: usize, delivery: Delivery) {
        self.state().deliveries.insert(n.to_string(), delivery);
    }

    /// Sets what it says of its account.
    pub fn set_credit(&self, credit: Credit) {
        self.state().credit = Some(credit);
    }

    /// Sets what it says that a message costs, in rial.
    pub fn set_price(&self, rial: i64) {
        self.state().price = Some(rial);
    }

    /// How many messages it accepted.
    pub fn sent(&self) -> usize {
        self.state().accepted.len()
    }

    /// How often it was called, failures included.
    pub fn calls(&self) -> usize {
        self.state().calls.len()
    }

    /// How often it was asked what became of messages.
    pub fn questions(&self) -> usize {
        self.state().asked
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
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StubProvider {
    async fn think(&self) {
        let is_silent = self.state().is_silent;
        if is_silent {
            std::future::pending::<()>().await;
        }
    }
}

impl State {
    fn report(&self, message_id: &str) -> DeliveryReport {
        let delivery = self.deliveries.get(message_id).copied();
        DeliveryReport {
            message_id: message_id.to_owned(),
            delivery: delivery.unwrap_or(Delivery::Pending),
            code: delivery.map(|delivery| format!("{delivery:?}")),
        }
    }

    fn question(&mut self) -> Result<(), SmsError> {
        self.asked += 1;
        self.knows.clone().map_or(Ok(()), Err)
    }
}

impl fmt::Debug for StubProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StubProvider").field(&self.name).finish()
    }
}

#[async_trait]
impl SmsProvider for StubProvider {
    fn name(&self) -> &str {
        self.name
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    async fn send(&self, sms: &Sms) -> Result<Sent, SmsError> {
        let next = {
            let mut state = self.state();
            state.calls.push(sms.clone());
            let next = state.next.pop_front();
            if matches!(next, None | Some(Next::TakeAndLoseTheAnswer)) {
                state.accepted.push(sms.clone());
            }
            next
        };
        match next {
            None => {
                let state = self.state();
                let mut sent = Sent::with_id(state.accepted.len().to_string());
                sent.cost_rial = state.price;
                Ok(sent)
            }
            Some(Next::Fail(error)) => Err(error),
            Some(Next::TakeAndLoseTheAnswer) => Err(SmsError::new(
                SmsErrorKind::PerhapsSent,
                "the answer was lost",
            )),
            Some(Next::Hang) => std::future::pending().await,
        }
    }

    async fn find(&self, local_id: LocalId) -> Result<Option<DeliveryReport>, SmsError> {
        self.think().await;
        let mut state = self.state();
        state.question()?;
        let mut accepted = state.accepted.iter();
        let place = accepted.position(|sms| sms.local_id == Some(local_id));
        Ok(place.map(|place| state.report(&(place + 1).to_string())))
    }

    async fn deliveries(&self, message_ids: &[String]) -> Result<Vec<DeliveryReport>, SmsError> {
        self.think().await;
        let mut state = self.state();
        state.question()?;
        Ok(message_ids.iter().map(|id| state.report(id)).collect())
    }

    async fn credit(&self) -> Result<Credit, SmsError> {
        self.think().await;
        let credit = self.state().credit;
        credit.ok_or_else(SmsError::unsupported)
    }
}
