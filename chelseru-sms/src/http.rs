//! One exchange with a provider: always bounded, and certain about what a failure means.
//!
//! - It ends within its time limit, and no more than [`LONGEST_BODY`] of the answer is kept.
//! - When no connection could be made (DNS, TCP, TLS), nothing was sent. From then on any failure
//!   means that the message was perhaps sent. Nothing is ever tried again.
//! - The body is read whatever the HTTP status: providers put their result into both.
//! - Redirects and proxies of the environment are not followed: they would hand the account's
//!   credentials to another host.
//! - No error has a URL in it: some have the API key.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use chelseru_core::ConfigError;
use chelseru_core::sms::{SmsError, SmsErrorKind};
use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, StatusCode, Url, redirect, retry};
use serde_json::Value;

/// How much of an answer is kept; real ones have a few hundred bytes.
const LONGEST_BODY: usize = 64 * 1024;

const JSON: &str = "application/json";

/// The longest time in which a connection must be made.
const LONGEST_CONNECT: Duration = Duration::from_millis(2500);

/// Why a provider is called, and so what a failure means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// To send a message within this time: a failure may leave open whether it was sent.
    Send(Duration),
    /// To learn whether a message was taken: after any failure nobody knows it, also when the
    /// question itself was certainly refused.
    Find,
    /// To ask what sends nothing, such as the credit: no failure can leave a message in doubt.
    Ask,
}

impl Purpose {
    /// What a failure of this kind means for the message that the call is about.
    fn kind(self, kind: SmsErrorKind) -> SmsErrorKind {
        match self {
            Self::Send(_) => kind,
            Self::Find => SmsErrorKind::PerhapsSent,
            Self::Ask if kind == SmsErrorKind::Throttled => kind,
            Self::Ask => SmsErrorKind::NotSent,
        }
    }

    fn error(self, kind: SmsErrorKind, description: impl Into<String>) -> SmsError {
        SmsError::new(self.kind(kind), description)
    }
}

