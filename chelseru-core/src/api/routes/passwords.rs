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
use crate::username::Username;

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
    let username = fields.optional_text("username", |text| {
        text.parse::<Username>().map_err(|why| why.to_string())
    });
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
        fields.required("username", |text| Ok(named(text)))
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

/// The account that is called so, or in a way that reads the same.
fn named(text: &str) -> AccountName {
    match text.parse::<Username>() {
        Ok(username) => AccountName::Username {
            name: username.as_str().to_owned(),
            key: Some(username.key().to_owned()),
        },
        Err(_) => AccountName::Username {
            name: text.nfc().collect(),
            key: None,
        },
    }
}
