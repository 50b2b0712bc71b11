//! docs/websocket.md tells the truth: each frame that it shows is one, and each that there is, it shows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::frame::{ClientFrame, MessageFrame, RoomPosition, SendFrame, ServerFrame};
use super::{AttachmentId, ChatError, MessageId, MessageType, RoomId, Sender, Seq};
use crate::clock::Timestamp;
use crate::user::UserId;

const NEW_YEAR: i64 = 1_767_225_600_000;

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/websocket.md");
    std::fs::read_to_string(path).expect("the document is there")
}

/// The examples of one kind: `client`, `client room` or `server`.
fn examples(kind: &str) -> Vec<Value> {
    let document = document();
    let blocks = document.split("```").skip(1).step_by(2);
    let examples = blocks.filter_map(|block| block.strip_prefix(&format!("json {kind}\n")));
    examples
        .map(|text| serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}")))
        .collect()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(NEW_YEAR + second * 1000)
}

fn send(message: &str, client_id: &str) -> SendFrame {
    SendFrame {
        room: Some(RoomId(1)),
        message: message.to_owned(),
        client_id: Some(client_id.to_owned()),
        message_type: MessageType::Text,
        reply_to: None,
        attachment: None,
    }
}

/// What the client's examples mean, in their order.
fn client_frames() -> Vec<ClientFrame> {
    let room = Some(RoomId(1));
    let seq = Seq(41);
    vec![
        ClientFrame::Send(send("سلام", "7f3c0b52a91e4d6f")),
        ClientFrame::Send(SendFrame {
            reply_to: Some(MessageId(12)),
            ..send("بله", "7f3c0b52a91e4d70")
        }),
        ClientFrame::Resume {
            rooms: BTreeMap::from([(RoomId(1), seq), (RoomId(7), Seq(0))]),
        },
        ClientFrame::Read { room, seq },
        ClientFrame::Typing { room },
        ClientFrame::Auth {
            token: "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl".to_owned(),
        },
        ClientFrame::Ping,
    ]
}

fn message() -> MessageFrame {
    MessageFrame {
        id: MessageId(112),
        room: RoomId(1),
        seq: Seq(41),
        message: "سلام".to_owned(),
        message_type: MessageType::Text,
        sender: "u4k2m7".to_owned(),
        sender_id: Some(UserId(3)),
        client_id: Some("7f3c0b52a91e4d6f".to_owned()),
        reply_to: None,
        attachment: None,
        created_at: at(0),
        edited_at: None,
        deleted_at: None,
    }
}

fn deleted_image() -> MessageFrame {
    MessageFrame {
        id: MessageId(113),
        seq: Seq(42),
        message: String::new(),
        message_type: MessageType::Image,
        sender: String::new(),
        sender_id: None,
        client_id: None,
        reply_to: Some(MessageId(112)),
        attachment: Some(AttachmentId(9)),
        edited_at: Some(at(1)),
        deleted_at: Some(at(2)),
        ..message()
    }
}

fn error(code: &'static str, detail: &str) -> ServerFrame {
    ServerFrame::Error {
        code,
        detail: detail.to_owned(),
        client_id: None,
        room: None,
        retry_after_ms: None,
    }
}

