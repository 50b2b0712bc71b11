//! What is accepted, from where, and what it becomes.

use super::*;

#[test]
fn every_key_of_auth_reaches_its_field() {
    let config = Config::from_json(&every_setting().to_string()).unwrap();

    let auth = &config.auth;
    assert_eq!(auth.methods, [AuthMethod::Passwd, AuthMethod::Otp]);
    assert_eq!(auth.options.length, 6);
    assert_eq!(auth.options.lifetime, Duration::from_secs(90));
    assert_eq!(auth.options.resend_after, Duration::from_secs(60));
    let t2 = ids(
        None,
        &[("MELI_PAYAMAK_COM", "2"), ("KAVENEGAR_COM", "login")],
    );
    assert_eq!(auth.options.sms_template.as_ref(), Some(&t2));
    assert_eq!(auth.options.sms_text, "code: {code}");
    assert_eq!(auth.options.sms_host.as_deref(), Some("shop.example"));
    assert_eq!(auth.options.sms_app_hash.as_deref(), Some("FA+9qCX9V/u"));
    assert_eq!(auth.options.signup_groups, Some(vec![0, 7]));
    assert_eq!(auth.options.message_send_groups, Some(vec![7, 8]));
    assert_eq!(auth.options.username, UsernameForm::Package);
    assert_eq!(auth.options.countries, [Country::Iran]);
    assert!(auth.options.known_prefixes_only);
    assert!(auth.allow_test_numbers);
    let (number, code) = auth.test_numbers.first_key_value().unwrap();
    assert_eq!((number.as_str(), code.expose()), ("09120000000", "012345"));
    assert_eq!(auth.limits.username_changes_per_user_per_hour, 5);
    assert_eq!(auth.jwt.signing_key.expose(), SECRET);
    assert_eq!(auth.jwt.algorithm, JwtAlgorithm::HS512);
    assert_eq!(auth.jwt.verifying_key.expose(), PUBLIC_PEM);
    let previous = auth.jwt.previous_keys.iter().map(Secret::expose);
    assert_eq!(previous.collect::<Vec<_>>(), [OLD_SECRET, OLDER_SECRET]);
    assert_eq!(auth.jwt.access_token_lifetime, Duration::from_secs(60));
    assert_eq!(auth.jwt.refresh_token_lifetime, Duration::from_secs(600));
    assert!(!auth.jwt.rotate_refresh_tokens);
    assert_eq!(auth.jwt.refresh_grace, Duration::from_secs(10));
    assert_eq!(auth.jwt.issuer.as_deref(), Some("us"));
    assert_eq!(auth.jwt.audience, ["app", "panel"]);
    assert_eq!(auth.jwt.leeway, Duration::from_secs(5));
    assert_eq!(auth.jwt.user_id_claim, "uid");
    assert_eq!(auth.sessions.absolute_lifetime, Duration::from_secs(7200));
    assert_eq!(auth.sessions.max_per_user, 4);
    assert_eq!(auth.passwords.min_length, 12);
    assert_eq!(auth.passwords.memory_kib, 47_104);
    assert_eq!(auth.passwords.iterations, 3);
    assert_eq!(auth.passwords.max_concurrent, 2);
    assert_eq!(auth.passwords.django_iterations, 600_000);
    assert_eq!(auth.limits.otp_attempts, 3);
    assert_eq!(auth.limits.otp_per_number_per_hour, 4);
    assert_eq!(auth.limits.otp_per_number_per_day, 8);
    assert_eq!(auth.limits.otp_per_address_per_hour, 50);
    assert_eq!(auth.limits.otp_failures_per_number_per_hour, 15);
    assert_eq!(auth.limits.otp_failures_per_address_per_hour, 150);
    assert_eq!(auth.limits.login_failures_per_user_per_hour, 90);
    assert_eq!(auth.limits.login_failures_per_user_and_address_per_hour, 9);
    assert_eq!(auth.limits.login_failures_per_address_per_hour, 190);
    assert_eq!(auth.limits.pumping_guard, PumpingGuard::Record);
    assert_eq!(auth.limits.messages_per_user_per_hour, 40);
    assert_eq!(auth.limits.messages_per_receiver_per_hour, 6);
    assert_eq!(auth.limits.sms_per_hour, 100);
    assert_eq!(auth.limits.sms_per_day, 1000);
    assert_eq!(auth.limits.sms_rial_per_day, 5_000_000);
    assert_eq!(auth.limits.sms_reserve_percent, 30);
}

