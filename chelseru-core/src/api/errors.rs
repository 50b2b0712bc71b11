//! One table: error to status, body and headers.

use serde::Serialize;
use serde_json::json;

use super::Response;
use crate::chat::{BlobError, ChatError};
use crate::error::Error;
use crate::sms::{SmsError, SmsErrorKind};
use crate::store::StoreError;
use crate::token::TokenError;

impl From<Error> for Response {
    fn from(error: Error) -> Self {
        match error {
            Error::CodeStillValid { wait } => {
                let seconds = whole_seconds(wait);
                Self::json(
                    409,
                    &json!({ "details": format!(
                        "An OTP code has already been sent. Please wait {seconds} seconds before trying again."
                    ) }),
                )
                .with_header("retry-after", seconds.to_string())
            }
            Error::WrongCode => Self::json(
                401,
                &json!({ "error": "The code sent to this mobile number was not found." }),
            ),
            Error::SignUpClosed => {
                Self::field_error("group", "This group is not open for sign-up.")
            }
            // simplejwt's answer to a wrong username or password.
            Error::NoActiveAccount => {
                unauthorized("No active account found with the given credentials", None)
            }
            Error::NumberTaken => Self::field_error(
                "mobile_number",
                "An account with this mobile number already exists.",
            ),
            Error::NoAccount => Self::field_error(
                "mobile_number",
                "There is no account with this mobile number.",
            ),
            Error::UsernameTaken => {
                Self::field_error("username", "A user with that username already exists.")
            }
            Error::WrongPassword => {
                Self::field_error("old_password", "This is not the present password.")
            }
            Error::WeakPassword(why) => Self::field_error("password", &why.to_string()),
            Error::Overloaded => unavailable(),
            Error::NumberNotAccepted => Self::field_error("mobile_number", NO_MOBILE_NUMBER),
            Error::UserNotFound => unauthorized("User not found", Some("user_not_found")),
            Error::UserInactive => unauthorized("User is inactive", Some("user_inactive")),
            Error::NotAuthenticated => {
                unauthorized("Authentication credentials were not provided.", None)
            }
            Error::AccessToken(error) => bad_access_token(error),
            Error::Token(error) => unauthorized(&error.to_string(), Some("token_not_valid")),
            Error::MethodNotConfigured => Self::json(
                403,
                &json!({ "error": "This authentication method is not configured." }),
            ),
            Error::NotFound => Self::detail(404, "Not found."),
            Error::PermissionDenied => {
                Self::detail(403, "You do not have permission to perform this action.")
            }
            Error::Sms(error) => provider_failed(&error),
            Error::CodePerhapsSent { error, wait } => {
                provider_failed(&error).with_header("retry-after", whole_seconds(wait).to_string())
            }
            Error::OverBudget { wait } => {
                let seconds = whole_seconds(wait);
                Self::detail(
                    429,
                    format!(
                        "This service has sent as many messages as it may for now. \
                         Expected available in {seconds} seconds."
                    ),
                )
                .with_header("retry-after", seconds.to_string())
            }
            // Django REST framework's words; which limit it was is nobody's business.
            Error::LimitReached { wait, .. } => {
                let seconds = whole_seconds(wait);
                let unit = if seconds == 1 { "second" } else { "seconds" };
                Self::detail(
                    429,
                    format!("Request was throttled. Expected available in {seconds} {unit}."),
                )
                .with_header("retry-after", seconds.to_string())
            }
            Error::RequestInProgress => {
                Self::detail(409, "A request with this Idempotency-Key is in progress.")
                    .with_header("retry-after", "1")
            }
            Error::SentUnderKey => Self::json(502, &json!({ "details": NOT_CONFIRMED })),
            Error::KeyOfAnotherMessage => Self::detail(
                422,
                "This Idempotency-Key was used for another message. Use a new one.",
            ),
            Error::Chat(error) => chat_refused(&error),
            Error::NoFiles => Self::json(403, &json!({ "error": "Files are not configured." })),
            Error::Files(error) => files_failed(&error),
            Error::Store(error) => store_failed(&error),
        }
    }
}

