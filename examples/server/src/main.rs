//! The bundled server: the documented routes over SQLite or PostgreSQL, ready to run.
//!
//! `chelseru-server [--config FILE]`; everything else is a setting (docs/settings.md).

mod inbox;
mod logging;
mod options;
mod pages;
mod signing_key;
mod startup;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use actix_web::{App, HttpServer, web};
use chelseru_core::config::SmsService;
use chelseru_core::sms::SmsProvider;
use chelseru_core::{Chelseru, Config};
use chelseru_diesel::DieselStore;
use chelseru_sms::Console;

use crate::options::Options;
use crate::signing_key::SigningKey;

/// How long an idle connection is kept: a new one costs a mobile client several round trips.
const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(75);

#[actix_web::main]
async fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    let options =
        match Options::parse(arguments.map(|argument| argument.to_string_lossy().into_owned())) {
            Ok(Options::Run { config }) => config,
            Ok(Options::Print(text)) => {
                startup::print(text);
                return ExitCode::SUCCESS;
            }
            Err(message) => return fail(&message),
        };
    match Config::load(options.as_deref(), environment()) {
        Ok(config) => match run(config).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&startup::with_causes(&*error)),
        },
        Err(error) => fail(&error.to_string()),
    }
}

/// The environment. What is not text in it is somebody else's, or is refused like any wrong value.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| {
        (
            name.to_string_lossy().into_owned(),
            value.to_string_lossy().into_owned(),
        )
    })
}

fn fail(message: &str) -> ExitCode {
    eprintln!("chelseru-server cannot start:\n{message}");
    ExitCode::FAILURE
}

async fn run(mut config: Config) -> Result<(), Box<dyn Error>> {
    logging::start(&config.server);
    let signing_key = SigningKey::find_or_make(&mut config)?;
    let store = DieselStore::connect(&config.database).await?;
    let (sms, console) = sms_provider(&config)?;
    let chelseru = Chelseru::builder(config.clone())
        .store(store)
        .sms(sms)
        .build()?;

    let inbox = console.filter(|_| inbox::is_safe(&config.server));
    let shows_inbox = inbox.is_some();
    let service = chelseru.clone();
    let mut server = HttpServer::new(move || {
        let mut app = App::new()
            .app_data(web::Data::new(service.clone()))
            .route("/healthz", web::get().to(pages::healthz))
            .route("/", web::get().to(pages::index));
        if let Some(console) = &inbox {
            app = app.configure(|routes| inbox::routes(routes, console.clone()));
        }
        // Last, because with an empty prefix it answers every path.
        app.service(chelseru_actix::scope(
            &service.config().server.prefix,
            &service,
        ))
    })
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(config.server.shutdown_timeout.as_secs());
    if config.server.workers > 0 {
        server = server.workers(config.server.workers);
    }
    let server = server.bind(config.server.bind).map_err(|error| {
        format!(
            "SERVER.BIND: {} cannot be listened on: {error}",
            config.server.bind
        )
    })?;
    startup::announce(&config, &server.addrs(), &signing_key, shows_inbox);
    server.run().await?;
    tracing::info!("stopped");
    Ok(())
}

type Provider = (Vec<Arc<dyn SmsProvider>>, Option<Console>);

/// The configured provider; the console's is also kept, to show what it holds.
fn sms_provider(config: &Config) -> Result<Provider, Box<dyn Error>> {
    if config.sms.services == [SmsService::Console] {
        if !config.server.bind.ip().is_loopback() {
            tracing::warn!(
                "SMS.SMS_SERVICE is CONSOLE: messages are printed here and sent to nobody"
            );
        }
        let console = Console::new();
        return Ok((vec![Arc::new(console.clone())], Some(console)));
    }
    Ok((chelseru_sms::from_config(&config.sms)?, None))
}
