//! How servers over one database tell each other at once what happened.

use std::fmt;

use async_trait::async_trait;
use bytestring::ByteString;
use serde::{Deserialize, Serialize};

use super::{RoomId, Seq};
use crate::user::UserId;

/// Carries hints between the servers over one database, so that all of them are one chat.
///
/// It may lose, repeat and reorder them: whatever a hint tells is in the database, where a server finds it
/// some seconds later by itself. What is not in the database (typing, presence) is lost with the hint.
///
/// A bus of your own is two methods over any publish/subscribe service:
///
/// ```
/// use chelseru_core::chat::{Bus, Heard, Hint};
/// # #[derive(Debug)]
/// # struct Connection;
/// # impl Connection {
/// #     fn try_send(&self, _: String) {}
/// #     async fn receive(&self) -> Option<String> { std::future::pending().await }
/// # }
///
/// #[derive(Debug)]
/// struct YourBus(Connection);
///
/// #[async_trait::async_trait]
/// impl Bus for YourBus {
///     fn publish(&self, hint: Hint) {
///         if let Some(text) = hint.text(64 * 1024) {
///             self.0.try_send(text);
///         }
///     }
///
///     async fn run(&self, heard: &(dyn Fn(Heard) + Send + Sync)) {
///         loop {
///             match self.0.receive().await {
///                 Some(text) => heard(Heard::Hint(Hint::read(&text))),
///                 None => heard(Heard::Lost),
///             }
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Bus: Send + Sync + fmt::Debug {
    /// Passes a hint on to the other servers. Never waits; what cannot be passed on is dropped.
    fn publish(&self, hint: Hint);

    /// Says what the others tell, until it is dropped; [`Heard::Lost`] when something may have been missed,
    /// as after a broken connection. One's own hints may be among them.
    async fn run(&self, heard: &(dyn Fn(Heard) + Send + Sync));
}

/// What comes from a [`Bus`].
#[derive(Debug)]
pub enum Heard {
    /// A hint.
    Hint(Hint),
    /// Hints may have been lost.
    Lost,
}

/// The bus of a server that is alone: it has nobody to tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalBus;

#[async_trait]
impl Bus for LocalBus {
    fn publish(&self, _: Hint) {}

    async fn run(&self, _: &(dyn Fn(Heard) + Send + Sync)) {
        std::future::pending::<()>().await;
    }
}

/// What one server tells the others. For a bus it is a text.
#[derive(Clone)]
pub struct Hint {
    pub(super) from: u64,
    pub(super) news: News,
    /// The frame for those who listen.
    pub(super) frame: Option<ByteString>,
}

/// What a hint is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum News {
    /// The log of a room has an entry, stored on that revision.
    Entry {
        room: RoomId,
        seq: Seq,
        revision: i64,
    },
    /// Something passing in a room, of which one user is not told.
    Passing { room: RoomId, but: Option<UserId> },
    /// A room is on this revision, and these users may have come in.
    Changed {
        room: RoomId,
        revision: i64,
        users: Vec<UserId>,
    },
    /// A room is gone.
    Deleted { room: RoomId },
    /// The sessions or the account of a user have changed.
    Account { user: UserId },
    /// These users are on the server that says so, for a while.
    Online { users: Vec<UserId> },
    /// A user has come; those in these rooms are told.
    Came { user: UserId, rooms: Vec<RoomId> },
    /// A user has gone; those in these rooms are told.
    Gone {
        user: UserId,
        rooms: Vec<RoomId>,
        last_seen_ms: i64,
    },
    /// Of something that this server does not know.
    Unknown,
}

#[derive(Serialize, Deserialize)]
struct Head {
    from: u64,
    #[serde(flatten)]
    news: News,
}

impl Hint {
    /// The hint as a text of at most so many bytes: without its frame where that does not fit, and none
    /// where even that is too long.
    pub fn text(&self, max_bytes: usize) -> Option<String> {
        let head = Head {
            from: self.from,
            news: self.news.clone(),
        };
        let mut text = serde_json::to_string(&head).ok()?;
        if let Some(frame) = &self.frame
            && text.len() + 1 + frame.len() <= max_bytes
        {
            text.push('\n');
            text.push_str(frame);
        }
        (text.len() <= max_bytes).then_some(text)
    }

    /// The hint of a text that [`text`](Self::text) made; from anything else, one that means nothing.
    pub fn read(text: &str) -> Self {
        let (head, frame) = match text.split_once('\n') {
            Some((head, frame)) => (head, Some(frame.into())),
            None => (text, None),
        };
        let head = serde_json::from_str(head).unwrap_or(Head {
            from: 0,
            news: News::Unknown,
        });
        Self {
            from: head.from,
            news: head.news,
            frame,
        }
    }
}

/// Shows what it is about, never the frame.
impl fmt::Debug for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hint").field(&self.news).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Hint, News};
    use crate::chat::{RoomId, Seq};

    fn hint(frame: &str) -> Hint {
        Hint {
            from: 7,
            news: News::Entry {
                room: RoomId(1),
                seq: Seq(2),
                revision: 3,
            },
            frame: Some(frame.into()),
        }
    }

    #[test]
    fn a_hint_is_read_as_it_was_written() {
        let text = hint("{\"message\":\"سلام\\n\"}").text(8000).unwrap();
        let read = Hint::read(&text);
        assert_eq!((read.from, &read.news), (7, &hint("").news));
        assert_eq!(read.frame.as_deref(), Some("{\"message\":\"سلام\\n\"}"));
    }

    #[test]
    fn a_frame_that_does_not_fit_is_left_out() {
        let text = hint(&"x".repeat(100)).text(100).unwrap();
        let read = Hint::read(&text);
        assert_eq!(read.news, hint("").news);
        assert_eq!(read.frame, None);
        assert_eq!(hint("").text(10), None);
    }

    #[test]
    fn nonsense_is_a_hint_that_means_nothing() {
        for text in ["", "x", "{}", "{\"from\":1,\"sing\":{}}", "\n\n"] {
            assert_eq!(Hint::read(text).news, News::Unknown, "{text:?}");
        }
    }

    #[test]
    fn no_debug_output_shows_a_message() {
        assert!(!format!("{:?}", hint("secret")).contains("secret"));
    }
}
