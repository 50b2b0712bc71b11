//! Serving an application over TCP so that an open socket costs little: what
//! [`HttpServer`](actix_web::HttpServer) does, but for connections that have left HTTP.

mod line;
mod relay;
mod upgrade;

use std::fmt::Debug;
use std::io;
use std::net::TcpListener;

use actix_http::{HttpService, KeepAlive, Request};
use actix_server::ServerBuilder;
use actix_service::{IntoServiceFactory, Service, ServiceFactory, map_config};
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::rt::net::TcpStream;

use socket2::SockRef;

use self::upgrade::Upgrade;
use crate::socket::on_connect;

/// How many connections may wait to be accepted, as with `HttpServer`: after a restart all clients come at once.
const BACKLOG: i32 = 1024;

/// Serves an application on a listener, in place of [`HttpServer`](actix_web::HttpServer): where many
/// sockets are open and say little, each costs a third.
///
/// `HttpServer` keeps for each connection what HTTP needs, two buffers of 8 KiB among it, also when it has
/// become a WebSocket. Here a connection that has become one keeps nothing but what is on its way. That
/// holds for chelseru's sockets and for the application's own; for requests nothing is different, and
/// [`on_connect`] is in place. The application is made twice for each worker. There is no TLS and no HTTP/2: a
/// proxy in front has them.
///
/// The builder says how many workers there are and how they end (`actix_web::dev::Server::build`);
/// a request's head is awaited for 5 seconds.
///
/// ```no_run
/// use std::net::TcpListener;
/// use std::time::Duration;
///
/// use actix_web::App;
/// use actix_web::dev::Server;
///
/// # use chelseru_core::{Chelseru, Config, store::MemoryStore, testing::StubProvider};
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let config = Config::builder().signing_key("a secret of at least 32 bytes, kept").build()?;
/// # let chelseru = Chelseru::builder(config).store(MemoryStore::new()).sms(StubProvider::new()).build()?;
/// let listener = TcpListener::bind(("127.0.0.1", 8000))?;
/// let app = move || App::new().service(chelseru_actix::scope("/api", &chelseru));
/// chelseru_actix::listen(Server::build().workers(2), listener, Duration::from_secs(75), app)?
///     .run()
///     .await?;
/// # Ok(())
/// # }
/// ```
pub fn listen<F, I, S, B>(
    server: ServerBuilder,
    listener: TcpListener,
    keep_alive: impl Into<KeepAlive>,
    app: F,
) -> io::Result<ServerBuilder>
where
    F: Fn() -> I + Clone + Send + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<
            Request,
            Config = AppConfig,
            Response = ServiceResponse<B>,
            Error = Error,
            InitError: Debug,
            Service: 'static,
        > + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let address = listener.local_addr()?;
    SockRef::from(&listener).listen(BACKLOG)?;
    let stops = server.graceful_shutdown_signal();
    let keep_alive = keep_alive.into();
    server.listen("chelseru", listener, move || {
        let app = || map_config(app().into_factory(), |()| AppConfig::default());
        let stops = stops.clone();
        HttpService::build()
            .graceful_shutdown_signal(move || {
                let stops = stops.clone();
                async move { stops.notified().await }
            })
            .keep_alive(keep_alive)
            .client_disconnect_timeout(relay::LINGER)
            .local_addr(address)
            .on_connect_ext(|stream: &TcpStream, data| on_connect(stream, data))
            .upgrade(Upgrade::new(app()))
            .finish(app())
            .tcp()
    })
}
