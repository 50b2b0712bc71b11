//! Sessions: listing, use, the rotation of refresh tokens, and their end.

use std::num::NonZeroU32;

use super::fixture::{
    CROWD, MILLI, MINUTE, NOW, SharedStore, all_at_once, client, count, hash, log_in, logged_in,
    login, number, ok, redeem_new_code, session, two_users,
};
use crate::clock::Timestamp;
use crate::session::{ReplacedToken, Session, SessionId};
use crate::store::{Adopted, NewLogin, NewSession, Rotated, Rotation, Successor};
use crate::user::UserId;

const END: Timestamp = Timestamp::from_millis(NOW.as_millis() + 24 * 60 * 60_000);

/// Presents the hash `from` a minute after [`NOW`] and names `to` as its successor. What was exchanged
/// since [`NOW`] may be exchanged again.
fn rotation(id: SessionId, from: usize, to: usize) -> Rotation {
    Rotation {
        session: id,
        presented: hash(from),
        successor: Some(Successor {
            hash: hash(to),
            expires_at: END + MINUTE,
            repeat_since: Some(NOW),
        }),
        client: client(to),
        now: NOW + MINUTE,
    }
}

/// The same, of what was exchanged at `since` or later.
fn rotation_since(
    id: SessionId,
    from: usize,
    to: usize,
    repeat_since: Option<Timestamp>,
) -> Rotation {
    let mut rotation = rotation(id, from, to);
    if let Some(successor) = &mut rotation.successor {
        successor.repeat_since = repeat_since;
    }
    rotation
}

/// The answer to a [`rotation`] to that hash.
fn done(to: usize) -> Rotated {
    Rotated::Done {
        successor: hash(to),
        at: NOW + MINUTE,
    }
}

async fn adopt(store: &SharedStore, user: UserId, n: usize, now: Timestamp) -> SessionId {
    let adopted = ok(store.adopt_session(user, &session(n), None, now).await);
    adopted.expect("the key is new").session
}

/// A session of an account that may have so many.
fn session_of_at_most(n: usize, at_most: u32) -> NewSession {
    NewSession {
        at_most: NonZeroU32::new(at_most),
        ..session(n)
    }
}

async fn find(store: &SharedStore, id: SessionId) -> Session {
    ok(store.find_session(id).await)
        .expect("the session is there")
        .0
}

async fn live(store: &SharedStore, user: UserId, now: Timestamp) -> Vec<SessionId> {
    let sessions = ok(store.list_sessions(user, now).await);
    sessions.into_iter().map(|session| session.id).collect()
}

pub async fn an_unknown_session_is_not_found(store: SharedStore) {
    let (_, id) = log_in(&store, number(1), 0, 1).await;
    assert_eq!(ok(store.find_session(SessionId(id.0 + 1)).await), None);
}

pub async fn a_session_is_found_when_it_is_over_or_its_account_is_kept_out(store: SharedStore) {
    let (user, id) = log_in(&store, number(1), 0, 1).await;
    ok(store.end_session(user.id, id, NOW + MINUTE).await);
    ok(store.set_user_active(user.id, false, NOW).await);
    let (session, user) = ok(store.find_session(id).await).expect("the session is there");
    assert_eq!(session.ended_at, Some(NOW + MINUTE));
    assert!(!user.is_active);
}

pub async fn sessions_are_listed_newest_login_first(store: SharedStore) {
    let (user, first) = log_in(&store, number(1), 0, 1).await;
    let newest = adopt(&store, user.id, 2, NOW + 2 * MINUTE).await;
    let middle = adopt(&store, user.id, 3, NOW + MINUTE).await;
    let same_time = adopt(&store, user.id, 4, NOW + MINUTE).await;
    let listed = live(&store, user.id, NOW + 2 * MINUTE).await;
    assert_eq!(listed, [newest, same_time, middle, first]);
}

