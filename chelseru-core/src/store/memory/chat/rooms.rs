//! Rooms and their changes.

use std::cmp::Reverse;

use async_trait::async_trait;

use super::{KeptRoom, Member};
use crate::chat::{EntryKind, Membership, Permissions, Room, RoomId, RoomKind, RoomStatus, Seq};
use crate::clock::Timestamp;
use crate::store::memory::{MemoryStore, Tables};
use crate::store::{
    NewGroup, RoomChange, RoomChanged, RoomCursor, RoomEdit, RoomListing, RoomOpened, RoomStore,
    StoreResult, UNREAD_COUNTED,
};
use crate::user::UserId;

impl Tables {
    fn make_room(
        &mut self,
        kind: RoomKind,
        owner: Option<UserId>,
        pair: Option<(UserId, UserId)>,
        now: Timestamp,
    ) -> &mut KeptRoom {
        self.chats.last_room += 1;
        let id = RoomId(self.chats.last_room);
        let room = Room {
            id,
            kind,
            owner,
            name: None,
            description: None,
            avatar_url: None,
            status: RoomStatus::Open,
            revision: 1,
            last_seq: Seq(0),
            member_count: 0,
            created_at: now,
            updated_at: now,
        };
        self.chats.rooms.entry(id).or_insert(KeptRoom {
            room,
            pair,
            members: std::collections::BTreeMap::new(),
            log: Vec::new(),
        })
    }

    fn listing(&self, kept: &KeptRoom, user: UserId, membership: Membership) -> RoomListing {
        let mut messages = kept.log.iter().filter_map(|entry| {
            let is_message = matches!(entry.kind, EntryKind::Message(_));
            self.chats
                .messages
                .get(&entry.message)
                .filter(|_| is_message)
        });
        let counted_after = kept.room.last_seq.0.saturating_sub_unsigned(UNREAD_COUNTED);
        let unread = messages.clone().filter(|message| {
            message.message.seq > membership.read_seq.max(Seq(counted_after))
                && message.sender != user
                && self.message_for(message, user).deleted_at.is_none()
        });
        let peer = kept
            .pair
            .map(|(one, other)| if one == user { other } else { one });
        RoomListing {
            room: self.room(kept),
            peer: peer.and_then(|peer| self.membership(kept, peer)),
            unread: unread.count() as u64,
            last_message: messages
                .next_back()
                .map(|message| self.message_for(message, user)),
            membership,
        }
    }

    /// The user who cannot be what the edits make of them.
    fn unknown_user(&self, room: &KeptRoom, edits: &[RoomEdit]) -> Option<UserId> {
        let mut members = room.members.clone();
        for edit in edits {
            match edit {
                RoomEdit::Add(user, _) | RoomEdit::Ban(user) if !self.is_active(*user) => {
                    return Some(*user);
                }
                RoomEdit::Owner(user)
                    if !self.users.contains_key(user)
                        || members.get(user).is_none_or(|one| one.banned_at.is_some()) =>
                {
                    return Some(*user);
                }
                _ => change_members(&mut members, edit, room.room.updated_at),
            }
        }
        None
    }
}

fn change_members(
    members: &mut std::collections::BTreeMap<UserId, Member>,
    edit: &RoomEdit,
    now: Timestamp,
) {
    let is_banned = |member: &Member| member.banned_at.is_some();
    match edit {
        RoomEdit::Add(user, permissions) => {
            let member = members.entry(*user);
            member.or_insert_with(|| Member::new(*permissions, now));
        }
        RoomEdit::Remove(user) => {
            members.retain(|one, member| one != user || is_banned(member));
        }
        RoomEdit::Ban(user) => {
            let member = members
                .entry(*user)
                .or_insert_with(|| Member::new(Permissions::NONE, now));
            member.permissions = Permissions::NONE;
            member.banned_at.get_or_insert(now);
        }
        RoomEdit::Unban(user) => {
            members.retain(|one, member| one != user || !is_banned(member));
        }
        RoomEdit::Permit(user, permissions) => {
            if let Some(member) = members.get_mut(user).filter(|one| !is_banned(one)) {
                member.permissions = *permissions;
            }
        }
        RoomEdit::Name(_)
        | RoomEdit::Description(_)
        | RoomEdit::AvatarUrl(_)
        | RoomEdit::Status(_)
        | RoomEdit::Owner(_) => {}
    }
}

fn change(kept: &mut KeptRoom, edit: &RoomEdit, now: Timestamp) {
    let room = &mut kept.room;
    match edit {
        RoomEdit::Name(name) => room.name = Some(name.clone()),
        RoomEdit::Description(description) => room.description.clone_from(description),
        RoomEdit::AvatarUrl(url) => room.avatar_url.clone_from(url),
        RoomEdit::Status(status) => room.status = *status,
        RoomEdit::Owner(user) => room.owner = Some(*user),
        of_members => change_members(&mut kept.members, of_members, now),
    }
}

