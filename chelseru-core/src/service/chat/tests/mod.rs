//! What users do in rooms, over a store in memory. What they see over HTTP is tested in tests/tests/http.

use std::sync::Arc;
use std::time::Duration;

use super::{GroupDraft, Post};
use crate::Chelseru;
use crate::chat::{ChatError, MessageType, Permission, Permissions, RoomId, Seq};
use crate::config::{Config, ConfigBuilder};
use crate::device::Client;
use crate::error::Error;
use crate::events::Limit;
use crate::mobile::MobileNumber;
use crate::service::CurrentUser;
use crate::store::{
    CodeId, MemoryStore, NewCode, NewLogin, NewSession, Redeemed, RoomChange, RoomEdit, Store,
};
use crate::testing::{ManualClock, StubProvider};
use crate::user::UserId;

struct Fixture {
    chelseru: Chelseru,
    store: Arc<dyn Store>,
    clock: ManualClock,
}

impl Fixture {
    fn new() -> Self {
        Self::with(|config| config)
    }

    fn with(change: impl FnOnce(ConfigBuilder) -> ConfigBuilder) -> Self {
        Self::over(Arc::new(MemoryStore::new()), ManualClock::default(), change)
    }

    fn over(
        store: Arc<dyn Store>,
        clock: ManualClock,
        change: impl FnOnce(ConfigBuilder) -> ConfigBuilder,
    ) -> Self {
        let config = Config::builder().signing_key("a key of at least 32 bytes, for tests");
        let chelseru = Chelseru::builder(change(config).build().unwrap())
            .store(Arc::clone(&store))
            .sms(StubProvider::new())
            .clock(clock.clone())
            .build()
            .unwrap();
        Self {
            chelseru,
            store,
            clock,
        }
    }

    /// The account with that number, from 0 to 99.
    async fn user(&self, nth: u8) -> CurrentUser {
        let number: MobileNumber = format!("091200000{nth:02}").parse().unwrap();
        let now = self.chelseru.now();
        let id = CodeId(i64::from(nth) + 1);
        let code = NewCode {
            id,
            mobile_number: number,
            hash: [0; 32],
            created_at: now,
            expires_at: now + Duration::from_secs(1),
        };
        self.store.reserve_code(&code).await.unwrap();
        let login = NewLogin {
            mobile_number: number,
            group: 0,
            may_sign_up: true,
            username: format!("u{nth}"),
            session: NewSession {
                key: format!("k{nth}"),
                refresh_hash: [nth; 32],
                client: Client::default().describe(),
                expires_at: now + Duration::from_secs(1000),
                at_most: None,
            },
            now,
        };
        match self.store.redeem_code(id, &login).await.unwrap() {
            Redeemed::LoggedIn { user, .. } => CurrentUser {
                id: user.id,
                group: 0,
                mobile_number: number,
                username: user.username,
                session: None,
            },
            other => panic!("{other:?}"),
        }
    }

    async fn group(&self, owner: &CurrentUser, members: &[&CurrentUser]) -> RoomId {
        let draft = GroupDraft {
            name: "group".to_owned(),
            description: None,
            avatar_url: None,
            members: members.iter().map(|member| member.id).collect(),
        };
        let view = self.chelseru.create_group(owner, draft).await.unwrap();
        view.listing.room.id
    }

    async fn post(&self, user: &CurrentUser, room: RoomId) -> Result<Seq, Error> {
        let post = post(room, "سلام", None);
        let posted = self.chelseru.post_message(user, post).await?;
        Ok(posted.message.seq)
    }
}

fn post(room: RoomId, text: &str, client_id: Option<&str>) -> Post {
    Post {
        room,
        text: text.to_owned(),
        client_id: client_id.map(str::to_owned),
        message_type: MessageType::Text,
        reply_to: None,
        attachment: None,
    }
}

#[track_caller]
fn assert_chat<T>(result: Result<T, Error>, expected: &ChatError) {
    match result {
        Err(Error::Chat(error)) => assert_eq!(error, *expected),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was allowed"),
    }
}

