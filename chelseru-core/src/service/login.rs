//! Logging in with a code sent by SMS.

use super::Chelseru;
use super::limits::Series;
use crate::clock::Timestamp;
use crate::config::AuthMethod;
use crate::device::Client;
use crate::error::Error;
use crate::events::Event;
use crate::mobile::MobileNumber;
use crate::otp::Code;
use crate::random;
use crate::store::{CodeId, LiveCode, NewCode, NewLogin, Redeemed, Reservation};
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
        let now = self.now();
        let options = &self.config().auth.options;
        let (id, code) = self.new_code(mobile_number);
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
        if let Reservation::Live(live) = reservation {
            return self.send_again(mobile_number, client, live, now).await;
        }
        let series = Series {
            code: id,
            sent_before: 0,
            until: now + options.lifetime,
        };
        // After the reservation, so that asking while a code is live costs nothing.
        let permit = match self
            .permit_code(mobile_number, client.address, series)
            .await
        {
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

    /// A random code, or where codes are sent again one that can be made again from its id.
    fn new_code(&self, mobile_number: MobileNumber) -> (CodeId, Code) {
        let length = self.config().auth.options.length;
        let mut rng = rand::rng();
        let id = CodeId(random::id(&mut rng));
        let code = match self.resends_after() {
            Some(_) => Code::derived(&self.inner.repeatable_codes, mobile_number, id, length),
            None => Code::random(&mut rng, length),
        };
        (id, code)
    }

    /// Sends a live code once more, if it is time. The code stays as it is, whatever becomes of it.
    async fn send_again(
        &self,
        mobile_number: MobileNumber,
        client: Client<'_>,
        live: LiveCode,
        now: Timestamp,
    ) -> Result<(), Error> {
        let rest = live.until.since(now);
        let still_valid = Err(Error::CodeStillValid { wait: rest });
        let Some(code) = self.repeatable(mobile_number, &live) else {
            return still_valid;
        };
        let sent_before = self.sendings_of(live.id, live.until, now).await?;
        // Who sends it for the first time may yet withdraw it.
        if sent_before == 0 {
            return still_valid;
        }
        let series = Series {
            code: live.id,
            sent_before,
            until: live.until,
        };
        let permit = match self
            .permit_code(mobile_number, client.address, series)
            .await
        {
            Ok(permit) => permit,
            Err(Error::CodeStillValid { wait }) => {
                return Err(Error::CodeStillValid {
                    wait: wait.min(rest),
                });
            }
            Err(error) => return Err(error),
        };
        match self.deliver_code(mobile_number, &code).await {
            Ok(()) => {
                self.tell(Event::CodeSent { mobile_number });
                Ok(())
            }
            Err(Error::Sms(error)) if !error.is_certain() => Err(Error::CodePerhapsSent {
                error,
                wait: live.until.since(self.now()),
            }),
            Err(error) => {
                self.give_back(&permit).await;
                Err(error)
            }
        }
    }

    /// The code that is live, if it can be made again and has tries left.
    fn repeatable(&self, mobile_number: MobileNumber, live: &LiveCode) -> Option<Code> {
        self.resends_after()?;
        let auth = &self.config().auth;
        let most = auth.limits.otp_attempts;
        if most > 0 && live.attempts >= most {
            return None;
        }
        let key = &self.inner.repeatable_codes;
        let code = Code::derived(key, mobile_number, live.id, auth.options.length);
        let hashes = &self.inner.codes;
        let is_the_same = hashes.verify(mobile_number, &code, Some(&live.hash));
        is_the_same.then_some(code)
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
