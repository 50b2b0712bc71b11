//! Settings: the names of the Django package's dictionary, and ours beside them.
//!
//! A [`Config`] comes from a TOML or JSON file, from environment variables, or from a builder, and is
//! plain data afterwards. Every problem is found in one pass and named by its key ([`ConfigError`]).

mod builder;
mod error;
mod jwt_keys;
mod kinds;
mod load;
mod names;
mod rules;
mod schema;
mod source;
mod texts;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

pub use ipnet::IpNet;

pub use self::builder::ConfigBuilder;
pub use self::error::{ConfigError, Problem};
pub(crate) use self::jwt_keys::is_private_pem;
use crate::mobile::MobileNumber;
use crate::secret::Secret;
use crate::sms::TemplateId;

/// All settings. [`Config::default`] is what a server without any configuration runs with, except
/// for the signing key, which has no default.
///
/// docs/settings.md has the table of all keys.
///
/// ```
/// use std::time::Duration;
/// use chelseru_core::{Config, config::SmsService};
///
/// let config = Config::from_toml(
///     r#"
///     [DJANGO_CHELSERU.AUTH]
///     AUTH_METHOD = "OTP"
///     AUTH_SERVICE = "rest_framework_simplejwt"
///
///     [DJANGO_CHELSERU.AUTH.OPTIONS]
///     OTP_LENGTH = 6
///     OTP_EXPIRE_PER_MINUTES = 2
///     OTP_SMS_TEMPLATE_ID = "T1"
///
///     [DJANGO_CHELSERU.SMS]
///     SMS_SERVICE = "PARSIAN_WEBCO_IR"
///     SETTINGS = { PARSIAN_WEBCO_IR_API_KEY = "the account's key" }
///     TEMPLATES = { T1 = 1, T2 = 2 }
///     "#,
/// )?;
/// assert_eq!(config.auth.options.lifetime, Duration::from_secs(120));
/// assert_eq!(config.auth.options.sms_template, Some(1.into()));
/// assert_eq!(config.sms.services, [SmsService::ParsianWebcoIr]);
///
/// let error = Config::from_toml("AUTH.OPTIONS.OTP_LENGTH = 12").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "AUTH.OPTIONS.OTP_LENGTH: found 12, allowed are whole numbers from 3 to 10",
/// );
/// # Ok::<(), chelseru_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Config {
    /// `AUTH`: codes, tokens, limits.
    pub auth: AuthConfig,
    /// `SMS`: the provider and its account.
    pub sms: SmsConfig,
    /// `CHAT`: rooms and messages.
    pub chat: ChatConfig,
    /// `DATABASE`: where everything is kept.
    pub database: DatabaseConfig,
    /// `SERVER`: what a process that serves HTTP needs to know.
    pub server: ServerConfig,
}

/// `AUTH`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuthConfig {
    /// `AUTH_METHOD`: one way or several; `OTP` by default.
    pub methods: Vec<AuthMethod>,
    /// `ALLOW_TEST_NUMBERS`: whether there may be test numbers; no by default.
    pub allow_test_numbers: bool,
    /// `TEST_NUMBERS`: numbers with a fixed code, which is never sent; none by default.
    pub test_numbers: BTreeMap<MobileNumber, Secret>,
    /// `OPTIONS`.
    pub options: OtpOptions,
    /// `JWT`.
    pub jwt: JwtConfig,
    /// `SESSIONS`.
    pub sessions: SessionsConfig,
    /// `PASSWORDS`.
    pub passwords: PasswordsConfig,
    /// `LIMITS`.
    pub limits: AuthLimits,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            methods: vec![AuthMethod::default()],
            allow_test_numbers: false,
            test_numbers: BTreeMap::new(),
            options: OtpOptions::default(),
            jwt: JwtConfig::default(),
            sessions: SessionsConfig::default(),
            passwords: PasswordsConfig::default(),
            limits: AuthLimits::default(),
        }
    }
}

/// How users log in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuthMethod {
    /// `OTP`: with a code sent by SMS.
    #[default]
    Otp,
    /// `PASSWD`: with a password.
    Passwd,
}