pub async fn a_list_shows_only_the_accounts_own_live_sessions(store: SharedStore) {
    let (user, kept) = log_in(&store, number(1), 0, 1).await;
    let (other, _) = log_in(&store, number(2), 0, 2).await;
    let ended = adopt(&store, user.id, 3, NOW).await;
    ok(store.end_session(user.id, ended, NOW).await);
    let short = NewSession {
        expires_at: NOW + MINUTE,
        ..session(4)
    };
    let short = super::fixture::adopt(&store, user.id, &short).await;
    assert_eq!(
        live(&store, user.id, NOW + MINUTE - MILLI).await,
        [short, kept]
    );
    assert_eq!(live(&store, user.id, NOW + MINUTE).await, [kept]);
    assert_eq!(live(&store, other.id, NOW).await.len(), 1);
}

pub async fn an_account_that_is_kept_out_lists_no_sessions(store: SharedStore) {
    let (user, id) = log_in(&store, number(1), 0, 1).await;
    ok(store.set_user_active(user.id, false, NOW).await);
    assert_eq!(live(&store, user.id, NOW).await, []);
    ok(store.set_user_active(user.id, true, NOW).await);
    assert_eq!(live(&store, user.id, NOW).await, [id]);
}

pub async fn a_touch_notes_where_and_when_and_nothing_else(store: SharedStore) {
    let (user, id) = log_in(&store, number(1), 0, 1).await;
    let other = adopt(&store, user.id, 2, NOW).await;
    let before = find(&store, id).await;
    ok(store.touch_session(id, &client(9), NOW + MINUTE).await);
    let expected = Session {
        client: client(9),
        last_seen: NOW + MINUTE,
        ..before
    };
    assert_eq!(find(&store, id).await, expected);
    assert_eq!(find(&store, other).await.last_seen, NOW);
    ok(store
        .touch_session(SessionId(other.0 + 1), &client(9), NOW)
        .await);
}

pub async fn a_rotation_replaces_the_refresh_token(store: SharedStore) {
    let (_, id) = log_in(&store, number(1), 0, 1).await;
    let before = find(&store, id).await;
    assert_eq!(ok(store.rotate_refresh(&rotation(id, 1, 2)).await), done(2));
    let expected = Session {
        refresh_hash: hash(2),
        replaced: Some(ReplacedToken {
            hash: hash(1),
            at: NOW + MINUTE,
        }),
        client: client(2),
        last_seen: NOW + MINUTE,
        expires_at: END + MINUTE,
        ..before
    };
    assert_eq!(find(&store, id).await, expected);
    assert_eq!(ok(store.rotate_refresh(&rotation(id, 2, 3)).await), done(3));
}

pub async fn a_token_that_does_not_rotate_stays_as_it_is(store: SharedStore) {
    let (_, id) = log_in(&store, number(1), 0, 1).await;
    let before = find(&store, id).await;
    let as_it_is = Rotation {
        successor: None,
        ..rotation(id, 1, 2)
    };
    for _ in 0..3 {
        assert_eq!(ok(store.rotate_refresh(&as_it_is).await), done(1));
    }
    let expected = Session {
        client: client(2),
        last_seen: NOW + MINUTE,
        ..before
    };
    assert_eq!(find(&store, id).await, expected);
    let wrong = Rotation {
        presented: hash(7),
        ..as_it_is
    };
    assert_eq!(ok(store.rotate_refresh(&wrong).await), Rotated::Reused);
}

pub async fn an_exchange_is_repeated_and_changes_only_the_last_use(store: SharedStore) {
    let (_, id) = log_in(&store, number(1), 0, 1).await;
    ok(store.rotate_refresh(&rotation(id, 1, 2)).await);
    let before = find(&store, id).await;
    let an_hour_later = Rotation {
        client: client(9),
        now: NOW + 61 * MINUTE,
        // It would name another one: the first counts.
        ..rotation(id, 1, 7)
    };
    for _ in 0..2 {
        let again = ok(store.rotate_refresh(&an_hour_later).await);
        assert_eq!(again, done(2), "exchanged when it was exchanged first");
    }
    let expected = Session {
        client: client(9),
        last_seen: NOW + 61 * MINUTE,
        ..before
    };
    assert_eq!(find(&store, id).await, expected);
    assert_eq!(ok(store.rotate_refresh(&rotation(id, 2, 3)).await), done(3));
}

