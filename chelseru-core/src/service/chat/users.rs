//! Finding somebody to write to.

use crate::Chelseru;
use crate::chat::Sender;
use crate::error::Error;
use crate::service::CurrentUser;

impl Chelseru {
    /// The active user of exactly that name, for who wants to write to somebody.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::LimitReached`], [`Error::Store`].
    pub async fn find_user_by_name(
        &self,
        user: &CurrentUser,
        username: &str,
    ) -> Result<Sender, Error> {
        self.permit_lookup(user.id).await?;
        if username.contains('\0') {
            // No name has one, and not every database can even be asked.
            return Err(Error::NotFound);
        }
        let found = self.store().find_user_by_name(username).await?;
        let found = found.filter(|found| found.is_active);
        let found = found.ok_or(Error::NotFound)?;
        Ok(Sender {
            id: found.id,
            username: found.username,
        })
    }
}
