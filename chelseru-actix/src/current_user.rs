//! The extractor that guards an application's own handlers.

use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use chelseru_core::Chelseru;
use chelseru_core::api::Response;
use futures_util::future::{FutureExt, LocalBoxFuture};

use crate::reply::Refused;
use crate::request;

/// The user of a request: a handler that takes it runs only for a valid access token of a live
/// session.
///
/// Every other request is answered as the documented routes answer it: 401 with the reason, 503 when
/// the store is away. It needs [`scope`](crate::scope()) mounted before the handler's route in the same
/// `App` or scope, or the [`Chelseru`] as `web::Data` in the application's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentUser(pub chelseru_core::CurrentUser);

impl CurrentUser {
    /// Lets accounts of these groups pass. [`InGroup`](crate::InGroup) says when a group is a privilege.
    ///
    /// # Errors
    ///
    /// The 403 of all others, for the handler to return with `?`.
    pub fn require_group(&self, groups: &[i64]) -> Result<(), Refused> {
        self.0
            .require_group(groups)
            .map_err(|error| Refused(error.into()))
    }
}

impl Deref for CurrentUser {
    type Target = chelseru_core::CurrentUser;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl FromRequest for CurrentUser {
    type Error = Refused;
    type Future = LocalBoxFuture<'static, Result<Self, Refused>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            let Some(chelseru) = find(&request) else {
                tracing::error!(
                    "CurrentUser found no service: mount chelseru_actix::scope before this route"
                );
                return Err(Refused(Response::server_error()));
            };
            let parts = request::parts(&request, &chelseru);
            chelseru.identify(&parts).await.map(Self).map_err(Refused)
        }
        .boxed_local()
    }
}

fn find(request: &HttpRequest) -> Option<Chelseru> {
    let provided = request.extensions().get::<Chelseru>().cloned();
    provided.or_else(|| {
        request
            .app_data::<web::Data<Chelseru>>()
            .map(|data| data.get_ref().clone())
    })
}
