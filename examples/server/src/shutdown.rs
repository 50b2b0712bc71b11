//! The server's end: clients with a socket are told to come back, requests are finished.

use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::time::{sleep, timeout};
use chelseru_core::Chelseru;

/// How often it is looked whether the sockets are closed.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The longest that sockets are waited for: who has not read by then is not reading.
const SOCKETS_TIME: Duration = Duration::from_secs(5);

/// Waits for a signal and stops the server: SIGTERM and Ctrl-C finish what runs, SIGQUIT does not.
pub(crate) async fn on_signal(server: ServerHandle, chelseru: Chelseru, patience: Duration) {
    if is_graceful().await {
        tracing::info!("stopping");
        tokio::select! {
            () = finish(&server, &chelseru, patience) => return,
            // Whoever asks twice does not want to wait.
            _ = is_graceful() => {}
        }
    }
    server.stop(false).await;
}

async fn finish(server: &ServerHandle, chelseru: &Chelseru, patience: Duration) {
    chelseru.close_chat_sockets();
    let closed = async {
        while chelseru.chat_sockets() > 0 {
            sleep(LOOK_EVERY).await;
        }
    };
    if timeout(patience.min(SOCKETS_TIME), closed).await.is_err() {
        tracing::warn!(
            sockets = chelseru.chat_sockets(),
            "some clients do not read that the server stops"
        );
    }
    server.stop(true).await;
}

#[cfg(unix)]
async fn is_graceful() -> bool {
    use tokio::signal::unix::{SignalKind, signal};

    let (terminate, quit) = (signal(SignalKind::terminate()), signal(SignalKind::quit()));
    let (Ok(mut terminate), Ok(mut quit)) = (terminate, quit) else {
        return tokio::signal::ctrl_c().await.is_ok();
    };
    tokio::select! {
        _ = terminate.recv() => true,
        _ = tokio::signal::ctrl_c() => true,
        _ = quit.recv() => false,
    }
}

#[cfg(not(unix))]
async fn is_graceful() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}
