//! What must hold: for each setting alone, and between several.

use std::collections::BTreeMap;

use super::error::Problems;
use super::kinds::{Kind, Template, TestCode};
use super::schema::{self, Names, Visitor};
use super::{
    AuthConfig, Config, ConfigError, FilesConfig, JwtConfig, SmsConfig, SmsService, TemplateIds,
    jwt_keys, texts,
};
use crate::mobile::MobileNumber;
use crate::secret::Secret;
use crate::sms::TemplateId;

impl Config {
    /// Checks what loading and building check, after fields were changed by hand.
    ///
    /// # Errors
    ///
    /// Every problem, in the order of the settings.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut problems = Problems::default();
        self.check(&mut problems);
        problems.into_result(&Names::collect())
    }

    /// Adds every problem with a key that has none yet.
    pub(super) fn check(&self, problems: &mut Problems) {
        // The walk is made for changing fields, so it is given a copy.
        schema::walk(&mut self.clone(), &mut Checker { problems });
        jwt_keys::check(&self.auth.jwt, problems);
        check_lifetimes(&self.auth.jwt, problems);
        check_test_numbers(&self.auth, problems);
        check_accounts(&self.sms, problems);
        check_price(self, problems);
        check_resending(self, problems);
        check_files(&self.chat.files, problems);
    }

    /// Brings what can be written in several ways to one form, and looks the template's name up.
    pub(super) fn normalise(&mut self) {
        self.server.prefix = texts::normal_prefix(&self.server.prefix);

        let settings = &mut self.sms.settings;
        for url in [
            &mut settings.parsian_webco_ir_base_url,
            &mut settings.meli_payamak_com_base_url,
            &mut settings.kavenegar_com_base_url,
            &mut self.chat.files.s3_endpoint,
        ] {
            url.truncate(url.trim_end_matches('/').len());
        }

        let template = self.auth.options.sms_template.take();
        self.auth.options.sms_template = template.and_then(|ids| self.template_meant_by(ids));
    }

    /// The template's ids, where what is given for all providers may be its name. A 0 and an empty
    /// text are no id.
    fn template_meant_by(&self, mut given: TemplateIds) -> Option<TemplateIds> {
        let name = given.any.as_ref().map(|TemplateId(name)| name);
        if let Some(named) = name.and_then(|name| self.sms.templates.get(name)) {
            let mut ids = named.clone();
            ids.of.append(&mut given.of);
            given = ids;
        }
        given
            .any
            .take_if(|TemplateId(id)| matches!(id.as_str(), "" | "0"));
        (given != TemplateIds::default()).then_some(given)
    }
}

/// Each setting alone.
struct Checker<'a> {
    problems: &'a mut Problems,
}

impl Checker<'_> {
    fn check<F>(&mut self, key: &str, field: &F, kind: &impl Kind<F>) {
        if let Some(fault) = kind.fault(field) {
            self.problems
                .add(key, format!("{fault}, {}", kind.allowed()));
        }
    }
}

impl Visitor for Checker<'_> {
    fn setting<F>(&mut self, key: &'static str, field: &mut F, kind: &impl Kind<F>) {
        self.check(key, field, kind);
    }

    fn test_numbers(&mut self, table: &'static str, numbers: &mut BTreeMap<MobileNumber, Secret>) {
        for (number, code) in numbers {
            self.check(&format!("{table}.{number}"), code, &TestCode);
        }
    }

    fn templates(&mut self, table: &'static str, templates: &mut BTreeMap<String, TemplateIds>) {
        for (name, ids) in templates {
            let key = format!("{table}.{name}");
            if ids.any.is_none() && ids.of.is_empty() {
                let allowed = Template::OfAll.allowed();
                self.problems.add(&key, format!("is empty, {allowed}"));
            }
            if let Some(id) = &ids.any {
                self.check(&key, id, &Template::OfAll);
            }
            for (provider, id) in &ids.of {
                self.check(&format!("{key}.{provider}"), id, &Template::OfProvider);
            }
        }
    }
}

