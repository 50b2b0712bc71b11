//! Reading a request's body: limited in length and in time.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::UPGRADE;
use actix_web::rt::time::timeout;
use actix_web::web::{BytesMut, Payload};
use chelseru_core::api::{Admission, Response};
use futures_util::StreamExt;

/// How long the body of a refused request may take.
const DISCARDING: Duration = Duration::from_secs(5);

/// How much of a body that is too long is read and thrown away before the answer. Closing the
/// connection on unread data resets it, and the client would see that instead of the answer.
const MAX_DISCARDED_BYTES: usize = 32 * 1024 * 1024;

/// The whole body, or the answer that refuses it.
pub(crate) async fn read(
    request: &HttpRequest,
    payload: Payload,
    admission: &Admission,
) -> Result<BytesMut, Response> {
    // What follows such a request is another protocol's and never ends: none of our routes wants it.
    if request.method() == Method::CONNECT || request.headers().contains_key(UPGRADE) {
        return Ok(BytesMut::new());
    }
    timeout(admission.time, collect(payload, admission.max_bytes))
        .await
        .unwrap_or_else(|_| Err(Response::body_too_slow()))
}

/// Reads what follows a request that is refused already, as far as that is short, so that the client can
/// read why.
pub(crate) async fn discard(payload: Payload) {
    let _ = timeout(DISCARDING, collect(payload, 0)).await;
}

async fn collect(mut payload: Payload, max_bytes: usize) -> Result<BytesMut, Response> {
    let mut body = BytesMut::new();
    let mut length = 0_usize;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Response::body_incomplete())?;
        length = length.saturating_add(chunk.len());
        if length <= max_bytes {
            body.extend_from_slice(&chunk);
        } else if length > MAX_DISCARDED_BYTES {
            break;
        } else {
            body.clear();
        }
    }
    if length > max_bytes {
        Err(Response::body_too_large(max_bytes))
    } else {
        Ok(body)
    }
}
