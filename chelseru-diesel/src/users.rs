//! Accounts.

use async_trait::async_trait;
use chelseru_core::store::{StoreResult, UserStore};
use chelseru_core::{MobileNumber, User, UserId};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::select;
use diesel_async::RunQueryDsl;

use crate::DieselStore;
use crate::prepared::Prepare;
use crate::rows::UserRow;
use crate::run::run;
use crate::schema::chelseru_users as users;

#[async_trait]
impl UserStore for DieselStore {
    async fn find_user(&self, id: UserId) -> StoreResult<Option<User>> {
        run!(self, read, |connection| {
            let row = users::table
                .find(id.0)
                .select(UserRow::as_select())
                .first(connection)
                .await
                .optional()?;
            row.map(User::try_from).transpose()
        })
    }

    async fn find_user_by_name(&self, username: &str) -> StoreResult<Option<User>> {
        let username = username.to_owned();
        run!(self, read, |connection| {
            let row = users::table
                .filter(users::username.eq(username))
                .select(UserRow::as_select())
                .first(connection)
                .await
                .optional()?;
            row.map(User::try_from).transpose()
        })
    }

    async fn is_known_number(&self, mobile_number: MobileNumber) -> StoreResult<bool> {
        run!(self, read, |connection| {
            let known = users::table
                .filter(users::mobile_number.eq(mobile_number.as_str()))
                .filter(users::is_active.eq(true));
            select(exists(known)).get_result(connection).await
        })
    }

    async fn set_user_active(&self, id: UserId, active: bool) -> StoreResult<bool> {
        run!(self, write, |connection| {
            let changed = diesel::update(users::table.find(id.0))
                .set(users::is_active.eq(active))
                .prepared()
                .execute(connection)
                .await?;
            Ok(changed == 1)
        })
    }
}
