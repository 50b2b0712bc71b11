//! An application that wants no chat.

use chelseru_tests::{Database, Setup, log_in, on_both_databases};
use serde_json::json;

on_both_databases! {
    without_a_chat_its_paths_are_none
}

async fn without_a_chat_its_paths_are_none(database: Database) {
    let setup = Setup::new(database).await;
    let server = setup
        .config(|config| config.chat_enabled(false))
        .start()
        .await;
    let access = log_in(&server, "09121234567").await.access;
    for path in [
        "/api/chat/chatrooms/",
        "/api/chat/messages/?chat_room=1",
        "/api/chat/users/?username=a",
        "/api/chat/",
        "/api/chat/1/",
        "/api/message/file/upload/",
    ] {
        let answer = server.get(path).bearer(&access).await;
        answer.assert_json(404, &json!({ "detail": "Not found." }));
    }
    server
        .get("/api/sessions/")
        .bearer(&access)
        .await
        .assert_status(200);
}
