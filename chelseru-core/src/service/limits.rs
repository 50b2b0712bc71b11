//! How often codes are sent, codes and passwords tried, and messages sent: for a number, for a client's
//! address, for a user; and the guard against pumping, which is having codes sent that nobody wants, for
//! the fee that the message brings somebody.
//!
//! What a request may cost is taken before it is served, in one statement for all limits, and given
//! back when it turns out not to count: a code that was certainly not sent, a code that was right. So
//! the limits are exact whatever happens at once, in whichever process.
//!
//! Nothing here depends on whether a number has an account.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{Chelseru, CurrentUser};
use crate::clock::Timestamp;
use crate::config::PumpingGuard;
use crate::error::Error;
use crate::events::{Event, Limit, Pumping};
use crate::mobile::MobileNumber;
use crate::otp::CodePurpose;
use crate::store::{AccountName, CodeId, Correction, Take, TakeResult, Taken};
use crate::user::UserId;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Codes of a day that an address may leave unverified, beyond as many as were verified.
const UNVERIFIED_OF_ADDRESS: u64 = 10;

/// The same for the whole service.
const UNVERIFIED_OVERALL: u64 = 100;

/// How long to wait before the same code is sent once more: at first as the settings say, then these, as
/// far as they are longer.
const RESEND_LADDER: [Duration; 4] = [
    Duration::from_secs(60),
    Duration::from_secs(120),
    Duration::from_secs(300),
    Duration::from_secs(900),
];

/// A code and how often it was sent, where it may be sent again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Series {
    pub(super) code: CodeId,
    pub(super) sent_before: u64,
    pub(super) until: Timestamp,
}

impl Series {
    fn sendings(code: CodeId) -> String {
        format!("otp/sendings/{:x}", code.0)
    }

    /// Counts one sending and begins the wait for the next; until that is over there is none.
    fn takes(self, first_wait: Duration, now: Timestamp) -> [Take; 2] {
        let take = |key, limit, window| Take {
            key,
            amount: 1,
            limit,
            window,
        };
        let wait = wait_after(self.sent_before, first_wait);
        [
            take(Self::sendings(self.code), u64::MAX, self.until.since(now)),
            take(format!("otp/cooldown/{:x}", self.code.0), 1, wait),
        ]
    }
}

/// How long to wait after a sending that so many went before.
fn wait_after(sent_before: u64, first_wait: Duration) -> Duration {
    let mut wait = first_wait;
    let longer = RESEND_LADDER.iter().filter(|step| **step > first_wait);
    for (step, _) in longer.zip(0..sent_before) {
        wait = *step;
    }
    wait
}

/// Whom the limits of an address count together: one IPv4 address, or the /64 that an IPv6 host has to
/// itself. Clients without a known address are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network(Option<IpNet>);

impl Network {
    pub(super) fn of(address: Option<IpAddr>) -> Self {
        Self(address.map(|address| match address.to_canonical() {
            IpAddr::V4(address) => Ipv4Net::from(address).into(),
            IpAddr::V6(address) => Ipv6Net::new_assert(address, 64).trunc().into(),
        }))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(network) => network.fmt(f),
            None => f.write_str("unknown"),
        }
    }
}

/// What a request has taken.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Permit(Vec<Held>);

#[derive(Debug)]
struct Held {
    /// Of which limit; `None` for what the settings do not limit.
    limit: Option<Limit>,
    key: String,
    taken: Taken,
}

impl Held {
    fn returned(&self) -> Correction {
        Correction {
            key: self.key.clone(),
            ends_at: self.taken.ends_at,
            change: -1,
        }
    }
}

/// The limits of one kind of request.
#[derive(Default)]
struct Limits {
    limits: Vec<Option<Limit>>,
    takes: Vec<Take>,
}

impl Limits {
    /// A size of 0 is no limit.
    fn add(&mut self, limit: Limit, key: String, window: Duration, size: u32) {
        if size > 0 {
            self.limits.push(Some(limit));
            self.takes.push(Take {
                key,
                amount: 1,
                limit: size.into(),
                window,
            });
        }
    }
}