pub async fn an_exchange_is_not_repeated_after_its_successor_was_used(store: SharedStore) {
    let (_, id) = log_in(&store, number(1), 0, 1).await;
    ok(store.rotate_refresh(&rotation(id, 1, 2)).await);
    ok(store.rotate_refresh(&rotation(id, 2, 3)).await);
    assert_eq!(
        ok(store.rotate_refresh(&rotation(id, 1, 2)).await),
        Rotated::Reused
    );
    assert_eq!(find(&store, id).await.ended_at, Some(NOW + MINUTE));
    for (from, to) in [(2, 3), (3, 4)] {
        let late = ok(store.rotate_refresh(&rotation(id, from, to)).await);
        assert_eq!(late, Rotated::Gone);
    }
}

pub async fn an_exchange_is_repeated_only_as_long_as_it_may_be(store: SharedStore) {
    let (user, id) = log_in(&store, number(1), 0, 1).await;
    ok(store.rotate_refresh(&rotation(id, 1, 2)).await);
    let in_time = rotation_since(id, 1, 2, Some(NOW + MINUTE));
    assert_eq!(ok(store.rotate_refresh(&in_time).await), done(2));
    let late = rotation_since(id, 1, 2, Some(NOW + MINUTE + MILLI));
    assert_eq!(ok(store.rotate_refresh(&late).await), Rotated::Reused);
    assert_eq!(find(&store, id).await.ended_at, Some(NOW + MINUTE));

    let strict = adopt(&store, user.id, 5, NOW).await;
    let rotation = rotation_since(strict, 5, 6, None);
    assert_eq!(ok(store.rotate_refresh(&rotation).await), done(6));
    assert_eq!(ok(store.rotate_refresh(&rotation).await), Rotated::Reused);
}

pub async fn a_reused_token_ends_its_session_for_good(store: SharedStore) {
    let (user, id) = log_in(&store, number(1), 0, 1).await;
    let other = adopt(&store, user.id, 9, NOW).await;
    ok(store.rotate_refresh(&rotation(id, 1, 8)).await);
    ok(store.rotate_refresh(&rotation(id, 8, 2)).await);
    assert_eq!(
        ok(store.rotate_refresh(&rotation(id, 1, 3)).await),
        Rotated::Reused
    );
    let session = find(&store, id).await;
    assert_eq!(session.ended_at, Some(NOW + MINUTE));
    assert_eq!(
        session.refresh_hash,
        hash(2),
        "the thief's successor was not taken"
    );
    assert_eq!(
        ok(store.rotate_refresh(&rotation(id, 2, 4)).await),
        Rotated::Gone
    );
    assert_eq!(
        ok(store.rotate_refresh(&rotation(id, 1, 5)).await),
        Rotated::Gone
    );
    assert_eq!(
        find(&store, other).await.ended_at,
        None,
        "other sessions go on"
    );
}

pub async fn a_session_that_is_over_rotates_no_token(store: SharedStore) {
    let (user, id) = log_in(&store, number(1), 0, 1).await;
    let ended = adopt(&store, user.id, 2, NOW).await;
    ok(store.end_session(user.id, ended, NOW).await);
    assert_eq!(
        ok(store.rotate_refresh(&rotation(ended, 2, 3)).await),
        Rotated::Gone
    );
    let late = Rotation {
        now: END,
        ..rotation(id, 1, 4)
    };
    assert_eq!(ok(store.rotate_refresh(&late).await), Rotated::Gone);
    let late_and_wrong = Rotation {
        now: END,
        ..rotation(id, 7, 4)
    };
    assert_eq!(
        ok(store.rotate_refresh(&late_and_wrong).await),
        Rotated::Gone
    );
    assert_eq!(find(&store, id).await.ended_at, None);
    let unknown = SessionId(ended.0 + 1);
    assert_eq!(
        ok(store.rotate_refresh(&rotation(unknown, 1, 4)).await),
        Rotated::Gone
    );
}

