//! A user's standing in a room, and acting on it.
//!
//! What is decided on one revision of a room is done on that revision or not at all, and decided again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::Chats;
use crate::Chelseru;
use crate::chat::{ChatError, Membership, Room, RoomEvent, RoomId, Standing, Target, Verb};
use crate::error::Error;
use crate::store::{RoomChange, RoomChanged, RoomEdit};
use crate::user::UserId;

/// How often a decision is made again when the room has changed under it.
pub(super) const TRIES: usize = 8;

/// How many standings are kept for writing. A wrong one costs a second try, a missing one a look.
const KEPT: usize = 20_000;

/// A room as a member may use it, on its revision.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// The room.
    pub(crate) room: Room,
    pub(super) standing: Standing,
}

impl Access {
    pub(super) fn may(&self, verb: Verb) -> Result<(), ChatError> {
        self.standing.may(verb)
    }
}

/// Standings as they were at some revision, good for what the store checks again.
#[derive(Debug, Default)]
pub(super) struct Standings(Mutex<HashMap<(UserId, RoomId), (Standing, i64)>>);

impl Standings {
    pub(super) fn get(&self, user: UserId, room: RoomId) -> Option<(Standing, i64)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&(user, room)).copied()
    }

    fn keep(&self, user: UserId, access: &Access) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        let standing = (access.standing, access.room.revision);
        kept.insert((user, access.room.id), standing);
    }

    /// Forgets a standing that is no newer than this revision of the room.
    pub(super) fn forget(&self, user: UserId, room: RoomId, revision: i64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept
            .get(&(user, room))
            .is_some_and(|(_, known)| *known <= revision)
        {
            kept.remove(&(user, room));
        }
    }
}

impl Chelseru {
    pub(super) fn chats(&self) -> &Chats {
        &self.inner.chats
    }

    /// The room, for a member who is not banned.
    pub(crate) async fn room_access(&self, user: UserId, room: RoomId) -> Result<Access, Error> {
        let (room, membership) = self
            .store()
            .find_room(room, user)
            .await?
            .ok_or(ChatError::NoSuchRoom)?;
        let standing = Standing::of(&room, membership.as_ref())?;
        Ok(Access { room, standing })
    }

    /// The revision on which the user may do that: one that is known, if that allows it, else as it is now.
    pub(super) async fn revision_to(
        &self,
        verb: Verb,
        user: UserId,
        room: RoomId,
    ) -> Result<i64, Error> {
        let standings = &self.chats().standings;
        if let Some((standing, revision)) = standings.get(user, room)
            && standing.may(verb).is_ok()
        {
            return Ok(revision);
        }
        let access = self.room_access(user, room).await?;
        access.may(verb)?;
        standings.keep(user, &access);
        Ok(access.room.revision)
    }

    /// What `other` is to the room and to the user. Read after the room: whatever came between makes the
    /// change stale.
    pub(super) async fn target(
        &self,
        user: UserId,
        other: UserId,
        room: &Room,
    ) -> Result<(Target, Option<Membership>), Error> {
        let memberships = self.store().memberships(room.id, &[other]).await?;
        let membership = memberships.into_iter().next();
        Ok((
            Target::of(user, other, room, membership.as_ref()),
            membership,
        ))
    }

    /// Makes one change of a room: true if it is made, false to decide it again.
    pub(super) async fn try_change(
        &self,
        user: UserId,
        room: &Room,
        edits: Vec<RoomEdit>,
    ) -> Result<bool, Error> {
        if edits.is_empty() {
            return Ok(true);
        }
        let users = edits.iter().filter_map(RoomEdit::lets_in).collect();
        let change = RoomChange {
            room: room.id,
            revision: room.revision,
            edits,
            now: self.now(),
        };
        match self.store().change_room(&change).await? {
            RoomChanged::Done(room) => {
                tracing::info!(user = user.0, room = room.id.0, "room changed");
                self.inner.hub.tell(RoomEvent::Changed {
                    room: room.id,
                    revision: room.revision,
                    users,
                });
                Ok(true)
            }
            RoomChanged::Stale => Ok(false),
            RoomChanged::Gone => Err(ChatError::NoSuchRoom.into()),
            RoomChanged::UnknownUser(_) => Err(no_such_user("user").into()),
        }
    }
}

pub(super) fn no_such_user(field: &'static str) -> ChatError {
    ChatError::Field {
        field,
        problem: "There is no such user.".to_owned(),
    }
}
