//! Sending to many: some at once, until all are done or there is a reason to stop.

use std::collections::HashMap;
use std::future;
use std::pin::pin;

use chelseru_core::events::{Event, EventStream};
use chelseru_core::sms::SmsErrorKind;
use chelseru_core::{Chelseru, Error, Message, MobileNumber};
use tokio::select;
use tokio::task::JoinSet;

use super::outcome::Outcome;
use crate::cli::progress::{self, Progress};
use crate::terminal::tell;

/// Sends to all receivers, at most so many at once; what became of each, in their order.
///
/// After Ctrl-C or SIGTERM, and after a failure that would be that of all others too, no message is
/// begun any more, and those under way are waited for.
pub(super) async fn send(
    chelseru: &Chelseru,
    receivers: &[MobileNumber],
    message: impl Fn(MobileNumber) -> Message,
    concurrency: usize,
    progress: &mut Progress,
) -> Vec<(MobileNumber, Outcome)> {
    let mut results: Vec<_> = receivers
        .iter()
        .map(|to| (*to, Outcome::NotBegun))
        .collect();
    let mut takers = Takers::new(chelseru.events());
    let mut to_begin = receivers.iter().copied().enumerate();
    let mut under_way = JoinSet::new();
    let mut is_stopping = false;
    let mut stop = pin!(asked_to_stop());
    loop {
        while !is_stopping && under_way.len() < concurrency {
            let Some((index, to)) = to_begin.next() else {
                break;
            };
            // Until its end is known: should there be none, nobody knows.
            results[index].1 = Outcome::PerhapsSent("perhaps sent: it broke off".to_owned());
            let (chelseru, message) = (chelseru.clone(), message(to));
            under_way.spawn(async move { (index, chelseru.send_sms(message).await) });
        }
        if under_way.is_empty() {
            return results;
        }
        select! {
            () = &mut stop, if !is_stopping => {
                is_stopping = true;
                say_stopping("asked to", under_way.len());
            }
            done = under_way.join_next() => {
                progress.step();
                let Some(Ok((index, result))) = done else {
                    continue;
                };
                if let Err(error) = &result
                    && !is_stopping
                    && to_begin.len() > 0
                    && concerns_all(error)
                {
                    is_stopping = true;
                    say_stopping(&error.to_string(), under_way.len());
                }
                let (to, outcome) = &mut results[index];
                *outcome = match result {
                    Ok(()) => Outcome::Accepted(takers.of(*to).await),
                    Err(error) => error.into(),
                };
            }
        }
    }
}

fn say_stopping(why: &str, under_way: usize) {
    let text = format!("stopping: {why}; waiting for what is under way ({under_way})");
    progress::above(|| tell(&text));
}

/// Whether the other messages would fail alike.
fn concerns_all(error: &Error) -> bool {
    match error {
        Error::OverBudget { .. } | Error::Store(_) => true,
        Error::Sms(error) => matches!(
            error.kind(),
            SmsErrorKind::TextRefused | SmsErrorKind::TemplateRefused | SmsErrorKind::Unsupported
        ),
        _ => false,
    }
}

/// Which provider took which message, as the events tell.
struct Takers {
    events: EventStream,
    known: HashMap<MobileNumber, String>,
}

impl Takers {
    fn new(events: EventStream) -> Self {
        Self {
            events,
            known: HashMap::new(),
        }
    }

    /// The one that took a message that was sent just now; it was told before the sending ended.
    async fn of(&mut self, to: MobileNumber) -> Option<String> {
        loop {
            let event = select! {
                biased;
                event = self.events.next() => event,
                () = future::ready(()) => None,
            };
            match event {
                Some(Event::SmsAccepted(sms)) => {
                    self.known.insert(sms.to, sms.provider);
                }
                Some(_) => {}
                None => return self.known.remove(&to),
            }
        }
    }
}

async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            select! {
                _ = terminate.recv() => return,
                Ok(()) = tokio::signal::ctrl_c() => return,
                else => {}
            }
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Nobody can ask.
        future::pending::<()>().await;
    }
}