/// What is said of a number that is not one, or not accepted.
pub(super) const NO_MOBILE_NUMBER: &str =
    "Enter a valid Iranian mobile number, such as 09121234567.";

fn chat_refused(error: &ChatError) -> Response {
    let status = match error {
        ChatError::NoSuchRoom | ChatError::NoSuchMessage | ChatError::NoSuchMember => {
            return Error::NotFound.into();
        }
        ChatError::Field { field, problem } => return Response::field_error(field, problem),
        ChatError::ClientIdTaken
        | ChatError::OwnerMustHandOver
        | ChatError::RoomFull
        | ChatError::UserBanned
        | ChatError::TooManyChanges => 409,
        ChatError::NotPermitted
        | ChatError::RoomClosed
        | ChatError::RoomOnHold
        | ChatError::TooLateToEdit => 403,
    };
    Response::json(
        status,
        &json!({ "detail": error.to_string(), "code": error.code() }),
    )
}

/// simplejwt's answer to an `Authorization` header of more than two parts.
pub(super) fn bad_authorization_header() -> Response {
    unauthorized(
        "Authorization header must contain two space-delimited values",
        Some("bad_authorization_header"),
    )
}

/// The body of a 401 for a token, its keys in simplejwt's order.
#[derive(Serialize)]
struct Unauthorized<'a> {
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<[TokenMessage; 1]>,
}

#[derive(Serialize)]
struct TokenMessage {
    token_class: &'static str,
    token_type: &'static str,
    message: String,
}

impl Unauthorized<'_> {
    fn response(&self) -> Response {
        Response::json(401, self).with_header("www-authenticate", "Bearer realm=\"api\"")
    }
}

fn unauthorized(detail: &str, code: Option<&str>) -> Response {
    Unauthorized {
        detail,
        code,
        messages: None,
    }
    .response()
}

fn bad_access_token(error: TokenError) -> Response {
    let message = match error {
        // simplejwt knows no ended sessions; to its clients such a token is just not valid.
        TokenError::Blacklisted => TokenError::Invalid,
        other => other,
    };
    Unauthorized {
        detail: "Given token not valid for any token type",
        code: Some("token_not_valid"),
        messages: Some([TokenMessage {
            token_class: "AccessToken",
            token_type: "access",
            message: message.to_string(),
        }]),
    }
    .response()
}

const NOT_CONFIRMED: &str =
    "The SMS service provider did not confirm the message. It may still arrive.";

/// Never the provider's own words: they may name the account.
fn provider_failed(error: &SmsError) -> Response {
    let details = match error.kind() {
        SmsErrorKind::PerhapsSent => NOT_CONFIRMED,
        _ => "The SMS service provider was unable to process the request.",
    };
    let response = Response::json(502, &json!({ "details": details }));
    match error.retry_after() {
        Some(wait) => response.with_header("retry-after", whole_seconds(wait).to_string()),
        None => response,
    }
}

fn files_failed(error: &BlobError) -> Response {
    tracing::error!(?error, "the place for files failed");
    Response::json(
        503,
        &json!({ "error": "The service is temporarily unavailable." }),
    )
    .with_header("retry-after", "1")
}

fn store_failed(error: &StoreError) -> Response {
    tracing::error!(?error, "the store failed");
    match error {
        StoreError::Unavailable(_) => unavailable(),
        StoreError::Fault(_) => Response::server_error(),
    }
}

fn unavailable() -> Response {
    Response::json(
        503,
        &json!({ "error": "The service is temporarily unavailable." }),
    )
    .with_header("retry-after", "1")
}

/// Rounded up, so that who waits that long does not come too early.
fn whole_seconds(duration: std::time::Duration) -> u128 {
    duration.as_millis().div_ceil(1000).max(1)
}
