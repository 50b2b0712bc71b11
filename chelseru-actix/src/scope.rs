//! The scope: every request below the prefix goes to the core.

use actix_web::dev::{AppService, HttpServiceFactory, ResourceDef};
use actix_web::guard::{Guard, GuardContext};
use actix_web::{HttpRequest, HttpResponse, rt, web};
use chelseru_core::Chelseru;
use chelseru_core::api::{self, Response};

use crate::{body, housekeeping, reply, request, socket, upkeep};

/// The documented routes under `prefix` (`/api`, say), for [`App::service`](actix_web::App::service).
///
/// Mount it before the application's own routes: it also hands the service to their
/// [`CurrentUser`](crate::CurrentUser) extractors. With an empty prefix it answers every path, so then
/// mount it last and put the [`Chelseru`] as `web::Data` into the application's data. It starts the housekeeping of the database and the
/// watch for sessions that other nodes end in the background, once for each [`Chelseru`].
///
/// Chat sockets are served too. Give their clients' connections a limit with
/// [`on_connect`](crate::on_connect()), and have them come back later when the server stops with
/// [`Chelseru::close_chat_sockets`].
///
/// A request that was read is served to its end even when its client goes away, so that no code is
/// left reserved that was never sent.
pub fn scope(prefix: &str, chelseru: &Chelseru) -> ChelseruScope {
    ChelseruScope {
        prefix: prefix.trim_end_matches('/').to_owned(),
        chelseru: chelseru.clone(),
    }
}

/// What [`scope`] makes.
#[derive(Clone, Debug)]
pub struct ChelseruScope {
    prefix: String,
    chelseru: Chelseru,
}

impl HttpServiceFactory for ChelseruScope {
    fn register(self, config: &mut AppService) {
        let Self { prefix, chelseru } = self;
        housekeeping::start(&chelseru);
        upkeep::start(&chelseru);
        // Matches every path and then declines, having left the service in the request: routing goes
        // on to the routes registered after it, whose extractors find it there.
        let provide: Box<dyn Guard> = Box::new(Provide(chelseru.clone()));
        config.register_service(
            ResourceDef::prefix(""),
            Some(vec![provide]),
            web::to(HttpResponse::NotFound),
            None,
        );
        web::scope(&prefix)
            .default_service(web::to(
                move |request: HttpRequest, payload: web::Payload| {
                    serve(chelseru.clone(), request, payload)
                },
            ))
            .register(config);
    }
}

struct Provide(Chelseru);

impl Guard for Provide {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        context.req_data_mut().insert(self.0.clone());
        false
    }
}

async fn serve(chelseru: Chelseru, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    if api::is_socket(request.match_info().unprocessed()) {
        return socket::open(&chelseru, &request, payload).await;
    }
    let admitted = chelseru
        .admit_body(&request::parts(&request, &chelseru))
        .await;
    let admission = match admitted {
        Ok(admission) => admission,
        Err(response) => {
            body::discard(payload).await;
            return reply::write(response);
        }
    };
    let body = match body::read(&request, payload, &admission).await {
        Ok(body) => body,
        Err(response) => return reply::write(response),
    };
    // Its own task: when the client goes away actix drops this future, but not that one.
    let task = rt::spawn(async move {
        let mut parts = request::parts(&request, &chelseru);
        parts.body = &body;
        let response = chelseru.respond(parts).await;
        drop(admission);
        response
    });
    let response = task.await.unwrap_or_else(|_| Response::server_error());
    reply::write(response)
}
