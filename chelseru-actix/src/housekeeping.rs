//! The task that works in the background.

use actix_web::rt;
use chelseru_core::{Chelseru, HousekeepingClaim};

/// Starts the task on this thread, unless this service has one already.
pub(crate) fn start(chelseru: &Chelseru) {
    let Some(mut claim) = chelseru.claim_housekeeping() else {
        return;
    };
    // When the thread ends, so does the task, and another may claim.
    rt::spawn(async move {
        loop {
            claim.work().await;
            rt::time::sleep(HousekeepingClaim::INTERVAL).await;
        }
    });
}
