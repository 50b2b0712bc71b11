//! Who is here, on this server and on the others.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Mailbox;
use crate::chat::{Close, RoomId};
use crate::clock::Timestamp;
use crate::user::UserId;

/// How long somebody who lost the connection counts as here: a mobile link that comes back is no news.
pub(super) const LINGER: Duration = Duration::from_secs(10);

/// How long another server's word that somebody is there counts. It repeats it well before.
const WORD_LASTS: Duration = Duration::from_secs(75);

/// Who is here.
#[derive(Debug, Default)]
pub(super) struct People {
    here: HashMap<UserId, Vec<Socket>>,
    /// Until when other servers say that somebody is there.
    elsewhere: HashMap<UserId, HashMap<u64, Timestamp>>,
    leaving: Vec<Leaving>,
}

#[derive(Debug)]
struct Socket {
    mailbox: Arc<Mailbox>,
    /// Whether it is the socket for all rooms.
    is_for_all: bool,
}

/// Somebody whose last socket is closed.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) user: UserId,
    pub(super) rooms: Vec<RoomId>,
    pub(super) last_seen: Timestamp,
}

impl People {
    /// Adds a socket; of more than so many of one user, the oldest ends.
    pub(super) fn add(&mut self, mailbox: Arc<Mailbox>, is_for_all: bool, at_most: u32) {
        let user = mailbox.user();
        let sockets = self.here.entry(user).or_default();
        let socket = Socket {
            mailbox,
            is_for_all,
        };
        sockets.push(socket);
        let at_most = at_most as usize;
        if at_most > 0 && sockets.len() > at_most {
            for surplus in sockets.drain(..sockets.len() - at_most) {
                surplus.mailbox.end(Close::TooManySockets);
            }
        }
        self.leaving.retain(|leaving| leaving.user != user);
    }

    /// Removes a socket that listened to these rooms.
    pub(super) fn remove(&mut self, mailbox: &Arc<Mailbox>, rooms: Vec<RoomId>, now: Timestamp) {
        let user = mailbox.user();
        let Some(sockets) = self.here.get_mut(&user) else {
            return;
        };
        sockets.retain(|socket| !Arc::ptr_eq(&socket.mailbox, mailbox));
        if sockets.is_empty() {
            self.here.remove(&user);
            self.leaving.push(Leaving {
                user,
                rooms,
                last_seen: now,
            });
        }
    }

    /// Those who have been away for long enough to be told of.
    pub(super) fn gone(&mut self, now: Timestamp) -> Vec<Leaving> {
        let is_over = |leaving: &Leaving| now.since(leaving.last_seen) >= LINGER;
        let (gone, still) = std::mem::take(&mut self.leaving)
            .into_iter()
            .partition(is_over);
        self.leaving = still;
        self.elsewhere.retain(|_, servers| {
            servers.retain(|_, until| *until > now);
            !servers.is_empty()
        });
        gone
    }

    pub(super) fn is_elsewhere(&mut self, user: UserId, server: u64, now: Timestamp) {
        let servers = self.elsewhere.entry(user).or_default();
        servers.insert(server, now + WORD_LASTS);
    }

    pub(super) fn left(&mut self, user: UserId, server: u64) {
        if let Some(servers) = self.elsewhere.get_mut(&user) {
            servers.remove(&server);
        }
    }

    pub(super) fn are_here(&self) -> Vec<UserId> {
        self.here.keys().copied().collect()
    }

    pub(super) fn is_here(&self, user: UserId) -> bool {
        self.here.contains_key(&user) || self.leaving.iter().any(|leaving| leaving.user == user)
    }

    pub(super) fn is_online(&self, user: UserId, now: Timestamp) -> bool {
        let is_elsewhere = |servers: &HashMap<_, Timestamp>| servers.values().any(|at| *at > now);
        self.is_here(user) || self.elsewhere.get(&user).is_some_and(is_elsewhere)
    }

    pub(super) fn sockets_of(&self, user: UserId) -> impl Iterator<Item = &Arc<Mailbox>> {
        let sockets = self.here.get(&user).into_iter().flatten();
        sockets.map(|socket| &socket.mailbox)
    }

    pub(super) fn sockets_for_all_of(&self, user: UserId) -> impl Iterator<Item = &Arc<Mailbox>> {
        let sockets = self.here.get(&user).into_iter().flatten();
        let for_all = sockets.filter(|socket| socket.is_for_all);
        for_all.map(|socket| &socket.mailbox)
    }

    pub(super) fn sockets(&self) -> impl Iterator<Item = &Arc<Mailbox>> {
        self.here.values().flatten().map(|socket| &socket.mailbox)
    }
}
