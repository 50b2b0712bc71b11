//! The handshake of a chat socket: who may open one, and which.

use super::{Request, Response, bearer};
use crate::chat::{Connection, RoomId, Scope, Seq};
use crate::error::Error;
use crate::service::Chelseru;

/// The subprotocol that is selected when a client offers it.
pub const SOCKET_PROTOCOL: &str = "chelseru.v1";

/// The parts of a handshake.
#[derive(Clone, Copy, Default)]
pub struct Handshake<'a> {
    /// Method, path, query, `Authorization`, `User-Agent` and address, as of any request.
    pub request: Request<'a>,
    /// Whether the request asks to become a WebSocket, in a way that the adapter can serve.
    pub is_upgrade: bool,
    /// The `Host` header, or what stands for it.
    pub host: &'a str,
    /// The `Origin` header.
    pub origin: Option<&'a str>,
    /// All `Sec-WebSocket-Protocol` headers, joined by commas. They may hold a token.
    pub protocols: &'a str,
}

/// Shows what was asked, never a token.
impl std::fmt::Debug for Handshake<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handshake")
            .field("request", &self.request)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// A handshake that is accepted.
#[derive(Debug)]
pub struct Accepted {
    /// The socket.
    pub connection: Connection,
    /// What the answer's `Sec-WebSocket-Protocol` header says, if it has one.
    pub protocol: Option<&'static str>,
    /// The longest frame, or sum of a frame's fragments, that is read.
    pub max_frame_bytes: usize,
}

/// Whether a path below the prefix is that of a chat socket.
pub fn is_socket(path: &str) -> bool {
    socket_of(path).is_some()
}

enum Rooms {
    All,
    One(RoomId),
}

fn socket_of(path: &str) -> Option<Rooms> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path == "chat" {
        return Some(Rooms::All);
    }
    let id = path.strip_prefix("chat/")?;
    let is_plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    // An id that no room can have is one of no room.
    is_plain.then(|| Rooms::One(RoomId(id.parse().unwrap_or(0))))
}

impl Chelseru {
    /// Opens a chat socket, or says with which answer the handshake is refused.
    ///
    /// # Errors
    ///
    /// The response: 401 for the token, 403 for the origin, 404 for a room of which the user is no member,
    /// 426 for a request that is no handshake, 503 while the server stops or the store is away.
    pub async fn open_socket(&self, handshake: Handshake<'_>) -> Result<Accepted, Response> {
        let request = &handshake.request;
        let chat = &self.config().chat;
        let rooms = socket_of(request.path).filter(|_| chat.enabled);
        let rooms = rooms.ok_or(Error::NotFound)?;
        if request.method != "GET" {
            return Err(Response::method_not_allowed(request.method, &["GET"]));
        }
        if !handshake.is_upgrade {
            return Err(
                Response::detail(426, "This path is a WebSocket: connect to it as one.")
                    .with_header("upgrade", "websocket")
                    .with_header("sec-websocket-version", "13"),
            );
        }
        if !is_origin_allowed(&handshake, chat.allowed_origins.as_deref()) {
            return Err(Response::detail(403, "This origin may not connect."));
        }
        let token = token_of(&handshake)?;
        let (user, token_ends) = self.authenticate_until(&token, request.client()).await?;
        if self.hub().is_stopping() {
            return Err(Response::stopping());
        }
        let scope = match rooms {
            Rooms::All => Scope::All,
            Rooms::One(room) => {
                let access = self.room_access(user.id, room).await?;
                Scope::One {
                    room,
                    since: since(request.query)?,
                    end: access.room.last_seq,
                }
            }
        };
        Ok(Accepted {
            connection: Connection::new(self.clone(), user, token_ends, scope),
            protocol: offered(&handshake)
                .any(|offer| offer == SOCKET_PROTOCOL)
                .then_some(SOCKET_PROTOCOL),
            max_frame_bytes: chat.limits.max_frame_bytes,
        })
    }
}

/// Browsers name the origin of the page, applications none. A page of another origin holds no token of
/// ours unless somebody gave it one, but need not be let in to try.
fn is_origin_allowed(handshake: &Handshake<'_>, allowed: Option<&[String]>) -> bool {
    let Some(origin) = handshake.origin else {
        return true;
    };
    match allowed {
        Some(allowed) => allowed
            .iter()
            .any(|known| known.eq_ignore_ascii_case(origin)),
        None => origin
            .split_once("://")
            .is_some_and(|(_, host)| host.eq_ignore_ascii_case(handshake.host)),
    }
}

fn offered<'a>(handshake: &Handshake<'a>) -> impl Iterator<Item = &'a str> {
    handshake.protocols.split(',').map(str::trim)
}

/// From the header, a subprotocol or the query, in this order: browsers can set the last two alone.
fn token_of(handshake: &Handshake<'_>) -> Result<String, Response> {
    if handshake.request.authorization.is_some() {
        return bearer(&handshake.request).map(str::to_owned);
    }
    let of_protocol = offered(handshake).find_map(|offer| offer.strip_prefix("bearer."));
    if let Some(token) = of_protocol {
        return Ok(token.to_owned());
    }
    query_value(handshake.request.query, "token").ok_or_else(|| Error::NotAuthenticated.into())
}

fn since(query: &str) -> Result<Option<Seq>, Response> {
    let Some(text) = query_value(query, "since") else {
        return Ok(None);
    };
    let seq = text.parse().ok().filter(|seq| *seq >= 0);
    seq.map(|seq| Some(Seq(seq)))
        .ok_or_else(|| Response::field_error("since", "A valid integer is required."))
}

fn query_value(query: &str, name: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let mut pairs = pairs.into_iter();
    pairs.find(|(key, _)| key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::{Handshake, is_origin_allowed, is_socket};

    #[test]
    fn sockets_are_at_chat_and_below_it_at_numbers() {
        for path in [
            "/chat/",
            "/chat",
            "/chat/1/",
            "/chat/12",
            "/chat/99999999999999999999/",
        ] {
            assert!(is_socket(path), "{path}");
        }
        for path in [
            "/",
            "/chat/chatrooms/",
            "/chat/1/2/",
            "/chat/x/",
            "/chat//",
            "/chat/-1/",
        ] {
            assert!(!is_socket(path), "{path}");
        }
    }

    fn is_allowed(origin: Option<&str>, allowed: Option<&[&str]>) -> bool {
        let handshake = Handshake {
            host: "chat.example:8443",
            origin,
            ..Handshake::default()
        };
        let allowed = allowed.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
        is_origin_allowed(&handshake, allowed.as_deref())
    }

    #[test]
    fn without_a_list_only_pages_of_the_same_host_and_port_may_connect() {
        assert!(is_allowed(Some("https://chat.example:8443"), None));
        assert!(is_allowed(Some("https://Chat.Example:8443"), None));
        for origin in [
            "https://chat.example",
            "https://evil.example:8443",
            "https://chat.example:8443.evil.example",
            "null",
            "",
        ] {
            assert!(!is_allowed(Some(origin), None), "{origin}");
        }
    }

    #[test]
    fn with_a_list_only_its_origins_may_connect() {
        let list: Option<&[&str]> = Some(&["https://app.example"]);
        assert!(is_allowed(Some("https://app.example"), list));
        assert!(!is_allowed(Some("https://chat.example:8443"), list));
        assert!(!is_allowed(Some("http://app.example"), list));
    }

    #[test]
    fn applications_name_no_origin() {
        assert!(is_allowed(None, None));
        assert!(is_allowed(None, Some(&[])));
    }
}
