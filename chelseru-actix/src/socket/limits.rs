//! What the kernel does for a client's connection: what it sends at once, what it keeps, and for how long.

use std::any::Any;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use chelseru_core::chat::Connection;
use socket2::SockRef;

/// How much may wait in the kernel for one client. It grows to some megabytes otherwise.
const SEND_BUFFER: usize = 256 * 1024;

/// Sends frames at once and breaks off connections to clients that do not read, for
/// [`HttpServer::on_connect`](actix_web::HttpServer::on_connect).
///
/// Otherwise the kernel holds a small frame back until the client has confirmed the one before it, which
/// clients put off for 40 ms: Nagle's algorithm and delayed acknowledgements, RFC 9293, section 3.7.4.
///
/// While a client does not read, nothing can be written to it, a closing frame neither: what was sent waits
/// in the kernel, which gives up after many minutes. With this it does after
/// [`Connection::WRITE_TIME`] (on Linux), whatever the connection is used for.
///
/// ```no_run
/// # use actix_web::{App, HttpServer};
/// # fn serve() -> std::io::Result<()> {
/// HttpServer::new(App::new)
///     .on_connect(chelseru_actix::on_connect)
///     .bind(("127.0.0.1", 8000))?;
/// # Ok(())
/// # }
/// ```
pub fn on_connect(connection: &dyn Any, _: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else {
        return;
    };
    let socket = SockRef::from(stream);
    // A connection that cannot be set is still one.
    let _ = stream.set_nodelay(true);
    let _ = socket.set_send_buffer_size(SEND_BUFFER);
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(Connection::WRITE_TIME));
}
