//! Accounts, as an operator looks for them.

use async_trait::async_trait;
use chelseru_core::store::{StoreResult, UserSearch};
use chelseru_core::{MobileNumber, User};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::DieselStore;
use crate::rows::UserRow;
use crate::run::run;
use crate::schema::chelseru_users as users;

#[async_trait]
impl UserSearch for DieselStore {
    async fn find_users_with_number(&self, mobile_number: MobileNumber) -> StoreResult<Vec<User>> {
        run!(self, read, |connection| {
            let rows = users::table
                .filter(users::mobile_number.eq(mobile_number.as_str()))
                .order(users::group_id)
                .select(UserRow::as_select())
                .load(connection)
                .await?;
            rows.into_iter().map(User::try_from).collect()
        })
    }

    async fn find_user_named(&self, username: &str) -> StoreResult<Option<User>> {
        let username = username.to_owned();
        run!(self, read, |connection| {
            let row = users::table
                .filter(users::username.eq(username.as_str()))
                .select(UserRow::as_select())
                .first(connection)
                .await
                .optional()?;
            row.map(User::try_from).transpose()
        })
    }
}
