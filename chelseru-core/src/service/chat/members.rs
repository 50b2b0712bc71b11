//! Members of groups: who comes in, who goes, and what each may do.

use super::access::no_such_user;
use crate::Chelseru;
use crate::chat::{ChatError, Membership, Permissions, RoomId, RoomKind, Target, Verb};
use crate::error::Error;
use crate::service::CurrentUser;
use crate::store::RoomEdit;
use crate::user::UserId;

impl Chelseru {
    /// At most `limit` of the room's members after the user `after`, by their ids.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn room_members(
        &self,
        user: &CurrentUser,
        room: RoomId,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<Membership>, Error> {
        self.room_access(user.id, room).await?.may(Verb::Read)?;
        Ok(self.store().members(room, false, after, limit).await?)
    }

    /// At most `limit` of those who are banned from the room after the user `after`, by their ids.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn room_bans(
        &self,
        user: &CurrentUser,
        room: RoomId,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<Membership>, Error> {
        self.room_access(user.id, room).await?.may(Verb::Unban)?;
        Ok(self.store().members(room, true, after, limit).await?)
    }

    /// Adds a member, with [`Permissions::MEMBER`] unless other codes are given, and gives the member;
    /// also whether that one has just come in. Who is one already stays as they are.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn add_member(
        &self,
        user: &CurrentUser,
        room: RoomId,
        other: UserId,
        permissions: Option<Permissions>,
    ) -> Result<(Membership, bool), Error> {
        let permissions = permissions.unwrap_or(Permissions::MEMBER);
        let mut is_new = false;
        self.decide(async || {
            let access = self.room_access(user.id, room).await?;
            access.may(Verb::AddMember)?;
            let (target, membership) = self.target(user.id, other, &access.room).await?;
            is_new = target == Target::Stranger;
            if !is_new {
                return Ok(true);
            }
            if membership.is_some() {
                return Err(ChatError::UserBanned.into());
            }
            if permissions != Permissions::MEMBER {
                access.may(Verb::Permit(
                    Target::Member(Permissions::MEMBER),
                    permissions,
                ))?;
            }
            let most = self.config().chat.limits.members_per_room;
            if most > 0 && access.room.member_count >= most {
                return Err(ChatError::RoomFull.into());
            }
            let edits = vec![RoomEdit::Add(other, permissions)];
            self.try_change(user.id, &access.room, edits).await
        })
        .await?;
        Ok((self.member(room, other).await?, is_new))
    }

    /// Changes a member's codes, and gives the member.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn permit(
        &self,
        user: &CurrentUser,
        room: RoomId,
        other: UserId,
        permissions: Permissions,
    ) -> Result<Membership, Error> {
        self.decide(async || {
            let access = self.room_access(user.id, room).await?;
            let (target, _) = self.target(user.id, other, &access.room).await?;
            access.may(Verb::Permit(target, permissions))?;
            let edits = match target {
                Target::Member(before) if before == permissions => vec![],
                _ => vec![RoomEdit::Permit(other, permissions)],
            };
            self.try_change(user.id, &access.room, edits).await
        })
        .await?;
        self.member(room, other).await
    }

    /// Removes a member, who may come back.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn kick(&self, user: &CurrentUser, room: RoomId, other: UserId) -> Result<(), Error> {
        self.decide(async || {
            let access = self.room_access(user.id, room).await?;
            let (target, _) = self.target(user.id, other, &access.room).await?;
            access.may(Verb::Kick(target))?;
            let edits = vec![RoomEdit::Remove(other)];
            self.try_change(user.id, &access.room, edits).await
        })
        .await
    }

    /// Bans a user, member or not, who cannot come in before the ban is lifted.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn ban(
        &self,
        user: &CurrentUser,
        room: RoomId,
        other: UserId,
    ) -> Result<Membership, Error> {
        self.decide(async || {
            let access = self.room_access(user.id, room).await?;
            let (target, membership) = self.target(user.id, other, &access.room).await?;
            access.may(Verb::Ban(target))?;
            let is_banned = membership.is_some_and(|known| known.banned_at.is_some());
            let edits = if is_banned {
                vec![]
            } else {
                vec![RoomEdit::Ban(other)]
            };
            self.try_change(user.id, &access.room, edits).await
        })
        .await?;
        self.member(room, other).await
    }

    /// Lifts a ban. Who was banned is no member by that.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`ChatError::NoSuchMember`] for who is not banned among them, [`Error::Store`].
    pub async fn lift_ban(
        &self,
        user: &CurrentUser,
        room: RoomId,
        other: UserId,
    ) -> Result<(), Error> {
        self.decide(async || {
            let access = self.room_access(user.id, room).await?;
            access.may(Verb::Unban)?;
            let (_, membership) = self.target(user.id, other, &access.room).await?;
            if membership.is_none_or(|known| known.banned_at.is_none()) {
                return Err(ChatError::NoSuchMember.into());
            }
            let edits = vec![RoomEdit::Unban(other)];
            self.try_change(user.id, &access.room, edits).await
        })
        .await
    }

    /// Makes another member the owner, with every code. Who was the owner keeps the codes that are stored,
    /// which a new owner can take.
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn hand_over(
        &self,
        user: &CurrentUser,
        room: RoomId,
        other: UserId,
    ) -> Result<(), Error> {
        self.decide(async || {
            let access = self.room_access(user.id, room).await?;
            let (target, _) = self.target(user.id, other, &access.room).await?;
            access.may(Verb::HandOver(target))?;
            let edits = vec![
                RoomEdit::Permit(other, Permissions::EVERYTHING),
                RoomEdit::Owner(other),
            ];
            self.try_change(user.id, &access.room, edits).await
        })
        .await
    }

    /// Leaves a room. The owner of a group can only leave it as the last one, and that deletes it. A room
    /// for two stays for the other one, and is opened again by [`open_pair`](Self::open_pair).
    ///
    /// # Errors
    ///
    /// [`Error::Chat`], [`Error::Store`].
    pub async fn leave(&self, user: &CurrentUser, room: RoomId) -> Result<(), Error> {
        self.decide(async || {
            let access = self.room_access(user.id, room).await?;
            let is_last = access.room.member_count <= 1;
            access.may(Verb::Leave { is_last })?;
            if is_last && access.room.kind == RoomKind::Group {
                return self.try_delete(user.id, &access.room).await;
            }
            let edits = vec![RoomEdit::Remove(user.id)];
            self.try_change(user.id, &access.room, edits).await
        })
        .await
    }

    async fn member(&self, room: RoomId, user: UserId) -> Result<Membership, Error> {
        let memberships = self.store().memberships(room, &[user]).await?;
        let membership = memberships.into_iter().next();
        Ok(membership.ok_or_else(|| no_such_user("user"))?)
    }
}
