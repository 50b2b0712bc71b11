//! The public keys as a resource of their own, outside of the prefix.

use actix_web::{HttpRequest, HttpResponse, Resource, web};
use chelseru_core::Chelseru;
use chelseru_core::api::JWKS_PATH;

use crate::reply;

/// The public keys that tokens are verified with, at `/.well-known/jwks.json`, for
/// [`App::service`](actix_web::App::service): services that know the host can then verify tokens
/// themselves. With HS algorithms, which have no public keys, it answers 404.
///
/// Mount it on the `App` itself, before a [`scope`](crate::scope()) with an empty prefix.
pub fn jwks(chelseru: &Chelseru) -> Resource {
    let chelseru = chelseru.clone();
    web::resource(JWKS_PATH).to(move |request: HttpRequest| {
        let response: HttpResponse = reply::write(chelseru.jwks(request.method().as_str()));
        std::future::ready(response)
    })
}
