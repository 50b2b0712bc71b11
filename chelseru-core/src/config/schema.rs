//! Every setting once: its key, the field that holds it, and what it may be.

use std::collections::BTreeMap;

use super::kinds::{
    Address, Choice, Flag, Groups, Kind, Minutes, Networks, OptionalTemplate, OptionalText,
    Seconds, Template, Text, Texts, Whole,
};
use super::{AuthMethod, Config, JwtAlgorithm, LogFormat, LogLevel, SmsService, texts};

/// What is done with every setting: read it, check it, or note its name.
pub(super) trait Visitor {
    /// One setting.
    fn setting<F>(&mut self, key: &'static str, field: &mut F, kind: &impl Kind<F>);

    /// A table whose keys the user chooses.
    fn table<F>(
        &mut self,
        table: &'static str,
        entries: &mut BTreeMap<String, F>,
        kind: &impl Kind<F>,
    );
}

/// Tables that are known although they have no settings yet.
const EMPTY_TABLES: &[&str] = &["CHAT"];

/// A token may outlive its makers, but its end must be a date that every library can count to.
const CENTURY: u64 = 100 * 365 * DAY;
const DAY: u64 = 86_400;

const ANY_TEXT: Text = Text::allowed("a text", |_| true);
const ANY_SECRET: Text = ANY_TEXT.hidden();
// A base URL may hold a key in its path or a password before its host, by mistake.
const BASE_URL: Text = Text::allowed(
    "https://HOST, or http:// for a loopback host, without a user, a query or a fragment",
    texts::is_base_url,
)
.hidden();

/// Takes `visitor` to every setting, in the order of the documentation.
pub(super) fn walk(config: &mut Config, visitor: &mut impl Visitor) {
    auth(config, visitor);
    sms(config, visitor);

    let database = &mut config.database;
    let url = Text::allowed(
        "sqlite://FILE, postgres://… or postgresql://…",
        texts::is_database_url,
    )
    .hidden();
    visitor.setting("DATABASE.URL", &mut database.url, &url);
    visitor.setting(
        "DATABASE.MAX_CONNECTIONS",
        &mut database.max_connections,
        &Whole(1..=1000),
    );

    server(config, visitor);
}

fn auth(config: &mut Config, visitor: &mut impl Visitor) {
    let auth = &mut config.auth;
    let method = Choice(&[("OTP", AuthMethod::Otp), ("PASSWD", AuthMethod::Passwd)]);
    visitor.setting("AUTH.AUTH_METHOD", &mut auth.method, &method);
    // There is one service, so nothing keeps it; a name of another one must not pass in silence.
    let service = Choice(&[("rest_framework_simplejwt", ())]);
    visitor.setting("AUTH.AUTH_SERVICE", &mut (), &service);

    let otp = &mut auth.options;
    visitor.setting("AUTH.OPTIONS.OTP_LENGTH", &mut otp.length, &Whole(3..=10));
    visitor.setting(
        "AUTH.OPTIONS.OTP_EXPIRE_PER_MINUTES",
        &mut otp.lifetime,
        &Minutes { up_to: 1440 },
    );
    visitor.setting(
        "AUTH.OPTIONS.OTP_SMS_TEMPLATE_ID",
        &mut otp.sms_template,
        &OptionalTemplate,
    );
    let text = Text::allowed("a text that contains {code}", |text| {
        text.contains("{code}")
    });
    visitor.setting("AUTH.OPTIONS.OTP_SMS_TEXT", &mut otp.sms_text, &text);
    visitor.setting(
        "AUTH.OPTIONS.SIGNUP_GROUPS",
        &mut otp.signup_groups,
        &Groups,
    );

    let jwt = &mut auth.jwt;
    visitor.setting("AUTH.JWT.SIGNING_KEY", &mut jwt.signing_key, &ANY_SECRET);
    visitor.setting("AUTH.JWT.ALGORITHM", &mut jwt.algorithm, &ALGORITHM);
    visitor.setting(
        "AUTH.JWT.VERIFYING_KEY",
        &mut jwt.verifying_key,
        &ANY_SECRET,
    );
    let lifetime = Seconds(1..=CENTURY);
    visitor.setting(
        "AUTH.JWT.ACCESS_TOKEN_LIFETIME",
        &mut jwt.access_token_lifetime,
        &lifetime,
    );
    visitor.setting(
        "AUTH.JWT.REFRESH_TOKEN_LIFETIME",
        &mut jwt.refresh_token_lifetime,
        &lifetime,
    );
    visitor.setting(
        "AUTH.JWT.ROTATE_REFRESH_TOKENS",
        &mut jwt.rotate_refresh_tokens,
        &Flag,
    );
    visitor.setting("AUTH.JWT.ISSUER", &mut jwt.issuer, &OptionalText);
    visitor.setting("AUTH.JWT.AUDIENCE", &mut jwt.audience, &Texts);
    visitor.setting("AUTH.JWT.LEEWAY", &mut jwt.leeway, &Seconds(0..=DAY));
    let claim = Text::allowed(
        "a name that is none of token_type, exp, iat, jti, sid, iss and aud",
        texts::is_free_claim,
    );
    visitor.setting("AUTH.JWT.USER_ID_CLAIM", &mut jwt.user_id_claim, &claim);

    visitor.setting(
        "AUTH.LIMITS.OTP_ATTEMPTS",
        &mut auth.limits.otp_attempts,
        &Whole(0..=1000),
    );
}

const ALGORITHM: Choice<JwtAlgorithm> = Choice(&[
    ("HS256", JwtAlgorithm::HS256),
    ("HS384", JwtAlgorithm::HS384),
    ("HS512", JwtAlgorithm::HS512),
    ("RS256", JwtAlgorithm::RS256),
    ("RS384", JwtAlgorithm::RS384),
    ("RS512", JwtAlgorithm::RS512),
    ("ES256", JwtAlgorithm::ES256),
    ("ES384", JwtAlgorithm::ES384),
    ("EdDSA", JwtAlgorithm::EdDSA),
]);

fn sms(config: &mut Config, visitor: &mut impl Visitor) {
    let sms = &mut config.sms;
    visitor.setting("SMS.SMS_SERVICE", &mut sms.service, &SERVICE);

    let of = &mut sms.settings;
    visitor.setting(
        "SMS.SETTINGS.PARSIAN_WEBCO_IR_API_KEY",
        &mut of.parsian_webco_ir_api_key,
        &ANY_SECRET,
    );
    visitor.setting(
        "SMS.SETTINGS.PARSIAN_WEBCO_IR_BASE_URL",
        &mut of.parsian_webco_ir_base_url,
        &BASE_URL,
    );
    visitor.setting(
        "SMS.SETTINGS.MELI_PAYAMAK_COM_USERNAME",
        &mut of.meli_payamak_com_username,
        &ANY_TEXT,
    );
    visitor.setting(
        "SMS.SETTINGS.MELI_PAYAMAK_COM_PASSWORD",
        &mut of.meli_payamak_com_password,
        &ANY_SECRET,
    );
    visitor.setting(
        "SMS.SETTINGS.MELI_PAYAMAK_COM_FROM",
        &mut of.meli_payamak_com_from,
        &ANY_TEXT,
    );
    visitor.setting(
        "SMS.SETTINGS.MELI_PAYAMAK_COM_BASE_URL",
        &mut of.meli_payamak_com_base_url,
        &BASE_URL,
    );
    visitor.setting(
        "SMS.SETTINGS.KAVENEGAR_COM_API_KEY",
        &mut of.kavenegar_com_api_key,
        &ANY_SECRET,
    );
    visitor.setting(
        "SMS.SETTINGS.KAVENEGAR_COM_FROM",
        &mut of.kavenegar_com_from,
        &ANY_TEXT,
    );
    visitor.setting(
        "SMS.SETTINGS.KAVENEGAR_COM_BASE_URL",
        &mut of.kavenegar_com_base_url,
        &BASE_URL,
    );

    visitor.table("SMS.TEMPLATES", &mut sms.templates, &Template);
    visitor.setting("SMS.TIMEOUT_SECONDS", &mut sms.timeout, &Seconds(1..=60));
}

const SERVICE: Choice<SmsService> = Choice(&[
    (
        SmsService::ParsianWebcoIr.name(),
        SmsService::ParsianWebcoIr,
    ),
    (
        SmsService::MeliPayamakCom.name(),
        SmsService::MeliPayamakCom,
    ),
    (SmsService::KavenegarCom.name(), SmsService::KavenegarCom),
    (SmsService::Console.name(), SmsService::Console),
]);

fn server(config: &mut Config, visitor: &mut impl Visitor) {
    let server = &mut config.server;
    visitor.setting("SERVER.BIND", &mut server.bind, &Address);
    let prefix = Text::allowed(
        "a path such as /api, of letters, digits and - _ . ~ between slashes",
        texts::is_prefix,
    );
    visitor.setting("SERVER.PREFIX", &mut server.prefix, &prefix);
    visitor.setting(
        "SERVER.TRUSTED_PROXIES",
        &mut server.trusted_proxies,
        &Networks,
    );
    let body = Whole(1024..=16 * 1024 * 1024);
    visitor.setting("SERVER.MAX_BODY_BYTES", &mut server.max_body_bytes, &body);
    visitor.setting("SERVER.WORKERS", &mut server.workers, &Whole(0..=1024));
    visitor.setting(
        "SERVER.SHUTDOWN_SECONDS",
        &mut server.shutdown_timeout,
        &Seconds(0..=3600),
    );
    let format = Choice(&[
        ("auto", LogFormat::Auto),
        ("pretty", LogFormat::Pretty),
        ("json", LogFormat::Json),
    ]);
    visitor.setting("SERVER.LOG_FORMAT", &mut server.log_format, &format);
    let level = Choice(&[
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
        ("trace", LogLevel::Trace),
    ]);
    visitor.setting("SERVER.LOG_LEVEL", &mut server.log_level, &level);
}

/// The names of everything that may be set, in the order of the documentation.
#[derive(Debug, Default)]
pub(super) struct Names {
    settings: Vec<&'static str>,
    open_tables: Vec<&'static str>,
}

impl Names {
    pub(super) fn collect() -> Self {
        let mut names = Self::default();
        walk(&mut Config::default(), &mut names);
        names
    }

