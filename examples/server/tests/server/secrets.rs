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

async fn a_password_is_in_no_log_and_its_hash_only_in_the_database(database: Database) {
    let installation = Installation::new(database)
        .await
        .set("CHELSERU_AUTH__AUTH_METHOD", "PASSWD")
        .set("CHELSERU_SERVER__LOG_LEVEL", "trace");
    let server = installation.start();
    let number = "09121234567";
    let [first, second, third] = ["first-x7kq!m2pd", "second-x7kq!m2pd", "third-x7kq!m2pd"];
    let [wrong, misplaced] = ["wrong-x7kq!m2pd", "misplaced-x7kq!m2pd"];
    let to = json!({ "mobile_number": number });
    server.post("/api/register/send/", &to).await.unwrap();
    let code = server.code_for(number).await.unwrap();
    let register = json!({ "mobile_number": number, "code": code, "password": first });
    let (status, tokens) = server.post("/api/register/", &register).await.unwrap();
    assert_eq!(status, 200);
    for (username, password) in [(misplaced, wrong), ("nobody", wrong)] {
        let login = json!({ "username": username, "password": password });
        let (status, _) = server.post("/api/login/", &login).await.unwrap();
        assert_eq!(status, 401);
    }
    let change = json!({ "old_password": first, "new_password": second });
    let changed = server
        .http
        .post(server.url("/api/password/change/"))
        .bearer_auth(tokens["access"].as_str().unwrap())
        .json(&change)
        .send()
        .await
        .unwrap();
    assert_eq!(changed.status(), 200);
    server.post("/api/password/reset/", &to).await.unwrap();
    let code = server.code_for(number).await.unwrap();
    let reset = json!({ "mobile_number": number, "code": code, "password": third });
    let (status, _) = server
        .post("/api/password/reset/confirm/", &reset)
        .await
        .unwrap();
    assert_eq!(status, 200);
    let login = json!({ "mobile_number": number, "password": third });
    let (status, _) = server.post("/api/login/", &login).await.unwrap();
    assert_eq!(status, 200);

    let dump = installation.dump().await;
    assert!(dump.contains("$argon2id$"), "the dump has the hash");
    let (_, logs) = server.terminate();
    assert!(logs.contains("password changed"), "{logs}");
    for secret in [first, second, third, wrong, misplaced] {
        assert!(!dump.contains(secret), "{secret} is in the database");
        assert!(!logs.contains(secret), "{secret} is in the log");
    }
    assert!(!logs.contains("argon2id"), "a hash is in the log");
    assert!(!logs.contains(number), "numbers are masked in the log");
}
on_both_databases! {
    a_login_leaves_no_code_token_or_key_in_the_database_or_the_logs
    a_password_is_in_no_log_and_its_hash_only_in_the_database
}
