//! A circuit breaker: a provider that keeps failing is left alone for a while, and then asked once.
//!
//! Closed, every message passes. After a number of failures in a row it opens for a pause. When that
//! is over, one message passes as a probe: its success closes the breaker, its failure opens it for
//! twice as long, up to [`LONGEST_PAUSE`] times the first pause. A probe that never reports, because
//! its caller has gone, is followed by another one a pause later.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;

/// How many times the first pause the longest one is.
const LONGEST_PAUSE: u32 = 10;

/// Leave to ask the provider; to be told how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// The breaker is closed.
    Regular,
    /// The one message that finds out whether the provider works again.
    Probe,
}

/// What a report changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// From now on nothing passes until then.
    Opened { until: Timestamp },
    /// From now on everything passes.
    Closed,
}

#[derive(Debug)]
pub(crate) struct Breaker {
    /// How many failures in a row open it; 0 for never.
    threshold: u32,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Closed { failures: u32 },
    Open { until: Timestamp, pause: Duration },
}

impl Breaker {
    pub(crate) fn new(threshold: u32, pause: Duration) -> Self {
        Self {
            threshold,
            pause,
            state: Mutex::new(State::Closed { failures: 0 }),
        }
    }

    /// When it lets something through again; `None` while it is closed.
    pub(crate) fn open_until(&self) -> Option<Timestamp> {
        match *self.state() {
            State::Closed { .. } => None,
            State::Open { until, .. } => Some(until),
        }
    }

    /// Until when no message is let through, if none is now.
    pub(crate) fn closed_to(&self, now: Timestamp) -> Option<Timestamp> {
        let mut state = self.state();
        state.keep_to(now);
        match *state {
            State::Open { until, .. } if until > now => Some(until),
            _ => None,
        }
    }

    /// Lets a message through, or says until when none is.
    pub(crate) fn admit(&self, now: Timestamp) -> Result<Leave, Timestamp> {
        let mut state = self.state();
        state.keep_to(now);
        match &mut *state {
            State::Closed { .. } => Ok(Leave::Regular),
            State::Open { until, .. } if *until > now => Err(*until),
            State::Open { until, pause } => {
                *until = now + *pause;
                Ok(Leave::Probe)
            }
        }
    }

    /// The provider did its work.
    pub(crate) fn succeeded(&self, leave: Leave) -> Option<Change> {
        let mut state = self.state();
        match (&*state, leave) {
            (State::Closed { .. }, _) => {
                *state = State::Closed { failures: 0 };
                None
            }
            (State::Open { .. }, Leave::Probe) => {
                *state = State::Closed { failures: 0 };
                Some(Change::Closed)
            }
            // Asked before it opened: says nothing of the provider now.
            (State::Open { .. }, Leave::Regular) => None,
        }
    }

