//! Which texts are a prefix, a URL, a claim: the rules behind the kinds of the schema.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Claims that a token has already; a user's id in one of them would change what the token means.
const TAKEN_CLAIMS: &[&str] = &["token_type", "exp", "iat", "jti", "sid", "iss", "aud"];

pub(super) fn has_code(text: &str) -> bool {
    text.contains("{code}")
}

/// Host names as browsers compare them: labels of letters, digits and hyphens (RFC 1123). An address is
/// not one, and neither is a name with the root's dot.
pub(super) fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let ends_in_number = name
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    name.len() <= 253 && name.split('.').all(is_label) && !ends_in_number
}

/// The first 11 characters of a hash in base64, as Android's tools print them.
pub(super) fn is_app_hash(hash: &str) -> bool {
    hash.len() == 11
        && hash
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
}

pub(super) fn is_free_claim(name: &str) -> bool {
    !name.is_empty() && !TAKEN_CLAIMS.contains(&name)
}

/// A path of `/segment`s, or nothing. Only characters that mean themselves in a URL and in the
/// patterns of routers.
pub(super) fn is_prefix(prefix: &str) -> bool {
    let is_segment = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
    };
    prefix.is_empty()
        || prefix
            .strip_prefix('/')
            .is_some_and(|path| path.split('/').all(is_segment))
}

/// The one form of a prefix: `api`, `/api/` and `/api` are the same, and so are `/` and nothing.
pub(super) fn normal_prefix(prefix: &str) -> String {
    match prefix.trim_matches('/') {
        "" => String::new(),
        path => format!("/{path}"),
    }
}

pub(super) fn is_database_url(url: &str) -> bool {
    ["sqlite://", "postgres://", "postgresql://"]
        .iter()
        .any(|scheme| {
            url.strip_prefix(scheme)
                .is_some_and(|rest| !rest.is_empty())
        })
}

/// `https://host[:port][/path]`; over plain http only to this machine, for the account's key goes with
/// every request.
pub(super) fn is_base_url(url: &str) -> bool {
    let (rest, encrypted) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (rest, true),
        (_, Some(rest)) => (rest, false),
        _ => return false,
    };
    if rest
        .contains(|char: char| "@?#\\".contains(char) || char.is_whitespace() || char.is_control())
    {
        return false;
    }
    let authority = rest.split('/').next().unwrap_or_default();
    match Host::of(authority) {
        Some(host) => encrypted || host.is_loopback(),
        None => false,
    }
}

/// The origin of a web page as browsers name it: scheme and host, and the port where it is not the usual
/// one.
pub(super) fn is_origin(origin: &str) -> bool {
    let rest = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    rest.is_some_and(|authority| {
        !authority.contains(|char: char| "/@?#\\*".contains(char) || char.is_whitespace())
            && Host::of(authority).is_some()
    })
}

/// The host of a URL, without its port.
enum Host<'a> {
    V6(Ipv6Addr),
    Name(&'a str),
}

impl<'a> Host<'a> {
    fn of(authority: &'a str) -> Option<Self> {
        let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            (Self::V6(address.parse().ok()?), port)
        } else {
            let end = authority.find(':').unwrap_or(authority.len());
            let (name, port) = authority.split_at(end);
            if name.is_empty() || name.starts_with('.') {
                return None;
            }
            (Self::Name(name), port)
        };
        let port_is_right = match port.strip_prefix(':') {
            Some(number) => number.parse::<u16>().is_ok_and(|number| number > 0),
            None => port.is_empty(),
        };
        port_is_right.then_some(host)
    }

    fn is_loopback(&self) -> bool {
        match self {
            Self::V6(address) => address.is_loopback(),
            // Parsed, not compared by its beginning: 127.example.com is somebody else's machine.
            Self::Name(name) => {
                *name == "localhost" || name.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
            }
        }
    }
}
