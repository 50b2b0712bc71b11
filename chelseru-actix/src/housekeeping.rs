//! The background task that removes what has run out.

use actix_web::rt;
use chelseru_core::Chelseru;

/// Starts the task on this thread, unless this service has one already.
pub(crate) fn start(chelseru: &Chelseru) {
    let Some(claim) = chelseru.claim_housekeeping() else {
        return;
    };
    // When the thread ends, so does the task, and another may claim.
    rt::spawn(async move {
        loop {
            match claim.service().sweep().await {
                Ok(0) => {}
                Ok(rows) => tracing::debug!(rows, "removed what had run out"),
                Err(error) => tracing::warn!(?error, "removing what had run out failed"),
            }
            rt::time::sleep(Chelseru::SWEEP_INTERVAL).await;
        }
    });
}
