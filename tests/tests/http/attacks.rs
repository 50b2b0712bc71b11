//! Forged tokens: what RFC 8725 warns of, and what has been tried on other libraries. Each is sent to
//! every route that reads a token; it is refused like any bad token, and the real ones still work.

use std::net::TcpListener;

use chelseru_core::config::JwtAlgorithm;
use chelseru_core::testing::KeyPair;
use chelseru_tests::{Database, SIGNING_KEY, Setup, TestServer, Tokens, log_in, on_both_databases};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::forge::{self, START, part, raw};

on_both_databases! {
    a_token_that_nobody_signed_is_invalid
    a_public_key_is_no_secret_to_sign_with
    a_key_that_the_token_brings_or_names_is_not_used_and_not_fetched
    a_header_that_is_none_is_invalid_even_with_our_signature
    a_payload_that_is_none_is_invalid_even_with_our_signature
    claims_that_make_no_sense_are_invalid_even_with_our_signature
    a_token_for_somebody_else_is_invalid
    a_token_of_one_kind_is_none_of_the_other
    a_token_of_a_megabyte_is_not_read
}

const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
const KEY: &[u8] = SIGNING_KEY.as_bytes();

/// A user who is logged in.
struct Scene {
    server: TestServer,
    tokens: Tokens,
}

impl Scene {
    async fn new(setup: Setup) -> Self {
        let server = setup.start().await;
        let tokens = log_in(&server, "09121234567").await;
        Self { server, tokens }
    }

    /// Two pairs of keys, the first of them the server's.
    async fn with_pairs(database: Database, algorithm: JwtAlgorithm) -> (Self, [KeyPair; 2]) {
        let pairs = KeyPair::two_for(algorithm);
        let setup = Setup::new(database).await.config(|config| {
            config
                .jwt_algorithm(algorithm)
                .signing_key(pairs[0].private)
                .verifying_key(pairs[0].public)
        });
        (Self::new(setup).await, pairs)
    }

    /// Sends what is made of the claims of both tokens to every route that reads such a token.
    async fn assert_refused(&self, forge: impl Fn(&Value) -> String) {
        self.assert_refused_as("Token is invalid", forge).await;
    }

    async fn assert_refused_as(&self, message: &str, forge: impl Fn(&Value) -> String) {
        let token = forge(&claims_of(&self.tokens.access));
        for path in ["/whoami", "/api/sessions/"] {
            self.server
                .get(path)
                .bearer(&token)
                .await
                .assert_json(
                    401,
                    &json!({
                        "detail": "Given token not valid for any token type",
                        "code": "token_not_valid",
                        "messages": [{
                            "token_class": "AccessToken", "token_type": "access", "message": message,
                        }],
                    }),
                )
                .assert_header("www-authenticate", "Bearer realm=\"api\"");
        }
        self.assert_no_token(message, "/api/token/verify/", &json!({ "token": token }))
            .await;
        let token = forge(&claims_of(&self.tokens.refresh));
        for (path, body) in [
            ("/api/token/refresh/", json!({ "refresh": token })),
            ("/api/token/verify/", json!({ "token": token })),
            ("/api/logout/", json!({ "refresh": token })),
        ] {
            self.assert_no_token(message, path, &body).await;
        }
    }

    async fn assert_no_token(&self, message: &str, path: &str, body: &Value) {
        self.server
            .post(path)
            .json(body)
            .await
            .assert_json(
                401,
                &json!({ "detail": message, "code": "token_not_valid" }),
            )
            .assert_header("www-authenticate", "Bearer realm=\"api\"");
    }

    /// The user notices nothing.
    async fn assert_unharmed(&self) {
        let whoami = self.server.get("/whoami").bearer(&self.tokens.access).await;
        whoami.assert_status(200);
        let refreshed = self
            .server
            .post("/api/token/refresh/")
            .json(&json!({ "refresh": self.tokens.refresh }))
            .await;
        refreshed.assert_status(200);
    }
}

/// What a token says, whoever signed it.
pub(crate) fn claims_of(token: &str) -> Value {
    jsonwebtoken::dangerous::insecure_decode::<Value>(token)
        .unwrap()
        .claims
}