#[async_trait]
impl RoomStore for MemoryStore {
    async fn open_pair(
        &self,
        one: UserId,
        other: UserId,
        now: Timestamp,
    ) -> StoreResult<RoomOpened> {
        let mut tables = self.tables();
        if let Some(unknown) = [one, other]
            .into_iter()
            .find(|user| !tables.is_active(*user))
        {
            return Ok(RoomOpened::UnknownUser(unknown));
        }
        let pair = Some((one.min(other), one.max(other)));
        let known = tables
            .chats
            .rooms
            .values_mut()
            .find(|room| room.pair == pair);
        let is_new = known.is_none();
        // Borrowed again, because the compiler does not see that `known` is not used in one of the cases.
        let id = known.map(|room| room.room.id);
        let room = match id.and_then(|id| tables.chats.rooms.get_mut(&id)) {
            Some(room) => room,
            None => tables.make_room(RoomKind::Pair, None, pair, now),
        };
        let before = room.members.len();
        for user in [one, other] {
            let member = room.members.entry(user);
            member.or_insert_with(|| Member::new(Permissions::MEMBER, now));
        }
        if is_new {
            return Ok(RoomOpened::New(room.room.id));
        }
        if room.members.len() != before {
            room.room.revision += 1;
            room.room.updated_at = now;
        }
        Ok(RoomOpened::Known(room.room.id))
    }

    async fn create_group(&self, group: &NewGroup) -> StoreResult<RoomOpened> {
        let mut tables = self.tables();
        let mut users = std::iter::once(&group.owner).chain(&group.members);
        if let Some(unknown) = users.find(|user| !tables.is_active(**user)) {
            return Ok(RoomOpened::UnknownUser(*unknown));
        }
        let room = tables.make_room(RoomKind::Group, Some(group.owner), None, group.now);
        room.room.name = Some(group.name.clone());
        room.room.description.clone_from(&group.description);
        room.room.avatar_url.clone_from(&group.avatar_url);
        let owner = Member::new(Permissions::EVERYTHING, group.now);
        room.members.insert(group.owner, owner);
        for user in &group.members {
            let member = room.members.entry(*user);
            member.or_insert_with(|| Member::new(Permissions::MEMBER, group.now));
        }
        Ok(RoomOpened::New(room.room.id))
    }

    async fn find_room(
        &self,
        room: RoomId,
        user: UserId,
    ) -> StoreResult<Option<(Room, Option<Membership>)>> {
        let tables = self.tables();
        let room = tables.chats.rooms.get(&room);
        Ok(room.map(|room| (tables.room(room), tables.membership(room, user))))
    }

    async fn find_listing(&self, room: RoomId, user: UserId) -> StoreResult<Option<RoomListing>> {
        let tables = self.tables();
        let kept = tables.chats.rooms.get(&room);
        Ok(kept.and_then(|kept| {
            let membership = tables.membership(kept, user)?;
            let is_member = membership.banned_at.is_none();
            is_member.then(|| tables.listing(kept, user, membership))
        }))
    }

    async fn list_rooms(
        &self,
        user: UserId,
        after: Option<RoomCursor>,
        limit: u32,
    ) -> StoreResult<Vec<RoomListing>> {
        let tables = self.tables();
        let mut found: Vec<_> = tables
            .chats
            .rooms
            .values()
            .filter_map(|room| {
                let membership = tables.membership(room, user)?;
                let place = (membership.is_pinned, room.room.updated_at, room.room.id);
                let is_after =
                    after.is_none_or(|after| place < (after.is_pinned, after.updated_at, after.id));
                (membership.banned_at.is_none() && is_after).then_some((place, room, membership))
            })
            .collect();
        found.sort_by_key(|(place, ..)| Reverse(*place));
        found.truncate(limit as usize);
        let listing = |(_, room, membership)| tables.listing(room, user, membership);
        Ok(found.into_iter().map(listing).collect())
    }

    async fn change_room(&self, change: &RoomChange) -> StoreResult<RoomChanged> {
        let mut tables = self.tables();
        let Some(room) = tables.chats.rooms.get(&change.room) else {
            return Ok(RoomChanged::Gone);
        };
        if room.room.revision != change.revision {
            return Ok(RoomChanged::Stale);
        }
        if let Some(unknown) = tables.unknown_user(room, &change.edits) {
            return Ok(RoomChanged::UnknownUser(unknown));
        }
        if let Some(room) = tables.chats.rooms.get_mut(&change.room) {
            for edit in &change.edits {
                self::change(room, edit, change.now);
            }
            room.room.revision += 1;
            room.room.updated_at = change.now;
        }
        let room = tables.chats.rooms.get(&change.room);
        Ok(room.map_or(RoomChanged::Gone, |room| {
            RoomChanged::Done(tables.room(room))
        }))
    }

    async fn delete_room(&self, room: RoomId, revision: i64) -> StoreResult<RoomChanged> {
        let mut tables = self.tables();
        let Some(kept) = tables.chats.rooms.get(&room) else {
            return Ok(RoomChanged::Gone);
        };
        if kept.room.revision != revision {
            return Ok(RoomChanged::Stale);
        }
        let deleted = tables.room(kept);
        let chats = &mut tables.chats;
        chats.rooms.remove(&room);
        chats.messages.retain(|_, kept| kept.message.room != room);
        chats.client_ids.retain(|(of, ..), _| *of != room);
        let messages = &chats.messages;
        chats.hidden.retain(|(id, _), _| messages.contains_key(id));
        for attachment in chats.attachments.values_mut() {
            attachment.leave_room(room);
        }
        Ok(RoomChanged::Done(deleted))
    }
}
