//! How many chat messages a second the store keeps, durable when they are answered.
//!
//! ```sh
//! cargo run --release -p chelseru-diesel --example append_speed              # SQLite, in the present folder
//! cargo run --release -p chelseru-diesel --example append_speed postgres://… # its rows stay there
//! ```
//!
//! Batches of several sizes, one after another as the chat's queue hands them over, into one room and
//! into many, and single messages from many callers at once.

use std::error::Error;
use std::time::{Instant, SystemTime};

use chelseru_core::chat::{MessageType, RoomId};
use chelseru_core::store::{
    Appended, CodeId, MessageStore, NewChatMessage, NewCode, NewGroup, NewLogin, NewSession,
    OtpStore, Redeemed, RoomOpened, RoomStore,
};
use chelseru_core::{ClientInfo, Timestamp, UserId};
use chelseru_diesel::DieselStore;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 3;
const ROOMS: usize = 50;
const CALLERS: usize = 64;

#[tokio::main]
async fn main() -> Result<()> {
    let file = format!("append-speed-{}.db", std::process::id());
    let postgres = std::env::args().nth(1);
    let url = postgres.unwrap_or_else(|| format!("sqlite://{file}"));
    let measured = measure(&DieselStore::open(&url).await?).await;
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{file}{end}"));
    }
    measured
}

async fn measure(store: &DieselStore) -> Result<()> {
    // Numbers and names that an earlier run on the same database has not used.
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let run = i64::try_from(since_1970.as_millis())?;
    let now = Timestamp::from_millis(run);
    let user = sign_up(store, run, now).await?;
    let mut rooms = Vec::new();
    for _ in 0..ROOMS {
        rooms.push(make_room(store, user, now).await?);
    }
    println!("{store:?}: messages a second, {ROUNDS} rounds");
    for round in 0..ROUNDS {
        let mut figures = Vec::new();
        for batch in [1, 16, 128, 256] {
            for rooms in [&rooms[..1], &rooms[..]] {
                let count = if batch == 1 { 2_000 } else { 20_480 };
                let rate = in_batches(store, user, rooms, now, batch, count).await?;
                let name = if rooms.len() == 1 { "room" } else { "rooms" };
                let rooms = rooms.len();
                figures.push(format!("{batch} a batch, {rooms} {name}: {rate:.0}"));
            }
        }
        let rate = at_once(store, user, &rooms, now, 20_480).await?;
        figures.push(format!("{CALLERS} callers with 1 each: {rate:.0}"));
        println!("round {}: {}", round + 1, figures.join("; "));
    }
    Ok(())
}

async fn in_batches(
    store: &DieselStore,
    user: UserId,
    rooms: &[RoomId],
    now: Timestamp,
    batch: usize,
    count: usize,
) -> Result<f64> {
    let mut rooms = rooms.iter().cycle();
    let messages: Vec<_> = (0..count)
        .filter_map(|_| Some(message(*rooms.next()?, user, now)))
        .collect();
    let start = Instant::now();
    for batch in messages.chunks(batch) {
        check(&store.append(batch).await?)?;
    }
    Ok(rate(count, start))
}

async fn at_once(
    store: &DieselStore,
    user: UserId,
    rooms: &[RoomId],
    now: Timestamp,
    count: usize,
) -> Result<f64> {
    let start = Instant::now();
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let store = store.clone();
            let room = rooms[caller % rooms.len()];
            tokio::spawn(async move {
                for _ in 0..count / CALLERS {
                    let answers = store.append(&[message(room, user, now)]).await;
                    let answers = answers.map_err(|error| format!("{error:?}"))?;
                    check(&answers).map_err(|error| error.to_string())?;
                }
                Ok::<_, String>(())
            })
        })
        .collect();
    for caller in callers {
        caller.await??;
    }
    Ok(rate(count, start))
}

#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn rate(count: usize, start: Instant) -> f64 {
    count as f64 / start.elapsed().as_secs_f64()
}

fn check(answers: &[Appended]) -> Result<()> {
    let stored = |answer: &Appended| matches!(answer, Appended::Stored(_));
    if answers.iter().all(stored) {
        Ok(())
    } else {
        Err(format!("not stored: {answers:?}").into())
    }
}

fn message(room: RoomId, sender: UserId, now: Timestamp) -> NewChatMessage {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let text = format!("سلام، این پیام شماره {n} است و چند کلمه دارد.");
    NewChatMessage {
        room,
        revision: 1,
        sender,
        client_id: Some(format!("7f3b1c52-0000-4000-8000-{n:012}")),
        fingerprint: [7; 32],
        message_type: MessageType::Text,
        folded_text: text.clone(),
        text,
        reply_to: None,
        attachment: None,
        now,
    }
}

async fn sign_up(store: &DieselStore, run: i64, now: Timestamp) -> Result<UserId> {
    let number = format!("09{:09}", run % 1_000_000_000).parse()?;
    let later = Timestamp::from_millis(now.as_millis() + 60_000);
    let code = NewCode {
        id: CodeId(run),
        mobile_number: number,
        hash: [7; 32],
        created_at: now,
        expires_at: later,
    };
    store.reserve_code(&code).await?;
    let login = NewLogin {
        mobile_number: number,
        group: 0,
        may_sign_up: true,
        username: format!("speed{run}"),
        session: NewSession {
            key: format!("speed{run}"),
            refresh_hash: [7; 32],
            client: ClientInfo::default(),
            expires_at: later,
            at_most: None,
        },
        now,
    };
    match store.redeem_code(code.id, &login).await? {
        Redeemed::LoggedIn { user, .. } => Ok(user.id),
        other => Err(format!("not logged in: {other:?}").into()),
    }
}

async fn make_room(store: &DieselStore, owner: UserId, now: Timestamp) -> Result<RoomId> {
    let group = NewGroup {
        owner,
        name: "speed".to_owned(),
        description: None,
        avatar_url: None,
        members: Vec::new(),
        now,
    };
    match store.create_group(&group).await? {
        RoomOpened::New(room) => Ok(room),
        other => Err(format!("no room: {other:?}").into()),
    }
}
