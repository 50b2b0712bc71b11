//! Settings made in code.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::{
    AuthMethod, Config, ConfigError, Country, JwtAlgorithm, LogFormat, LogLevel, MeliPayamakApi,
    PumpingGuard, SmsService, TemplateIds, UsernameForm,
};
use crate::mobile::MobileNumber;
use crate::secret::Secret;
use crate::sms::TemplateId;

/// Settings that an application makes in code; what it does not set keeps its default.
///
/// ```
/// use std::time::Duration;
/// use chelseru_core::Config;
///
/// let config = Config::builder()
///     .signing_key("a secret of at least 32 bytes, kept")
///     .otp_length(6)
///     .otp_lifetime(Duration::from_secs(120))
///     .kavenegar_com("the account's key")
///     .template("LOGIN", "verify")
///     .otp_sms_template("LOGIN")
///     .build()?;
/// assert_eq!(config.auth.options.length, 6);
/// # Ok::<(), chelseru_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ConfigBuilder {
    config: Config,
    /// The list of providers, where the application gives one; else the last account's provider.
    services: Option<Vec<SmsService>>,
}

/// One method for each setting that is kept as it is given.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($value:ty) => $($field:ident).+;)*) => {$(
        $(#[$doc])*
        pub fn $name(mut self, value: $value) -> Self {
            self.config.$($field).+ = value.into();
            self
        }
    )*};
}

