//! `users …`: find an account, keep it out, let it in.

use chelseru_core::store::Store;
use chelseru_core::{Clock, Config, SystemClock, Timestamp, User, UserId};
use serde::Serialize;

use super::table::{self, in_utc, or_dash};
use super::{Found, Refusal, database, in_one_line, print_json};
use crate::options::{FindOptions, UsersCommand};
use crate::terminal::print;

#[derive(Serialize)]
struct Account {
    id: UserId,
    /// In full: it is the operator who asks.
    mobile_number: String,
    group: i64,
    username: String,
    is_active: bool,
    created_at: Timestamp,
    /// How many there are; not known of an account that is kept out.
    sessions: Option<usize>,
}

pub(super) async fn run(command: &UsersCommand, config: &Config) -> Result<Found, Refusal> {
    let store = database(&config.database).await?;
    match command {
        UsersCommand::Find(options) => find(options, &*store).await,
        UsersCommand::Disable { id } => set_active(UserId(*id), false, &*store).await,
        UsersCommand::Enable { id } => set_active(UserId(*id), true, &*store).await,
    }
}

async fn find(options: &FindOptions, store: &dyn Store) -> Result<Found, Refusal> {
    let users = all_meant_by(options.who.trim(), store).await?;
    if users.is_empty() {
        let who = in_one_line(&options.who);
        return Err(format!("no account has the number, the name or the id {who}").into());
    }
    let now = SystemClock.now();
    let mut accounts = Vec::new();
    for user in users {
        let sessions = if user.is_active {
            Some(store.list_sessions(user.id, now).await?.len())
        } else {
            None
        };
        accounts.push(Account {
            id: user.id,
            mobile_number: user.mobile_number.to_string(),
            group: user.group,
            username: user.username,
            is_active: user.is_active,
            created_at: user.created_at,
            sessions,
        });
    }
    if options.json {
        print_json(&accounts)?;
    } else {
        print(&in_table(&accounts));
    }
    Ok(Found::Well)
}

/// What is a number for one may be a name or an id for another: all are found.
async fn all_meant_by(who: &str, store: &dyn Store) -> Result<Vec<User>, Refusal> {
    let mut users = Vec::new();
    if let Ok(number) = who.parse() {
        users.extend(store.find_users_with_number(number).await?);
    }
    users.extend(store.find_user_named(who).await?);
    if let Ok(id) = who.parse() {
        users.extend(store.find_user(UserId(id)).await?);
    }
    users.sort_by_key(|user| user.id);
    users.dedup_by_key(|user| user.id);
    Ok(users)
}

fn in_table(accounts: &[Account]) -> String {
    let mut table = table::new(&[
        ">ID",
        "NUMBER",
        ">GROUP",
        "USERNAME",
        "ACTIVE",
        "MADE (UTC)",
        ">SESSIONS",
    ]);
    for account in accounts {
        table.add_row([
            account.id.0.to_string(),
            account.mobile_number.clone(),
            account.group.to_string(),
            in_one_line(&account.username),
            if account.is_active { "yes" } else { "no" }.to_owned(),
            in_utc(account.created_at),
            or_dash(account.sessions),
        ]);
    }
    table::text(&table)
}

async fn set_active(id: UserId, active: bool, store: &dyn Store) -> Result<Found, Refusal> {
    if !store.set_user_active(id, active, SystemClock.now()).await? {
        return Err(no_account(id));
    }
    print(&if active {
        format!("account {} may log in again", id.0)
    } else {
        format!(
            "account {} is kept out, within a second on every server",
            id.0
        )
    });
    Ok(Found::Well)
}

/// The account with that id.
pub(super) async fn account(id: UserId, store: &dyn Store) -> Result<User, Refusal> {
    let user = store.find_user(id).await?;
    user.ok_or_else(|| no_account(id))
}

fn no_account(id: UserId) -> Refusal {
    format!("there is no account {}", id.0).into()
}