pub async fn a_session_is_adopted_with_all_that_it_says(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let id = adopt(&store, user, 5, NOW + MINUTE).await;
    let expected = Session {
        id,
        user,
        key: "session-5".to_owned(),
        refresh_hash: hash(5),
        replaced: None,
        client: client(5),
        last_seen: NOW + MINUTE,
        created_at: NOW + MINUTE,
        expires_at: END,
        ended_at: None,
    };
    assert_eq!(find(&store, id).await, expected);
}

pub async fn a_key_is_adopted_once_even_after_its_session_ended(store: SharedStore) {
    let (user, other) = two_users(&store).await;
    let id = adopt(&store, user, 5, NOW).await;
    assert_eq!(
        ok(store.adopt_session(other, &session(5), None, NOW).await),
        None
    );
    assert_eq!(
        find(&store, id).await.ended_at,
        None,
        "not by another account"
    );
    assert_eq!(
        ok(store.adopt_session(user, &session(5), None, NOW).await),
        None
    );
    let ended = find(&store, id).await.ended_at;
    assert_eq!(ended, Some(NOW), "the token was used twice");
    assert_eq!(
        ok(store.adopt_session(user, &session(5), None, NOW).await),
        None
    );
}

pub async fn an_adoption_is_repeated_until_its_token_was_used(store: SharedStore) {
    let (user, other) = two_users(&store).await;
    let id = adopt(&store, user, 5, NOW).await;
    let before = find(&store, id).await;
    let again = async |user: UserId, since: Timestamp| {
        let later = NOW + 61 * MINUTE;
        ok(store
            .adopt_session(user, &session(5), Some(since), later)
            .await)
    };
    let adopted = Adopted {
        session: id,
        refresh_hash: hash(5),
        at: NOW,
    };
    assert_eq!(again(user, NOW).await, Some(adopted));
    assert_eq!(find(&store, id).await, before);
    assert_eq!(again(other, NOW).await, None, "not by another account");

    ok(store.rotate_refresh(&rotation(id, 5, 6)).await);
    assert_eq!(again(user, NOW).await, None);
    assert_eq!(find(&store, id).await.ended_at, Some(NOW + 61 * MINUTE));
}

pub async fn an_adoption_is_repeated_only_as_long_as_it_may_be(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let id = adopt(&store, user, 5, NOW).await;
    let again = session(5);
    let late = store.adopt_session(user, &again, Some(NOW + MILLI), NOW + MINUTE);
    assert_eq!(ok(late.await), None);
    assert_eq!(find(&store, id).await.ended_at, Some(NOW + MINUTE));
    let over = store.adopt_session(user, &again, Some(NOW), NOW + MINUTE);
    assert_eq!(ok(over.await), None);
}

pub async fn the_sessions_not_used_for_longest_make_room_for_a_new_one(store: SharedStore) {
    let (user, first) = log_in(&store, number(1), 0, 1).await;
    let (other, others) = log_in(&store, number(2), 0, 2).await;
    let second = adopt(&store, user.id, 3, NOW).await;
    let third = adopt(&store, user.id, 4, NOW).await;
    ok(store.touch_session(first, &client(1), NOW + MINUTE).await);
    let ended = adopt(&store, user.id, 5, NOW).await;
    ok(store.end_session(user.id, ended, NOW).await);

    let now = NOW + 2 * MINUTE;
    let new = session_of_at_most(6, 3);
    let new = ok(store.adopt_session(user.id, &new, None, now).await).expect("the key is new");
    assert_eq!(
        live(&store, user.id, now).await,
        [new.session, third, first]
    );
    assert_eq!(find(&store, second).await.ended_at, Some(now));
    assert_eq!(find(&store, ended).await.ended_at, Some(NOW), "not again");

    let login = NewLogin {
        session: session_of_at_most(7, 1),
        now,
        ..login(number(1), 0, 7)
    };
    let (_, last) = logged_in(redeem_new_code(&store, &login, 7).await);
    assert_eq!(live(&store, user.id, now).await, [last]);
    assert_eq!(live(&store, other.id, now).await, [others]);
}

pub async fn a_repeated_adoption_ends_no_other_session(store: SharedStore) {
    let (user, first) = log_in(&store, number(1), 0, 1).await;
    let new = session_of_at_most(5, 2);
    for _ in 0..3 {
        let adopted = ok(store.adopt_session(user.id, &new, Some(NOW), NOW).await);
        let id = adopted.expect("nobody has used its token").session;
        assert_eq!(live(&store, user.id, NOW).await, [id, first]);
    }
}

