//! Every setting once: its key, the field that holds it, and what it may be.

use std::collections::BTreeMap;

use super::kinds::{
    Address, Choice, Choices, Flag, Groups, Kind, Minutes, Networks, Optional, OptionalTemplate,
    Origins, Seconds, Secrets, Text, Texts, Whole,
};
use super::{
    AuthMethod, Config, Country, JwtAlgorithm, LogFormat, LogLevel, MeliPayamakApi,
    PasswordsConfig, PumpingGuard, SmsService, TemplateIds, UsernameForm, texts,
};
use crate::mobile::MobileNumber;
use crate::secret::Secret;

/// What is done with every setting: read it, check it, or note its name.
pub(super) trait Visitor {
    /// One setting.
    fn setting<F>(&mut self, key: &'static str, field: &mut F, kind: &impl Kind<F>);

    /// The table whose names are mobile numbers.
    fn test_numbers(&mut self, table: &'static str, numbers: &mut BTreeMap<MobileNumber, Secret>);

    /// The table whose names the user chooses.
    fn templates(&mut self, table: &'static str, templates: &mut BTreeMap<String, TemplateIds>);
}

/// The table of templates, whose values may be tables themselves.
pub(super) const TEMPLATES: &str = "SMS.TEMPLATES";

/// One line for each setting: its key, its field in the configuration, and what it may be.
macro_rules! settings {
    ($visitor:ident, $config:ident; $($key:literal: $($field:ident).+ => $kind:expr;)*) => {$(
        $visitor.setting($key, &mut $config.$($field).+, &$kind);
    )*};
}

/// Takes `visitor` to every setting, in the order of the documentation.
#[allow(clippy::too_many_lines, reason = "a line for each setting")]
pub(super) fn walk(config: &mut Config, visitor: &mut impl Visitor) {
    settings! { visitor, config;
        "AUTH.AUTH_METHOD": auth.methods => METHODS;
    }
    // There is one service, so no field keeps it; the name of another one must not pass in silence.
    visitor.setting("AUTH.AUTH_SERVICE", &mut (), &AUTH_SERVICE);
    settings! { visitor, config;
        "AUTH.ALLOW_TEST_NUMBERS": auth.allow_test_numbers => Flag;
    }
    visitor.test_numbers("AUTH.TEST_NUMBERS", &mut config.auth.test_numbers);
    settings! { visitor, config;
        "AUTH.OPTIONS.OTP_LENGTH": auth.options.length => Whole(3..=10);
        "AUTH.OPTIONS.OTP_EXPIRE_PER_MINUTES": auth.options.lifetime => Minutes { up_to: 1440 };
        "AUTH.OPTIONS.OTP_RESEND_AFTER_SECONDS": auth.options.resend_after => Seconds(0..=DAY);
        "AUTH.OPTIONS.OTP_SMS_TEMPLATE_ID": auth.options.sms_template => OptionalTemplate;
        "AUTH.OPTIONS.OTP_SMS_TEXT": auth.options.sms_text => SMS_TEXT;
        "AUTH.OPTIONS.OTP_SMS_HOST": auth.options.sms_host => Optional(HOST);
        "AUTH.OPTIONS.OTP_SMS_APP_HASH": auth.options.sms_app_hash => Optional(APP_HASH);
        "AUTH.OPTIONS.SIGNUP_GROUPS": auth.options.signup_groups => Groups;
        "AUTH.OPTIONS.MESSAGE_SEND_GROUPS": auth.options.message_send_groups => Groups;
        "AUTH.OPTIONS.USERNAME": auth.options.username => USERNAME;
        "AUTH.OPTIONS.COUNTRIES": auth.options.countries => COUNTRIES;
        "AUTH.OPTIONS.KNOWN_PREFIXES_ONLY": auth.options.known_prefixes_only => Flag;

        "AUTH.JWT.SIGNING_KEY": auth.jwt.signing_key => SECRET;
        "AUTH.JWT.ALGORITHM": auth.jwt.algorithm => ALGORITHM;
        "AUTH.JWT.VERIFYING_KEY": auth.jwt.verifying_key => SECRET;
        "AUTH.JWT.PREVIOUS_KEYS": auth.jwt.previous_keys => Secrets;
        "AUTH.JWT.ACCESS_TOKEN_LIFETIME": auth.jwt.access_token_lifetime => Seconds(1..=CENTURY);
        "AUTH.JWT.REFRESH_TOKEN_LIFETIME": auth.jwt.refresh_token_lifetime => Seconds(1..=CENTURY);
        "AUTH.JWT.ROTATE_REFRESH_TOKENS": auth.jwt.rotate_refresh_tokens => Flag;
        "AUTH.JWT.REFRESH_GRACE_SECONDS": auth.jwt.refresh_grace => Seconds(0..=CENTURY);
        "AUTH.JWT.ISSUER": auth.jwt.issuer => Optional(TEXT);
        "AUTH.JWT.AUDIENCE": auth.jwt.audience => Texts;
        "AUTH.JWT.LEEWAY": auth.jwt.leeway => Seconds(0..=DAY);
        "AUTH.JWT.USER_ID_CLAIM": auth.jwt.user_id_claim => CLAIM;

        "AUTH.SESSIONS.ABSOLUTE_LIFETIME_SECONDS": auth.sessions.absolute_lifetime => Seconds(0..=CENTURY);
        "AUTH.SESSIONS.MAX_PER_USER": auth.sessions.max_per_user => Whole(0..=10_000);

        "AUTH.PASSWORDS.MIN_LENGTH": auth.passwords.min_length => Whole(8..=64);
        "AUTH.PASSWORDS.MEMORY_KIB": auth.passwords.memory_kib => Whole(1024..=PasswordsConfig::MOST_MEMORY_KIB);
        "AUTH.PASSWORDS.ITERATIONS": auth.passwords.iterations => Whole(1..=PasswordsConfig::MOST_ITERATIONS);
        "AUTH.PASSWORDS.MAX_CONCURRENT": auth.passwords.max_concurrent => Whole(0..=1024);
        "AUTH.PASSWORDS.DJANGO_ITERATIONS": auth.passwords.django_iterations => Whole(0..=10_000_000);

        "AUTH.LIMITS.OTP_ATTEMPTS": auth.limits.otp_attempts => Whole(0..=1000);
        "AUTH.LIMITS.OTP_PER_NUMBER_PER_HOUR": auth.limits.otp_per_number_per_hour => Whole(0..=MOST_CODES);
        "AUTH.LIMITS.OTP_PER_NUMBER_PER_DAY": auth.limits.otp_per_number_per_day => Whole(0..=MOST_CODES);
        "AUTH.LIMITS.OTP_PER_ADDRESS_PER_HOUR": auth.limits.otp_per_address_per_hour => Whole(0..=MOST_CODES);
        "AUTH.LIMITS.OTP_FAILURES_PER_NUMBER_PER_HOUR": auth.limits.otp_failures_per_number_per_hour => Whole(0..=MOST_CODES);
        "AUTH.LIMITS.OTP_FAILURES_PER_ADDRESS_PER_HOUR": auth.limits.otp_failures_per_address_per_hour => Whole(0..=MOST_CODES);
        "AUTH.LIMITS.LOGIN_FAILURES_PER_USER_PER_HOUR": auth.limits.login_failures_per_user_per_hour => Whole(0..=MOST_CODES);
        "AUTH.LIMITS.LOGIN_FAILURES_PER_USER_AND_ADDRESS_PER_HOUR": auth.limits.login_failures_per_user_and_address_per_hour => Whole(0..=MOST_CODES);
        "AUTH.LIMITS.LOGIN_FAILURES_PER_ADDRESS_PER_HOUR": auth.limits.login_failures_per_address_per_hour => Whole(0..=MOST_CODES);
        "AUTH.LIMITS.USERNAME_CHANGES_PER_USER_PER_HOUR": auth.limits.username_changes_per_user_per_hour => Whole(0..=MOST_CODES);
        "AUTH.LIMITS.PUMPING_GUARD": auth.limits.pumping_guard => PUMPING_GUARD;
        "AUTH.LIMITS.MESSAGES_PER_USER_PER_HOUR": auth.limits.messages_per_user_per_hour => Whole(0..=MOST_CODES);
        "AUTH.LIMITS.MESSAGES_PER_RECEIVER_PER_HOUR": auth.limits.messages_per_receiver_per_hour => Whole(0..=MOST_CODES);
        "AUTH.LIMITS.SMS_PER_HOUR": auth.limits.sms_per_hour => Whole(0..=MOST_MESSAGES);
        "AUTH.LIMITS.SMS_PER_DAY": auth.limits.sms_per_day => Whole(0..=MOST_MESSAGES);
        "AUTH.LIMITS.SMS_RIAL_PER_DAY": auth.limits.sms_rial_per_day => Whole(0..=MOST_RIAL);
        "AUTH.LIMITS.SMS_RESERVE_PERCENT": auth.limits.sms_reserve_percent => Whole(0..=99);

        "SMS.SMS_SERVICE": sms.services => SMS_SERVICES;
        "SMS.SETTINGS.PARSIAN_WEBCO_IR_API_KEY": sms.settings.parsian_webco_ir_api_key => SECRET;
        "SMS.SETTINGS.PARSIAN_WEBCO_IR_BASE_URL": sms.settings.parsian_webco_ir_base_url => BASE_URL;
        "SMS.SETTINGS.MELI_PAYAMAK_COM_USERNAME": sms.settings.meli_payamak_com_username => TEXT;
        "SMS.SETTINGS.MELI_PAYAMAK_COM_PASSWORD": sms.settings.meli_payamak_com_password => SECRET;
        "SMS.SETTINGS.MELI_PAYAMAK_COM_FROM": sms.settings.meli_payamak_com_from => TEXT;
        "SMS.SETTINGS.MELI_PAYAMAK_COM_API": sms.settings.meli_payamak_com_api => MELI_PAYAMAK_API;
        "SMS.SETTINGS.MELI_PAYAMAK_COM_CONSOLE_TOKEN": sms.settings.meli_payamak_com_console_token => SECRET;
        "SMS.SETTINGS.MELI_PAYAMAK_COM_BASE_URL": sms.settings.meli_payamak_com_base_url => BASE_URL_OR_NONE;
        "SMS.SETTINGS.KAVENEGAR_COM_API_KEY": sms.settings.kavenegar_com_api_key => SECRET;
        "SMS.SETTINGS.KAVENEGAR_COM_FROM": sms.settings.kavenegar_com_from => TEXT;
        "SMS.SETTINGS.KAVENEGAR_COM_BASE_URL": sms.settings.kavenegar_com_base_url => BASE_URL;
    }
    visitor.templates(TEMPLATES, &mut config.sms.templates);
    settings! { visitor, config;
        "SMS.TIMEOUT_SECONDS": sms.timeout => Seconds(1..=60);
        "SMS.MAX_CONCURRENT": sms.max_concurrent => Whole(1..=10_000);
        "SMS.BREAKER_FAILURES": sms.breaker_failures => Whole(0..=1000);
        "SMS.BREAKER_SECONDS": sms.breaker_pause => Seconds(1..=3600);
        "SMS.PRICE_RIAL_PER_PART": sms.price_rial_per_part => Whole(0..=MOST_RIAL_PER_PART);
        "SMS.LOW_BALANCE_RIAL": sms.low_balance_rial => Whole(0..=MOST_RIAL.cast_signed());
        "SMS.LOW_BALANCE_MESSAGES": sms.low_balance_messages => Whole(0..=MOST_MESSAGES.cast_signed());
        "SMS.LOG_DAYS": sms.log_days => Whole(0..=36_500);

        "CHAT.ENABLED": chat.enabled => Flag;
        "CHAT.PRESENCE": chat.presence => Flag;
        "CHAT.ALLOWED_ORIGINS": chat.allowed_origins => Origins;
        "CHAT.MAX_REPLAY": chat.max_replay => Whole(0..=MOST_CHATS);
        "CHAT.TOKEN_GRACE_SECONDS": chat.token_grace => Seconds(0..=3600);
        "CHAT.FIRST_FRAME_SECONDS": chat.first_frame => Seconds(0..=60);
        "CHAT.EDIT_WINDOW_SECONDS": chat.edit_window => Seconds(0..=CENTURY);
        "CHAT.FILES.FOLDER": chat.files.folder => TEXT;
        "CHAT.FILES.S3_BUCKET": chat.files.s3_bucket => TEXT;
        "CHAT.FILES.S3_PREFIX": chat.files.s3_prefix => TEXT;
        "CHAT.FILES.S3_ENDPOINT": chat.files.s3_endpoint => BASE_URL_OR_NONE;
        "CHAT.FILES.S3_REGION": chat.files.s3_region => TEXT;
        "CHAT.FILES.S3_ACCESS_KEY_ID": chat.files.s3_access_key_id => TEXT;
        "CHAT.FILES.S3_SECRET_ACCESS_KEY": chat.files.s3_secret_access_key => SECRET;
        "CHAT.FILES.LINK_SECONDS": chat.files.link_lifetime => Seconds(1..=DAY);
        "CHAT.FILES.MAX_BYTES": chat.files.max_bytes => Whole(1..=256 * 1024 * 1024);
        "CHAT.LIMITS.SOCKETS_PER_USER": chat.limits.sockets_per_user => Whole(0..=MOST_CHATS);
        "CHAT.LIMITS.FRAMES_PER_SOCKET_PER_SECOND": chat.limits.frames_per_socket_per_second => Whole(0..=MOST_CHATS);
        "CHAT.LIMITS.MAX_FRAME_BYTES": chat.limits.max_frame_bytes => Whole(1024..=1024 * 1024);
        "CHAT.LIMITS.MESSAGES_PER_USER_PER_MINUTE": chat.limits.messages_per_user_per_minute => Whole(0..=MOST_CHATS);
        "CHAT.LIMITS.ROOMS_PER_USER_PER_DAY": chat.limits.rooms_per_user_per_day => Whole(0..=MOST_CHATS);
        "CHAT.LIMITS.MEMBERS_PER_ROOM": chat.limits.members_per_room => Whole(0..=MOST_CHATS);
        "CHAT.LIMITS.TYPING_SECONDS": chat.limits.typing => Seconds(0..=3600);
        "CHAT.LIMITS.LOOKUPS_PER_USER_PER_HOUR": chat.limits.lookups_per_user_per_hour => Whole(0..=MOST_CHATS);
        "CHAT.LIMITS.FILES_PER_USER_PER_DAY": chat.limits.files_per_user_per_day => Whole(0..=MOST_CHATS);

        "DATABASE.URL": database.url => DATABASE_URL;
        "DATABASE.MAX_CONNECTIONS": database.max_connections => Whole(1..=1000);

        "SERVER.BIND": server.bind => Address;
        "SERVER.PREFIX": server.prefix => PREFIX;
        "SERVER.TRUSTED_PROXIES": server.trusted_proxies => Networks;
        "SERVER.MAX_BODY_BYTES": server.max_body_bytes => Whole(1024..=16 * 1024 * 1024);
        "SERVER.WORKERS": server.workers => Whole(0..=1024);
        "SERVER.SHUTDOWN_SECONDS": server.shutdown_timeout => Seconds(0..=3600);
        "SERVER.METRICS": server.metrics => Flag;
        "SERVER.LOG_FORMAT": server.log_format => LOG_FORMAT;
        "SERVER.LOG_LEVEL": server.log_level => LOG_LEVEL;
    }
}

const DAY: u64 = 86_400;
/// A token may outlive its makers, but its end must be a date that every library can count to.
const CENTURY: u64 = 100 * 365 * DAY;

// What nobody sends or pays; far enough below the largest number for sums.
const MOST_CODES: u32 = 1_000_000;
const MOST_CHATS: u32 = 1_000_000;
const MOST_MESSAGES: u64 = 1_000_000_000;
const MOST_RIAL: u64 = 1_000_000_000_000_000;
const MOST_RIAL_PER_PART: u64 = 1_000_000;

const METHOD: Choice<AuthMethod> =
    Choice(&[("OTP", AuthMethod::Otp), ("PASSWD", AuthMethod::Passwd)]);

const METHODS: Choices<AuthMethod> = Choices(METHOD);
const USERNAME: Choice<UsernameForm> = Choice(&[
    ("opaque", UsernameForm::Opaque),
    ("package", UsernameForm::Package),
]);

const COUNTRIES: Choices<Country> = Choices(Choice(&[("IR", Country::Iran)]));

const AUTH_SERVICE: Choice<()> = Choice(&[("rest_framework_simplejwt", ())]);

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

const PUMPING_GUARD: Choice<PumpingGuard> = Choice(&[
    ("off", PumpingGuard::Off),
    ("record", PumpingGuard::Record),
    ("enforce", PumpingGuard::Enforce),
]);

const SMS_SERVICE: Choice<SmsService> = Choice(&[
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

const SMS_SERVICES: Choices<SmsService> = Choices(SMS_SERVICE);

const MELI_PAYAMAK_API: Choice<MeliPayamakApi> = Choice(&[
    ("REST", MeliPayamakApi::Rest),
    ("SOAP", MeliPayamakApi::Soap),
]);

const LOG_FORMAT: Choice<LogFormat> = Choice(&[
    ("auto", LogFormat::Auto),
    ("pretty", LogFormat::Pretty),
    ("json", LogFormat::Json),
]);

const LOG_LEVEL: Choice<LogLevel> = Choice(&[
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
]);

const TEXT: Text = Text::allowed("a text", |_| true);
const SECRET: Text = TEXT.hidden();

const SMS_TEXT: Text = Text::allowed("a text with {code} in it", texts::has_code);

const HOST: Text = Text::allowed(
    "a host name alone, such as shop.example, in ASCII (xn--… for other letters)",
    texts::is_host_name,
);

const APP_HASH: Text = Text::allowed(
    "the 11 characters of an application's hash, of A-Z a-z 0-9 + /",
    texts::is_app_hash,
);

const CLAIM: Text = Text::allowed(
    "a name that is none of token_type, exp, iat, jti, sid, iss and aud",
    texts::is_free_claim,
);

const PREFIX: Text = Text::allowed(
    "a path such as /api, of letters, digits and - _ . ~ between slashes",
    texts::is_prefix,
);

const DATABASE_URL: Text = Text::allowed(
    "sqlite://FILE, postgres://… or postgresql://…",
    texts::is_database_url,
)
.hidden();

// A base URL may hold a key in its path or a password before its host, by mistake.
const BASE_URL: Text = Text::allowed(
    "https://HOST, or http:// for a loopback host, without a user, a query or a fragment",
    texts::is_base_url,
)
.hidden();

const BASE_URL_OR_NONE: Text = Text::allowed(
    "https://HOST, or http:// for a loopback host, without a user, a query or a fragment; or an \
     empty text for the official host",
    |url| url.is_empty() || texts::is_base_url(url),
)
.hidden();

/// The name and the provider of a template's id with one provider, as in `LOGIN.KAVENEGAR_COM`. Any
/// other level belongs to the name.
pub(super) fn name_and_provider(name: &str) -> Option<(&str, &str)> {
    name.rsplit_once('.')
        .filter(|(_, provider)| is_provider(provider))
}

/// Whether a provider has this name.
pub(super) fn is_provider(name: &str) -> bool {
    SMS_SERVICE.named(name).is_some()
}

/// Which names providers have, as in "allowed are …".
pub(super) fn allowed_providers() -> String {
    SMS_SERVICE.allowed()
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
        self.settings.contains(&key) || self.is_chosen(key)
    }

    /// Whether this is a name that users choose.
    pub(super) fn is_chosen(&self, key: &str) -> bool {
        let mut tables = self.open_tables.iter();
        tables.any(|table| inside(table, key).is_some())
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
        of_settings.chain(self.open_tables.iter().copied())
    }

    /// Where a key stands in the order of the documentation; names that users choose come last.
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

    fn test_numbers(&mut self, table: &'static str, _: &mut BTreeMap<MobileNumber, Secret>) {
        self.open_tables.push(table);
    }

    fn templates(&mut self, table: &'static str, _: &mut BTreeMap<String, TemplateIds>) {
        self.open_tables.push(table);
    }
}

/// The part of `key` below `table`.
pub(super) fn inside<'a>(table: &str, key: &'a str) -> Option<&'a str> {
    key.strip_prefix(table)?.strip_prefix('.')
}
