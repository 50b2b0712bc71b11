//! One room with those who listen to it in this process.
//!
//! Entries are handed out in the order of the log, without gaps, and only when everyone who is given them
//! was seen to be a member on the revision on which they were stored. What comes too early is held until
//! the rest is there: it comes by itself, or is read from the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytestring::ByteString;

use super::Mailbox;
use crate::chat::Seq;
use crate::user::UserId;

/// How many entries are held while one before them is missing. Those beyond are read from the store.
const MOST_HELD: usize = 512;

/// A room with those who listen to it.
#[derive(Debug, Default)]
pub(super) struct ListenedRoom {
    /// Up to where entries were handed out; unknown until the first listener says where the log ends.
    head: Option<Seq>,
    /// The last entry that is known to be in the log.
    newest: Seq,
    /// On which revision all who are live were seen to be members.
    checked: i64,
    /// The newest revision that is known.
    revision: i64,
    held: BTreeMap<Seq, Held>,
    listeners: Vec<Listener>,
}

/// An entry, and the revision of the room on which it was stored.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) frame: ByteString,
    pub(super) revision: i64,
}

#[derive(Debug)]
struct Listener {
    mailbox: Arc<Mailbox>,
    /// After which entry it is given all; `None` while it reads by itself.
    live_after: Option<Seq>,
}

/// What a room needs from the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Nothing,
    /// Entries are missing; they may be on their way.
    Entries,
    /// Who listens may not be a member any more; nothing newer is told before that is known.
    Members,
}

/// The answer to a listener who wants to be given everything after a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    /// From here on everything comes by itself.
    Live,
    /// The room is further, or has changed: read on.
    Behind,
    /// The listener was removed.
    Out,
}

impl ListenedRoom {
    pub(super) fn add(&mut self, mailbox: Arc<Mailbox>) {
        self.listeners.push(Listener {
            mailbox,
            live_after: None,
        });
    }

    pub(super) fn remove(&mut self, mailbox: &Arc<Mailbox>) {
        self.listeners
            .retain(|listener| !Arc::ptr_eq(&listener.mailbox, mailbox));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.listeners.is_empty()
    }

    pub(super) fn mailboxes(&self) -> impl ExactSizeIterator<Item = &Arc<Mailbox>> {
        self.listeners.iter().map(|listener| &listener.mailbox)
    }

    /// Whose connections listen, each once.
    pub(super) fn users(&self) -> Vec<UserId> {
        let mut users: Vec<_> = self.mailboxes().map(|mailbox| mailbox.user()).collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    /// After which entry the log is to be read for those who are live.
    pub(super) fn missing_after(&self) -> Option<Seq> {
        self.head.filter(|head| *head < self.newest)
    }

    /// Where the log ends, as far as is known.
    pub(super) fn newest(&self) -> Seq {
        self.newest
    }

    pub(super) fn need(&self) -> Need {
        if self.revision > self.checked && self.head.is_some() {
            Need::Members
        } else if self.missing_after().is_some() {
            Need::Entries
        } else {
            Need::Nothing
        }
    }

    /// The listener has everything up to `cursor` and was a member on `revision`; both were read after it
    /// was added.
    pub(super) fn join(&mut self, mailbox: &Arc<Mailbox>, cursor: Seq, revision: i64) -> Joined {
        let mut listeners = self.listeners.iter_mut();
        let Some(listener) = listeners.find(|known| Arc::ptr_eq(&known.mailbox, mailbox)) else {
            return Joined::Out;
        };
        if revision < self.revision || self.head.is_some_and(|head| cursor < head) {
            return Joined::Behind;
        }
        listener.live_after = Some(cursor);
        if self.head.is_none() {
            self.head = Some(cursor);
            self.checked = revision;
        }
        self.saw(cursor, revision);
        self.hand_out();
        Joined::Live
    }

    /// What is known of the room.
    pub(super) fn saw(&mut self, newest: Seq, revision: i64) {
        self.newest = self.newest.max(newest);
        self.revision = self.revision.max(revision);
    }

    /// An entry of the log.
    pub(super) fn entry(&mut self, seq: Seq, entry: Held) {
        self.saw(seq, entry.revision);
        match self.head {
            Some(head) if seq <= head => {}
            Some(head) if seq == head.next() && entry.revision <= self.checked => {
                self.give(seq, &entry.frame);
                self.hand_out();
            }
            _ if self.held.len() < MOST_HELD => drop(self.held.insert(seq, entry)),
            _ => {}
        }
    }

    /// All of `asked` who are not `members` are out. The others were members on `revision`; whether that
    /// is news. Those who came to listen since are asked for the next time.
    pub(super) fn check(
        &mut self,
        asked: &[UserId],
        members: &[UserId],
        revision: i64,
    ) -> (bool, Vec<Arc<Mailbox>>) {
        let mut out = Vec::new();
        self.listeners.retain(|Listener { mailbox, .. }| {
            let user = mailbox.user();
            let stays = members.contains(&user) || asked.binary_search(&user).is_err();
            if !stays {
                out.push(Arc::clone(mailbox));
            }
            stays
        });
        let is_live = |listener: &&Listener| listener.live_after.is_some();
        let mut live = self.listeners.iter().filter(is_live);
        let are_all_known = live.all(|live| asked.binary_search(&live.mailbox.user()).is_ok());
        let is_news = are_all_known && revision > self.checked;
        if is_news {
            self.checked = revision;
        }
        self.revision = self.revision.max(revision);
        (is_news, out)
    }

    /// Gives what is in order to those who are live.
    pub(super) fn hand_out(&mut self) {
        while let (Some(head), Some(first)) = (self.head, self.held.first_entry()) {
            let seq = *first.key();
            if seq > head.next() || (seq > head && first.get().revision > self.checked) {
                return;
            }
            let entry = first.remove();
            if seq > head {
                self.give(seq, &entry.frame);
            }
        }
    }

    fn give(&mut self, seq: Seq, frame: &ByteString) {
        self.head = Some(seq);
        // Who is too slow is no listener any more.
        self.listeners.retain(|listener| match listener.live_after {
            Some(after) if seq > after => listener.mailbox.put_entry(frame),
            _ => true,
        });
    }

    /// Tells everyone but one user something that is not in the log. While it is not known who is still a
    /// member, nobody is told.
    pub(super) fn pass(&self, frame: &ByteString, but: Option<UserId>) {
        if self.need() == Need::Members {
            return;
        }
        for mailbox in self.mailboxes() {
            if Some(mailbox.user()) != but {
                mailbox.put_passing(frame);
            }
        }
    }
}
