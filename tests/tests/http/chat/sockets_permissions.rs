//! Who may do what over a socket: what the routes allow, and nothing else.

use chelseru_tests::{ChatSocket, Database, Setup, TestServer, on_both_databases};
use serde_json::{Value, json};

use super::{Person, Scene};

on_both_databases! {
    who_is_no_member_is_told_the_same_as_of_a_room_that_is_not_there
    every_code_allows_over_a_socket_what_the_table_says
    in_a_room_that_is_not_open_nobody_writes_over_a_socket
}

/// Does everything to a room that frames can do, over a socket for all rooms, and gives the answers; the
/// room's id is left out of them.
async fn everything(server: &TestServer, person: &Person, room: i64, reply_to: i64) -> Vec<Value> {
    let mut socket = ChatSocket::open(server, &person.all_path()).await;
    let mut answers = vec![socket.frame().await];
    let rooms = json!({room.to_string(): 0});
    let frames = [
        json!({"type": "resume", "rooms": rooms}),
        json!({"type": "send", "room": room, "message": "x"}),
        json!({"type": "send", "room": room, "message": "x", "client_id": "known"}),
        json!({"type": "send", "room": room, "message": "x", "reply_to": reply_to}),
        json!({"type": "send", "room": room, "message": "x", "attachment": 1}),
        json!({"type": "send", "room": room, "message": "", "client_id": "k"}),
        json!({"type": "send", "room": room, "message": "x".repeat(5000)}),
        json!({"type": "read", "room": room, "seq": 1}),
        json!({"type": "read", "room": room, "seq": -1}),
        json!({"type": "typing", "room": room}),
        json!({"type": "resume", "rooms": rooms}),
    ];
    for frame in frames {
        socket.say(&frame).await;
        answers.push(socket.frame().await);
    }
    socket.say(&json!({"type": "ping"})).await;
    answers.push(socket.frame().await);
    for answer in &mut answers {
        if answer["room"] == room {
            answer["room"] = json!("the room");
        }
    }
    answers
}

async fn who_is_no_member_is_told_the_same_as_of_a_room_that_is_not_there(database: Database) {
    let Scene { server, people } = Scene::<5>::new(database).await;
    let [owner, member, stranger, banned, kicked] = &people;
    let room = owner.group(&server, &[member, banned, kicked]).await;
    // What was sent under a key, and is not given back for it any more.
    for person in [banned, kicked] {
        let known = json!({"chat_room": room, "text": "x", "client_id": "known"});
        let sent = person.post(&server, "messages/", &known).await;
        sent.assert_status(201);
    }
    let id = owner.say(&server, room, "a").await;
    let bans = format!("chatrooms/{room}/bans/");
    let ban = owner.post(&server, &bans, &json!({"user": banned.id}));
    ban.await.assert_status(201);
    let kick = format!("chatrooms/{room}/members/{}/", kicked.id);
    owner.delete(&server, &kick).await.assert_status(204);

    let mut of_member = ChatSocket::open(&server, &member.room_path(room)).await;
    let before = owner.room(&server, room).await;
    for person in [stranger, banned, kicked] {
        let answers = everything(&server, person, room, id).await;
        assert_eq!(answers[0]["rooms"], json!({}));
        assert_eq!(answers[1], json!({"type": "room_left", "room": "the room"}));
        for place in [2, 3, 4, 5, 8, 9, 10] {
            let answer = &answers[place];
            assert_eq!(answer["code"], "no_such_room", "{place}: {answer}");
        }
        let unknown = everything(&server, person, room + 1000, id).await;
        assert_eq!(answers, unknown, "{}", person.username);
    }
    assert_eq!(owner.room(&server, room).await, before, "nothing was done");

    // Nobody inside heard of it, and nobody outside of what happens inside.
    let mut outside = Vec::new();
    for person in [stranger, banned, kicked] {
        let mut socket = ChatSocket::open(&server, &person.all_path()).await;
        socket.frame_of("hello").await;
        let places = json!({"type": "resume", "rooms": {room.to_string(): 0}});
        socket.say(&places).await;
        socket.frame_of("room_left").await;
        outside.push(socket);
    }
    of_member.say(&json!({"type": "typing"})).await;
    of_member.say(&json!({"type": "read", "seq": 3})).await;
    of_member.say(&json!({"message": "inside"})).await;
    of_member.frame_of("chat_message").await;
    server.chelseru.close_chat_sockets();
    let (frames, _) = of_member.closed().await;
    assert_eq!(frames.last().unwrap()["type"], "reconnect");
    for mut socket in outside {
        let (frames, code) = socket.closed().await;
        assert_eq!((frames.len(), code), (1, Some(1001)), "{frames:?}");
    }
}

/// Two sockets of one room with two messages that nobody has read: of who tries, and of who is told.
struct Sockets {
    one: i64,
    of_one: ChatSocket,
    of_witness: ChatSocket,
}

impl Sockets {
    async fn open(server: &TestServer, one: &Person, witness: &Person, room: i64) -> Self {
        Self {
            one: one.id,
            of_one: ChatSocket::open(server, &one.room_path(room)).await,
            of_witness: ChatSocket::open(server, &witness.room_path(room)).await,
        }
    }

