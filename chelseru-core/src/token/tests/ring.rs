//! Signing with one key and verifying with several.

use jsonwebtoken::decode_header;

use super::*;
use crate::testing::KeyPair;

const OLD: &str = "the key before: fedcba9876543210";
const OLDER: &str = "the key before that: 02468ace13579bdf";

/// Every algorithm with key pairs.
const WITH_PAIRS: [JwtAlgorithm; 6] = [
    JwtAlgorithm::RS256,
    JwtAlgorithm::RS384,
    JwtAlgorithm::RS512,
    JwtAlgorithm::ES256,
    JwtAlgorithm::ES384,
    JwtAlgorithm::EdDSA,
];

fn secrets(current: &str, previous: &[&str]) -> Tokens {
    Tokens::new(&JwtConfig {
        signing_key: Secret::new(current),
        previous_keys: previous.iter().map(|key| Secret::new(*key)).collect(),
        ..JwtConfig::default()
    })
    .unwrap()
}

fn config_of(algorithm: JwtAlgorithm, pair: KeyPair, previous: &[&str]) -> JwtConfig {
    JwtConfig {
        algorithm,
        signing_key: Secret::new(pair.private),
        verifying_key: Secret::new(pair.public),
        previous_keys: previous.iter().map(|key| Secret::new(*key)).collect(),
        ..JwtConfig::default()
    }
}

fn pairs(algorithm: JwtAlgorithm, pair: KeyPair, previous: &[&str]) -> Tokens {
    Tokens::new(&config_of(algorithm, pair, previous)).unwrap()
}

fn token_of(tokens: &Tokens) -> String {
    tokens.access(UserId(7), SessionId(9), "abc", NOW)
}

fn is_good(tokens: &Tokens, token: &str) -> bool {
    match tokens.verify(token, NOW) {
        Ok(claims) => claims.user == UserId(7),
        Err(error) => {
            assert_eq!(error, TokenError::Invalid);
            false
        }
    }
}

#[test]
fn the_header_of_hs256_is_exactly_what_simplejwt_writes() {
    for tokens in [secrets(KEY, &[]), secrets(KEY, &[OLD])] {
        let token = token_of(&tokens);
        // {"typ":"JWT","alg":"HS256"}
        assert!(token.starts_with("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."));
    }
}

#[test]
fn tokens_of_a_previous_secret_are_good_and_new_ones_are_signed_with_the_new_one() {
    let rotated = secrets(KEY, &[OLD, OLDER]);
    for key in [KEY, OLD, OLDER] {
        assert!(is_good(&rotated, &token_of(&secrets(key, &[]))), "{key}");
    }
    let fresh = token_of(&rotated);
    assert!(is_good(&secrets(KEY, &[]), &fresh));
    assert!(!is_good(&secrets(OLD, &[]), &fresh));
    let other = secrets("another key of thirty-two bytes!", &[]);
    assert!(!is_good(&rotated, &token_of(&other)));
}

#[test]
fn a_token_of_a_previous_key_runs_out_as_any_other() {
    let token = token_of(&secrets(OLD, &[]));
    let later = NOW + Duration::from_secs(300);
    let result = secrets(KEY, &[OLD]).verify(&token, later);
    assert_eq!(result, Err(TokenError::Expired));
}

#[test]
fn a_private_key_signs_and_its_public_half_verifies() {
    for algorithm in WITH_PAIRS {
        let [one, two] = KeyPair::two_for(algorithm);
        let tokens = pairs(algorithm, one, &[]);
        let token = token_of(&tokens);
        assert!(is_good(&tokens, &token), "{algorithm:?}");
        assert!(!is_good(&pairs(algorithm, two, &[]), &token));
        assert!(!is_good(&secrets(KEY, &[]), &token));
        assert!(!is_good(&tokens, &token_of(&secrets(KEY, &[]))));
        // The public key is no secret, whoever takes it for one.
        for public in [one.public, one.public.trim()] {
            let key = EncodingKey::from_secret(public.as_bytes());
            let claims = json!({
                "token_type": "access", "exp": NOW.as_secs() + 60,
                "jti": "0123456789abcdef0123456789abcdef", "user_id": 7,
            });
            let forged = jsonwebtoken::encode(&Header::default(), &claims, &key).unwrap();
            assert!(!is_good(&tokens, &forged), "{algorithm:?}");
        }
    }
}

