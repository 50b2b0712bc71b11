//! Hashing passwords away from the threads that serve, and only so many at once: one takes some 20 MiB
//! and as many milliseconds of a core, and anybody may ask for one.

use std::sync::Arc;
use std::thread;

use rand::RngExt;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task;

use crate::config::PasswordsConfig;
use crate::error::Error;
use crate::password::{Hashing, HashingFailed, Password, PasswordHash, Verdict};

/// How many may wait for each one that is being hashed. Who comes after them is refused at once, so that
/// nobody waits for long and what waits takes little memory.
const WAITING_FOR_EACH: usize = 16;

/// The passwords that are being hashed or wait for it.
pub(super) struct Hashers {
    hashing: Arc<Hashing>,
    /// Being hashed or waiting.
    places: Semaphore,
    /// Being hashed. Kept by the work itself: who stops waiting for it does not stop it.
    at_work: Arc<Semaphore>,
}

impl Hashers {
    pub(super) fn new(config: &PasswordsConfig) -> Self {
        let at_once = match config.max_concurrent {
            0 => thread::available_parallelism().map_or(1, usize::from),
            number => number,
        };
        Self {
            hashing: Arc::new(Hashing::new(config)),
            places: Semaphore::new(at_once * (1 + WAITING_FOR_EACH)),
            at_work: Arc::new(Semaphore::new(at_once)),
        }
    }

    #[cfg(any(test, feature = "testing"))]
    pub(super) fn work(&self) -> crate::password::PasswordWork {
        self.hashing.work()
    }

    /// A place among those who wait, or [`Error::Overloaded`]: to be taken before anything is counted or
    /// used up that a later refusal would lose.
    pub(super) fn place(&self) -> Result<Place<'_>, Error> {
        let place = self.places.try_acquire().map_err(|_| Error::Overloaded)?;
        Ok(Place {
            hashers: self,
            _place: place,
        })
    }
}

/// A place among those whose passwords are hashed.
pub(super) struct Place<'a> {
    hashers: &'a Hashers,
    _place: SemaphorePermit<'a>,
}

impl Place<'_> {
    /// The hash to be kept of a password.
    pub(super) async fn hash(self, password: Password) -> Result<PasswordHash, Error> {
        let salt = rand::rng().random();
        self.run(move |hashing| hashing.hash(&password, salt)).await
    }

    /// Compares a password with what is kept of one, with the same work if nothing is.
    pub(super) async fn verify(
        self,
        password: Password,
        kept: Option<PasswordHash>,
    ) -> Result<Verdict, Error> {
        let salt = rand::rng().random();
        self.run(move |hashing| hashing.verify(&password, kept.as_ref(), salt))
            .await
    }

    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Hashing) -> Result<T, HashingFailed> + Send + 'static,
    ) -> Result<T, Error> {
        let turn = Arc::clone(&self.hashers.at_work).acquire_owned().await;
        let turn = turn.map_err(|_| Error::Overloaded)?;
        let hashing = Arc::clone(&self.hashers.hashing);
        let done = task::spawn_blocking(move || {
            let done = work(&hashing);
            drop(turn);
            done
        });
        match done.await {
            Ok(done) => done.map_err(|error| {
                tracing::error!(%error);
                Error::Overloaded
            }),
            // The process is ending.
            Err(_) => Err(Error::Overloaded),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier};

    use super::{Hashers, WAITING_FOR_EACH};
    use crate::config::PasswordsConfig;
    use crate::error::Error;
    use crate::password::PasswordHash;

    fn hashers(max_concurrent: usize) -> Arc<Hashers> {
        Arc::new(Hashers::new(&PasswordsConfig {
            memory_kib: 64,
            iterations: 1,
            max_concurrent,
            ..PasswordsConfig::default()
        }))
    }

    async fn hash_one(hashers: &Hashers) -> Result<PasswordHash, Error> {
        let password = "x7kqm2pd".parse().unwrap();
        hashers.place()?.hash(password).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn only_so_many_are_hashed_at_once_and_all_who_wait_get_their_turn() {
        let hashers = hashers(2);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all: Vec<_> = (0..2 * (1 + WAITING_FOR_EACH))
            .map(|_| {
                let (hashers, now, most) =
                    (Arc::clone(&hashers), Arc::clone(&now), Arc::clone(&most));
                tokio::spawn(async move {
                    let work = hashers.place()?.run(move |_| {
                        let at_once = now.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(at_once, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                        Ok(())
                    });
                    work.await
                })
            })
            .collect();
        for one in all {
            assert!(one.await.unwrap().is_ok());
        }
        assert!(most.load(Ordering::SeqCst) <= 2);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_comes_when_too_many_wait_is_refused_at_once_and_later_served() {
        let hashers = hashers(1);
        let gate = Arc::new(Barrier::new(2));
        let busy: Vec<_> = (0..=WAITING_FOR_EACH)
            .map(|n| {
                let (hashers, gate) = (Arc::clone(&hashers), Arc::clone(&gate));
                tokio::spawn(async move {
                    let wait = move |_: &_| {
                        if n == 0 {
                            gate.wait();
                        }
                        Ok(())
                    };
                    hashers.place()?.run(wait).await
                })
            })
            .collect();
        while hashers.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(hashers.place(), Err(Error::Overloaded)));
        gate.wait();
        for one in busy {
            assert!(one.await.unwrap().is_ok());
        }
        assert!(hash_one(&hashers).await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_stops_waiting_leaves_no_more_at_work_than_may_be() {
        let hashers = hashers(1);
        let gate = Arc::new(Barrier::new(2));
        let inner = Arc::clone(&gate);
        let abandoned = {
            let hashers = Arc::clone(&hashers);
            tokio::spawn(async move {
                hashers
                    .place()?
                    .run(move |_| {
                        inner.wait();
                        Ok(())
                    })
                    .await
            })
        };
        while hashers.at_work.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        abandoned.abort();
        assert!(abandoned.await.is_err());
        assert_eq!(
            hashers.at_work.available_permits(),
            0,
            "it is still at work"
        );
        gate.wait();
        assert!(hash_one(&hashers).await.is_ok());
    }
}
