//! What is refused, and how that is said.

use super::*;

#[test]
fn all_problems_are_reported_at_once_by_key() {
    let error = Config::from_toml(
        r#"
        [SERVER]
        BIND = "localhost"
        WORKER = 2
        [AUTH]
        AUTH_METHOD = "otp"
        OPTIONS = { OTP_LENGTH = 12, OTP_EXPIRE_PER_MINUTES = 0, SIGNUP_GROUPS = [1, -1] }
        JWT.LEEWAY = "5"
        [SMS]
        SMS_SERVICE = "MELI_PAYAMAK_COM"
        SETTINGS.MELI_PAYAMAK_COM_USERNAME = "user"
        "#,
    );
    let expected = [
        r#"AUTH.AUTH_METHOD: found "otp", allowed are "OTP", "PASSWD", or a list of them"#,
        "AUTH.OPTIONS.OTP_LENGTH: found 12, allowed are whole numbers from 3 to 10",
        "AUTH.OPTIONS.OTP_EXPIRE_PER_MINUTES: found 0, allowed are minutes, more than 0 and at most 1440",
        "AUTH.OPTIONS.SIGNUP_GROUPS: found [1, -1], allowed is a list of whole numbers from 0, or null for every group",
        r#"AUTH.JWT.LEEWAY: found "5", allowed are whole seconds from 0 to 86400"#,
        r#"SMS.SETTINGS.MELI_PAYAMAK_COM_PASSWORD: is missing, SMS_SERVICE = "MELI_PAYAMAK_COM" needs it"#,
        r#"SMS.SETTINGS.MELI_PAYAMAK_COM_FROM: is missing, SMS_SERVICE = "MELI_PAYAMAK_COM" needs it"#,
        r#"SERVER.BIND: found "localhost", allowed is an IP address with a port, such as 127.0.0.1:8000"#,
        "SERVER.WORKER: is not a known setting; did you mean SERVER.WORKERS?",
    ];
    assert_eq!(message(error), expected.join("\n"));
}