pub async fn many_logins_at_once_leave_as_many_sessions_as_there_may_be(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1000).await;
    let opened = all_at_once(&store, move |store, n| async move {
        let new = session_of_at_most(n, 5);
        let adopted = ok(store.adopt_session(user.id, &new, None, NOW).await);
        adopted.expect("the key is new").session
    })
    .await;
    let left = live(&store, user.id, NOW).await;
    assert_eq!(left.len(), 5);
    assert!(left.iter().all(|id| opened.contains(id)));
}

pub async fn a_session_of_an_unknown_account_is_not_adopted(store: SharedStore) {
    assert!(
        store
            .adopt_session(UserId(1), &session(1), None, NOW)
            .await
            .is_err()
    );
    let (user, _) = two_users(&store).await;
    adopt(&store, user, 1, NOW).await;
}

pub async fn a_session_is_ended_once_and_only_by_its_owner(store: SharedStore) {
    let (user, id) = log_in(&store, number(1), 0, 1).await;
    let (other, _) = log_in(&store, number(2), 0, 2).await;
    assert!(!ok(store.end_session(other.id, id, NOW).await));
    assert_eq!(live(&store, user.id, NOW).await, [id]);
    assert!(ok(store.end_session(user.id, id, NOW + MINUTE).await));
    assert!(!ok(store.end_session(user.id, id, NOW + 2 * MINUTE).await));
    assert_eq!(
        find(&store, id).await.ended_at,
        Some(NOW + MINUTE),
        "the first end counts"
    );
}

pub async fn an_ended_or_unknown_session_is_not_ended_again(store: SharedStore) {
    let (user, id) = log_in(&store, number(1), 0, 1).await;
    assert!(
        !ok(store.end_session(user.id, id, END).await),
        "it had run out"
    );
    assert!(!ok(store
        .end_session(user.id, SessionId(id.0 + 1), NOW)
        .await));
}

pub async fn all_sessions_but_one_are_ended(store: SharedStore) {
    let (user, kept) = log_in(&store, number(1), 0, 1).await;
    let (other, others) = log_in(&store, number(2), 0, 2).await;
    for n in 3..6 {
        adopt(&store, user.id, n, NOW).await;
    }
    let ended_before = adopt(&store, user.id, 6, NOW).await;
    ok(store.end_session(user.id, ended_before, NOW).await);
    assert_eq!(
        ok(store.end_sessions(user.id, Some(kept), NOW + MINUTE).await),
        3
    );
    assert_eq!(live(&store, user.id, NOW + MINUTE).await, [kept]);
    assert_eq!(live(&store, other.id, NOW + MINUTE).await, [others]);
    assert_eq!(find(&store, ended_before).await.ended_at, Some(NOW));
    assert_eq!(
        ok(store.end_sessions(user.id, Some(kept), NOW + MINUTE).await),
        0
    );
}

pub async fn all_sessions_are_ended(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    adopt(&store, user.id, 2, NOW).await;
    assert_eq!(ok(store.end_sessions(user.id, None, NOW).await), 2);
    assert_eq!(live(&store, user.id, NOW).await, []);
}

pub async fn of_many_rotations_of_one_token_all_are_given_one_successor(store: SharedStore) {
    let (_, id) = log_in(&store, number(1), 0, 1).await;
    let answers = all_at_once(&store, |store, n| async move {
        let rotation = Rotation {
            now: NOW + MINUTE + MILLI * u32::try_from(n).expect("a small number"),
            ..rotation(id, 1, 100 + n)
        };
        ok(store.rotate_refresh(&rotation).await)
    })
    .await;
    let Rotated::Done { successor, .. } = answers[0] else {
        panic!("{answers:?}");
    };
    assert_eq!(count(&answers, &answers[0]), CROWD, "made at one time");
    let session = find(&store, id).await;
    assert_eq!(session.ended_at, None);
    assert_eq!(session.refresh_hash, successor);
}

