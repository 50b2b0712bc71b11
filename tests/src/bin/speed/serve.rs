//! What both servers have in common: two workers on a free port.

use std::io::Read;

use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer};

use crate::Result;

const WORKERS: usize = 2;

/// Serves until standard input closes. The first line of the output is the address.
pub(crate) async fn serve(
    routes: impl FnOnce(&mut ServiceConfig) + Clone + Send + 'static,
) -> Result<()> {
    let server = HttpServer::new(move || App::new().configure(routes.clone()))
        .workers(WORKERS)
        .on_connect(chelseru_actix::on_connect)
        .bind(("127.0.0.1", 0))?;
    println!("{}", server.addrs()[0]);
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    Ok(server.run().await?)
}

/// The codes as lines for the load generator.
pub(crate) fn code_lines<'a>(codes: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    codes
        .flat_map(|(number, code)| [number, " ", code, "\n"])
        .collect()
}