#[allow(
    clippy::useless_conversion,
    reason = "the macro converts, also where nothing is to convert"
)]
impl ConfigBuilder {
    setters! {
        /// `AUTH.AUTH_METHOD`: how users log in, in one way or several.
        auth_methods(impl Into<Vec<AuthMethod>>) => auth.methods;
        /// `AUTH.ALLOW_TEST_NUMBERS`: whether there may be [test numbers](Self::test_number).
        allow_test_numbers(bool) => auth.allow_test_numbers;
        /// `AUTH.OPTIONS.USERNAME`: what a new account is called.
        username(UsernameForm) => auth.options.username;
        /// `AUTH.OPTIONS.COUNTRIES`: whose mobile numbers are accepted.
        countries(impl Into<Vec<Country>>) => auth.options.countries;
        /// `AUTH.OPTIONS.KNOWN_PREFIXES_ONLY`: whether codes are sent only to numbers of known ranges.
        known_prefixes_only(bool) => auth.options.known_prefixes_only;
        /// `AUTH.OPTIONS.OTP_LENGTH`: digits of a code, 3 to 10.
        otp_length(u8) => auth.options.length;
        /// `AUTH.OPTIONS.OTP_EXPIRE_PER_MINUTES`: how long a code is valid, at most a day.
        otp_lifetime(Duration) => auth.options.lifetime;
        /// `AUTH.OPTIONS.OTP_RESEND_AFTER_SECONDS`: after how long the same code is sent again to who
        /// asks, longer than a message may take; zero for never.
        otp_resend_after(Duration) => auth.options.resend_after;
        /// `AUTH.OPTIONS.OTP_SMS_TEXT`: the text when there is no template; it must contain `{code}`.
        otp_sms_text(impl Into<String>) => auth.options.sms_text;
        /// `AUTH.LIMITS.OTP_ATTEMPTS`: tries after which a code is burnt; 0 for no limit.
        otp_attempts(u32) => auth.limits.otp_attempts;
        /// `AUTH.LIMITS.OTP_PER_NUMBER_PER_HOUR`: codes sent to one number in an hour; 0 for no limit.
        otp_per_number_per_hour(u32) => auth.limits.otp_per_number_per_hour;
        /// `AUTH.LIMITS.OTP_PER_NUMBER_PER_DAY`: codes sent to one number in a day; 0 for no limit.
        otp_per_number_per_day(u32) => auth.limits.otp_per_number_per_day;
        /// `AUTH.LIMITS.OTP_PER_ADDRESS_PER_HOUR`: codes sent for one client address in an hour; 0 for
        /// no limit.
        otp_per_address_per_hour(u32) => auth.limits.otp_per_address_per_hour;
        /// `AUTH.LIMITS.OTP_FAILURES_PER_NUMBER_PER_HOUR`: wrong tries of one number's codes in an hour;
        /// 0 for no limit.
        otp_failures_per_number_per_hour(u32) => auth.limits.otp_failures_per_number_per_hour;
        /// `AUTH.LIMITS.OTP_FAILURES_PER_ADDRESS_PER_HOUR`: wrong codes from one client address in an
        /// hour; 0 for no limit.
        otp_failures_per_address_per_hour(u32) => auth.limits.otp_failures_per_address_per_hour;
        /// `AUTH.LIMITS.LOGIN_FAILURES_PER_USER_PER_HOUR`: wrong passwords for one account in an hour;
        /// 0 for no limit.
        login_failures_per_user_per_hour(u32) => auth.limits.login_failures_per_user_per_hour;
        /// `AUTH.LIMITS.LOGIN_FAILURES_PER_USER_AND_ADDRESS_PER_HOUR`: the same from one client address;
        /// 0 for no limit.
        login_failures_per_user_and_address_per_hour(u32) => auth.limits.login_failures_per_user_and_address_per_hour;
        /// `AUTH.LIMITS.LOGIN_FAILURES_PER_ADDRESS_PER_HOUR`: wrong passwords from one client address in
        /// an hour; 0 for no limit.
        login_failures_per_address_per_hour(u32) => auth.limits.login_failures_per_address_per_hour;
        /// `AUTH.LIMITS.USERNAME_CHANGES_PER_USER_PER_HOUR`: names that an account may try to get in an
        /// hour; 0 for no limit.
        username_changes_per_user_per_hour(u32) => auth.limits.username_changes_per_user_per_hour;
        /// `AUTH.LIMITS.PUMPING_GUARD`: what is done when codes are sent and hardly any are verified.
        pumping_guard(PumpingGuard) => auth.limits.pumping_guard;
        /// `AUTH.LIMITS.MESSAGES_PER_USER_PER_HOUR`: messages that one account may send in an hour; 0 for
        /// no limit.
        messages_per_user_per_hour(u32) => auth.limits.messages_per_user_per_hour;
        /// `AUTH.LIMITS.MESSAGES_PER_RECEIVER_PER_HOUR`: messages that all accounts together may send to
        /// one number in an hour; 0 for no limit.
        messages_per_receiver_per_hour(u32) => auth.limits.messages_per_receiver_per_hour;
        /// `AUTH.LIMITS.SMS_PER_HOUR`: messages of the whole service in an hour; 0 for no limit.
        sms_per_hour(u64) => auth.limits.sms_per_hour;
        /// `AUTH.LIMITS.SMS_PER_DAY`: messages of the whole service in a day; 0 for no limit.
        sms_per_day(u64) => auth.limits.sms_per_day;
        /// `AUTH.LIMITS.SMS_RIAL_PER_DAY`: what the messages of a day may cost; 0 for no limit. Needs
        /// [`sms_price_rial_per_part`](Self::sms_price_rial_per_part), unless all of the providers
        /// tell their costs.
        sms_rial_per_day(u64) => auth.limits.sms_rial_per_day;
        /// `AUTH.LIMITS.SMS_RESERVE_PERCENT`: the part of these three that is kept for the codes of
        /// numbers that have an account, 0 to 99.
        sms_reserve_percent(u8) => auth.limits.sms_reserve_percent;

        /// `CHAT.ENABLED`: whether there are sockets.
        chat_enabled(bool) => chat.enabled;
        /// `CHAT.PRESENCE`: whether users are told who is there.
        chat_presence(bool) => chat.presence;
        /// `CHAT.MAX_REPLAY`: how many entries of a room a socket sends to who comes back.
        chat_max_replay(u32) => chat.max_replay;
        /// `CHAT.TOKEN_GRACE_SECONDS`: how long after its token's end a socket is closed.
        chat_token_grace(Duration) => chat.token_grace;
        /// `CHAT.FIRST_FRAME_SECONDS`: how long the socket for all rooms waits for the client to say what
        /// it has.
        chat_first_frame(Duration) => chat.first_frame;
        /// `CHAT.EDIT_WINDOW_SECONDS`: for how long a message may be edited; zero for ever.
        chat_edit_window(Duration) => chat.edit_window;
        /// `CHAT.LIMITS.SOCKETS_PER_USER`: sockets that one user may have open on one server; 0 for no
        /// limit.
        chat_sockets_per_user(u32) => chat.limits.sockets_per_user;
        /// `CHAT.LIMITS.FRAMES_PER_SOCKET_PER_SECOND`: frames that a client may send in a second; 0 for no
        /// limit.
        chat_frames_per_socket_per_second(u32) => chat.limits.frames_per_socket_per_second;
        /// `CHAT.LIMITS.MAX_FRAME_BYTES`: the longest frame of a client, 1 KiB to 1 MiB.
        chat_max_frame_bytes(usize) => chat.limits.max_frame_bytes;
        /// `CHAT.LIMITS.MESSAGES_PER_USER_PER_MINUTE`: messages and edits of one user in a minute; 0 for
        /// no limit.
        chat_messages_per_user_per_minute(u32) => chat.limits.messages_per_user_per_minute;
        /// `CHAT.LIMITS.ROOMS_PER_USER_PER_DAY`: rooms that one user makes in a day; 0 for no limit.
        chat_rooms_per_user_per_day(u32) => chat.limits.rooms_per_user_per_day;
        /// `CHAT.LIMITS.MEMBERS_PER_ROOM`: members that a group may have; 0 for no limit.
        chat_members_per_room(u32) => chat.limits.members_per_room;
        /// `CHAT.LIMITS.TYPING_SECONDS`: a user is told to be typing in a room at most once in this
        /// time; zero for always.
        chat_typing(Duration) => chat.limits.typing;
        /// `CHAT.LIMITS.LOOKUPS_PER_USER_PER_HOUR`: users whom one user looks up by their names in an
        /// hour; 0 for no limit.
        chat_lookups_per_user_per_hour(u32) => chat.limits.lookups_per_user_per_hour;
        /// `CHAT.LIMITS.FILES_PER_USER_PER_DAY`: files that one user uploads in a day; 0 for no limit.
        chat_files_per_user_per_day(u32) => chat.limits.files_per_user_per_day;
        /// `CHAT.FILES.FOLDER`: where the files of messages are kept.
        chat_files_folder(impl Into<String>) => chat.files.folder;
        /// `CHAT.FILES.S3_BUCKET`: a bucket of an object store, in place of a folder.
        chat_files_s3_bucket(impl Into<String>) => chat.files.s3_bucket;
        /// `CHAT.FILES.S3_PREFIX`: below which prefix of the bucket.
        chat_files_s3_prefix(impl Into<String>) => chat.files.s3_prefix;
        /// `CHAT.FILES.S3_ENDPOINT`: where the object store is; AWS when empty.
        chat_files_s3_endpoint(impl Into<String>) => chat.files.s3_endpoint;
        /// `CHAT.FILES.S3_REGION`: its region.
        chat_files_s3_region(impl Into<String>) => chat.files.s3_region;
        /// `CHAT.FILES.S3_ACCESS_KEY_ID`: who asks.
        chat_files_s3_access_key_id(impl Into<String>) => chat.files.s3_access_key_id;
        /// `CHAT.FILES.S3_SECRET_ACCESS_KEY`: that one's secret.
        chat_files_s3_secret_access_key(impl Into<Secret>) => chat.files.s3_secret_access_key;
        /// `CHAT.FILES.LINK_SECONDS`: for how long a link to a file is good, at least.
        chat_files_link_lifetime(Duration) => chat.files.link_lifetime;
        /// `CHAT.FILES.MAX_BYTES`: the largest file.
        chat_files_max_bytes(usize) => chat.files.max_bytes;

        /// `AUTH.JWT.SIGNING_KEY`: at least 32 bytes, or a private key in PEM.
        signing_key(impl Into<Secret>) => auth.jwt.signing_key;
        /// `AUTH.JWT.ALGORITHM`.
        jwt_algorithm(JwtAlgorithm) => auth.jwt.algorithm;
        /// `AUTH.JWT.VERIFYING_KEY`: the public key in PEM, for algorithms other than HS.
        verifying_key(impl Into<Secret>) => auth.jwt.verifying_key;
        /// `AUTH.JWT.ACCESS_TOKEN_LIFETIME`.
        access_token_lifetime(Duration) => auth.jwt.access_token_lifetime;
        /// `AUTH.JWT.REFRESH_TOKEN_LIFETIME`: at least as long as the access token's.
        refresh_token_lifetime(Duration) => auth.jwt.refresh_token_lifetime;
        /// `AUTH.JWT.ROTATE_REFRESH_TOKENS`: whether a refresh gives a new refresh token.
        rotate_refresh_tokens(bool) => auth.jwt.rotate_refresh_tokens;
        /// `AUTH.JWT.REFRESH_GRACE_SECONDS`: for how long an exchanged refresh token may be exchanged
        /// again, while its successor is unused; 0 for never.
        refresh_grace(Duration) => auth.jwt.refresh_grace;
        /// `AUTH.JWT.LEEWAY`: how long after its end a token is still accepted.
        leeway(Duration) => auth.jwt.leeway;
        /// `AUTH.JWT.USER_ID_CLAIM`.
        user_id_claim(impl Into<String>) => auth.jwt.user_id_claim;

        /// `AUTH.SESSIONS.ABSOLUTE_LIFETIME_SECONDS`: how long after its login a session ends, however
        /// much it is used; 0 for never.
        session_lifetime(Duration) => auth.sessions.absolute_lifetime;
        /// `AUTH.SESSIONS.MAX_PER_USER`: how many sessions an account may have, 1 to 10000; 0 for any
        /// number.
        max_sessions_per_user(u32) => auth.sessions.max_per_user;

        /// `AUTH.PASSWORDS.MIN_LENGTH`: the least number of characters of a password, 8 to 64.
        password_min_length(usize) => auth.passwords.min_length;
        /// `AUTH.PASSWORDS.MEMORY_KIB`: memory that hashing one password takes.
        password_memory_kib(u32) => auth.passwords.memory_kib;
        /// `AUTH.PASSWORDS.ITERATIONS`: how often hashing a password goes over that memory.
        password_iterations(u32) => auth.passwords.iterations;
        /// `AUTH.PASSWORDS.MAX_CONCURRENT`: passwords that are hashed at once; 0 for one for each core.
        password_max_concurrent(usize) => auth.passwords.max_concurrent;
        /// `AUTH.PASSWORDS.DJANGO_ITERATIONS`: the most iterations of Django's hashes that were brought
        /// over; 0 for no such hashes.
        password_django_iterations(u32) => auth.passwords.django_iterations;

        /// `SMS.SETTINGS.PARSIAN_WEBCO_IR_BASE_URL`: where its API is, for tests and proxies.
        parsian_webco_ir_base_url(impl Into<String>) => sms.settings.parsian_webco_ir_base_url;
        /// `SMS.SETTINGS.MELI_PAYAMAK_COM_BASE_URL`: where its API is, for tests and proxies.
        meli_payamak_com_base_url(impl Into<String>) => sms.settings.meli_payamak_com_base_url;
        /// `SMS.SETTINGS.KAVENEGAR_COM_FROM`: the line to send from, if not the account's default one.
        kavenegar_com_from(impl Into<String>) => sms.settings.kavenegar_com_from;
        /// `SMS.SETTINGS.KAVENEGAR_COM_BASE_URL`: where its API is, for tests and proxies.
        kavenegar_com_base_url(impl Into<String>) => sms.settings.kavenegar_com_base_url;
        /// `SMS.TIMEOUT_SECONDS`: how long one message may take, over all providers, 1 second to 60.
        sms_timeout(Duration) => sms.timeout;
        /// `SMS.MAX_CONCURRENT`: messages in flight to one provider, 1 to 10000.
        sms_max_concurrent(usize) => sms.max_concurrent;
        /// `SMS.PRICE_RIAL_PER_PART`: what a part costs, where the provider does not say.
        sms_price_rial_per_part(u64) => sms.price_rial_per_part;
        /// `SMS.LOW_BALANCE_RIAL`: below this an account counted in rial is reported; 0 for never.
        sms_low_balance_rial(i64) => sms.low_balance_rial;
        /// `SMS.LOW_BALANCE_MESSAGES`: below this an account counted in messages is reported; 0 for
        /// never.
        sms_low_balance_messages(i64) => sms.low_balance_messages;
        /// `SMS.LOG_DAYS`: for how many days messages stay in the log; 0 for ever.
        sms_log_days(u32) => sms.log_days;

        /// `DATABASE.URL`: `sqlite://FILE` or `postgres://…`.
        database_url(impl Into<Secret>) => database.url;
        /// `DATABASE.MAX_CONNECTIONS`: to PostgreSQL, for this process.
        max_connections(u32) => database.max_connections;

        /// `SERVER.BIND`: the address and port to listen at.
        bind(SocketAddr) => server.bind;
        /// `SERVER.PREFIX`: the path under which the routes are mounted; empty for none.
        prefix(impl Into<String>) => server.prefix;
        /// `SERVER.MAX_BODY_BYTES`: the longest request body, 1 KiB to 16 MiB.
        max_body_bytes(usize) => server.max_body_bytes;
        /// `SERVER.WORKERS`: threads that serve; 0 for one for each core.
        workers(usize) => server.workers;
        /// `SERVER.SHUTDOWN_SECONDS`: how long running requests may take after SIGTERM.
        shutdown_timeout(Duration) => server.shutdown_timeout;
        /// `SERVER.METRICS`: whether the bundled server has `GET /metrics`.
        metrics(bool) => server.metrics;
        /// `SERVER.LOG_FORMAT`.
        log_format(LogFormat) => server.log_format;
        /// `SERVER.LOG_LEVEL`.
        log_level(LogLevel) => server.log_level;
    }

