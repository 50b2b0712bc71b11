//! What was acknowledged survives SIGKILL.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chelseru_tests::{Database, on_both_databases};
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::harness::{Installation, Server, Tokens};

const CLIENTS: usize = 8;
const LOGINS_BEFORE_THE_KILL: usize = 40;

/// Logs in new numbers until the server goes away; what was acknowledged.
async fn log_in_until_the_end(
    server: Arc<Server>,
    client: usize,
    count: Arc<AtomicUsize>,
    enough: Arc<Notify>,
) -> Vec<Tokens> {
    let mut acknowledged = Vec::new();
    for login in 0_u32.. {
        let Ok(tokens) = server.log_in(&format!("0912{client:02}{login:05}")).await else {
            break;
        };
        acknowledged.push(tokens);
        if count.fetch_add(1, Ordering::SeqCst) + 1 == LOGINS_BEFORE_THE_KILL {
            enough.notify_one();
        }
    }
    acknowledged
}

async fn no_acknowledged_login_is_lost(database: Database) {
    let installation = Installation::new(database).await;
    let server = Arc::new(installation.start());
    let (count, enough) = (Arc::default(), Arc::new(Notify::new()));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(log_in_until_the_end(
            Arc::clone(&server),
            client,
            Arc::clone(&count),
            Arc::clone(&enough),
        ));
    }
    enough.notified().await;
    server.kill();
    let acknowledged: Vec<Tokens> = clients.join_all().await.into_iter().flatten().collect();
    assert!(acknowledged.len() >= LOGINS_BEFORE_THE_KILL);

    let again = installation.start();
    for tokens in &acknowledged {
        let (status, sessions) = again.sessions(&tokens.access).await.unwrap();
        assert_eq!(status, 200, "{sessions}");
        assert_eq!(sessions.as_array().map(Vec::len), Some(1));
        let refresh = json!({ "refresh": tokens.refresh });
        let (status, body) = again.post("/api/token/refresh/", &refresh).await.unwrap();
        assert_eq!(status, 200, "{body}");
    }
}
on_both_databases! { no_acknowledged_login_is_lost }