/// `AUTH.OPTIONS.USERNAME`: what a new account is called, until its owner chooses a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UsernameForm {
    /// `opaque`: random letters and digits.
    #[default]
    Opaque,
    /// `package`: `G{group}-{mobile number}`, as the Django package names them. It shows the number to
    /// everybody who sees the name.
    Package,
}

/// `AUTH.OPTIONS.COUNTRIES`: a country whose mobile numbers are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Country {
    /// `IR`
    Iran,
}

/// `AUTH.OPTIONS`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OtpOptions {
    /// `OTP_LENGTH`: digits of a code, 3 to 10; 8 by default.
    pub length: u8,
    /// `OTP_EXPIRE_PER_MINUTES`: how long a code is valid, and so how long until the next one; 4
    /// minutes by default.
    pub lifetime: Duration,
    /// `OTP_RESEND_AFTER_SECONDS`: after how long the same code is sent again to who asks; zero, the
    /// default, for never.
    pub resend_after: Duration,
    /// `OTP_SMS_TEMPLATE_ID`: the provider's template for the code, by id or by a name of
    /// `SMS.TEMPLATES`.
    pub sms_template: Option<TemplateIds>,
    /// `OTP_SMS_TEXT`: the text when there is no template; `{code}` and `{minutes}` are filled in.
    pub sms_text: String,
    /// `OTP_SMS_HOST`: the host of the web page that asks for the code; the text's last line is then
    /// `@host #code`, which browsers read (WebOTP).
    pub sms_host: Option<String>,
    /// `OTP_SMS_APP_HASH`: the 11 characters by which Android's SMS Retriever knows the application
    /// that asks for the code.
    pub sms_app_hash: Option<String>,
    /// `SIGNUP_GROUPS`: the groups in which new accounts may be made; every group when not set. A
    /// client names the group itself, so set this before a group means a privilege.
    pub signup_groups: Option<Vec<i64>>,
    /// `MESSAGE_SEND_GROUPS`: the groups whose accounts may send messages (`/message/send/`); every
    /// account when not set, nobody when empty.
    pub message_send_groups: Option<Vec<i64>>,
    /// `USERNAME`: what a new account is called; `opaque` by default.
    pub username: UsernameForm,
    /// `COUNTRIES`: whose mobile numbers are accepted. There is Iran alone.
    pub countries: Vec<Country>,
    /// `KNOWN_PREFIXES_ONLY`: whether codes are sent only to numbers of the ranges that carriers are known
    /// to have ([`MobileNumber::has_known_prefix`]); no by default, for ranges grow.
    pub known_prefixes_only: bool,
}

impl Default for OtpOptions {
    fn default() -> Self {
        Self {
            length: 8,
            lifetime: Duration::from_secs(4 * 60),
            resend_after: Duration::ZERO,
            sms_template: None,
            sms_text: "کد ورود شما: {code}\nاین کد تا {minutes} دقیقه معتبر است.".to_owned(),
            sms_host: None,
            sms_app_hash: None,
            signup_groups: None,
            message_send_groups: None,
            username: UsernameForm::default(),
            countries: vec![Country::Iran],
            known_prefixes_only: false,
        }
    }
}

/// `AUTH.JWT`: the names of djangorestframework-simplejwt's settings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JwtConfig {
    /// `SIGNING_KEY`: for HS algorithms a secret of at least 32 bytes, else a private key in PEM.
    pub signing_key: Secret,
    /// `ALGORITHM`.
    pub algorithm: JwtAlgorithm,
    /// `VERIFYING_KEY`: the public key in PEM; not used with HS algorithms.
    pub verifying_key: Secret,
    /// `PREVIOUS_KEYS`: keys that sign nothing, and whose tokens are good: those that were signed with
    /// before, or that all servers know before one of them signs with it. For HS algorithms secrets,
    /// else private or public keys in PEM, at most 8, all for `ALGORITHM`.
    pub previous_keys: Vec<Secret>,
    /// `ACCESS_TOKEN_LIFETIME` in seconds; 300 by default.
    pub access_token_lifetime: Duration,
    /// `REFRESH_TOKEN_LIFETIME` in seconds; 86400 by default.
    pub refresh_token_lifetime: Duration,
    /// `ROTATE_REFRESH_TOKENS`: whether a refresh gives a new refresh token; yes by default.
    pub rotate_refresh_tokens: bool,
    /// `REFRESH_GRACE_SECONDS`: for how long a refresh token that was exchanged may be exchanged again,
    /// for the same successor, while that is unused; 86400 by default. 0 for never: then every second
    /// use ends the session.
    pub refresh_grace: Duration,
    /// `ISSUER`: written as `iss` and then required.
    pub issuer: Option<String>,
    /// `AUDIENCE`: written as `aud`; a token must then name at least one of them.
    pub audience: Vec<String>,
    /// `LEEWAY` in seconds: how long after its end a token is still accepted; 0 by default.
    pub leeway: Duration,
    /// `USER_ID_CLAIM`: `user_id` by default.
    pub user_id_claim: String,
}

