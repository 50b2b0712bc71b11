//! Housekeeping.

use super::fixture::{
    MILLI, MINUTE, NOW, SharedStore, adopt, all_at_once, claim, code, code_id, log_in, number, ok,
    outcome, request, session, sms, statuses, take,
};
use crate::store::{
    NewCode, NewSession, NewSms, NewSmsRequest, REQUESTS_KEPT, SmsClaim, SmsId, SmsOutcome,
    SmsStatus, TakeResult, Taken,
};

pub async fn a_store_that_works_answers_a_ping(store: SharedStore) {
    ok(store.ping().await);
}

pub async fn an_empty_store_has_nothing_to_purge(store: SharedStore) {
    assert_eq!(ok(store.purge(NOW, 100).await), 0);
}

pub async fn a_purge_removes_what_is_over_and_nothing_else(store: SharedStore) {
    let (user, kept) = log_in(&store, number(9), 0, 9).await;
    let short = NewSession {
        expires_at: NOW + MINUTE,
        ..session(1)
    };
    let short = adopt(&store, user.id, &short).await;
    let over = NewCode {
        expires_at: NOW + MINUTE,
        ..code(number(1), 1)
    };
    ok(store.reserve_code(&over).await);
    ok(store.reserve_code(&code(number(2), 2)).await);

    assert_eq!(ok(store.purge(NOW + MINUTE - MILLI, 100).await), 0);
    assert_eq!(ok(store.purge(NOW + MINUTE, 100).await), 2);
    assert_eq!(ok(store.find_session(short).await), None);
    assert!(ok(store.find_session(kept).await).is_some());
    let counted = ok(store.count_attempt(number(2), NOW, 5).await);
    assert_eq!(counted.map(|code| code.id), Some(code_id(2)));
    assert_eq!(ok(store.purge(NOW + MINUTE, 100).await), 0);
}

pub async fn a_session_that_was_ended_early_keeps_its_row(store: SharedStore) {
    let (user, id) = log_in(&store, number(1), 0, 1).await;
    ok(store.end_session(user.id, id, NOW).await);
    assert_eq!(ok(store.purge(NOW + MINUTE, 100).await), 0);
    assert!(ok(store.find_session(id).await).is_some());
    let with_the_change = ok(store.purge(NOW + 24 * 60 * MINUTE, 100).await);
    assert_eq!(with_the_change, 2);
    assert_eq!(ok(store.find_session(id).await), None);
}

pub async fn a_window_is_purged_from_the_moment_at_which_it_ends(store: SharedStore) {
    let end = NOW + 10 * MINUTE;
    ok(store.take(&[take("a", 5, 9)], NOW).await);
    ok(store.take(&[take("b", 5, 9)], NOW + MILLI).await);
    assert_eq!(ok(store.purge(end - MILLI, 100).await), 0);
    assert_eq!(ok(store.purge(end, 100).await), 1);
    let other = ok(store.take(&[take("b", 1, 9)], end).await);
    let expected = Taken {
        total: 6,
        ends_at: end + MILLI,
    };
    assert_eq!(other, TakeResult::Taken(vec![expected]));
}

pub async fn a_settled_request_is_purged_when_it_was_kept_long_enough(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    ok(store.purge(NOW + REQUESTS_KEPT, 100).await);
    for (n, status) in statuses().into_iter().enumerate() {
        let id = claim(&store, &request(user.id, &n.to_string(), 1)).await;
        ok(store.settle_sms_request(id, status).await);
    }
    let young = NewSmsRequest {
        now: NOW + MILLI,
        ..request(user.id, "young", 1)
    };
    let id = claim(&store, &young).await;
    ok(store.settle_sms_request(id, SmsStatus::Accepted).await);

    let after = NOW + REQUESTS_KEPT;
    assert_eq!(ok(store.purge(after - MILLI, 100).await), 0);
    assert_eq!(
        ok(store.purge(after, 100).await),
        3,
        "all that are old and settled"
    );
    let known = ok(store.claim_sms_request(&young).await);
    assert_eq!(known, SmsClaim::Taken(SmsStatus::Accepted));
    let forgotten = ok(store.claim_sms_request(&request(user.id, "1", 2)).await);
    assert!(
        matches!(forgotten, SmsClaim::Yours(_)),
        "the key stands for no message: {forgotten:?}"
    );
}

pub async fn a_request_that_is_being_sent_is_never_purged(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    claim(&store, &request(user.id, "key", 1)).await;
    ok(store.purge(NOW + 10 * REQUESTS_KEPT, 100).await);
    let known = ok(store.claim_sms_request(&request(user.id, "key", 1)).await);
    assert_eq!(known, SmsClaim::Taken(SmsStatus::Sending));
}

pub async fn the_id_of_a_purged_request_is_never_used_again(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    let last = claim(&store, &request(user.id, "key", 1)).await;
    ok(store.settle_sms_request(last, SmsStatus::Accepted).await);
    ok(store.purge(NOW + REQUESTS_KEPT, 100).await);
    let next = claim(&store, &request(user.id, "key", 1)).await;
    assert!(next > last, "{next:?} came after {last:?}");
}

