//! Reading a client's frame.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::chat::{ClientFrame, RoomId, SendFrame, Seq};

/// Why a frame cannot be served.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) code: &'static str,
    pub(super) detail: String,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Resume {
    rooms: std::collections::BTreeMap<RoomId, Seq>,
}

#[derive(Deserialize)]
struct Read {
    room: Option<RoomId>,
    seq: Seq,
}

#[derive(Deserialize)]
struct Typing {
    room: Option<RoomId>,
}

#[derive(Deserialize)]
struct Auth {
    token: String,
}

/// The frame of a text. Without a type it is a message, as the package's clients send it.
pub(super) fn read(text: &str) -> Result<ClientFrame, Unreadable> {
    let typed: Typed = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => invalid("a JSON object is expected, its type a text"),
        _ => Unreadable {
            code: "bad_json",
            detail: "this frame is no JSON".to_owned(),
        },
    })?;
    Ok(match typed.kind.as_deref() {
        None | Some("send") => ClientFrame::Send(parts::<SendFrame>(text)?),
        Some("resume") => {
            let Resume { rooms } = parts(text)?;
            ClientFrame::Resume { rooms }
        }
        Some("read") => {
            let Read { room, seq } = parts(text)?;
            ClientFrame::Read { room, seq }
        }
        Some("typing") => {
            let Typing { room } = parts(text)?;
            ClientFrame::Typing { room }
        }
        Some("auth") => {
            let Auth { token } = parts(text)?;
            ClientFrame::Auth { token }
        }
        Some("ping") => ClientFrame::Ping,
        Some(_) => {
            return Err(Unreadable {
                code: "unknown_type",
                detail: "this type of frame is not known".to_owned(),
            });
        }
    })
}

/// The client is told which part is wrong; what stood there, it knows.
fn parts<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| {
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or_default();
        invalid(text)
    })
}

fn invalid(detail: &str) -> Unreadable {
    Unreadable {
        code: "invalid_frame",
        detail: detail.chars().take(200).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::chat::ClientFrame;

    fn code(text: &str) -> &'static str {
        read(text).map_or_else(|unreadable| unreadable.code, |_| "none")
    }

    #[test]
    fn a_frame_without_a_type_is_a_message() {
        let Ok(ClientFrame::Send(frame)) = read(r#"{"message":"سلام"}"#) else {
            panic!("it is a message");
        };
        assert_eq!((frame.message.as_str(), frame.room), ("سلام", None));
    }

    #[test]
    fn every_documented_type_is_read() {
        for text in [
            r#"{"type":"send","room":1,"message":"a","client_id":"b","reply_to":2,"attach_id":3}"#,
            r#"{"type":"resume","rooms":{"1":41}}"#,
            r#"{"type":"read","room":1,"seq":41}"#,
            r#"{"type":"typing","room":1}"#,
            r#"{"type":"auth","token":"x"}"#,
            r#"{"type":"ping"}"#,
        ] {
            assert_eq!(code(text), "none", "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_has_a_code() {
        let deep = format!("{{\"message\":{}", "[".repeat(5000));
        for (text, expected) in [
            ("", "bad_json"),
            ("{", "bad_json"),
            ("{}x", "bad_json"),
            (&deep, "bad_json"),
            ("1", "invalid_frame"),
            ("[]", "invalid_frame"),
            (r#"{"type":1}"#, "invalid_frame"),
            (r#"{"message":1}"#, "invalid_frame"),
            (r#"{"type":"read"}"#, "invalid_frame"),
            (r#"{"type":"resume","rooms":{"x":1}}"#, "invalid_frame"),
            (r#"{"type":"read","seq":1e99}"#, "invalid_frame"),
            (r#"{"type":"shout"}"#, "unknown_type"),
        ] {
            assert_eq!(code(text), expected, "{text:.40}");
        }
    }
}