impl Default for JwtConfig {
    fn default() -> Self {
        Self {
            signing_key: Secret::default(),
            algorithm: JwtAlgorithm::default(),
            verifying_key: Secret::default(),
            previous_keys: Vec::new(),
            access_token_lifetime: Duration::from_secs(300),
            refresh_token_lifetime: Duration::from_secs(86_400),
            rotate_refresh_tokens: true,
            refresh_grace: Duration::from_secs(86_400),
            issuer: None,
            audience: Vec::new(),
            leeway: Duration::ZERO,
            user_id_claim: "user_id".to_owned(),
        }
    }
}

/// `AUTH.JWT.ALGORITHM`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of RFC 7518 and RFC 8037")]
pub enum JwtAlgorithm {
    #[default]
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    ES256,
    ES384,
    EdDSA,
}

impl JwtAlgorithm {
    /// Whether one secret both signs and verifies.
    pub fn is_symmetric(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }
}

/// `AUTH.SESSIONS`. A session that is not refreshed ends with its refresh token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionsConfig {
    /// `ABSOLUTE_LIFETIME_SECONDS`: how long after its login a session ends, however much it is used;
    /// 90 days by default, 0 for never.
    pub absolute_lifetime: Duration,
    /// `MAX_PER_USER`: how many sessions an account may have; a login that is one too many ends the
    /// one that was not used for the longest time. 0, for any number, by default.
    pub max_per_user: u32,
}

impl Default for SessionsConfig {
    fn default() -> Self {
        Self {
            absolute_lifetime: Duration::from_secs(90 * 86_400),
            max_per_user: 0,
        }
    }
}

/// `AUTH.PASSWORDS`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PasswordsConfig {
    /// `MIN_LENGTH`: characters of a password; 8 by default.
    pub min_length: usize,
    /// `MEMORY_KIB`: memory that hashing one password takes (argon2id's `m`); 19 MiB by default.
    pub memory_kib: u32,
    /// `ITERATIONS`: how often it goes over that memory (argon2id's `t`); 2 by default.
    pub iterations: u32,
    /// `MAX_CONCURRENT`: passwords that are hashed at once; one for each core by default (0).
    pub max_concurrent: usize,
    /// `DJANGO_ITERATIONS`: the most iterations of Django's hashes that were brought over, which every
    /// login then does; 0, for no such hashes, by default.
    pub django_iterations: u32,
}

impl PasswordsConfig {
    pub(crate) const MOST_MEMORY_KIB: u32 = 1024 * 1024;
    pub(crate) const MOST_ITERATIONS: u32 = 100;
}

impl Default for PasswordsConfig {
    fn default() -> Self {
        Self {
            min_length: 8,
            memory_kib: 19 * 1024,
            iterations: 2,
            max_concurrent: 0,
            django_iterations: 0,
        }
    }
}

