//! Logging in with a code sent by SMS.

use super::Chelseru;
use crate::clock::Timestamp;
use crate::config::AuthMethod;
use crate::device::Client;
use crate::error::Error;
use crate::events::Event;
use crate::mobile::MobileNumber;
use crate::otp::{Code, CodePurpose};
use crate::random;
use crate::store::{CodeId, NewLogin, Redeemed};
use crate::token::{TokenError, TokenPair};

/// What a login brings.
#[derive(Clone, Debug)]
pub struct Login<'a> {
    /// Whose code it is.
    pub mobile_number: MobileNumber,
    /// The code as it was typed.
    pub code: Code,
    /// The account's group; 0 unless the client names one.
    pub group: i64,
    /// Where the login comes from.
    pub client: Client<'a>,
}

impl Chelseru {
    /// Sends a one-time code to a number, for a client whose address has limits of its own.
    ///
    /// Of any number of calls at once exactly one sends. When the provider certainly did not send, the
    /// code is withdrawn and the next call may send; when it perhaps did, the code stays valid. Where the
    /// settings say so, a later call sends the same code again.
    ///
    /// Run it to its end: dropping it between reserving the code and the provider's answer leaves the
    /// number waiting for a code that may never come; so does a store whose answer to the reservation
    /// was lost.
    ///
    /// # Errors
    ///
    /// [`Error::CodeStillValid`], [`Error::Sms`] (not sent), [`Error::CodePerhapsSent`],
    /// [`Error::LimitReached`], [`Error::OverBudget`], [`Error::MethodNotConfigured`], [`Error::Store`].
    pub async fn send_code(
        &self,
        mobile_number: MobileNumber,
        client: Client<'_>,
    ) -> Result<(), Error> {
        self.require_otp()?;
        self.send_code_for(CodePurpose::Login, mobile_number, client)
            .await
    }

    /// Exchanges a code for a session.
    ///
    /// The try is counted before the code is compared, and given back to the limits of failures when the
    /// code is right. Of any number of calls at once with the right
    /// code exactly one opens a session.
    ///
    /// # Errors
    ///
    /// [`Error::WrongCode`] for a code that is wrong, expired, used up or was never sent;
    /// [`Error::SignUpClosed`] and [`Error::UserInactive`] only to who has the right code, which is
    /// not used up then; [`Error::LimitReached`], [`Error::MethodNotConfigured`], [`Error::Store`].
    pub async fn log_in(&self, login: Login<'_>) -> Result<TokenPair, Error> {
        self.require_otp()?;
        let now = self.now();
        let right = self
            .try_code(
                CodePurpose::Login,
                login.mobile_number,
                &login.code,
                login.client,
            )
            .await?;
        let opened = self.open_session(right.id, login, now).await;
        match &opened {
            Ok(_) => self.note_right_code(&right, true).await,
            Err(Error::SignUpClosed | Error::UserInactive) => {
                self.note_right_code(&right, false).await;
            }
            Err(_) => {}
        }
        opened
    }

    async fn open_session(
        &self,
        code: CodeId,
        login: Login<'_>,
        now: Timestamp,
    ) -> Result<TokenPair, Error> {
        let options = &self.config().auth.options;
        let (username, key, refresh_jti) = {
            let mut rng = rand::rng();
            (
                random::username(&mut rng),
                random::token_id(&mut rng),
                random::token_id(&mut rng),
            )
        };
        let login = NewLogin {
            mobile_number: login.mobile_number,
            group: login.group,
            may_sign_up: options
                .signup_groups
                .as_ref()
                .is_none_or(|groups| groups.contains(&login.group)),
            username,
            session: self.new_session(key, &refresh_jti, login.client, now),
            now,
        };
        match self.store().redeem_code(code, &login).await? {
            Redeemed::LoggedIn {
                user,
                session,
                is_new,
            } => {
                if login.session.at_most.is_some() {
                    // It may have ended another one.
                    self.hub().account_changed(user.id);
                }
                self.tell(Event::LoggedIn {
                    user: user.id,
                    session,
                    is_new,
                    client: login.session.client,
                });
                let refresh = self.refresh_token(user.id, session, &refresh_jti, now, now);
                Ok(self.pair(user.id, session, Some(refresh), now))
            }
            Redeemed::AlreadyUsed => Err(Error::WrongCode),
            Redeemed::SignUpClosed => Err(Error::SignUpClosed),
            Redeemed::Inactive => Err(Error::UserInactive),
        }
    }

    fn require_otp(&self) -> Result<(), Error> {
        match self.config().auth.method {
            AuthMethod::Otp => Ok(()),
            AuthMethod::Passwd => Err(Error::MethodNotConfigured),
        }
    }
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}
