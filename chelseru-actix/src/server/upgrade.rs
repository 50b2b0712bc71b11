//! What answers a request to leave HTTP: the application itself, whose answer then goes over the bare
//! connection.

use actix_codec::{AsyncRead, AsyncWrite, Framed};
use actix_http::Request;
use actix_http::h1::Codec;
use actix_service::{Service, ServiceFactory};
use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Response, ServiceResponse};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;

use super::line::Line;
use super::relay::Relay;

pub(super) struct Upgrade<S> {
    app: S,
}

impl<S> Upgrade<S> {
    pub(super) fn new(app: S) -> Self {
        Self { app }
    }
}

impl<S, T, B> ServiceFactory<(Request, Framed<T, Codec>)> for Upgrade<S>
where
    S: ServiceFactory<Request, Config = (), Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    T: AsyncRead + AsyncWrite + Unpin + 'static,
    B: MessageBody + 'static,
{
    type Response = ();
    type Error = Error;
    type Config = ();
    type Service = Upgrade<S::Service>;
    type InitError = S::InitError;
    type Future = LocalBoxFuture<'static, Result<Self::Service, S::InitError>>;

    fn new_service(&self, (): ()) -> Self::Future {
        let app = self.app.new_service(());
        Box::pin(async move { Ok(Upgrade::new(app.await?)) })
    }
}

impl<S, T, B> Service<(Request, Framed<T, Codec>)> for Upgrade<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    T: AsyncRead + AsyncWrite + Unpin + 'static,
    B: MessageBody + 'static,
{
    type Response = ();
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<(), Error>>;

    actix_service::forward_ready!(app);

    fn call(&self, (request, connection): (Request, Framed<T, Codec>)) -> Self::Future {
        let parts = connection.into_parts();
        let line = Line::new(parts.io);
        let (request, _) = request.replace_payload(line.incoming(&parts.read_buf));
        let (codec, unsent) = (parts.codec, parts.write_buf[..].into());
        let answer = self.app.call(request);
        // One after the other in the same place: an `async` block would keep room for both.
        Box::pin(answer.then(move |answer| Relay::new(line, codec, unsent, whole(answer))))
    }
}

fn whole<B: MessageBody + 'static>(answer: Result<ServiceResponse<B>, Error>) -> Response<BoxBody> {
    match answer {
        Ok(response) => Response::from(response).map_into_boxed_body(),
        Err(error) => error.into(),
    }
}