#[track_caller]
fn wait_of<T>(result: Result<T, Error>, expected: Limit) -> Duration {
    match result {
        Err(Error::LimitReached { limit, wait }) => {
            assert_eq!(limit, expected);
            wait
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was allowed"),
    }
}

#[tokio::test]
async fn a_standing_that_is_remembered_never_outlives_a_ban_or_a_closing() {
    let fixture = Fixture::new();
    let chelseru = &fixture.chelseru;
    let (owner, member) = (fixture.user(0).await, fixture.user(1).await);
    let room = fixture.group(&owner, &[&member]).await;
    assert_eq!(fixture.post(&member, room).await.unwrap(), Seq(1));
    chelseru.ban(&owner, room, member.id).await.unwrap();
    assert_chat(fixture.post(&member, room).await, &ChatError::NoSuchRoom);

    chelseru.lift_ban(&owner, room, member.id).await.unwrap();
    let added = chelseru.add_member(&owner, room, member.id, None);
    assert!(added.await.unwrap().1);
    assert_eq!(fixture.post(&member, room).await.unwrap(), Seq(2));
    let silent = Permissions::MEMBER.with(Permission::ReadOnly);
    let silenced = chelseru.permit(&owner, room, member.id, silent).await;
    assert_eq!(silenced.unwrap().permissions, silent);
    assert_chat(fixture.post(&member, room).await, &ChatError::NotPermitted);
}

/// Another process changes the room, of which this one knows nothing.
#[tokio::test]
async fn a_change_from_elsewhere_costs_a_writer_no_more_than_a_second_try() {
    let fixture = Fixture::new();
    let (owner, member) = (fixture.user(0).await, fixture.user(1).await);
    let room = fixture.group(&owner, &[&member]).await;
    fixture.post(&member, room).await.unwrap();
    let (now, _) = fixture
        .store
        .find_room(room, owner.id)
        .await
        .unwrap()
        .unwrap();
    let change = |revision, edit| RoomChange {
        room,
        revision,
        edits: vec![edit],
        now: fixture.chelseru.now(),
    };
    let renamed = change(now.revision, RoomEdit::Name("other".to_owned()));
    fixture.store.change_room(&renamed).await.unwrap();
    assert_eq!(fixture.post(&member, room).await.unwrap(), Seq(2));

    let kicked = change(now.revision + 1, RoomEdit::Remove(member.id));
    fixture.store.change_room(&kicked).await.unwrap();
    assert_chat(fixture.post(&member, room).await, &ChatError::NoSuchRoom);
}

/// Were the first tried again alone, it would come after the others.
#[tokio::test]
async fn messages_that_are_posted_together_keep_their_order_although_the_room_has_changed() {
    let fixture = Fixture::new();
    let owner = fixture.user(0).await;
    let room = fixture.group(&owner, &[]).await;
    fixture.post(&owner, room).await.unwrap();
    let found = fixture.store.find_room(room, owner.id).await.unwrap();
    let renamed = RoomChange {
        room,
        revision: found.unwrap().0.revision,
        edits: vec![RoomEdit::Name("other".to_owned())],
        now: fixture.chelseru.now(),
    };
    fixture.store.change_room(&renamed).await.unwrap();
    let posts = ["a", "b", "", "c"].map(|text| post(room, text, None));
    let posted = fixture.chelseru.post_messages(&owner, posts.into()).await;
    let seqs: Vec<_> = posted
        .iter()
        .map(|posted| posted.as_ref().ok().map(|posted| posted.message.seq.0))
        .collect();
    assert_eq!(seqs, [Some(2), Some(3), None, Some(4)]);
}

#[tokio::test]
async fn a_resend_is_the_same_message_even_after_the_signing_key_was_changed() {
    let fixture = Fixture::new();
    let owner = fixture.user(0).await;
    let room = fixture.group(&owner, &[]).await;
    let first = fixture
        .chelseru
        .post_message(&owner, post(room, "a", Some("1")));
    let first = first.await.unwrap();
    assert!(first.is_new);

    let store = Arc::clone(&fixture.store);
    let changed = Fixture::over(store, fixture.clock.clone(), |config| {
        config
            .signing_key("another key of at least 32 bytes, for tests")
            .previous_keys(["a key of at least 32 bytes, for tests"])
    });
    let again = changed
        .chelseru
        .post_message(&owner, post(room, "a", Some("1")));
    let again = again.await.unwrap();
    assert!(!again.is_new);
    assert_eq!(again.message, first.message);
    let other = changed
        .chelseru
        .post_message(&owner, post(room, "b", Some("1")));
    assert_chat(other.await, &ChatError::ClientIdTaken);
}

#[tokio::test]
async fn messages_of_a_minute_are_limited_to_the_last_one_over_two_servers() {
    let limited = |config: ConfigBuilder| config.chat_messages_per_user_per_minute(25);
    let one = Fixture::with(limited);
    let two = Fixture::over(Arc::clone(&one.store), one.clock.clone(), limited);
    let (owner, member) = (one.user(0).await, one.user(1).await);
    let room = one.group(&owner, &[&member]).await;
    // Two at a time are taken, so each server may be left with one.
    let mut sent = 0;
    for server in [&one, &two].into_iter().cycle().take(40) {
        sent += i32::from(server.post(&owner, room).await.is_ok());
    }
    assert_eq!(sent, 25);
    one.clock.advance(Duration::from_secs(20));
    let wait = wait_of(
        one.post(&owner, room).await,
        Limit::MessagesPerUserPerMinute,
    );
    assert_eq!(wait, Duration::from_secs(40));
    // Others are not held back by that.
    one.post(&member, room).await.unwrap();
    one.clock.advance(wait);
    for _ in 0..25 {
        one.post(&owner, room).await.unwrap();
    }
    wait_of(
        one.post(&owner, room).await,
        Limit::MessagesPerUserPerMinute,
    );
}

#[tokio::test]
async fn rooms_of_a_day_are_limited_and_opening_a_known_one_is_free() {
    let fixture = Fixture::with(|config| config.chat_rooms_per_user_per_day(2));
    let chelseru = &fixture.chelseru;
    let (one, other) = (fixture.user(0).await, fixture.user(1).await);
    for is_first in [true, false, false, false] {
        let (_, is_new) = chelseru.open_pair(&one, other.id).await.unwrap();
        assert_eq!(is_new, is_first);
    }
    fixture.group(&one, &[]).await;
    let more = chelseru.open_pair(&one, other.id).await;
    wait_of(more, Limit::RoomsPerUserPerDay);
    fixture.clock.advance(Duration::from_secs(24 * 60 * 60));
    chelseru.open_pair(&one, other.id).await.unwrap();
}

#[tokio::test]
async fn a_user_who_types_on_is_told_of_once_in_a_while() {
    let fixture = Fixture::new();
    let chelseru = &fixture.chelseru;
    let (owner, member) = (fixture.user(0).await, fixture.user(1).await);
    let room = fixture.group(&owner, &[&member]).await;
    let is_told = |user: UserId| chelseru.chats().typing.is_told(user, room, chelseru.now());
    chelseru.tell_typing(&owner, room).await.unwrap();
    assert!(is_told(owner.id));
    assert!(!is_told(member.id));
    fixture.clock.advance(Duration::from_secs(3));
    assert!(!is_told(owner.id));
    chelseru.tell_typing(&owner, room).await.unwrap();
    assert!(is_told(owner.id));

    let stranger = fixture.user(2).await;
    assert_chat(
        chelseru.tell_typing(&stranger, room).await,
        &ChatError::NoSuchRoom,
    );
}

#[tokio::test]
async fn the_owner_hands_over_before_leaving_and_takes_the_room_along_as_the_last() {
    let fixture = Fixture::new();
    let chelseru = &fixture.chelseru;
    let (owner, member) = (fixture.user(0).await, fixture.user(1).await);
    let room = fixture.group(&owner, &[&member]).await;
    assert_chat(
        chelseru.leave(&owner, room).await,
        &ChatError::OwnerMustHandOver,
    );
    chelseru.hand_over(&owner, room, member.id).await.unwrap();
    chelseru.leave(&owner, room).await.unwrap();
    let view = chelseru.chat_room(&member, room).await.unwrap();
    assert_eq!(view.owner.unwrap().id, member.id);
    assert_eq!(view.listing.membership.permissions, Permissions::EVERYTHING);
    chelseru.leave(&member, room).await.unwrap();
    assert!(fixture.store.room_states(&[room]).await.unwrap().is_empty());
}
