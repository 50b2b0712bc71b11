//! Messages.

use serde_json::Value;

use super::pages::{Page, Query, cut};
use super::views::MessageJson;
use crate::api::fields::{Fields, verbatim, whole};
use crate::api::{Request, Response};
use crate::chat::{
    AttachmentId, ChatError, ChatMessage, MessageId, MessageType, Room, RoomId, Seq, ServerFrame,
};
use crate::error::Error;
use crate::service::{Chelseru, CurrentUser, Post};
use crate::store::Span;

type Answer = Result<Response, Response>;

/// Which page of the messages.
#[derive(Clone, Copy)]
enum Place {
    Newest,
    /// Those before this place, the newest first.
    Before(Seq),
    /// Those after it: the page that lies before, in a list whose newest comes first.
    After(Seq),
}

impl Place {
    fn read(cursor: &str) -> Option<Self> {
        let seq = |digits: &str| digits.parse().ok().map(Seq);
        match cursor.split_at_checked(1)? {
            ("b", digits) => seq(digits).map(Self::Before),
            ("a", digits) => seq(digits).map(Self::After),
            _ => None,
        }
    }

    fn write(self) -> String {
        match self {
            Self::Newest => String::new(),
            Self::Before(seq) => format!("b{}", seq.0),
            Self::After(seq) => format!("a{}", seq.0),
        }
    }
}

pub(super) async fn list(chelseru: &Chelseru, user: &CurrentUser, request: &Request<'_>) -> Answer {
    let query = Query::parse(request)?;
    let room = query.whole("chat_room", i64::MIN)?;
    let room = room.ok_or_else(|| Response::field_error("chat_room", "This field is required."))?;
    let room = RoomId(room);
    let size = query.page_size()?;
    if let Some(since) = query.whole("since", 0)? {
        return list_entries(chelseru, user, request, &query, room, Seq(since), size).await;
    }
    let place = query.cursor(Place::read)?.unwrap_or(Place::Newest);
    if let Some(words) = query.get("search") {
        return search(chelseru, user, request, &query, room, words, place, size).await;
    }
    let span = match place {
        Place::Newest => Span::MessagesBefore(None),
        Place::Before(seq) => Span::MessagesBefore(Some(seq)),
        Place::After(seq) => Span::MessagesAfter(seq),
    };
    let (room, entries) = chelseru.chat_log(user, room, span, size + 1).await?;
    let mut messages: Vec<_> = entries.into_iter().map(|entry| entry.message).collect();
    let has_more = cut(&mut messages, size);
    let goes_up = matches!(place, Place::After(_));
    if goes_up {
        messages.reverse();
    }
    let older = messages.last().map(|message| Place::Before(message.seq));
    let newer = messages.first().map(|message| Place::After(message.seq));
    // Beyond the end that this page began at there is, or was, something.
    let (next, previous) = match place {
        Place::Newest => (older.filter(|_| has_more), None),
        Place::Before(seq) => (
            older.filter(|_| has_more),
            Some(newer.unwrap_or(Place::After(Seq(seq.0.saturating_sub(1))))),
        ),
        Place::After(seq) => (
            Some(older.unwrap_or(Place::Before(seq.next()))),
            newer.filter(|_| has_more),
        ),
    };
    let link = |place: Place| query.link(request, "cursor", &place.write());
    page(
        chelseru,
        user,
        &room,
        &messages,
        next.map(link),
        previous.map(link),
    )
    .await
}

/// Everything after a place of the log, edits and deletions too, as the sockets tell it.
async fn list_entries(
    chelseru: &Chelseru,
    user: &CurrentUser,
    request: &Request<'_>,
    query: &Query,
    room: RoomId,
    since: Seq,
    size: u32,
) -> Answer {
    let span = Span::After(since);
    let (_, mut entries) = chelseru.chat_log(user, room, span, size + 1).await?;
    let has_more = cut(&mut entries, size);
    let last = entries.last().filter(|_| has_more);
    Ok(Response::ok(&Page {
        next: last.map(|last| query.link(request, "since", &last.seq.0.to_string())),
        previous: None,
        results: entries.into_iter().map(ServerFrame::from).collect(),
    }))
}

#[allow(clippy::too_many_arguments, reason = "all of them are the request")]
async fn search(
    chelseru: &Chelseru,
    user: &CurrentUser,
    request: &Request<'_>,
    query: &Query,
    room: RoomId,
    words: &str,
    place: Place,
    size: u32,
) -> Answer {
    let before = match place {
        Place::Newest => None,
        Place::Before(seq) => Some(seq),
        Place::After(_) => return Err(Response::detail(404, "Invalid cursor")),
    };
    let found = chelseru.search_chat(user, room, words, before, size + 1);
    let (room, mut messages) = found.await?;
    let has_more = cut(&mut messages, size);
    let last = messages.last().filter(|_| has_more);
    let next = last.map(|last| query.link(request, "cursor", &Place::Before(last.seq).write()));
    page(chelseru, user, &room, &messages, next, None).await
}

