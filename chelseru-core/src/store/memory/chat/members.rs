//! Members and what they have read.

use async_trait::async_trait;

use crate::chat::{Membership, RoomId, Seq};
use crate::store::memory::MemoryStore;
use crate::store::{MemberStore, ReadPointer, RoomState, StoreResult};
use crate::user::UserId;

#[async_trait]
impl MemberStore for MemoryStore {
    async fn members(
        &self,
        room: RoomId,
        banned: bool,
        after: Option<UserId>,
        limit: u32,
    ) -> StoreResult<Vec<Membership>> {
        let tables = self.tables();
        let Some(room) = tables.chats.rooms.get(&room) else {
            return Ok(Vec::new());
        };
        let members = room.members.keys();
        Ok(members
            .filter(|user| after.is_none_or(|after| **user > after))
            .filter_map(|user| tables.membership(room, *user))
            .filter(|member| member.banned_at.is_some() == banned)
            .take(limit as usize)
            .collect())
    }

    async fn memberships(&self, room: RoomId, users: &[UserId]) -> StoreResult<Vec<Membership>> {
        let tables = self.tables();
        let Some(room) = tables.chats.rooms.get(&room) else {
            return Ok(Vec::new());
        };
        let members = room.members.keys().filter(|user| users.contains(user));
        Ok(members
            .filter_map(|user| tables.membership(room, *user))
            .collect())
    }

    async fn rooms_of(
        &self,
        user: UserId,
        after: Option<RoomId>,
        limit: u32,
    ) -> StoreResult<Vec<RoomState>> {
        let tables = self.tables();
        let rooms = tables.chats.rooms.values();
        Ok(rooms
            .filter(|room| after.is_none_or(|after| room.room.id > after))
            .filter(|room| room.member(user).is_some() && tables.users.contains_key(&user))
            .map(super::KeptRoom::state)
            .take(limit as usize)
            .collect())
    }

    async fn room_states(&self, rooms: &[RoomId]) -> StoreResult<Vec<RoomState>> {
        let tables = self.tables();
        let kept = tables.chats.rooms.values();
        Ok(kept
            .filter(|room| rooms.contains(&room.room.id))
            .map(super::KeptRoom::state)
            .collect())
    }

    async fn move_read_pointer(
        &self,
        room: RoomId,
        user: UserId,
        seq: Seq,
    ) -> StoreResult<Option<ReadPointer>> {
        let mut tables = self.tables();
        let Some(room) = tables.chats.rooms.get_mut(&room) else {
            return Ok(None);
        };
        let seq = seq.min(room.room.last_seq);
        Ok(room.member_mut(user).map(|member| {
            let moved = member.read_seq < seq;
            member.read_seq = member.read_seq.max(seq);
            ReadPointer {
                seq: member.read_seq,
                moved,
            }
        }))
    }

    async fn set_member_flags(
        &self,
        room: RoomId,
        user: UserId,
        pinned: Option<bool>,
        muted: Option<bool>,
    ) -> StoreResult<bool> {
        let mut tables = self.tables();
        let room = tables.chats.rooms.get_mut(&room);
        let Some(member) = room.and_then(|room| room.member_mut(user)) else {
            return Ok(false);
        };
        member.is_pinned = pinned.unwrap_or(member.is_pinned);
        member.is_muted = muted.unwrap_or(member.is_muted);
        Ok(true)
    }
}