#[test]
fn tokens_of_a_previous_pair_are_good_by_its_public_or_its_private_half() {
    for algorithm in WITH_PAIRS {
        let [old, new] = KeyPair::two_for(algorithm);
        let token = token_of(&pairs(algorithm, old, &[]));
        for previous in [old.public, old.private, old.private.trim()] {
            let rotated = pairs(algorithm, new, &[previous]);
            assert!(is_good(&rotated, &token), "{algorithm:?}");
            assert!(is_good(&pairs(algorithm, new, &[]), &token_of(&rotated)));
        }
    }
}

#[test]
fn a_token_names_its_key_and_one_that_names_none_is_tried_with_each() {
    for algorithm in WITH_PAIRS {
        let [old, new] = KeyPair::two_for(algorithm);
        let rotated = pairs(algorithm, new, &[old.public]);
        let id = |tokens| decode_header(token_of(tokens)).unwrap().kid.unwrap();
        let before = pairs(algorithm, old, &[]);
        let ids = [id(&rotated), id(&before)];
        assert_ne!(ids[0], ids[1]);

        let with_kid = |kid: Option<&str>| {
            let family = token_of(&before);
            let mut header = decode_header(&family).unwrap();
            header.kid = kid.map(str::to_owned);
            let bytes = old.private.as_bytes();
            let key = match algorithm {
                JwtAlgorithm::EdDSA => EncodingKey::from_ed_pem(bytes),
                JwtAlgorithm::ES256 | JwtAlgorithm::ES384 => EncodingKey::from_ec_pem(bytes),
                _ => EncodingKey::from_rsa_pem(bytes),
            };
            let claims = json!({
                "token_type": "access", "exp": NOW.as_secs() + 60,
                "jti": "0123456789abcdef0123456789abcdef", "user_id": 7,
            });
            jsonwebtoken::encode(&header, &claims, &key.unwrap()).unwrap()
        };
        for tokens in [&rotated, &before] {
            assert!(is_good(tokens, &with_kid(None)));
            assert!(is_good(tokens, &with_kid(Some(&ids[1]))));
            assert!(!is_good(tokens, &with_kid(Some(&ids[0]))));
            for kid in ["", "x", "../../../../dev/null", "' OR 1=1 --"] {
                assert!(!is_good(tokens, &with_kid(Some(kid))), "{kid}");
            }
        }
    }
}

/// The keys and thumbprints of RFC 7638, section 3.1, and RFC 8037, appendix A.
#[test]
fn a_key_is_called_by_its_thumbprint() {
    const RSA: &str = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc/BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ/2W+5JsGY4Hc5n9yBXArwl93lqt7/RN5w6Cf0h4QyQ5v+65YGjQR0/FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt+bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ+G/xBniIqbw0Ls1jF44+csFCur+kEgU8awapJzKnqDKgwIDAQAB\n-----END PUBLIC KEY-----\n";
    const ED25519: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    for (algorithm, public, thumbprint) in [
        (
            JwtAlgorithm::RS256,
            RSA,
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        ),
        (
            JwtAlgorithm::EdDSA,
            ED25519,
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        ),
    ] {
        let [pair, _] = KeyPair::two_for(algorithm);
        let keys = pairs(algorithm, pair, &[public]).public_keys().unwrap();
        let id = keys.keys[1].common.key_id.as_deref();
        assert_eq!(id, Some(thumbprint));
    }
}

