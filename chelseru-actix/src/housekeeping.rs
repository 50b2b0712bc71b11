//! The tasks that work in the background.

use std::time::Duration;

use actix_web::rt;
use chelseru_core::{Chelseru, HousekeepingClaim, WatchClaim};

/// Starts the tasks on this thread, unless this service has them already.
pub(crate) fn start(chelseru: &Chelseru) {
    start_housekeeping(chelseru, HousekeepingClaim::INTERVAL);
    start_every(chelseru, Chelseru::claim_watch, watch, WatchClaim::INTERVAL);
}

fn start_housekeeping(chelseru: &Chelseru, interval: Duration) {
    start_every(chelseru, Chelseru::claim_housekeeping, keep_house, interval);
}

async fn watch(mut claim: WatchClaim) -> WatchClaim {
    claim.work().await;
    claim
}

async fn keep_house(mut claim: HousekeepingClaim) -> HousekeepingClaim {
    claim.work().await;
    claim
}

/// Works, waits, and works again, for whoever is given the claim.
fn start_every<C: 'static, F: Future<Output = C> + 'static>(
    chelseru: &Chelseru,
    claim: fn(&Chelseru) -> Option<C>,
    work: fn(C) -> F,
    interval: Duration,
) {
    let Some(mut held) = claim(chelseru) else {
        return;
    };
    let chelseru = chelseru.clone();
    // When the thread ends, so does the task, and another may claim.
    rt::spawn(async move {
        loop {
            // Its own task: an application's provider that panics ends that one alone.
            let done = rt::spawn(work(held)).await.ok();
            if done.is_none() {
                tracing::error!("the work in the background panicked; it goes on");
            }
            let Some(next) = done.or_else(|| claim(&chelseru)) else {
                return;
            };
            held = next;
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
    use chelseru_core::{AccountsChanged, Chelseru, Config};

    use super::{start, start_housekeeping};

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

    fn service() -> Chelseru {
        let config = Config::builder()
            .signing_key("a key of at least 32 bytes, for tests")
            .build()
            .unwrap();
        Chelseru::builder(config)
            .store(MemoryStore::new())
            .sms(Faulty::default())
            .build()
            .unwrap()
    }

    #[actix_web::test]
    async fn the_watch_is_started_once() {
        let chelseru = service();
        let mut changes = chelseru.account_changes();
        start(&chelseru);
        start(&chelseru);
        assert_eq!(changes.next().await, Some(AccountsChanged::Any));
        // It holds the claim, so nobody else can.
        assert!(chelseru.claim_watch().is_none());
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
        start_housekeeping(&chelseru, Duration::from_millis(1));
        for _ in 0..1000 {
            if provider.0.load(Ordering::Relaxed) >= 2 {
                return;
            }
            rt::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("it was not asked again");
    }
}
