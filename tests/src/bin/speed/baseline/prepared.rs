//! Diesel prepares updates and upserts anew each time they run: their text may depend on the values.
//! Ours never does.

use diesel::SqliteConnection;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sqlite::Sqlite;

/// A statement that stays prepared, found again by its text. Only where it returns something: `execute`
/// hands Diesel a reference, which does not know of this.
pub(super) struct Prepared<T>(pub(super) T);

impl<T: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Prepared<T> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &Sqlite) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<T> QueryId for Prepared<T> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T: Query> Query for Prepared<T> {
    type SqlType = T::SqlType;
}

impl<T> diesel::RunQueryDsl<SqliteConnection> for Prepared<T> {}
