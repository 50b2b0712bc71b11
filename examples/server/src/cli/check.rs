//! `check`: whether the server would start with these settings, and what it would run with.

use chelseru_core::api::JWKS_PATH;
use chelseru_core::config::AuthMethod;
use chelseru_core::store::MemoryStore;
use chelseru_core::{Chelseru, Config};
use serde_json::Value;

use super::{Found, Refusal};
use crate::database;
use crate::providers::{self, Providers};
use crate::signing_key::SigningKey;
use crate::terminal::{print, tell};

pub(super) fn run(mut config: Config) -> Result<Found, Refusal> {
    let (signing_key, is_there) = SigningKey::look(&mut config)?;
    let providers = Providers::new(&config.sms)?;
    // Building it pairs the keys and looks at the templates, as when the server starts.
    let chelseru = Chelseru::builder(config)
        .store(MemoryStore::new())
        .sms(providers.all)
        .build()?;
    for (what, value) in summary(&chelseru, &signing_key, is_there) {
        print(&format!("{what:<13} {value}"));
    }
    let warnings = chelseru.warnings().iter().map(String::as_str);
    let warnings: Vec<_> = warnings
        .chain(providers::console_warning(chelseru.config()))
        .collect();
    for warning in &warnings {
        tell(&format!("warning: {warning}"));
    }
    Ok(Found::well_if(warnings.is_empty()))
}

fn summary(
    chelseru: &Chelseru,
    signing_key: &SigningKey,
    is_there: bool,
) -> Vec<(&'static str, String)> {
    let config = chelseru.config();
    let (auth, server) = (&config.auth, &config.server);
    let options = &auth.options;
    let jwt = &auth.jwt;
    let mut lines = vec![
        (
            "serves",
            format!("http://{}{}/", server.bind, server.prefix),
        ),
        (
            "database",
            database::without_credentials(config.database.url.expose()),
        ),
        ("SMS", providers::names(config)),
        (
            "login",
            auth.methods
                .iter()
                .map(|method| match method {
                    AuthMethod::Otp => format!(
                        "codes of {} digits, good for {} seconds",
                        options.length,
                        options.lifetime.as_secs()
                    ),
                    AuthMethod::Passwd => format!(
                        "passwords, hashed with {} KiB and {} iterations",
                        auth.passwords.memory_kib, auth.passwords.iterations
                    ),
                })
                .collect::<Vec<_>>()
                .join("; "),
        ),
        (
            "tokens",
            format!(
                "{:?}; access {} seconds, refresh {} seconds",
                jwt.algorithm,
                jwt.access_token_lifetime.as_secs(),
                jwt.refresh_token_lifetime.as_secs()
            ),
        ),
        (
            "signing key",
            match (signing_key, is_there) {
                (SigningKey::Configured, _) => "of the settings".to_owned(),
                (SigningKey::File(path), true) => format!("in {}", path.display()),
                (SigningKey::File(path), false) => {
                    format!("none yet; the first start makes one in {}", path.display())
                }
            },
        ),
        ("previous keys", jwt.previous_keys.len().to_string()),
    ];
    let ids = key_ids(chelseru);
    if !ids.is_empty() {
        lines.push(("public keys", format!("{} at {JWKS_PATH}", ids.join(", "))));
    }
    if !server.trusted_proxies.is_empty() {
        let proxies = server.trusted_proxies.iter().map(ToString::to_string);
        let proxies: Vec<_> = proxies.collect();
        lines.push(("proxies", proxies.join(", ")));
    }
    lines
}

/// The names of the keys that tokens can be verified with.
fn key_ids(chelseru: &Chelseru) -> Vec<String> {
    let document = serde_json::from_slice(chelseru.jwks("GET").body());
    let document: Value = document.unwrap_or_default();
    let keys = document["keys"].as_array().into_iter().flatten();
    keys.filter_map(|key| key["kid"].as_str().map(str::to_owned))
        .collect()
}