#[test]
fn every_key_of_sms_reaches_its_field() {
    let config = Config::from_json(&every_setting().to_string()).unwrap();

    let (sms, of) = (&config.sms, &config.sms.settings);
    assert_eq!(
        sms.services,
        [SmsService::MeliPayamakCom, SmsService::KavenegarCom]
    );
    assert_eq!(of.parsian_webco_ir_api_key.expose(), "parsian key");
    assert_eq!(of.parsian_webco_ir_base_url, "http://127.0.0.1:1/parsian");
    assert_eq!(of.meli_payamak_com_username, "user");
    assert_eq!(of.meli_payamak_com_password.expose(), "password");
    assert_eq!(of.meli_payamak_com_from, "5000");
    assert_eq!(of.meli_payamak_com_api, MeliPayamakApi::Soap);
    assert_eq!(of.meli_payamak_com_console_token.expose(), "console token");
    assert_eq!(of.meli_payamak_com_base_url, "https://meli.example");
    assert_eq!(of.kavenegar_com_api_key.expose(), "kavenegar key");
    assert_eq!(of.kavenegar_com_from, "1000");
    assert_eq!(of.kavenegar_com_base_url, "http://[::1]:2");
    assert_eq!(sms.templates["T1"], 1.into());
    assert_eq!(
        sms.templates["T2"],
        ids(
            None,
            &[("MELI_PAYAMAK_COM", "2"), ("KAVENEGAR_COM", "login")]
        )
    );
    assert_eq!(sms.templates["T3"], "verify".into());
    assert_eq!(sms.timeout, Duration::from_secs(9));
    assert_eq!(sms.max_concurrent, 8);
    assert_eq!(sms.breaker_failures, 7);
    assert_eq!(sms.breaker_pause, Duration::from_secs(60));
    assert_eq!(sms.price_rial_per_part, 900);
    assert_eq!(sms.low_balance_rial, 100_000);
    assert_eq!(sms.low_balance_messages, 50);
    assert_eq!(sms.log_days, 30);
}

#[test]
fn every_key_of_chat_reaches_its_field() {
    let config = Config::from_json(&every_setting().to_string()).unwrap();

    let chat = &config.chat;
    assert!(!chat.enabled && !chat.presence);
    let origins = ["https://app.example", "http://localhost:3000"].map(str::to_owned);
    assert_eq!(chat.allowed_origins, Some(origins.to_vec()));
    assert_eq!(chat.max_replay, 500);
    assert_eq!(chat.token_grace, Duration::from_secs(10));
    assert_eq!(chat.first_frame, Duration::from_secs(2));
    assert_eq!(chat.limits.sockets_per_user, 5);
    assert_eq!(chat.limits.frames_per_socket_per_second, 10);
    assert_eq!(chat.limits.max_frame_bytes, 16_384);
    assert_eq!(chat.edit_window, Duration::from_secs(900));
    assert_eq!(chat.limits.messages_per_user_per_minute, 30);
    assert_eq!(chat.limits.rooms_per_user_per_day, 10);
    assert_eq!(chat.limits.members_per_room, 200);
    assert_eq!(chat.limits.typing, Duration::from_secs(5));
    assert_eq!(chat.limits.lookups_per_user_per_hour, 20);
    assert_eq!(chat.limits.files_per_user_per_day, 50);
    let files = &chat.files;
    assert_eq!(files.folder, "files");
    assert_eq!(files.s3_bucket, "bucket");
    assert_eq!(files.s3_prefix, "chat");
    assert_eq!(files.s3_endpoint, "https://s3.example");
    assert_eq!(files.s3_region, "tehran");
    assert_eq!(files.s3_access_key_id, "id");
    assert_eq!(files.s3_secret_access_key.expose(), "the bucket's secret");
    assert_eq!(files.link_lifetime, Duration::from_secs(60));
    assert_eq!(files.max_bytes, 1024);
}

#[test]
fn every_key_of_the_database_and_the_server_reaches_its_field() {
    let config = Config::from_json(&every_setting().to_string()).unwrap();

    assert_eq!(
        config.database.url.expose(),
        "postgres://user:password@host/db"
    );
    assert_eq!(config.database.max_connections, 20);

    let server = &config.server;
    assert_eq!(server.bind, ([0, 0, 0, 0], 80).into());
    assert_eq!(server.prefix, "/v1/api");
    let networks: [IpNet; 2] = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    assert_eq!(server.trusted_proxies, networks);
    assert_eq!(server.max_body_bytes, 2048);
    assert_eq!(server.workers, 2);
    assert_eq!(server.shutdown_timeout, Duration::from_secs(3));
    assert!(server.metrics);
    assert_eq!(server.log_format, LogFormat::Json);
    assert_eq!(server.log_level, LogLevel::Debug);
}

