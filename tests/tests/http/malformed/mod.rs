//! Nonsense: it is refused, and changes nothing.

mod bodies;
mod headers;
mod wire;

use chelseru_core::config::AuthMethod;
use chelseru_tests::{Answer, Database, Setup, TestServer, Tokens, log_in, log_in_with, send_code};

/// Every route that reads a body.
const ROUTES: [&str; 17] = [
    "/api/otp/send/",
    "/api/authenticate/",
    "/api/message/send/",
    "/api/token/refresh/",
    "/api/token/verify/",
    "/api/logout/",
    "/api/register/",
    "/api/register/send/",
    "/api/login/",
    "/api/password/change/",
    "/api/password/reset/",
    "/api/password/reset/confirm/",
    "/api/chat/chatrooms/",
    "/api/chat/messages/",
    "/api/me/mobile/send/",
    "/api/me/mobile/",
    "/api/me/delete/",
];

/// A number that has a code, which nonsense must not spend.
const NUMBER: &str = "09121234567";

/// A server with a user and a code that was sent, and what must still be so after the nonsense.
struct Scene {
    server: TestServer,
    user: Tokens,
    code: String,
}

impl Scene {
    async fn new(database: Database) -> Self {
        let setup = Setup::new(database).await;
        let methods = [AuthMethod::Otp, AuthMethod::Passwd];
        let server = setup
            .config(|config| config.auth_methods(methods))
            .start()
            .await;
        let user = log_in(&server, "09120000000").await;
        let code = send_code(&server, NUMBER).await;
        Self { server, user, code }
    }

    /// Asserts that no SMS was sent, nothing was logged, no try was spent, no account was made, the
    /// user's session goes on, and the server serves.
    async fn assert_unchanged(&self) {
        let server = &self.server;
        assert_eq!(server.sms.calls(), 2, "an SMS was sent");
        let log = server.store().recent_sms(None, 10).await.unwrap();
        assert_eq!(log.len(), 2, "an SMS was logged");
        // Four wrong tries more would not burn a code that has none counted.
        for nth in 1..=4 {
            let wrong = chelseru_tests::another_code(&self.code, nth);
            log_in_with(server, NUMBER, &wrong).await.assert_status(401);
        }
        let login = log_in_with(server, NUMBER, &self.code).await;
        let access = Tokens::of(&login).access;
        let whoami = server.get("/whoami").bearer(&access).await;
        whoami.assert_text(200, "2 0 09121234567");
        let whoami = server.get("/whoami").bearer(&self.user.access).await;
        whoami.assert_text(200, "1 0 09120000000");
        let sessions = server.get("/api/sessions/").bearer(&access).await;
        assert_eq!(sessions.json().as_array().unwrap().len(), 1);
    }
}

#[track_caller]
fn assert_refused(answer: &Answer, what: &str) {
    assert!((400..500).contains(&answer.status), "{what}: {answer:?}");
}
