//! The documented routes: which there are, and what each reads and answers.

mod passwords;
mod profile;

use serde_json::{Value, json};

use super::errors::NO_MOBILE_NUMBER;
use super::fields::{Fields, integer};
use super::{Request, Response, bearer};
use crate::api::chat::{ChatRoute, upload_file};
use crate::config::Config;
use crate::error::Error;
use crate::mobile::MobileNumber;
use crate::otp::Code;
use crate::service::{Chelseru, IdempotencyKey, Login, LogoutScope, Message};
use crate::session::SessionId;
use crate::sms::{SmsErrorKind, TemplateId};
use crate::token::TokenError;

/// The package's limit for a message.
const MAX_MESSAGE_CHARS: usize = 290;

/// A documented path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    OtpSend,
    Authenticate,
    Sessions,
    Session(SessionId),
    MessageSend,
    TokenRefresh,
    TokenVerify,
    Logout,
    Register,
    RegisterSend,
    Login,
    PasswordChange,
    PasswordReset,
    PasswordResetConfirm,
    Chat(ChatRoute),
    FileUpload,
    Me,
    MobileSend,
    Mobile,
    DeleteSend,
    Delete,
}

impl Route {
    /// The route of a path below the prefix, with and without the final slash.
    pub(super) fn find(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        Some(match path {
            "otp/send" => Self::OtpSend,
            "authenticate" => Self::Authenticate,
            "sessions" => Self::Sessions,
            "message/send" => Self::MessageSend,
            "message/file/upload" => Self::FileUpload,
            "token/refresh" => Self::TokenRefresh,
            "token/verify" => Self::TokenVerify,
            "logout" => Self::Logout,
            "register" => Self::Register,
            "register/send" => Self::RegisterSend,
            "login" => Self::Login,
            "password/change" => Self::PasswordChange,
            "password/reset" => Self::PasswordReset,
            "password/reset/confirm" => Self::PasswordResetConfirm,
            "me" => Self::Me,
            "me/mobile/send" => Self::MobileSend,
            "me/mobile" => Self::Mobile,
            "me/delete/send" => Self::DeleteSend,
            "me/delete" => Self::Delete,
            _ => match path.split_once('/')? {
                ("chat", path) => Self::Chat(ChatRoute::find(path)?),
                ("sessions", id) => Self::Session(SessionId(id_of_path(id)?)),
                _ => return None,
            },
        })
    }

    /// Whether the settings have it.
    pub(super) fn is_on(self, config: &Config) -> bool {
        match self {
            Self::Chat(_) | Self::FileUpload => config.chat.enabled,
            _ => true,
        }
    }

    fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Sessions => &["GET", "DELETE"],
            Self::Session(_) => &["DELETE"],
            Self::Chat(route) => route.methods(),
            Self::Me => &["GET", "PATCH", "DELETE"],
            _ => &["POST"],
        }
    }

    pub(super) fn check_method(self, method: &str) -> Result<(), Response> {
        let methods = self.methods();
        if methods.contains(&method) {
            Ok(())
        } else {
            Err(Response::method_not_allowed(method, methods))
        }
    }

    pub(super) async fn serve(
        self,
        chelseru: &Chelseru,
        request: &Request<'_>,
    ) -> Result<Response, Response> {
        match self {
            Self::OtpSend => otp_send(chelseru, request).await,
            Self::Authenticate => authenticate(chelseru, request).await,
            Self::Sessions if request.method == "GET" => list_sessions(chelseru, request).await,
            Self::Sessions => end_other_sessions(chelseru, request).await,
            Self::Session(id) => end_session(chelseru, request, id).await,
            Self::MessageSend => message_send(chelseru, request).await,
            Self::TokenRefresh => token_refresh(chelseru, request).await,
            Self::TokenVerify => token_verify(chelseru, request).await,
            Self::Logout => logout(chelseru, request).await,
            Self::Register => passwords::register(chelseru, request).await,
            Self::RegisterSend => passwords::register_send(chelseru, request).await,
            Self::Login => passwords::login(chelseru, request).await,
            Self::PasswordChange => passwords::change(chelseru, request).await,
            Self::PasswordReset => passwords::reset_send(chelseru, request).await,
            Self::PasswordResetConfirm => passwords::reset(chelseru, request).await,
            Self::Chat(route) => route.serve(chelseru, request).await,
            Self::FileUpload => upload_file(chelseru, request).await,
            Self::Me if request.method == "GET" => profile::show(chelseru, request).await,
            Self::Me if request.method == "PATCH" => profile::change(chelseru, request).await,
            Self::MobileSend => profile::send_number_code(chelseru, request).await,
            Self::Mobile => profile::change_number(chelseru, request).await,
            Self::DeleteSend => profile::send_deletion_code(chelseru, request).await,
            // Not everything on the way lets the body of a DELETE through.
            Self::Me | Self::Delete => profile::delete(chelseru, request).await,
        }
    }
}

