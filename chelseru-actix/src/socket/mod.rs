//! The chat sockets: the handshake, and the pump between a client and its state machine in core.

mod limits;
mod pump;
mod reader;

use actix_http::ws::{handshake_response, verify_handshake};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::header::{HOST, HeaderName, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use actix_web::{HttpRequest, HttpResponse, web};
use chelseru_core::Chelseru;
use chelseru_core::api::{Accepted, Handshake, Response};

pub use self::limits::on_connect;
use self::pump::Pump;
use crate::{body, reply, request};

/// Answers a request for the path of a socket.
pub(crate) async fn open(
    chelseru: &Chelseru,
    request: &HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let is_upgrade = verify_handshake(request.head()).is_ok();
    match accept(chelseru, request, is_upgrade).await {
        Ok(accepted) => switch(request, accepted, payload),
        Err(response) => {
            if !is_upgrade {
                // Whoever sends a body here is to read the answer.
                body::discard(payload).await;
            }
            reply::write(response)
        }
    }
}

async fn accept(
    chelseru: &Chelseru,
    request: &HttpRequest,
    is_upgrade: bool,
) -> Result<Accepted, Response> {
    let mut parts = request::parts(request, chelseru);
    parts.path = request.match_info().unprocessed();
    let text = |name: HeaderName| {
        let value = request.headers().get(name)?;
        // What is not text is no origin that could be right.
        Some(value.to_str().unwrap_or_default())
    };
    let protocols: Vec<_> = request
        .headers()
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|value| value.to_str().ok())
        .collect();
    let handshake = Handshake {
        request: parts,
        is_upgrade,
        host: text(HOST).unwrap_or_default(),
        origin: text(ORIGIN),
        protocols: &protocols.join(","),
    };
    chelseru.open_socket(handshake).await
}

fn switch(request: &HttpRequest, accepted: Accepted, payload: web::Payload) -> HttpResponse {
    let mut response = handshake_response(request.head());
    if let Some(protocol) = accepted.protocol {
        response.insert_header((SEC_WEBSOCKET_PROTOCOL, protocol));
    }
    let pump = Pump::new(
        accepted.connection,
        payload.into_inner(),
        accepted.max_frame_bytes,
    );
    match response.message_body(BoxBody::new(pump).boxed()) {
        Ok(response) => response.into(),
        Err(_) => reply::write(Response::server_error()),
    }
}
