//! The real thing, with people in rooms.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::web;
use async_trait::async_trait;
use chelseru_core::config::PumpingGuard;
use chelseru_core::sms::{Content, Sent, Sms, SmsError, SmsProvider};
use chelseru_core::store::{NewGroup, RoomOpened};
use chelseru_core::{Chelseru, Client, Clock, Config, Login, MobileNumber, SystemClock, UserId};
use chelseru_diesel::DieselStore;
use futures_util::future::try_join_all;

use super::{ACKNOWLEDGED_ROOMS, ROOMS};
use crate::Result;
use crate::serve::Front;

/// How many log in at once: they share commits.
const AT_ONCE: usize = 100;

/// Somebody who is logged in.
struct Person {
    id: UserId,
    access: String,
}

pub(crate) fn serve(front: Front, database: &str) -> Result<()> {
    actix_web::rt::System::new().block_on(async {
        let config = Config::builder()
            .signing_key("a signing key of at least 32 bytes")
            .access_token_lifetime(Duration::from_secs(86_400))
            .otp_per_address_per_hour(0)
            .pumping_guard(PumpingGuard::Off)
            .chat_messages_per_user_per_minute(0)
            .chat_frames_per_socket_per_second(0)
            .chat_sockets_per_user(0)
            .build()?;
        let inbox = Inbox::default();
        let store = DieselStore::open(database).await?;
        let bus = store.bus();
        let chelseru = Chelseru::builder(config)
            .store(store)
            .bus(bus)
            .sms(inbox.clone())
            .build()?;
        let lines = prepare(&chelseru, &inbox).await?;
        front
            .serve(move |routes| {
                let prepared = web::get().to(move || std::future::ready(lines.clone()));
                routes
                    .service(chelseru_actix::scope("/api", &chelseru))
                    .route("/prepared", prepared);
            })
            .await
    })
}

/// Lets people log in and meet, and says which sockets they may open.
async fn prepare(chelseru: &Chelseru, inbox: &Inbox) -> Result<String> {
    let most = ROOMS.into_iter().max().unwrap_or(0);
    // Another prefix for each run on one database, so that nobody's numbers are used up.
    let first = u64::try_from(SystemClock.now().as_secs())? % 90_000 * 10_000;
    let mut people = Vec::new();
    for chunk in (0..most as u64).collect::<Vec<_>>().chunks(AT_ONCE) {
        let logins = chunk.iter().map(|n| log_in(chelseru, inbox, first + n));
        people.extend(try_join_all(logins).await?);
    }
    let mut lines = String::new();
    for size in ROOMS {
        let members = people.get(..size).unwrap_or_default();
        let room = group(chelseru, members).await?;
        for member in members {
            writeln!(lines, "{size} {}", path(room, member))?;
        }
    }
    for pair in people.chunks_exact(2).take(ACKNOWLEDGED_ROOMS) {
        let room = group(chelseru, pair).await?;
        writeln!(
            lines,
            "ack {} {}",
            path(room, &pair[0]),
            path(room, &pair[1])
        )?;
    }
    Ok(lines)
}

fn path(room: i64, person: &Person) -> String {
    format!("/api/chat/{room}/?token={}", person.access)
}

async fn log_in(chelseru: &Chelseru, inbox: &Inbox, n: u64) -> Result<Person> {
    let mobile_number: MobileNumber = format!("09{n:09}").parse()?;
    chelseru.send_code(mobile_number, Client::default()).await?;
    let login = Login {
        mobile_number,
        code: inbox.code_of(mobile_number).ok_or("no code")?.parse()?,
        group: 0,
        client: Client::default(),
    };
    let access = chelseru.log_in(login).await?.access;
    let user = chelseru.authenticate(&access, Client::default()).await?;
    Ok(Person {
        id: user.id,
        access,
    })
}

async fn group(chelseru: &Chelseru, members: &[Person]) -> Result<i64> {
    let owner = members.first().ok_or("a group needs an owner")?.id;
    let group = NewGroup {
        owner,
        name: "speed".to_owned(),
        description: None,
        avatar_url: None,
        members: members.iter().map(|member| member.id).collect(),
        now: SystemClock.now(),
    };
    match chelseru.store().create_group(&group).await? {
        RoomOpened::New(room) | RoomOpened::Known(room) => Ok(room.0),
        RoomOpened::UnknownUser(_) => Err("a member is unknown".into()),
    }
}

/// Keeps the texts.
#[derive(Clone, Debug, Default)]
struct Inbox(Arc<Mutex<Vec<(MobileNumber, String)>>>);

impl Inbox {
    fn code_of(&self, number: MobileNumber) -> Option<String> {
        let texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, text) = texts.iter().rev().find(|(to, _)| *to == number)?;
        let digits = text.split(|char: char| !char.is_ascii_digit());
        digits.max_by_key(|digits| digits.len()).map(str::to_owned)
    }
}

#[async_trait]
impl SmsProvider for Inbox {
    fn name(&self) -> &'static str {
        "INBOX"
    }

    async fn send(&self, sms: &Sms) -> std::result::Result<Sent, SmsError> {
        if let Content::Text(text) = &sms.content {
            let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            texts.push((sms.to, text.clone()));
        }
        Ok(Sent::default())
    }
}