/// What a call carries.
#[derive(Clone, Copy)]
pub(crate) enum Request<'a> {
    /// A GET, without a body.
    Get,
    /// A POST of form fields, in this order.
    Form(&'a [(&'a str, &'a str)]),
    /// A POST of JSON.
    Json(&'a Value),
    /// A POST of a SOAP 1.1 envelope.
    Soap {
        /// The `SOAPAction`, without its quotes.
        action: &'a str,
        envelope: &'a str,
    },
}

/// A client of one provider.
pub(crate) struct Http {
    client: Client,
    base: Url,
    /// The time limit of a call that sends nothing.
    timeout: Duration,
}

impl Http {
    /// A client for the provider at `base_url`, which is the setting `SMS.SETTINGS.{base_url_key}`.
    pub(crate) fn new(
        base_url_key: &str,
        base_url: &str,
        timeout: Duration,
    ) -> Result<Self, ConfigError> {
        let key = format!("SMS.SETTINGS.{base_url_key}");
        let base = Url::parse(base_url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| ConfigError::about(&key, "must be an https:// or http:// address"))?;
        if base.scheme() == "http" && !is_this_machine(&base) {
            tracing::warn!("{key} is not https: credentials and codes are sent in clear text");
        }
        let client = Client::builder()
            .user_agent(concat!("chelseru/", env!("CARGO_PKG_VERSION")))
            // A third, so that a connection that is never made is known as such also by the second
            // of two providers, which has less time: when both limits passed at once, the one for
            // the whole request would hide it.
            .connect_timeout(LONGEST_CONNECT.min(timeout / 3))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            // A kept connection that the provider has closed in the meantime fails like a lost
            // answer. Certainty about a message is worth a handshake.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| {
                ConfigError::about(
                    "SMS.SMS_SERVICE",
                    format!("no HTTP client can be made: {}", root_cause(&error)),
                )
            })?;
        Ok(Self {
            client,
            base,
            timeout,
        })
    }

    /// Sends this to the path made of these segments under the base URL.
    ///
    /// A time limit that passes while the connection is still being made leaves it open how far it
    /// came; only the limit for connecting alone makes that certain.
    pub(crate) async fn call(
        &self,
        path: &[&str],
        request: Request<'_>,
        purpose: Purpose,
    ) -> Result<Reply, SmsError> {
        let limit = match purpose {
            Purpose::Send(limit) => limit,
            Purpose::Find | Purpose::Ask => self.timeout,
        };
        if limit.is_zero() {
            return Err(purpose.error(SmsErrorKind::NotSent, "no time is left to send it"));
        }
        let url = self.url(path);
        let request = match request {
            Request::Get => self.client.get(url).header(ACCEPT, JSON),
            Request::Form(fields) => self.client.post(url).header(ACCEPT, JSON).form(fields),
            Request::Json(json) => self.client.post(url).header(ACCEPT, JSON).json(json),
            Request::Soap { action, envelope } => self
                .client
                .post(url)
                .header(CONTENT_TYPE, "text/xml; charset=utf-8")
                .header("SOAPAction", format!("\"{action}\""))
                .header(ACCEPT, "text/xml")
                .body(envelope.to_owned()),
        };
        let failed = |error: reqwest::Error| failure(&error, purpose);
        let mut response = request.timeout(limit).send().await.map_err(failed)?;
        let mut body = Vec::new();
        while body.len() < LONGEST_BODY
            && let Some(chunk) = response.chunk().await.map_err(failed)?
        {
            body.extend_from_slice(&chunk);
        }
        body.truncate(LONGEST_BODY);
        Ok(Reply {
            purpose,
            status: response.status(),
            retry_after: retry_after(&response),
            body,
        })
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Every http address has segments, and `new` lets no other through.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

/// An answer that arrived whole.
pub(crate) struct Reply {
    purpose: Purpose,
    status: StatusCode,
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

impl Reply {
    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The body as JSON whatever its content type, and null when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(self.bytes()).unwrap_or_default()
    }

    /// The body as text whatever its content type, and empty when it is none.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    /// The body without the mark of byte order that servers of some age put before it.
    fn bytes(&self) -> &[u8] {
        const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
        self.body
            .strip_prefix(BYTE_ORDER_MARK)
            .unwrap_or(&self.body)
    }

    /// The error for a result code of the provider's own.
    pub(crate) fn error(
        &self,
        kind: SmsErrorKind,
        meaning: &str,
        code: impl fmt::Display,
    ) -> SmsError {
        let error = self.purpose.error(kind, meaning).with_code(code);
        match self.retry_after {
            Some(wait) if kind == SmsErrorKind::Throttled => error.with_retry_after(wait),
            _ => error,
        }
    }

    /// The error for a body that has no result of the provider: only the HTTP status can tell
    /// whether the message was taken.
    pub(crate) fn not_understood(&self) -> SmsError {
        let (kind, meaning) = match self.status {
            StatusCode::TOO_MANY_REQUESTS => (SmsErrorKind::Throttled, "too many requests"),
            // Whoever redirects has not taken the message.
            status if status.is_redirection() => (
                SmsErrorKind::NotSent,
                "a redirect, which is not followed: is the base URL the provider's?",
            ),
            // A gateway that gave up waiting, perhaps for a provider that did take the message.
            status if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT => (
                SmsErrorKind::NotSent,
                "the request was refused without a result of the provider",
            ),
            _ => (
                SmsErrorKind::PerhapsSent,
                "the answer has no result of the provider",
            ),
        };
        self.error(kind, meaning, format!("HTTP {}", self.status.as_u16()))
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// What a failed exchange means for the message.
fn failure(error: &reqwest::Error, purpose: Purpose) -> SmsError {
    // A timeout while connecting is both: ask for the connection first.
    if error.is_connect() {
        // Before there is a connection nothing knows the request, so the cause cannot quote it.
        return purpose.error(
            SmsErrorKind::NotSent,
            format!("no connection to the provider: {}", root_cause(error)),
        );
    }
    if error.is_builder() {
        return purpose.error(SmsErrorKind::NotSent, "the request cannot be written");
    }
    let meaning = if error.is_timeout() {
        "no answer in time"
    } else {
        "the connection broke before the answer was complete"
    };
    purpose.error(SmsErrorKind::PerhapsSent, meaning)
}

/// The innermost error; those around it may name the URL.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// `Retry-After` in seconds; a date is not worth reading a clock for.
fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let seconds: u32 = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds.into()))
}
