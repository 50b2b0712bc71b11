//! Several providers, templates that differ between them, and the rules of messages.

use super::*;

fn services(settings: Result<Config, ConfigError>) -> Vec<&'static str> {
    let services = settings.unwrap().sms.services;
    services.into_iter().map(SmsService::name).collect()
}

/// The settings of a file and the variables with it.
fn with_variables(name: &str, toml: &str, pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let file = File::new(name, toml);
    Config::load(Some(file.as_ref()), variables(pairs))
}

#[test]
fn providers_are_one_name_or_a_list_whose_order_stays() {
    const SERVICE: &str = "SMS.SMS_SERVICE";
    let key = ("CHELSERU_SMS__SETTINGS__KAVENEGAR_COM_API_KEY", "key");
    assert_eq!(services(with(SERVICE, "CONSOLE")), ["CONSOLE"]);
    assert_eq!(services(with(SERVICE, json!(["CONSOLE"]))), ["CONSOLE"]);

    for list in ["KAVENEGAR_COM,CONSOLE", " KAVENEGAR_COM , CONSOLE ,"] {
        let config = from_environment(&[key, ("CHELSERU_SMS__SMS_SERVICE", list)]);
        assert_eq!(services(config), ["KAVENEGAR_COM", "CONSOLE"], "{list}");
    }
    let config = with_variables(
        "services.toml",
        "SMS.SMS_SERVICE = ['CONSOLE', 'KAVENEGAR_COM']",
        &[key],
    );
    assert_eq!(services(config), ["CONSOLE", "KAVENEGAR_COM"]);
}