#[test]
fn every_key_of_the_contract_is_accepted_from_toml_json_and_the_environment() {
    let settings = every_setting();
    let environment = as_environment(&settings);
    for key in Names::collect().settings() {
        let variable = names::variable_of(key);
        assert!(
            environment.iter().any(|(name, _)| *name == variable),
            "{key} is not tried"
        );
    }

    let from_json = Config::from_json(&settings.to_string()).unwrap();
    let from_toml = Config::from_toml(&toml::to_string(&settings).unwrap()).unwrap();
    let from_environment = Config::load(None, environment).unwrap();
    assert_eq!(contents(&from_json), contents(&from_toml));
    assert_eq!(contents(&from_json), contents(&from_environment));
}

#[test]
#[allow(clippy::too_many_lines, reason = "a line for each setting")]
fn the_builder_makes_the_same_settings_as_a_file() {
    let built = Config::builder()
        .auth_methods([AuthMethod::Passwd, AuthMethod::Otp])
        .otp_length(6)
        .otp_lifetime(Duration::from_secs(90))
        .otp_resend_after(Duration::from_secs(60))
        .otp_sms_template("T2")
        .otp_sms_text("code: {code}")
        .otp_sms_host("shop.example")
        .otp_sms_app_hash("FA+9qCX9V/u")
        .signup_groups([0, 7])
        .message_send_groups([7, 8])
        .username(UsernameForm::Package)
        .countries([Country::Iran])
        .known_prefixes_only(true)
        .allow_test_numbers(true)
        .test_number("09120000000".parse().unwrap(), "012345")
        .username_changes_per_user_per_hour(5)
        .signing_key(SECRET)
        .jwt_algorithm(JwtAlgorithm::HS512)
        .verifying_key(PUBLIC_PEM)
        .previous_keys([OLD_SECRET, OLDER_SECRET])
        .access_token_lifetime(Duration::from_secs(60))
        .refresh_token_lifetime(Duration::from_secs(600))
        .rotate_refresh_tokens(false)
        .refresh_grace(Duration::from_secs(10))
        .issuer("us")
        .audience(["app", "panel"])
        .leeway(Duration::from_secs(5))
        .user_id_claim("uid")
        .session_lifetime(Duration::from_secs(7200))
        .max_sessions_per_user(4)
        .password_min_length(12)
        .password_memory_kib(47_104)
        .password_iterations(3)
        .password_max_concurrent(2)
        .password_django_iterations(600_000)
        .login_failures_per_user_per_hour(90)
        .login_failures_per_user_and_address_per_hour(9)
        .login_failures_per_address_per_hour(190)
        .otp_attempts(3)
        .otp_per_number_per_hour(4)
        .otp_per_number_per_day(8)
        .otp_per_address_per_hour(50)
        .otp_failures_per_number_per_hour(15)
        .otp_failures_per_address_per_hour(150)
        .pumping_guard(PumpingGuard::Record)
        .messages_per_user_per_hour(40)
        .messages_per_receiver_per_hour(6)
        .sms_per_hour(100)
        .sms_per_day(1000)
        .sms_rial_per_day(5_000_000)
        .sms_reserve_percent(30)
        .sms_services([SmsService::MeliPayamakCom, SmsService::KavenegarCom])
        .parsian_webco_ir("parsian key")
        .parsian_webco_ir_base_url("http://127.0.0.1:1/parsian")
        .kavenegar_com("kavenegar key")
        .kavenegar_com_from("1000")
        .kavenegar_com_base_url("http://[::1]:2")
        .meli_payamak_com_soap("user", "password", "5000")
        .meli_payamak_com_console("console token", "5000")
        .meli_payamak_com_base_url("https://meli.example")
        .template("T1", 1)
        .template_of(SmsService::MeliPayamakCom, "T2", 2)
        .template_of(SmsService::KavenegarCom, "T2", "login")
        .template("T3", "verify")
        .sms_timeout(Duration::from_secs(9))
        .sms_max_concurrent(8)
        .sms_breaker(7, Duration::from_secs(60))
        .sms_price_rial_per_part(900)
        .sms_low_balance_rial(100_000)
        .sms_low_balance_messages(50)
        .sms_log_days(30)
        .chat_enabled(false)
        .chat_presence(false)
        .chat_allowed_origins(["https://app.example", "http://localhost:3000"])
        .chat_max_replay(500)
        .chat_token_grace(Duration::from_secs(10))
        .chat_first_frame(Duration::from_secs(2))
        .chat_sockets_per_user(5)
        .chat_frames_per_socket_per_second(10)
        .chat_max_frame_bytes(16_384)
        .chat_edit_window(Duration::from_secs(900))
        .chat_messages_per_user_per_minute(30)
        .chat_rooms_per_user_per_day(10)
        .chat_members_per_room(200)
        .chat_typing(Duration::from_secs(5))
        .chat_lookups_per_user_per_hour(20)
        .chat_files_per_user_per_day(50)
        .chat_files_folder("files")
        .chat_files_s3_bucket("bucket")
        .chat_files_s3_prefix("chat")
        .chat_files_s3_endpoint("https://s3.example")
        .chat_files_s3_region("tehran")
        .chat_files_s3_access_key_id("id")
        .chat_files_s3_secret_access_key(Secret::new("the bucket's secret"))
        .chat_files_link_lifetime(Duration::from_secs(60))
        .chat_files_max_bytes(1024)
        .database_url("postgres://user:password@host/db")
        .max_connections(20)
        .bind(([0, 0, 0, 0], 80).into())
        .prefix("v1/api/")
        .trusted_proxies(["10.0.0.0/8", "::1/128"].map(|network| network.parse::<IpNet>().unwrap()))
        .max_body_bytes(2048)
        .workers(2)
        .shutdown_timeout(Duration::from_secs(3))
        .metrics(true)
        .log_format(LogFormat::Json)
        .log_level(LogLevel::Debug)
        .build()
        .unwrap();
    let loaded = Config::from_json(&every_setting().to_string()).unwrap();
    assert_eq!(contents(&built), contents(&loaded));
}