    /// `AUTH.AUTH_METHOD`: how users log in, in this way alone.
    pub fn auth_method(self, method: AuthMethod) -> Self {
        self.auth_methods([method])
    }

    /// `AUTH.OPTIONS.OTP_SMS_TEMPLATE_ID`: the provider's template for the code, by its id or by a
    /// name given to [`template`](Self::template), before or after.
    pub fn otp_sms_template(mut self, template: impl Into<TemplateIds>) -> Self {
        self.config.auth.options.sms_template = Some(template.into());
        self
    }

    /// `AUTH.OPTIONS.OTP_SMS_HOST`: the host of the web page that asks for the code, which browsers
    /// then fill in (WebOTP).
    pub fn otp_sms_host(mut self, host: impl Into<String>) -> Self {
        self.config.auth.options.sms_host = Some(host.into());
        self
    }

    /// `AUTH.OPTIONS.OTP_SMS_APP_HASH`: the 11 characters by which Android's SMS Retriever knows the
    /// application that asks for the code.
    pub fn otp_sms_app_hash(mut self, hash: impl Into<String>) -> Self {
        self.config.auth.options.sms_app_hash = Some(hash.into());
        self
    }

    /// `AUTH.TEST_NUMBERS`: a number with a fixed code of 5 to 10 digits, which is never sent. Needs
    /// [`allow_test_numbers`](Self::allow_test_numbers).
    pub fn test_number(mut self, number: MobileNumber, code: impl Into<Secret>) -> Self {
        self.config.auth.test_numbers.insert(number, code.into());
        self
    }

