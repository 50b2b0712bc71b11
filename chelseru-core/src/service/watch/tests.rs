//! What a node remembers of sessions that others end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{AccountChangeStream, AccountsChanged};
use crate::config::Config;
use crate::device::Client;
use crate::error::Error;
use crate::service::sms::tests::slow_store::SlowStore;
use crate::service::{Chelseru, CurrentUser, Login, LogoutScope};
use crate::store::{AccountChanges, CHANGES_KEPT, Maintenance, SessionStore, UserStore};
use crate::testing::{ManualClock, StubProvider};
use crate::token::{TokenError, TokenPair};

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// One node. What another one does is done to the store.
struct Node {
    chelseru: Chelseru,
    store: Arc<SlowStore>,
    clock: ManualClock,
    sms: StubProvider,
}

impl Node {
    fn new() -> Self {
        Self::over(SlowStore::default())
    }

    fn over(store: SlowStore) -> Self {
        let store = Arc::new(store);
        let (clock, sms) = (ManualClock::default(), StubProvider::new());
        let config = Config::builder()
            .signing_key("a key of at least 32 bytes, for tests")
            .max_sessions_per_user(2)
            .build()
            .unwrap();
        let chelseru = Chelseru::builder(config)
            .store(Arc::clone(&store) as Arc<dyn crate::store::Store>)
            .sms(sms.clone())
            .clock(clock.clone())
            .build()
            .unwrap();
        Self {
            chelseru,
            store,
            clock,
            sms,
        }
    }

    async fn log_in(&self, number: &str) -> TokenPair {
        let mobile_number = number.parse().unwrap();
        let client = Client::default();
        self.chelseru
            .send_code(mobile_number, client)
            .await
            .unwrap();
        let code = self.sms.last_code_for(number).unwrap();
        let login = Login {
            mobile_number,
            code: code.parse().unwrap(),
            group: 0,
            client,
        };
        self.chelseru.log_in(login).await.unwrap()
    }

    async fn ask(&self, tokens: &TokenPair) -> Result<CurrentUser, Error> {
        self.chelseru
            .authenticate(&tokens.access, Client::default())
            .await
    }

    /// A login that the node remembers.
    async fn known(&self, number: &str) -> (TokenPair, CurrentUser) {
        let tokens = self.log_in(number).await;
        self.chelseru.watch().await.unwrap();
        let user = self.ask(&tokens).await.unwrap();
        self.store.calls();
        (tokens, user)
    }
}

#[track_caller]
fn assert_refused(answer: &Result<CurrentUser, Error>) {
    assert!(
        matches!(answer, Err(Error::AccessToken(TokenError::Invalid))),
        "{answer:?}"
    );
}

async fn heard(changes: &mut AccountChangeStream) -> Vec<AccountsChanged> {
    let mut heard = Vec::new();
    // Told before the calls return, so there is nothing to wait for.
    while let Ok(Some(one)) = tokio::time::timeout(Duration::ZERO, changes.next()).await {
        heard.push(one);
    }
    heard
}

#[tokio::test]
async fn while_somebody_watches_a_known_token_costs_no_question() {
    let node = Node::new();
    let (tokens, user) = node.known("09121234567").await;
    for _ in 0..3 {
        assert_eq!(node.ask(&tokens).await.unwrap(), user);
    }
    node.clock.advance(999 * MILLI);
    node.ask(&tokens).await.unwrap();
    assert_eq!(node.store.calls(), [""; 0]);
}

#[tokio::test]
async fn when_nobody_watches_every_request_asks() {
    let node = Node::new();
    let tokens = node.log_in("09121234567").await;
    node.store.calls();
    for _ in 0..2 {
        node.ask(&tokens).await.unwrap();
    }
    assert_eq!(node.store.calls(), ["find_session"; 2]);
}

#[tokio::test]
async fn a_second_after_the_last_reading_requests_ask_again() {
    let node = Node::new();
    let (tokens, user) = node.known("09121234567").await;
    let session = user.session.unwrap();
    let now = node.chelseru.now();
    node.store.end_session(user.id, session, now).await.unwrap();
    node.clock.advance(SECOND);
    assert_refused(&node.ask(&tokens).await);
}

