//! Tokens pass between us and the real djangorestframework-simplejwt, with the same key.

use std::process::Command;

use chelseru_tests::Database;
use serde_json::{Value, json};

use crate::harness::Installation;

const KEY: &str = "the-key-that-both-services-share-0123456789";
const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/simplejwt/tokens.py"
);

/// Runs the Python side; its answer, or `None` where it refuses.
fn simplejwt(arguments: &[&str]) -> Option<Value> {
    let python = std::env::var("CHELSERU_TEST_PYTHON").expect("CHELSERU_TEST_PYTHON is set");
    let output = Command::new(python)
        .arg(SCRIPT)
        .args(arguments)
        .output()
        .expect("Python runs");
    let answer = output
        .status
        .success()
        .then(|| serde_json::from_slice(&output.stdout));
    answer.transpose().expect("the answer is JSON")
}

/// Both tests of a behaviour need Python, so both are ignored unless asked for.
macro_rules! with_python_on_both_databases {
    ($($behaviour:ident)+) => {$(
        mod $behaviour {
            #[test]
            #[ignore = "needs Python with djangorestframework-simplejwt: set CHELSERU_TEST_PYTHON"]
            fn sqlite() {
                chelseru_tests::run(super::$behaviour(chelseru_tests::Database::Sqlite));
            }

            #[test]
            #[ignore = "needs PostgreSQL and CHELSERU_TEST_PYTHON"]
            fn postgres() {
                chelseru_tests::run(super::$behaviour(chelseru_tests::Database::Postgres));
            }
        }
    )+};
}

async fn installation(database: Database) -> Installation {
    Installation::new(database)
        .await
        .set("CHELSERU_AUTH__JWT__SIGNING_KEY", KEY)
}

async fn our_tokens_are_accepted_by_simplejwt(database: Database) {
    let installation = installation(database).await;
    let server = installation.start();
    let tokens = server.log_in("09121234567").await.unwrap();
    let (_, sessions) = server.sessions(&tokens.access).await.unwrap();
    let access = simplejwt(&["verify", KEY, "access", &tokens.access]).expect("accepted");
    assert_eq!(access["user_id"], sessions[0]["user"]);
    assert_eq!(access["sid"], sessions[0]["id"]);
    assert_eq!(access["token_type"], "access");
    let refresh = simplejwt(&["verify", KEY, "refresh", &tokens.refresh]).expect("accepted");
    assert_eq!(refresh["jti"].as_str().map(str::len), Some(32));
    let other_key = "another-key-of-at-least-thirty-two-bytes";
    assert_eq!(
        simplejwt(&["verify", other_key, "access", &tokens.access]),
        None
    );
}

async fn simplejwts_tokens_are_accepted_by_us(database: Database) {
    let installation = installation(database).await;
    let server = installation.start();
    let tokens = server.log_in("09121234567").await.unwrap();
    let (_, sessions) = server.sessions(&tokens.access).await.unwrap();
    let user = sessions[0]["user"].to_string();
    for user_id in [user.clone(), format!("int:{user}")] {
        let minted = simplejwt(&["mint", KEY, &user_id]).expect("minted");
        let access = minted["access"].as_str().unwrap();
        let (status, listed) = server.sessions(access).await.unwrap();
        assert_eq!(status, 200, "{listed}");
        assert_eq!(
            listed[0]["current"], false,
            "such a token belongs to no session of ours"
        );
        let (status, _) = server
            .post("/api/token/verify/", &json!({ "token": access }))
            .await
            .unwrap();
        assert_eq!(status, 200);

        let refresh = json!({ "refresh": minted["refresh"] });
        let (status, pair) = server.post("/api/token/refresh/", &refresh).await.unwrap();
        assert_eq!(status, 200, "{pair}");
        let (_, listed) = server
            .sessions(pair["access"].as_str().unwrap())
            .await
            .unwrap();
        assert_eq!(listed[0]["current"], true, "it opened a session");
        let (status, again) = server.post("/api/token/refresh/", &refresh).await.unwrap();
        assert_eq!(status, 200, "the answer may have been lost: {again}");
        assert_eq!(again["refresh"], pair["refresh"]);
        let successor = json!({ "refresh": pair["refresh"] });
        let (status, _) = server
            .post("/api/token/refresh/", &successor)
            .await
            .unwrap();
        assert_eq!(status, 200);
        let (status, body) = server.post("/api/token/refresh/", &refresh).await.unwrap();
        assert_eq!(
            (status, &body["detail"]),
            (401, &json!("Token is blacklisted")),
            "not after its successor was used"
        );
    }
    let foreign =
        simplejwt(&["mint", "another-key-of-at-least-thirty-two-bytes", &user]).expect("minted");
    let (status, _) = server
        .sessions(foreign["access"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(status, 401);
}

with_python_on_both_databases! {
    our_tokens_are_accepted_by_simplejwt
    simplejwts_tokens_are_accepted_by_us
}
