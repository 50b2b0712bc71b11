//! What the tests share: a runtime, simultaneous callers, and values to store.

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;

use crate::clock::Timestamp;
use crate::mobile::MobileNumber;
use crate::session::{ClientInfo, SessionId};
use crate::sms::Delivery;
use crate::store::{
    CodeId, NewCode, NewLogin, NewSession, NewSms, NewSmsRequest, Redeemed, Reservation, SmsClaim,
    SmsOutcome, SmsPurpose, SmsRequestId, SmsStatus, Store, Take,
};
use crate::user::{User, UserId};

/// A store as the tests hold it.
pub type SharedStore = Arc<dyn Store>;

/// How many callers race.
pub(super) const CROWD: usize = 64;

/// The moment at which the tests begin.
pub(super) const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);

pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const MILLI: Duration = Duration::from_millis(1);

/// Runs one test over the store that `open` gives. Called by
/// [`store_conformance!`](crate::store_conformance).
pub fn run<S, G, T>(open: impl Future<Output = (S, G)>, test: impl FnOnce(SharedStore) -> T)
where
    S: Store + 'static,
    T: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime for the test");
    let guard = runtime.block_on(async {
        let (store, guard) = open.await;
        test(Arc::new(store)).await;
        guard
    });
    // The store is gone by now, and so is all that its tasks hold, before the guard cleans up.
    drop(runtime);
    drop(guard);
}

/// Lets [`CROWD`] callers do the same thing at once, and gives all their answers.
pub(super) async fn all_at_once<R, F>(
    store: &SharedStore,
    call: impl Fn(SharedStore, usize) -> F,
) -> Vec<R>
where
    R: Send + 'static,
    F: Future<Output = R> + Send + 'static,
{
    let start = Arc::new(Barrier::new(CROWD));
    let callers: Vec<_> = (0..CROWD)
        .map(|number| {
            let call = call(Arc::clone(store), number);
            let start = Arc::clone(&start);
            tokio::spawn(async move {
                start.wait().await;
                call.await
            })
        })
        .collect();
    let mut answers = Vec::with_capacity(CROWD);
    for caller in callers {
        answers.push(caller.await.expect("a caller panicked"));
    }
    answers
}

/// How many of `answers` equal `answer`.
pub(super) fn count<T: PartialEq>(answers: &[T], answer: &T) -> usize {
    answers.iter().filter(|one| *one == answer).count()
}

/// Whether no value is there twice.
pub(super) fn all_differ<T: Eq + std::hash::Hash>(values: &[T]) -> bool {
    values.iter().collect::<HashSet<_>>().len() == values.len()
}

/// A mobile number for each `n`.
pub(super) fn number(n: usize) -> MobileNumber {
    format!("0912{n:07}").parse().expect("a mobile number")
}

/// A hash for each `n`, with zeros and bytes that are not UTF-8.
pub(super) fn hash(n: usize) -> [u8; 32] {
    let mut hash = [0xff; 32];
    hash[..8].copy_from_slice(&(n as u64).to_be_bytes());
    hash
}

/// A code for `number`, made at [`NOW`] and good for four minutes.
pub(super) fn code(number: MobileNumber, n: usize) -> NewCode {
    NewCode {
        id: code_id(n),
        mobile_number: number,
        hash: hash(n),
        created_at: NOW,
        expires_at: NOW + 4 * MINUTE,
    }
}

/// An id for each `n`: as random ones, anywhere in the range, negative too.
pub(super) fn code_id(n: usize) -> CodeId {
    let n = i64::try_from(n).expect("a small number");
    CodeId(if n % 2 == 0 {
        i64::MAX - n
    } else {
        i64::MIN + n
    })
}

pub(super) fn client(n: usize) -> ClientInfo {
    ClientInfo {
        user_agent: format!("مرورگر {n} 'quoted\" \\ and more"),
        device: format!("device {n}"),
        browser: format!("browser {n}"),
        ip_address: format!("2001:db8::{n:x}"),
    }
}

/// A session that is good for a day.
pub(super) fn session(n: usize) -> NewSession {
    NewSession {
        key: format!("session-{n}"),
        refresh_hash: hash(n),
        client: client(n),
        expires_at: NOW + 24 * 60 * MINUTE,
        at_most: None,
    }
}

/// A login at [`NOW`] that may sign up.
pub(super) fn login(number: MobileNumber, group: i64, n: usize) -> NewLogin {
    NewLogin {
        mobile_number: number,
        group,
        may_sign_up: true,
        username: format!("u{n}"),
        session: session(n),
        now: NOW,
    }
}

