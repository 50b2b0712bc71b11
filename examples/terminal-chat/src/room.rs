//! What the client keeps of a room, which is all that resuming needs: the place up to which it has
//! everything, and the messages that the server has not acknowledged.

use serde_json::{Value, json};

use crate::api::Api;
use crate::{Failure, say};

pub(crate) struct Room {
    id: i64,
    /// Everything up to this place of the room's log has been shown.
    at: i64,
    /// Messages without an acknowledgement, by their `client_id`, in their order.
    outbox: Vec<(String, String)>,
}

/// What to do after a frame.
#[derive(PartialEq, Eq)]
pub(crate) enum After {
    Nothing,
    /// Something is missing: connect anew, and resume brings it.
    Reconnect,
    /// The room is no longer the user's.
    Gone,
}

impl Room {
    pub(crate) fn new(room: &Value, me: &Value) -> Result<Self, Failure> {
        let (Some(id), Some(at)) = (room["id"].as_i64(), room["last_seq"].as_i64()) else {
            return Err("the server described no room".into());
        };
        say(&format!("── {} ──", name(room, me)));
        let outbox = Vec::new();
        Ok(Self { id, at, outbox })
    }

    /// Shows the newest messages, and goes on after them.
    pub(crate) async fn show_newest(&mut self, api: &mut Api) -> Result<(), Failure> {
        let path = format!("/chat/messages/?chat_room={}&page_size=20", self.id);
        let page = api.get(&path).await?;
        let messages = page["results"].as_array().cloned().unwrap_or_default();
        for message in messages.iter().rev() {
            let sender = message["sender"]["username"].as_str();
            show(message, sender);
            // The page may be newer than what was known of the room.
            self.at = self.at.max(message["seq"].as_i64().unwrap_or(0));
        }
        Ok(())
    }

    /// A new message, and the frame that sends it.
    pub(crate) fn write(&mut self, text: String) -> Value {
        let client_id = format!("{:032x}", rand::random::<u128>());
        let frame = self.frame(&client_id, &text);
        self.outbox.push((client_id, text));
        frame
    }

    fn frame(&self, client_id: &str, text: &str) -> Value {
        json!({ "type": "send", "room": self.id, "message": text, "client_id": client_id })
    }

    /// The frames that a connection begins with: what we have, and then what the server may not have.
    pub(crate) fn greeting(&self) -> Vec<Value> {
        let rooms = json!({ (self.id.to_string()): self.at });
        let resume = json!({ "type": "resume", "rooms": rooms });
        let unsent = self.outbox.iter().map(|(id, text)| self.frame(id, text));
        std::iter::once(resume).chain(unsent).collect()
    }

    /// Takes a frame of the server.
    pub(crate) async fn take(&mut self, frame: &Value, api: &mut Api) -> After {
        if frame["type"] == "error" {
            self.refused(frame);
        }
        if frame["room"] != self.id {
            return After::Nothing;
        }
        match frame["type"].as_str().unwrap_or_default() {
            "chat_message" | "message_edited" | "message_deleted" => return self.entry(frame),
            "ack" => self.outbox.retain(|(id, _)| frame["client_id"] != *id),
            "too_far" => {
                say("… much has happened; the newest are:");
                if self.show_newest(api).await.is_err() {
                    return After::Reconnect;
                }
                self.at = self.at.max(frame["seq"].as_i64().unwrap_or(0));
            }
            "room_left" => return After::Gone,
            _ => {}
        }
        After::Nothing
    }

    /// Each place of the log once, in order.
    fn entry(&mut self, frame: &Value) -> After {
        let seq = frame["seq"].as_i64().unwrap_or(0);
        if seq <= self.at {
            return After::Nothing;
        }
        if seq > self.at + 1 {
            return After::Reconnect;
        }
        self.at = seq;
        self.outbox.retain(|(id, _)| frame["client_id"] != *id);
        show(frame, frame["sender"].as_str());
        After::Nothing
    }

    fn refused(&mut self, frame: &Value) {
        // What passes is sent again with the next connection; everything else is the message's fault.
        if frame["retry_after_ms"].is_null() {
            self.outbox.retain(|(id, _)| frame["client_id"] != *id);
        }
        say(&format!(
            "! {}",
            frame["detail"].as_str().unwrap_or_default()
        ));
    }
}

/// What a room is called.
pub(crate) fn name(room: &Value, me: &Value) -> String {
    let other = ["user_1", "user_2"]
        .into_iter()
        .find(|key| room[key]["id"] != me["id"]);
    let username = other.and_then(|key| room[key]["username"].as_str());
    let name = room["name"].as_str().or(username);
    name.unwrap_or("(nobody)").to_owned()
}

fn show(message: &Value, sender: Option<&str>) {
    let time = message["created_at"]
        .as_str()
        .and_then(|time| time.get(11..16));
    let text = match message["type"].as_str() {
        Some("message_edited") => "(edited) ",
        Some("message_deleted") => "(deleted)",
        _ if !message["deleted_at"].is_null() => "(deleted)",
        _ => "",
    };
    let said = message["message"].as_str().unwrap_or_default();
    let (time, sender) = (time.unwrap_or("     "), sender.unwrap_or("?"));
    say(&format!("{time}  {sender}: {text}{}", printable(said)));
}

/// Another user's text must not command this terminal.
fn printable(text: &str) -> String {
    let clean = |char: char| if char.is_control() { ' ' } else { char };
    text.chars().map(clean).collect()
}
