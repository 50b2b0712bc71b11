//! The background task that removes what has run out.

use actix_web::rt;
use chelseru_core::Chelseru;

/// Starts the task on this thread, unless this service has one already.
pub(crate) fn start(chelseru: &Chelseru) {
    if !chelseru.claim_housekeeping() {
        return;
    }
    let chelseru = chelseru.clone();
    rt::spawn(async move {
        loop {
            match chelseru.sweep().await {
                Ok(0) => {}
                Ok(rows) => tracing::debug!(rows, "removed what had run out"),
                Err(error) => tracing::warn!(?error, "removing what had run out failed"),
            }
            rt::time::sleep(Chelseru::SWEEP_INTERVAL).await;
        }
    });
}