#[test]
fn nothing_at_all_means_the_defaults() {
    let default = contents(&Config::default());
    assert_eq!(contents(&Config::from_toml("").unwrap()), default);
    assert_eq!(contents(&Config::from_json("{}").unwrap()), default);
    assert_eq!(contents(&Config::load(None, []).unwrap()), default);
    assert_eq!(contents(&Config::builder().build().unwrap()), default);
}

#[test]
fn the_outer_table_may_be_there_or_not() {
    let settings = every_setting();
    let inner = Config::from_json(&settings.to_string()).unwrap();
    let outer = Config::from_json(&json!({ "DJANGO_CHELSERU": settings }).to_string()).unwrap();
    assert_eq!(contents(&inner), contents(&outer));
}

#[test]
fn what_stands_beside_the_outer_table_is_not_lost_in_silence() {
    let error = message(Config::from_toml(
        "SMS.TIMEOUT_SECONDS = 3\n[DJANGO_CHELSERU]",
    ));
    assert_eq!(
        error,
        "SMS: stands beside DJANGO_CHELSERU, but settings belong inside it"
    );
}

#[test]
fn the_environment_beats_the_file_and_the_file_beats_the_default() {
    let file = File::new(
        "precedence.toml",
        "[AUTH.OPTIONS]\nOTP_LENGTH = 5\nOTP_EXPIRE_PER_MINUTES = 9\n[SMS.TEMPLATES]\nT1 = 1\nT2 = 2",
    );
    let environment = variables(&[
        ("CHELSERU_AUTH__OPTIONS__OTP_LENGTH", "6"),
        ("CHELSERU_SMS__TEMPLATES__T2", "22"),
    ]);
    let config = Config::load(Some(file.as_ref()), environment).unwrap();
    assert_eq!(config.auth.options.length, 6);
    assert_eq!(config.auth.options.lifetime, Duration::from_secs(9 * 60));
    assert_eq!(config.auth.limits.otp_attempts, 5);
    assert_eq!(config.sms.templates["T1"], 1.into());
    assert_eq!(config.sms.templates["T2"], 22.into());
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let file = File::new("empty.json", r#"{"SERVER": {"PREFIX": "/v2"}}"#);
    let environment = variables(&[
        ("CHELSERU_SERVER__PREFIX", ""),
        ("CHELSERU_SERVER__NO_SUCH", ""),
    ]);
    let config = Config::load(Some(file.as_ref()), environment).unwrap();
    assert_eq!(config.server.prefix, "/v2");
}

#[test]
fn flags_in_the_environment_are_words_or_digits() {
    let rotates = |text| {
        let config = from_environment(&[("CHELSERU_AUTH__JWT__ROTATE_REFRESH_TOKENS", text)]);
        config.map(|config| config.auth.jwt.rotate_refresh_tokens)
    };
    for text in ["true", "1", "yes", "on", "True", "YES"] {
        assert_eq!(rotates(text), Ok(true), "{text}");
    }
    for text in ["false", "0", "no", "off", "False", "OFF"] {
        assert_eq!(rotates(text), Ok(false), "{text}");
    }
    assert!(rotates("2").is_err());
}

#[test]
fn settings_are_part_of_an_applications_own() {
    #[derive(serde::Deserialize)]
    struct Application {
        name: String,
        login: Config,
    }
    let text = "name = 'shop'\n[login.AUTH.OPTIONS]\nOTP_LENGTH = 6";
    let application: Application = toml::from_str(text).unwrap();
    assert_eq!(
        (
            application.name.as_str(),
            application.login.auth.options.length
        ),
        ("shop", 6)
    );

    let wrong = json!({ "name": "shop", "login": { "AUTH": { "OPTIONS": { "OTP_LENGTH": 11 } } } });
    let error = serde_json::from_value::<Application>(wrong).err().unwrap();
    assert!(
        error
            .to_string()
            .contains("AUTH.OPTIONS.OTP_LENGTH: found 11"),
        "{error}"
    );
}

#[test]
fn a_template_for_the_code_is_named_or_numbered_or_none() {
    let template = |id: Value| {
        let settings = json!({
            "AUTH": { "OPTIONS": { "OTP_SMS_TEMPLATE_ID": id } },
            "SMS": { "TEMPLATES": { "T1": 17 } },
        });
        let config = Config::from_json(&settings.to_string()).unwrap();
        config
            .auth
            .options
            .sms_template
            .and_then(|ids| ids.any)
            .map(|id| id.0)
    };
    assert_eq!(template(json!("T1")).as_deref(), Some("17"));
    assert_eq!(template(json!(3)).as_deref(), Some("3"));
    assert_eq!(template(json!("verify")).as_deref(), Some("verify"));
    for none in [json!(0), json!(""), json!(null)] {
        assert_eq!(template(none.clone()), None, "{none}");
    }
}

#[test]
fn a_prefix_is_one_path_however_it_is_written() {
    for (written, meant) in [
        ("api/", "/api"),
        ("/api/", "/api"),
        ("/a/b", "/a/b"),
        ("/", ""),
        ("", ""),
    ] {
        assert_eq!(
            with("SERVER.PREFIX", written).unwrap().server.prefix,
            meant,
            "{written}"
        );
    }
    for wrong in ["/a//b", "/{id}", "/a b", "/..", "/a?b", "http://host/api"] {
        assert!(with("SERVER.PREFIX", wrong).is_err(), "{wrong}");
    }
}

#[test]
fn one_audience_needs_no_list() {
    assert_eq!(
        with("AUTH.JWT.AUDIENCE", "a,b").unwrap().auth.jwt.audience,
        ["a,b"]
    );
    let config = from_environment(&[("CHELSERU_AUTH__JWT__AUDIENCE", "a, b,")]).unwrap();
    assert_eq!(config.auth.jwt.audience, ["a", "b"]);
}

#[test]
fn a_test_number_is_written_in_any_way_and_its_code_as_text_or_number() {
    let variable = "CHELSERU_AUTH__TEST_NUMBERS__09120000000";
    let allow = ("CHELSERU_AUTH__ALLOW_TEST_NUMBERS", "true");
    let config = from_environment(&[allow, (variable, "01234")]).unwrap();
    let code_of = |config: &Config| {
        let number = "09120000000".parse().unwrap();
        config.auth.test_numbers[&number].expose().to_owned()
    };
    assert_eq!(code_of(&config), "01234");
    let config = Config::from_toml(
        r#"
        AUTH.ALLOW_TEST_NUMBERS = true
        AUTH.TEST_NUMBERS = { "+98 912 000 0000" = 12345 }
        "#,
    );
    assert_eq!(code_of(&config.unwrap()), "12345");
}