pub(super) fn sms(number: MobileNumber) -> NewSms {
    NewSms {
        mobile_number: number,
        provider: "KAVENEGAR_COM".to_owned(),
        purpose: SmsPurpose::Code,
        user: None,
        parts: Some(1),
        local_id: None,
        request: None,
        may_repeat: None,
        created_at: NOW,
    }
}

/// Every status. Whoever adds one is told here to have it tested.
pub(super) fn statuses() -> Vec<SmsStatus> {
    let next = |status: &SmsStatus| match status {
        SmsStatus::Sending => Some(SmsStatus::Accepted),
        SmsStatus::Accepted => Some(SmsStatus::NotSent),
        SmsStatus::NotSent => Some(SmsStatus::Unknown),
        SmsStatus::Unknown => None,
    };
    std::iter::successors(Some(SmsStatus::Sending), next).collect()
}

/// No word on the delivery, and every one.
pub(super) fn deliveries() -> Vec<Option<Delivery>> {
    let next = |delivery: &Option<Delivery>| match delivery {
        None => Some(Some(Delivery::Pending)),
        Some(Delivery::Pending) => Some(Some(Delivery::AtOperator)),
        Some(Delivery::AtOperator) => Some(Some(Delivery::Delivered)),
        Some(Delivery::Delivered) => Some(Some(Delivery::Failed)),
        Some(Delivery::Failed) => Some(Some(Delivery::Blocked)),
        Some(Delivery::Blocked) => Some(Some(Delivery::Unknown)),
        Some(Delivery::Unknown) => None,
    };
    std::iter::successors(Some(None), next).collect()
}

/// What became of a message, noted a minute after [`NOW`], and nothing more to find out.
pub(super) fn outcome(status: SmsStatus) -> SmsOutcome {
    SmsOutcome {
        status,
        provider_id: Some("8792343".to_owned()),
        provider_code: Some("418".to_owned()),
        cost_rial: Some(1_234_567_890_123),
        delivery: None,
        checks: 0,
        check_at: None,
        at: NOW + MINUTE,
    }
}

/// A request of `user` at [`NOW`] to send the message of that `n`.
pub(super) fn request(user: UserId, key: &str, n: usize) -> NewSmsRequest {
    NewSmsRequest {
        user,
        key: key.to_owned(),
        fingerprint: hash(n),
        now: NOW,
    }
}

/// Claims a request that nobody claimed.
pub(super) async fn claim(store: &SharedStore, request: &NewSmsRequest) -> SmsRequestId {
    match ok(store.claim_sms_request(request).await) {
        SmsClaim::Yours(id) => id,
        other => panic!("not ours: {other:?}"),
    }
}

/// A take from a supply of `limit` in ten minutes.
pub(super) fn take(key: &str, amount: u64, limit: u64) -> Take {
    Take {
        key: key.to_owned(),
        amount,
        limit,
        window: 10 * MINUTE,
    }
}

/// Reserves a code and redeems it with the login of the same `n`.
pub(super) async fn redeem_new_code(store: &SharedStore, login: &NewLogin, n: usize) -> Redeemed {
    let reserved = store.reserve_code(&code(login.mobile_number, n)).await;
    assert_eq!(ok(reserved), Reservation::Reserved);
    ok(store.redeem_code(code_id(n), login).await)
}

/// Logs in and gives the account and its session.
pub(super) async fn log_in(
    store: &SharedStore,
    number: MobileNumber,
    group: i64,
    n: usize,
) -> (User, SessionId) {
    logged_in(redeem_new_code(store, &login(number, group, n), n).await)
}

/// The account and session of a login that was let in.
pub(super) fn logged_in(redeemed: Redeemed) -> (User, SessionId) {
    match redeemed {
        Redeemed::LoggedIn { user, session, .. } => (user, session),
        other => panic!("not logged in: {other:?}"),
    }
}

/// Opens a session of a new key at [`NOW`].
pub(super) async fn adopt(store: &SharedStore, user: UserId, session: &NewSession) -> SessionId {
    let adopted = ok(store.adopt_session(user, session, None, NOW).await);
    adopted.expect("the key is new").session
}

/// Two accounts.
pub(super) async fn two_users(store: &SharedStore) -> (UserId, UserId) {
    let (first, _) = log_in(store, number(1), 0, 1001).await;
    let (second, _) = log_in(store, number(2), 0, 1002).await;
    (first.id, second.id)
}

/// The value, or a panic that says the error and where it came from.
#[track_caller]
pub(super) fn ok<T, E: Debug>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("the store failed: {error:?}"),
    }
}
