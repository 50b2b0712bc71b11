//! The task that works for the sockets in the background.

use actix_web::rt;
use chelseru_core::Chelseru;

/// Starts the task on this thread, unless this service has one already.
pub(crate) fn start(chelseru: &Chelseru) {
    if !chelseru.config().chat.enabled {
        return;
    }
    let Some(mut upkeep) = chelseru.claim_chat_upkeep() else {
        return;
    };
    let chelseru = chelseru.clone();
    // When the thread ends, so does the task, and another may claim.
    rt::spawn(async move {
        loop {
            let work = rt::spawn(async move { upkeep.run().await });
            if work.await.is_err() {
                tracing::error!(
                    "the work for sockets in the background broke off; it begins again"
                );
            }
            let Some(next) = chelseru.claim_chat_upkeep() else {
                return;
            };
            upkeep = next;
        }
    });
}
