//! chelseru's documented routes as one mountable actix-web scope, and the extractors [`CurrentUser`]
//! and [`InGroup`] for an application's own handlers.
//!
//! ```no_run
//! use actix_web::{App, HttpServer, Responder, web};
//! use chelseru_actix::CurrentUser;
//! # use chelseru_core::{Chelseru, Config, store::MemoryStore, testing::StubProvider};
//!
//! async fn orders(user: CurrentUser) -> impl Responder {
//!     format!("the orders of {}", user.username)
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let config = Config::builder().signing_key("a secret of at least 32 bytes, kept").build()?;
//! # let chelseru = Chelseru::builder(config).store(MemoryStore::new()).sms(StubProvider::new()).build()?;
//! HttpServer::new(move || {
//!     App::new()
//!         .service(chelseru_actix::scope("/api", &chelseru))
//!         .route("/orders", web::get().to(orders))
//! })
//! .bind(("127.0.0.1", 8000))?
//! .run()
//! .await?;
//! # Ok(())
//! # }
//! ```
//!
//! Everything that is decided lives in chelseru-core; this crate reads requests and writes responses.

mod body;
mod current_user;
mod housekeeping;
mod in_group;
mod jwks;
mod reply;
mod request;
mod scope;
mod server;
mod socket;
mod upkeep;

pub use crate::current_user::CurrentUser;
pub use crate::in_group::InGroup;
pub use crate::jwks::jwks;
pub use crate::reply::Refused;
pub use crate::scope::{ChelseruScope, scope};
pub use crate::server::listen;
pub use crate::socket::on_connect;
