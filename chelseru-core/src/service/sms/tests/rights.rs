//! Who may send.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Fixture, NUMBER, number};
use crate::config::Config;
use crate::error::Error;
use crate::service::{Chelseru, Message};
use crate::store::MemoryStore;
use crate::testing::StubProvider;

#[tokio::test(start_paused = true)]
async fn the_applications_rule_sees_user_and_message_before_anything_is_sent() {
    let a = StubProvider::new();
    let store = Arc::new(MemoryStore::new());
    let user = Fixture::over(store.clone(), &[&a], |config| config)
        .user("09121111111")
        .await;
    let asked = Arc::new(AtomicUsize::new(0));
    let config = Config::builder().signing_key("a key of at least 32 bytes, for tests");
    let chelseru = Chelseru::builder(config.build().unwrap())
        .store(store as Arc<dyn crate::store::Store>)
        .sms(a.clone())
        .may_send_message({
            let asked = Arc::clone(&asked);
            move |user, message| {
                asked.fetch_add(1, Ordering::Relaxed);
                message.to == user.mobile_number
            }
        })
        .build()
        .unwrap();

    let to_another = Message::new(number(NUMBER), "hi");
    let refused = chelseru.send_message(&user, to_another.clone()).await;
    assert!(
        matches!(refused, Err(Error::PermissionDenied)),
        "{refused:?}"
    );
    assert_eq!((a.calls(), asked.load(Ordering::Relaxed)), (0, 1));
    let to_itself = Message::new(user.mobile_number, "hi");
    chelseru.send_message(&user, to_itself).await.unwrap();
    assert_eq!(a.sent(), 1);

    chelseru.send_sms(to_another).await.unwrap();
    assert_eq!(
        asked.load(Ordering::Relaxed),
        2,
        "the operator is not asked"
    );
}

#[test]
fn a_privilege_of_a_group_that_is_open_to_anybody_is_warned_of() {
    let warnings = |signup: Option<Vec<i64>>| {
        let mut config = Config::builder()
            .signing_key("a key of at least 32 bytes, for tests")
            .message_send_groups([7]);
        if let Some(groups) = signup {
            config = config.signup_groups(groups);
        }
        let chelseru = Chelseru::builder(config.build().unwrap())
            .store(MemoryStore::new())
            .sms(StubProvider::new())
            .build()
            .unwrap();
        let of_groups = |warning: &&String| warning.contains("MESSAGE_SEND_GROUPS has group 7");
        chelseru.warnings().iter().filter(of_groups).count()
    };
    assert_eq!(warnings(None), 1);
    assert_eq!(warnings(Some(vec![0, 7])), 1);
    assert_eq!(warnings(Some(vec![0])), 0);
}