async fn a_token_that_nobody_signed_is_invalid(database: Database) {
    let scene = Scene::new(Setup::new(database).await).await;
    for algorithm in [
        r#""none""#,
        r#""None""#,
        r#""NONE""#,
        r#""nOnE""#,
        r#""none ""#,
        r#""""#,
        "null",
        "0",
        r#"["none"]"#,
        r#"["HS256"]"#,
        r#""hs256""#,
        r#""HS256\u0000""#,
        r#""HS1""#,
        r#""RS256""#,
        r#""dir""#,
    ] {
        let header = format!(r#"{{"alg":{algorithm},"typ":"JWT"}}"#);
        let unsigned = |claims: &Value| format!("{}.{}.", part(&header), part(claims.to_string()));
        scene.assert_refused(unsigned).await;
        // With our signature it is no better: the header is not what we write.
        scene
            .assert_refused(|claims| raw(&header, claims.to_string(), KEY))
            .await;
    }
    for header in [r#"{"typ":"JWT"}"#, r#"{"ALG":"HS256"}"#] {
        scene
            .assert_refused(|claims| raw(header, claims.to_string(), KEY))
            .await;
    }
    // Secrets that were found in other places.
    for secret in [
        &b""[..],
        b"\0",
        b"secret",
        b"null",
        b"undefined",
        &SIGNING_KEY.as_bytes()[1..],
    ] {
        scene
            .assert_refused(|claims| raw(HS256, claims.to_string(), secret))
            .await;
    }
    scene.assert_unharmed().await;
}

async fn a_public_key_is_no_secret_to_sign_with(database: Database) {
    for algorithm in [
        JwtAlgorithm::RS256,
        JwtAlgorithm::ES256,
        JwtAlgorithm::EdDSA,
    ] {
        let (scene, [ours, _]) = Scene::with_pairs(database, algorithm).await;
        let keys = scene.server.get("/.well-known/jwks.json").await;
        let key = keys.json()["keys"][0].clone();
        let kid = key["kid"].as_str().unwrap().to_owned();
        let coordinate = key.get("n").or(key.get("x")).unwrap();
        for secret in [
            ours.public.to_owned(),
            ours.public.trim().to_owned(),
            ours.public.replace('\n', "\r\n"),
            key.to_string(),
            coordinate.as_str().unwrap().to_owned(),
            kid.clone(),
            String::new(),
        ] {
            for header in [
                json!({ "alg": "HS256", "typ": "JWT" }),
                json!({ "alg": "HS256", "typ": "JWT", "kid": kid }),
                json!({ "alg": format!("{algorithm:?}"), "typ": "JWT", "kid": kid }),
            ] {
                scene
                    .assert_refused(|claims| {
                        raw(header.to_string(), claims.to_string(), secret.as_bytes())
                    })
                    .await;
            }
        }
        scene.assert_unharmed().await;
    }
}

async fn a_key_that_the_token_brings_or_names_is_not_used_and_not_fetched(database: Database) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/keys.json", listener.local_addr().unwrap());

    let (scene, [_, theirs]) = Scene::with_pairs(database, JwtAlgorithm::EdDSA).await;
    let key = EncodingKey::from_ed_pem(theirs.private.as_bytes()).unwrap();
    let mut jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA).unwrap();
    jwk.common.key_id = Some("theirs".to_owned());
    let real = jsonwebtoken::decode_header(&scene.tokens.access).unwrap();
    for kid in [None, Some("theirs".to_owned()), real.kid] {
        let changes: [fn(&mut Header, &str, &Jwk); 5] = [
            |_, _, _| {},
            |header, url, _| header.jku = Some(url.to_owned()),
            |header, url, _| header.x5u = Some(url.to_owned()),
            |header, _, jwk| header.jwk = Some(jwk.clone()),
            |header, url, jwk| {
                header.jku = Some(url.to_owned());
                header.jwk = Some(jwk.clone());
                header.x5c = Some(vec![jwk.common.key_id.clone().unwrap_or_default()]);
                header.x5t = Some("theirs".to_owned());
            },
        ];
        for change in changes {
            let mut header = Header::new(Algorithm::EdDSA);
            header.kid.clone_from(&kid);
            change(&mut header, &url, &jwk);
            scene
                .assert_refused(|claims| jsonwebtoken::encode(&header, claims, &key).unwrap())
                .await;
        }
    }
    scene.assert_unharmed().await;

    let scene = Scene::new(Setup::new(database).await).await;
    let long = "x".repeat(40_000);
    for (kid, secret) in [
        ("/dev/null", ""),
        ("../../../../../../dev/null", ""),
        ("/proc/sys/kernel/randomize_va_space", "2"),
        ("x' UNION SELECT 'secret' --", "secret"),
        ("|| sleep 5", "secret"),
        ("\u{0}", ""),
        (&url, "secret"),
        (&long, "secret"),
        // Even who has the key: ours have no names.
        ("1", SIGNING_KEY),
        ("/dev/null", SIGNING_KEY),
    ] {
        let header = json!({ "alg": "HS256", "typ": "JWT", "kid": kid, "jku": url });
        scene
            .assert_refused(|claims| raw(header.to_string(), claims.to_string(), secret.as_bytes()))
            .await;
    }
    scene.assert_unharmed().await;
    let called = listener.accept();
    assert!(called.is_err(), "somebody called: {called:?}");
}