/// `AUTH.LIMITS`. In each, 0 means no limit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuthLimits {
    /// `OTP_ATTEMPTS`: tries after which a code is not accepted any more; 5 by default.
    pub otp_attempts: u32,
    /// `OTP_PER_NUMBER_PER_HOUR`: codes sent to one number in an hour; 5 by default.
    pub otp_per_number_per_hour: u32,
    /// `OTP_PER_NUMBER_PER_DAY`: codes sent to one number in a day; 10 by default.
    pub otp_per_number_per_day: u32,
    /// `OTP_PER_ADDRESS_PER_HOUR`: codes sent for one client address in an hour; 1000 by default.
    pub otp_per_address_per_hour: u32,
    /// `OTP_FAILURES_PER_NUMBER_PER_HOUR`: wrong tries of one number's codes in an hour; 20 by default.
    pub otp_failures_per_number_per_hour: u32,
    /// `OTP_FAILURES_PER_ADDRESS_PER_HOUR`: wrong codes from one client address in an hour; 200 by
    /// default.
    pub otp_failures_per_address_per_hour: u32,
    /// `LOGIN_FAILURES_PER_USER_PER_HOUR`: wrong passwords for one account in an hour; 100 by default.
    pub login_failures_per_user_per_hour: u32,
    /// `LOGIN_FAILURES_PER_USER_AND_ADDRESS_PER_HOUR`: the same from one client address; 10 by default.
    pub login_failures_per_user_and_address_per_hour: u32,
    /// `LOGIN_FAILURES_PER_ADDRESS_PER_HOUR`: wrong passwords from one client address in an hour; 200 by
    /// default.
    pub login_failures_per_address_per_hour: u32,
    /// `USERNAME_CHANGES_PER_USER_PER_HOUR`: names that an account may try to get in an hour; 20 by
    /// default.
    pub username_changes_per_user_per_hour: u32,
    /// `PUMPING_GUARD`: what is done when codes are sent and hardly any are verified.
    pub pumping_guard: PumpingGuard,
    /// `MESSAGES_PER_USER_PER_HOUR`: messages that one account may send in an hour; 60 by default.
    pub messages_per_user_per_hour: u32,
    /// `MESSAGES_PER_RECEIVER_PER_HOUR`: messages that all accounts together may send to one number in
    /// an hour; 10 by default.
    pub messages_per_receiver_per_hour: u32,
    /// `SMS_PER_HOUR`: messages that the whole service may send in an hour; none by default.
    pub sms_per_hour: u64,
    /// `SMS_PER_DAY`: messages that the whole service may send in a day; none by default.
    pub sms_per_day: u64,
    /// `SMS_RIAL_PER_DAY`: what the messages of a day may cost; none by default.
    pub sms_rial_per_day: u64,
    /// `SMS_RESERVE_PERCENT`: the part of these three that is kept for the codes of numbers that
    /// have an account; 20 by default.
    pub sms_reserve_percent: u8,
}

impl Default for AuthLimits {
    fn default() -> Self {
        Self {
            otp_attempts: 5,
            otp_per_number_per_hour: 5,
            otp_per_number_per_day: 10,
            otp_per_address_per_hour: 1000,
            otp_failures_per_number_per_hour: 20,
            otp_failures_per_address_per_hour: 200,
            login_failures_per_user_per_hour: 100,
            login_failures_per_user_and_address_per_hour: 10,
            login_failures_per_address_per_hour: 200,
            username_changes_per_user_per_hour: 20,
            pumping_guard: PumpingGuard::default(),
            messages_per_user_per_hour: 60,
            messages_per_receiver_per_hour: 10,
            sms_per_hour: 0,
            sms_per_day: 0,
            sms_rial_per_day: 0,
            sms_reserve_percent: 20,
        }
    }
}

/// `AUTH.LIMITS.PUMPING_GUARD`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PumpingGuard {
    /// `off`: nothing is counted.
    Off,
    /// `record`: it is logged and told as an event, and nobody is stopped.
    Record,
    /// `enforce`: no more codes are sent.
    #[default]
    Enforce,
}

