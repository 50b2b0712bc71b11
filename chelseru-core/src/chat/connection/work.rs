//! What a connection has done for it while it goes on: everything that needs the store.
//!
//! It runs as a task of its own, so that nobody who waits for the same commit waits for this client, and
//! runs to its end when the client goes.

use std::sync::Arc;

use super::BATCH;
use crate::chat::hub::{Mailbox, Notice};
use crate::chat::{ClientFrame, LogEntry, RoomId, SendFrame, Seq, ServerFrame};
use crate::clock::Timestamp;
use crate::device::Client;
use crate::error::Error;
use crate::service::{Chelseru, CurrentUser, Post, Posted};
use crate::store::{RoomState, Span, StoreResult};

/// How many rooms are read at once.
const ROOMS_A_PAGE: u32 = 500;

/// Something to be done.
#[derive(Debug)]
pub(super) enum Order {
    /// Which rooms there are.
    List,
    /// Where a room stands for the user.
    Enter(RoomId),
    /// The next entries of a room's log.
    Read(RoomId, Seq),
    /// Messages of a client.
    Post(Vec<SendFrame>),
    /// What else a client asks for.
    Serve(ClientFrame),
    /// Whether the user's session still lives, and what the account is now.
    Check,
}

/// What was found.
#[derive(Debug)]
pub(crate) enum Outcome {
    Listed(StoreResult<Vec<RoomState>>),
    /// `None` for who is no member.
    Entered(RoomId, StoreResult<Option<RoomState>>),
    Read(RoomId, StoreResult<Option<Batch>>),
    /// What a client asked for is done; these are the answers.
    Served(Vec<ServerFrame>),
    /// A fresh token, good until then.
    Renewed(Timestamp),
    /// `None` for who may no longer be here.
    Checked(StoreResult<Option<CurrentUser>>),
    /// The task ended before its time.
    Broken,
}

/// A piece of a log, and where the room stood after it was read.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) entries: Vec<LogEntry>,
    pub(crate) state: RoomState,
}

/// Begins the work; its outcome comes as a notice.
pub(super) fn begin(
    chelseru: &Chelseru,
    user: &Arc<CurrentUser>,
    mailbox: &Arc<Mailbox>,
    order: Order,
) {
    let answer = Answer {
        mailbox: Arc::clone(mailbox),
        outcome: Outcome::Broken,
    };
    let (chelseru, user) = (chelseru.clone(), Arc::clone(user));
    tokio::spawn(async move {
        let mut answer = answer;
        answer.outcome = perform(&chelseru, &user, order).await;
    });
}

/// Is sent whatever happens to the task.
struct Answer {
    mailbox: Arc<Mailbox>,
    outcome: Outcome,
}

impl Drop for Answer {
    fn drop(&mut self) {
        let outcome = std::mem::replace(&mut self.outcome, Outcome::Broken);
        self.mailbox.notify(Notice::Done(Box::new(outcome)));
    }
}

async fn perform(chelseru: &Chelseru, user: &CurrentUser, order: Order) -> Outcome {
    match order {
        Order::List => Outcome::Listed(list(chelseru, user).await),
        Order::Enter(room) => Outcome::Entered(room, state_for(chelseru, user, room).await),
        Order::Read(room, after) => Outcome::Read(room, read(chelseru, user, room, after).await),
        Order::Post(frames) => Outcome::Served(post(chelseru, user, frames).await),
        Order::Serve(frame) => serve(chelseru, user, frame).await,
        Order::Check => Outcome::Checked(chelseru.still_here(user).await),
    }
}

async fn list(chelseru: &Chelseru, user: &CurrentUser) -> StoreResult<Vec<RoomState>> {
    let mut rooms: Vec<RoomState> = Vec::new();
    loop {
        let after = rooms.last().map(|state| state.room);
        let page = chelseru
            .store()
            .rooms_of(user.id, after, ROOMS_A_PAGE)
            .await?;
        let is_last = page.len() < ROOMS_A_PAGE as usize;
        rooms.extend(page);
        if is_last {
            return Ok(rooms);
        }
    }
}

async fn state_for(
    chelseru: &Chelseru,
    user: &CurrentUser,
    room: RoomId,
) -> StoreResult<Option<RoomState>> {
    let found = chelseru.store().find_room(room, user.id).await?;
    let is_member = |banned_at: Option<Timestamp>| banned_at.is_none();
    Ok(found
        .filter(|(_, membership)| {
            membership
                .as_ref()
                .is_some_and(|it| is_member(it.banned_at))
        })
        .map(|(room, _)| RoomState {
            room: room.id,
            revision: room.revision,
            last_seq: room.last_seq,
        }))
}

