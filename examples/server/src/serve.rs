//! The server: what is mounted where, from the settings to its end.

use std::error::Error;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, web};
use chelseru_core::{Chelseru, Config};
use chelseru_diesel::DieselStore;

use crate::metrics::Metrics;
use crate::providers::Providers;
use crate::signing_key::SigningKey;
use crate::{files, greeting, health, inbox, page, providers, shutdown};

/// How long an idle connection is kept: a new one costs a mobile client several round trips.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Serves until a signal ends it.
pub(crate) async fn run(mut config: Config) -> Result<(), Box<dyn Error>> {
    let signing_key = SigningKey::find_or_make(&mut config)?;
    let store = DieselStore::connect(&config.database).await?;
    let Providers { all, console } = Providers::new(&config.sms)?;
    let chelseru = Chelseru::builder(config.clone())
        .bus(store.bus())
        .store(store)
        .sms(all)
        .files(files::open(&config)?)
        .build()?;
    if let Some(warning) = providers::console_warning(&config) {
        tracing::warn!("{warning}");
    }

    let inbox = console.filter(|_| inbox::is_safe(&config.server));
    let shows_inbox = inbox.is_some();
    let metrics = config.server.metrics.then(|| Metrics::start(&chelseru));
    let service = chelseru.clone();
    let app = move || {
        let mut app = App::new()
            .app_data(web::Data::new(service.clone()))
            .route("/healthz", web::get().to(health::route))
            .configure(|routes| page::routes(routes, service.config(), shows_inbox))
            .service(chelseru_actix::jwks(&service));
        if let Some(metrics) = &metrics {
            app = app.configure(|routes| metrics.routes(routes));
        }
        if let Some(console) = &inbox {
            app = app.configure(|routes| inbox::routes(routes, console.clone()));
        }
        // Last, because with an empty prefix it answers every path.
        app.service(chelseru_actix::scope(
            &service.config().server.prefix,
            &service,
        ))
    };
    let mut server = Server::build()
        .disable_signals()
        .shutdown_timeout(config.server.shutdown_timeout.as_secs());
    if config.server.workers > 0 {
        server = server.workers(config.server.workers);
    }
    let listener = TcpListener::bind(config.server.bind).map_err(|error| {
        format!(
            "SERVER.BIND: {} cannot be listened on: {error}",
            config.server.bind
        )
    })?;
    let address = listener.local_addr()?;
    let server = chelseru_actix::listen(server, listener, KEEP_ALIVE, app)?;
    greeting::announce(&config, address, &signing_key, shows_inbox);
    let server = server.run();
    actix_web::rt::spawn(shutdown::on_signal(
        server.handle(),
        chelseru,
        config.server.shutdown_timeout,
    ));
    server.await?;
    tracing::info!("stopped");
    Ok(())
}
