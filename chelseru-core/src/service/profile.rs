//! What the owner of an account sees of it, and changes: the name, the number, and whether it is there at
//! all.

use serde::Serialize;

use super::{Chelseru, CurrentUser};
use crate::clock::Timestamp;
use crate::config::UsernameForm;
use crate::device::Client;
use crate::error::Error;
use crate::events::Event;
use crate::mobile::MobileNumber;
use crate::otp::{Code, CodePurpose};
use crate::random;
use crate::store::{Deletion, NameReplacement, NumberChange, NumberChanged, Rename, Renamed};
use crate::user::{User, UserId};
use crate::username::Username;

/// An account as its owner sees it; nobody else is shown the number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Profile {
    id: UserId,
    username: String,
    mobile_number: MobileNumber,
    group: i64,
    created_at: Timestamp,
}

impl From<User> for Profile {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            mobile_number: user.mobile_number,
            group: user.group,
            created_at: user.created_at,
        }
    }
}

impl Chelseru {
    /// The user's account.
    ///
    /// # Errors
    ///
    /// [`Error::UserNotFound`], [`Error::UserInactive`], [`Error::Store`].
    pub async fn profile(&self, user: &CurrentUser) -> Result<Profile, Error> {
        Ok(self.active_user(user.id).await?.into())
    }

    /// Gives the user a name. A name that is taken counts in the limit as well: who tries names to find out
    /// which there are does not get far.
    ///
    /// # Errors
    ///
    /// [`Error::UsernameTaken`], [`Error::LimitReached`], [`Error::UserNotFound`], [`Error::Store`].
    pub async fn rename(&self, user: &CurrentUser, username: Username) -> Result<Profile, Error> {
        self.permit_rename(user).await?;
        let rename = Rename {
            user: user.id,
            username,
            now: self.now(),
        };
        match self.store().rename_user(&rename).await? {
            Renamed::Done(renamed) => {
                self.account_changed(user.id);
                self.tell(Event::UsernameChanged { user: user.id });
                Ok(renamed.into())
            }
            Renamed::Taken => Err(Error::UsernameTaken),
            Renamed::Gone => Err(Error::UserNotFound),
        }
    }

    /// Sends a code to a number that is to be the user's. It does nothing but that, for this user alone,
    /// and what is answered does not depend on whether the number has an account.
    ///
    /// # Errors
    ///
    /// As [`send_code`](Self::send_code).
    pub async fn send_number_code(
        &self,
        user: &CurrentUser,
        mobile_number: MobileNumber,
        client: Client<'_>,
    ) -> Result<(), Error> {
        self.send_code_for(CodePurpose::ChangeNumber(user.id), mobile_number, client)
            .await
    }

    /// Gives the user the number that the code was sent to. The number is what logs in, so all other
    /// sessions of the user end.
    ///
    /// # Errors
    ///
    /// [`Error::WrongCode`], [`Error::LimitReached`]; [`Error::NumberTaken`] only to who has the right
    /// code, which is not used up then; [`Error::UserNotFound`], [`Error::UserInactive`],
    /// [`Error::Store`].
    pub async fn change_number(
        &self,
        user: &CurrentUser,
        mobile_number: MobileNumber,
        code: &Code,
        client: Client<'_>,
    ) -> Result<Profile, Error> {
        let purpose = CodePurpose::ChangeNumber(user.id);
        let right = self.try_code(purpose, mobile_number, code, client).await?;
        let before = self.active_user(user.id).await?;
        let change = NumberChange {
            user: user.id,
            mobile_number,
            username: self.name_without_number(&before, mobile_number),
            keep: user.session,
            now: self.now(),
        };
        let changed = self.store().change_number(right.id, &change).await?;
        let was_used = matches!(changed, NumberChanged::Done(_));
        self.note_right_code(&right, was_used).await;
        match changed {
            NumberChanged::Done(changed) => {
                self.account_changed(user.id);
                self.tell(Event::NumberChanged {
                    user: user.id,
                    from: before.mobile_number,
                    to: mobile_number,
                });
                Ok(changed.into())
            }
            NumberChanged::AlreadyUsed => Err(Error::WrongCode),
            NumberChanged::Taken => Err(Error::NumberTaken),
            NumberChanged::Gone => Err(Error::UserNotFound),
        }
    }

    /// Sends a code to the user's own number, with which the account can be deleted.
    ///
    /// # Errors
    ///
    /// As [`send_code`](Self::send_code), and [`Error::UserNotFound`], [`Error::UserInactive`].
    pub async fn send_deletion_code(
        &self,
        user: &CurrentUser,
        client: Client<'_>,
    ) -> Result<(), Error> {
        let number = self.active_user(user.id).await?.mobile_number;
        self.send_code_for(CodePurpose::DeleteAccount(user.id), number, client)
            .await
    }

    /// Deletes the user's account for good: its sessions end, its number is free and erased from the log
    /// of messages, its id and the name that was chosen for it are nobody's again.
    ///
    /// # Errors
    ///
    /// [`Error::WrongCode`], [`Error::LimitReached`], [`Error::UserNotFound`], [`Error::UserInactive`],
    /// [`Error::Store`].
    pub async fn delete_account(
        &self,
        user: &CurrentUser,
        code: &Code,
        client: Client<'_>,
    ) -> Result<(), Error> {
        let mobile_number = self.active_user(user.id).await?.mobile_number;
        let purpose = CodePurpose::DeleteAccount(user.id);
        let right = self.try_code(purpose, mobile_number, code, client).await?;
        let deletion = Deletion {
            user: user.id,
            mobile_number,
            now: self.now(),
        };
        let was_deleted = self.store().delete_user(right.id, &deletion).await?;
        self.note_right_code(&right, was_deleted).await;
        if !was_deleted {
            return Err(Error::WrongCode);
        }
        self.account_changed(user.id);
        self.tell(Event::AccountDeleted { user: user.id });
        Ok(())
    }

    /// The name of an account that is about to be made.
    pub(super) fn new_username(&self, mobile_number: MobileNumber, group: i64) -> String {
        match self.config().auth.options.username {
            UsernameForm::Opaque => random::username(&mut rand::rng()),
            UsernameForm::Package => name_of_number(mobile_number, group),
        }
    }

    /// What takes the place of a name that says the number before: it belongs to the next owner of that.
    fn name_without_number(&self, user: &User, next: MobileNumber) -> Option<NameReplacement> {
        let from = name_of_number(user.mobile_number, user.group);
        (user.username == from).then(|| NameReplacement {
            from,
            to: self.new_username(next, user.group),
        })
    }
}

/// The package's name for an account.
fn name_of_number(mobile_number: MobileNumber, group: i64) -> String {
    format!("G{group}-{mobile_number}")
}
