//! Finding somebody to write to.

use std::time::Duration;

use chelseru_core::{Clock, UserId};
use chelseru_tests::{Database, Setup, on_both_databases};

use super::Scene;

on_both_databases! {
    a_user_is_found_by_the_exact_name_alone
    looking_users_up_is_limited
}

async fn a_user_is_found_by_the_exact_name_alone(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let find = async |name: &str| one.get(server, &format!("users/?username={name}")).await;
    find(&other.username).await.assert_json(200, &other.json());
    find(&one.username).await.assert_json(200, &one.json());
    let part = &other.username[..5];
    for name in [
        part,
        &format!("{part}%25"),
        &other.username.to_uppercase(),
        "%25",
        "%00",
        "09120000001",
    ] {
        find(name)
            .await
            .assert_text(404, r#"{"detail":"Not found."}"#);
    }
    find("").await.assert_faulty_fields(&["username"]);
    one.get(server, "users/")
        .await
        .assert_faulty_fields(&["username"]);
    let path = format!("/api/chat/users/?username={}", other.username);
    server.get(&path).await.assert_status(401);
    let store = server.store();
    store
        .set_user_active(UserId(other.id), false, server.clock.now())
        .await
        .unwrap();
    find(&other.username).await.assert_status(404);
}

async fn looking_users_up_is_limited(database: Database) {
    let setup = Setup::new(database).await;
    let setup = setup.config(|config| {
        config
            .chat_lookups_per_user_per_hour(3)
            .access_token_lifetime(Duration::from_secs(7200))
    });
    let scene = Scene::<2>::on(setup.start().await).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    for name in [&other.username, "nobody", "nobody-else"] {
        one.get(server, &format!("users/?username={name}")).await;
    }
    let path = format!("users/?username={}", other.username);
    let refused = one.get(server, &path).await;
    refused
        .assert_status(429)
        .assert_header("retry-after", "3600");
    // Opening a room by the name is a look-up too.
    let body = serde_json::json!({ "username": other.username });
    one.post(server, "chatrooms/", &body)
        .await
        .assert_status(429);
    other.get(server, &path).await.assert_status(200);
    server.clock.advance(Duration::from_secs(3599));
    one.get(server, &path).await.assert_status(429);
    server.clock.advance(Duration::from_secs(1));
    one.get(server, &path).await.assert_status(200);
}