async fn page(
    chelseru: &Chelseru,
    user: &CurrentUser,
    room: &Room,
    messages: &[ChatMessage],
    next: Option<String>,
    previous: Option<String>,
) -> Answer {
    let everyone = chelseru.all_members(room).await?;
    let everyone = everyone.as_deref();
    let messages = messages.iter();
    Ok(Response::ok(&Page {
        next,
        previous,
        results: messages
            .map(|message| MessageJson::new(message, room, user.id, everyone))
            .collect(),
    }))
}

pub(super) async fn create(
    chelseru: &Chelseru,
    user: &CurrentUser,
    request: &Request<'_>,
) -> Answer {
    let query = Query::parse(request)?;
    let mut fields = Fields::parse(request)?;
    let room = match query.whole("chat_room", i64::MIN)? {
        Some(room) if !fields.has("chat_room") => Some(room),
        _ => fields.required_value("chat_room", |value| whole(value, i64::MIN)),
    };
    fields.alias("message", "text");
    let attachment = fields.optional("attachment", id);
    let text = match attachment {
        // A file needs no text.
        Some(_) => Some(
            fields
                .optional("text", |value| verbatim(value).map(Some))
                .unwrap_or_default(),
        ),
        None => fields.required_value("text", verbatim),
    };
    let client_id = fields.optional("client_id", |value| match value {
        Value::Null => Ok(None),
        value => verbatim(value).map(Some),
    });
    let reply_to = fields.optional("reply_to", id);
    let message_type = fields.optional("message_type", message_type);
    fields.finish()?;
    let (Some(room), Some(text)) = (room, text) else {
        return Err(Response::server_error());
    };
    let post = Post {
        room: RoomId(room),
        text,
        client_id,
        message_type: message_type.unwrap_or_default(),
        reply_to: reply_to.map(MessageId),
        attachment: attachment.map(AttachmentId),
    };
    let posted = chelseru.post_message(user, post).await?;
    if !posted.is_new {
        return answer(chelseru, user, &posted.message, 200).await;
    }
    // It is stored and told: its sender is told so too, even one who was put out of the room since.
    let room = chelseru.store().find_room(posted.message.room, user.id);
    let (room, _) = room
        .await
        .map_err(Error::from)?
        .ok_or(Error::from(ChatError::NoSuchRoom))?;
    let nobody = Some([].as_slice());
    let json = MessageJson::new(&posted.message, &room, user.id, nobody);
    Ok(Response::json(201, &json))
}

pub(super) async fn show(chelseru: &Chelseru, user: &CurrentUser, id: MessageId) -> Answer {
    let (message, _) = chelseru.message_access(user, id).await?;
    answer(chelseru, user, &message, 200).await
}

pub(super) async fn update(
    chelseru: &Chelseru,
    user: &CurrentUser,
    request: &Request<'_>,
    id: MessageId,
) -> Answer {
    let mut fields = Fields::parse(request)?;
    fields.alias("message", "text");
    let text = fields.required_value("text", verbatim);
    fields.finish()?;
    let text = text.ok_or_else(Response::server_error)?;
    let message = chelseru.edit_message(user, id, text).await?;
    answer(chelseru, user, &message, 200).await
}

pub(super) async fn delete(
    chelseru: &Chelseru,
    user: &CurrentUser,
    request: &Request<'_>,
    id: MessageId,
) -> Answer {
    match Query::parse(request)?.get("for") {
        None | Some("everyone") => chelseru.delete_message(user, id).await?,
        Some("me") => chelseru.hide_message(user, id).await?,
        Some(_) => {
            let problem = "Enter one of \"everyone\" and \"me\".";
            return Err(Response::field_error("for", problem));
        }
    }
    Ok(Response::no_content())
}

async fn answer(
    chelseru: &Chelseru,
    user: &CurrentUser,
    message: &ChatMessage,
    status: u16,
) -> Answer {
    let room = chelseru.room_access(user.id, message.room).await?.room;
    let everyone = chelseru.all_members(&room).await?;
    let json = MessageJson::new(message, &room, user.id, everyone.as_deref());
    Ok(Response::json(status, &json))
}

fn id(value: &Value) -> Result<Option<i64>, String> {
    match value {
        Value::Null => Ok(None),
        value => whole(value, 1).map(Some),
    }
}

fn message_type(value: &Value) -> Result<Option<MessageType>, String> {
    match value.as_str() {
        Some("text") => Ok(Some(MessageType::Text)),
        Some("image") => Ok(Some(MessageType::Image)),
        Some("file") => Ok(Some(MessageType::File)),
        _ if value.is_null() => Ok(None),
        _ => Err("Enter one of \"text\", \"image\" and \"file\".".to_owned()),
    }
}
