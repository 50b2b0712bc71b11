//! What goes wrong on demand.
//!
//! A [`Fault`] says what happens to a request and at which [moment](Fault::after_taking). To add
//! another one: add an [`Effect`], a constructor of [`Fault`] that documents it, and what it does in
//! `server.rs`, function `suffer`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::http::Response;

/// How long a test waits for a request before it fails; not a measure of speed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Something that goes wrong with a request.
///
/// Unless told otherwise it happens once the request was read and **before** the provider took the
/// message, to every operation, until it is cleared.
///
/// ```
/// use chelseru_tests::Fault;
///
/// // The next two texts are sent, and the sender never learns it.
/// let lost_answers = Fault::reset().after_taking().only("sms/send").times(2);
/// // The gateway in front of the provider is broken.
/// let broken = Fault::html(502);
/// // There is no credit.
/// let refused = Fault::refuse(418);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Fault {
    pub(super) effect: Effect,
    pub(super) moment: Moment,
    operation: Option<String>,
    times: usize,
}

/// When a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// The connection was made; nothing is read.
    Connected,
    /// The request was read and recorded; the message is not taken.
    Read,
    /// The message was taken, if the provider takes it at all.
    Taken,
}

/// What happens.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    Reset,
    Close,
    Hang,
    Hold,
    Truncate,
    Answer(Response),
    Refuse(i64),
}

impl Fault {
    fn new(effect: Effect) -> Self {
        Self {
            effect,
            moment: Moment::Read,
            operation: None,
            times: usize::MAX,
        }
    }

    /// The connection is reset (RST), as by a machine that lost its power.
    pub fn reset() -> Self {
        Self::new(Effect::Reset)
    }

    /// The connection ends (FIN) without an answer.
    pub fn close() -> Self {
        Self::new(Effect::Close)
    }

    /// No answer ever comes; the connection stays open until the client ends it.
    pub fn hang() -> Self {
        Self::new(Effect::Hang)
    }

    /// Nothing goes on until [`Injected::release`]; then everything goes its usual way. A client that
    /// ends the connection before has not been answered, nor its message taken, unless
    /// [`after_taking`](Self::after_taking).
    pub fn hold() -> Self {
        Self::new(Effect::Hold)
    }

    /// The answer breaks off in the middle of its body.
    pub fn truncated() -> Self {
        Self::new(Effect::Truncate)
    }

    /// The page of a gateway, with this HTTP status.
    pub fn html(status: u16) -> Self {
        Self::new(Effect::Answer(Response::html(status)))
    }

    /// An answer with status 200 that is neither JSON nor text.
    pub fn garbage() -> Self {
        let body = [0, 159, 146, 150, b'{', b'"', 0xFF];
        Self::new(Effect::Answer(Response::new(200, "application/json", body)))
    }

    /// This JSON in place of the answer.
    pub fn reply(status: u16, json: impl Into<String>) -> Self {
        let response = Response::new(status, "application/json; charset=utf-8", json.into());
        Self::new(Effect::Answer(response))
    }

    /// The provider refuses the request with this code of its own, in the form of the operation:
    /// `return.status` and HTTP status for Kavenegar, `Value` (or the bare result of SOAP) for
    /// Melipayamak, `status` for Parsian. Melipayamak's console API has no codes: any is a refusal.
    pub fn refuse(code: i64) -> Self {
        Self::new(Effect::Refuse(code))
    }

    /// Happens once the provider took the message: it **is** sent.
    pub fn after_taking(mut self) -> Self {
        self.moment = Moment::Taken;
        self
    }

    /// Happens to the connection, before anything is read. Only [`reset`](Self::reset),
    /// [`close`](Self::close) and [`hang`](Self::hang) can, and to any operation.
    pub fn before_reading(mut self) -> Self {
        assert!(
            matches!(self.effect, Effect::Reset | Effect::Close | Effect::Hang),
            "{self:?} needs a request"
        );
        self.moment = Moment::Connected;
        self
    }

