//! The rooms of a connection: coming into them, catching up until they are live, and leaving them.

use std::collections::BTreeMap;

use super::work::Batch;
use super::{Connection, Phase, Place, Scope};
use crate::chat::hub::{Joined, text_of};
use crate::chat::{Close, RoomId, RoomPosition, Sender, Seq, ServerFrame};
use crate::store::RoomState;

impl Connection {
    pub(super) fn listen(&mut self, room: RoomId) {
        self.chelseru.hub().listen(room, &self.mailbox);
        self.rooms.insert(
            room,
            Place {
                cursor: Some(Seq(0)),
                revision: 0,
                tells_synced: false,
            },
        );
    }

    /// The first list only says to which rooms to listen; the one after it, where they stand while they
    /// are listened to.
    pub(super) fn listed(&mut self, states: &[RoomState]) {
        let listens_to_all = states
            .iter()
            .all(|state| self.rooms.contains_key(&state.room));
        if self.phase == Phase::Entering && !listens_to_all {
            for state in states {
                if !self.rooms.contains_key(&state.room) {
                    self.listen(state.room);
                }
            }
            self.must_list = true;
            return;
        }
        let is_there = |room: &RoomId| states.iter().any(|state| state.room == *room);
        let gone: Vec<_> = self
            .rooms
            .keys()
            .filter(|room| !is_there(room))
            .copied()
            .collect();
        if self.phase == Phase::Entering {
            for room in gone {
                self.forget(room);
            }
            self.say_hello(states);
        } else {
            for room in gone {
                self.left(room);
            }
            let new = states.iter().map(|state| state.room);
            let new = new.filter(|room| !self.rooms.contains_key(room));
            self.to_enter.extend(new);
        }
    }

    fn say_hello(&mut self, states: &[RoomState]) {
        let mut rooms = BTreeMap::new();
        for state in states {
            if let Some(place) = self.rooms.get_mut(&state.room) {
                place.cursor = Some(state.last_seq);
                place.revision = state.revision;
                let seq = state.last_seq;
                rooms.insert(state.room, RoomPosition { seq });
            }
        }
        let user = Sender {
            id: self.user.id,
            username: self.user.username.clone(),
        };
        self.send(&ServerFrame::Hello { user, rooms });
        let until = self.chelseru.now() + self.chelseru.config().chat.first_frame;
        self.phase = Phase::Waiting { until };
        self.times.due_by(until);
        self.tell_presence();
    }

    /// The client has said where it stands, or says nothing.
    pub(super) fn go_live(&mut self, places: Option<BTreeMap<RoomId, Seq>>) {
        self.phase = Phase::Live;
        let resumes = places.is_some();
        let mut places = places.unwrap_or_default();
        let rooms: Vec<_> = self.rooms.keys().copied().collect();
        for room in rooms {
            self.start(room, places.remove(&room), resumes);
        }
        for room in places.into_keys() {
            self.send(&ServerFrame::RoomLeft { room });
        }
    }

    /// Begins with what comes after `since`, or where the log ends.
    fn start(&mut self, room: RoomId, since: Option<Seq>, tells_synced: bool) {
        let Some(place) = self.rooms.get_mut(&room) else {
            return;
        };
        place.tells_synced = tells_synced;
        let newest = place.cursor.unwrap_or_default();
        let since = since.map_or(newest, |since| since.min(newest).max(Seq(0)));
        let most = self.chelseru.config().chat.max_replay;
        if newest.0 - since.0 > i64::from(most) {
            place.cursor = Some(newest);
            let seq = newest;
            self.send(&ServerFrame::TooFar { room, since, seq });
        } else {
            place.cursor = Some(since);
        }
        self.advance(room, newest);
    }

    /// Goes live when the client has everything up to `newest`, and reads on otherwise.
    fn advance(&mut self, room: RoomId, newest: Seq) {
        let Some(place) = self.rooms.get_mut(&room) else {
            return;
        };
        let Some(cursor) = place.cursor else {
            return;
        };
        let hub = self.chelseru.hub();
        let joined = if cursor < newest {
            Joined::Behind
        } else {
            hub.join(room, &self.mailbox, cursor, place.revision)
        };
        match joined {
            Joined::Behind => self.to_read.push_back(room),
            Joined::Out => self.left(room),
            Joined::Live => {
                place.cursor = None;
                if std::mem::take(&mut place.tells_synced) {
                    self.send(&ServerFrame::Synced { room, seq: cursor });
                }
            }
        }
    }

    pub(super) fn was_read(&mut self, room: RoomId, batch: Batch) {
        let Some(place) = self.rooms.get_mut(&room) else {
            return;
        };
        place.revision = batch.state.revision;
        for entry in batch.entries {
            place.cursor = place.cursor.max(Some(entry.seq));
            self.unsent.push_back(text_of(&ServerFrame::from(entry)));
        }
        self.advance(room, batch.state.last_seq);
    }

    /// Where a room stands that the socket has not been in.
    pub(super) fn entered(&mut self, room: RoomId, state: Option<RoomState>) {
        let Some(state) = state else {
            if matches!(self.scope, Scope::One { .. }) {
                self.close(Close::NotAMember);
            }
            self.forget(room);
            return;
        };
        if !self.rooms.contains_key(&room) {
            // It is looked at again: what is read before listening may have changed since.
            self.listen(room);
            self.to_enter.push_front(room);
            return;
        }
        if let Some(place) = self.rooms.get_mut(&room) {
            place.cursor = Some(state.last_seq);
            place.revision = state.revision;
        }
        match self.scope {
            Scope::One { since, end, .. } => {
                self.phase = Phase::Live;
                self.start(room, since.or(Some(end)), since.is_some());
                self.tell_presence();
            }
            Scope::All => {
                let seq = state.last_seq;
                self.send(&ServerFrame::RoomChanged { room, seq });
                if self.phase == Phase::Live {
                    self.start(room, None, false);
                }
            }
        }
    }

    pub(super) fn left(&mut self, room: RoomId) {
        if !self.rooms.contains_key(&room) {
            return;
        }
        self.forget(room);
        match self.scope {
            Scope::One { .. } => self.close(Close::NotAMember),
            Scope::All => self.send(&ServerFrame::RoomLeft { room }),
        }
    }

    fn forget(&mut self, room: RoomId) {
        if self.rooms.remove(&room).is_some() {
            self.chelseru.hub().stop_listening(room, &self.mailbox);
        }
    }

    fn tell_presence(&self) {
        if self.chelseru.config().chat.presence {
            let rooms: Vec<_> = self.rooms.keys().copied().collect();
            self.chelseru.hub().came(self.user.id, &rooms);
        }
    }
}
