//! The task that works in the background.

use std::time::Duration;

use actix_web::rt;
use chelseru_core::{Chelseru, HousekeepingClaim};

/// Starts the task on this thread, unless this service has one already.
pub(crate) fn start(chelseru: &Chelseru) {
    start_every(chelseru, HousekeepingClaim::INTERVAL);
}

fn start_every(chelseru: &Chelseru, interval: Duration) {
    let Some(mut claim) = chelseru.claim_housekeeping() else {
        return;
    };
    let chelseru = chelseru.clone();
    // When the thread ends, so does the task, and another may claim.
    rt::spawn(async move {
        loop {
            // Its own task: an application's provider that panics ends that one alone.
            let work = rt::spawn(async move {
                claim.work().await;
                claim
            });
            let done = work.await.ok();
            if done.is_none() {
                tracing::error!("the work in the background panicked; it goes on");
            }
            let Some(next) = done.or_else(|| chelseru.claim_housekeeping()) else {
                return;
            };
            claim = next;
            rt::time::sleep(interval).await;
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use actix_web::rt;
    use chelseru_core::sms::{Capabilities, Credit, Sent, Sms, SmsError, SmsProvider};
    use chelseru_core::store::MemoryStore;
    use chelseru_core::{Chelseru, Config};

    use super::start_every;

    /// Panics when it is asked for its credit.
    #[derive(Debug, Default)]
    struct Faulty(AtomicUsize);

    #[async_trait::async_trait]
    impl SmsProvider for Faulty {
        fn name(&self) -> &'static str {
            "FAULTY"
        }

        fn capabilities(&self) -> Capabilities {
            let mut can = Capabilities::default();
            can.credit = true;
            can
        }

        async fn send(&self, _: &Sms) -> Result<Sent, SmsError> {
            Err(SmsError::unsupported())
        }

        async fn credit(&self) -> Result<Credit, SmsError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            panic!("as the test wants it");
        }
    }

    #[actix_web::test]
    async fn a_provider_that_panics_does_not_end_the_work_in_the_background() {
        let provider = Arc::new(Faulty::default());
        let config = Config::builder()
            .signing_key("a key of at least 32 bytes, for tests")
            .sms_low_balance_rial(1)
            .build()
            .unwrap();
        let chelseru = Chelseru::builder(config)
            .store(MemoryStore::new())
            .sms(vec![provider.clone() as _])
            .build()
            .unwrap();
        start_every(&chelseru, Duration::from_millis(1));
        for _ in 0..1000 {
            if provider.0.load(Ordering::Relaxed) >= 2 {
                return;
            }
            rt::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("it was not asked again");
    }
}
