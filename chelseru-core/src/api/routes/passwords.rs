//! The routes of accounts with a password.

use serde_json::json;
use unicode_normalization::UnicodeNormalization;

use super::{code, code_sent, mobile_number};
use crate::api::fields::Fields;
use crate::api::{Request, Response};
use crate::config::AuthMethod;
use crate::error::Error;
use crate::mobile::MobileNumber;
use crate::service::{Chelseru, PasswordLogin, PasswordResetting, Registration};
use crate::store::AccountName;

/// The least and the most characters of a username.
const USERNAME_CHARS: std::ops::RangeInclusive<usize> = 3..=32;

pub(super) async fn register_send(
    chelseru: &Chelseru,
    request: &Request<'_>,
) -> Result<Response, Response> {
    chelseru.require_method(AuthMethod::Passwd)?;
    let number = number_alone(request)?;
    chelseru
        .send_registration_code(number, request.client())
        .await?;
    Ok(code_sent())
}

pub(super) async fn register(
    chelseru: &Chelseru,
    request: &Request<'_>,
) -> Result<Response, Response> {
    chelseru.require_method(AuthMethod::Passwd)?;
    let mut fields = Fields::parse(request)?;
    let number = fields.required("mobile_number", mobile_number);
    let code = fields.required("code", code);
    let password = fields.required_password("password");
    let username = fields.optional_text("username", username);
    let group = fields.optional_integer("group", 0).unwrap_or_default();
    fields.finish()?;
    let (Some(mobile_number), Some(code), Some(password)) = (number, code, password) else {
        return Err(Response::server_error());
    };
    let tokens = chelseru
        .register(Registration {
            mobile_number,
            code,
            password,
            username,
            group,
            client: request.client(),
        })
        .await?;
    Ok(Response::ok(&tokens))
}

pub(super) async fn login(
    chelseru: &Chelseru,
    request: &Request<'_>,
) -> Result<Response, Response> {
    chelseru.require_method(AuthMethod::Passwd)?;
    let mut fields = Fields::parse(request)?;
    // A username that nobody can have is not told from one that nobody has.
    let account = if fields.has("username") && !fields.has("mobile_number") {
        let name = fields.required("username", |text| Ok(normal_username(text)));
        name.map(AccountName::Username)
    } else {
        let number = fields.required("mobile_number", mobile_number);
        let group = fields.optional_integer("group", 0).unwrap_or_default();
        number.map(|mobile_number| AccountName::Number {
            mobile_number,
            group,
        })
    };
    let password = fields.required_password("password");
    fields.finish()?;
    let (Some(account), Some(password)) = (account, password) else {
        return Err(Response::server_error());
    };
    let tokens = chelseru
        .log_in_by_password(PasswordLogin {
            account,
            password,
            client: request.client(),
        })
        .await?;
    Ok(Response::ok(&tokens))
}

pub(super) async fn change(
    chelseru: &Chelseru,
    request: &Request<'_>,
) -> Result<Response, Response> {
    chelseru.require_method(AuthMethod::Passwd)?;
    let user = chelseru.identify(request).await?;
    let mut fields = Fields::parse(request)?;
    let old = fields.required_password("old_password");
    let new = fields.required_password("new_password");
    fields.finish()?;
    let (Some(old), Some(new)) = (old, new) else {
        return Err(Response::server_error());
    };
    match chelseru.change_password(&user, old, new).await {
        Ok(()) => Ok(Response::ok(
            &json!({ "details": "The password was changed correctly." }),
        )),
        Err(Error::WeakPassword(why)) => {
            Err(Response::field_error("new_password", &why.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn reset_send(
    chelseru: &Chelseru,
    request: &Request<'_>,
) -> Result<Response, Response> {
    chelseru.require_method(AuthMethod::Passwd)?;
    let number = number_alone(request)?;
    chelseru.send_reset_code(number, request.client()).await?;
    Ok(code_sent())
}

pub(super) async fn reset(
    chelseru: &Chelseru,
    request: &Request<'_>,
) -> Result<Response, Response> {
    chelseru.require_method(AuthMethod::Passwd)?;
    let mut fields = Fields::parse(request)?;
    let number = fields.required("mobile_number", mobile_number);
    let code = fields.required("code", code);
    let password = fields.required_password("password");
    let group = fields.optional_integer("group", 0).unwrap_or_default();
    fields.finish()?;
    let (Some(mobile_number), Some(code), Some(password)) = (number, code, password) else {
        return Err(Response::server_error());
    };
    let tokens = chelseru
        .reset_password(PasswordResetting {
            mobile_number,
            group,
            code,
            password,
            client: request.client(),
        })
        .await?;
    Ok(Response::ok(&tokens))
}

fn number_alone(request: &Request<'_>) -> Result<MobileNumber, Response> {
    let mut fields = Fields::parse(request)?;
    let number = fields.required("mobile_number", mobile_number);
    fields.finish()?;
    number.ok_or_else(Response::server_error)
}

/// A username that may be chosen. One that reads as a mobile number would pass for somebody's.
fn username(text: &str) -> Result<String, String> {
    let name = normal_username(text);
    let is_plain = |char: char| char.is_alphanumeric() || "._-".contains(char);
    let is_right = USERNAME_CHARS.contains(&name.chars().count())
        && name.chars().all(is_plain)
        && name.chars().any(char::is_alphabetic);
    if is_right {
        Ok(name)
    } else {
        Err(format!(
            "Enter a username of {} to {} letters, digits, dots, dashes and underscores, with a letter in it.",
            USERNAME_CHARS.start(),
            USERNAME_CHARS.end()
        ))
    }
}

/// The form in which usernames are kept.
fn normal_username(text: &str) -> String {
    text.nfc().collect()
}