#[tokio::test]
async fn a_watch_that_fails_makes_requests_ask() {
    let node = Node::new();
    let (tokens, _) = node.known("09121234567").await;
    node.store.is_away.store(true, Ordering::Relaxed);
    assert!(node.ask(&tokens).await.is_ok(), "within the second");
    node.clock.advance(SECOND);
    assert!(node.chelseru.watch().await.is_err());
    let answer = node.ask(&tokens).await;
    assert!(matches!(answer, Err(Error::Store(_))), "{answer:?}");

    node.store.is_away.store(false, Ordering::Relaxed);
    node.chelseru.watch().await.unwrap();
    node.store.calls();
    node.ask(&tokens).await.unwrap();
    assert_eq!(node.store.calls(), [""; 0], "it knows it as before");
}

#[tokio::test]
async fn a_session_that_another_node_ended_is_refused_after_one_reading() {
    let node = Node::new();
    let (tokens, user) = node.known("09121234567").await;
    let (others, _) = node.known("09122222222").await;
    let session = user.session.unwrap();
    let now = node.chelseru.now();
    node.store.end_session(user.id, session, now).await.unwrap();
    node.chelseru.watch().await.unwrap();
    assert_refused(&node.ask(&tokens).await);
    node.store.calls();
    node.ask(&others).await.unwrap();
    assert_eq!(node.store.calls(), [""; 0], "nobody else was forgotten");
}

#[tokio::test]
async fn an_account_that_another_node_keeps_out_is_refused_after_one_reading() {
    let node = Node::new();
    let (tokens, user) = node.known("09121234567").await;
    let now = node.chelseru.now();
    node.store
        .set_user_active(user.id, false, now)
        .await
        .unwrap();
    node.chelseru.watch().await.unwrap();
    let answer = node.ask(&tokens).await;
    assert!(matches!(answer, Err(Error::UserInactive)), "{answer:?}");
}

#[tokio::test]
async fn what_this_node_ends_counts_at_once() {
    let node = Node::new();
    for end in 0..4 {
        let (tokens, user) = node.known(&format!("0912000000{end}")).await;
        let refresh = tokens.refresh.as_deref().unwrap();
        let session = user.session.unwrap();
        match end {
            0 => node.chelseru.end_session(&user, session).await.unwrap(),
            1 => drop(node.chelseru.end_all_sessions(&user).await.unwrap()),
            2 => node
                .chelseru
                .log_out(refresh, LogoutScope::default())
                .await
                .unwrap(),
            _ => {
                let refresh =
                    async |token: &str| node.chelseru.refresh(token, Client::default()).await;
                let next = refresh(refresh_of(&tokens)).await.unwrap();
                refresh(refresh_of(&next)).await.unwrap();
                refresh(refresh_of(&tokens)).await.unwrap_err();
            }
        }
        assert_refused(&node.ask(&tokens).await);
    }
    let (tokens, user) = node.known("09121234567").await;
    node.chelseru.set_user_active(user.id, false).await.unwrap();
    let answer = node.ask(&tokens).await;
    assert!(matches!(answer, Err(Error::UserInactive)), "{answer:?}");
}

fn refresh_of(tokens: &TokenPair) -> &str {
    tokens.refresh.as_deref().unwrap()
}

#[tokio::test]
async fn a_session_that_makes_room_for_another_is_refused_at_once() {
    let node = Node::new();
    let (tokens, _) = node.known("09121234567").await;
    node.log_in("09121234567").await;
    node.ask(&tokens).await.unwrap();
    node.log_in("09121234567").await;
    assert_refused(&node.ask(&tokens).await);
}

#[tokio::test]
async fn a_session_whose_time_runs_out_is_not_remembered_beyond_it() {
    let node = Node::new();
    let (tokens, user) = node.known("09121234567").await;
    let lifetime = node.chelseru.config().auth.jwt.refresh_token_lifetime;
    node.clock.advance(lifetime);
    node.chelseru.watch().await.unwrap();
    node.ask(&tokens).await.unwrap_err();
    let answer = node.chelseru.revalidate(&user).await;
    assert_refused(&answer);
}

#[tokio::test]
async fn the_last_use_is_noted_once_a_minute_and_nothing_is_asked_in_between() {
    let node = Node::new();
    let (tokens, _) = node.known("09121234567").await;
    for _ in 0..240 {
        node.clock.advance(SECOND / 2);
        node.chelseru.watch().await.unwrap();
        node.ask(&tokens).await.unwrap();
        node.ask(&tokens).await.unwrap();
    }
    let mut calls = node.store.calls();
    calls.retain(|call| *call != "changes_after");
    assert_eq!(calls, ["touch_session"; 2], "in two minutes");
}