/// `SMS`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SmsConfig {
    /// `SMS_SERVICE`: the providers, in the order in which they are tried; `CONSOLE` by default.
    pub services: Vec<SmsService>,
    /// `SETTINGS`.
    pub settings: SmsSettings,
    /// `TEMPLATES`: names for the provider's template ids.
    pub templates: BTreeMap<String, TemplateIds>,
    /// `TIMEOUT_SECONDS`: how long one message may take, over all providers; 8 seconds by default.
    pub timeout: Duration,
    /// `MAX_CONCURRENT`: messages in flight to one provider; 64 by default.
    pub max_concurrent: usize,
    /// `BREAKER_FAILURES`: failures in a row after which a provider is not asked for a while; 5 by
    /// default, 0 for never.
    pub breaker_failures: u32,
    /// `BREAKER_SECONDS`: that while, which doubles up to ten times as long; 30 seconds by default.
    pub breaker_pause: Duration,
    /// `PRICE_RIAL_PER_PART`: what a part costs, for budgets, where the provider does not say; 0 by
    /// default.
    pub price_rial_per_part: u64,
    /// `LOW_BALANCE_RIAL`: below this an account counted in rial is reported; 0, for never, by default.
    pub low_balance_rial: i64,
    /// `LOW_BALANCE_MESSAGES`: below this an account counted in messages is reported; 0, for never,
    /// by default.
    pub low_balance_messages: i64,
    /// `LOG_DAYS`: for how many days messages stay in the log, with their receivers; 90 by default, 0 for
    /// ever.
    pub log_days: u32,
}

impl Default for SmsConfig {
    fn default() -> Self {
        Self {
            services: vec![SmsService::default()],
            settings: SmsSettings::default(),
            templates: BTreeMap::new(),
            timeout: Duration::from_secs(8),
            max_concurrent: 64,
            breaker_failures: 5,
            breaker_pause: Duration::from_secs(30),
            price_rial_per_part: 0,
            low_balance_rial: 0,
            low_balance_messages: 0,
            log_days: 90,
        }
    }
}

/// A template's id with each provider: one for all of them, or some of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateIds {
    /// The id with every provider that is not named in `of`.
    pub any: Option<TemplateId>,
    /// The ids with providers, by their names.
    pub of: BTreeMap<String, TemplateId>,
}

impl TemplateIds {
    /// The template's id with this provider.
    pub fn with(&self, provider: &str) -> Option<&TemplateId> {
        self.of.get(provider).or(self.any.as_ref())
    }
}

impl<T: Into<TemplateId>> From<T> for TemplateIds {
    fn from(id: T) -> Self {
        Self {
            any: Some(id.into()),
            of: BTreeMap::new(),
        }
    }
}

/// `SMS.SETTINGS.MELI_PAYAMAK_COM_API`: which of its interfaces an account uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MeliPayamakApi {
    /// `REST`: texts, templates, deliveries and credit.
    #[default]
    Rest,
    /// `SOAP`: texts, for accounts that only have this.
    Soap,
}

/// `SMS.SMS_SERVICE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmsService {
    /// `PARSIAN_WEBCO_IR`
    ParsianWebcoIr,
    /// `MELI_PAYAMAK_COM`
    MeliPayamakCom,
    /// `KAVENEGAR_COM`
    KavenegarCom,
    /// `CONSOLE`: prints messages to the terminal and keeps the last ones to be shown; for
    /// development.
    #[default]
    Console,
}

impl SmsService {
    /// The name in the settings and in the log of messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ParsianWebcoIr => "PARSIAN_WEBCO_IR",
            Self::MeliPayamakCom => "MELI_PAYAMAK_COM",
            Self::KavenegarCom => "KAVENEGAR_COM",
            Self::Console => "CONSOLE",
        }
    }
}

/// `SMS.SETTINGS`: the accounts; only those of the chosen service are needed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SmsSettings {
    /// `PARSIAN_WEBCO_IR_API_KEY`
    pub parsian_webco_ir_api_key: Secret,
    /// `PARSIAN_WEBCO_IR_BASE_URL`
    pub parsian_webco_ir_base_url: String,
    /// `MELI_PAYAMAK_COM_USERNAME`
    pub meli_payamak_com_username: String,
    /// `MELI_PAYAMAK_COM_PASSWORD`: the password, or the API key that the panel demands in its place.
    pub meli_payamak_com_password: Secret,
    /// `MELI_PAYAMAK_COM_FROM`
    pub meli_payamak_com_from: String,
    /// `MELI_PAYAMAK_COM_API`: `REST` by default.
    pub meli_payamak_com_api: MeliPayamakApi,
    /// `MELI_PAYAMAK_COM_CONSOLE_TOKEN`: the token of the console API, which is used when there is
    /// one, in place of the user name and the password.
    pub meli_payamak_com_console_token: Secret,
    /// `MELI_PAYAMAK_COM_BASE_URL`: the official host of the API when empty.
    pub meli_payamak_com_base_url: String,
    /// `KAVENEGAR_COM_API_KEY`
    pub kavenegar_com_api_key: Secret,
    /// `KAVENEGAR_COM_FROM`: the account's default line when empty.
    pub kavenegar_com_from: String,
    /// `KAVENEGAR_COM_BASE_URL`
    pub kavenegar_com_base_url: String,
}

