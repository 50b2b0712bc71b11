//! Rooms: opening them, listing them, changing them.

use super::access::{TRIES, no_such_user};
use super::check;
use crate::Chelseru;
use crate::chat::{
    ChatError, Membership, Room, RoomEvent, RoomId, RoomKind, RoomStatus, Sender, Seq, Verb,
};
use crate::error::Error;
use crate::service::CurrentUser;
use crate::store::{NewGroup, RoomChanged, RoomCursor, RoomEdit, RoomListing, RoomOpened};
use crate::user::UserId;

/// How many of a room's members are shown with it.
const MEMBERS_SHOWN: u32 = 50;

/// A group to be made.
#[derive(Clone, Debug)]
pub struct GroupDraft {
    /// Its name: 1 to 45 characters.
    pub name: String,
    /// What it is about: up to 1,000 characters.
    pub description: Option<String>,
    /// Where its picture is: an https URL of up to 500 characters.
    pub avatar_url: Option<String>,
    /// The other members.
    pub members: Vec<UserId>,
}

/// Changes of a room and of what it is for one member; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct RoomUpdate {
    /// Its name: 1 to 45 characters.
    pub name: Option<String>,
    /// What it is about: up to 1,000 characters, or nothing.
    pub description: Option<Option<String>>,
    /// Where its picture is: an https URL of up to 500 characters, or nowhere.
    pub avatar_url: Option<Option<String>>,
    /// Whether it takes messages.
    pub status: Option<RoomStatus>,
    /// Whether the room is kept on top of this user's list.
    pub pinned: Option<bool>,
    /// Whether this user wants no notifications.
    pub muted: Option<bool>,
    /// Up to where this user has read.
    pub read_seq: Option<Seq>,
}

/// A room as one of its members sees it.
#[derive(Clone, Debug)]
pub struct RoomView {
    /// As in that member's list.
    pub listing: RoomListing,
    /// The owner of a group.
    pub owner: Option<Sender>,
    /// Its members by their ids, the first 50 of them.
    pub members: Vec<Membership>,
    /// Of a pair, whether the other one has a socket open; `None` where presence is off.
    pub peer_is_online: Option<bool>,
}

impl Chelseru {
    /// The room of the user and another one; also whether it was made just now.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::LimitReached`], [`Error::Store`].
    pub async fn open_pair(
        &self,
        user: &CurrentUser,
        other: UserId,
    ) -> Result<(RoomView, bool), Error> {
        if other == user.id {
            return Err(ChatError::Field {
                field: "user",
                problem: "This must be somebody else.".to_owned(),
            }
            .into());
        }
        let permit = self.permit_room(user.id).await?;
        let now = self.now();
        let (room, is_new) = match self.store().open_pair(user.id, other, now).await? {
            RoomOpened::New(room) => (room, true),
            RoomOpened::Known(room) => (room, false),
            RoomOpened::UnknownUser(_) => return Err(no_such_user("user").into()),
        };
        if !is_new {
            self.give_back_room(permit).await;
        }
        let view = self.chat_room(user, room).await?;
        // A room that is known may have one more member again.
        let has_come_in = |member: &Membership| member.joined_at == now;
        if is_new || view.members.iter().any(has_come_in) {
            self.tell_made(&view.listing.room, vec![user.id, other]);
        }
        Ok((view, is_new))
    }

    /// Makes a group. The user is its owner and first member.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::LimitReached`], [`Error::Store`].
    pub async fn create_group(
        &self,
        user: &CurrentUser,
        draft: GroupDraft,
    ) -> Result<RoomView, Error> {
        let mut members = draft.members;
        members.retain(|member| *member != user.id);
        members.sort_unstable();
        members.dedup();
        let most = self.config().chat.limits.members_per_room;
        if most > 0 && members.len() >= most as usize {
            return Err(ChatError::Field {
                field: "users",
                problem: format!("A room may have no more than {most} members."),
            }
            .into());
        }
        let group = NewGroup {
            owner: user.id,
            name: check::name(&draft.name)?,
            description: check::description(draft.description)?,
            avatar_url: check::avatar_url(draft.avatar_url)?,
            members,
            now: self.now(),
        };
        self.permit_room(user.id).await?;
        let users = group.members.iter().copied().chain([user.id]).collect();
        match self.store().create_group(&group).await? {
            RoomOpened::New(room) | RoomOpened::Known(room) => {
                let view = self.chat_room(user, room).await?;
                self.tell_made(&view.listing.room, users);
                Ok(view)
            }
            RoomOpened::UnknownUser(unknown) => Err(ChatError::Field {
                field: "users",
                problem: format!("There is no user {}.", unknown.0),
            }
            .into()),
        }
    }

