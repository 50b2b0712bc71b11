//! The extractor that lets one group pass.

use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::{FutureExt, LocalBoxFuture};

use crate::current_user::CurrentUser;
use crate::reply::Refused;

/// The user of a request, of this group: a handler that takes it runs for nobody else.
///
/// Without a valid token the answer is that of [`CurrentUser`], for another group it is 403
/// `{"detail":"You do not have permission to perform this action."}`. For several groups take a
/// [`CurrentUser`] and ask [`CurrentUser::require_group`].
///
/// A client names the group of its first login itself: a group is a privilege only if
/// `AUTH.OPTIONS.SIGNUP_GROUPS` is set and does not have it.
///
/// ```
/// use actix_web::Responder;
/// use chelseru_actix::{CurrentUser, InGroup, Refused};
///
/// const STAFF: i64 = 7;
///
/// async fn refunds(user: InGroup<STAFF>) -> impl Responder {
///     format!("for {}", user.username)
/// }
///
/// async fn orders(user: CurrentUser) -> Result<impl Responder, Refused> {
///     user.require_group(&[STAFF, 8])?;
///     Ok("all orders")
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InGroup<const GROUP: i64>(pub CurrentUser);

impl<const GROUP: i64> Deref for InGroup<GROUP> {
    type Target = CurrentUser;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<const GROUP: i64> FromRequest for InGroup<GROUP> {
    type Error = Refused;
    type Future = LocalBoxFuture<'static, Result<Self, Refused>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let user = CurrentUser::from_request(request, payload);
        async move {
            let user = user.await?;
            user.require_group(&[GROUP])?;
            Ok(Self(user))
        }
        .boxed_local()
    }
}