/// A bucket needs a name to ask by.
fn check_files(files: &FilesConfig, problems: &mut Problems) {
    if files.s3_bucket.is_empty() {
        return;
    }
    for (key, is_missing) in [
        (
            "CHAT.FILES.S3_ACCESS_KEY_ID",
            files.s3_access_key_id.is_empty(),
        ),
        (
            "CHAT.FILES.S3_SECRET_ACCESS_KEY",
            files.s3_secret_access_key.is_empty(),
        ),
    ] {
        if is_missing {
            problems.add(key, "is missing, CHAT.FILES.S3_BUCKET needs it".to_owned());
        }
    }
}

/// A refresh token that ends before the access token could never be used.
fn check_lifetimes(jwt: &JwtConfig, problems: &mut Problems) {
    const ACCESS: &str = "AUTH.JWT.ACCESS_TOKEN_LIFETIME";
    let (access, refresh) = (jwt.access_token_lifetime, jwt.refresh_token_lifetime);
    if refresh < access && !problems.has(ACCESS) {
        let message = format!(
            "found {}, allowed is at least {ACCESS}, which is {}",
            refresh.as_secs_f64(),
            access.as_secs_f64()
        );
        problems.add("AUTH.JWT.REFRESH_TOKEN_LIFETIME", message);
    }
}

/// Whoever copies a file of settings from a test to a service that faces the internet is told.
fn check_test_numbers(auth: &AuthConfig, problems: &mut Problems) {
    if !auth.allow_test_numbers && !auth.test_numbers.is_empty() {
        let message = "has numbers, allowed are some only with AUTH.ALLOW_TEST_NUMBERS = true";
        problems.add("AUTH.TEST_NUMBERS", message.to_owned());
    }
}

/// Every provider of the list has what it needs.
fn check_accounts(sms: &SmsConfig, problems: &mut Problems) {
    let of = &sms.settings;
    let has_console_token = !of.meli_payamak_com_console_token.is_empty();
    for service in &sms.services {
        let needed = match service {
            SmsService::Console => vec![],
            SmsService::ParsianWebcoIr => {
                vec![("API_KEY", of.parsian_webco_ir_api_key.is_empty())]
            }
            SmsService::MeliPayamakCom => {
                let mut needed = vec![("FROM", of.meli_payamak_com_from.is_empty())];
                if !has_console_token {
                    needed.push(("USERNAME", of.meli_payamak_com_username.is_empty()));
                    needed.push(("PASSWORD", of.meli_payamak_com_password.is_empty()));
                }
                needed
            }
            SmsService::KavenegarCom => vec![("API_KEY", of.kavenegar_com_api_key.is_empty())],
        };
        let service = service.name();
        for (name, is_missing) in needed {
            if is_missing {
                let key = format!("SMS.SETTINGS.{service}_{name}");
                problems.add(
                    &key,
                    format!("is missing, SMS_SERVICE = \"{service}\" needs it"),
                );
            }
        }
    }
}

/// While a message is on its way its code may still be withdrawn, so it is not sent again before.
fn check_resending(config: &Config, problems: &mut Problems) {
    const AFTER: &str = "AUTH.OPTIONS.OTP_RESEND_AFTER_SECONDS";
    const TIMEOUT: &str = "SMS.TIMEOUT_SECONDS";
    let (after, timeout) = (config.auth.options.resend_after, config.sms.timeout);
    if !after.is_zero() && after < 2 * timeout && !problems.has(AFTER) && !problems.has(TIMEOUT) {
        let message = format!(
            "found {}, allowed are 0 and at least twice {TIMEOUT}, which is {}",
            after.as_secs_f64(),
            timeout.as_secs_f64()
        );
        problems.add(AFTER, message);
    }
}

/// A budget in rial counts every message. A provider that does not tell its cost needs a price, else
/// its messages would count for nothing.
fn check_price(config: &Config, problems: &mut Problems) {
    const PRICE: &str = "SMS.PRICE_RIAL_PER_PART";
    let has_budget = config.auth.limits.sms_rial_per_day > 0;
    if !has_budget || config.sms.price_rial_per_part > 0 || problems.has("SMS.SMS_SERVICE") {
        return;
    }
    let mut services = config.sms.services.iter();
    if let Some(silent) = services.find(|service| **service != SmsService::KavenegarCom) {
        let message = format!(
            "found 0, AUTH.LIMITS.SMS_RIAL_PER_DAY needs more, for {} does not tell what a message costs",
            silent.name()
        );
        problems.add(PRICE, message);
    }
}