/// The guard's counters of one address, or of all.
///
/// Days are those of UTC, and a day's counters have keys of their own: so codes and verified ones are
/// of the same time, and it is known when a counter ends without asking. What was verified the day
/// before counts as well, so that at midnight nobody begins with nothing.
struct Watch {
    sent: String,
    verified: String,
    verified_before: String,
    ends_at: Timestamp,
    ended_before: Timestamp,
}

impl Watch {
    fn new(whose: &impl fmt::Display, now: Timestamp) -> Self {
        let day = now.as_secs().div_euclid(DAY.as_secs().cast_signed());
        let start = |day: i64| Timestamp::from_secs(day * DAY.as_secs().cast_signed());
        Self {
            sent: format!("otp/sent/{day}/{whose}"),
            verified: format!("otp/verified/{day}/{whose}"),
            verified_before: format!("otp/verified/{}/{whose}", day - 1),
            ends_at: start(day + 2),
            ended_before: start(day + 1),
        }
    }

    /// Counts a code, and looks at the verified ones.
    fn takes(&self, now: Timestamp) -> [Take; 3] {
        let take = |key: &str, amount, ends_at: Timestamp| Take {
            key: key.to_owned(),
            amount,
            limit: u64::MAX,
            window: ends_at.since(now),
        };
        [
            take(&self.sent, 1, self.ends_at),
            take(&self.verified, 0, self.ends_at),
            take(&self.verified_before, 0, self.ended_before),
        ]
    }

    /// Counts a verified code, where one was sent on this day.
    fn verified(self) -> Correction {
        Correction {
            key: self.verified,
            ends_at: self.ends_at,
            change: 1,
        }
    }
}

/// What a [`Watch`] saw.
#[derive(Clone, Copy, Debug)]
struct Seen {
    sent: u64,
    verified: u64,
}

impl Seen {
    fn new(taken: &[Taken]) -> Self {
        let total = |place: usize| taken.get(place).map_or(0, |taken| taken.total);
        Self {
            sent: total(0),
            verified: total(1).saturating_add(total(2)),
        }
    }

    /// Whether more codes were left unverified than verified, beyond the first few.
    fn is_pumping(self, first: u64) -> bool {
        self.sent > self.verified.saturating_mul(2).saturating_add(first)
    }
}

impl Chelseru {
    /// After how long a code is sent again, if ever.
    pub(super) fn resends_after(&self) -> Option<Duration> {
        let options = &self.config().auth.options;
        let after = options.resend_after;
        (!after.is_zero() && after < options.lifetime).then_some(after)
    }