impl Default for SmsSettings {
    fn default() -> Self {
        Self {
            parsian_webco_ir_api_key: Secret::default(),
            parsian_webco_ir_base_url: "https://api.parsianwebco.ir".to_owned(),
            meli_payamak_com_username: String::new(),
            meli_payamak_com_password: Secret::default(),
            meli_payamak_com_from: String::new(),
            meli_payamak_com_api: MeliPayamakApi::default(),
            meli_payamak_com_console_token: Secret::default(),
            meli_payamak_com_base_url: String::new(),
            kavenegar_com_api_key: Secret::default(),
            kavenegar_com_from: String::new(),
            kavenegar_com_base_url: "https://api.kavenegar.com".to_owned(),
        }
    }
}

/// `CHAT`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChatConfig {
    /// `ENABLED`: whether there are sockets; yes by default.
    pub enabled: bool,
    /// `PRESENCE`: whether users are told who is there; yes by default.
    pub presence: bool,
    /// `ALLOWED_ORIGINS`: the pages that may open sockets, as `https://app.example`; those of the same
    /// host when not set.
    pub allowed_origins: Option<Vec<String>>,
    /// `MAX_REPLAY`: how many entries of a room a socket sends to who comes back; 10000 by default.
    pub max_replay: u32,
    /// `TOKEN_GRACE_SECONDS`: how long after its token's end a socket is closed; 30 seconds by default.
    pub token_grace: Duration,
    /// `FIRST_FRAME_SECONDS`: how long the socket for all rooms waits for the client to say what it has;
    /// 5 seconds by default.
    pub first_frame: Duration,
    /// `EDIT_WINDOW_SECONDS`: for how long a message may be edited; 48 hours by default, 0 for ever.
    pub edit_window: Duration,
    /// `FILES`.
    pub files: FilesConfig,
    /// `LIMITS`.
    pub limits: ChatLimits,
}

impl Default for ChatConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            presence: true,
            allowed_origins: None,
            max_replay: 10_000,
            token_grace: Duration::from_secs(30),
            first_frame: Duration::from_secs(5),
            edit_window: Duration::from_secs(2 * 86_400),
            files: FilesConfig::default(),
            limits: ChatLimits::default(),
        }
    }
}

/// `CHAT.FILES`: where the files of messages are kept. With neither a folder nor a bucket there are none.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FilesConfig {
    /// `FOLDER`: a folder of this machine; none by default.
    pub folder: String,
    /// `S3_BUCKET`: a bucket of an S3-compatible object store, in place of a folder; none by default.
    pub s3_bucket: String,
    /// `S3_PREFIX`: below which prefix of the bucket.
    pub s3_prefix: String,
    /// `S3_ENDPOINT`: where the object store is; AWS itself when empty.
    pub s3_endpoint: String,
    /// `S3_REGION`: `us-east-1` when empty.
    pub s3_region: String,
    /// `S3_ACCESS_KEY_ID`.
    pub s3_access_key_id: String,
    /// `S3_SECRET_ACCESS_KEY`.
    pub s3_secret_access_key: Secret,
    /// `LINK_SECONDS`: for how long a link to a file is good, at least; at most it is twice that. 300 by
    /// default.
    pub link_lifetime: Duration,
    /// `MAX_BYTES`: the largest file; 10 MiB by default.
    pub max_bytes: usize,
}

impl Default for FilesConfig {
    fn default() -> Self {
        Self {
            folder: String::new(),
            s3_bucket: String::new(),
            s3_prefix: String::new(),
            s3_endpoint: String::new(),
            s3_region: String::new(),
            s3_access_key_id: String::new(),
            s3_secret_access_key: Secret::default(),
            link_lifetime: Duration::from_secs(300),
            max_bytes: 10 * 1024 * 1024,
        }
    }
}

