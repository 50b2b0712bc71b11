//! What must hold: for each setting alone, and between several.

use std::collections::BTreeMap;

use super::error::Problems;
use super::kinds::Kind;
use super::schema::{self, Names, Visitor};
use super::{Config, ConfigError, JwtConfig, SmsConfig, SmsService, texts};

/// As long as the shortest hash of the HS algorithms (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;

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
        check_keys(&self.auth.jwt, problems);
        check_lifetimes(&self.auth.jwt, problems);
        check_account(&self.sms, problems);
    }

    /// Brings what can be written in several ways to one form, and looks the template's name up.
    pub(super) fn normalise(&mut self) {
        self.server.prefix = texts::normal_prefix(&self.server.prefix);

        let settings = &mut self.sms.settings;
        for url in [
            &mut settings.parsian_webco_ir_base_url,
            &mut settings.meli_payamak_com_base_url,
            &mut settings.kavenegar_com_base_url,
        ] {
            url.truncate(url.trim_end_matches('/').len());
        }

        let template = self.auth.options.sms_template.take();
        self.auth.options.sms_template = template
            .map(|named| self.sms.templates.get(&named.0).cloned().unwrap_or(named))
            .filter(|id| !matches!(id.0.as_str(), "" | "0"));
    }
}

/// Each setting alone.
struct Checker<'a> {
    problems: &'a mut Problems,
}

impl Visitor for Checker<'_> {
    fn setting<F>(&mut self, key: &'static str, field: &mut F, kind: &impl Kind<F>) {
        if let Some(fault) = kind.fault(field) {
            self.problems
                .add(key, format!("{fault}, {}", kind.allowed()));
        }
    }

    fn table<F>(
        &mut self,
        table: &'static str,
        entries: &mut BTreeMap<String, F>,
        kind: &impl Kind<F>,
    ) {
        for (name, field) in entries {
            if let Some(fault) = kind.fault(field) {
                self.problems.add(
                    &format!("{table}.{name}"),
                    format!("{fault}, {}", kind.allowed()),
                );
            }
        }
    }
}

/// The keys of tokens fit the algorithm. There may be no signing key yet: a server can make one.
fn check_keys(jwt: &JwtConfig, problems: &mut Problems) {
    const ALGORITHM: &str = "AUTH.JWT.ALGORITHM";
    if problems.has(ALGORITHM) {
        return;
    }
    let algorithm = jwt.algorithm;
    let (signing, verifying) = (jwt.signing_key.expose(), jwt.verifying_key.expose());
    let is_pem = |key: &str| key.trim_start().starts_with("-----BEGIN");

    if algorithm.is_symmetric() {
        if !signing.is_empty() && signing.len() < SHORTEST_SECRET {
            let message = format!(
                "is {} bytes long, {algorithm:?} needs at least {SHORTEST_SECRET}",
                signing.len()
            );
            problems.add("AUTH.JWT.SIGNING_KEY", message);
        }
        return;
    }
    if !signing.is_empty() && !is_pem(signing) {
        let message =
            format!("is not PEM, {algorithm:?} needs a private key that begins with -----BEGIN");
        problems.add("AUTH.JWT.SIGNING_KEY", message);
    }
    if !is_pem(verifying) {
        let found = if verifying.is_empty() {
            "is missing"
        } else {
            "is not PEM"
        };
        let message =
            format!("{found}, {algorithm:?} needs a public key that begins with -----BEGIN");
        problems.add("AUTH.JWT.VERIFYING_KEY", message);
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

/// The chosen provider has what it needs.
fn check_account(sms: &SmsConfig, problems: &mut Problems) {
    let of = &sms.settings;
    let needed = match sms.service {
        SmsService::Console => vec![],
        SmsService::ParsianWebcoIr => vec![("API_KEY", of.parsian_webco_ir_api_key.is_empty())],
        SmsService::MeliPayamakCom => vec![
            ("USERNAME", of.meli_payamak_com_username.is_empty()),
            ("PASSWORD", of.meli_payamak_com_password.is_empty()),
            ("FROM", of.meli_payamak_com_from.is_empty()),
        ],
        SmsService::KavenegarCom => vec![("API_KEY", of.kavenegar_com_api_key.is_empty())],
    };
    let service = sms.service.name();
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