pub async fn a_purge_stops_at_its_limit_of_each_kind(store: SharedStore) {
    let (user, _) = log_in(&store, number(9), 0, 9).await;
    for n in 1..=5 {
        ok(store.reserve_code(&code(number(n), n)).await);
        adopt(&store, user.id, &session(100 + n)).await;
    }
    for n in 1..=3 {
        let key = n.to_string();
        ok(store.take(&[take(&key, 1, 1)], NOW).await);
        let id = claim(&store, &request(user.id, &key, 1)).await;
        ok(store.settle_sms_request(id, SmsStatus::Accepted).await);
    }
    let after_all = NOW + 48 * 60 * MINUTE;
    let mut removed = Vec::new();
    for _ in 0..4 {
        removed.push(ok(store.purge(after_all, 2).await));
    }
    assert_eq!(
        removed,
        [8, 6, 3, 0],
        "five codes, six sessions, three windows and three requests, two of each at a time"
    );
}

pub async fn the_id_of_a_purged_session_is_never_used_again(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    let last = adopt(&store, user.id, &session(2)).await;
    assert_eq!(ok(store.purge(NOW + 48 * 60 * MINUTE, 100).await), 2);
    let next = adopt(&store, user.id, &session(3)).await;
    assert!(next > last, "{next:?} came after {last:?}");
}

pub async fn purges_at_once_remove_each_row_once(store: SharedStore) {
    for n in 1..=10 {
        ok(store.reserve_code(&code(number(n), n)).await);
        ok(store.take(&[take(&n.to_string(), 1, 1)], NOW).await);
    }
    let removed = all_at_once(&store, |store, _| async move {
        ok(store.purge(NOW + 10 * MINUTE, 3).await)
    })
    .await;
    let at_once: u64 = removed.iter().sum();
    assert_eq!(at_once + ok(store.purge(NOW + 10 * MINUTE, 100).await), 20);
}

/// What a message became that was settled for good.
fn settled() -> SmsOutcome {
    outcome(SmsStatus::Accepted)
}

async fn ids_of_messages(store: &SharedStore) -> Vec<SmsId> {
    let messages = ok(store.recent_sms(None, 100).await);
    messages.into_iter().map(|message| message.id).collect()
}

pub async fn old_messages_are_removed_and_nothing_else(store: SharedStore) {
    let mut ids = Vec::new();
    for n in 0..5 {
        let made = NewSms {
            created_at: NOW + n * MINUTE,
            ..sms(number(1))
        };
        let id = ok(store.log_sms(&made, NOW + 60 * MINUTE).await);
        ok(store.settle_sms(id, &settled()).await);
        ids.insert(0, id);
    }
    assert_eq!(ok(store.purge_sms(NOW, 100).await), 0);
    assert_eq!(ok(store.purge_sms(NOW + 2 * MINUTE + MILLI, 2).await), 2);
    assert_eq!(ids_of_messages(&store).await, ids[..3]);
    assert_eq!(ok(store.purge_sms(NOW + 2 * MINUTE + MILLI, 2).await), 1);
    assert_eq!(ok(store.purge_sms(NOW + 2 * MINUTE + MILLI, 2).await), 0);
    assert_eq!(ids_of_messages(&store).await, ids[..2]);
}

pub async fn a_message_that_is_still_looked_after_is_never_removed(store: SharedStore) {
    let id = ok(store.log_sms(&sms(number(1)), NOW + MINUTE).await);
    assert_eq!(ok(store.purge_sms(NOW + 60 * MINUTE, 100).await), 0);
    ok(store.settle_sms(id, &settled()).await);
    assert_eq!(ok(store.purge_sms(NOW + 60 * MINUTE, 100).await), 1);
}

pub async fn a_message_stays_as_long_as_its_request(store: SharedStore) {
    let (user, _) = log_in(&store, number(1), 0, 1).await;
    let request = claim(&store, &request(user.id, "key", 1)).await;
    let of_request = NewSms {
        request: Some(request),
        ..sms(number(1))
    };
    let id = ok(store.log_sms(&of_request, NOW + MINUTE).await);
    ok(store.settle_sms(id, &settled()).await);
    assert_eq!(ok(store.purge_sms(NOW + 60 * MINUTE, 100).await), 0);
    ok(store.settle_sms_request(request, SmsStatus::Accepted).await);
    ok(store.purge(NOW + REQUESTS_KEPT, 100).await);
    assert_eq!(ok(store.purge_sms(NOW + 60 * MINUTE, 100).await), 1);
}

pub async fn the_id_of_a_removed_message_is_never_used_again(store: SharedStore) {
    let last = ok(store.log_sms(&sms(number(1)), NOW).await);
    ok(store.settle_sms(last, &settled()).await);
    assert_eq!(ok(store.purge_sms(NOW + MINUTE, 100).await), 1);
    let next = ok(store.log_sms(&sms(number(1)), NOW).await);
    assert!(next > last, "{next:?} came after {last:?}");
}