/// `CHAT.LIMITS`. In each, 0 means no limit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChatLimits {
    /// `SOCKETS_PER_USER`: sockets that one user may have open on one server; 20 by default.
    pub sockets_per_user: u32,
    /// `FRAMES_PER_SOCKET_PER_SECOND`: frames that a client may send in a second, three times as many at
    /// once; 20 by default.
    pub frames_per_socket_per_second: u32,
    /// `MAX_FRAME_BYTES`: the longest frame of a client, which has no 0; 32 KiB by default.
    pub max_frame_bytes: usize,
    /// `MESSAGES_PER_USER_PER_MINUTE`: messages and edits of one user in a minute; 120 by default.
    pub messages_per_user_per_minute: u32,
    /// `ROOMS_PER_USER_PER_DAY`: rooms that one user makes in a day; 100 by default.
    pub rooms_per_user_per_day: u32,
    /// `MEMBERS_PER_ROOM`: members that a group may have; 1000 by default.
    pub members_per_room: u32,
    /// `TYPING_SECONDS`: a user is told to be typing in a room at most once in this time; 3 by default.
    pub typing: Duration,
    /// `LOOKUPS_PER_USER_PER_HOUR`: users whom one user looks up by their names in an hour; 120 by
    /// default.
    pub lookups_per_user_per_hour: u32,
    /// `FILES_PER_USER_PER_DAY`: files that one user uploads in a day; 200 by default.
    pub files_per_user_per_day: u32,
}

impl Default for ChatLimits {
    fn default() -> Self {
        Self {
            sockets_per_user: 20,
            frames_per_socket_per_second: 20,
            max_frame_bytes: 32 * 1024,
            messages_per_user_per_minute: 120,
            rooms_per_user_per_day: 100,
            members_per_room: 1000,
            typing: Duration::from_secs(3),
            lookups_per_user_per_hour: 120,
            files_per_user_per_day: 200,
        }
    }
}

/// `DATABASE`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DatabaseConfig {
    /// `URL`: `sqlite://FILE` or `postgres://…`; a secret, for it may hold a password.
    pub url: Secret,
    /// `MAX_CONNECTIONS`: to PostgreSQL, for this process; 10 by default.
    pub max_connections: u32,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: Secret::new("sqlite://chelseru.db"),
            max_connections: 10,
        }
    }
}

/// `SERVER`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// `BIND`: 127.0.0.1:8000 by default.
    pub bind: SocketAddr,
    /// `PREFIX`: the path under which the routes are mounted; `/api` by default.
    pub prefix: String,
    /// `TRUSTED_PROXIES`: addresses and networks whose `X-Forwarded-For` is believed; none by default.
    pub trusted_proxies: Vec<IpNet>,
    /// `MAX_BODY_BYTES`: the longest request body; 64 KiB by default.
    pub max_body_bytes: usize,
    /// `WORKERS`: threads that serve; one for each core by default (0).
    pub workers: usize,
    /// `SHUTDOWN_SECONDS`: how long running requests may take after SIGTERM; 10 by default.
    pub shutdown_timeout: Duration,
    /// `METRICS`: whether the bundled server has `GET /metrics`; no by default.
    pub metrics: bool,
    /// `LOG_FORMAT`.
    pub log_format: LogFormat,
    /// `LOG_LEVEL`.
    pub log_level: LogLevel,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8000)),
            prefix: "/api".to_owned(),
            trusted_proxies: Vec::new(),
            max_body_bytes: 64 * 1024,
            workers: 0,
            shutdown_timeout: Duration::from_secs(10),
            metrics: false,
            log_format: LogFormat::default(),
            log_level: LogLevel::default(),
        }
    }
}

/// `SERVER.LOG_FORMAT`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// `auto`: pretty on a terminal, else plain lines.
    #[default]
    Auto,
    /// `pretty`: coloured lines.
    Pretty,
    /// `json`: one JSON object a line.
    Json,
}

/// `SERVER.LOG_LEVEL`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of every logging library")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}
