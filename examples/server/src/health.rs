//! `GET /healthz`: whether the server can serve, and how its providers are doing.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, Responder, web};
use chelseru_core::{Chelseru, Clock, ProviderHealth, SystemClock, Timestamp};
use serde::Serialize;

#[derive(Serialize)]
struct Health {
    /// `ok`; `degraded` when no provider is in use, so that nobody can log in; `down` without the
    /// database.
    status: &'static str,
    database: &'static str,
    sms: Vec<ProviderState>,
}

#[derive(Serialize)]
struct ProviderState {
    provider: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_until: Option<Timestamp>,
    in_flight: usize,
}

/// 200 while the server can serve, its database included; 503 while it cannot. Providers that are
/// paused are no reason for 503: open sessions work without them.
pub(crate) async fn route(chelseru: web::Data<Chelseru>) -> impl Responder {
    let database = chelseru.store().ping().await;
    if let Err(error) = &database {
        tracing::warn!(?error, "not healthy");
    }
    let health = Health::of(database.is_ok(), chelseru.sms_health(), SystemClock.now());
    let status = if database.is_ok() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    HttpResponse::build(status)
        .insert_header(("cache-control", "no-store"))
        .json(health)
}

/// Until when messages are held back from a provider; `None` when the next one is tried with it.
pub(crate) fn paused_until(provider: &ProviderHealth, now: Timestamp) -> Option<Timestamp> {
    provider.paused_until.filter(|until| *until > now)
}

impl Health {
    fn of(has_database: bool, providers: Vec<ProviderHealth>, now: Timestamp) -> Self {
        let sms: Vec<_> = providers
            .into_iter()
            .map(|provider| {
                let paused_until = paused_until(&provider, now);
                ProviderState {
                    state: if paused_until.is_some() {
                        "paused"
                    } else {
                        "ok"
                    },
                    paused_until,
                    in_flight: provider.in_flight,
                    provider: provider.provider,
                }
            })
            .collect();
        let can_send = sms.iter().any(|provider| provider.paused_until.is_none());
        Self {
            status: match (has_database, can_send) {
                (false, _) => "down",
                (true, false) => "degraded",
                (true, true) => "ok",
            },
            database: if has_database { "ok" } else { "down" },
            sms,
        }
    }
}