    /// At most `limit` of the user's rooms after the cursor, pinned ones first, then those in which
    /// something last happened first.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn chat_rooms(
        &self,
        user: &CurrentUser,
        after: Option<RoomCursor>,
        limit: u32,
    ) -> Result<Vec<RoomView>, Error> {
        let listings = self.store().list_rooms(user.id, after, limit).await?;
        let mut views = Vec::with_capacity(listings.len());
        for listing in listings {
            views.push(self.view(listing).await?);
        }
        Ok(views)
    }

    /// One room.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn chat_room(&self, user: &CurrentUser, room: RoomId) -> Result<RoomView, Error> {
        let listing = self.store().find_listing(room, user.id).await?;
        self.view(listing.ok_or(ChatError::NoSuchRoom)?).await
    }

    /// The members of a room, where they are few enough to be shown all.
    pub(crate) async fn all_members(&self, room: &Room) -> Result<Option<Vec<Membership>>, Error> {
        if room.member_count > MEMBERS_SHOWN {
            return Ok(None);
        }
        let members = self.store().members(room.id, false, None, MEMBERS_SHOWN);
        Ok(Some(members.await?))
    }

    async fn view(&self, listing: RoomListing) -> Result<RoomView, Error> {
        let room = &listing.room;
        let members = match room.kind {
            RoomKind::Pair => {
                let mut members = vec![listing.membership.clone()];
                members.extend(listing.peer.clone());
                members.retain(|member| member.banned_at.is_none());
                members.sort_by_key(|member| member.user);
                members
            }
            RoomKind::Group => {
                let members = self.store().members(room.id, false, None, MEMBERS_SHOWN);
                members.await?
            }
        };
        let owner = match room.owner {
            None => None,
            Some(owner) => match members.iter().find(|member| member.user == owner) {
                Some(member) => Some(member.into()),
                None => self
                    .target(owner, owner, room)
                    .await?
                    .1
                    .as_ref()
                    .map(Sender::from),
            },
        };
        let peer = listing.peer.as_ref().map(|peer| peer.user);
        let peer = peer.filter(|_| self.config().chat.presence);
        Ok(RoomView {
            peer_is_online: peer.map(|peer| self.hub().is_online(peer, self.now())),
            listing,
            owner,
            members,
        })
    }

    /// Changes a room: all that belongs to the room at once, or nothing of it; then what it is for this
    /// user.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn update_chat_room(
        &self,
        user: &CurrentUser,
        room: RoomId,
        update: RoomUpdate,
    ) -> Result<RoomView, Error> {
        let name = update.name.as_deref().map(check::name).transpose()?;
        let description = update.description.map(check::description).transpose()?;
        let avatar_url = update.avatar_url.map(check::avatar_url).transpose()?;
        self.decide(async || {
            let access = self.room_access(user.id, room).await?;
            let now = &access.room;
            let mut edits = Vec::new();
            // Status first: who opens a room may change it by the same request.
            let mut access_then = access.clone();
            if let Some(status) = update.status {
                access.may(match status {
                    RoomStatus::Open => Verb::Reopen,
                    RoomStatus::Closed | RoomStatus::Hold => Verb::Close,
                })?;
                if status == RoomStatus::Open {
                    access_then.standing.status = status;
                }
                if status != now.status {
                    edits.push(RoomEdit::Status(status));
                }
            }
            if let Some(name) = &name {
                access_then.may(Verb::Rename)?;
                if now.name.as_ref() != Some(name) {
                    edits.push(RoomEdit::Name(name.clone()));
                }
            }
            if let Some(description) = &description {
                access_then.may(Verb::Rename)?;
                if now.description != *description {
                    edits.push(RoomEdit::Description(description.clone()));
                }
            }
            if let Some(avatar_url) = &avatar_url {
                access_then.may(Verb::UpdateAvatar)?;
                if now.avatar_url != *avatar_url {
                    edits.push(RoomEdit::AvatarUrl(avatar_url.clone()));
                }
            }
            self.try_change(user.id, now, edits).await
        })
        .await?;
        if update.pinned.is_some() || update.muted.is_some() {
            let flags = self
                .store()
                .set_member_flags(room, user.id, update.pinned, update.muted);
            if !flags.await? {
                return Err(ChatError::NoSuchRoom.into());
            }
        }
        if let Some(seq) = update.read_seq {
            self.mark_read(user, room, seq).await?;
        }
        self.chat_room(user, room).await
    }

    /// Deletes a group with its members and all its messages.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn delete_chat_room(&self, user: &CurrentUser, room: RoomId) -> Result<(), Error> {
        self.decide(async || {
            let access = self.room_access(user.id, room).await?;
            access.may(Verb::Delete)?;
            self.try_delete(user.id, &access.room).await
        })
        .await
    }

    /// Deletes the room: true if that is done, false to decide it again.
    pub(super) async fn try_delete(&self, user: UserId, room: &Room) -> Result<bool, Error> {
        match self.store().delete_room(room.id, room.revision).await? {
            RoomChanged::Stale => Ok(false),
            RoomChanged::Gone => Err(ChatError::NoSuchRoom.into()),
            RoomChanged::Done(_) | RoomChanged::UnknownUser(_) => {
                tracing::info!(user = user.0, room = room.id.0, "room deleted");
                self.inner.hub.tell(RoomEvent::Deleted { room: room.id });
                Ok(true)
            }
        }
    }

    /// Tries again while the room changes under what was decided.
    pub(super) async fn decide(
        &self,
        mut attempt: impl AsyncFnMut() -> Result<bool, Error>,
    ) -> Result<(), Error> {
        for _ in 0..TRIES {
            if attempt().await? {
                return Ok(());
            }
        }
        Err(ChatError::TooManyChanges.into())
    }

    fn tell_made(&self, room: &Room, users: Vec<UserId>) {
        self.inner.hub.tell(RoomEvent::Changed {
            room: room.id,
            revision: room.revision,
            users,
        });
    }
}
