//! The baseline: actix-ws alone, broadcasting to a room in memory. Nothing is stored, nobody is asked who
//! they are, and a slow reader is waited for by nobody and never closed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::{HttpRequest, HttpResponse, rt, web};
use actix_ws::{Message, Session};
use futures_util::StreamExt;

use crate::Result;
use crate::serve::Front;

#[derive(Clone, Default)]
struct Rooms(Arc<Mutex<HashMap<i64, Vec<Session>>>>);

impl Rooms {
    fn enter(&self, room: i64, session: Session) {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.entry(room).or_default().push(session);
    }

    fn sessions(&self, room: i64) -> Vec<Session> {
        let rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.get(&room).cloned().unwrap_or_default()
    }
}

pub(crate) fn serve(front: Front) -> Result<()> {
    let rooms = Rooms::default();
    actix_web::rt::System::new().block_on(front.serve(move |routes| {
        routes
            .app_data(web::Data::new(rooms))
            .route("/api/chat/{room}/", web::get().to(socket));
    }))
}

async fn socket(
    request: HttpRequest,
    body: web::Payload,
    room: web::Path<i64>,
    rooms: web::Data<Rooms>,
) -> actix_web::Result<HttpResponse> {
    let (response, session, mut messages) = actix_ws::handle(&request, body)?;
    let room = *room;
    rooms.enter(room, session);
    rt::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            if let Message::Text(text) = message {
                broadcast(&rooms, room, &text).await;
            }
        }
    });
    Ok(response)
}

/// As long as chelseru's frame of the same message, so that both write the same bytes.
async fn broadcast(rooms: &Rooms, room: i64, text: &str) {
    let inner = text.trim_matches(['{', '}']);
    let frame = format!(
        r#"{{"type":"chat_message","id":1234567,"room":{room},"seq":1234567,{inner},"message_type":"text","sender":"u4k2m7xq","sender_id":123,"created_at":"2026-01-01T00:00:00.000Z"}}"#
    );
    let frame = actix_web::web::Bytes::from(frame);
    let Ok(frame) = bytestring::ByteString::try_from(frame) else {
        return;
    };
    for mut session in rooms.sessions(room) {
        // One that has gone says so; the others go on.
        let _ = session.text(frame.clone()).await;
    }
}
