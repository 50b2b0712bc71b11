//! Updates and upserts that stay prepared.
//!
//! Diesel prepares them anew each time they run, because their text may depend on their values: a
//! quarter of the work of a login on SQLite, and another round trip on PostgreSQL. Ours are found
//! again by their text, which is safe whatever it depends on.

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;

/// A statement whose preparation is kept.
pub(crate) struct Prepared<T>(T);

/// Ends a statement with `.prepared()`.
pub(crate) trait Prepare: Sized {
    fn prepared(self) -> Prepared<Self> {
        Prepared(self)
    }
}

impl<T> Prepare for T {}

impl<DB: Backend, T: QueryFragment<DB>> QueryFragment<DB> for Prepared<T> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

/// No static id: the text is the key.
impl<T> QueryId for Prepared<T> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T: Query> Query for Prepared<T> {
    type SqlType = T::SqlType;
}

/// Also for diesel itself: on a thread of the database there is no need to wait.
impl<T, C> diesel::RunQueryDsl<C> for Prepared<T> {}