    /// Reads, types and writes while the log ends at `seq`. What becomes of typing and writing: `told`, or
    /// the code of the error. Reading is always told.
    async fn try_all(&mut self, seq: i64) -> [String; 2] {
        let key = format!("k{seq}");
        let read = |seq: i64| json!({"type": "read", "seq": seq});
        assert_eq!(self.outcome(&read(seq - 1)).await, "told");
        let typing = self.outcome(&json!({"type": "typing"})).await;
        let send = json!({"message": "x", "client_id": key});
        let send = self.outcome(&send).await;
        // Who has sent a message has read up to it, and nobody is told.
        assert_eq!(self.outcome(&read(seq)).await, "told");
        let told = self.told(seq, &key).await;
        let mut expected = vec![format!("read {}", seq - 1)];
        if typing == "told" {
            expected.push("typing".to_owned());
        }
        expected.push(if send == "told" {
            "message".to_owned()
        } else {
            format!("read {seq}")
        });
        assert_eq!(told, expected);
        [typing, send]
    }

    /// What the answer to a frame says: the code of an error, or that there is none.
    async fn outcome(&mut self, frame: &Value) -> String {
        self.of_one.say(frame).await;
        self.of_one.say(&json!({"type": "ping"})).await;
        let mut outcome = "told".to_owned();
        loop {
            let frame = self.of_one.frame().await;
            match frame["type"].as_str().unwrap() {
                "error" => frame["code"].as_str().unwrap().clone_into(&mut outcome),
                // Frames are served one after the other.
                "pong" => return outcome,
                _ => {}
            }
        }
    }

    /// What the witness is told of the one who tries, up to the message or to the last place's being read.
    async fn told(&mut self, seq: i64, key: &str) -> Vec<String> {
        let mut told = Vec::new();
        loop {
            let frame = self.of_witness.frame().await;
            if frame["user"] != self.one && frame["sender_id"] != self.one {
                continue;
            }
            let is_last = match frame["type"].as_str().unwrap() {
                "read" => {
                    told.push(format!("read {}", frame["seq"]));
                    frame["seq"] == seq
                }
                "typing" => {
                    told.push("typing".to_owned());
                    false
                }
                "chat_message" => {
                    assert_eq!(frame["client_id"], key, "{frame}");
                    told.push("message".to_owned());
                    true
                }
                _ => false,
            };
            if is_last {
                return told;
            }
        }
    }
}

async fn last_seq_of(server: &TestServer, person: &Person, room: i64) -> i64 {
    let room = person.room(server, room).await;
    room["last_seq"].as_i64().unwrap()
}

async fn untimed(database: Database) -> TestServer {
    let setup = Setup::new(database).await;
    let setup = setup.config(|config| {
        let config = config.chat_typing(std::time::Duration::ZERO);
        config.chat_frames_per_socket_per_second(0)
    });
    setup.start().await
}

async fn every_code_allows_over_a_socket_what_the_table_says(database: Database) {
    let server = untimed(database).await;
    let Scene { server, people } = Scene::<3>::on(server).await;
    let [owner, member, witness] = &people;
    let room = owner.group(&server, &[member, witness]).await;
    owner.say(&server, room, "a").await;
    let path = format!("chatrooms/{room}/members/{}/", member.id);
    let alone = (0..=12).map(|code| vec![code]);
    let with_writing = (2..=12).map(|code| vec![1, code]);
    let others = [vec![0, 1], (0..=12).collect(), (1..=12).collect(), vec![]];
    for codes in alone.chain(with_writing).chain(others) {
        let body = json!({"permissions": codes});
        owner.patch(&server, &path, &body).await.assert_status(200);
        let may_write = codes.contains(&1) && !codes.contains(&0);
        let expected = if may_write { "told" } else { "not_permitted" };
        for _ in 0..2 {
            owner.say(&server, room, "b").await;
        }
        let mut sockets = Sockets::open(&server, member, witness, room).await;
        let seq = last_seq_of(&server, owner, room).await;
        let tried = sockets.try_all(seq).await;
        assert_eq!(tried, [expected, expected], "{codes:?}");
    }
}

async fn in_a_room_that_is_not_open_nobody_writes_over_a_socket(database: Database) {
    let server = untimed(database).await;
    let Scene { server, people } = Scene::<4>::on(server).await;
    let [owner, admin, member, witness] = &people;
    let room = owner.group(&server, &[admin, member, witness]).await;
    let codes: Vec<_> = (1..=12).collect();
    let path = format!("chatrooms/{room}/members/{}/", admin.id);
    let all = owner.patch(&server, &path, &json!({"permissions": codes}));
    all.await.assert_status(200);
    for (status, code) in [
        (2, "room_closed"),
        (3, "room_on_hold"),
        (1, "told"),
        (3, "room_on_hold"),
    ] {
        let path = format!("chatrooms/{room}/");
        let open = owner.patch(&server, &path, &json!({"status": 1}));
        open.await.assert_status(200);
        for _ in 0..2 {
            witness.say(&server, room, "a").await;
        }
        // The sockets are there already when it happens.
        let mut sockets = Vec::new();
        for person in [owner, admin, member] {
            sockets.push(Sockets::open(&server, person, witness, room).await);
        }
        let change = owner.patch(&server, &path, &json!({"status": status}));
        change.await.assert_status(200);
        for mut sockets in sockets {
            // Who came before may have written.
            let seq = last_seq_of(&server, witness, room).await;
            let tried = sockets.try_all(seq).await;
            assert_eq!(tried, [code, code], "{status}");
        }
    }
}
