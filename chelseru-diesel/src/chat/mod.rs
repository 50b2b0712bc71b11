//! Rooms, their members and their messages.

use async_trait::async_trait;
use chelseru_core::chat::{
    AttachmentId, ChatMessage, LogEntry, Membership, MessageId, Room, RoomId, Seq,
};
use chelseru_core::store::{
    Appended, Attachment, AttachmentStore, MemberStore, MessageStore, NewAttachment,
    NewChatMessage, NewGroup, ReadPointer, Revised, Revision, RoomChange, RoomChanged, RoomCursor,
    RoomListing, RoomOpened, RoomState, RoomStore, Search, Span, StoreResult,
};
use chelseru_core::{Timestamp, UserId};

use crate::DieselStore;
use crate::error::Failure;

macro_rules! not_yet {
    ($($part:ident { $(fn $name:ident($($arg:ident: $of:ty),*) -> $answer:ty;)* })*) => {$(
        #[async_trait]
        impl $part for DieselStore {
            $(async fn $name(&self, $($arg: $of),*) -> StoreResult<$answer> {
                $(let _ = $arg;)*
                Err(Failure::fault("not yet").into())
            })*
        }
    )*};
}

not_yet! {
    RoomStore {
        fn open_pair(one: UserId, other: UserId, now: Timestamp) -> RoomOpened;
        fn create_group(group: &NewGroup) -> RoomOpened;
        fn find_room(room: RoomId, user: UserId) -> Option<(Room, Option<Membership>)>;
        fn list_rooms(user: UserId, after: Option<RoomCursor>, limit: u32) -> Vec<RoomListing>;
        fn change_room(change: &RoomChange) -> RoomChanged;
        fn delete_room(room: RoomId, revision: i64) -> RoomChanged;
    }
    MemberStore {
        fn members(room: RoomId, banned: bool, after: Option<UserId>, limit: u32) -> Vec<Membership>;
        fn memberships(room: RoomId, users: &[UserId]) -> Vec<Membership>;
        fn rooms_of(user: UserId, after: Option<RoomId>, limit: u32) -> Vec<RoomState>;
        fn room_states(rooms: &[RoomId]) -> Vec<RoomState>;
        fn move_read_pointer(room: RoomId, user: UserId, seq: Seq) -> Option<ReadPointer>;
        fn set_member_flags(room: RoomId, user: UserId, pinned: Option<bool>, muted: Option<bool>) -> bool;
    }
    MessageStore {
        fn append(messages: &[NewChatMessage]) -> Vec<Appended>;
        fn read_log(room: RoomId, reader: UserId, span: Span, limit: u32) -> Vec<LogEntry>;
        fn find_message(id: MessageId, reader: UserId) -> Option<ChatMessage>;
        fn revise(revision: &Revision) -> Revised;
        fn hide_message(id: MessageId, reader: UserId, now: Timestamp) -> ();
        fn search_messages(search: &Search) -> Vec<ChatMessage>;
    }
    AttachmentStore {
        fn add_attachment(new: &NewAttachment) -> Option<AttachmentId>;
        fn find_attachment(id: AttachmentId, reader: UserId) -> Option<Attachment>;
        fn discard_attachments(uploaded_before: Timestamp, limit: u32) -> Vec<Attachment>;
        fn forget_attachments(ids: &[AttachmentId]) -> ();
    }
}
