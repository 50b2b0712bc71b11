//! What users of the settings rely on, and what the tests share.

mod accepted;
mod documented;
mod refused;
mod rules;
mod sms;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::schema::Names;
use super::{
    AuthMethod, Config, ConfigError, Country, IpNet, JwtAlgorithm, LogFormat, LogLevel,
    MeliPayamakApi, Problem, PumpingGuard, SmsService, TemplateIds, UsernameForm, names,
};
use crate::secret::Secret;
use crate::sms::TemplateId;

const SECRET: &str = "hunter2-hunter2-hunter2-hunter2-hunter2";
const OLD_SECRET: &str = "hunter1-hunter1-hunter1-hunter1-hunter1";
const OLDER_SECRET: &str = "hunter0-hunter0-hunter0-hunter0-hunter0";
const PUBLIC_PEM: &str = "-----BEGIN PUBLIC KEY-----";

/// Every key of the contract and ours, none with its default.
#[allow(clippy::too_many_lines, reason = "a list")]
fn every_setting() -> Value {
    json!({
        "AUTH": {
            "AUTH_METHOD": ["PASSWD", "OTP"],
            "AUTH_SERVICE": "rest_framework_simplejwt",
            "OPTIONS": {
                "OTP_LENGTH": 6,
                "OTP_EXPIRE_PER_MINUTES": 1.5,
                "OTP_RESEND_AFTER_SECONDS": 60,
                "OTP_SMS_TEMPLATE_ID": "T2",
                "OTP_SMS_TEXT": "code: {code}",
                "OTP_SMS_HOST": "shop.example",
                "OTP_SMS_APP_HASH": "FA+9qCX9V/u",
                "SIGNUP_GROUPS": [0, 7],
                "MESSAGE_SEND_GROUPS": [7, 8],
                "USERNAME": "package",
                "COUNTRIES": ["IR"],
                "KNOWN_PREFIXES_ONLY": true,
            },
            "ALLOW_TEST_NUMBERS": true,
            "TEST_NUMBERS": { "09120000000": "012345" },
            "JWT": {
                "SIGNING_KEY": SECRET,
                "ALGORITHM": "HS512",
                "VERIFYING_KEY": PUBLIC_PEM,
                "PREVIOUS_KEYS": [OLD_SECRET, OLDER_SECRET],
                "ACCESS_TOKEN_LIFETIME": 60,
                "REFRESH_TOKEN_LIFETIME": 600,
                "ROTATE_REFRESH_TOKENS": false,
                "REFRESH_GRACE_SECONDS": 10,
                "ISSUER": "us",
                "AUDIENCE": ["app", "panel"],
                "LEEWAY": 5,
                "USER_ID_CLAIM": "uid",
            },
            "SESSIONS": {
                "ABSOLUTE_LIFETIME_SECONDS": 7200,
                "MAX_PER_USER": 4,
            },
            "PASSWORDS": {
                "MIN_LENGTH": 12,
                "MEMORY_KIB": 47104,
                "ITERATIONS": 3,
                "MAX_CONCURRENT": 2,
                "DJANGO_ITERATIONS": 600_000,
            },
            "LIMITS": {
                "OTP_ATTEMPTS": 3,
                "OTP_PER_NUMBER_PER_HOUR": 4,
                "OTP_PER_NUMBER_PER_DAY": 8,
                "OTP_PER_ADDRESS_PER_HOUR": 50,
                "OTP_FAILURES_PER_NUMBER_PER_HOUR": 15,
                "OTP_FAILURES_PER_ADDRESS_PER_HOUR": 150,
                "LOGIN_FAILURES_PER_USER_PER_HOUR": 90,
                "LOGIN_FAILURES_PER_USER_AND_ADDRESS_PER_HOUR": 9,
                "LOGIN_FAILURES_PER_ADDRESS_PER_HOUR": 190,
                "USERNAME_CHANGES_PER_USER_PER_HOUR": 5,
                "PUMPING_GUARD": "record",
                "MESSAGES_PER_USER_PER_HOUR": 40,
                "MESSAGES_PER_RECEIVER_PER_HOUR": 6,
                "SMS_PER_HOUR": 100,
                "SMS_PER_DAY": 1000,
                "SMS_RIAL_PER_DAY": 5_000_000,
                "SMS_RESERVE_PERCENT": 30,
            },
        },
        "SMS": {
            "SMS_SERVICE": ["MELI_PAYAMAK_COM", "KAVENEGAR_COM"],
            "SETTINGS": {
                "PARSIAN_WEBCO_IR_API_KEY": "parsian key",
                "PARSIAN_WEBCO_IR_BASE_URL": "http://127.0.0.1:1/parsian",
                "MELI_PAYAMAK_COM_USERNAME": "user",
                "MELI_PAYAMAK_COM_PASSWORD": "password",
                "MELI_PAYAMAK_COM_FROM": "5000",
                "MELI_PAYAMAK_COM_API": "SOAP",
                "MELI_PAYAMAK_COM_CONSOLE_TOKEN": "console token",
                "MELI_PAYAMAK_COM_BASE_URL": "https://meli.example",
                "KAVENEGAR_COM_API_KEY": "kavenegar key",
                "KAVENEGAR_COM_FROM": "1000",
                "KAVENEGAR_COM_BASE_URL": "http://[::1]:2",
            },
            "TEMPLATES": {
                "T1": 1,
                "T2": { "MELI_PAYAMAK_COM": 2, "KAVENEGAR_COM": "login" },
                "T3": "verify",
            },
            "TIMEOUT_SECONDS": 9,
            "MAX_CONCURRENT": 8,
            "BREAKER_FAILURES": 7,
            "BREAKER_SECONDS": 60,
            "PRICE_RIAL_PER_PART": 900,
            "LOW_BALANCE_RIAL": 100_000,
            "LOW_BALANCE_MESSAGES": 50,
            "LOG_DAYS": 30,
        },
        "CHAT": {
            "ENABLED": false,
            "PRESENCE": false,
            "ALLOWED_ORIGINS": ["https://app.example", "http://localhost:3000"],
            "MAX_REPLAY": 500,
            "TOKEN_GRACE_SECONDS": 10,
            "FIRST_FRAME_SECONDS": 2,
            "EDIT_WINDOW_SECONDS": 900,
            "FILES": {
                "FOLDER": "files",
                "S3_BUCKET": "bucket",
                "S3_PREFIX": "chat",
                "S3_ENDPOINT": "https://s3.example",
                "S3_REGION": "tehran",
                "S3_ACCESS_KEY_ID": "id",
                "S3_SECRET_ACCESS_KEY": "the bucket's secret",
                "LINK_SECONDS": 60,
                "MAX_BYTES": 1024,
            },
            "LIMITS": {
                "SOCKETS_PER_USER": 5,
                "FRAMES_PER_SOCKET_PER_SECOND": 10,
                "MAX_FRAME_BYTES": 16384,
                "MESSAGES_PER_USER_PER_MINUTE": 30,
                "ROOMS_PER_USER_PER_DAY": 10,
                "MEMBERS_PER_ROOM": 200,
                "TYPING_SECONDS": 5,
                "LOOKUPS_PER_USER_PER_HOUR": 20,
                "FILES_PER_USER_PER_DAY": 50,
            },
        },
        "DATABASE": { "URL": "postgres://user:password@host/db", "MAX_CONNECTIONS": 20 },
        "SERVER": {
            "BIND": "0.0.0.0:80",
            "PREFIX": "/v1/api",
            "TRUSTED_PROXIES": ["10.0.0.0/8", "::1"],
            "MAX_BODY_BYTES": 2048,
            "WORKERS": 2,
            "SHUTDOWN_SECONDS": 3,
            "METRICS": true,
            "LOG_FORMAT": "json",
            "LOG_LEVEL": "debug",
        },
    })
}

