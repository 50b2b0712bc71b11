//! What goes back to the client.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use crate::chat::disposition;
use crate::store::Attachment;

/// A response's parts. The body is JSON, unless it is empty or a file.
///
/// `Debug` does not show the body: a login's holds its tokens.
#[derive(Clone)]
pub struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

impl Response {
    pub(super) fn json(status: u16, body: &impl Serialize) -> Self {
        // Answers hold tokens and sessions: no cache may keep them.
        Self::kept(status, body, "no-store".to_owned())
    }

    /// What everybody may read, and caches may keep for so long.
    pub(super) fn public(body: &impl Serialize, max_age: Duration) -> Self {
        Self::kept(200, body, format!("public, max-age={}", max_age.as_secs()))
    }

    fn kept(status: u16, body: &impl Serialize, cache_control: String) -> Self {
        Self {
            status,
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("cache-control", cache_control),
                ("x-content-type-options", "nosniff".to_owned()),
            ],
            // Maps with text keys and plain structs always serialise.
            body: serde_json::to_vec(body).unwrap_or_default().into(),
        }
    }

    pub(super) fn ok(body: &impl Serialize) -> Self {
        Self::json(200, body)
    }

    pub(super) fn no_content() -> Self {
        Self {
            status: 204,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// A file, for its reader alone. Whatever it is, no browser runs it: its type is what its bytes were
    /// found to be, it is in a sandbox, and only pictures are shown in place.
    pub(super) fn file(file: &Attachment, bytes: Bytes, max_age: Duration) -> Self {
        Self {
            status: 200,
            headers: vec![
                ("content-type", file.content_type.clone()),
                (
                    "content-disposition",
                    disposition(&file.content_type, &file.name),
                ),
                (
                    "content-security-policy",
                    "default-src 'none'; sandbox".to_owned(),
                ),
                ("x-content-type-options", "nosniff".to_owned()),
                ("cross-origin-resource-policy", "same-site".to_owned()),
                ("referrer-policy", "no-referrer".to_owned()),
                (
                    "cache-control",
                    format!("private, max-age={}", max_age.as_secs()),
                ),
            ],
            body: bytes,
        }
    }

    pub(super) fn detail(status: u16, detail: impl Into<String>) -> Self {
        Self::json(status, &json!({ "detail": detail.into() }))
    }

    pub(super) fn method_not_allowed(method: &str, allowed: &[&str]) -> Self {
        Self::detail(405, format!("Method \"{method}\" not allowed."))
            .with_header("allow", allowed.join(", "))
    }

    pub(super) fn field_error(field: &str, message: &str) -> Self {
        let mut body = serde_json::Map::new();
        body.insert(field.to_owned(), json!([message]));
        Self::json(400, &Value::Object(body))
    }

    pub(super) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        // Each once: what is known best is said last.
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// The answer to a body longer than `SERVER.MAX_BODY_BYTES`, which the adapter limits.
    pub fn body_too_large(max_bytes: usize) -> Self {
        Self::detail(
            413,
            format!("The request body is longer than {max_bytes} bytes."),
        )
    }

    /// The answer to a body that does not arrive, which the adapter times.
    pub fn body_too_slow() -> Self {
        Self::detail(408, "The request body did not arrive in time.")
    }

    /// The answer to a body that breaks off.
    pub fn body_incomplete() -> Self {
        Self::detail(400, "The request body is incomplete.")
    }

    pub(super) fn stopping() -> Self {
        Self::json(
            503,
            &json!({ "error": "The service is temporarily unavailable." }),
        )
        .with_header("retry-after", "1")
    }

    /// The answer when serving the request broke in a way that nobody foresaw.
    pub fn server_error() -> Self {
        Self::json(
            500,
            &json!({ "error": "An internal server error occurred." }),
        )
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers, names in lower case.
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, by value.
    pub fn into_body(self) -> Bytes {
        self.body
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
