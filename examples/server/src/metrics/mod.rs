//! `GET /metrics`: what happens in the service, counted for Prometheus in the OpenMetrics text format.
//!
//! One task listens to the service's events and counts; it runs on the main thread, which serves no
//! requests, so that a burst of them does not hold it up. What it could not keep up with is counted
//! too (`chelseru_events_missed_total`). How providers are doing is read when somebody asks.
//!
//! Labels have few values: names of the settings and words of this program, never a number or a user.

mod counters;

use std::sync::Arc;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use chelseru_core::events::EventStream;
use chelseru_core::{Chelseru, Clock, SystemClock};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use self::counters::Counters;

/// OpenMetrics 1.0, which every Prometheus since 2.5 reads.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All that is counted. Clones share it.
#[derive(Clone)]
pub(crate) struct Metrics {
    counters: Counters,
    registry: Arc<Registry>,
}

impl Metrics {
    /// Counts what happens from now on, as long as the runtime of this thread.
    pub(crate) fn start(chelseru: &Chelseru) -> Self {
        let mut registry = Registry::with_prefix("chelseru");
        let counters = Counters::register(&mut registry);
        for provider in chelseru.sms_health() {
            counters.know_provider(&provider.provider);
        }
        actix_web::rt::spawn(count(chelseru.events(), counters.clone()));
        Self {
            counters,
            registry: Arc::new(registry),
        }
    }

    pub(crate) fn routes(&self, config: &mut ServiceConfig) {
        config
            .app_data(web::Data::new(self.clone()))
            .route("/metrics", web::get().to(page));
    }
}

async fn count(mut events: EventStream, counters: Counters) {
    while let Some(event) = events.next().await {
        counters.count(&event);
    }
}

async fn page(metrics: web::Data<Metrics>, chelseru: web::Data<Chelseru>) -> impl Responder {
    metrics
        .counters
        .look_at(&chelseru.sms_health(), SystemClock.now());
    let mut text = String::new();
    match encode(&mut text, &metrics.registry) {
        Ok(()) => HttpResponse::Ok()
            .insert_header(("content-type", CONTENT_TYPE))
            .insert_header(("cache-control", "no-store"))
            .body(text),
        Err(error) => {
            tracing::error!(?error, "the metrics could not be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}
