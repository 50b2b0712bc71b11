//! `/me/`: a user's own account.

use super::{code, code_sent, mobile_number};
use crate::api::fields::Fields;
use crate::api::{Request, Response};
use crate::error::Error;
use crate::service::Chelseru;
use crate::username::Username;

pub(super) async fn show(chelseru: &Chelseru, request: &Request<'_>) -> Result<Response, Response> {
    let user = chelseru.identify(request).await?;
    Ok(Response::ok(&chelseru.profile(&user).await?))
}

/// Changes what is named, and answers with the whole.
pub(super) async fn change(
    chelseru: &Chelseru,
    request: &Request<'_>,
) -> Result<Response, Response> {
    let user = chelseru.identify(request).await?;
    let mut fields = Fields::parse(request)?;
    let username = fields.if_there("username", |text| {
        text.parse::<Username>().map_err(|why| why.to_string())
    });
    fields.finish()?;
    let profile = match username {
        Some(username) => chelseru.rename(&user, username).await?,
        None => chelseru.profile(&user).await?,
    };
    Ok(Response::ok(&profile))
}

pub(super) async fn send_number_code(
    chelseru: &Chelseru,
    request: &Request<'_>,
) -> Result<Response, Response> {
    let user = chelseru.identify(request).await?;
    let mut fields = Fields::parse(request)?;
    let number = fields.required("mobile_number", |text| match mobile_number(text)? {
        own if own == user.mobile_number => Err("This is your mobile number already.".to_owned()),
        number => Ok(number),
    });
    fields.finish()?;
    let number = number.ok_or_else(Response::server_error)?;
    let client = request.client();
    chelseru.send_number_code(&user, number, client).await?;
    Ok(code_sent())
}

pub(super) async fn change_number(
    chelseru: &Chelseru,
    request: &Request<'_>,
) -> Result<Response, Response> {
    let user = chelseru.identify(request).await?;
    let mut fields = Fields::parse(request)?;
    let number = fields.required("mobile_number", mobile_number);
    let code = fields.required("code", code);
    fields.finish()?;
    let (Some(number), Some(code)) = (number, code) else {
        return Err(Response::server_error());
    };
    let changed = chelseru.change_number(&user, number, &code, request.client());
    Ok(Response::ok(&changed.await.map_err(refused)?))
}

pub(super) async fn send_deletion_code(
    chelseru: &Chelseru,
    request: &Request<'_>,
) -> Result<Response, Response> {
    let user = chelseru.identify(request).await?;
    Fields::parse(request)?.finish()?;
    chelseru.send_deletion_code(&user, request.client()).await?;
    Ok(code_sent())
}

pub(super) async fn delete(
    chelseru: &Chelseru,
    request: &Request<'_>,
) -> Result<Response, Response> {
    let user = chelseru.identify(request).await?;
    let mut fields = Fields::parse(request)?;
    let code = fields.required("code", code);
    fields.finish()?;
    let code = code.ok_or_else(Response::server_error)?;
    let deleted = chelseru.delete_account(&user, &code, request.client());
    deleted.await.map_err(refused)?;
    Ok(Response::no_content())
}

/// A wrong code is a wrong field here: by a 401 clients know that their access token is not good.
fn refused(error: Error) -> Response {
    match error {
        Error::WrongCode => {
            Response::field_error("code", "The code sent to this mobile number was not found.")
        }
        other => other.into(),
    }
}
