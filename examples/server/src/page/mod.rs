//! The page at `/`: logging in and chatting in a browser, from files that are in the binary.
//!
//! It asks this server and no other, and its policy holds the browser to that: no script, style or picture
//! of another host, no script or style in the page itself, and nobody's frame around it.

use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource};
use chelseru_core::Config;
use chelseru_core::config::AuthMethod;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const ICON: &str = "image/svg+xml";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Files of this folder: name, type, contents.
macro_rules! files {
    ($($content_type:ident: $($name:literal)+;)+) => {
        &[$($(($name, $content_type, include_str!($name))),+),+]
    };
}

/// What is below `/app/`.
const FILES: &[(&str, &str, &str)] = files! {
    ICON: "icon.svg";
    STYLE: "base.css" "app.css";
    SCRIPT: "boot.js" "main.js" "api.js" "chat.js" "dom.js" "files.js" "fold.js" "i18n.js" "kept.js"
        "keptfiles.js" "outbox.js" "sending.js" "socket.js" "store.js" "texts.en.js" "texts.fa.js"
        "tokens.js" "uploads.js" "views/about.js" "views/attachment.js" "views/chat.js"
        "views/common.js" "views/composer.js" "views/login.js" "views/messages.js" "views/people.js"
        "views/rooms.js" "views/search.js" "views/shell.js" "views/you.js";
};

/// The page, which knows from the settings where the routes are and what a code looks like, and its files.
pub(crate) fn routes(app: &mut ServiceConfig, config: &Config, shows_inbox: bool) {
    app.service(file("/", HTML, index(config, shows_inbox)));
    for (name, content_type, text) in FILES {
        app.service(file(&format!("/app/{name}"), content_type, *text));
    }
}

fn index(config: &Config, shows_inbox: bool) -> String {
    let code = &config.auth.options;
    let until_next = if code.resend_after.is_zero() {
        code.lifetime
    } else {
        code.resend_after
    };
    // All modules at once, instead of each when the one that needs it has come.
    let modules = FILES
        .iter()
        .filter(|(name, content_type, _)| *content_type == SCRIPT && *name != "boot.js");
    let preloads: Vec<_> = modules
        .map(|(name, _, _)| format!("<link rel=\"modulepreload\" href=\"/app/{name}\">\n"))
        .collect();
    include_str!("index.html")
        .replace("{preloads}", &preloads.concat())
        .replace("{code_length}", &code.length.to_string())
        .replace("{code_seconds}", &until_next.as_secs().to_string())
        .replace("{file_bytes}", &config.chat.files.max_bytes.to_string())
        .replace("{methods}", &methods(config))
        .replace("{inbox}", if shows_inbox { "/dev/inbox" } else { "" })
        .replace("{prefix}", &escape(&config.server.prefix))
}

/// How users log in, as the settings name it.
fn methods(config: &Config) -> String {
    let names = config.auth.methods.iter().map(|method| match method {
        AuthMethod::Otp => "OTP",
        AuthMethod::Passwd => "PASSWD",
    });
    names.collect::<Vec<_>>().join(" ")
}

/// For the value of an attribute in double quotes, and for text.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
}

fn file(path: &str, content_type: &'static str, contents: impl Into<Bytes>) -> Resource {
    let contents = contents.into();
    let etag = etag(&contents);
    let answer = move |request: HttpRequest| {
        let (etag, contents) = (etag.clone(), contents.clone());
        async move { serve(&request, content_type, &etag, contents) }
    };
    web::resource(path)
        .route(web::get().to(answer.clone()))
        .route(web::head().to(answer))
}

