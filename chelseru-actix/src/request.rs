//! The parts of an actix request that the core asks for.

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, USER_AGENT};
use chelseru_core::Chelseru;
use chelseru_core::api::{Request, client_address};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Everything but path, mount and body.
pub(crate) fn parts<'a>(request: &'a HttpRequest, chelseru: &Chelseru) -> Request<'a> {
    let headers = request.headers();
    // A header that is not text cannot be right; as an empty one it is refused like a wrong one.
    let text = |name: HeaderName| {
        headers
            .get(name)
            .map(|value| std::str::from_utf8(value.as_bytes()).unwrap_or_default())
    };
    let forwarded_for: Vec<&str> = headers
        .get_all(X_FORWARDED_FOR)
        .map(|value| value.to_str().unwrap_or_default())
        .collect();
    Request {
        method: request.method().as_str(),
        query: request.query_string(),
        authorization: text(AUTHORIZATION),
        content_type: text(CONTENT_TYPE),
        user_agent: text(USER_AGENT),
        idempotency_key: text(IDEMPOTENCY_KEY),
        address: client_address(
            request.peer_addr().map(|peer| peer.ip()),
            forwarded_for.into_iter(),
            &chelseru.config().server.trusted_proxies,
        ),
        ..Request::default()
    }
}
