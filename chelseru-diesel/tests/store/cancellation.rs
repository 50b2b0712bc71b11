//! Callers that go away in the middle of a call, on the single-threaded runtimes that actix has.

use std::collections::HashMap;
use std::time::Duration;

use crate::common::{NOW, code, login, number};
use chelseru_core::store::{
    CodeId, Maintenance, NewSms, NewSmsRequest, OtpStore, RateStore, Redeemed, Reservation,
    Rotation, SessionStore, SmsClaim, SmsLog, SmsPurpose, SmsRequests, SmsStatus, StoreResult,
    Successor, Take, TakeResult,
};
use chelseru_core::{ClientInfo, SessionId, Timestamp, UserId};
use chelseru_diesel::DieselStore;
use futures_util::future::join_all;
use tokio::time::timeout;

const CALLERS: usize = 400;

/// Until when the callers claim messages to look after.
const UNTIL: Timestamp = Timestamp::from_secs(NOW.as_secs() + 600);

#[tokio::test(flavor = "current_thread")]
async fn sqlite_survives_callers_that_go_away() {
    let (store, _folder) = crate::common::sqlite().await;
    callers_go_away(store).await;
}

#[tokio::test(flavor = "current_thread")]
#[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
async fn postgres_survives_callers_that_go_away() {
    let (store, _schema) = crate::common::postgres().await;
    callers_go_away(store).await;
}

async fn callers_go_away(store: DieselStore) {
    let tasks = tokio::task::LocalSet::new();
    let logins: HashMap<UserId, SessionId> = tasks
        .run_until(async {
            let callers = (0..CALLERS).map(|n| {
                let store = store.clone();
                tokio::task::spawn_local(async move { visit(&store, n).await })
            });
            let visits = join_all(callers.collect::<Vec<_>>()).await;
            visits
                .into_iter()
                .filter_map(|visit| visit.expect("no caller panics"))
                .collect()
        })
        .await;

    let patient_callers = CALLERS.div_ceil(4);
    assert!(logins.len() >= patient_callers, "{} logins", logins.len());
    for (user, session) in &logins {
        let sessions = store
            .list_sessions(*user, NOW)
            .await
            .expect("the store works");
        let ids: Vec<_> = sessions.iter().map(|session| session.id).collect();
        assert_eq!(
            ids,
            [*session],
            "whoever was told of a login has it, and no other"
        );
    }
    nothing_is_half_done(&store).await;
    everything_works(&store).await;
}

/// One caller's requests. Every fourth waits for all answers; the others give each request up after a
/// time that is different for everybody.
async fn visit(store: &DieselStore, n: usize) -> Option<(UserId, SessionId)> {
    let micros = (n as u64).wrapping_mul(2_654_435_761) % 30_000;
    let patience = (!n.is_multiple_of(4)).then(|| Duration::from_micros(micros));
    let id = i64::try_from(n).expect("a small number");
    let code = code(number(n), id, NOW);
    let login = login(number(n), id, NOW);

    patient(patience, store.reserve_code(&code)).await;
    patient(patience, store.count_attempt(number(n), NOW, 5)).await;
    let redeemed = patient(patience, store.redeem_code(CodeId(id), &login)).await;
    patient(patience, store.withdraw_code(number(n), CodeId(id))).await;
    let Some(Redeemed::LoggedIn { user, session, .. }) = redeemed else {
        patient(patience, store.ping()).await;
        return None;
    };
    patient(patience, store.rotate_refresh(&rotation(session, 1, 2))).await;
    patient(patience, store.find_session(session)).await;
    send(store, n, user.id, patience).await;
    Some((user.id, session))
}