/// An id as it stands in a path: digits alone.
pub(super) fn id_of_path(id: &str) -> Option<i64> {
    let is_plain = id.bytes().all(|byte| byte.is_ascii_digit());
    id.parse().ok().filter(|_| is_plain)
}

async fn otp_send(chelseru: &Chelseru, request: &Request<'_>) -> Result<Response, Response> {
    let mut fields = Fields::parse(request)?;
    let number = fields.required("mobile_number", mobile_number);
    fields.finish()?;
    if let Some(number) = number {
        chelseru.send_code(number, request.client()).await?;
    }
    Ok(code_sent())
}

fn code_sent() -> Response {
    Response::ok(&json!({ "details": "The OTP code was sent correctly." }))
}

async fn authenticate(chelseru: &Chelseru, request: &Request<'_>) -> Result<Response, Response> {
    let mut fields = Fields::parse(request)?;
    let number = fields.required("mobile_number", mobile_number);
    let code = fields.required("code", code);
    let group = fields.optional_integer("group", 0).unwrap_or_default();
    fields.finish()?;
    let (Some(mobile_number), Some(code)) = (number, code) else {
        return Err(Response::server_error());
    };
    let tokens = chelseru
        .log_in(Login {
            mobile_number,
            code,
            group,
            client: request.client(),
        })
        .await?;
    Ok(Response::ok(&tokens))
}

async fn list_sessions(chelseru: &Chelseru, request: &Request<'_>) -> Result<Response, Response> {
    let token = bearer(request)?;
    let sessions = chelseru.sessions(token, request.client()).await?;
    Ok(Response::ok(&sessions))
}

async fn end_other_sessions(
    chelseru: &Chelseru,
    request: &Request<'_>,
) -> Result<Response, Response> {
    let user = chelseru.identify(request).await?;
    chelseru.end_other_sessions(&user).await?;
    Ok(Response::no_content())
}

async fn end_session(
    chelseru: &Chelseru,
    request: &Request<'_>,
    id: SessionId,
) -> Result<Response, Response> {
    let user = chelseru.identify(request).await?;
    chelseru.end_session(&user, id).await?;
    Ok(Response::no_content())
}

async fn message_send(chelseru: &Chelseru, request: &Request<'_>) -> Result<Response, Response> {
    let user = chelseru.identify(request).await?;
    // First whether, then what: who may not send learns nothing of what could be sent.
    chelseru.require_message_group(&user)?;
    let mut fields = Fields::parse(request)?;
    let number = fields.required("mobile_number", mobile_number);
    let text = fields.required("message_text", message_text);
    let template = fields.optional("template_id", |value| template(chelseru, value));
    fields.finish()?;
    let (Some(to), Some(text)) = (number, text) else {
        return Err(Response::server_error());
    };
    let has_template = template.is_some();
    let mut message = Message::new(to, text);
    message.template = template;
    message.idempotency_key = idempotency_key(request)?;
    match chelseru.send_message(&user, message).await {
        Ok(()) => Ok(Response::ok(
            &json!({ "details": "The Message was sent correctly." }),
        )),
        Err(error) => Err(refused_field(&error, has_template).unwrap_or_else(|| error.into())),
    }
}

async fn token_refresh(chelseru: &Chelseru, request: &Request<'_>) -> Result<Response, Response> {
    let token = token_field(request, "refresh")?;
    let tokens = chelseru.refresh(&token, request.client()).await?;
    Ok(Response::ok(&tokens))
}

async fn token_verify(chelseru: &Chelseru, request: &Request<'_>) -> Result<Response, Response> {
    let token = token_field(request, "token")?;
    chelseru.verify_token(&token).await?;
    Ok(Response::ok(&json!({})))
}

