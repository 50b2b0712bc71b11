//! The tables and statements of the baseline. All statements stay prepared.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::upsert::excluded;
use serde::Serialize;

use super::prepared::Prepared;

diesel::table! {
    codes (mobile_number) {
        mobile_number -> Text,
        hash -> Binary,
        attempts -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    sms_log (id) {
        id -> BigInt,
        mobile_number -> Text,
        status -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        mobile_number -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    sessions (id) {
        id -> BigInt,
        user_id -> BigInt,
        session_key -> Text,
        user_agent -> Text,
        ip_address -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

const SCHEMA: &str = "
    CREATE TABLE codes (mobile_number TEXT NOT NULL PRIMARY KEY, hash BLOB NOT NULL,
        attempts INTEGER NOT NULL, expires_at INTEGER NOT NULL);
    CREATE TABLE sms_log (id INTEGER PRIMARY KEY, mobile_number TEXT NOT NULL, status TEXT NOT NULL,
        created_at INTEGER NOT NULL);
    CREATE TABLE users (id INTEGER PRIMARY KEY, mobile_number TEXT NOT NULL UNIQUE,
        created_at INTEGER NOT NULL);
    CREATE TABLE sessions (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id),
        session_key TEXT NOT NULL, user_agent TEXT NOT NULL, ip_address TEXT NOT NULL,
        created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL);
    CREATE INDEX sessions_user_id ON sessions (user_id);";

/// The one connection.
pub(super) struct Database(SqliteConnection);

#[derive(Insertable)]
#[diesel(table_name = sessions)]
pub(super) struct NewSession<'a> {
    pub(super) session_key: &'a str,
    pub(super) user_agent: &'a str,
    pub(super) ip_address: &'a str,
    pub(super) created_at: i64,
    pub(super) expires_at: i64,
}

#[derive(Queryable, Serialize)]
pub(super) struct SessionRow {
    id: i64,
    user: i64,
    session_key: String,
    user_agent: String,
    ip_address: String,
    created_at: i64,
    expires_at: i64,
}

impl Database {
    pub(super) fn open(file: &str, synchronous: &str) -> crate::Result<Self> {
        let mut connection = SqliteConnection::establish(file)?;
        connection.batch_execute(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = ON;"
        ))?;
        connection.batch_execute(SCHEMA)?;
        Ok(Self(connection))
    }

    /// Keeps a code and notes the message that carries it.
    pub(super) fn keep_code(
        &mut self,
        number: &str,
        hash: &[u8],
        now: i64,
        expires_at: i64,
    ) -> QueryResult<()> {
        self.0.immediate_transaction(|connection| {
            let code = diesel::insert_into(codes::table)
                .values((
                    codes::mobile_number.eq(number),
                    codes::hash.eq(hash),
                    codes::attempts.eq(0),
                    codes::expires_at.eq(expires_at),
                ))
                .on_conflict(codes::mobile_number)
                .do_update()
                .set((
                    codes::hash.eq(excluded(codes::hash)),
                    codes::attempts.eq(excluded(codes::attempts)),
                    codes::expires_at.eq(excluded(codes::expires_at)),
                ))
                .returning(codes::attempts);
            Prepared(code).get_result::<i64>(connection)?;
            diesel::insert_into(sms_log::table)
                .values((
                    sms_log::mobile_number.eq(number),
                    sms_log::status.eq("accepted"),
                    sms_log::created_at.eq(now),
                ))
                .execute(connection)?;
            Ok(())
        })
    }

    /// Counts the try; with the right code opens a session, and says whose and which.
    pub(super) fn log_in(
        &mut self,
        number: &str,
        hash: &[u8],
        session: &NewSession<'_>,
    ) -> QueryResult<Option<(i64, i64)>> {
        self.0.immediate_transaction(|connection| {
            let counted = diesel::update(codes::table.find(number))
                .filter(codes::expires_at.gt(session.created_at))
                .set(codes::attempts.eq(codes::attempts + 1))
                .returning(codes::hash);
            let expected = Prepared(counted)
                .get_result::<Vec<u8>>(connection)
                .optional()?;
            if expected.as_deref() != Some(hash) {
                return Ok(None);
            }
            diesel::delete(codes::table.find(number)).execute(connection)?;
            let user = diesel::insert_into(users::table)
                .values((
                    users::mobile_number.eq(number),
                    users::created_at.eq(session.created_at),
                ))
                .on_conflict(users::mobile_number)
                .do_update()
                .set(users::mobile_number.eq(excluded(users::mobile_number)))
                .returning(users::id);
            let user = Prepared(user).get_result::<i64>(connection)?;
            let id = diesel::insert_into(sessions::table)
                .values((sessions::user_id.eq(user), session))
                .returning(sessions::id)
                .get_result::<i64>(connection)?;
            Ok(Some((user, id)))
        })
    }

    /// The account's sessions, the newest first.
    pub(super) fn sessions(&mut self, user: i64, now: i64) -> QueryResult<Vec<SessionRow>> {
        sessions::table
            .filter(sessions::user_id.eq(user))
            .filter(sessions::expires_at.gt(now))
            .order(sessions::id.desc())
            .load(&mut self.0)
    }
}