/// One caller's message, as it is sent.
async fn send(store: &DieselStore, n: usize, user: UserId, patience: Option<Duration>) {
    patient(patience, store.take(&takes(n), NOW)).await;
    let claimed = patient(patience, store.claim_sms_request(&request(user))).await;
    let Some(SmsClaim::Yours(request)) = claimed else {
        return;
    };
    let sms = NewSms {
        mobile_number: number(n),
        provider: "TEST".to_owned(),
        purpose: SmsPurpose::Message,
        user: Some(user),
        parts: None,
        local_id: None,
        request: Some(request),
        may_repeat: None,
        created_at: NOW,
    };
    patient(patience, store.log_sms(&sms, NOW)).await;
    patient(patience, store.claim_due_sms(NOW, UNTIL, 2)).await;
    patient(
        patience,
        store.settle_sms_request(request, SmsStatus::Unknown),
    )
    .await;
}

/// One from a supply for all, one from a supply of the caller's own.
fn takes(n: usize) -> [Take; 2] {
    ["all".to_owned(), n.to_string()].map(|key| Take {
        key,
        amount: 1,
        limit: u64::MAX,
        window: Duration::from_secs(60),
    })
}

fn request(user: UserId) -> NewSmsRequest {
    NewSmsRequest {
        user,
        key: "key".to_owned(),
        fingerprint: [1; 32],
        now: NOW,
    }
}

/// What was taken was taken from both supplies, and every message can still be looked after.
async fn nothing_is_half_done(store: &DieselStore) {
    let mut all = 0;
    let mut own = 0;
    for n in 0..CALLERS {
        let taken = store.take(&takes(n), NOW).await.expect("the store works");
        let TakeResult::Taken(taken) = taken else {
            panic!("there is no limit");
        };
        all = taken[0].total;
        own += taken[1].total;
    }
    assert_eq!(all, own, "a take that was given up took a part");
    let patient_callers = CALLERS.div_ceil(4) as u64;
    let callers = CALLERS as u64;
    assert!((callers + patient_callers..=2 * callers).contains(&all));

    let logged = store.recent_sms(None, u32::MAX).await.unwrap();
    assert!(logged.len() as u64 >= patient_callers);
    let due = store.claim_due_sms(UNTIL, NOW, u32::MAX).await.unwrap();
    assert_eq!(due.len(), logged.len());
    store.resolve_sms_requests(UNTIL).await.unwrap();
}

/// The answer, if it comes in time. An error is a failure of the store.
async fn patient<T>(
    patience: Option<Duration>,
    call: impl Future<Output = StoreResult<T>>,
) -> Option<T> {
    let answer = match patience {
        Some(patience) => timeout(patience, call).await.ok()?,
        None => call.await,
    };
    Some(answer.expect("whoever waits is answered"))
}

fn rotation(session: SessionId, from: u8, to: u8) -> Rotation {
    Rotation {
        session,
        presented: [from; 32],
        successor: Some(Successor {
            hash: [to; 32],
            expires_at: NOW + Duration::from_secs(86_400),
            repeat_since: Some(NOW),
        }),
        client: ClientInfo::default(),
        now: NOW,
    }
}

/// Every number logs in as if nothing had happened, and still owns one account.
async fn everything_works(store: &DieselStore) {
    let later: Timestamp = NOW + Duration::from_secs(3600);
    let logins = (0..CALLERS).map(|n| async move {
        let id = 1_000_000 + i64::try_from(n).expect("a small number");
        let reserved = store.reserve_code(&code(number(n), id, later)).await;
        assert_eq!(reserved.expect("the store works"), Reservation::Reserved);
        let counted = store
            .count_attempt(number(n), later, 5)
            .await
            .expect("the store works");
        assert_eq!(counted.map(|code| code.id), Some(CodeId(id)));
        let redeemed = store
            .redeem_code(CodeId(id), &login(number(n), id, later))
            .await;
        match redeemed.expect("the store works") {
            Redeemed::LoggedIn { user, session, .. } => {
                let rotated = store.rotate_refresh(&rotation(session, 1, 2)).await;
                assert_eq!(
                    rotated.expect("it works"),
                    chelseru_core::store::Rotated::Done {
                        successor: [2; 32],
                        at: NOW
                    }
                );
                user.id
            }
            other => panic!("not logged in: {other:?}"),
        }
    });
    let users: std::collections::HashSet<_> = join_all(logins).await.into_iter().collect();
    assert_eq!(users.len(), CALLERS);
}