/// A key, values that it may have, and values that it may not have.
const RANGES: &str = r#"
AUTH.OPTIONS.OTP_LENGTH             [3, 10]                      [2, 11, 300, -1, 8.0, "8", true, null, [], {}]
AUTH.OPTIONS.OTP_EXPIRE_PER_MINUTES [0.01, 1440]                 [0, -1, 0.000001, 1440.1, 1e300, "4"]
AUTH.OPTIONS.OTP_SMS_TEMPLATE_ID    [1, "a"]                     [-1, 1.5, true, [], {"KAVENEGAR_COM": 1}]
AUTH.OPTIONS.OTP_SMS_TEXT           ["{code}"]                   ["", "code", 1, null]
AUTH.OPTIONS.SIGNUP_GROUPS          [[], [0], null]              [[-1], ["a"], ["1"], 1, "1"]
AUTH.OPTIONS.USERNAME               ["opaque", "package"]        ["", "Opaque", null]
AUTH.OPTIONS.COUNTRIES              ["IR", ["IR"]]               ["ir", [], ["IR", "IR"], null, 98]
AUTH.OPTIONS.KNOWN_PREFIXES_ONLY    [true, false]                ["yes", 1, null]
AUTH.LIMITS.USERNAME_CHANGES_PER_USER_PER_HOUR [0, 1000000]      [-1, 1000001, "5"]
AUTH.OPTIONS.OTP_SMS_HOST           [null, "", "a.example"]      ["a.example:80", 1, []]
AUTH.OPTIONS.OTP_SMS_APP_HASH       [null, "", "FA+9qCX9V/u"]    ["FA+9qCX9V/", "FA+9qCX9V/uu", "FA-9qCX9V_u", 12345678901]
AUTH.AUTH_METHOD                    ["OTP", "PASSWD", ["PASSWD", "OTP"]] ["otp", "", 1, [], ["OTP", "OTP"], "OTP,PASSWD"]
AUTH.AUTH_SERVICE                   ["rest_framework_simplejwt"] ["session", "", null]
AUTH.JWT.ALGORITHM                  ["HS256", "HS512"]           ["hs256", "none", "", 256]
AUTH.JWT.ACCESS_TOKEN_LIFETIME      [1, 86400]                   [0, -1, 1.5, 18446744073709551615]
AUTH.JWT.REFRESH_TOKEN_LIFETIME     [300, 3153600000]            [0, 299, 3153600001]
AUTH.JWT.ROTATE_REFRESH_TOKENS      [true, false]                [1, "true", null]
AUTH.JWT.REFRESH_GRACE_SECONDS      [0, 10, 3153600000]          [-1, 1.5, "10", null]
AUTH.JWT.ISSUER                     [null, "", "us"]             [1, []]
AUTH.JWT.AUDIENCE                   [null, [], "a", ["a", "b"]]  [1, [1], [""], [["a"]]]
AUTH.JWT.LEEWAY                     [0, 86400]                   [-1, 86401]
AUTH.JWT.USER_ID_CLAIM              ["id"]                       ["", "sid", "exp", "aud", 1]
AUTH.SESSIONS.ABSOLUTE_LIFETIME_SECONDS [0, 1, 3153600000]       [-1, 3153600001, "1"]
AUTH.SESSIONS.MAX_PER_USER          [0, 1, 10000]                [-1, 10001, 1.5, "1"]
AUTH.PASSWORDS.MIN_LENGTH           [8, 64]                      [7, 65, "8"]
AUTH.PASSWORDS.MEMORY_KIB           [1024, 1048576]              [1023, 1048577]
AUTH.PASSWORDS.ITERATIONS           [1, 100]                     [0, 101]
AUTH.PASSWORDS.MAX_CONCURRENT       [0, 1024]                    [-1, 1025]
AUTH.PASSWORDS.DJANGO_ITERATIONS    [0, 10000000]                [-1, 10000001]
AUTH.LIMITS.LOGIN_FAILURES_PER_USER_PER_HOUR [0, 1000000]        [-1, 1000001]
AUTH.LIMITS.OTP_ATTEMPTS            [0, 1000]                    [-1, 1001, 1.5, "5"]
AUTH.LIMITS.SMS_PER_HOUR            [0, 1000000000]              [-1, 1000000001, "5"]
AUTH.LIMITS.SMS_PER_DAY             [0, 1000000000]              [-1, 1000000001, "5"]
AUTH.LIMITS.SMS_RIAL_PER_DAY        [0]                          [-1, "5"]
AUTH.LIMITS.SMS_RESERVE_PERCENT     [0, 99]                      [-1, 100, 256, 0.5]
SMS.SMS_SERVICE                     ["CONSOLE", ["CONSOLE"]]     ["KAVENEGAR", "console", 1, [], [1], ["CONSOLE", "CONSOLE"], "CONSOLE,CONSOLE"]
SMS.SETTINGS.MELI_PAYAMAK_COM_API   ["REST", "SOAP"]             ["rest", "", 1, null]
SMS.TEMPLATES.T.KAVENEGAR_COM       [1, "a"]                     [0, -1, "", [], {}, {"T": 1}, null]
SMS.TEMPLATES                       [{}, {"T": 1}, {"T": "a"}]   [{"T": 0}, {"T": ""}, {"T": -1}, {"T": []}, {"T": {}}, {"T": null}, 1]
SMS.TIMEOUT_SECONDS                 [1, 60]                      [0, 61]
SMS.MAX_CONCURRENT                  [1, 10000]                   [0, 10001]
SMS.BREAKER_FAILURES                [0, 1000]                    [-1, 1001]
SMS.BREAKER_SECONDS                 [1, 3600]                    [0, 3601]
SMS.PRICE_RIAL_PER_PART             [0, 1000000]                 [-1, 1000001]
SMS.LOW_BALANCE_RIAL                [0, 1000000000000000]        [-1, 1000000000000001]
SMS.LOW_BALANCE_MESSAGES            [0, 1000000000]              [-1, 1000000001]
CHAT                                [{}]                         [{"HISTORY": 1}, 1, []]
CHAT.ENABLED                        [true, false]                ["yes", 1]
CHAT.PRESENCE                       [true, false]                ["yes", 1]
CHAT.ALLOWED_ORIGINS                [null, [], ["http://localhost:3000"]] ["https://a.example", ["https://a.example/"], ["a.example"], ["*"], [""], [1]]
CHAT.MAX_REPLAY                     [0, 1000000]                 [-1, 1000001]
CHAT.TOKEN_GRACE_SECONDS            [0, 3600]                    [-1, 3601]
CHAT.FIRST_FRAME_SECONDS            [0, 60]                      [-1, 61]
CHAT.LIMITS.SOCKETS_PER_USER        [0, 1000000]                 [-1, 1000001]
CHAT.LIMITS.FRAMES_PER_SOCKET_PER_SECOND [0, 1000000]            [-1, 1000001]
CHAT.LIMITS.MAX_FRAME_BYTES         [1024, 1048576]              [0, 1023, 1048577]
CHAT.EDIT_WINDOW_SECONDS            [0, 3153600000]              [-1, 3153600001, 1.5]
CHAT.LIMITS.MESSAGES_PER_USER_PER_MINUTE [0, 1000000]            [-1, 1000001]
CHAT.LIMITS.ROOMS_PER_USER_PER_DAY  [0, 1000000]                 [-1, 1000001]
CHAT.LIMITS.MEMBERS_PER_ROOM        [0, 1000000]                 [-1, 1000001]
CHAT.LIMITS.TYPING_SECONDS          [0, 3600]                    [-1, 3601]
CHAT.LIMITS.LOOKUPS_PER_USER_PER_HOUR [0, 1000000]               [-1, 1000001]
CHAT.LIMITS.FILES_PER_USER_PER_DAY  [0, 1000000]                 [-1, 1000001]
CHAT.FILES.FOLDER                   ["files", "/var/files", ""]  [1, true, []]
CHAT.FILES.S3_BUCKET                [""]                         [1, []]
CHAT.FILES.S3_PREFIX                ["chat", ""]                 [1, []]
CHAT.FILES.S3_ENDPOINT              ["https://s3.example", ""]   [1, "http://s3.example", "s3.example"]
CHAT.FILES.S3_REGION                ["ir-thr-at1", ""]           [1, []]
CHAT.FILES.S3_ACCESS_KEY_ID         ["id", ""]                   [1, []]
CHAT.FILES.S3_SECRET_ACCESS_KEY     ["secret", ""]               [1, []]
CHAT.FILES.LINK_SECONDS             [1, 86400]                   [0, 86401, 1.5]
CHAT.FILES.MAX_BYTES                [1, 268435456]               [0, 268435457]
DATABASE.MAX_CONNECTIONS            [1, 1000]                    [0, 1001]
SERVER.BIND                         ["[::]:1"]                   ["0.0.0.0", ":80", 80, ""]
SERVER.TRUSTED_PROXIES              [[], ["::1", "10.0.0.0/8"]]  [["proxy"], "::1", [1], [""]]
SERVER.MAX_BODY_BYTES               [1024, 16777216]             [1023, 16777217]
SERVER.WORKERS                      [0, 1024]                    [-1, 1025]
SERVER.SHUTDOWN_SECONDS             [0, 3600]                    [-1, 3601]
SERVER.METRICS                      [true, false]                [1, "true", null]
SERVER.LOG_FORMAT                   ["auto", "pretty", "json"]   ["JSON", ""]
SERVER.LOG_LEVEL                    ["error", "warn", "trace"]   ["all", 1]
"#;

