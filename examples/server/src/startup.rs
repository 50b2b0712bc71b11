//! What the server says when it starts: what it runs with and what to open, in three lines.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;

use chelseru_core::Config;

use crate::signing_key::SigningKey;

pub(crate) fn announce(
    config: &Config,
    addresses: &[SocketAddr],
    signing_key: &SigningKey,
    shows_inbox: bool,
) {
    let address = addresses.first().copied().unwrap_or(config.server.bind);
    let key = match signing_key {
        SigningKey::Configured => "the signing key of the settings".to_owned(),
        SigningKey::File(path) => format!("the signing key in {}", path.display()),
    };
    let sms = config.sms.services[0].name();
    print(&format!(
        "chelseru {version} serves http://{address}{prefix}/ with {database}\n\
         SMS by {sms}; {key}\n\
         Open http://{address}/{inbox}",
        version = env!("CARGO_PKG_VERSION"),
        prefix = config.server.prefix,
        database = without_credentials(config.database.url.expose()),
        inbox = if shows_inbox {
            format!(" (messages: http://{address}/dev/inbox)")
        } else {
            String::new()
        },
    ));
}

/// Prints a text; a closed standard output is no reason to stop.
pub(crate) fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// An error and what caused it, one line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// A database's URL without user, password and parameters.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url
        .split_once("://")
        .filter(|(scheme, _)| *scheme != "sqlite")
    else {
        return url.to_owned();
    };
    // First the credentials: a password may hold any character, a host none of these.
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let place = place.split('?').next().unwrap_or(place);
    format!("{scheme}://{place}")
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn a_database_is_named_without_its_password() {
        for (url, shown) in [
            ("sqlite://chelseru.db", "sqlite://chelseru.db"),
            (
                "postgres://app:p@ss@db:5432/app?x=y",
                "postgres://db:5432/app",
            ),
            ("postgres://app:hun?ter2@db/app", "postgres://db/app"),
            ("postgres://localhost/app", "postgres://localhost/app"),
        ] {
            assert_eq!(without_credentials(url), shown);
        }
    }
}
