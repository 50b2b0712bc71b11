//! `sessions …`: the logins of an account, and their end.

use chelseru_core::store::Store;
use chelseru_core::{Clock, Config, Session, SessionId, SystemClock, Timestamp, UserId};
use serde::Serialize;

use super::table::{self, in_utc, or_dash};
use super::users::account;
use super::{Found, Refusal, database, in_one_line, print_json};
use crate::options::{EndOptions, ListOptions, SessionsCommand};
use crate::terminal::{print, tell};

#[derive(Serialize)]
struct Login {
    id: SessionId,
    created_at: Timestamp,
    last_seen: Timestamp,
    expires_at: Timestamp,
    ip_address: Option<String>,
    device: String,
    browser: String,
    user_agent: String,
}

impl From<Session> for Login {
    fn from(session: Session) -> Self {
        let client = session.client;
        Self {
            id: session.id,
            created_at: session.created_at,
            last_seen: session.last_seen,
            expires_at: session.expires_at,
            ip_address: Some(client.ip_address).filter(|address| !address.is_empty()),
            device: client.device,
            browser: client.browser,
            user_agent: client.user_agent,
        }
    }
}

pub(super) async fn run(command: &SessionsCommand, config: &Config) -> Result<Found, Refusal> {
    let store = database(&config.database).await?;
    match command {
        SessionsCommand::List(options) => list(options, &*store).await,
        SessionsCommand::End(options) => end(options, &*store).await,
    }
}

async fn list(options: &ListOptions, store: &dyn Store) -> Result<Found, Refusal> {
    let user = account(UserId(options.user), store).await?;
    if !user.is_active {
        tell("the account is kept out, and so are its sessions");
    }
    let sessions = store.list_sessions(user.id, SystemClock.now()).await?;
    let logins: Vec<_> = sessions.into_iter().map(Login::from).collect();
    if options.json {
        print_json(&logins)?;
    } else {
        print(&in_table(&logins));
    }
    Ok(Found::Well)
}

fn in_table(logins: &[Login]) -> String {
    let mut table = table::new(&[
        ">ID",
        "LOGIN (UTC)",
        "LAST SEEN (UTC)",
        "ENDS (UTC)",
        "ADDRESS",
        "DEVICE",
        "BROWSER",
    ]);
    for login in logins {
        table.add_row([
            login.id.0.to_string(),
            in_utc(login.created_at),
            in_utc(login.last_seen),
            in_utc(login.expires_at),
            or_dash(login.ip_address.as_deref().map(in_one_line)),
            in_one_line(&login.device),
            in_one_line(&login.browser),
        ]);
    }
    table::text(&table)
}

async fn end(options: &EndOptions, store: &dyn Store) -> Result<Found, Refusal> {
    let user = account(UserId(options.user), store).await?;
    let now = SystemClock.now();
    let ended = match options.session {
        None => store.end_sessions(user.id, None, now).await?,
        Some(session) => {
            let id = SessionId(session);
            if !store.end_session(user.id, id, now).await? {
                return Err(format!("account {} has no live session {session}", user.id.0).into());
            }
            1
        }
    };
    let sessions = if ended == 1 { "session" } else { "sessions" };
    print(&format!(
        "{ended} {sessions} of account {} ended",
        user.id.0
    ));
    Ok(Found::Well)
}
