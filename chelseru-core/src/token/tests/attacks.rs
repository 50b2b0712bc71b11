//! What RFC 8725 warns of, and what else has been tried on other libraries. Raw tokens are tried over
//! HTTP, in the tests of the whole system.

use serde::ser::{SerializeMap, Serializer};

use super::*;

fn claims() -> Value {
    json!({
        "token_type": "access", "exp": NOW.as_secs() + 60, "iat": NOW.as_secs(),
        "jti": "0123456789abcdef0123456789abcdef", "user_id": 7,
    })
}

fn with_header(change: impl FnOnce(&mut Header)) -> Result<UserId, TokenError> {
    let mut header = Header::default();
    change(&mut header);
    let key = EncodingKey::from_secret(KEY.as_bytes());
    let token = jsonwebtoken::encode(&header, &claims(), &key).unwrap();
    tokens().verify(&token, NOW).map(|claims| claims.user)
}

#[test]
fn a_header_that_names_a_key_or_must_be_understood_is_not_valid_even_with_our_signature() {
    assert_eq!(with_header(|_| ()), Ok(UserId(7)));
    for kid in [
        "",
        "1",
        "/dev/null",
        "../../etc/passwd",
        "x' UNION SELECT 'a",
        "http://127.0.0.1/",
    ] {
        let result = with_header(|header| header.kid = Some(kid.to_owned()));
        assert_eq!(result, Err(TokenError::Invalid), "{kid}");
    }
    for crit in [&[][..], &["exp"], &["b64"], &["alg", "x"]] {
        let crit: Vec<_> = crit.iter().map(|name| (*name).to_owned()).collect();
        let result = with_header(|header| header.crit = Some(crit));
        assert_eq!(result, Err(TokenError::Invalid));
    }
}

#[test]
fn the_library_knows_no_algorithm_but_those_of_the_settings() {
    for algorithm in [
        jsonwebtoken::Algorithm::HS384,
        jsonwebtoken::Algorithm::HS512,
    ] {
        let result = with_header(|header| header.alg = algorithm);
        assert_eq!(result, Err(TokenError::Invalid));
    }
}

#[test]
fn times_are_whole_seconds_of_a_life_that_somebody_may_live() {
    let now = NOW.as_secs();
    for (name, value) in [
        ("exp", Value::Null),
        ("exp", json!((now + 60).to_string())),
        ("exp", json!(1_800_000_060.5)),
        ("exp", json!(1.8e300)),
        ("exp", json!(true)),
        ("exp", json!([now + 60])),
        ("exp", json!({})),
        ("exp", json!(-1)),
        ("exp", json!(i64::MIN)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(now + 102 * 365 * 86_400)),
        ("iat", json!(now + 3601)),
        ("iat", json!(i64::MAX)),
        ("iat", json!("now")),
        ("iat", json!(1_800_000_000.5)),
        ("nbf", json!(now + 1)),
        ("nbf", json!(i64::MAX)),
        ("nbf", Value::Null),
    ] {
        let result = tokens().verify(&foreign(&json!({ name: value })), NOW);
        assert_eq!(result, Err(TokenError::Invalid), "{name} {value}");
    }
    for exp in [0, now - 1, now] {
        let result = tokens().verify(&foreign(&json!({ "exp": exp })), NOW);
        assert_eq!(result, Err(TokenError::Expired), "{exp}");
    }
    for (name, value) in [
        ("exp", now + 100 * 365 * 86_400),
        ("iat", now + 3600),
        ("iat", -1),
        ("nbf", now),
    ] {
        let result = tokens().verify(&foreign(&json!({ name: value })), NOW);
        assert!(result.is_ok(), "{name} {value}");
    }
}

#[test]
fn a_claim_that_stands_there_twice_is_not_chosen_from() {
    /// The claims and one more.
    struct Twice(&'static str, Value);

    impl serde::Serialize for Twice {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            for (name, value) in claims().as_object().unwrap() {
                map.serialize_entry(name, value)?;
            }
            map.serialize_entry(self.0, &self.1)?;
            map.end()
        }
    }

    let key = EncodingKey::from_secret(KEY.as_bytes());
    let verify = |name, value| {
        let token = jsonwebtoken::encode(&Header::default(), &Twice(name, value), &key).unwrap();
        tokens().verify(&token, NOW).map(|claims| claims.user)
    };
    assert_eq!(verify("other", json!(1)), Ok(UserId(7)));
    for (name, value) in [
        ("user_id", json!(8)),
        ("user_id", json!(7)),
        ("token_type", json!("refresh")),
        ("exp", json!(NOW.as_secs() + 6000)),
        ("jti", json!("another")),
    ] {
        assert_eq!(verify(name, value), Err(TokenError::Invalid), "{name}");
    }
}