    /// `AUTH.OPTIONS.SIGNUP_GROUPS`: the only groups in which new accounts may be made.
    pub fn signup_groups(mut self, groups: impl IntoIterator<Item = i64>) -> Self {
        self.config.auth.options.signup_groups = Some(groups.into_iter().collect());
        self
    }

    /// `AUTH.OPTIONS.MESSAGE_SEND_GROUPS`: the only groups whose accounts may send messages; none for
    /// nobody.
    pub fn message_send_groups(mut self, groups: impl IntoIterator<Item = i64>) -> Self {
        self.config.auth.options.message_send_groups = Some(groups.into_iter().collect());
        self
    }

    /// `AUTH.JWT.PREVIOUS_KEYS`: keys that sign nothing, and whose tokens are good.
    pub fn previous_keys(mut self, keys: impl IntoIterator<Item = impl Into<Secret>>) -> Self {
        self.config.auth.jwt.previous_keys = keys.into_iter().map(Into::into).collect();
        self
    }

    /// `AUTH.JWT.ISSUER`: written as `iss` and then required.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.config.auth.jwt.issuer = Some(issuer.into());
        self
    }

    /// `AUTH.JWT.AUDIENCE`: written as `aud`; a token must then name at least one of them.
    pub fn audience(mut self, audience: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.config.auth.jwt.audience = audience.into_iter().map(Into::into).collect();
        self
    }

    /// `SMS.SMS_SERVICE`: the providers, in the order in which they are tried. Without it, the account
    /// that is given last chooses its provider alone.
    ///
    /// ```
    /// use chelseru_core::{Config, config::SmsService};
    ///
    /// let config = Config::builder()
    ///     .kavenegar_com("the account's key")
    ///     .meli_payamak_com("user", "password", "5000")
    ///     .sms_services([SmsService::KavenegarCom, SmsService::MeliPayamakCom])
    ///     .template("LOGIN", 12345)
    ///     .template_of(SmsService::KavenegarCom, "LOGIN", "verify")
    ///     .otp_sms_template("LOGIN")
    ///     .build()?;
    /// assert_eq!(config.sms.services.len(), 2);
    /// # Ok::<(), chelseru_core::ConfigError>(())
    /// ```
    pub fn sms_services(mut self, services: impl Into<Vec<SmsService>>) -> Self {
        self.services = Some(services.into());
        self
    }

    /// `SMS.BREAKER_FAILURES` and `SMS.BREAKER_SECONDS`: after so many failures in a row, 0 to 1000, a
    /// provider is not asked for so long, 1 second to an hour; 0 failures for never.
    pub fn sms_breaker(mut self, failures: u32, pause: Duration) -> Self {
        self.config.sms.breaker_failures = failures;
        self.config.sms.breaker_pause = pause;
        self
    }

    /// Sends by parsian.webco.ir with this account.
    pub fn parsian_webco_ir(mut self, api_key: impl Into<Secret>) -> Self {
        self.config.sms.settings.parsian_webco_ir_api_key = api_key.into();
        self.chosen(SmsService::ParsianWebcoIr)
    }

    /// Sends by melipayamak.com with this account, over REST; the password is the API key where the
    /// panel demands one, `from` is the line.
    pub fn meli_payamak_com(
        mut self,
        username: impl Into<String>,
        password: impl Into<Secret>,
        from: impl Into<String>,
    ) -> Self {
        let settings = &mut self.config.sms.settings;
        settings.meli_payamak_com_username = username.into();
        settings.meli_payamak_com_password = password.into();
        settings.meli_payamak_com_from = from.into();
        settings.meli_payamak_com_api = MeliPayamakApi::Rest;
        self.chosen(SmsService::MeliPayamakCom)
    }

    /// Sends by melipayamak.com with this account, over SOAP, which sends texts alone.
    pub fn meli_payamak_com_soap(
        mut self,
        username: impl Into<String>,
        password: impl Into<Secret>,
        from: impl Into<String>,
    ) -> Self {
        self = self.meli_payamak_com(username, password, from);
        self.config.sms.settings.meli_payamak_com_api = MeliPayamakApi::Soap;
        self
    }

    /// Sends by melipayamak.com over its console API, with the token from there and the line to send
    /// from. It is used before a user name and a password.
    pub fn meli_payamak_com_console(
        mut self,
        token: impl Into<Secret>,
        from: impl Into<String>,
    ) -> Self {
        let settings = &mut self.config.sms.settings;
        settings.meli_payamak_com_console_token = token.into();
        settings.meli_payamak_com_from = from.into();
        self.chosen(SmsService::MeliPayamakCom)
    }

    /// Sends by kavenegar.com with this account.
    pub fn kavenegar_com(mut self, api_key: impl Into<Secret>) -> Self {
        self.config.sms.settings.kavenegar_com_api_key = api_key.into();
        self.chosen(SmsService::KavenegarCom)
    }

    fn chosen(mut self, service: SmsService) -> Self {
        self.config.sms.services = vec![service];
        self
    }

    /// `SMS.TEMPLATES`: a name for a template, with the id that it has with every provider without
    /// one of its own.
    ///
    /// [`TemplateIds`] may also name providers of the application's own, by
    /// [`SmsProvider::name`](crate::sms::SmsProvider::name).
    pub fn template(mut self, name: impl Into<String>, id: impl Into<TemplateIds>) -> Self {
        let TemplateIds { any, of } = id.into();
        let ids = self.config.sms.templates.entry(name.into()).or_default();
        ids.any = any.or(ids.any.take());
        ids.of.extend(of);
        self
    }

    /// `SMS.TEMPLATES`: the id that the template of this name has with one provider, before or after
    /// [`template`](Self::template).
    pub fn template_of(
        mut self,
        service: SmsService,
        name: impl Into<String>,
        id: impl Into<TemplateId>,
    ) -> Self {
        let ids = self.config.sms.templates.entry(name.into()).or_default();
        ids.of.insert(service.name().to_owned(), id.into());
        self
    }

    /// `CHAT.ALLOWED_ORIGINS`: the pages that may open sockets, as `https://app.example`.
    pub fn chat_allowed_origins(
        mut self,
        origins: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let origins = origins.into_iter().map(Into::into).collect();
        self.config.chat.allowed_origins = Some(origins);
        self
    }

    /// `SERVER.TRUSTED_PROXIES`: addresses and networks whose `X-Forwarded-For` is believed.
    pub fn trusted_proxies(mut self, proxies: impl IntoIterator<Item = impl Into<IpNet>>) -> Self {
        self.config.server.trusted_proxies = proxies.into_iter().map(Into::into).collect();
        self
    }

    /// The settings, if all of them can be used.
    ///
    /// # Errors
    ///
    /// Every problem, by the key that the setting has in a file.
    pub fn build(self) -> Result<Config, ConfigError> {
        let Self {
            mut config,
            services,
        } = self;
        if let Some(services) = services {
            config.sms.services = services;
        }
        config.normalise();
        config.validate()?;
        Ok(config)
    }
}

impl Config {
    /// Settings made in code.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }
}