#[test]
fn values_outside_their_range_are_refused_and_those_at_its_ends_are_not() {
    for row in RANGES.trim().lines() {
        let (key, lists) = row.split_once(' ').unwrap();
        let lists = serde_json::Deserializer::from_str(lists).into_iter::<Vec<Value>>();
        let [inside, outside] = lists
            .map(Result::unwrap)
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        for value in inside {
            assert_eq!(with(key, value.clone()).err(), None, "{key} = {value}");
        }
        for value in outside {
            let error = with(key, value.clone()).expect_err(&format!("{key} = {value}"));
            let is_about_key = |problem: &Problem| problem.key.starts_with(key);
            assert!(error.problems().iter().all(is_about_key), "{error}");
        }
    }
}

#[test]
fn a_problem_from_the_environment_names_its_variable() {
    let error = message(from_environment(&[
        ("CHELSERU_AUTH__OPTIONS__OTP_LENGTH", "12"),
        ("CHELSERU_SERVER__WORKERS", "many"),
    ]));
    let expected = [
        "AUTH.OPTIONS.OTP_LENGTH: found 12, allowed are whole numbers from 3 to 10 \
         (set by the variable CHELSERU_AUTH__OPTIONS__OTP_LENGTH)",
        "SERVER.WORKERS: found \"many\", allowed are whole numbers from 0 to 1024 \
         (set by the variable CHELSERU_SERVER__WORKERS)",
    ];
    assert_eq!(error, expected.join("\n"));
}

