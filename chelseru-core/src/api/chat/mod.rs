//! The routes below `/chat/`: rooms, their members, and messages. docs/chat.md shows them.

mod members;
mod messages;
mod pages;
mod rooms;
mod views;

use super::routes::id_of_path;
use super::{Request, Response};
use crate::chat::{MessageId, RoomId};
use crate::service::Chelseru;
use crate::user::UserId;

/// A documented path below `/chat/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChatRoute {
    Rooms,
    Room(RoomId),
    Members(RoomId),
    Member(RoomId, UserId),
    Leave(RoomId),
    Bans(RoomId),
    Ban(RoomId, UserId),
    Owner(RoomId),
    Read(RoomId),
    Typing(RoomId),
    Messages,
    Message(MessageId),
    Users,
}

impl ChatRoute {
    /// The route of a path without the slashes around it.
    pub(super) fn find(path: &str) -> Option<Self> {
        let parts: Vec<_> = path.split('/').collect();
        let room = |id| id_of_path(id).map(RoomId);
        let user = |id| id_of_path(id).map(UserId);
        Some(match parts.as_slice() {
            ["chatrooms"] => Self::Rooms,
            ["chatrooms", id] => Self::Room(room(id)?),
            ["chatrooms", id, "members"] => Self::Members(room(id)?),
            ["chatrooms", id, "members", other] => Self::Member(room(id)?, user(other)?),
            ["chatrooms", id, "leave"] => Self::Leave(room(id)?),
            ["chatrooms", id, "bans"] => Self::Bans(room(id)?),
            ["chatrooms", id, "bans", other] => Self::Ban(room(id)?, user(other)?),
            ["chatrooms", id, "owner"] => Self::Owner(room(id)?),
            ["chatrooms", id, "read"] => Self::Read(room(id)?),
            ["chatrooms", id, "typing"] => Self::Typing(room(id)?),
            ["messages"] => Self::Messages,
            ["messages", id] => Self::Message(id_of_path(id).map(MessageId)?),
            ["users"] => Self::Users,
            _ => return None,
        })
    }

    pub(super) fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Rooms | Self::Members(_) | Self::Bans(_) | Self::Messages => &["GET", "POST"],
            Self::Room(_) | Self::Message(_) => &["GET", "PUT", "PATCH", "DELETE"],
            Self::Member(..) => &["PUT", "PATCH", "DELETE"],
            Self::Ban(..) => &["DELETE"],
            Self::Leave(_) | Self::Owner(_) | Self::Read(_) | Self::Typing(_) => &["POST"],
            Self::Users => &["GET"],
        }
    }

    pub(super) async fn serve(
        self,
        chelseru: &Chelseru,
        request: &Request<'_>,
    ) -> Result<Response, Response> {
        let user = &chelseru.identify(request).await?;
        match (self, request.method) {
            (Self::Rooms, "GET") => rooms::list(chelseru, user, request).await,
            (Self::Rooms, _) => rooms::create(chelseru, user, request).await,
            (Self::Room(room), "GET") => rooms::show(chelseru, user, room).await,
            (Self::Room(room), "DELETE") => rooms::delete(chelseru, user, room).await,
            (Self::Room(room), _) => rooms::update(chelseru, user, request, room).await,
            (Self::Read(room), _) => rooms::read(chelseru, user, request, room).await,
            (Self::Typing(room), _) => {
                chelseru.tell_typing(user, room).await?;
                Ok(Response::no_content())
            }

            (Self::Members(room), "GET") => members::list(chelseru, user, request, room).await,
            (Self::Members(room), _) => members::add(chelseru, user, request, room).await,
            (Self::Member(room, other), "DELETE") if other == user.id => {
                members::leave(chelseru, user, room).await
            }
            (Self::Member(room, other), "DELETE") => {
                chelseru.kick(user, room, other).await?;
                Ok(Response::no_content())
            }
            (Self::Member(room, other), _) => {
                members::permit(chelseru, user, request, room, other).await
            }
            (Self::Leave(room), _) => members::leave(chelseru, user, room).await,
            (Self::Bans(room), "GET") => members::list_bans(chelseru, user, request, room).await,
            (Self::Bans(room), _) => members::ban(chelseru, user, request, room).await,
            (Self::Ban(room, other), _) => {
                chelseru.lift_ban(user, room, other).await?;
                Ok(Response::no_content())
            }
            (Self::Owner(room), _) => members::hand_over(chelseru, user, request, room).await,

            (Self::Messages, "GET") => messages::list(chelseru, user, request).await,
            (Self::Messages, _) => messages::create(chelseru, user, request).await,
            (Self::Message(id), "GET") => messages::show(chelseru, user, id).await,
            (Self::Message(id), "DELETE") => messages::delete(chelseru, user, request, id).await,
            (Self::Message(id), _) => messages::update(chelseru, user, request, id).await,

            (Self::Users, _) => members::find(chelseru, user, request).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ChatRoute;
    use crate::chat::{MessageId, RoomId};
    use crate::user::UserId;

    #[test]
    fn every_documented_path_is_a_route_and_nothing_else_is() {
        let (room, user) = (RoomId(7), UserId(9));
        for (path, route) in [
            ("chatrooms", ChatRoute::Rooms),
            ("chatrooms/7", ChatRoute::Room(room)),
            ("chatrooms/7/members", ChatRoute::Members(room)),
            ("chatrooms/7/members/9", ChatRoute::Member(room, user)),
            ("chatrooms/7/leave", ChatRoute::Leave(room)),
            ("chatrooms/7/bans", ChatRoute::Bans(room)),
            ("chatrooms/7/bans/9", ChatRoute::Ban(room, user)),
            ("chatrooms/7/owner", ChatRoute::Owner(room)),
            ("chatrooms/7/read", ChatRoute::Read(room)),
            ("chatrooms/7/typing", ChatRoute::Typing(room)),
            ("messages", ChatRoute::Messages),
            ("messages/7", ChatRoute::Message(MessageId(7))),
            ("users", ChatRoute::Users),
        ] {
            assert_eq!(ChatRoute::find(path), Some(route), "{path}");
        }
        for path in [
            "",
            "7",
            "rooms",
            "chatrooms/",
            "chatrooms/x",
            "chatrooms/-7",
            "chatrooms/+7",
            "chatrooms/7.0",
            "chatrooms/99999999999999999999",
            "chatrooms//members",
            "chatrooms/7/",
            "chatrooms/7/members/x",
            "chatrooms/7/members/9/x",
            "chatrooms/7/leave/9",
            "messages/7/x",
            "users/7",
        ] {
            assert_eq!(ChatRoute::find(path), None, "{path}");
        }
    }
}
