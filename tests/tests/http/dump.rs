//! What a copy of the database tells of a code that is on its way: nothing, not even to who tries all
//! codes with every key that he can think of.

use chelseru_core::Clock;
use chelseru_core::config::JwtAlgorithm;
use chelseru_core::testing::KeyPair;
use chelseru_tests::{Database, SIGNING_KEY, Setup, TestServer, on_both_databases, send_code};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

on_both_databases! {
    trying_all_codes_on_a_copy_of_the_database_needs_the_signing_key
    the_public_key_does_not_help
}

const NUMBER: &str = "09121234567";
const PURPOSE: &[u8] = b"chelseru one-time code v3";

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// The scheme, as everybody can read it.
fn by_the_scheme(key: &[u8], code: &str) -> Vec<u8> {
    let mut message = Vec::new();
    for part in ["login", NUMBER, code] {
        message.extend((part.len() as u64).to_be_bytes());
        message.extend(part.as_bytes());
    }
    hmac(&hmac(key, PURPOSE), &message)
}

/// Every hash of a code that does not need more than the database and our source.
fn guesses(code: &str, keys: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let texts = [
        code.to_owned(),
        format!("{NUMBER}{code}"),
        format!("{code}{NUMBER}"),
        format!("{NUMBER}:{code}"),
    ];
    let mut guesses = Vec::new();
    for text in &texts {
        guesses.push(Sha256::digest(text).to_vec());
        guesses.push(Sha256::digest(Sha256::digest(text)).to_vec());
        guesses.extend(keys.iter().map(|key| hmac(key, text.as_bytes())));
    }
    guesses.extend(keys.iter().map(|key| by_the_scheme(key, code)));
    guesses
}

/// The code, and its hash as the database keeps it.
async fn code_and_hash(server: &TestServer) -> (String, Vec<u8>) {
    let code = send_code(server, NUMBER).await;
    let number = NUMBER.parse().unwrap();
    let counted = server
        .store()
        .count_attempt(number, server.clock.now(), 5)
        .await;
    (code, counted.unwrap().unwrap().hash.to_vec())
}

fn all_codes() -> impl Iterator<Item = String> {
    (0..1000).map(|number| format!("{number:03}"))
}

async fn trying_all_codes_on_a_copy_of_the_database_needs_the_signing_key(database: Database) {
    let setup = Setup::new(database).await;
    let server = setup.config(|config| config.otp_length(3)).start().await;
    let (code, hash) = code_and_hash(&server).await;
    let keys = [
        &b""[..],
        PURPOSE,
        NUMBER.as_bytes(),
        b"chelseru",
        b"secret",
        &[0; 32],
    ];
    let keys = keys.map(<[u8]>::to_vec);
    for tried in all_codes() {
        assert!(!guesses(&tried, &keys).contains(&hash), "{tried}");
    }
    // The key is all that is missing: this is the scheme.
    let found: Vec<_> = all_codes()
        .filter(|tried| by_the_scheme(SIGNING_KEY.as_bytes(), tried) == hash)
        .collect();
    assert_eq!(found, [code]);
}

async fn the_public_key_does_not_help(database: Database) {
    let [old, new] = KeyPair::two_for(JwtAlgorithm::EdDSA);
    let setup = Setup::new(database).await;
    let server = setup
        .config(|config| {
            config
                .otp_length(3)
                .jwt_algorithm(JwtAlgorithm::EdDSA)
                .signing_key(new.private)
                .verifying_key(new.public)
                .previous_keys([old.public])
        })
        .start()
        .await;
    let (code, hash) = code_and_hash(&server).await;
    let published = server.get("/.well-known/jwks.json").await.body;
    let keys: Vec<_> = [old.public, new.public, &published]
        .iter()
        .flat_map(|key| [key.as_bytes().to_vec(), key.trim().as_bytes().to_vec()])
        .collect();
    for tried in all_codes() {
        assert!(!guesses(&tried, &keys).contains(&hash), "{tried}");
    }
    let found: Vec<_> = all_codes()
        .filter(|tried| by_the_scheme(new.private.trim().as_bytes(), tried) == hash)
        .collect();
    assert_eq!(found, [code]);
}
