//! What all servers have in common: two workers on a free port.

use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer};

use crate::Result;

const WORKERS: usize = 2;

/// How long an idle connection is kept, as `HttpServer` does it.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// What the routes are served by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    HttpServer,
    /// `chelseru_actix::listen`, as in the bundled server.
    Listen,
}

impl Front {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HttpServer => "http-server",
            Self::Listen => "listen",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self> {
        let known = [Self::HttpServer, Self::Listen];
        let found = known.into_iter().find(|front| front.name() == name);
        found.ok_or_else(|| format!("{name} serves nothing").into())
    }

    /// Serves until standard input closes. The first line of the output is the address.
    pub(crate) async fn serve(
        self,
        routes: impl FnOnce(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> Result<()> {
        let app = move || App::new().configure(routes.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        println!("{}", listener.local_addr()?);
        std::thread::spawn(|| {
            let _ = std::io::stdin().read(&mut [0]);
            std::process::exit(0);
        });
        let server = match self {
            Self::HttpServer => HttpServer::new(app)
                .workers(WORKERS)
                .on_connect(chelseru_actix::on_connect)
                .listen(listener)?
                .run(),
            Self::Listen => {
                let server = Server::build().workers(WORKERS);
                chelseru_actix::listen(server, listener, KEEP_ALIVE, app)?.run()
            }
        };
        Ok(server.await?)
    }
}

/// The codes as lines for the load generator.
pub(crate) fn code_lines<'a>(codes: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    codes
        .flat_map(|(number, code)| [number, " ", code, "\n"])
        .collect()
}