/// What the server's examples are made from, in their order.
#[allow(clippy::too_many_lines, reason = "a list of all frames")]
fn server_frames() -> Vec<ServerFrame> {
    let (room, user) = (RoomId(1), UserId(3));
    let (id, seq) = (MessageId(112), Seq(41));
    let client_id = "7f3c0b52a91e4d6f".to_owned();
    vec![
        ServerFrame::ChatMessage(message()),
        ServerFrame::ChatMessage(deleted_image()),
        ServerFrame::MessageEdited {
            room,
            seq: Seq(43),
            id,
            message: "سلام!".to_owned(),
            edited_at: at(1),
        },
        ServerFrame::MessageDeleted {
            room,
            seq: Seq(44),
            id,
            deleted_at: at(2),
        },
        ServerFrame::Hello {
            user: Sender {
                id: user,
                username: "u4k2m7".to_owned(),
            },
            rooms: BTreeMap::from([
                (room, RoomPosition { seq }),
                (RoomId(7), RoomPosition { seq: Seq(0) }),
            ]),
        },
        ServerFrame::Ack {
            client_id: client_id.clone(),
            id,
            room,
            seq,
            created_at: at(0),
        },
        ServerFrame::Error {
            code: ChatError::TooManyChanges.code(),
            detail: ChatError::TooManyChanges.to_string(),
            client_id: Some(client_id),
            room: Some(room),
            retry_after_ms: Some(1000),
        },
        error(
            ChatError::NoSuchRoom.code(),
            &ChatError::NoSuchRoom.to_string(),
        ),
        ServerFrame::Synced { room, seq },
        ServerFrame::TooFar {
            room,
            since: Seq(3),
            seq: Seq(41_000),
        },
        ServerFrame::Pong,
        ServerFrame::Read { room, user, seq },
        ServerFrame::Typing {
            room,
            user,
            sender: "u4k2m7".to_owned(),
        },
        ServerFrame::Presence {
            user,
            online: false,
            last_seen: Some(at(0)),
        },
        ServerFrame::Presence {
            user,
            online: true,
            last_seen: None,
        },
        ServerFrame::RoomChanged { room, seq },
        ServerFrame::RoomLeft { room },
        ServerFrame::TokenExpiring { closes_at: at(30) },
        ServerFrame::Reconnect { after_ms: 2300 },
    ]
}

/// Fails to compile when there is a frame that is not counted here, and so not in the list above.
fn place(frame: &ServerFrame) -> usize {
    match frame {
        ServerFrame::Hello { .. } => 0,
        ServerFrame::ChatMessage(_) => 1,
        ServerFrame::MessageEdited { .. } => 2,
        ServerFrame::MessageDeleted { .. } => 3,
        ServerFrame::Ack { .. } => 4,
        ServerFrame::Error { .. } => 5,
        ServerFrame::Synced { .. } => 6,
        ServerFrame::TooFar { .. } => 7,
        ServerFrame::Read { .. } => 8,
        ServerFrame::Typing { .. } => 9,
        ServerFrame::Presence { .. } => 10,
        ServerFrame::RoomChanged { .. } => 11,
        ServerFrame::RoomLeft { .. } => 12,
        ServerFrame::TokenExpiring { .. } => 13,
        ServerFrame::Reconnect { .. } => 14,
        ServerFrame::Pong => 15,
    }
}
const KINDS: usize = 16;

#[test]
fn each_frame_that_it_has_a_client_send_is_read_as_what_it_says() {
    let read: Vec<ClientFrame> = examples("client")
        .into_iter()
        .map(|example| serde_json::from_value(example).expect("a client's frame"))
        .collect();
    let expected = client_frames();
    assert_eq!(read.len(), expected.len());
    for (read, expected) in read.iter().zip(&expected) {
        // Their Debug hides what they say.
        assert!(read == expected, "{expected:?}");
    }
}

#[test]
fn a_message_on_the_socket_of_a_room_needs_neither_type_nor_room() {
    let [example] = &examples("client room")[..] else {
        panic!("one example")
    };
    let read: SendFrame = serde_json::from_value(example.clone()).expect("a message");
    let expected = SendFrame {
        room: None,
        ..send("سلام", "7f3c0b52a91e4d6f")
    };
    assert!(read == expected, "{example}");
}

#[test]
fn each_frame_of_the_server_is_shown_as_it_is_sent() {
    let frames = server_frames();
    let sent = frames
        .iter()
        .map(|frame| serde_json::to_value(frame).expect("JSON"));
    assert_eq!(examples("server"), sent.collect::<Vec<_>>());
    let kinds: BTreeSet<usize> = frames.iter().map(place).collect();
    assert_eq!(kinds.len(), KINDS, "a kind of frame is not shown");
}

#[test]
fn every_code_of_an_error_is_explained() {
    let document = document();
    let field = ChatError::Field {
        field: "text",
        problem: String::new(),
    };
    for error in [
        ChatError::NoSuchRoom,
        ChatError::NoSuchMessage,
        ChatError::NotPermitted,
        ChatError::RoomClosed,
        ChatError::RoomOnHold,
        ChatError::ClientIdTaken,
        field,
        ChatError::TooLateToEdit,
        ChatError::TooManyChanges,
    ] {
        let row = format!("\n| `{}` | ", error.code());
        assert!(document.contains(&row), "{row}");
    }
}
