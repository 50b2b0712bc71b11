//! Changing the signing key, with every algorithm: nobody is logged out, and codes on their way work.

use chelseru_core::config::{ConfigBuilder, JwtAlgorithm};
use chelseru_core::testing::KeyPair;
use chelseru_tests::{
    Database, Setup, TestServer, Tokens, log_in, log_in_with, on_both_databases, send_code,
};
use serde_json::json;

use crate::attacks::claims_of;

on_both_databases! {
    nobody_is_logged_out_when_the_signing_key_is_changed
    a_refresh_whose_answer_was_lost_is_repeated_under_the_next_signing_key
    a_code_that_is_on_its_way_when_the_signing_key_is_changed_works
    a_key_that_was_given_up_opens_nothing
    servers_that_change_their_key_one_after_the_other_know_each_others_tokens
}

const ALGORITHMS: [JwtAlgorithm; 9] = [
    JwtAlgorithm::HS256,
    JwtAlgorithm::HS384,
    JwtAlgorithm::HS512,
    JwtAlgorithm::RS256,
    JwtAlgorithm::RS384,
    JwtAlgorithm::RS512,
    JwtAlgorithm::ES256,
    JwtAlgorithm::ES384,
    JwtAlgorithm::EdDSA,
];

/// An old and a new key to sign with, and to verify with.
fn two_for(algorithm: JwtAlgorithm) -> [KeyPair; 2] {
    if algorithm.is_symmetric() {
        [
            "the secret before 2b7e151628aed2a6abf7158809cf4f3c0123456789abcdef",
            "the secret now 8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b01",
        ]
        .map(|secret| KeyPair {
            private: secret,
            public: "",
        })
    } else {
        KeyPair::two_for(algorithm)
    }
}

/// The settings that sign with this pair and know these keys.
fn signing_with(
    algorithm: JwtAlgorithm,
    pair: KeyPair,
    previous: Option<&'static str>,
) -> impl FnOnce(ConfigBuilder) -> ConfigBuilder {
    move |config| {
        config
            .jwt_algorithm(algorithm)
            .signing_key(pair.private)
            .verifying_key(pair.public)
            .previous_keys(previous)
    }
}

async fn start(database: Database, algorithm: JwtAlgorithm, pair: KeyPair) -> TestServer {
    let setup = Setup::new(database).await;
    setup
        .config(signing_with(algorithm, pair, None))
        .start()
        .await
}

async fn is_in(server: &TestServer, access: &str) -> bool {
    let whoami = server.get("/whoami").bearer(access).await.status == 200;
    let verified = server
        .post("/api/token/verify/")
        .json(&json!({ "token": access }))
        .await;
    assert_eq!(verified.status == 200, whoami);
    whoami
}

async fn refresh(server: &TestServer, tokens: &Tokens) -> Tokens {
    let answer = server
        .post("/api/token/refresh/")
        .json(&json!({ "refresh": tokens.refresh }))
        .await;
    Tokens::of(&answer)
}

async fn nobody_is_logged_out_when_the_signing_key_is_changed(database: Database) {
    for algorithm in ALGORITHMS {
        let [old, new] = two_for(algorithm);
        let server = start(database, algorithm, old).await;
        let before = log_in(&server, "09121234567").await;
        assert!(is_in(&server, &before.access).await, "{algorithm:?}");

        let rotated = signing_with(algorithm, new, Some(old.private));
        let server = server.restart(|setup| setup.config(rotated)).await;
        assert!(is_in(&server, &before.access).await, "{algorithm:?}");
        let after = refresh(&server, &before).await;
        assert!(is_in(&server, &after.access).await);

        // When the old tokens have run out, the old key goes.
        let alone = signing_with(algorithm, new, None);
        let server = server.restart(|setup| setup.config(alone)).await;
        assert!(is_in(&server, &after.access).await);
        assert!(!is_in(&server, &before.access).await);
        refresh(&server, &after).await;
    }
}

async fn a_refresh_whose_answer_was_lost_is_repeated_under_the_next_signing_key(
    database: Database,
) {
    for algorithm in [JwtAlgorithm::HS256, JwtAlgorithm::EdDSA] {
        let [old, new] = two_for(algorithm);
        let server = start(database, algorithm, old).await;
        let before = log_in(&server, "09121234567").await;
        let lost = refresh(&server, &before).await;

        let rotated = signing_with(algorithm, new, Some(old.private));
        let server = server.restart(|setup| setup.config(rotated)).await;
        let repeated = refresh(&server, &before).await;
        let id = |tokens: &Tokens| claims_of(&tokens.refresh)["jti"].clone();
        assert_eq!(id(&repeated), id(&lost), "the same token, signed anew");
        refresh(&server, &repeated).await;
    }
}

async fn a_code_that_is_on_its_way_when_the_signing_key_is_changed_works(database: Database) {
    for algorithm in [
        JwtAlgorithm::HS256,
        JwtAlgorithm::RS256,
        JwtAlgorithm::ES256,
        JwtAlgorithm::EdDSA,
    ] {
        let [old, new] = two_for(algorithm);
        let server = start(database, algorithm, old).await;
        let code = send_code(&server, "09121234567").await;
        let rotated = signing_with(algorithm, new, Some(old.private));
        let server = server.restart(|setup| setup.config(rotated)).await;
        let wrong = chelseru_tests::another_code(&code, 1);
        log_in_with(&server, "09121234567", &wrong)
            .await
            .assert_status(401);
        Tokens::of(&log_in_with(&server, "09121234567", &code).await);
        log_in_with(&server, "09121234567", &code)
            .await
            .assert_status(401);
    }
}

async fn a_key_that_was_given_up_opens_nothing(database: Database) {
    let [old, new] = two_for(JwtAlgorithm::EdDSA);
    let server = start(database, JwtAlgorithm::EdDSA, old).await;
    let tokens = log_in(&server, "09121234567").await;
    let code = send_code(&server, "09129999999").await;
    let alone = signing_with(JwtAlgorithm::EdDSA, new, None);
    let server = server.restart(|setup| setup.config(alone)).await;
    assert!(!is_in(&server, &tokens.access).await);
    server
        .post("/api/token/refresh/")
        .json(&json!({ "refresh": tokens.refresh }))
        .await
        .assert_json(
            401,
            &json!({ "detail": "Token is invalid", "code": "token_not_valid" }),
        );
    log_in_with(&server, "09129999999", &code)
        .await
        .assert_status(401);
    // The public half verifies tokens, and is no key to codes.
    let public = signing_with(JwtAlgorithm::EdDSA, new, Some(old.public));
    let server = server.restart(|setup| setup.config(public)).await;
    assert!(is_in(&server, &tokens.access).await);
    log_in_with(&server, "09129999999", &code)
        .await
        .assert_status(401);
}

async fn servers_that_change_their_key_one_after_the_other_know_each_others_tokens(
    database: Database,
) {
    let [old, new] = two_for(JwtAlgorithm::ES256);
    let server = start(database, JwtAlgorithm::ES256, old).await;
    // The first server has changed, the second one has been told of the new key.
    let changed = signing_with(JwtAlgorithm::ES256, new, Some(old.private));
    let server = server.restart(|setup| setup.config(changed)).await;
    let of_the_first = log_in(&server, "09121234567").await;
    let code = send_code(&server, "09129999999").await;
    let told = signing_with(JwtAlgorithm::ES256, old, Some(new.private));
    let server = server.restart(|setup| setup.config(told)).await;
    assert!(is_in(&server, &of_the_first.access).await);
    Tokens::of(&log_in_with(&server, "09129999999", &code).await);
}
