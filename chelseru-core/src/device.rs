//! Device and browser families read from a `User-Agent` header, for people to recognise a session.
//!
//! A guess by well-known marks, in the order in which browsers imitate each other. It is shown, never
//! trusted.

use std::net::IpAddr;

use crate::session::ClientInfo;

/// Longer headers are cut: nobody reads more, and the database should not keep it.
const MAX_USER_AGENT_CHARS: usize = 512;

/// Who sends a request, as far as its connection and headers tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct Client<'a> {
    /// The `User-Agent` header; empty without one.
    pub user_agent: &'a str,
    /// The address, if it is known.
    pub address: Option<IpAddr>,
}

impl Client<'_> {
    /// What is kept of it with a session. Made only when it is written: most requests write nothing.
    pub(crate) fn describe(self) -> ClientInfo {
        let user_agent: String = self
            .user_agent
            .chars()
            .filter(|char| !char.is_control())
            .take(MAX_USER_AGENT_CHARS)
            .collect();
        ClientInfo {
            device: device(&user_agent),
            browser: browser(&user_agent).to_owned(),
            ip_address: self
                .address
                .map(|address| address.to_string())
                .unwrap_or_default(),
            user_agent,
        }
    }
}

fn browser(user_agent: &str) -> &'static str {
    const MARKS: [(&str, &str); 19] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Opera", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("YaBrowser/", "Yandex Browser"),
        ("UCBrowser/", "UC Browser"),
        ("FxiOS/", "Firefox"),
        ("Firefox/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("Dart/", "Dart"),
        ("okhttp/", "OkHttp"),
        ("CFNetwork/", "CFNetwork"),
        ("axios/", "axios"),
        ("PostmanRuntime/", "Postman"),
        ("python-requests/", "Python Requests"),
        ("curl/", "curl"),
        ("Wget/", "Wget"),
    ];
    first_mark(user_agent, &MARKS)
}

fn device(user_agent: &str) -> String {
    const MARKS: [(&str, &str); 8] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Macintosh", "Mac"),
        ("CrOS", "Chromebook"),
        ("Linux", "Linux"),
        ("Darwin", "Apple"),
    ];
    android_model(user_agent)
        .map_or_else(|| first_mark(user_agent, &MARKS).to_owned(), str::to_owned)
}

/// Android browsers name the model after the version: `(Linux; Android 14; SM-A546E Build/…)`.
/// Recent Chrome says `K` there on purpose, which names nothing.
fn android_model(user_agent: &str) -> Option<&str> {
    let (_, after) = user_agent.split_once("Android ")?;
    let (inside, _) = after.split_once(')')?;
    let model = inside.split(';').nth(1)?.split(" Build/").next()?.trim();
    let names_something = model.len() > 1 && model.len() <= 64 && !model.starts_with("wv");
    names_something.then_some(model)
}

fn first_mark(user_agent: &str, marks: &[(&str, &'static str)]) -> &'static str {
    marks
        .iter()
        .find(|(mark, _)| user_agent.contains(mark))
        .map_or("Other", |(_, family)| family)
}

#[cfg(test)]
mod tests {
    use super::Client;
    use crate::session::ClientInfo;

    fn describe(user_agent: &str, address: Option<std::net::IpAddr>) -> ClientInfo {
        Client {
            user_agent,
            address,
        }
        .describe()
    }

    #[test]
    fn common_clients_are_recognised() {
        for (user_agent, device, browser) in [
            (
                "Mozilla/5.0 (Linux; Android 14; SM-A546E Build/UP1A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
                "SM-A546E",
                "Chrome",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
                "Android",
                "Samsung Internet",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                "iPhone",
                "Safari",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
                "Windows",
                "Edge",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
                "Linux",
                "Firefox",
            ),
            ("curl/8.5.0", "Other", "curl"),
            ("", "Other", "Other"),
        ] {
            let client = describe(user_agent, None);
            assert_eq!(
                (client.device.as_str(), client.browser.as_str()),
                (device, browser),
                "{user_agent}"
            );
        }
    }

    #[test]
    fn a_long_header_is_cut_and_control_characters_are_dropped() {
        let client = describe(&format!("a\u{0}b{}", "é".repeat(1000)), "::1".parse().ok());
        assert!(client.user_agent.starts_with("abé"));
        assert_eq!(client.user_agent.chars().count(), 512);
        assert_eq!(client.ip_address, "::1");
    }
}