/// The same settings as variables.
fn as_environment(settings: &Value) -> Vec<(String, String)> {
    fn collect(path: &str, value: &Value, variables: &mut Vec<(String, String)>) {
        let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        let value = match value {
            Value::Object(entries) => {
                for (name, value) in entries {
                    let path = if path.is_empty() {
                        name.clone()
                    } else {
                        format!("{path}.{name}")
                    };
                    collect(&path, value, variables);
                }
                return;
            }
            Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
            value => text(value),
        };
        variables.push((names::variable_of(path), value));
    }
    let mut variables = Vec::new();
    collect("", settings, &mut variables);
    variables
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

fn from_environment(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(None, variables(pairs))
}

/// A template's ids with providers.
fn ids(any: Option<&str>, of: &[(&str, &str)]) -> TemplateIds {
    TemplateIds {
        any: any.map(TemplateId::from),
        of: of
            .iter()
            .map(|(provider, id)| ((*provider).to_owned(), TemplateId::from(*id)))
            .collect(),
    }
}

/// The settings with one more, at a path such as `AUTH.OPTIONS.OTP_LENGTH`.
fn with(key: &str, value: impl Into<Value>) -> Result<Config, ConfigError> {
    let tree = key
        .rsplit('.')
        .fold(value.into(), |inner, name| json!({ name: inner }));
    Config::from_json(&tree.to_string())
}

fn message(result: Result<Config, ConfigError>) -> String {
    result
        .expect_err("these settings cannot be used")
        .to_string()
}

/// All that a configuration says. `Debug` leaves secrets out, so they are added.
fn contents(config: &Config) -> String {
    let settings = &config.sms.settings;
    let secrets = [
        &config.auth.jwt.signing_key,
        &config.auth.jwt.verifying_key,
        &config.database.url,
        &settings.parsian_webco_ir_api_key,
        &settings.meli_payamak_com_password,
        &settings.meli_payamak_com_console_token,
        &settings.kavenegar_com_api_key,
    ];
    let previous = config.auth.jwt.previous_keys.iter().map(Secret::expose);
    let test_codes = config.auth.test_numbers.values().map(Secret::expose);
    let others: Vec<_> = previous.chain(test_codes).collect();
    format!("{config:#?}{:?}{others:?}", secrets.map(Secret::expose))
}

/// A file that is gone at the end of the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("chelseru-config-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl AsRef<Path> for File {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
