mod attacks;
mod ring;

use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use super::{TokenError, TokenType, Tokens};
use crate::clock::Timestamp;
use crate::config::{JwtAlgorithm, JwtConfig};
use crate::secret::Secret;
use crate::session::SessionId;
use crate::user::UserId;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn config() -> JwtConfig {
    JwtConfig {
        signing_key: Secret::new(KEY),
        ..JwtConfig::default()
    }
}

fn tokens() -> Tokens {
    Tokens::new(&config()).unwrap()
}

fn signed(claims: &Value) -> String {
    let key = EncodingKey::from_secret(KEY.as_bytes());
    jsonwebtoken::encode(&Header::default(), claims, &key).unwrap()
}

fn foreign(changes: &Value) -> String {
    let mut claims = json!({
        "token_type": "access", "exp": NOW.as_secs() + 60, "iat": NOW.as_secs(),
        "jti": "0123456789abcdef0123456789abcdef", "user_id": 7,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    signed(&claims)
}

#[test]
fn a_token_says_whose_it_is_until_its_lifetime_ends() {
    let token = tokens().access(UserId(7), SessionId(9), "abc", NOW);
    let claims = tokens()
        .verify_type(&token, TokenType::Access, NOW)
        .unwrap();
    assert_eq!(
        (claims.user, claims.session),
        (UserId(7), Some(SessionId(9)))
    );
    let last = NOW + Duration::from_secs(299);
    assert!(tokens().verify(&token, last).is_ok());
    let end = NOW + Duration::from_secs(300);
    assert_eq!(tokens().verify(&token, end), Err(TokenError::Expired));
}

#[test]
fn leeway_accepts_a_token_a_little_longer() {
    let lenient = Tokens::new(&JwtConfig {
        leeway: Duration::from_secs(5),
        ..config()
    })
    .unwrap();
    let token = lenient.access(UserId(7), SessionId(9), "abc", NOW);
    assert!(
        lenient
            .verify(&token, NOW + Duration::from_secs(304))
            .is_ok()
    );
    assert!(
        lenient
            .verify(&token, NOW + Duration::from_secs(305))
            .is_err()
    );
}

#[test]
fn a_refresh_token_is_not_an_access_token() {
    let token = tokens().refresh(
        UserId(7),
        SessionId(9),
        "abc",
        NOW,
        NOW + Duration::from_secs(60),
    );
    assert_eq!(
        tokens().verify_type(&token, TokenType::Access, NOW),
        Err(TokenError::WrongType)
    );
}

#[test]
fn tokens_of_other_services_may_write_the_user_as_text_and_have_no_session() {
    for user_id in [json!(7), json!("7")] {
        let claims = tokens()
            .verify(&foreign(&json!({"user_id": user_id})), NOW)
            .unwrap();
        assert_eq!((claims.user, claims.session), (UserId(7), None));
    }
}

#[test]
fn a_token_without_the_claims_that_we_need_is_invalid() {
    for changes in [
        json!({"token_type": null}),
        json!({"token_type": "sliding"}),
        json!({"exp": null}),
        json!({"exp": "soon"}),
        json!({"jti": null}),
        json!({"jti": ""}),
        json!({"user_id": null}),
        json!({"user_id": "seven"}),
        json!({"user_id": 7.5}),
        json!({"sid": "9"}),
    ] {
        let result = tokens().verify(&foreign(&changes), NOW);
        assert_eq!(result, Err(TokenError::Invalid), "{changes}");
    }
}

#[test]
fn garbage_other_keys_and_other_algorithms_are_invalid() {
    let token = tokens().access(UserId(7), SessionId(9), "abc", NOW);
    let (rest, _) = token.rsplit_once('.').unwrap();
    let other_key = Tokens::new(&JwtConfig {
        signing_key: Secret::new("another key of thirty-two bytes!"),
        ..config()
    })
    .unwrap();
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJ1c2VyX2lkIjo3fQ.";
    for bad in [
        "",
        ".",
        "a.b.c",
        "é",
        rest,
        unsigned,
        &"a".repeat(1_000_000),
    ] {
        assert_eq!(tokens().verify(bad, NOW), Err(TokenError::Invalid));
    }
    assert_eq!(other_key.verify(&token, NOW), Err(TokenError::Invalid));
}

#[test]
fn issuer_and_audience_are_written_and_then_required() {
    let strict = Tokens::new(&JwtConfig {
        issuer: Some("us".to_owned()),
        audience: vec!["app".to_owned(), "web".to_owned()],
        ..config()
    })
    .unwrap();
    let token = strict.access(UserId(7), SessionId(9), "abc", NOW);
    assert!(strict.verify(&token, NOW).is_ok());
    assert!(
        strict
            .verify(&foreign(&json!({"iss": "us", "aud": "web"})), NOW)
            .is_ok()
    );
    for changes in [
        json!({}),
        json!({"iss": "us"}),
        json!({"iss": "them", "aud": "app"}),
        json!({"iss": "us", "aud": "them"}),
    ] {
        assert_eq!(
            strict.verify(&foreign(&changes), NOW),
            Err(TokenError::Invalid),
            "{changes}"
        );
    }
    // Without an audience of our own, another service's is no reason to refuse (as simplejwt does).
    assert!(
        tokens()
            .verify(&foreign(&json!({"aud": "them"})), NOW)
            .is_ok()
    );
}

#[test]
fn a_missing_key_is_named() {
    let error = Tokens::new(&JwtConfig::default()).unwrap_err();
    assert_eq!(error.problems()[0].key, "AUTH.JWT.SIGNING_KEY");
}

#[test]
fn keys_that_cannot_be_used_stop_the_start_and_are_not_shown() {
    for (algorithm, key) in [
        (JwtAlgorithm::RS256, "-----BEGIN PRIVATE KEY-----\nnonsense"),
        (JwtAlgorithm::ES256, "not even PEM"),
        (JwtAlgorithm::EdDSA, ""),
    ] {
        let error = Tokens::new(&JwtConfig {
            algorithm,
            signing_key: Secret::new(key),
            verifying_key: Secret::new(key),
            ..JwtConfig::default()
        })
        .unwrap_err();
        assert_eq!(error.problems()[0].key, "AUTH.JWT.SIGNING_KEY");
        assert!(!error.to_string().contains("nonsense"), "{error}");
    }
}

#[test]
fn a_token_is_not_accepted_before_its_time() {
    let now = NOW.as_secs();
    assert!(tokens().verify(&foreign(&json!({"nbf": now})), NOW).is_ok());
    for not_before in [json!(now + 1), json!("now")] {
        let result = tokens().verify(&foreign(&json!({"nbf": not_before})), NOW);
        assert_eq!(result, Err(TokenError::Invalid), "{not_before}");
    }
}
