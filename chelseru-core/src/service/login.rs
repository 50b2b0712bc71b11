//! Logging in with a code sent by SMS.

use super::Chelseru;
use crate::clock::Timestamp;
use crate::config::AuthMethod;
use crate::device::Client;
use crate::error::Error;
use crate::events::Event;
use crate::mobile::MobileNumber;
use crate::otp::Code;
use crate::random;
use crate::store::{CodeId, NewCode, NewLogin, Redeemed, Reservation};
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
    /// code is withdrawn and the next call may send; when it perhaps did, the code stays valid.
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
        let now = self.now();
        let options = &self.config().auth.options;
        let (id, code) = {
            let mut rng = rand::rng();
            (
                CodeId(random::id(&mut rng)),
                Code::random(&mut rng, options.length),
            )
        };
        let reservation = self
            .store()
            .reserve_code(&NewCode {
                id,
                mobile_number,
                hash: self.inner.codes.hash(mobile_number, &code),
                created_at: now,
                expires_at: now + options.lifetime,
            })
            .await?;
        if let Reservation::Live { until } = reservation {
            return Err(Error::CodeStillValid {
                wait: until.since(now),
            });
        }
        // After the reservation, so that asking while a code is live costs nothing.
        let permit = match self.permit_code(mobile_number, client.address).await {
            Ok(permit) => permit,
            Err(error) => {
                self.withdraw_code(mobile_number, id).await;
                return Err(error);
            }
        };
        match self.deliver_code(mobile_number, &code).await {
            Ok(()) => {
                self.tell(Event::CodeSent { mobile_number });
                Ok(())
            }
            Err(Error::Sms(error)) if !error.is_certain() => Err(Error::CodePerhapsSent {
                error,
                wait: (now + options.lifetime).since(self.now()),
            }),
            Err(error) => {
                self.withdraw_code(mobile_number, id).await;
                self.give_back(&permit).await;
                Err(error)
            }
        }
    }

    async fn withdraw_code(&self, mobile_number: MobileNumber, id: CodeId) {
        if let Err(error) = self.store().withdraw_code(mobile_number, id).await {
            tracing::error!(
                ?mobile_number,
                ?error,
                "a code that was not sent could not be withdrawn"
            );
        }
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
        let auth = &self.config().auth;
        // A code of another length cannot be right: a slip of the thumb that costs no try.
        if login.code.len() != usize::from(auth.options.length) {
            return Err(Error::WrongCode);
        }
        let max_attempts = match auth.limits.otp_attempts {
            0 => i32::MAX.unsigned_abs(),
            limit => limit,
        };
        let address = login.client.address;
        let permit = self.permit_try(login.mobile_number, address).await?;
        let counted = self
            .store()
            .count_attempt(login.mobile_number, now, max_attempts)
            .await?;
        let hash = counted.as_ref().map(|code| &code.hash);
        let is_right = self
            .inner
            .codes
            .verify(login.mobile_number, &login.code, hash);
        let could_be_right = counted.is_some();
        let Some(code) = counted.filter(|_| is_right) else {
            if !could_be_right {
                self.give_back_to_number(&permit).await;
            }
            self.tell(Event::CodeRefused {
                mobile_number: login.mobile_number,
            });
            return Err(Error::WrongCode);
        };
        let opened = self.open_session(code.id, login, now).await;
        match &opened {
            Ok(_) => self.note_right_code(&permit, address, true).await,
            Err(Error::SignUpClosed | Error::UserInactive) => {
                self.note_right_code(&permit, address, false).await;
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
