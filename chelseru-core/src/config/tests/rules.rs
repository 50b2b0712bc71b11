//! What must hold between several settings, and for texts with rules of their own.

use super::*;

#[test]
fn a_provider_needs_its_own_account_and_no_other() {
    for (service, needed) in [
        ("CONSOLE", vec![]),
        ("PARSIAN_WEBCO_IR", vec!["API_KEY"]),
        ("MELI_PAYAMAK_COM", vec!["USERNAME", "PASSWORD", "FROM"]),
        ("KAVENEGAR_COM", vec!["API_KEY"]),
    ] {
        let needed: Vec<_> = needed
            .iter()
            .map(|name| format!("SMS.SETTINGS.{service}_{name}"))
            .collect();
        let result = with("SMS.SMS_SERVICE", service);
        let problems = result.as_ref().map_or_else(ConfigError::problems, |_| &[]);
        let missing: Vec<_> = problems.iter().map(|problem| problem.key.clone()).collect();
        assert_eq!(missing, needed);

        let mut environment: Vec<_> = needed
            .iter()
            .map(|key| (names::variable_of(key), "x".to_owned()))
            .collect();
        environment.push(("CHELSERU_SMS__SMS_SERVICE".to_owned(), service.to_owned()));
        assert!(Config::load(None, environment).is_ok(), "{service}");
    }
}

#[test]
fn a_key_never_travels_in_clear() {
    let accepts = |url: &str| with("SMS.SETTINGS.KAVENEGAR_COM_BASE_URL", url).is_ok();
    for url in [
        "https://api.example",
        "https://api.example:8443/proxy/",
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://[::1]:80/",
    ] {
        assert!(accepts(url), "{url}");
    }
    for url in [
        "http://api.example",
        "http://127.evil.example",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "http://localhost\\@evil.example",
        "http://[::2]",
        "https://user@api.example",
        "https://user:password@api.example",
        "https://api.example?key=1",
        "https://api.example#a",
        "https://api.example:0",
        "https://api.example:http",
        "https://",
        "https:///path",
        "ftp://api.example",
        "api.example",
        "",
    ] {
        assert!(!accepts(url), "{url}");
    }
}

#[test]
fn a_base_url_ends_without_a_slash() {
    let config = with(
        "SMS.SETTINGS.PARSIAN_WEBCO_IR_BASE_URL",
        "https://api.example/v1/",
    )
    .unwrap();
    assert_eq!(
        config.sms.settings.parsian_webco_ir_base_url,
        "https://api.example/v1"
    );
}

#[test]
fn a_database_is_sqlite_or_postgresql() {
    for url in [
        "sqlite://app.db",
        "sqlite:///var/app.db",
        "postgres://host/db",
        "postgresql://host/db",
    ] {
        assert!(with("DATABASE.URL", url).is_ok(), "{url}");
    }
    for url in [
        "",
        "app.db",
        "sqlite://",
        "mysql://host/db",
        "sqlite:app.db",
    ] {
        assert!(with("DATABASE.URL", url).is_err(), "{url}");
    }
}

#[test]
fn a_signing_key_fits_its_algorithm() {
    let keys = |algorithm: &str, signing: &str, verifying: &str| {
        let jwt =
            json!({ "ALGORITHM": algorithm, "SIGNING_KEY": signing, "VERIFYING_KEY": verifying });
        match with("AUTH.JWT", jwt) {
            Ok(_) => Vec::new(),
            Err(error) => error
                .problems()
                .iter()
                .map(|problem| problem.key.replace("AUTH.JWT.", ""))
                .collect(),
        }
    };
    let private_pem = "-----BEGIN PRIVATE KEY-----";
    let none: [&str; 0] = [];

    assert_eq!(keys("HS256", "", ""), none);
    assert_eq!(keys("HS256", &"a".repeat(32), ""), none);
    assert_eq!(keys("HS256", &"a".repeat(31), ""), ["SIGNING_KEY"]);
    for algorithm in ["RS256", "ES384", "EdDSA"] {
        assert_eq!(keys(algorithm, private_pem, PUBLIC_PEM), none);
        assert_eq!(keys(algorithm, private_pem, ""), ["VERIFYING_KEY"]);
        assert_eq!(
            keys(algorithm, SECRET, SECRET),
            ["SIGNING_KEY", "VERIFYING_KEY"]
        );
    }
}

