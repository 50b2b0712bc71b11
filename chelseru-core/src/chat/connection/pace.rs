//! How fast a client may send frames.

use crate::clock::Timestamp;

/// So many seconds' worth of frames may come at once.
const BURST_SECONDS: f64 = 3.0;

/// A bucket that fills at the allowed rate.
#[derive(Debug)]
pub(super) struct Pace {
    per_second: f64,
    left: f64,
    at: Timestamp,
    refused: u32,
}

/// What becomes of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is served.
    Served,
    /// It is refused; there is room again after so many milliseconds.
    Refused { retry_after_ms: u64 },
    /// The client does not listen to refusals.
    Hopeless,
}

impl Pace {
    /// 0 is no limit.
    pub(super) fn new(per_second: u32, now: Timestamp) -> Self {
        let per_second = f64::from(per_second);
        Self {
            per_second,
            left: per_second * BURST_SECONDS,
            at: now,
            refused: 0,
        }
    }

    pub(super) fn frame(&mut self, now: Timestamp) -> Verdict {
        if self.per_second <= 0.0 {
            return Verdict::Served;
        }
        let most = self.per_second * BURST_SECONDS;
        let refilled = self.left + now.since(self.at).as_secs_f64() * self.per_second;
        self.left = refilled.min(most);
        self.at = now;
        if self.left >= 1.0 {
            self.left -= 1.0;
            self.refused = 0;
            return Verdict::Served;
        }
        self.refused += 1;
        if f64::from(self.refused) > most {
            return Verdict::Hopeless;
        }
        let seconds = (1.0 - self.left) / self.per_second;
        let retry_after = std::time::Duration::from_secs_f64(seconds).as_millis();
        Verdict::Refused {
            retry_after_ms: u64::try_from(retry_after).unwrap_or(u64::MAX).max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Pace, Verdict};
    use crate::clock::Timestamp;
    use std::time::Duration;

    const START: Timestamp = Timestamp::from_millis(0);

    #[test]
    fn three_seconds_of_frames_may_come_at_once_and_then_the_rate_counts() {
        let mut pace = Pace::new(2, START);
        for _ in 0..6 {
            assert_eq!(pace.frame(START), Verdict::Served);
        }
        let retry_after_ms = 500;
        assert_eq!(pace.frame(START), Verdict::Refused { retry_after_ms });
        let later = START + Duration::from_millis(500);
        assert_eq!(pace.frame(later), Verdict::Served);
        assert_eq!(pace.frame(later), Verdict::Refused { retry_after_ms });
    }

    #[test]
    fn who_goes_on_after_as_many_refusals_is_hopeless() {
        let mut pace = Pace::new(2, START);
        let verdicts: Vec<_> = (0..13).map(|_| pace.frame(START)).collect();
        assert_eq!(verdicts[12], Verdict::Hopeless);
        assert!(matches!(verdicts[11], Verdict::Refused { .. }));
    }

    #[test]
    fn without_a_limit_everything_is_served() {
        let mut pace = Pace::new(0, START);
        assert!((0..10_000).all(|_| pace.frame(START) == Verdict::Served));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let late = START + Duration::from_secs(60);
        let mut pace = Pace::new(1, late);
        for _ in 0..3 {
            assert_eq!(pace.frame(late), Verdict::Served);
        }
        assert_ne!(pace.frame(START), Verdict::Served);
    }
}
