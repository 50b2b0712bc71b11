//! Members, bans, permissions; finding users.

use serde_json::Value;

use super::pages::{Page, Query, cut};
use super::views::{BanJson, MemberJson};
use crate::api::fields::{Fields, whole, whole_numbers};
use crate::api::{Request, Response};
use crate::chat::{Membership, Permission, Permissions, RoomId};
use crate::service::{Chelseru, CurrentUser};
use crate::user::UserId;

type Answer = Result<Response, Response>;

pub(super) async fn list(
    chelseru: &Chelseru,
    user: &CurrentUser,
    request: &Request<'_>,
    room: RoomId,
) -> Answer {
    let query = Query::parse(request)?;
    let size = query.page_size()?;
    let after = query.cursor(read_cursor)?;
    let owner = chelseru.room_access(user.id, room).await?.room.owner;
    let mut members = chelseru.room_members(user, room, after, size + 1).await?;
    let next = next(&query, request, &mut members, size);
    let results = members.iter().map(|member| MemberJson::new(member, owner));
    Ok(Response::ok(&Page {
        next,
        previous: None,
        results: results.collect(),
    }))
}

pub(super) async fn list_bans(
    chelseru: &Chelseru,
    user: &CurrentUser,
    request: &Request<'_>,
    room: RoomId,
) -> Answer {
    let query = Query::parse(request)?;
    let size = query.page_size()?;
    let after = query.cursor(read_cursor)?;
    let mut banned = chelseru.room_bans(user, room, after, size + 1).await?;
    Ok(Response::ok(&Page {
        next: next(&query, request, &mut banned, size),
        previous: None,
        results: banned.iter().map(BanJson::from).collect(),
    }))
}

fn next(
    query: &Query,
    request: &Request<'_>,
    members: &mut Vec<Membership>,
    size: u32,
) -> Option<String> {
    let has_more = cut(members, size);
    let last = members.last().filter(|_| has_more)?;
    Some(query.link(request, "cursor", &last.user.0.to_string()))
}

fn read_cursor(cursor: &str) -> Option<UserId> {
    cursor.parse().ok().map(UserId)
}

pub(super) async fn add(
    chelseru: &Chelseru,
    user: &CurrentUser,
    request: &Request<'_>,
    room: RoomId,
) -> Answer {
    let mut fields = Fields::parse(request)?;
    let other = user_field(&mut fields);
    let permissions = fields.optional("permissions", |value| match value {
        Value::Null => Ok(None),
        value => permissions(value).map(Some),
    });
    fields.finish()?;
    let other = other.ok_or_else(Response::server_error)?;
    let (member, is_new) = chelseru.add_member(user, room, other, permissions).await?;
    let owner = chelseru.room_access(user.id, room).await?.room.owner;
    Ok(Response::json(
        if is_new { 201 } else { 200 },
        &MemberJson::new(&member, owner),
    ))
}

pub(super) async fn permit(
    chelseru: &Chelseru,
    user: &CurrentUser,
    request: &Request<'_>,
    room: RoomId,
    other: UserId,
) -> Answer {
    let mut fields = Fields::parse(request)?;
    let permissions = fields.required_value("permissions", permissions);
    fields.finish()?;
    let permissions = permissions.ok_or_else(Response::server_error)?;
    let member = chelseru.permit(user, room, other, permissions).await?;
    // Whose codes were changed is not the owner.
    Ok(Response::ok(&MemberJson::new(&member, None)))
}

pub(super) async fn leave(chelseru: &Chelseru, user: &CurrentUser, room: RoomId) -> Answer {
    chelseru.leave(user, room).await?;
    Ok(Response::no_content())
}

pub(super) async fn ban(
    chelseru: &Chelseru,
    user: &CurrentUser,
    request: &Request<'_>,
    room: RoomId,
) -> Answer {
    let other = read_user(request)?;
    let banned = chelseru.ban(user, room, other).await?;
    Ok(Response::json(201, &BanJson::from(&banned)))
}

pub(super) async fn hand_over(
    chelseru: &Chelseru,
    user: &CurrentUser,
    request: &Request<'_>,
    room: RoomId,
) -> Answer {
    let other = read_user(request)?;
    chelseru.hand_over(user, room, other).await?;
    super::rooms::show(chelseru, user, room).await
}

pub(super) async fn find(chelseru: &Chelseru, user: &CurrentUser, request: &Request<'_>) -> Answer {
    let query = Query::parse(request)?;
    let name = query.get("username").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Response::field_error("username", "This field is required."))?;
    let found = chelseru.find_user_by_name(user, name).await?;
    Ok(Response::ok(&found))
}

fn read_user(request: &Request<'_>) -> Result<UserId, Response> {
    let mut fields = Fields::parse(request)?;
    let other = user_field(&mut fields);
    fields.finish()?;
    other.ok_or_else(Response::server_error)
}

fn user_field(fields: &mut Fields) -> Option<UserId> {
    fields.alias("user_id", "user");
    let id = fields.required_value("user", |value| whole(value, 1));
    id.map(UserId)
}

fn permissions(value: &Value) -> Result<Permissions, String> {
    let codes = whole_numbers(value, 0)?;
    let codes = codes.into_iter().map(|code| {
        Permission::from_code(code).ok_or_else(|| format!("There is no permission {code}."))
    });
    codes.collect()
}