#[test]
fn no_problem_shows_a_secret() {
    let keys = [
        "AUTH.JWT.SIGNING_KEY",
        "AUTH.JWT.VERIFYING_KEY",
        "DATABASE.URL",
        "SMS.SETTINGS.PARSIAN_WEBCO_IR_API_KEY",
        "SMS.SETTINGS.PARSIAN_WEBCO_IR_BASE_URL",
        "SMS.SETTINGS.MELI_PAYAMAK_COM_PASSWORD",
        "SMS.SETTINGS.MELI_PAYAMAK_COM_CONSOLE_TOKEN",
        "SMS.SETTINGS.MELI_PAYAMAK_COM_BASE_URL",
        "SMS.SETTINGS.KAVENEGAR_COM_API_KEY",
        "SMS.SETTINGS.KAVENEGAR_COM_BASE_URL",
        // Names that nobody knows may be misspelt ones of secrets, and so may tables.
        "AUTH.JWT.SIGNING_KEI",
        "SIGNING_KEY",
        "AUTH.JWT",
        "SMS",
    ];
    for key in keys {
        for value in [
            json!([SECRET]),
            json!({ "hunter2": SECRET }),
            json!([{ "a": SECRET }]),
            json!(771_177),
        ] {
            let error = message(with(key, value));
            assert!(
                !error.contains(SECRET) && !error.contains("771177"),
                "{error}"
            );
        }
        let variable = names::variable_of(key);
        for text in ["hunter2", "http://hunter2@host", "ftp://hunter2"] {
            if let Err(error) = from_environment(&[
                (&variable, text),
                ("CHELSERU_AUTH__JWT__ALGORITHM", "ES256"),
            ]) {
                assert!(!error.to_string().contains("hunter2"), "{error}");
            }
        }
    }
    let length = message(with("AUTH.JWT.SIGNING_KEY", "hunter2"));
    assert_eq!(
        length,
        "AUTH.JWT.SIGNING_KEY: is 7 bytes long, HS256 needs at least 32"
    );
}

