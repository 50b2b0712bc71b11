//! The documented HTTP service without HTTP: a request's parts in, a response's parts out.
//!
//! An adapter for a web framework takes the parts from a request below its prefix, calls
//! [`Chelseru::respond`] and writes what it gets. Paths, methods, fields, statuses and bodies are
//! decided here, so every adapter answers alike. Bodies and texts are those that clients of the Django
//! package know (Django REST framework and simplejwt).

mod address;
mod admission;
mod chat;
mod errors;
mod fields;
mod jwks;
mod response;
mod routes;
mod socket;

use std::net::IpAddr;

pub use self::address::client_address;
pub use self::admission::Admission;
pub(crate) use self::admission::Uploads;
pub use self::jwks::JWKS_PATH;
pub use self::response::Response;
use self::routes::Route;
pub use self::socket::{Accepted, Handshake, SOCKET_PROTOCOL, is_socket};
use crate::device::Client;
use crate::error::Error;
use crate::service::{Chelseru, CurrentUser};

/// The parts of a request that the service needs.
#[derive(Clone, Copy, Default)]
pub struct Request<'a> {
    /// The method, upper case.
    pub method: &'a str,
    /// The path below the prefix, percent-decoding not needed: `/otp/send/`.
    pub path: &'a str,
    /// What stands after the `?` of the URL, if anything.
    pub query: &'a str,
    /// The prefix below which the service is mounted, as the client sees it: `/api`. Links begin with it.
    pub mount: &'a str,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The `User-Agent` header.
    pub user_agent: Option<&'a str>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<&'a str>,
    /// The client's address: [`client_address`] finds it.
    pub address: Option<IpAddr>,
    /// The whole body, whose length the adapter has limited.
    pub body: &'a [u8],
}

/// Shows what was asked, never the token or the body.
impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Request<'_> {
    fn client(&self) -> Client<'_> {
        Client {
            user_agent: self.user_agent.unwrap_or_default(),
            address: self.address,
        }
    }
}

impl Chelseru {
    /// Serves one request. Never fails: what goes wrong is a response.
    ///
    /// Run it to its end even when the client has gone: a code may have been reserved for it.
    pub async fn respond(&self, request: Request<'_>) -> Response {
        let route = Route::find(request.path).filter(|route| route.is_on(self.config()));
        let response = match route {
            None => Error::NotFound.into(),
            Some(route) => match route.check_method(request.method) {
                Err(response) => response,
                Ok(()) => route
                    .serve(self, &request)
                    .await
                    .unwrap_or_else(|response| response),
            },
        };
        tracing::debug!(
            method = request.method,
            path = request.path,
            status = response.status(),
            "served"
        );
        response
    }

    /// The user of a request, for an application's own handlers; method, path and body do not matter.
    ///
    /// # Errors
    ///
    /// The response that refuses the request.
    pub async fn identify(&self, request: &Request<'_>) -> Result<CurrentUser, Response> {
        let token = bearer(request)?;
        Ok(self.authenticate(token, request.client()).await?)
    }
}

/// The access token of a request, by simplejwt's rules: `Bearer`, one space, the token.
fn bearer<'a>(request: &Request<'a>) -> Result<&'a str, Response> {
    let mut parts = request
        .authorization
        .unwrap_or_default()
        .split_ascii_whitespace();
    match (parts.next(), parts.next(), parts.next()) {
        (Some("Bearer"), Some(token), None) => Ok(token),
        (Some("Bearer"), Some(_), Some(_)) => Err(errors::bad_authorization_header()),
        _ => Err(Error::NotAuthenticated.into()),
    }
}