async fn a_header_that_is_none_is_invalid_even_with_our_signature(database: Database) {
    let scene = Scene::new(Setup::new(database).await).await;
    let deep = format!(
        r#"{{"alg":"HS256","x":{}{}}}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    for header in [
        &b""[..],
        b"null",
        b"[]",
        b"\"HS256\"",
        b"{",
        b"{}",
        b"{\"alg\":\"HS256\"",
        b"{\"alg\":\"HS256\"}}",
        b"{\"alg\":\"HS256\",\"alg\":\"HS256\"}",
        b"{\"alg\":\"HS256\",\"alg\":\"none\"}",
        b"{\"alg\":\"none\",\"alg\":\"HS256\"}",
        b"\xef\xbb\xbf{\"alg\":\"HS256\"}",
        b"{\"alg\":\"HS256\",\"x\":\"\xff\xfe\"}",
        b"{\"alg\":\"HS256\",\"kid\":7}",
        b"{\"alg\":\"HS256\",\"kid\":{\"$ne\":1}}",
        b"{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}",
        b"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}",
        b"{\"alg\":\"HS256\",\"crit\":[]}",
        b"{\"alg\":\"HS256\",\"crit\":\"exp\"}",
        deep.as_bytes(),
    ] {
        scene
            .assert_refused(|claims| raw(header, claims.to_string(), KEY))
            .await;
    }
    scene.assert_unharmed().await;
}

async fn a_payload_that_is_none_is_invalid_even_with_our_signature(database: Database) {
    let scene = Scene::new(Setup::new(database).await).await;
    for payload in [
        &b""[..],
        b"null",
        b"7",
        b"\"access\"",
        b"{}",
        b"{",
        b"\xff\xfe\xfd",
        "[".repeat(1000).as_bytes(),
    ] {
        scene.assert_refused(|_| raw(HS256, payload, KEY)).await;
    }
    let with = |claims: &Value, more: &str| {
        let text = claims.to_string();
        raw(HS256, format!("{},{more}}}", &text[..text.len() - 1]), KEY)
    };
    let deep = format!("\"x\":{}{}", "[".repeat(500), "]".repeat(500));
    for more in [
        r#""user_id":1"#,
        r#""user_id":2"#,
        r#""exp":99999999999"#,
        r#""token_type":"access""#,
        r#""jti":"x""#,
        r#""sid":1"#,
        &deep,
    ] {
        scene.assert_refused(|claims| with(claims, more)).await;
    }
    let reparted = |change: fn([&str; 3]) -> String| {
        move |claims: &Value| {
            let token = forge::sign(claims);
            let parts: Vec<_> = token.split('.').collect();
            change([parts[0], parts[1], parts[2]])
        }
    };
    let changes: [fn([&str; 3]) -> String; 12] = [
        |[header, payload, _]| format!("{header}.{payload}"),
        |[header, payload, _]| format!("{header}.{payload}."),
        |[header, payload, signature]| format!("{header}.{payload}.{signature}."),
        |[header, payload, signature]| format!(".{header}.{payload}.{signature}"),
        |[header, payload, signature]| format!("{header}.{payload}.{signature}.{signature}"),
        // As many parts as an encrypted token has (RFC 7516).
        |[header, payload, signature]| format!("{header}..{payload}.{signature}.{signature}"),
        |[header, payload, signature]| format!("{header}.{payload}.{signature}="),
        |[header, payload, signature]| format!("{header}.{payload}==.{signature}"),
        |[header, payload, signature]| format!("{header}.{payload}+/.{signature}"),
        |[header, payload, signature]| format!("{header}.{payload}.{signature}A"),
        |[header, payload, signature]| format!("{payload}.{header}.{signature}"),
        // The last character of 32 bytes has two bits that mean nothing.
        |[header, payload, signature]| {
            let (rest, last) = signature.split_at(signature.len() - 1);
            let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let next = alphabet.find(last).unwrap() + 1;
            format!("{header}.{payload}.{rest}{}", &alphabet[next..=next])
        },
    ];
    for change in changes {
        scene.assert_refused(reparted(change)).await;
    }
    scene.assert_unharmed().await;
}

