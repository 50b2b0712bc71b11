//! A chat in the terminal: log in, pick a room, write. It is the reference client of the chat socket
//! (docs/websocket.md): cut its network, stop the server, and nothing is lost or shown twice.
//!
//! ```console
//! $ cargo run -p chelseru-terminal-chat                             # http://127.0.0.1:8000/api
//! $ cargo run -p chelseru-terminal-chat http://127.0.0.1:9000/v1    # another server and prefix
//! ```
//!
//! It speaks no TLS: `wss` needs a TLS feature of tokio-tungstenite and nothing else.

mod api;
mod connection;
mod room;

use std::error::Error;
use std::io::{BufRead, Write};
use std::process::ExitCode;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::api::Api;
use crate::room::Room;

/// Whatever goes wrong ends the program with one line.
type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let base = std::env::args().nth(1);
    let base = base.unwrap_or_else(|| "http://127.0.0.1:8000/api".to_owned());
    match chat(base.trim_end_matches('/')).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("{failure}"));
            ExitCode::FAILURE
        }
    }
}

async fn chat(base: &str) -> Result<(), Failure> {
    let mut lines = read_lines();
    let mut api = log_in(base, &mut lines).await?;
    let mut room = choose(&mut api, &mut lines).await?;
    room.show_newest(&mut api).await?;
    say("Write, and press Enter. Ctrl-D ends.");
    connection::keep(&mut api, &mut room, &mut lines).await
}

async fn log_in(base: &str, lines: &mut mpsc::Receiver<String>) -> Result<Api, Failure> {
    let number = ask("Mobile number: ", lines).await?;
    let mut api = Api::new(base);
    // 409: a code was sent before, and works.
    let sent = api.send_code(&number).await?;
    if sent != 200 && sent != 409 {
        return Err(format!("the server sent no code (status {sent})").into());
    }
    loop {
        let code = ask("Code: ", lines).await?;
        if api.log_in(&number, &code).await? {
            return Ok(api);
        }
        say("This code is wrong, or has run out.");
    }
}

/// One of the rooms, or a room with somebody.
async fn choose(api: &mut Api, lines: &mut mpsc::Receiver<String>) -> Result<Room, Failure> {
    let me = api.get("/me/").await?;
    let rooms = api.get("/chat/chatrooms/?page_size=20").await?;
    let rooms = rooms["results"].as_array().cloned().unwrap_or_default();
    for (at, room) in rooms.iter().enumerate() {
        let (name, unread) = (room::name(room, &me), &room["unread_count"]);
        say(&format!("{:>3}  {name}  ({unread} unread)", at + 1));
    }
    say(&format!(
        "Your username is {}.",
        me["username"].as_str().unwrap_or_default()
    ));
    loop {
        let choice = ask("Number of a room, or somebody's username: ", lines).await?;
        let known = choice.parse::<usize>().ok();
        if let Some(room) = known.and_then(|at| rooms.get(at.checked_sub(1)?)) {
            return Room::new(room, &me);
        }
        let body = json!({ "username": choice });
        match api.post("/chat/chatrooms/", &body).await? {
            (200 | 201, room) => return Room::new(&room, &me),
            (_, problem) => say(&format!("That cannot be: {}", first_text(&problem))),
        }
    }
}

/// The first sentence in a body that refuses something.
fn first_text(body: &Value) -> &str {
    match body {
        Value::String(text) => text,
        Value::Array(items) => items.first().map_or("", first_text),
        Value::Object(fields) => fields.values().next().map_or("", first_text),
        _ => "",
    }
}

/// The terminal has no asynchronous reading worth the name: a thread reads it. At its end the channel ends.
fn read_lines() -> mpsc::Receiver<String> {
    let (lines, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

async fn ask(question: &str, lines: &mut mpsc::Receiver<String>) -> Result<String, Failure> {
    let mut stdout = std::io::stdout();
    write!(stdout, "{question}")?;
    stdout.flush()?;
    let line = lines.recv().await.ok_or("no more input")?;
    Ok(line.trim().to_owned())
}

fn say(line: &str) {
    // A terminal that is gone cannot be told so.
    let _ = writeln!(std::io::stdout(), "{line}");
}
