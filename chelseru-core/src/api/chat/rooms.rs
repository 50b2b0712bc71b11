//! Rooms.

use serde_json::{Value, json};

use super::pages::{Page, Query, cut};
use super::views::RoomJson;
use crate::api::fields::{Fields, flag, is_blank, verbatim, whole, whole_numbers};
use crate::api::{Request, Response};
use crate::chat::{RoomId, RoomStatus, Seq};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::service::{Chelseru, CurrentUser, GroupDraft, RoomUpdate, RoomView};
use crate::store::RoomCursor;
use crate::user::UserId;

type Answer = Result<Response, Response>;

pub(super) async fn list(chelseru: &Chelseru, user: &CurrentUser, request: &Request<'_>) -> Answer {
    let query = Query::parse(request)?;
    let size = query.page_size()?;
    let after = query.cursor(read_cursor)?;
    let mut rooms = chelseru.chat_rooms(user, after, size + 1).await?;
    let has_more = cut(&mut rooms, size);
    let last = rooms.last().filter(|_| has_more);
    Ok(Response::ok(&Page {
        next: last.map(|last| query.link(request, "cursor", &write_cursor(last))),
        previous: None,
        results: rooms.iter().map(RoomJson::from).collect(),
    }))
}

fn write_cursor(view: &RoomView) -> String {
    let room = &view.listing.room;
    let pinned = u8::from(view.listing.membership.is_pinned);
    format!("{pinned}-{}-{}", room.updated_at.as_millis(), room.id.0)
}

fn read_cursor(cursor: &str) -> Option<RoomCursor> {
    let mut parts = cursor.splitn(3, '-');
    let is_pinned = match parts.next()? {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    Some(RoomCursor {
        is_pinned,
        updated_at: Timestamp::from_millis(parts.next()?.parse().ok()?),
        id: RoomId(parts.next()?.parse().ok()?),
    })
}

/// A group where there are members or a name, else a room for two.
pub(super) async fn create(
    chelseru: &Chelseru,
    user: &CurrentUser,
    request: &Request<'_>,
) -> Answer {
    let mut fields = Fields::parse(request)?;
    if fields.has("users") || fields.has("name") {
        return create_group(chelseru, user, fields).await;
    }
    fields.alias("user_id", "user");
    let by_name = !fields.has("user") && fields.has("username");
    let name = by_name.then(|| fields.required_value("username", verbatim));
    let id = (!by_name).then(|| fields.required_value("user", |value| whole(value, 1)));
    fields.finish()?;
    let other = match (id.flatten(), name.flatten()) {
        (Some(id), _) => UserId(id),
        (None, Some(name)) => {
            let found = chelseru.find_user_by_name(user, &name).await;
            found
                .map_err(|error| match error {
                    Error::NotFound => Response::field_error("username", "There is no such user."),
                    error => error.into(),
                })?
                .id
        }
        (None, None) => return Err(Response::server_error()),
    };
    let (view, is_new) = chelseru.open_pair(user, other).await?;
    Ok(Response::json(
        if is_new { 201 } else { 200 },
        &RoomJson::from(&view),
    ))
}

async fn create_group(chelseru: &Chelseru, user: &CurrentUser, mut fields: Fields) -> Answer {
    let name = fields.required_value("name", verbatim);
    let members = fields.optional("users", |value| match value {
        value if is_blank(value) => Ok(None),
        value => whole_numbers(value, 1).map(Some),
    });
    fields.alias("descriptions", "description");
    let description = fields.optional("description", |value| text_or_none(value).map(Some));
    let avatar_url = fields.optional("avatar_url", |value| text_or_none(value).map(Some));
    fields.finish()?;
    let draft = GroupDraft {
        name: name.ok_or_else(Response::server_error)?,
        description: description.flatten(),
        avatar_url: avatar_url.flatten(),
        members: members
            .unwrap_or_default()
            .into_iter()
            .map(UserId)
            .collect(),
    };
    let view = chelseru.create_group(user, draft).await?;
    Ok(Response::json(201, &RoomJson::from(&view)))
}

pub(super) async fn show(chelseru: &Chelseru, user: &CurrentUser, room: RoomId) -> Answer {
    let view = chelseru.chat_room(user, room).await?;
    Ok(Response::ok(&RoomJson::from(&view)))
}

pub(super) async fn update(
    chelseru: &Chelseru,
    user: &CurrentUser,
    request: &Request<'_>,
    room: RoomId,
) -> Answer {
    let mut fields = Fields::parse(request)?;
    fields.alias("descriptions", "description");
    let update = RoomUpdate {
        name: fields.optional("name", |value| verbatim(value).map(Some)),
        description: fields.optional("description", |value| text_or_none(value).map(Some)),
        avatar_url: fields.optional("avatar_url", |value| text_or_none(value).map(Some)),
        status: fields.optional("status", |value| status(value).map(Some)),
        pinned: fields.optional("pinned", |value| flag(value).map(Some)),
        muted: fields.optional("muted", |value| flag(value).map(Some)),
        read_seq: fields
            .optional("read_seq", |value| whole(value, 0).map(Some))
            .map(Seq),
    };
    fields.finish()?;
    let view = chelseru.update_chat_room(user, room, update).await?;
    Ok(Response::ok(&RoomJson::from(&view)))
}

pub(super) async fn delete(chelseru: &Chelseru, user: &CurrentUser, room: RoomId) -> Answer {
    chelseru.delete_chat_room(user, room).await?;
    Ok(Response::no_content())
}

pub(super) async fn read(
    chelseru: &Chelseru,
    user: &CurrentUser,
    request: &Request<'_>,
    room: RoomId,
) -> Answer {
    let mut fields = Fields::parse(request)?;
    let seq = fields.required_value("seq", |value| whole(value, 0));
    fields.finish()?;
    let seq = Seq(seq.ok_or_else(Response::server_error)?);
    let read_seq = chelseru.mark_read(user, room, seq).await?;
    Ok(Response::ok(&json!({ "read_seq": read_seq })))
}

/// A text that null takes away.
fn text_or_none(value: &Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        value => verbatim(value).map(Some),
    }
}

fn status(value: &Value) -> Result<RoomStatus, String> {
    let code = whole(value, 1)?;
    RoomStatus::from_code(code)
        .ok_or_else(|| "Enter one of 1 (open), 2 (closed) and 3 (hold).".to_owned())
}
