//! An application of its own that mounts chelseru's routes beside a route that its users alone may
//! call.
//!
//! Run it, log in under /api/ as the README shows, then:
//! `curl localhost:8080/orders -H "Authorization: Bearer $ACCESS"`

use actix_web::{App, HttpServer, Responder, web};
use chelseru_actix::CurrentUser;
use chelseru_core::config::SmsService;
use chelseru_core::{Chelseru, Config};
use chelseru_diesel::DieselStore;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // An application would write Config::from_file("chelseru.toml")?
    let config = Config::builder()
        .signing_key(std::env::var("SIGNING_KEY")?)
        .sms_services([SmsService::Console])
        .otp_length(6)
        .build()?;
    let store = DieselStore::open("sqlite://embed.db").await?;
    let chelseru = Chelseru::builder(config.clone())
        .bus(store.bus())
        .store(store)
        .sms(chelseru_sms::from_config(&config.sms)?)
        .build()?;

    HttpServer::new(move || {
        App::new()
            .service(chelseru_actix::scope("/api", &chelseru))
            .route("/orders", web::get().to(orders))
    })
    .on_connect(chelseru_actix::on_connect)
    .bind(("127.0.0.1", 8080))?
    .run()
    .await?;
    Ok(())
}

/// Runs for a valid access token only; everybody else gets the documented 401.
async fn orders(user: CurrentUser) -> impl Responder {
    format!(
        "Hello {}: account {}, group {}, no orders yet.\n",
        user.username, user.id.0, user.group
    )
}