#[test]
fn every_key_of_the_ring_is_held_to_the_rules_of_the_first_and_none_is_shown() {
    let ring = |algorithm: &str, previous: Value| {
        let jwt = json!({
            "ALGORITHM": algorithm, "VERIFYING_KEY": PUBLIC_PEM, "PREVIOUS_KEYS": previous,
        });
        let result = with("AUTH.JWT", jwt);
        result.map_or_else(|error| error.to_string(), |_| String::new())
    };
    let private_pem = "-----BEGIN PRIVATE KEY-----";
    for previous in [
        json!(null),
        json!([]),
        json!(SECRET),
        json!([SECRET, OLD_SECRET]),
    ] {
        assert_eq!(ring("HS256", previous), "");
    }
    assert_eq!(ring("ES256", json!([PUBLIC_PEM, private_pem])), "");
    for (algorithm, previous, problem) in [
        (
            "HS256",
            json!([SECRET, "hunter2"]),
            "key 2 is 7 bytes long, HS256 needs at least 32",
        ),
        (
            "HS256",
            json!([PUBLIC_PEM]),
            "key 1 is PEM, HS256 needs a secret",
        ),
        (
            "ES256",
            json!([PUBLIC_PEM, SECRET]),
            "key 2 is not PEM, ES256 needs a public or a private key that begins with -----BEGIN",
        ),
        ("HS256", json!(vec![SECRET; 9]), "has 9 keys, allowed are 8"),
        (
            "HS256",
            json!([SECRET, ""]),
            "has an empty text, allowed is a text or a list of texts, none of them empty",
        ),
        (
            "HS256",
            json!({ "old": SECRET }),
            "is a table, allowed is a text or a list of texts, none of them empty",
        ),
        (
            "HS256",
            json!([SECRET, 5]),
            "is a list, allowed is a text or a list of texts, none of them empty",
        ),
    ] {
        let problem = format!("AUTH.JWT.PREVIOUS_KEYS: {problem}");
        assert_eq!(ring(algorithm, previous), problem);
    }
    let error = ring("HS256", json!([SECRET, SECRET, "hunter2"]));
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_public_key_is_no_secret_to_sign_with() {
    let error = message(with("AUTH.JWT.SIGNING_KEY", PUBLIC_PEM.repeat(3)));
    assert_eq!(error, "AUTH.JWT.SIGNING_KEY: is PEM, HS256 needs a secret");
}

#[test]
fn a_secret_that_can_be_guessed_is_warned_of_and_not_shown() {
    let weak = |algorithm, key: &str| {
        let mut config = Config::default();
        config.auth.jwt.algorithm = algorithm;
        config.auth.jwt.signing_key = Secret::new(key);
        config.auth.jwt.previous_keys = vec![Secret::new(key)];
        let warnings = config.auth.jwt.weak_keys();
        assert!(warnings.iter().all(|warning| !warning.contains(key)));
        assert!(warnings.is_empty() || warnings.len() == 2, "{warnings:?}");
        warnings.len() == 2
    };
    let random = "b7a3f0c94e5d1826a0f7c3d9e84b5126";
    assert!(!weak(JwtAlgorithm::HS256, random));
    assert!(!weak(JwtAlgorithm::HS256, ""));
    // Half as long as its hash.
    assert!(weak(JwtAlgorithm::HS512, random));
    for key in [
        &"a".repeat(64),
        &"01".repeat(32),
        "0123456789abcdef0123456789abcdef",
        "changeme!changeme!changeme!changeme!",
        "django-insecure-7#x!q9w@e8r$t6y%u5i^o4p&a3s*d2f(g1",
        "at least 32 bytes that nobody can guess",
    ] {
        assert!(weak(JwtAlgorithm::HS256, key), "{key}");
    }
}

#[test]
fn a_value_that_cannot_be_read_causes_no_second_problem() {
    let jwt = json!({ "ALGORITHM": "RS265", "SIGNING_KEY": "short", "ACCESS_TOKEN_LIFETIME": "60", "REFRESH_TOKEN_LIFETIME": 120 });
    let error = with("AUTH.JWT", jwt).unwrap_err();
    let keys: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| problem.key.as_str())
        .collect();
    assert_eq!(
        keys,
        ["AUTH.JWT.ALGORITHM", "AUTH.JWT.ACCESS_TOKEN_LIFETIME"]
    );

    let sms =
        json!({ "SMS_SERVICE": "KAVENEGAR_COM", "SETTINGS": { "KAVENEGAR_COM_API_KEY": 12 } });
    let error = message(with("SMS", sms));
    assert_eq!(
        error,
        "SMS.SETTINGS.KAVENEGAR_COM_API_KEY: is a number, allowed is a text"
    );
}

#[test]
fn the_builder_and_changed_fields_are_held_to_the_same_rules() {
    let built = Config::builder()
        .otp_length(12)
        .access_token_lifetime(Duration::ZERO)
        .kavenegar_com("")
        .template("T1", 0)
        .build();
    let expected = [
        "AUTH.OPTIONS.OTP_LENGTH: found 12, allowed are whole numbers from 3 to 10",
        "AUTH.JWT.ACCESS_TOKEN_LIFETIME: found 0, allowed are whole seconds from 1 to 3153600000",
        r#"SMS.SETTINGS.KAVENEGAR_COM_API_KEY: is missing, SMS_SERVICE = "KAVENEGAR_COM" needs it"#,
        r#"SMS.TEMPLATES.T1: found "0", allowed is a template's id: a whole number from 1, or a text, or a table of ids by provider"#,
    ];
    assert_eq!(message(built), expected.join("\n"));

    let mut config = Config::default();
    assert_eq!(config.validate(), Ok(()));
    config.auth.options.length = 2;
    assert!(config.validate().is_err());
}
