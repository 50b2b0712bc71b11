//! The public keys, for services that verify tokens themselves.

use std::time::Duration;

use super::Response;
use crate::error::Error;
use crate::service::Chelseru;

/// Where [`Chelseru::jwks`] belongs: at the root of the host, not below the prefix (RFC 8615).
pub const JWKS_PATH: &str = "/.well-known/jwks.json";

/// How long a cache may keep them. A new key is among them before anything is signed with it where
/// the signing key is changed as docs/settings.md says.
const MAX_AGE: Duration = Duration::from_secs(300);

impl Chelseru {
    /// Serves a request with this method for [`JWKS_PATH`]: the public keys that tokens are verified
    /// with (RFC 7517), each with `kid`, `use` and `alg`, the one that signs first. With HS algorithms
    /// there are none: 404.
    pub fn jwks(&self, method: &str) -> Response {
        let Some(keys) = self.public_keys() else {
            return Error::NotFound.into();
        };
        match method {
            "GET" | "HEAD" => Response::public(&keys, MAX_AGE),
            _ => Response::method_not_allowed(method, &["GET", "HEAD"]),
        }
    }
}