pub async fn of_many_rotations_without_repetition_one_is_done_and_the_session_ends(
    store: SharedStore,
) {
    let (_, id) = log_in(&store, number(1), 0, 1).await;
    let answers = all_at_once(&store, |store, _| async move {
        let rotation = rotation_since(id, 1, 2, None);
        ok(store.rotate_refresh(&rotation).await)
    })
    .await;
    assert_eq!(count(&answers, &done(2)), 1);
    assert_eq!(count(&answers, &Rotated::Reused), 1);
    assert_eq!(count(&answers, &Rotated::Gone), CROWD - 2);
    assert_eq!(find(&store, id).await.ended_at, Some(NOW + MINUTE));
}

/// An exchange that is repeated while its successor is used was repeated before that, or ends the
/// session.
pub async fn repeating_an_exchange_and_using_its_successor_at_once_agree(store: SharedStore) {
    let (_, id) = log_in(&store, number(1), 0, 1).await;
    ok(store.rotate_refresh(&rotation(id, 1, 2)).await);
    let answers = all_at_once(&store, |store, n| async move {
        let from = if n % 2 == 0 { 1 } else { 2 };
        ok(store.rotate_refresh(&rotation(id, from, from + 1)).await)
    })
    .await;
    let reused = count(&answers, &Rotated::Reused);
    let gone = count(&answers, &Rotated::Gone);
    let session = find(&store, id).await;
    assert_eq!(reused, usize::from(session.ended_at.is_some()));
    assert!(reused == 1 || gone == 0, "{answers:?}");
    if reused == 0 {
        assert_eq!(session.refresh_hash, hash(3));
    }
    let last = ok(store.rotate_refresh(&rotation(id, 1, 2)).await);
    assert!(last == Rotated::Reused || last == Rotated::Gone, "{last:?}");
}

pub async fn many_sessions_rotate_at_once_and_none_disturbs_another(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1000).await;
    let answers = all_at_once(&store, move |store, n| async move {
        let id = adopt(&store, user.id, n, NOW).await;
        ok(store.rotate_refresh(&rotation(id, n, n + 100)).await) == done(n + 100)
    })
    .await;
    assert_eq!(count(&answers, &true), CROWD);
}

pub async fn of_many_adoptions_of_one_key_all_are_given_one_session(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let answers = all_at_once(&store, move |store, _| async move {
        ok(store.adopt_session(user, &session(5), Some(NOW), NOW).await)
    })
    .await;
    assert!(answers[0].is_some());
    assert_eq!(count(&answers, &answers[0]), CROWD);
    assert_eq!(live(&store, user, NOW).await.len(), 2);
}

pub async fn of_many_adoptions_without_repetition_one_opens_a_session(store: SharedStore) {
    let (user, _) = two_users(&store).await;
    let answers = all_at_once(&store, move |store, _| async move {
        ok(store.adopt_session(user, &session(5), None, NOW).await)
    })
    .await;
    assert_eq!(count(&answers, &None), CROWD - 1);
    // The others used the token again, which ended what the first had opened.
    assert_eq!(live(&store, user, NOW).await.len(), 1);
}

pub async fn of_many_ends_of_one_session_one_is_told_that_it_was_live(store: SharedStore) {
    let (user, id) = log_in(&store, number(1), 0, 1).await;
    let answers = all_at_once(&store, move |store, _| async move {
        ok(store.end_session(user.id, id, NOW).await)
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
}

/// Once a session's end was answered, no rotation revives it.
pub async fn ending_and_rotating_at_once_leave_the_session_ended(store: SharedStore) {
    let (user, id) = log_in(&store, number(1), 0, 1).await;
    all_at_once(&store, move |store, n| async move {
        if n == CROWD / 2 {
            ok(store.end_session(user.id, id, NOW + MINUTE).await);
        } else {
            ok(store.rotate_refresh(&rotation(id, 1, 2)).await);
        }
    })
    .await;
    assert_eq!(find(&store, id).await.ended_at, Some(NOW + MINUTE));
    assert_eq!(
        ok(store.rotate_refresh(&rotation(id, 1, 2)).await),
        Rotated::Gone
    );
}