    /// How often a code was sent; 0 while it is about to be sent for the first time.
    pub(super) async fn sendings_of(
        &self,
        code: CodeId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<u64, Error> {
        let look = Take {
            key: Series::sendings(code),
            amount: 0,
            limit: u64::MAX,
            window: until.since(now),
        };
        Ok(match self.store().take(&[look], now).await? {
            TakeResult::Taken(taken) => taken.first().map_or(0, |taken| taken.total),
            TakeResult::Exhausted { .. } => 0,
        })
    }

    /// Takes what sending one code costs.
    ///
    /// What an account has sent to a number, its own or another one, is counted apart from codes that log
    /// in: nobody uses up those of somebody else's number in this way.
    pub(super) async fn permit_code(
        &self,
        purpose: CodePurpose,
        number: MobileNumber,
        address: Option<IpAddr>,
        series: Series,
    ) -> Result<Permit, Error> {
        let now = self.now();
        let network = Network::of(address);
        let sizes = &self.config().auth.limits;
        let mut limits = Limits::default();
        if let Some(first_wait) = self.resends_after() {
            limits.limits.extend([None, None]);
            limits.takes.extend(series.takes(first_wait, now));
        }
        let keys = match purpose.account() {
            None => vec![format!("number/{number}")],
            Some(user) => vec![
                format!("account/number/{number}"),
                format!("account/{}", user.0),
            ],
        };
        for key in keys {
            limits.add(
                Limit::CodesPerNumberPerHour,
                format!("otp/hour/{key}"),
                HOUR,
                sizes.otp_per_number_per_hour,
            );
            limits.add(
                Limit::CodesPerNumberPerDay,
                format!("otp/day/{key}"),
                DAY,
                sizes.otp_per_number_per_day,
            );
        }
        limits.add(
            Limit::CodesPerAddressPerHour,
            format!("otp/hour/address/{network}"),
            HOUR,
            sizes.otp_per_address_per_hour,
        );
        let guard = sizes.pumping_guard;
        let counters = match guard {
            PumpingGuard::Off => vec![],
            _ => vec![
                Watch::new(&network, now).takes(now),
                Watch::new(&"all", now).takes(now),
            ],
        };
        let (permit, seen) = self.take(limits, &counters, Some(number), now).await?;
        if let [of_address, overall] = seen.as_slice()
            && let Some(pumping) = judge(network, *of_address, *overall)
        {
            let was_stopped = guard == PumpingGuard::Enforce;
            self.tell(Event::PumpingSuspected {
                pumping,
                was_stopped,
            });
            if was_stopped {
                self.give_back(&permit).await;
                return Err(Error::LimitReached {
                    limit: Limit::Pumping,
                    // By then the codes on their way are verified, or are not.
                    wait: self.config().auth.options.lifetime,
                });
            }
        }
        Ok(permit)
    }

    /// Takes what trying a code costs if it is wrong.
    pub(super) async fn permit_try(
        &self,
        purpose: CodePurpose,
        number: MobileNumber,
        address: Option<IpAddr>,
    ) -> Result<Permit, Error> {
        let now = self.now();
        let network = Network::of(address);
        let sizes = &self.config().auth.limits;
        let mut limits = Limits::default();
        limits.add(
            Limit::FailuresPerNumberPerHour,
            match purpose.account() {
                None => format!("otp/failures/number/{number}"),
                Some(user) => format!("otp/failures/account/{}", user.0),
            },
            HOUR,
            sizes.otp_failures_per_number_per_hour,
        );
        limits.add(
            Limit::FailuresPerAddressPerHour,
            format!("otp/failures/address/{network}"),
            HOUR,
            sizes.otp_failures_per_address_per_hour,
        );
        Ok(self.take(limits, &[], Some(number), now).await?.0)
    }

    /// Takes what trying a password costs if it is wrong: by the name that was given, whether there is an
    /// account of it or not.
    ///
    /// The limit of one account at one address comes long before that of the account at all of them, so
    /// that a stranger at a few addresses does not keep its owner out.
    pub(super) async fn permit_login(
        &self,
        account: &AccountName,
        address: Option<IpAddr>,
    ) -> Result<Permit, Error> {
        let network = Network::of(address);
        let (name, number) = match account {
            AccountName::Id(id) => (id.0.to_string(), None),
            AccountName::Number {
                mobile_number,
                group,
            } => (format!("{mobile_number}/{group}"), Some(*mobile_number)),
            // As a hash: people type their passwords into the wrong field.
            AccountName::Username { name, key } => {
                (self.login_name(key.as_ref().unwrap_or(name)), None)
            }
        };
        let sizes = &self.config().auth.limits;
        let mut limits = Limits::default();
        limits.add(
            Limit::LoginFailuresPerUserAndAddressPerHour,
            format!("login/failures/user/{name}/{network}"),
            HOUR,
            sizes.login_failures_per_user_and_address_per_hour,
        );
        limits.add(
            Limit::LoginFailuresPerAddressPerHour,
            format!("login/failures/address/{network}"),
            HOUR,
            sizes.login_failures_per_address_per_hour,
        );
        limits.add(
            Limit::LoginFailuresPerUserPerHour,
            format!("login/failures/user/{name}"),
            HOUR,
            sizes.login_failures_per_user_per_hour,
        );
        Ok(self.take(limits, &[], number, self.now()).await?.0)
    }

    /// Takes what it costs to name a wrong present password when changing it. Whoever may, has an access
    /// token: so this is a supply of its own, from which no login is taken.
    pub(super) async fn permit_change(&self, user: UserId) -> Result<Permit, Error> {
        let mut limits = Limits::default();
        limits.add(
            Limit::LoginFailuresPerUserAndAddressPerHour,
            format!("login/failures/change/{}", user.0),
            HOUR,
            self.config()
                .auth
                .limits
                .login_failures_per_user_and_address_per_hour,
        );
        Ok(self.take(limits, &[], None, self.now()).await?.0)
    }

    fn login_name(&self, username: &str) -> String {
        let hash = self.inner.login_names.of(&[username]);
        hash[..16]
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    /// Takes what a user's message costs.
    pub(super) async fn permit_message(
        &self,
        user: UserId,
        to: MobileNumber,
    ) -> Result<Permit, Error> {
        let sizes = &self.config().auth.limits;
        let mut limits = Limits::default();
        limits.add(
            Limit::MessagesPerUserPerHour,
            format!("message/hour/user/{}", user.0),
            HOUR,
            sizes.messages_per_user_per_hour,
        );
        limits.add(
            Limit::MessagesPerReceiverPerHour,
            format!("message/hour/number/{to}"),
            HOUR,
            sizes.messages_per_receiver_per_hour,
        );
        Ok(self.take(limits, &[], Some(to), self.now()).await?.0)
    }

    /// Takes what trying another name costs, whether it is given or not.
    pub(super) async fn permit_rename(&self, user: &CurrentUser) -> Result<(), Error> {
        let mut limits = Limits::default();
        limits.add(
            Limit::UsernameChangesPerUserPerHour,
            format!("username/user/{}", user.id.0),
            HOUR,
            self.config().auth.limits.username_changes_per_user_per_hour,
        );
        let taken = self.take(limits, &[], Some(user.mobile_number), self.now());
        taken.await.map(drop)
    }

    /// All or nothing; also what was seen by the guard.
    async fn take(
        &self,
        limits: Limits,
        guarded: &[[Take; 3]],
        number: Option<MobileNumber>,
        now: Timestamp,
    ) -> Result<(Permit, Vec<Seen>), Error> {
        let Limits { limits, mut takes } = limits;
        takes.extend(guarded.iter().flatten().cloned());
        if takes.is_empty() {
            return Ok((Permit::default(), vec![]));
        }
        match self.store().take(&takes, now).await? {
            TakeResult::Taken(totals) => {
                let watched = totals.get(limits.len()..).unwrap_or_default();
                let seen = watched.chunks_exact(3).map(Seen::new).collect();
                let names = limits.into_iter().chain(std::iter::repeat(None));
                let held = takes.into_iter().zip(totals).zip(names);
                let held = held.filter(|((take, _), _)| take.amount > 0);
                let held = held.map(|((take, taken), limit)| Held {
                    limit,
                    key: take.key,
                    taken,
                });
                Ok((Permit(held.collect()), seen))
            }
            TakeResult::Exhausted { index, ends_at } => {
                let wait = ends_at.since(now);
                let Some(limit) = limits.get(index).copied().flatten() else {
                    // It was sent a moment ago.
                    return Err(Error::CodeStillValid { wait });
                };
                self.tell(Event::LimitReached {
                    limit,
                    mobile_number: number,
                    until: ends_at,
                });
                Err(Error::LimitReached { limit, wait })
            }
        }
    }

    /// Gives everything back: what was permitted did not come to pass.
    pub(super) async fn give_back(&self, permit: &Permit) {
        self.correct(permit.0.iter().map(Held::returned).collect())
            .await;
    }

    /// Gives a try back to the number alone: there was no code that it could have guessed. Otherwise
    /// anybody could use the tries of a number up, and keep its owner from logging in.
    pub(super) async fn give_back_to_number(&self, permit: &Permit) {
        let of_number = |held: &&Held| held.limit == Some(Limit::FailuresPerNumberPerHour);
        let held = permit.0.iter().filter(of_number);
        self.correct(held.map(Held::returned).collect()).await;
    }

    /// Gives the try of a right code back, and tells the guard of it if it was used up.
    pub(super) async fn return_try(
        &self,
        permit: &Permit,
        address: Option<IpAddr>,
        was_used: bool,
    ) {
        let mut corrections: Vec<_> = permit.0.iter().map(Held::returned).collect();
        if was_used && self.config().auth.limits.pumping_guard != PumpingGuard::Off {
            let now = self.now();
            corrections.push(Watch::new(&Network::of(address), now).verified());
            corrections.push(Watch::new(&"all", now).verified());
        }
        self.correct(corrections).await;
    }

    async fn correct(&self, corrections: Vec<Correction>) {
        if corrections.is_empty() {
            return;
        }
        // What was done is done: that it counts wrongly is no reason to refuse it.
        if let Err(error) = self.store().correct(&corrections).await {
            tracing::error!(?error, "limits could not be corrected");
        }
    }
}

/// Whether somebody is pumping: at this address, or all together. Addresses from which codes are
/// verified go on in an attack from many others.
fn judge(network: Network, of_address: Seen, overall: Seen) -> Option<Pumping> {
    let is_stranger = of_address.verified == 0;
    let (seen, is_overall) = if of_address.is_pumping(UNVERIFIED_OF_ADDRESS) {
        (of_address, false)
    } else if is_stranger && overall.is_pumping(UNVERIFIED_OVERALL) {
        (overall, true)
    } else {
        return None;
    };
    Some(Pumping {
        network: network.0,
        is_overall,
        sent: seen.sent,
        verified: seen.verified,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Network, Seen, Watch, judge, wait_after};
    use crate::clock::Timestamp;

    fn network(address: &str) -> String {
        Network::of(address.parse().ok()).to_string()
    }

    #[test]
    fn an_ipv4_address_counts_alone_and_an_ipv6_address_with_its_64() {
        assert_eq!(network("192.0.2.7"), "192.0.2.7/32");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7/32");
        assert_eq!(network("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2:ffff::"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:3::4"), "2001:db8:1:3::/64");
        assert_eq!(Network::of(None).to_string(), "unknown");
    }

    #[test]
    fn the_waits_between_sendings_grow_from_the_setting_on() {
        let waits = |first| {
            let wait = |sent_before| wait_after(sent_before, Duration::from_secs(first)).as_secs();
            [0, 1, 2, 3, 4, u64::MAX].map(wait)
        };
        assert_eq!(waits(60), [60, 120, 300, 900, 900, 900]);
        assert_eq!(waits(30), [30, 60, 120, 300, 900, 900]);
        assert_eq!(waits(90), [90, 120, 300, 900, 900, 900]);
        assert_eq!(waits(1000), [1000; 6]);
    }

    #[test]
    fn the_counters_of_a_day_last_until_the_next_is_over() {
        let midnight = Timestamp::from_secs(20_000 * 86_400);
        for now in [
            midnight,
            Timestamp::from_millis(midnight.as_millis() + 86_399_999),
        ] {
            let watch = Watch::new(&"all", now);
            assert_eq!(watch.sent, "otp/sent/20000/all");
            assert_eq!(watch.verified_before, "otp/verified/19999/all");
            for (take, day) in watch.takes(now).iter().zip([20_002, 20_002, 20_001]) {
                let end = Timestamp::from_secs(day * 86_400);
                assert_eq!(now + take.window, end, "{}", take.key);
            }
        }
    }

    #[test]
    fn the_first_ten_and_as_many_as_were_verified_may_stay_unverified() {
        let seen = |sent, verified| Seen { sent, verified };
        let calm = seen(1, 0);
        let is_pumping = |sent, verified| {
            let pumping = judge(Network::of(None), seen(sent, verified), calm);
            pumping.is_some_and(|pumping| !pumping.is_overall)
        };
        assert!(!is_pumping(10, 0));
        assert!(is_pumping(11, 0));
        assert!(!is_pumping(30, 10));
        assert!(is_pumping(31, 10));
        assert!(!is_pumping(1000, 900));
        assert!(!is_pumping(u64::MAX, u64::MAX));
    }

    #[test]
    fn an_attack_from_everywhere_stops_addresses_that_verify_nothing() {
        let seen = |sent, verified| Seen { sent, verified };
        let judged = |address, overall| judge(Network::of(None), address, overall);
        assert!(judged(seen(1, 0), seen(100, 0)).is_none());
        assert!(judged(seen(1, 0), seen(101, 0)).is_some_and(|pumping| pumping.is_overall));
        assert!(judged(seen(1, 0), seen(101, 1)).is_none());
        assert!(judged(seen(3, 1), seen(5000, 1)).is_none());
        assert!(judged(seen(13, 1), seen(5000, 1)).is_some_and(|pumping| !pumping.is_overall));
    }
}