async fn claims_that_make_no_sense_are_invalid_even_with_our_signature(database: Database) {
    let scene = Scene::new(Setup::new(database).await).await;
    for (name, value) in [
        ("exp", None),
        ("exp", Some(Value::Null)),
        ("exp", Some(json!((START + 300).to_string()))),
        ("exp", Some(json!(1_767_225_900.5))),
        ("exp", Some(json!(1e300))),
        ("exp", Some(json!(true))),
        ("exp", Some(json!([START + 300]))),
        ("exp", Some(json!(-1))),
        ("exp", Some(json!(i64::MIN))),
        ("exp", Some(json!(i64::MAX))),
        ("exp", Some(json!(u64::MAX))),
        ("iat", Some(json!(START + 3601))),
        ("iat", Some(json!("now"))),
        ("nbf", Some(json!(START + 1))),
        ("nbf", Some(json!(u64::MAX))),
        ("nbf", Some(json!("now"))),
        ("jti", None),
        ("jti", Some(json!(["x"]))),
        ("token_type", None),
        ("token_type", Some(json!("sliding"))),
        ("token_type", Some(json!(["access", "refresh"]))),
        ("user_id", Some(json!({ "$gt": 0 }))),
        ("user_id", Some(json!("1 OR 1=1"))),
        ("user_id", Some(json!(u64::MAX))),
        ("sid", Some(json!(1.5))),
        ("sid", Some(json!([1]))),
        ("sid", Some(Value::Null)),
    ] {
        scene
            .assert_refused(|claims| forge::sign(&forge::with(claims, name, value.clone())))
            .await;
    }
    for exp in [0, START - 1, START] {
        scene
            .assert_refused_as("Token is expired", |claims| {
                forge::sign(&forge::with(claims, "exp", Some(json!(exp))))
            })
            .await;
    }
    scene.assert_unharmed().await;
}

async fn a_token_for_somebody_else_is_invalid(database: Database) {
    let setup = Setup::new(database).await;
    let scene =
        Scene::new(setup.config(|config| config.issuer("us").audience(["app", "web"]))).await;
    for (name, value) in [
        ("iss", None),
        ("iss", Some(json!("them"))),
        ("iss", Some(json!(["them"]))),
        ("iss", Some(json!(""))),
        ("aud", None),
        ("aud", Some(json!("them"))),
        ("aud", Some(json!(["them"]))),
        ("aud", Some(json!([]))),
        ("aud", Some(json!(7))),
    ] {
        scene
            .assert_refused(|claims| forge::sign(&forge::with(claims, name, value.clone())))
            .await;
    }
    scene.assert_unharmed().await;
}

async fn a_token_of_one_kind_is_none_of_the_other(database: Database) {
    let scene = Scene::new(Setup::new(database).await).await;
    let Tokens { access, refresh } = &scene.tokens;
    let whoami = scene.server.get("/whoami").bearer(refresh).await;
    let message = &whoami.json()["messages"][0]["message"];
    assert_eq!(
        (whoami.status, message),
        (401, &json!("Token has wrong type"))
    );
    for path in ["/api/token/refresh/", "/api/logout/"] {
        scene
            .assert_no_token("Token has wrong type", path, &json!({ "refresh": access }))
            .await;
    }
    // A payload under the signature of the other one.
    let (signed, _) = access.rsplit_once('.').unwrap();
    let (_, signature) = refresh.rsplit_once('.').unwrap();
    let mixed = format!("{signed}.{signature}");
    scene.assert_refused(|_| mixed.clone()).await;
    scene.assert_unharmed().await;
}

async fn a_token_of_a_megabyte_is_not_read(database: Database) {
    let setup = Setup::new(database).await;
    let scene = Scene::new(setup.config(|config| config.max_body_bytes(4 * 1024 * 1024))).await;
    let claims = claims_of(&scene.tokens.refresh);
    let padded = forge::with(&claims, "x", Some(json!("x".repeat(800_000))));
    for token in [
        "x".repeat(1_000_000),
        ".".repeat(1_000_000),
        forge::sign(&padded),
    ] {
        for (path, name) in [
            ("/api/token/refresh/", "refresh"),
            ("/api/token/verify/", "token"),
            ("/api/logout/", "refresh"),
        ] {
            scene
                .assert_no_token("Token is invalid", path, &json!({ name: token }))
                .await;
        }
        // Too long for a header, which is refused before anybody asks what is in it.
        let request =
            format!("GET /whoami HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
        let status = scene.server.exchange(request).await;
        assert!(
            status.is_none_or(|status| (400..500).contains(&status)),
            "{status:?}"
        );
    }
    scene.assert_unharmed().await;
}