    /// Happens to this operation only. They are named as in the provider's documentation: `sms/send`,
    /// `verify/lookup`; `SendSMS`, `BaseServiceNumber`, `SendSimpleSMS2`, `send/simple`; `send`.
    pub fn only(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Happens this often and then no more.
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }
}

/// A fault that a provider has. Clones are the same.
///
/// Dropping it changes nothing: the fault stays until it has happened as often as it was to, or is
/// cleared.
#[derive(Clone, Debug)]
pub struct Injected(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    fault: Fault,
    left: AtomicUsize,
    met: AtomicUsize,
    arrivals: Semaphore,
    gate: Semaphore,
    waiting: watch::Sender<usize>,
}

impl Injected {
    pub(super) fn new(fault: Fault) -> Self {
        Self(Arc::new(Inner {
            left: AtomicUsize::new(fault.times),
            fault,
            met: AtomicUsize::new(0),
            arrivals: Semaphore::new(0),
            gate: Semaphore::new(0),
            waiting: watch::Sender::new(0),
        }))
    }

    /// To how many requests it has happened.
    pub fn met(&self) -> usize {
        self.0.met.load(Ordering::SeqCst)
    }

    /// How many requests hang or are held by it now.
    pub fn waiting(&self) -> usize {
        *self.0.waiting.borrow()
    }

    /// Waits until it happens to one request more; each call waits for another one. What happened
    /// before the call counts: nothing is missed.
    pub async fn arrived(&self) {
        self.arrived_many(1).await;
    }

    /// [`arrived`](Self::arrived), for this many requests.
    pub async fn arrived_many(&self, count: u32) {
        let arrivals = self.0.arrivals.acquire_many(count);
        tokio::time::timeout(PATIENCE, arrivals)
            .await
            .unwrap_or_else(|_| panic!("waited in vain for {count} requests: {self:?}"))
            .expect("it is never closed")
            .forget();
    }

    /// Waits until no request hangs or is held by it: the clients have given up or were answered.
    pub async fn all_gone(&self) {
        let mut waiting = self.0.waiting.subscribe();
        let gone = waiting.wait_for(|waiting| *waiting == 0);
        let result = tokio::time::timeout(PATIENCE, gone).await;
        assert!(result.is_ok(), "waited in vain for clients to go: {self:?}");
    }

    /// Lets go on what is held, now and from now on.
    pub fn release(&self) {
        self.0.gate.close();
    }

    /// Lets one held request go on.
    pub fn release_one(&self) {
        self.0.gate.add_permits(1);
    }

    /// It happens to no further request. What hangs or is held stays so.
    pub fn clear(&self) {
        self.0.left.store(0, Ordering::SeqCst);
    }

    pub(super) fn fault(&self) -> &Fault {
        &self.0.fault
    }

    pub(super) fn is_spent(&self) -> bool {
        self.0.left.load(Ordering::SeqCst) == 0
    }

    /// Whether it happens to this operation at this moment; if so, it is one time less.
    pub(super) fn happens(&self, before_reading: bool, operation: Option<&str>) -> bool {
        let fault = &self.0.fault;
        (fault.moment == Moment::Connected) == before_reading
            && (fault.operation.is_none() || fault.operation.as_deref() == operation)
            && self
                .0
                .left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
                    usize::MAX => Some(left),
                    _ => left.checked_sub(1),
                })
                .is_ok()
    }

    /// Tells the test that it happens to a request now, and counts the request as waiting until the
    /// answer is dropped if it is to wait.
    pub(super) fn happen(&self) -> Option<Waiting<'_>> {
        self.0.met.fetch_add(1, Ordering::SeqCst);
        let waits = matches!(self.0.fault.effect, Effect::Hang | Effect::Hold);
        let waiting = waits.then(|| Waiting::begin(&self.0.waiting));
        self.0.arrivals.add_permits(1);
        waiting
    }

    /// Returns when a held request may go on.
    pub(super) async fn released(&self) {
        if let Ok(permit) = self.0.gate.acquire().await {
            permit.forget();
        }
    }
}

/// A request that waits, counted as such while this lives.
pub(super) struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn begin(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