/// The same contents have the same tag in every process of one version: several servers can be one site.
fn etag(contents: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    contents.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn serve(
    request: &HttpRequest,
    content_type: &'static str,
    etag: &str,
    contents: Bytes,
) -> HttpResponse {
    let known = request.headers().get(IF_NONE_MATCH);
    let is_known = known.is_some_and(|tags| {
        let tags = tags.to_str().unwrap_or_default();
        tags.split(',')
            .any(|tag| tag.trim().trim_start_matches("W/") == etag)
    });
    let mut response = if is_known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    // The files belong together, so none is used without asking whether it is still the one.
    response
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((ETAG, etag))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if is_known {
        return response.finish();
    }
    response
        .insert_header((CONTENT_TYPE, content_type))
        .body(contents)
}

#[cfg(test)]
mod tests {
    use chelseru_core::Config;

    use super::{FILES, SCRIPT, index};

    fn text_of(name: &str) -> &'static str {
        let file = FILES.iter().find(|(known, _, _)| *known == name);
        file.unwrap_or_else(|| panic!("{name} is not served")).2
    }

    /// The file that a module names, seen from that module.
    fn resolve(from: &str, named: &str) -> String {
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        match (named.strip_prefix("../"), folder) {
            (Some(above), "views") => above.to_owned(),
            (None, "") => named.trim_start_matches("./").to_owned(),
            (None, folder) => format!("{folder}/{}", named.trim_start_matches("./")),
            _ => panic!("{from} names {named}"),
        }
    }

    #[test]
    fn every_module_that_another_one_names_is_served() {
        let mut count = 0;
        for (name, content_type, text) in FILES {
            if *content_type != SCRIPT {
                continue;
            }
            for (_, rest) in text
                .match_indices(" from '")
                .map(|(at, _)| text.split_at(at))
            {
                let named = rest.split('\'').nth(1).unwrap();
                text_of(&resolve(name, named));
                count += 1;
            }
        }
        assert!(count > 20, "{count}");
    }

    #[test]
    fn both_languages_have_the_same_texts() {
        let names = |file| -> Vec<&str> {
            let lines = text_of(file).lines();
            lines
                .filter_map(|line| line.strip_prefix("  ")?.split_once(": "))
                .map(|(name, _)| name)
                .collect()
        };
        assert!(names("texts.en.js").len() > 100);
        assert_eq!(names("texts.en.js"), names("texts.fa.js"));
    }

    #[test]
    fn every_text_that_a_module_asks_for_is_there() {
        let texts = text_of("texts.en.js");
        for (file, content_type, text) in FILES {
            if *content_type != SCRIPT {
                continue;
            }
            for (at, _) in text.match_indices("t('") {
                let (before, asked) = text.split_at(at);
                if before.ends_with(char::is_alphanumeric) {
                    continue;
                }
                let name = asked.split('\'').nth(1).unwrap();
                assert!(texts.contains(&format!("\n  {name}: ")), "{file}: {name}");
            }
        }
    }

    #[test]
    fn no_file_names_another_host() {
        for (file, _, text) in FILES {
            // It is the name of the language of drawings, and nothing is asked for there.
            let text = text.replace("http://www.w3.org/2000/svg", "");
            for means in ["://", "url("] {
                assert!(!text.contains(means), "{file} has {means}");
            }
        }
    }

    #[test]
    fn no_file_parses_text_as_markup_or_code() {
        for (file, _, text) in FILES {
            for means in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
            ] {
                assert!(!text.contains(means), "{file} has {means}");
            }
        }
    }

    #[test]
    fn the_page_knows_where_the_routes_are_and_cannot_be_broken_by_it() {
        let mut config = Config::builder()
            .signing_key("a key of at least 32 bytes, for tests")
            .build()
            .unwrap();
        config.server.prefix = "/v1/\"><script>".to_owned();
        let page = index(&config, false);
        assert!(
            page.contains("data-prefix=\"/v1/&quot;>&lt;script>\""),
            "{page}"
        );
        assert!(page.contains("data-code-length=\"8\" data-code-seconds=\"240\" data-inbox=\"\""));
        assert!(index(&config, true).contains("data-inbox=\"/dev/inbox\""));
        assert!(page.contains("data-file-bytes=\"10485760\" data-methods=\"OTP\""));
        assert!(!page.contains('{'), "{page}");
    }
}