    /// The provider did not do its work.
    pub(crate) fn failed(&self, leave: Leave, now: Timestamp) -> Option<Change> {
        let mut state = self.state();
        let pause = match (&mut *state, leave) {
            (State::Closed { failures }, _) => {
                *failures = failures.saturating_add(1);
                if self.threshold == 0 || *failures < self.threshold {
                    return None;
                }
                self.pause
            }
            (State::Open { pause, .. }, Leave::Probe) => {
                (*pause * 2).min(self.pause * LONGEST_PAUSE)
            }
            // Asked before it opened, and counted by that.
            (State::Open { .. }, Leave::Regular) => return None,
        };
        let until = now + pause;
        *state = State::Open { until, pause };
        Some(Change::Opened { until })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A clock that was set back makes no pause longer.
    fn keep_to(&mut self, now: Timestamp) {
        if let Self::Open { until, pause } = self {
            *until = (*until).min(now + *pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Breaker, Change, Leave};
    use crate::clock::Timestamp;

    const START: Timestamp = Timestamp::from_secs(1_000_000);
    const PAUSE: Duration = Duration::from_secs(30);

    fn after(seconds: u64) -> Timestamp {
        START + Duration::from_secs(seconds)
    }

    /// A breaker that three failures in a row open.
    fn breaker() -> Breaker {
        Breaker::new(3, PAUSE)
    }

    fn open_breaker() -> Breaker {
        let breaker = breaker();
        for _ in 0..3 {
            breaker.failed(Leave::Regular, START);
        }
        breaker
    }

    #[test]
    fn the_third_failure_in_a_row_opens_it() {
        let breaker = breaker();
        assert_eq!(breaker.failed(Leave::Regular, START), None);
        assert_eq!(breaker.failed(Leave::Regular, START), None);
        assert_eq!(breaker.admit(START), Ok(Leave::Regular));
        let opened = breaker.failed(Leave::Regular, START);
        assert_eq!(opened, Some(Change::Opened { until: after(30) }));
        assert_eq!(breaker.admit(START), Err(after(30)));
        assert_eq!(breaker.open_until(), Some(after(30)));
    }

    #[test]
    fn a_success_between_failures_begins_the_count_again() {
        let breaker = breaker();
        for _ in 0..10 {
            breaker.failed(Leave::Regular, START);
            breaker.failed(Leave::Regular, START);
            assert_eq!(breaker.succeeded(Leave::Regular), None);
        }
        assert_eq!(breaker.admit(START), Ok(Leave::Regular));
    }

    #[test]
    fn exactly_one_probe_passes_when_the_pause_is_over() {
        let breaker = open_breaker();
        assert_eq!(breaker.closed_to(after(29)), Some(after(30)));
        assert_eq!(breaker.closed_to(after(30)), None);
        assert_eq!(breaker.admit(after(30)), Ok(Leave::Probe));
        assert_eq!(breaker.closed_to(after(30)), Some(after(60)));
        assert_eq!(breaker.admit(after(30)), Err(after(60)));
    }

    #[test]
    fn a_probe_that_succeeds_closes_it() {
        let breaker = open_breaker();
        breaker.admit(after(30)).unwrap();
        assert_eq!(breaker.succeeded(Leave::Probe), Some(Change::Closed));
        assert_eq!(breaker.admit(after(30)), Ok(Leave::Regular));
        assert_eq!(
            breaker.failed(Leave::Regular, after(31)),
            None,
            "the count begins again"
        );
    }

    #[test]
    fn a_probe_that_fails_doubles_the_pause_up_to_ten_times() {
        let breaker = open_breaker();
        let mut now = after(30);
        for pause in [60, 120, 240, 300, 300] {
            assert_eq!(breaker.admit(now), Ok(Leave::Probe));
            let until = now + Duration::from_secs(pause);
            let opened = breaker.failed(Leave::Probe, now);
            assert_eq!(opened, Some(Change::Opened { until }));
            now = until;
        }
    }

    #[test]
    fn a_probe_that_never_reports_is_followed_by_another() {
        let breaker = open_breaker();
        assert_eq!(breaker.admit(after(30)), Ok(Leave::Probe));
        assert_eq!(breaker.admit(after(59)), Err(after(60)));
        assert_eq!(breaker.admit(after(60)), Ok(Leave::Probe));
    }

    #[test]
    fn messages_that_passed_before_it_opened_change_nothing() {
        let breaker = open_breaker();
        assert_eq!(breaker.failed(Leave::Regular, after(10)), None);
        assert_eq!(breaker.succeeded(Leave::Regular), None);
        assert_eq!(breaker.open_until(), Some(after(30)));
    }

    #[test]
    fn a_threshold_of_none_never_opens() {
        let breaker = Breaker::new(0, PAUSE);
        for _ in 0..1000 {
            assert_eq!(breaker.failed(Leave::Regular, START), None);
        }
        assert_eq!(breaker.admit(START), Ok(Leave::Regular));
    }
    #[test]
    fn a_clock_that_is_set_back_makes_no_pause_longer() {
        let breaker = open_breaker();
        let long_ago = Timestamp::from_secs(1000);
        assert_eq!(breaker.closed_to(long_ago), Some(long_ago + PAUSE));
        assert_eq!(breaker.admit(long_ago), Err(long_ago + PAUSE));
        assert_eq!(breaker.open_until(), Some(long_ago + PAUSE));
        assert_eq!(breaker.admit(long_ago + PAUSE), Ok(Leave::Probe));
    }
}
