//! A call on its way to a thread and its answer on the way back.

use diesel::QueryResult;
use tokio::sync::oneshot;

use super::connection::{Connection, at_once};
use crate::error::{Failure, spoils_transaction};

/// A call. It is given a connection, or the reason why there is none.
pub(super) type Job = Box<dyn FnOnce(Result<&mut Connection, Failure>) -> Done + Send>;

/// A call that ran, and whose caller waits to hear of the commit.
pub(super) struct Done {
    answer: Box<dyn FnOnce(Result<(), Failure>) + Send>,
    /// Set when nothing in the same transaction can be committed.
    pub(super) spoiled: Option<Failure>,
}

impl Done {
    /// Answers the caller: with its own result if the commit went well.
    pub(super) fn answer(self, committed: Result<(), Failure>) {
        (self.answer)(committed);
    }
}

/// Makes a job of a body of queries.
pub(super) fn job<T, F>(body: F) -> (Job, oneshot::Receiver<Result<T, Failure>>)
where
    T: Send + 'static,
    F: AsyncFnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
{
    let (sender, answer) = oneshot::channel();
    let job = move |connection: Result<&mut Connection, Failure>| {
        let mut spoiled = None;
        let result = connection.and_then(|connection| {
            at_once(body(connection)).map_err(|error| {
                let spoils = spoils_transaction(&error);
                let failure = Failure::from(error);
                spoiled = spoils.then(|| failure.clone());
                failure
            })
        });
        let answer = Box::new(move |committed: Result<(), Failure>| {
            // Nobody listens when the caller went away.
            let _ = sender.send(result.and_then(|value| committed.map(|()| value)));
        });
        Done { answer, spoiled }
    };
    (Box::new(job), answer)
}
