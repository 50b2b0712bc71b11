//! The few words in which the two databases differ.

use crate::{postgres, sqlite};

/// What a connection's database calls things.
pub(crate) trait Dialect {
    /// At the end of a query: its accounts stay until the end of the transaction.
    const KEEP: &'static str;
    /// At the end of a query: nobody else changes its rows before the end of the transaction.
    const LOCK: &'static str;
    /// At the end of a query: rows that somebody else changes are left out, the others are locked.
    const SKIP_LOCKED: &'static str;
    /// The function that gives the place of a text in another, or 0.
    const PLACE: &'static str;
}

/// One writer at a time: nothing needs a lock.
impl Dialect for sqlite::Connection {
    const KEEP: &'static str = "";
    const LOCK: &'static str = "";
    const SKIP_LOCKED: &'static str = "";
    const PLACE: &'static str = "instr";
}

impl Dialect for postgres::Connection {
    const KEEP: &'static str = "FOR KEY SHARE";
    const LOCK: &'static str = "FOR NO KEY UPDATE";
    const SKIP_LOCKED: &'static str = "FOR UPDATE SKIP LOCKED";
    const PLACE: &'static str = "strpos";
}

pub(super) fn keep<C: Dialect>(_: &C) -> &'static str {
    C::KEEP
}

pub(super) fn lock<C: Dialect>(_: &C) -> &'static str {
    C::LOCK
}

pub(crate) fn skip_locked<C: Dialect>(_: &C) -> &'static str {
    C::SKIP_LOCKED
}

pub(super) fn place<C: Dialect>(_: &C) -> &'static str {
    C::PLACE
}

/// `$3, $4, $5`: so many binds from the one of that number on.
pub(super) fn binds(first: usize, count: usize) -> String {
    let binds: Vec<_> = (first..first + count).map(|n| format!("${n}")).collect();
    binds.join(", ")
}