/// Ends the session of the refresh token in the body, or without one that of the access token; with a
/// scope, other sessions of the same user.
async fn logout(chelseru: &Chelseru, request: &Request<'_>) -> Result<Response, Response> {
    let mut fields = Fields::parse(request)?;
    if fields.has("refresh") || request.authorization.is_none() {
        let token = fields.required("refresh", |text| Ok(text.to_owned()));
        let scope = fields.optional("scope", logout_scope).unwrap_or_default();
        fields.finish()?;
        let token = token.ok_or_else(Response::server_error)?;
        chelseru.log_out(&token, scope).await?;
        return Ok(Response::ok(&json!({})));
    }
    let user = chelseru.identify(request).await?;
    let scope = fields.optional("scope", logout_scope).unwrap_or_default();
    fields.finish()?;
    match scope {
        LogoutScope::This => {
            // A token of another service has no session that could be ended here.
            let session = user
                .session
                .ok_or(Error::AccessToken(TokenError::Invalid))?;
            chelseru.end_session(&user, session).await?;
        }
        LogoutScope::Others => drop(chelseru.end_other_sessions(&user).await?),
        LogoutScope::All => drop(chelseru.end_all_sessions(&user).await?),
    }
    Ok(Response::ok(&json!({})))
}

fn token_field(request: &Request<'_>, name: &str) -> Result<String, Response> {
    let mut fields = Fields::parse(request)?;
    let token = fields.required(name, |text| Ok(text.to_owned()));
    fields.finish()?;
    token.ok_or_else(Response::server_error)
}

fn mobile_number(text: &str) -> Result<MobileNumber, String> {
    text.parse().map_err(|_| NO_MOBILE_NUMBER.to_owned())
}

fn code(text: &str) -> Result<Code, String> {
    text.parse().map_err(|_| "Enter a valid code.".to_owned())
}

fn logout_scope(value: &Value) -> Result<Option<LogoutScope>, String> {
    match value.as_str().map(str::trim) {
        Some("") => Ok(None),
        Some("this") => Ok(Some(LogoutScope::This)),
        Some("others") => Ok(Some(LogoutScope::Others)),
        Some("all") => Ok(Some(LogoutScope::All)),
        _ if value.is_null() => Ok(None),
        _ => Err("Enter one of \"this\", \"others\" and \"all\".".to_owned()),
    }
}

fn message_text(text: &str) -> Result<String, String> {
    if text.chars().count() > MAX_MESSAGE_CHARS {
        return Err(format!(
            "Ensure this field has no more than {MAX_MESSAGE_CHARS} characters."
        ));
    }
    Ok(text.to_owned())
}

fn idempotency_key(request: &Request<'_>) -> Result<Option<IdempotencyKey>, Response> {
    let key = request.idempotency_key.map(str::parse).transpose();
    key.map_err(|_| {
        Response::field_error(
            "Idempotency-Key",
            "This header must have 1 to 255 visible ASCII characters.",
        )
    })
}

/// A template's id, or a name that the settings give to one.
fn template(chelseru: &Chelseru, value: &Value) -> Result<Option<TemplateId>, String> {
    if let Some(name) = value
        .as_str()
        .filter(|name| chelseru.config().sms.templates.contains_key(*name))
    {
        return Ok(Some(TemplateId::from(name)));
    }
    // 0 means none, as in the settings.
    let id = integer(value, 0)?.filter(|id| *id > 0);
    Ok(id.map(TemplateId::from))
}

/// What the caller can mend: the provider was not asked (it gave no code) because this text, or this
/// template, cannot be sent by it.
fn refused_field(error: &Error, has_template: bool) -> Option<Response> {
    let Error::Sms(error) = error else {
        return None;
    };
    if error.code().is_some() {
        return None;
    }
    match error.kind() {
        SmsErrorKind::TextRefused => Some(Response::field_error(
            "message_text",
            "The SMS provider cannot send this text.",
        )),
        SmsErrorKind::TemplateRefused if has_template => Some(Response::field_error(
            "template_id",
            "The SMS provider cannot send this template.",
        )),
        SmsErrorKind::TemplateRefused => Some(Response::field_error(
            "template_id",
            "This field is required.",
        )),
        _ => None,
    }
}