#[tokio::test]
async fn who_was_away_for_too_long_remembers_nothing() {
    let node = Node::new();
    let (tokens, user) = node.known("09121234567").await;
    let mut changes = node.chelseru.account_changes();
    let session = user.session.unwrap();
    let now = node.chelseru.now();
    node.store.end_session(user.id, session, now).await.unwrap();
    node.store.purge(now + CHANGES_KEPT, 10).await.unwrap();
    node.chelseru.watch().await.unwrap();
    assert_refused(&node.ask(&tokens).await);
    assert_eq!(heard(&mut changes).await, [AccountsChanged::Any]);
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_before_a_change_and_answered_after_it_is_not_remembered() {
    let node = Node::over(SlowStore {
        finding_takes: MINUTE,
        ..SlowStore::default()
    });
    let (tokens, user) = node.known("09121234567").await;
    node.chelseru.account_changed(user.id);
    let (answer, ()) = tokio::join!(node.ask(&tokens), async {
        tokio::time::sleep(MINUTE / 2).await;
        let now = node.chelseru.now();
        let session = user.session.unwrap();
        node.store.end_session(user.id, session, now).await.unwrap();
        node.chelseru.watch().await.unwrap();
    });
    answer.expect("it was live when it was asked for");
    assert_refused(&node.ask(&tokens).await);
}

#[tokio::test]
async fn a_listener_hears_of_this_node_at_once_and_of_others_by_the_watch() {
    let node = Node::new();
    let (_, user) = node.known("09121234567").await;
    let (_, other) = node.known("09122222222").await;
    let mut changes = node.chelseru.account_changes();
    node.chelseru.end_all_sessions(&user).await.unwrap();
    let one = |user: &CurrentUser| AccountsChanged::One(user.id);
    assert_eq!(heard(&mut changes).await, [one(&user)]);

    let now = node.chelseru.now();
    node.store.end_sessions(other.id, None, now).await.unwrap();
    assert_eq!(heard(&mut changes).await, []);
    node.chelseru.watch().await.unwrap();
    assert_eq!(heard(&mut changes).await, [one(&user), one(&other)]);
    node.chelseru.watch().await.unwrap();
    assert_eq!(heard(&mut changes).await, [], "each is read once");
}

#[tokio::test]
async fn a_listener_that_falls_behind_hears_that_any_may_have_changed() {
    let node = Node::new();
    let (_, user) = node.known("09121234567").await;
    let mut changes = node.chelseru.account_changes();
    for _ in 0..=AccountChangeStream::CAPACITY {
        node.chelseru.account_changed(user.id);
    }
    assert_eq!(changes.next().await, Some(AccountsChanged::Any));
    assert_eq!(changes.next().await, Some(AccountsChanged::One(user.id)));
}

#[tokio::test]
async fn a_connection_is_revalidated_without_a_question_until_its_account_changes() {
    let node = Node::new();
    let (_, user) = node.known("09121234567").await;
    assert_eq!(node.chelseru.revalidate(&user).await.unwrap(), user);
    assert_eq!(node.store.calls(), [""; 0]);
    node.chelseru.end_all_sessions(&user).await.unwrap();
    assert_refused(&node.chelseru.revalidate(&user).await);
}

#[tokio::test]
async fn more_changes_than_a_page_are_all_read_at_once() {
    let node = Node::new();
    let (tokens, user) = node.known("09121234567").await;
    let (_, other) = node.known("09122222222").await;
    let now = node.chelseru.now();
    for _ in 0..super::PAGE {
        node.store
            .set_user_active(other.id, true, now)
            .await
            .unwrap();
    }
    node.store
        .set_user_active(user.id, false, now)
        .await
        .unwrap();
    node.chelseru.watch().await.unwrap();
    let answer = node.ask(&tokens).await;
    assert!(matches!(answer, Err(Error::UserInactive)), "{answer:?}");
    let newest = node.store.newest_change().await.unwrap();
    assert_eq!(newest.0, i64::from(super::PAGE) + 1);
}

#[tokio::test]
async fn one_at_a_time_has_the_claim_to_watch() {
    let node = Node::new();
    let mut claim = node.chelseru.claim_watch().unwrap();
    assert!(node.chelseru.claim_watch().is_none());
    claim.work().await;
    assert_eq!(node.store.calls(), ["newest_change"]);
    drop(claim);
    assert!(node.chelseru.claim_watch().is_some());
}
