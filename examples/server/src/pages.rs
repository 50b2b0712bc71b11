//! The server's own pages beside the documented routes.

use actix_web::{HttpResponse, Responder, web};
use chelseru_core::Chelseru;

/// 200 while the server can serve, its database included; 503 while it cannot.
pub(crate) async fn healthz(chelseru: web::Data<Chelseru>) -> impl Responder {
    match chelseru.store().ping().await {
        Ok(()) => HttpResponse::Ok().body("ok\n"),
        Err(error) => {
            tracing::warn!(?error, "not healthy");
            HttpResponse::ServiceUnavailable().body("the database is not available\n")
        }
    }
}

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
