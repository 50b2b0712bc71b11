//! Writing a core response as an actix one.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use chelseru_core::api::Response;

pub(crate) fn write(response: Response) -> HttpResponse {
    let status =
        StatusCode::from_u16(response.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = HttpResponse::build(status);
    for (name, value) in response.headers() {
        builder.insert_header((*name, value.as_str()));
    }
    builder.body(response.into_body())
}

/// Why [`CurrentUser`](crate::CurrentUser) or [`InGroup`](crate::InGroup) refused a request: the documented answer, as an actix error.
#[derive(Debug)]
pub struct Refused(pub(crate) Response);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with status {}", self.0.status())
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        write(self.0.clone())
    }
}
