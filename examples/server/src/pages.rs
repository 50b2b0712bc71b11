//! The server's own page beside the documented routes.

use actix_web::{HttpResponse, Responder};

/// Where to go from here.
pub(crate) async fn index() -> impl Responder {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'",
        ))
        .body(include_str!("index.html"))
}