#[test]
fn the_public_keys_are_those_that_verify_and_hold_nothing_private() {
    assert!(secrets(KEY, &[OLD]).public_keys().is_none());
    for (algorithm, kind, members) in [
        (JwtAlgorithm::RS256, "RSA", vec!["n", "e"]),
        (JwtAlgorithm::ES256, "EC", vec!["crv", "x", "y"]),
        (JwtAlgorithm::ES384, "EC", vec!["crv", "x", "y"]),
        (JwtAlgorithm::EdDSA, "OKP", vec!["crv", "x"]),
    ] {
        let [old, new] = KeyPair::two_for(algorithm);
        // The same one twice, in both forms, and the current one again.
        let previous = [old.private, old.public, new.public];
        let tokens = pairs(algorithm, new, &previous);
        let document = serde_json::to_value(tokens.public_keys().unwrap()).unwrap();
        let keys = document["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 2, "{document}");
        let id = decode_header(token_of(&tokens)).unwrap().kid;
        assert_eq!(keys[0]["kid"].as_str(), id.as_deref());
        for key in keys {
            assert_eq!(key["use"], "sig");
            assert_eq!(key["kty"], kind);
            assert_eq!(key["alg"], format!("{algorithm:?}"));
            let mut names: Vec<_> = key.as_object().unwrap().keys().collect();
            names.retain(|name| !["alg", "kid", "kty", "use"].contains(&name.as_str()));
            let mut members = members.clone();
            members.sort_unstable();
            assert_eq!(names, members);
        }
    }
}

#[test]
fn keys_that_do_not_belong_together_stop_the_start() {
    for algorithm in WITH_PAIRS {
        let [one, two] = KeyPair::two_for(algorithm);
        let mut config = config_of(algorithm, one, &[]);
        config.verifying_key = Secret::new(two.public);
        let error = Tokens::new(&config).unwrap_err();
        assert_eq!(error.problems()[0].key, "AUTH.JWT.VERIFYING_KEY");
    }
}

#[test]
fn a_previous_key_that_is_of_another_kind_or_too_short_is_refused_and_not_shown() {
    const RSA_1024: &str = "-----BEGIN PUBLIC KEY-----\nMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDdfpygIwX2iejo5CWBaCx5xgIT\nmU7aoA5oo2LQXmJ5n1tQ241omJDwzj34MJAcZ3ehb5zNmB+ovu17brfm5ME6jv9B\n6+ZiVB4ton/MD0P+Z1YiR3oES8BkmIC90nWCF6z2BiFbLkeVnb/AGI+PCYqj7Ki7\nVTHvFsRFPwg+udc6FwIDAQAB\n-----END PUBLIC KEY-----\n";
    let of = |algorithm| KeyPair::two_for(algorithm)[1];
    let (rsa, p256) = (of(JwtAlgorithm::RS256), of(JwtAlgorithm::ES256));
    let (p384, ed) = (of(JwtAlgorithm::ES384), of(JwtAlgorithm::EdDSA));
    for (algorithm, wrong) in [
        (JwtAlgorithm::RS256, RSA_1024),
        (JwtAlgorithm::RS256, p256.public),
        (JwtAlgorithm::ES256, p384.public),
        (JwtAlgorithm::ES256, p384.private),
        (JwtAlgorithm::ES256, rsa.private),
        (JwtAlgorithm::ES384, p256.public),
        (JwtAlgorithm::EdDSA, p256.public),
        (JwtAlgorithm::ES384, ed.public),
        (JwtAlgorithm::EdDSA, "-----BEGIN PUBLIC KEY-----\nnonsense"),
        (JwtAlgorithm::EdDSA, "-----BEGIN PRIVATE KEY-----\nnonsense"),
    ] {
        let [pair, other] = KeyPair::two_for(algorithm);
        let config = config_of(algorithm, pair, &[other.public, wrong]);
        let error = Tokens::new(&config).unwrap_err();
        assert_eq!(
            error.to_string(),
            "AUTH.JWT.PREVIOUS_KEYS: key 2 is not a key in PEM for AUTH.JWT.ALGORITHM"
        );
    }
}

#[test]
fn a_public_key_is_never_a_secret_to_hash_with() {
    let [old, new] = KeyPair::two_for(JwtAlgorithm::EdDSA);
    let secrets = |previous: &[&str]| {
        let secrets = config_of(JwtAlgorithm::EdDSA, new, previous).secrets();
        secrets
            .iter()
            .map(|key| key.expose().to_owned())
            .collect::<Vec<_>>()
    };
    let only: Vec<String> = vec![new.private.trim().to_owned()];
    assert_eq!(secrets(&[]), only);
    assert_eq!(secrets(&[old.public]), only);
    let both = [only[0].clone(), old.private.trim().to_owned()];
    assert_eq!(secrets(&[old.public, old.private]), both);
}