#[test]
fn a_wrong_list_of_providers_is_told_what_is_wrong_in_it() {
    const ALLOWED: &str = r#"allowed are "PARSIAN_WEBCO_IR", "MELI_PAYAMAK_COM", "KAVENEGAR_COM", "CONSOLE", or a list of them"#;
    for (list, fault) in [
        (json!("KAVENEGAR"), r#"found "KAVENEGAR""#),
        (json!(["CONSOLE", "KAVENEGAR"]), r#"found "KAVENEGAR""#),
        (json!(["CONSOLE", 5]), "found 5"),
        (json!([["CONSOLE"]]), r#"found ["CONSOLE"]"#),
        (json!([]), "is empty"),
        (json!(["CONSOLE", "CONSOLE"]), r#"found "CONSOLE" twice"#),
        (json!({ "a": "CONSOLE" }), "is a table"),
    ] {
        let error = message(with("SMS.SMS_SERVICE", list));
        assert_eq!(error, format!("SMS.SMS_SERVICE: {fault}, {ALLOWED}"));
    }

    for (list, fault) in [
        ("CONSOLE,KAVENEGAR", r#"found "KAVENEGAR""#),
        (",", "is empty"),
        ("CONSOLE,CONSOLE", r#"found "CONSOLE" twice"#),
    ] {
        let error = message(from_environment(&[("CHELSERU_SMS__SMS_SERVICE", list)]));
        let variable = "(set by the variable CHELSERU_SMS__SMS_SERVICE)";
        assert_eq!(
            error,
            format!("SMS.SMS_SERVICE: {fault}, {ALLOWED} {variable}")
        );
    }
}

#[test]
fn every_provider_of_the_list_needs_its_account() {
    let list = json!(["KAVENEGAR_COM", "CONSOLE", "PARSIAN_WEBCO_IR"]);
    let expected = [
        r#"SMS.SETTINGS.PARSIAN_WEBCO_IR_API_KEY: is missing, SMS_SERVICE = "PARSIAN_WEBCO_IR" needs it"#,
        r#"SMS.SETTINGS.KAVENEGAR_COM_API_KEY: is missing, SMS_SERVICE = "KAVENEGAR_COM" needs it"#,
    ];
    assert_eq!(message(with("SMS.SMS_SERVICE", list)), expected.join("\n"));
}

#[test]
fn a_token_of_the_console_api_stands_for_the_user_name_and_the_password() {
    let settings = |settings: Value| {
        with(
            "SMS",
            json!({ "SMS_SERVICE": "MELI_PAYAMAK_COM", "SETTINGS": settings }),
        )
    };
    let token = json!({ "MELI_PAYAMAK_COM_CONSOLE_TOKEN": "t", "MELI_PAYAMAK_COM_FROM": "5000" });
    assert!(settings(token).is_ok());
    assert_eq!(
        message(settings(json!({ "MELI_PAYAMAK_COM_CONSOLE_TOKEN": "t" }))),
        r#"SMS.SETTINGS.MELI_PAYAMAK_COM_FROM: is missing, SMS_SERVICE = "MELI_PAYAMAK_COM" needs it"#
    );

    let built = Config::builder()
        .meli_payamak_com_console("t", "5000")
        .build();
    let sms = built.unwrap().sms;
    assert_eq!(sms.services, [SmsService::MeliPayamakCom]);
    assert_eq!(sms.settings.meli_payamak_com_console_token.expose(), "t");
}

#[test]
fn the_official_host_of_melipayamak_is_meant_by_no_url() {
    const URL: &str = "SMS.SETTINGS.MELI_PAYAMAK_COM_BASE_URL";
    let url =
        |written| with(URL, written).map(|config| config.sms.settings.meli_payamak_com_base_url);
    assert_eq!(url("").unwrap(), "");
    assert_eq!(
        url("https://meli.example/").unwrap(),
        "https://meli.example"
    );
    for wrong in ["https://", "http://meli.example", "meli.example"] {
        assert!(url(wrong).is_err(), "{wrong}");
    }
    // The others have one host each, which is their default.
    for key in ["PARSIAN_WEBCO_IR", "KAVENEGAR_COM"] {
        assert!(with(&format!("SMS.SETTINGS.{key}_BASE_URL"), "").is_err());
    }
}

#[test]
fn a_template_has_one_id_or_one_for_each_provider() {
    let config = Config::from_toml(
        "[SMS.TEMPLATES]
         ALL = 5
         EACH = { KAVENEGAR_COM = 'verify', MELI_PAYAMAK_COM = 12345 }",
    )
    .unwrap();
    let all = &config.sms.templates["ALL"];
    assert_eq!(all.with("KAVENEGAR_COM"), Some(&5.into()));
    let each = &config.sms.templates["EACH"];
    assert_eq!(each.with("KAVENEGAR_COM"), Some(&"verify".into()));
    assert_eq!(each.with("MELI_PAYAMAK_COM"), Some(&12345.into()));
    assert_eq!(each.with("PARSIAN_WEBCO_IR"), None);
}

#[test]
fn a_variable_gives_a_template_to_one_provider_and_the_others_keep_theirs() {
    let file = "[SMS.TEMPLATES]
                LOGIN = 5
                EACH = { KAVENEGAR_COM = 'old', MELI_PAYAMAK_COM = 7 }";
    let config = with_variables(
        "templates.toml",
        file,
        &[
            ("CHELSERU_SMS__TEMPLATES__LOGIN__KAVENEGAR_COM", "verify"),
            ("CHELSERU_SMS__TEMPLATES__EACH__KAVENEGAR_COM", "new"),
            ("CHELSERU_SMS__TEMPLATES__EACH", "9"),
            ("CHELSERU_SMS__TEMPLATES__ALONE__PARSIAN_WEBCO_IR", "3"),
        ],
    )
    .unwrap();
    let templates = &config.sms.templates;
    assert_eq!(
        templates["LOGIN"],
        ids(Some("5"), &[("KAVENEGAR_COM", "verify")])
    );
    assert_eq!(
        templates["EACH"],
        ids(
            Some("9"),
            &[("KAVENEGAR_COM", "new"), ("MELI_PAYAMAK_COM", "7")]
        )
    );
    assert_eq!(templates["ALONE"], ids(None, &[("PARSIAN_WEBCO_IR", "3")]));
    assert_eq!(templates.len(), 3);
}

#[test]
fn the_name_of_a_template_may_hold_dots_and_underscores() {
    let file = "[SMS.TEMPLATES]
                'a.b' = 1
                A__B = 2
                KAVENEGAR_COM = 3
                'a.c' = { KAVENEGAR_COM = 4 }";
    let environment = [
        ("CHELSERU_SMS__TEMPLATES__C__D", "5"),
        ("CHELSERU_SMS__TEMPLATES__C__D__KAVENEGAR_COM", "6"),
        ("CHELSERU_SMS__TEMPLATES__CONSOLE", "7"),
    ];
    let config = with_variables("names.toml", file, &environment).unwrap();
    let expected = [
        ("A__B", 2.into()),
        ("C.D", ids(Some("5"), &[("KAVENEGAR_COM", "6")])),
        ("CONSOLE", 7.into()),
        ("KAVENEGAR_COM", 3.into()),
        ("a.b", 1.into()),
        ("a.c", ids(None, &[("KAVENEGAR_COM", "4")])),
    ];
    let expected = expected.map(|(name, ids)| (name.to_owned(), ids));
    assert_eq!(config.sms.templates, expected.into());
}

#[test]
fn a_template_with_an_unknown_provider_or_a_wrong_id_is_named() {
    const ID: &str = "allowed is a template's id: a whole number from 1, or a text";
    let templates = json!({
        "LOGIN": { "KAVENEGAR": "hunter2", "KAVENEGAR_COM": 0, "MELI_PAYAMAK_COM": {} },
        "NONE": {},
    });
    let expected = [
        format!(r#"SMS.TEMPLATES.LOGIN.KAVENEGAR_COM: found "0", {ID}"#),
        r#"SMS.TEMPLATES.LOGIN.KAVENEGAR: is not of a known provider, allowed are "PARSIAN_WEBCO_IR", "MELI_PAYAMAK_COM", "KAVENEGAR_COM", "CONSOLE""#.to_owned(),
        format!("SMS.TEMPLATES.LOGIN.MELI_PAYAMAK_COM: is a table, {ID}"),
        format!("SMS.TEMPLATES.NONE: is a table, {ID}, or a table of ids by provider"),
    ];
    let error = with("SMS.TEMPLATES", templates).unwrap_err();
    let mut found: Vec<_> = error.problems().iter().map(Problem::to_string).collect();
    let mut expected = expected.to_vec();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);

    let error = message(from_environment(&[(
        "CHELSERU_SMS__TEMPLATES__LOGIN__KAVENEGAR_COM",
        "-1",
    )]));
    let variable = "(set by the variable CHELSERU_SMS__TEMPLATES__LOGIN__KAVENEGAR_COM)";
    assert_eq!(
        error,
        format!(r#"SMS.TEMPLATES.LOGIN.KAVENEGAR_COM: found "-1", {ID} {variable}"#)
    );
}

#[test]
fn a_template_made_in_code_has_at_least_one_id_and_all_of_them_are_right() {
    let built = |ids| Config::builder().template("T", ids).build();
    assert!(message(built(TemplateIds::default())).starts_with("SMS.TEMPLATES.T: is empty, "));
    assert!(
        message(built(ids(Some("1"), &[("KAVENEGAR_COM", "0")])))
            .starts_with(r#"SMS.TEMPLATES.T.KAVENEGAR_COM: found "0", "#)
    );
    // An application's own provider has a name of its own.
    assert!(built(ids(None, &[("PIGEON", "1")])).is_ok());
}

#[test]
fn a_template_of_one_provider_and_one_of_all_are_given_in_any_order() {
    let kavenegar = SmsService::KavenegarCom;
    let one = Config::builder()
        .template("T", 1)
        .template_of(kavenegar, "T", "verify");
    let other = Config::builder()
        .template_of(kavenegar, "T", "verify")
        .template("T", 1);
    let table = Config::builder()
        .template("T", 1)
        .template("T", ids(None, &[("KAVENEGAR_COM", "verify")]));
    for builder in [one, other, table] {
        let templates = builder.build().unwrap().sms.templates;
        assert_eq!(
            templates["T"],
            ids(Some("1"), &[("KAVENEGAR_COM", "verify")])
        );
    }
}

#[test]
fn the_template_for_the_code_has_the_ids_of_the_template_that_it_names() {
    let template = |builder: crate::config::ConfigBuilder| {
        let config = builder
            .template("LOGIN", 5)
            .template_of(SmsService::KavenegarCom, "LOGIN", "verify")
            .build();
        config.unwrap().auth.options.sms_template
    };
    let login = ids(Some("5"), &[("KAVENEGAR_COM", "verify")]);
    let builder = Config::builder;
    assert_eq!(template(builder().otp_sms_template("LOGIN")), Some(login));
    assert_eq!(
        template(builder().otp_sms_template("other")),
        Some("other".into())
    );
    assert_eq!(template(builder().otp_sms_template(0)), None);
    // What is given for one provider beside the name stays.
    let mixed = ids(Some("LOGIN"), &[("MELI_PAYAMAK_COM", "8")]);
    assert_eq!(
        template(builder().otp_sms_template(mixed)),
        Some(ids(
            Some("5"),
            &[("KAVENEGAR_COM", "verify"), ("MELI_PAYAMAK_COM", "8")]
        ))
    );
    let one = ids(Some("0"), &[("MELI_PAYAMAK_COM", "8")]);
    assert_eq!(
        template(builder().otp_sms_template(one)),
        Some(ids(None, &[("MELI_PAYAMAK_COM", "8")]))
    );
}

#[test]
fn the_builders_list_of_providers_stands_wherever_it_is_given() {
    let list = [SmsService::MeliPayamakCom, SmsService::KavenegarCom];
    let accounts = |builder: crate::config::ConfigBuilder| {
        builder
            .meli_payamak_com("user", "password", "5000")
            .kavenegar_com("key")
    };
    let before = accounts(Config::builder().sms_services(list));
    let after = accounts(Config::builder()).sms_services(list);
    let without = accounts(Config::builder());
    assert_eq!(before.build().unwrap().sms.services, list);
    assert_eq!(after.build().unwrap().sms.services, list);
    assert_eq!(
        without.build().unwrap().sms.services,
        [SmsService::KavenegarCom]
    );

    for (wrong, fault) in [
        (vec![], "SMS.SMS_SERVICE: is empty, "),
        (
            vec![SmsService::Console; 2],
            r#"SMS.SMS_SERVICE: found "CONSOLE" twice, "#,
        ),
    ] {
        let error = message(Config::builder().sms_services(wrong).build());
        assert!(error.starts_with(fault), "{error}");
    }
}

#[test]
fn the_api_of_melipayamak_is_that_of_the_last_account() {
    let api = |builder: crate::config::ConfigBuilder| {
        let sms = builder.build().unwrap().sms;
        assert_eq!(sms.services, [SmsService::MeliPayamakCom]);
        sms.settings.meli_payamak_com_api
    };
    let soap = Config::builder().meli_payamak_com_soap("user", "password", "5000");
    assert_eq!(api(soap.clone()), MeliPayamakApi::Soap);
    let rest = soap.meli_payamak_com("user", "password", "5000");
    assert_eq!(api(rest), MeliPayamakApi::Rest);
}

#[test]
fn a_budget_in_rial_needs_a_price_for_providers_that_do_not_tell_their_costs() {
    let with_price = |services: &[SmsService], price| {
        Config::builder()
            .kavenegar_com("key")
            .parsian_webco_ir("key")
            .sms_services(services)
            .sms_rial_per_day(1)
            .sms_price_rial_per_part(price)
            .build()
    };
    let (kavenegar, parsian) = (SmsService::KavenegarCom, SmsService::ParsianWebcoIr);
    assert!(with_price(&[kavenegar], 0).is_ok());
    assert!(with_price(&[kavenegar, parsian], 1).is_ok());
    for services in [&[kavenegar, parsian][..], &[parsian]] {
        assert_eq!(
            message(with_price(services, 0)),
            "SMS.PRICE_RIAL_PER_PART: found 0, AUTH.LIMITS.SMS_RIAL_PER_DAY needs more, \
             for PARSIAN_WEBCO_IR does not tell what a message costs"
        );
    }
    assert!(with_price(&[SmsService::Console], 0).is_err());
}

#[test]
fn a_provider_that_cannot_be_read_causes_no_second_problem() {
    let error = Config::from_toml(
        "SMS.SMS_SERVICE = 'KAVENEGAR'
         AUTH.LIMITS.SMS_RIAL_PER_DAY = 1000",
    )
    .unwrap_err();
    let keys: Vec<_> = error.problems().iter().map(|one| &one.key).collect();
    assert_eq!(keys, ["SMS.SMS_SERVICE"]);
}

#[test]
fn a_daily_budget_goes_up_to_a_thousand_million_million_rial() {
    let budget = |rial: i64| {
        let limits = json!({ "LIMITS": { "SMS_RIAL_PER_DAY": rial } });
        let sms = json!({ "PRICE_RIAL_PER_PART": 1 });
        Config::from_json(&json!({ "AUTH": limits, "SMS": sms }).to_string())
    };
    let most = 1_000_000_000_000_000;
    assert_eq!(
        budget(most).unwrap().auth.limits.sms_rial_per_day,
        10_u64.pow(15)
    );
    assert_eq!(
        message(budget(most + 1)),
        "AUTH.LIMITS.SMS_RIAL_PER_DAY: found 1000000000000001, \
         allowed are whole numbers from 0 to 1000000000000000"
    );
}

#[test]
fn a_host_for_codes_is_a_host_name_and_nothing_more() {
    let host = |text: &str| {
        let config = with("AUTH.OPTIONS.OTP_SMS_HOST", text)?;
        Ok::<_, ConfigError>(config.auth.options.sms_host)
    };
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    for right in [
        "shop.example",
        "Shop.Example",
        "localhost",
        "a-1.2.example",
        "xn--mgba3gch31f.xn--mgba3a4f16a",
        &longest,
    ] {
        assert_eq!(host(right).unwrap().as_deref(), Some(right));
    }
    assert_eq!(host("").unwrap(), None);
    for wrong in [
        "https://shop.example",
        "shop.example:443",
        "shop.example/login",
        "shop.example ",
        " shop.example",
        "shop.\nexample",
        "@shop.example",
        "shop.example#1",
        "shop.example?a",
        "shop.example.",
        ".shop.example",
        "shop..example",
        "-shop.example",
        "shop-.example",
        "shop_1.example",
        "فروشگاه.example",
        "192.0.2.1",
        "[::1]",
        "*.example",
        &format!("{longest}a"),
        &format!("{label}a.example"),
    ] {
        assert_eq!(
            message(with("AUTH.OPTIONS.OTP_SMS_HOST", wrong)),
            format!(
                "AUTH.OPTIONS.OTP_SMS_HOST: found {wrong:?}, allowed is a host name alone, such as \
                 shop.example, in ASCII (xn--… for other letters), or null for none"
            )
        );
    }
}

#[test]
fn an_empty_variable_or_text_means_no_host_and_no_hash() {
    let options = json!({ "OTP_SMS_HOST": "", "OTP_SMS_APP_HASH": null });
    let options = with("AUTH.OPTIONS", options).unwrap().auth.options;
    assert_eq!((options.sms_host, options.sms_app_hash), (None, None));

    let built = Config::builder().otp_sms_host("").build();
    assert!(message(built).starts_with("AUTH.OPTIONS.OTP_SMS_HOST: is empty, "));
}
