//! A provider that answers when it is told to.

use std::sync::Arc;

use async_trait::async_trait;
use chelseru_core::sms::{Sent, Sms, SmsError, SmsProvider};
use chelseru_core::testing::StubProvider;
use tokio::sync::Semaphore;

/// Takes a message, and answers only when [`answer`](Self::answer) is called. Clones are the same.
#[derive(Clone, Debug)]
pub struct SlowProvider {
    asked: Arc<Semaphore>,
    may_answer: Arc<Semaphore>,
    sms: StubProvider,
}

impl SlowProvider {
    /// One that hands its messages to `sms`, slowly.
    pub fn new(sms: StubProvider) -> Self {
        Self {
            asked: Arc::new(Semaphore::new(0)),
            may_answer: Arc::new(Semaphore::new(0)),
            sms,
        }
    }

    /// Waits until it was asked to send once more.
    pub async fn asked(&self) {
        take(&self.asked).await;
    }

    /// Lets it answer once.
    pub fn answer(&self) {
        self.may_answer.add_permits(1);
    }
}

#[async_trait]
impl SmsProvider for SlowProvider {
    fn name(&self) -> &'static str {
        "SLOW"
    }

    async fn send(&self, sms: &Sms) -> Result<Sent, SmsError> {
        self.asked.add_permits(1);
        take(&self.may_answer).await;
        self.sms.send(sms).await
    }
}

async fn take(permits: &Semaphore) {
    if let Ok(permit) = permits.acquire().await {
        permit.forget();
    }
}