#[test]
fn a_syntax_error_tells_its_place_but_not_the_line() {
    for text in [
        "[AUTH.JWT]\nSIGNING_KEY = hunter2",
        "[AUTH.JWT]\nSIGNING_KEY = \"hunter2",
        "[AUTH.JWT]\nSIGNING_KEY = \"hunter2\\q\"",
        "[AUTH.JWT]\nSIGNING_KEY = \"hunter2\" hunter2",
        "[AUTH.JWT]\nSIGNING_KEY = \"a\"; SIGNING_KEY = \"hunter2\"",
    ] {
        let error = message(Config::from_toml(text));
        assert!(error.starts_with("TOML: line 2, column "), "{error}");
        assert!(
            !error.contains("hunter2") && !error.contains('\n'),
            "{error}"
        );
    }
    for text in [
        "{\"AUTH\":\n hunter2}",
        "{\"AUTH\":\n \"hunter2}",
        "{\"AUTH\":\n \"hunter2\" \"hunter2\"}",
    ] {
        let error = message(Config::from_json(text));
        assert!(
            error.starts_with("JSON: ") && error.contains("at line 2 column "),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let missing = message(Config::from_file("no/such.toml"));
    assert!(
        missing.starts_with("no/such.toml: cannot be read: "),
        "{missing}"
    );
    let format = message(Config::from_file("chelseru.yaml"));
    assert_eq!(
        format,
        "chelseru.yaml: is of an unknown format, allowed are .toml and .json"
    );
    let broken = File::new("broken.json", "{");
    assert!(message(Config::from_file(&broken)).starts_with(&broken.0.display().to_string()));
    assert_eq!(
        message(Config::from_json("[]")),
        "DJANGO_CHELSERU: is a list, allowed is a table"
    );
}

#[test]
fn a_misspelt_key_is_named_with_the_nearest_known_one() {
    for (key, meant) in [
        ("AUTH.OPTIONS.OTP_LENGHT", "AUTH.OPTIONS.OTP_LENGTH"),
        ("AUTH.OPTIONS.otp_length", "AUTH.OPTIONS.OTP_LENGTH"),
        ("AUTH.OTP_LENGTH", "AUTH.OPTIONS.OTP_LENGTH"),
        ("AUTH.JWT.SIGNINGKEY", "AUTH.JWT.SIGNING_KEY"),
        ("AUTH.OPTION.OTP_LENGTH", "AUTH.OPTIONS"),
        ("sms", "SMS"),
    ] {
        let error = message(with(key, 6));
        assert!(
            error.ends_with(&format!(": is not a known setting; did you mean {meant}?")),
            "{error}"
        );
    }
    assert_eq!(
        message(with("SERVER.COLOUR", 6)),
        "SERVER.COLOUR: is not a known setting"
    );
    let error = message(from_environment(&[("CHELSERU_DATABASE__URI", "x")]));
    assert!(
        error.contains("did you mean CHELSERU_DATABASE__URL?"),
        "{error}"
    );
}

#[test]
fn a_variable_with_too_few_underscores_is_not_lost_in_silence() {
    for (variable, meant) in [
        ("CHELSERU_DATABASE_URL", "CHELSERU_DATABASE__URL"),
        ("CHELSERU_SIGNING_KEY", "CHELSERU_AUTH__JWT__SIGNING_KEY"),
    ] {
        let error = message(from_environment(&[(variable, "x")]));
        assert_eq!(
            error,
            format!("{variable}: is not the variable of a setting; did you mean {meant}?")
        );
    }
}

#[test]
fn variables_that_are_no_settings_are_left_alone() {
    let others = [
        ("PATH", "/bin"),
        ("CHELSERU_CONFIG", "chelseru.toml"),
        ("CHELSERU_PORT", "tcp://10.0.0.1:80"),
        ("CHELSERU_SERVICE_HOST", "10.0.0.1"),
    ];
    assert!(from_environment(&others).is_ok());
}

#[test]
fn test_numbers_need_to_be_allowed_and_no_code_is_ever_shown() {
    let numbers = |numbers: Value| {
        let auth = json!({ "ALLOW_TEST_NUMBERS": true, "TEST_NUMBERS": numbers });
        message(Config::from_json(&json!({ "AUTH": auth }).to_string()))
    };
    let refused = message(with(
        "AUTH.TEST_NUMBERS",
        json!({ "09120000000": "918273" }),
    ));
    assert_eq!(
        refused,
        "AUTH.TEST_NUMBERS: has numbers, allowed are some only with AUTH.ALLOW_TEST_NUMBERS = true"
    );
    for code in [
        json!("9182"),
        json!("91827364554"),
        json!("9182x"),
        json!(true),
        json!({}),
    ] {
        let refused = numbers(json!({ "09120000000": code }));
        assert!(
            refused.starts_with("AUTH.TEST_NUMBERS.09120000000: is "),
            "{refused}"
        );
        assert!(
            refused.ends_with(", allowed is a code of 5 to 10 digits, as a text"),
            "{refused}"
        );
        assert!(!refused.contains("9182"), "{refused}");
    }
    assert_eq!(
        numbers(json!({ "0912": "918273" })),
        "AUTH.TEST_NUMBERS.0912: is not a mobile number, such as 09120000000"
    );
    let twice = numbers(json!({ "09120000000": "918273", "9120000000": "918274" }));
    assert!(twice.contains("is there in another spelling"), "{twice}");
    let shown = format!("{:?}", Config::from_json(
        r#"{ "AUTH": { "ALLOW_TEST_NUMBERS": true, "TEST_NUMBERS": { "09120000000": "918273" } } }"#,
    ).unwrap());
    assert!(
        !shown.contains("918273") && !shown.contains("09120000000"),
        "{shown}"
    );
}

#[test]
fn the_numbers_of_other_countries_are_refused() {
    assert_eq!(
        message(with("AUTH.OPTIONS.COUNTRIES", json!(["IR", "AF"]))),
        r#"AUTH.OPTIONS.COUNTRIES: found "AF", allowed is "IR", or a list of them"#
    );
}
