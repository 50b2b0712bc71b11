//! Nothing that opens an account is written down: not in the database, not in a log at TRACE.

use chelseru_tests::{Database, on_both_databases};
use serde_json::json;

use crate::harness::Installation;

const SIGNING_KEY: &str = "a-signing-key-that-must-not-leak-anywhere";

async fn a_login_leaves_no_code_token_or_key_in_the_database_or_the_logs(database: Database) {
    let installation = Installation::new(database)
        .await
        .set("CHELSERU_AUTH__JWT__SIGNING_KEY", SIGNING_KEY)
        .set("CHELSERU_AUTH__OPTIONS__OTP_LENGTH", "10")
        .set("CHELSERU_SERVER__LOG_LEVEL", "trace");
    let server = installation.start();
    let number = "09121234567";
    server
        .post("/api/otp/send/", &json!({ "mobile_number": number }))
        .await
        .unwrap();
    let code = server.code_for(number).await.unwrap();
    let wrong = json!({ "mobile_number": number, "code": "0123456789" });
    server.post("/api/authenticate/", &wrong).await.unwrap();
    let while_live = installation.dump().await;
    let login = json!({ "mobile_number": number, "code": code });
    let (status, first) = server.post("/api/authenticate/", &login).await.unwrap();
    assert_eq!(status, 200);
    let refresh = json!({ "refresh": first["refresh"] });
    let (status, second) = server.post("/api/token/refresh/", &refresh).await.unwrap();
    assert_eq!(status, 200);
    let (status, _) = server
        .sessions(second["access"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(status, 200);
    let dump = installation.dump().await;
    assert!(dump.contains(number), "the dump is of the right database");
    let (_, logs) = server.terminate();
    assert!(
        logs.contains("logged in"),
        "the log is of this login: {logs}"
    );

    let mut secrets = vec![SIGNING_KEY.to_owned(), code];
    for token in [
        &first["access"],
        &first["refresh"],
        &second["access"],
        &second["refresh"],
    ] {
        // The signature alone is what makes a token a secret.
        let signature = token.as_str().and_then(|token| token.rsplit('.').next());
        secrets.push(signature.unwrap_or_default().to_owned());
    }
    for secret in secrets {
        assert!(secret.len() >= 10);
        for (place, text) in [
            ("database", &while_live),
            ("database", &dump),
            ("log", &logs),
        ] {
            assert!(!text.contains(&secret), "{secret} is in the {place}");
        }
    }
    assert!(!logs.contains(number), "numbers are masked in the log");
}
on_both_databases! { a_login_leaves_no_code_token_or_key_in_the_database_or_the_logs }