    /// The paths of all settings but those whose names the user chooses.
    pub(super) fn settings(&self) -> &[&'static str] {
        &self.settings
    }

    /// Whether a value may stand here.
    pub(super) fn is_setting(&self, key: &str) -> bool {
        self.settings.contains(&key)
            || self
                .open_tables
                .iter()
                .any(|table| inside(table, key).is_some())
    }

    /// Whether a table may stand here.
    pub(super) fn is_table(&self, path: &str) -> bool {
        self.tables().any(|table| table == path)
    }

    /// Every table's path; some more than once.
    pub(super) fn tables(&self) -> impl Iterator<Item = &'static str> {
        let of_settings = self
            .settings
            .iter()
            .flat_map(|key| key.match_indices('.').map(|(dot, _)| &key[..dot]));
        of_settings
            .chain(self.open_tables.iter().copied())
            .chain(EMPTY_TABLES.iter().copied())
    }

    /// Where a key stands in the order of the documentation; unknown ones come last.
    pub(super) fn rank(&self, key: &str) -> usize {
        self.settings
            .iter()
            .position(|setting| *setting == key)
            .unwrap_or(usize::MAX)
    }
}

impl Visitor for Names {
    fn setting<F>(&mut self, key: &'static str, _: &mut F, _: &impl Kind<F>) {
        self.settings.push(key);
    }

    fn table<F>(&mut self, table: &'static str, _: &mut BTreeMap<String, F>, _: &impl Kind<F>) {
        self.open_tables.push(table);
    }
}

/// The part of `key` below `table`.
pub(super) fn inside<'a>(table: &str, key: &'a str) -> Option<&'a str> {
    key.strip_prefix(table)?.strip_prefix('.')
}