/// The membership is looked at after the log was read: who is a member then was one when the last of these
/// entries was stored.
async fn read(
    chelseru: &Chelseru,
    user: &CurrentUser,
    room: RoomId,
    after: Seq,
) -> StoreResult<Option<Batch>> {
    let span = Span::After(after);
    let entries = chelseru.store().read_log(room, user.id, span, BATCH);
    let entries = entries.await?;
    let state = state_for(chelseru, user, room).await?;
    Ok(state.map(|state| Batch { entries, state }))
}

/// Messages that came while others were being stored go together: a client that sends many waits for a
/// commit of all of them, not of each.
async fn post(chelseru: &Chelseru, user: &CurrentUser, frames: Vec<SendFrame>) -> Vec<ServerFrame> {
    let mut answers = Vec::with_capacity(frames.len());
    let mut posts = Vec::with_capacity(frames.len());
    for frame in frames {
        match frame.room {
            None => answers.push(room_missing(frame.client_id)),
            Some(room) => posts.push(Post {
                room,
                text: frame.message,
                client_id: frame.client_id,
                message_type: frame.message_type,
                reply_to: frame.reply_to,
                attachment: frame.attachment,
            }),
        }
    }
    let sent: Vec<_> = posts
        .iter()
        .map(|post| (post.room, post.client_id.clone()))
        .collect();
    let posted = chelseru.post_messages(user, posts).await;
    for ((room, client_id), posted) in sent.into_iter().zip(posted) {
        match (posted, client_id) {
            (Ok(Posted { message, .. }), Some(client_id)) => answers.push(ServerFrame::Ack {
                client_id,
                id: message.id,
                room,
                seq: message.seq,
                created_at: message.created_at,
            }),
            (Ok(_), None) => {}
            (Err(error), client_id) => answers.push(refusal(&error, Some(room), client_id)),
        }
    }
    answers
}

async fn serve(chelseru: &Chelseru, user: &CurrentUser, frame: ClientFrame) -> Outcome {
    let answer = match frame {
        ClientFrame::Read { room, seq } => match room {
            None => Some(room_missing(None)),
            Some(room) => match chelseru.mark_read(user, room, seq).await {
                Ok(_) => None,
                Err(error) => Some(refusal(&error, Some(room), None)),
            },
        },
        ClientFrame::Typing { room } => match room {
            None => Some(room_missing(None)),
            Some(room) => match chelseru.tell_typing(user, room).await {
                Ok(()) => None,
                Err(error) => Some(refusal(&error, Some(room), None)),
            },
        },
        ClientFrame::Auth { token } => {
            let renewed = chelseru.authenticate_until(&token, Client::default()).await;
            match renewed {
                Ok((other, until)) if other.id == user.id && other.session == user.session => {
                    return Outcome::Renewed(until);
                }
                Ok(_) => Some(ServerFrame::error(
                    "other_session",
                    "this token belongs to another session",
                )),
                Err(error) => Some(refusal(&error, None, None)),
            }
        }
        ClientFrame::Send(_) | ClientFrame::Resume { .. } | ClientFrame::Ping => None,
    };
    Outcome::Served(answer.into_iter().collect())
}

fn room_missing(client_id: Option<String>) -> ServerFrame {
    ServerFrame::Error {
        code: "invalid_frame",
        detail: "missing field `room`".to_owned(),
        client_id,
        room: None,
        retry_after_ms: None,
    }
}

/// The frame that refuses what a client asked for.
fn refusal(error: &Error, room: Option<RoomId>, client_id: Option<String>) -> ServerFrame {
    let (code, detail, retry_after) = match error {
        Error::Chat(error) => (error.code(), error.to_string(), None),
        Error::LimitReached { wait, .. } => (
            "too_many_messages",
            "too many, try again later".to_owned(),
            Some(*wait),
        ),
        Error::Store(error) => {
            tracing::error!(?error, "the store failed");
            (
                "unavailable",
                "the service is temporarily unavailable".to_owned(),
                Some(std::time::Duration::from_secs(1)),
            )
        }
        Error::AccessToken(_) | Error::UserNotFound | Error::UserInactive => {
            ("token_refused", error.to_string(), None)
        }
        error => {
            tracing::error!(?error, "a frame could not be served");
            ("failed", "this could not be done".to_owned(), None)
        }
    };
    let millis = |wait: std::time::Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    ServerFrame::Error {
        code,
        detail,
        client_id,
        room,
        retry_after_ms: retry_after.map(millis),
    }
}
