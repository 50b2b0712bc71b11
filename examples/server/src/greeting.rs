//! What the server says when it starts: what it runs with and what to open, in three lines.

use std::net::SocketAddr;

use chelseru_core::Config;

use crate::database;
use crate::providers;
use crate::signing_key::SigningKey;
use crate::terminal::print;

pub(crate) fn announce(
    config: &Config,
    address: SocketAddr,
    signing_key: &SigningKey,
    shows_inbox: bool,
) {
    let key = match signing_key {
        SigningKey::Configured => "the signing key of the settings".to_owned(),
        SigningKey::File(path) => format!("the signing key in {}", path.display()),
    };
    print(&format!(
        "chelseru {version} serves http://{address}{prefix}/ with {database}\n\
         SMS by {sms}; {key}\n\
         Open http://{address}/{inbox}",
        version = env!("CARGO_PKG_VERSION"),
        prefix = config.server.prefix,
        sms = providers::names(config),
        database = database::without_credentials(config.database.url.expose()),
        inbox = if shows_inbox {
            format!(" (messages: http://{address}/dev/inbox)")
        } else {
            String::new()
        },
    ));
}
