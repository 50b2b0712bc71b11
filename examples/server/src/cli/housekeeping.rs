//! `housekeeping`: one sweep, as servers do it once a minute.

use chelseru_core::Config;

use super::{Found, Refusal, database, service};
use crate::terminal::print;

pub(super) async fn run(config: Config) -> Result<Found, Refusal> {
    let store = database(&config.database).await?;
    let removed = service(config, store)?.sweep().await?;
    let rows = if removed == 1 { "row" } else { "rows" };
    print(&format!("removed {removed} {rows} that had run out"));
    Ok(Found::Well)
}
