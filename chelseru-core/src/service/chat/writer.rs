//! The one queue through which all messages of this process go into the store.
//!
//! While one batch is being stored the next gathers, so messages that wait for the same commit share it.
//! The queue is worked off by a task of its own: a caller that is dropped leaves its message stored or
//! not, told or not, and nobody else waiting. Whoever is there is told right after the commit, in the
//! order of the log.
//!
//! What waits is bounded. When the task ends before its time (its runtime is shut down, the store
//! panics), all who wait are told that the store is unavailable, and the next message starts another.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::chat::ChatMessage;
use crate::store::{Appended, MessageStore, NewChatMessage, StoreError, StoreResult};

/// The most that go into one transaction: it keeps rooms locked, and all of it waits for its end.
const MAX_BATCH: usize = 256;

/// The most that wait. At 17,000 messages a second that is a quarter of a second; who comes later is better
/// told to come again than left to wait.
const MAX_WAITING: usize = 4096;

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Writer {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    has_task: bool,
}

#[derive(Debug)]
struct Waiting {
    message: NewChatMessage,
    answer: oneshot::Sender<StoreResult<Appended>>,
}

impl Writer {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts messages into the queue, next to each other; also whether a task has to be started for them.
    /// Those that find no room are not answered.
    fn enqueue(&self, messages: Vec<NewChatMessage>) -> (bool, Vec<Answer>) {
        let mut state = self.state();
        let free = MAX_WAITING - state.waiting.len();
        let answers = messages.into_iter().take(free).map(|message| {
            let (answer, answered) = oneshot::channel();
            state.waiting.push_back(Waiting { message, answer });
            answered
        });
        let answers: Vec<_> = answers.collect();
        let needs_task = !state.has_task && !answers.is_empty();
        state.has_task |= needs_task;
        (needs_task, answers)
    }

    /// The next batch; `None` ends the task.
    fn next_batch(&self) -> Option<Vec<Waiting>> {
        let mut state = self.state();
        let count = state.waiting.len().min(MAX_BATCH);
        state.has_task = count > 0;
        state
            .has_task
            .then(|| state.waiting.drain(..count).collect())
    }
}

type Answer = oneshot::Receiver<StoreResult<Appended>>;

/// Stores messages together with those that come at the same time, and tells of each that is stored,
/// with the revision of its room. They are decided about in the order in which they are given.
///
/// Runs on a tokio runtime.
pub(super) async fn append(
    writer: &Arc<Writer>,
    store: Arc<dyn MessageStore>,
    tell: impl Fn(ChatMessage, i64) + Send + 'static,
    messages: Vec<NewChatMessage>,
) -> Vec<StoreResult<Appended>> {
    let count = messages.len();
    let (needs_task, answers) = writer.enqueue(messages);
    if needs_task {
        let task = Task {
            writer: Arc::clone(writer),
            is_done: false,
        };
        tokio::spawn(work_off(task, store, tell));
    }
    let mut appended = Vec::with_capacity(count);
    for answer in answers {
        let ended = |_| Err(unavailable("the writer of messages has ended"));
        appended.push(answer.await.unwrap_or_else(ended));
    }
    let too_many = || Err(unavailable("too many messages are waiting to be stored"));
    appended.resize_with(count, too_many);
    appended
}

/// The task, until it has found nothing to do.
struct Task {
    writer: Arc<Writer>,
    is_done: bool,
}

impl Drop for Task {
    fn drop(&mut self) {
        if !self.is_done {
            let mut state = self.writer.state();
            state.waiting.clear();
            state.has_task = false;
        }
    }
}

async fn work_off(
    mut task: Task,
    store: Arc<dyn MessageStore>,
    tell: impl Fn(ChatMessage, i64) + Send,
) {
    while let Some(batch) = task.writer.next_batch() {
        let (messages, answers): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|waiting| (waiting.message, waiting.answer))
            .unzip();
        let mut stored = store.append(&messages).await.map(Vec::into_iter);
        for (answer, message) in answers.into_iter().zip(&messages) {
            let revision = message.revision;
            let appended = match &mut stored {
                Ok(appended) => appended
                    .next()
                    .ok_or_else(|| StoreError::Fault("a message was not answered".into())),
                Err(error) => Err(again(error)),
            };
            if let Ok(Appended::Stored(message)) = &appended {
                tell(message.clone(), revision);
            }
            // Whoever asked may have gone.
            let _ = answer.send(appended);
        }
    }
    task.is_done = true;
}

/// The error of a batch for one of its messages.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(cause) => StoreError::Unavailable(cause.to_string().into()),
        StoreError::Fault(cause) => StoreError::Fault(cause.to_string().into()),
    }
}

fn unavailable(why: &'static str) -> StoreError {
    StoreError::Unavailable(why.into())
}

#[cfg(test)]
mod tests;
