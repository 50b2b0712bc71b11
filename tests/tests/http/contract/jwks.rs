//! GET /.well-known/jwks.json

use chelseru_core::config::JwtAlgorithm;
use chelseru_core::testing::KeyPair;
use chelseru_tests::{Database, Setup, TestServer, log_in, on_both_databases};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode_header};
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases! {
    another_service_verifies_our_tokens_with_what_is_there
    without_public_keys_there_is_nothing
    nothing_is_changed_there
}

const PATH: &str = "/.well-known/jwks.json";

async fn start(database: Database, algorithm: JwtAlgorithm) -> TestServer {
    let [old, new] = KeyPair::two_for(algorithm);
    Setup::new(database)
        .await
        .config(|config| {
            config
                .jwt_algorithm(algorithm)
                .signing_key(new.private)
                .verifying_key(new.public)
                .previous_keys([old.private])
        })
        .start()
        .await
}

async fn another_service_verifies_our_tokens_with_what_is_there(database: Database) {
    for (ours, theirs) in [
        (JwtAlgorithm::RS256, Algorithm::RS256),
        (JwtAlgorithm::ES256, Algorithm::ES256),
        (JwtAlgorithm::ES384, Algorithm::ES384),
        (JwtAlgorithm::EdDSA, Algorithm::EdDSA),
    ] {
        let server = start(database, ours).await;
        let answer = server.get(PATH).await;
        answer
            .assert_status(200)
            .assert_header("content-type", "application/json")
            .assert_header("cache-control", "public, max-age=300");
        let keys: JwkSet = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(keys.keys.len(), 2, "{}", answer.body);
        // The members of private keys: RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1.
        for key in answer.json()["keys"].as_array().unwrap() {
            for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
                assert_eq!(key.get(private), None);
            }
        }

        let access = log_in(&server, "09121234567").await.access;
        let id = decode_header(&access).unwrap().kid.unwrap();
        let key = DecodingKey::from_jwk(keys.find(&id).unwrap()).unwrap();
        let mut validation = Validation::new(theirs);
        validation.validate_exp = false;
        let claims: Value = jsonwebtoken::decode(&access, &key, &validation)
            .unwrap()
            .claims;
        assert_eq!(claims["token_type"], "access");
    }
}

async fn without_public_keys_there_is_nothing(database: Database) {
    let server = TestServer::start(database).await;
    for method in [Method::GET, Method::POST] {
        let answer = server.call(method, PATH).await;
        answer.assert_json(404, &json!({ "detail": "Not found." }));
    }
}

async fn nothing_is_changed_there(database: Database) {
    let server = start(database, JwtAlgorithm::EdDSA).await;
    server.call(Method::HEAD, PATH).await.assert_text(200, "");
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        server
            .call(method.clone(), PATH)
            .await
            .assert_json(
                405,
                &json!({ "detail": format!("Method \"{method}\" not allowed.") }),
            )
            .assert_header("allow", "GET, HEAD");
    }
}
