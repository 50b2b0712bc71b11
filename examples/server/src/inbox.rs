//! The development inbox: what the SMS service `CONSOLE` would have sent.
//!
//! It shows one-time codes, so it exists only on a server that listens on loopback without a proxy in
//! front, and answers only requests made to a loopback name: a web page that points its own name at
//! 127.0.0.1 cannot read it.

use std::fmt::Write;

use actix_web::guard::{self, GuardContext};
use actix_web::http::header::HeaderMap;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use chelseru_core::config::ServerConfig;
use chelseru_sms::{Console, ConsoleMessage};
use serde::Serialize;

/// Headers that a proxy adds: behind one, who asks is not on this machine.
const PROXY_HEADERS: [&str; 4] = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];

/// Whether a server with these settings may show the inbox at all.
pub(crate) fn is_safe(config: &ServerConfig) -> bool {
    config.bind.ip().is_loopback() && config.trusted_proxies.is_empty()
}

/// The inbox as a page at `/dev/inbox` and as JSON at `/dev/inbox.json`.
pub(crate) fn routes(config: &mut ServiceConfig, console: Console) {
    config.service(
        web::scope("/dev")
            .app_data(web::Data::new(console))
            .guard(guard::fn_guard(is_local))
            .route("/inbox", web::get().to(page))
            .route("/inbox.json", web::get().to(json)),
    );
}

fn is_local(context: &GuardContext<'_>) -> bool {
    let headers = &context.head().headers;
    let is_proxied = PROXY_HEADERS.iter().any(|name| headers.contains_key(*name));
    !is_proxied && names_loopback(headers)
}

fn names_loopback(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get("host").and_then(|host| host.to_str().ok()) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[derive(Serialize)]
struct Row {
    id: u64,
    mobile_number: String,
    text: String,
}

impl From<ConsoleMessage> for Row {
    fn from(message: ConsoleMessage) -> Self {
        Self {
            id: message.id,
            mobile_number: message.to.to_string(),
            text: message.text,
        }
    }
}

async fn json(console: web::Data<Console>) -> impl Responder {
    let rows: Vec<Row> = console.messages().into_iter().map(Row::from).collect();
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(rows)
}

async fn page(console: web::Data<Console>) -> impl Responder {
    let mut rows = String::new();
    for message in console.messages() {
        let (to, text) = (message.to, escape(&message.text));
        // Writing to a String cannot fail.
        let _ = writeln!(
            rows,
            "<li><b dir=\"ltr\">{to}</b><p dir=\"auto\">{text}</p></li>"
        );
    }
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("cache-control", "no-store"))
        .insert_header((
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'",
        ))
        .body(include_str!("inbox.html").replace("{rows}", &rows))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::{is_safe, names_loopback};
    use actix_web::http::header::{HOST, HeaderMap, HeaderValue};
    use chelseru_core::config::ServerConfig;

    #[test]
    fn only_a_server_on_loopback_without_proxies_shows_it() {
        let mut config = ServerConfig::default();
        assert!(is_safe(&config));
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        assert!(!is_safe(&config));
        let mut config = ServerConfig::default();
        config.bind = "0.0.0.0:8000".parse().unwrap();
        assert!(!is_safe(&config));
    }

    #[test]
    fn only_loopback_names_are_answered() {
        let answers = |host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            names_loopback(&headers)
        };
        for host in [
            "localhost",
            "localhost:8000",
            "127.0.0.1:8000",
            "[::1]:8000",
            "[::1]",
        ] {
            assert!(answers(host), "{host}");
        }
        for host in [
            "",
            "evil.example:8000",
            "127.0.0.1.evil.example",
            "localhost.evil.example:8000",
        ] {
            assert!(!answers(host), "{host}");
        }
        assert!(!names_loopback(&HeaderMap::new()));
    }
}
