//! Accounts with a password: making one, logging in, changing and resetting the password.
//!
//! A number is proven by a code that was sent to it, for making an account and for resetting a password,
//! and that is where strangers learn nothing: a code is sent whether the number has an account or not,
//! and only who has the right one is told. A login is answered in the same way, after the same work,
//! whether there is no such account, it has no password, another password, or may not be used.

use super::Chelseru;
use super::codes::RightCode;
use super::hashing::Place;
use crate::clock::Timestamp;
use crate::config::AuthMethod;
use crate::device::Client;
use crate::error::Error;
use crate::events::Event;
use crate::mobile::MobileNumber;
use crate::otp::{Code, CodePurpose};
use crate::password::{self, Password, PasswordHash, Verdict};
use crate::random;
use crate::service::CurrentUser;
use crate::session::SessionId;
use crate::store::{
    AccountName, NewAccount, NewPassword, NewSession, PasswordChange, PasswordReset,
    PasswordSession, Registered, StoreError,
};
use crate::token::TokenPair;
use crate::user::UserId;
use crate::username::Username;

/// How often a password is compared again because its hash was replaced meanwhile: by a login, after a
/// change of the settings, so hardly ever.
const COMPARISONS: usize = 3;

/// What makes an account.
#[derive(Clone, Debug)]
pub struct Registration<'a> {
    /// Whose code it is, and whose account it becomes.
    pub mobile_number: MobileNumber,
    /// The code that was sent for it, as it was typed.
    pub code: Code,
    /// The password.
    pub password: Password,
    /// The username; an opaque one if the client names none.
    pub username: Option<Username>,
    /// The account's group; 0 unless the client names one.
    pub group: i64,
    /// Where the request comes from.
    pub client: Client<'a>,
}

/// What logs in.
#[derive(Clone, Debug)]
pub struct PasswordLogin<'a> {
    /// Which account.
    pub account: AccountName,
    /// Its password, as it was typed.
    pub password: Password,
    /// Where the request comes from.
    pub client: Client<'a>,
}

/// What gives an account another password.
#[derive(Clone, Debug)]
pub struct PasswordResetting<'a> {
    /// Whose code it is.
    pub mobile_number: MobileNumber,
    /// The account's group; 0 unless the client names one.
    pub group: i64,
    /// The code that was sent for it, as it was typed.
    pub code: Code,
    /// The password that counts from now on.
    pub password: Password,
    /// Where the request comes from.
    pub client: Client<'a>,
}

impl Chelseru {
    /// Sends the code that [`register`](Self::register) asks for, in all else as
    /// [`send_code`](Self::send_code). It does not depend on whether the number has an account.
    ///
    /// # Errors
    ///
    /// As [`send_code`](Self::send_code).
    pub async fn send_registration_code(
        &self,
        mobile_number: MobileNumber,
        client: Client<'_>,
    ) -> Result<(), Error> {
        self.require_method(AuthMethod::Passwd)?;
        self.send_code_for(CodePurpose::Register, mobile_number, client)
            .await
    }

    /// Makes an account with a password and opens its first session.
    ///
    /// When the number has an account in that group, the code is used up, so that another one can be
    /// sent at once, to reset the password.
    ///
    /// # Errors
    ///
    /// [`Error::SignUpClosed`] and [`Error::WeakPassword`] before the code is looked at;
    /// [`Error::WrongCode`] for a code that is wrong, expired, used up or was never sent for this;
    /// [`Error::NumberTaken`] and [`Error::UsernameTaken`] only to who has the right code;
    /// [`Error::LimitReached`], [`Error::Overloaded`], [`Error::MethodNotConfigured`], [`Error::Store`].
    pub async fn register(&self, registration: Registration<'_>) -> Result<TokenPair, Error> {
        self.require_method(AuthMethod::Passwd)?;
        let Registration {
            mobile_number,
            group,
            client,
            ..
        } = registration;
        if !self.may_sign_up(group) {
            return Err(Error::SignUpClosed);
        }
        let mut known = vec![mobile_number.as_str()];
        known.extend(registration.username.as_ref().map(Username::as_str));
        self.check_password(&registration.password, &known)?;
        let place = self.inner.hashers.place()?;
        let now = self.now();
        let code = self
            .try_code(
                CodePurpose::Register,
                mobile_number,
                &registration.code,
                client,
            )
            .await?;
        let (session, refresh_jti) = self.fresh_session(client, now);
        let made = self
            .make_account(&code, registration, place, session, now)
            .await;
        let is_taken = matches!(made, Err(Error::NumberTaken));
        if is_taken {
            self.withdraw_code(mobile_number, code.id).await;
        }
        self.note_right_code(&code, made.is_ok() || is_taken).await;
        let (user, session, described) = made?;
        self.tell(Event::LoggedIn {
            user,
            session,
            is_new: true,
            client: described.client,
        });
        Ok(self.first_pair(user, session, &refresh_jti, now))
    }

    /// Exchanges an account's name and its password for a session.
    ///
    /// The try is counted before the password is compared and given back when it is right. A hash that
    /// Django made, or that has other parameters than the settings say, is replaced on the way.
    ///
    /// # Errors
    ///
    /// [`Error::NoActiveAccount`], whatever of it is wrong; [`Error::LimitReached`],
    /// [`Error::Overloaded`], [`Error::MethodNotConfigured`], [`Error::Store`].
    pub async fn log_in_by_password(&self, login: PasswordLogin<'_>) -> Result<TokenPair, Error> {
        self.require_method(AuthMethod::Passwd)?;
        let PasswordLogin {
            account,
            password,
            client,
        } = login;
        let now = self.now();
        let permit = self.permit_login(&account, client.address).await?;
        let found = self.compare(&account, password).await;
        if matches!(found, Err(Error::Overloaded)) {
            self.give_back(&permit).await;
        }
        let opened = match found? {
            Some(compared) => self.open_password_session(compared, client, now).await?,
            None => None,
        };
        let Some(tokens) = opened else {
            let mobile_number = match account {
                AccountName::Number { mobile_number, .. } => Some(mobile_number),
                AccountName::Id(_) | AccountName::Username { .. } => None,
            };
            self.tell(Event::LoginRefused { mobile_number });
            return Err(Error::NoActiveAccount);
        };
        self.give_back(&permit).await;
        Ok(tokens)
    }

    /// Gives the user another password and ends all of the user's sessions but the current one.
    ///
    /// # Errors
    ///
    /// [`Error::WrongPassword`] when `old` is not the present password, also where there is none: a reset
    /// sets the first one; [`Error::WeakPassword`], [`Error::LimitReached`], [`Error::Overloaded`],
    /// [`Error::MethodNotConfigured`], [`Error::Store`].
    pub async fn change_password(
        &self,
        user: &CurrentUser,
        old: Password,
        new: Password,
    ) -> Result<(), Error> {
        self.require_method(AuthMethod::Passwd)?;
        self.check_password(&new, &[user.mobile_number.as_str(), &user.username])?;
        let permit = self.permit_change(user.id).await?;
        let changed = self.exchange_password(user, &old, new).await;
        if matches!(changed, Ok(true) | Err(Error::Overloaded)) {
            self.give_back(&permit).await;
        }
        if !changed? {
            return Err(Error::WrongPassword);
        }
        self.tell(Event::PasswordChanged {
            user: user.id,
            was_reset: false,
        });
        Ok(())
    }

    /// Sends the code that [`reset_password`](Self::reset_password) asks for, in all else as
    /// [`send_code`](Self::send_code). It does not depend on whether the number has an account.
    ///
    /// # Errors
    ///
    /// As [`send_code`](Self::send_code).
    pub async fn send_reset_code(
        &self,
        mobile_number: MobileNumber,
        client: Client<'_>,
    ) -> Result<(), Error> {
        self.require_method(AuthMethod::Passwd)?;
        self.send_code_for(CodePurpose::ResetPassword, mobile_number, client)
            .await
    }

    /// Gives an account another password, or its first one, ends all of its sessions and opens a new one:
    /// the code proves as much as it does at a login, and so who keeps guessing somebody's password keeps
    /// nobody out.
    ///
    /// # Errors
    ///
    /// [`Error::WeakPassword`] before the code is looked at; [`Error::WrongCode`] for a code that is
    /// wrong, expired, used up or was never sent for this; [`Error::NoAccount`] and
    /// [`Error::UserInactive`] only to who has the right code, which is not used up then;
    /// [`Error::LimitReached`], [`Error::Overloaded`], [`Error::MethodNotConfigured`], [`Error::Store`].
    pub async fn reset_password(&self, reset: PasswordResetting<'_>) -> Result<TokenPair, Error> {
        self.require_method(AuthMethod::Passwd)?;
        let PasswordResetting {
            mobile_number,
            group,
            code,
            password,
            client,
        } = reset;
        self.check_password(&password, &[mobile_number.as_str()])?;
        let place = self.inner.hashers.place()?;
        let now = self.now();
        let code = self
            .try_code(CodePurpose::ResetPassword, mobile_number, &code, client)
            .await?;
        let (session, refresh_jti) = self.fresh_session(client, now);
        let done = match place.hash(password).await {
            Ok(password) => {
                let password = NewPassword {
                    mobile_number,
                    group,
                    password,
                    session: session.clone(),
                    now,
                };
                self.set_password(&code, &password).await
            }
            Err(error) => Err(error),
        };
        self.note_right_code(&code, done.is_ok()).await;
        let (user, opened) = done?;
        self.account_changed(user);
        self.tell(Event::PasswordChanged {
            user,
            was_reset: true,
        });
        self.tell(Event::LoggedIn {
            user,
            session: opened,
            is_new: false,
            client: session.client,
        });
        Ok(self.first_pair(user, opened, &refresh_jti, now))
    }

    /// What hashing has cost so far.
    #[cfg(any(test, feature = "testing"))]
    pub fn password_work(&self) -> crate::password::PasswordWork {
        self.inner.hashers.work()
    }

    fn check_password(&self, password: &Password, known: &[&str]) -> Result<(), Error> {
        let min_length = self.config().auth.passwords.min_length;
        Ok(password::check(password, min_length, known)?)
    }

    async fn make_account(
        &self,
        code: &RightCode,
        registration: Registration<'_>,
        place: Place<'_>,
        session: NewSession,
        now: Timestamp,
    ) -> Result<(UserId, SessionId, NewSession), Error> {
        let chosen = registration.username;
        let is_chosen = chosen.is_some();
        let (username, username_key) = if let Some(chosen) = chosen {
            (chosen.as_str().to_owned(), Some(chosen.key().to_owned()))
        } else {
            let made = self.new_username(registration.mobile_number, registration.group);
            (made, None)
        };
        let account = NewAccount {
            mobile_number: registration.mobile_number,
            group: registration.group,
            username,
            username_key,
            password: place.hash(registration.password).await?,
            session,
            now,
        };
        match self.store().register(code.id, &account).await? {
            Registered::Done { user, session } => Ok((user.id, session, account.session)),
            Registered::AlreadyUsed => Err(Error::WrongCode),
            Registered::NumberTaken => Err(Error::NumberTaken),
            Registered::UsernameTaken if is_chosen => Err(Error::UsernameTaken),
            Registered::UsernameTaken => {
                Err(StoreError::Fault("a random username was taken".into()).into())
            }
        }
    }

    async fn set_password(
        &self,
        code: &RightCode,
        password: &NewPassword,
    ) -> Result<(UserId, SessionId), Error> {
        match self.store().reset_password(code.id, password).await? {
            PasswordReset::Done { user, session } => Ok((user.id, session)),
            PasswordReset::AlreadyUsed => Err(Error::WrongCode),
            PasswordReset::NoAccount => Err(Error::NoAccount),
            PasswordReset::Inactive => Err(Error::UserInactive),
        }
    }

    /// False when `old` is not the present password.
    async fn exchange_password(
        &self,
        user: &CurrentUser,
        old: &Password,
        new: Password,
    ) -> Result<bool, Error> {
        let account = AccountName::Id(user.id);
        let mut hashed = None;
        for _ in 0..COMPARISONS {
            let Some(compared) = self.compare(&account, old.clone()).await? else {
                return Ok(false);
            };
            let to = match hashed.take() {
                Some(hash) => hash,
                None => self.inner.hashers.place()?.hash(new.clone()).await?,
            };
            let change = PasswordChange {
                user: user.id,
                from: compared.verified,
                to,
                keep: user.session,
                now: self.now(),
            };
            if self.store().change_password(&change).await? {
                self.account_changed(user.id);
                return Ok(true);
            }
            hashed = Some(change.to);
        }
        Ok(false)
    }

    /// Whether the password is the account's, with the same work whatever is found.
    async fn compare(
        &self,
        account: &AccountName,
        password: Password,
    ) -> Result<Option<Compared>, Error> {
        let found = self.store().find_password(account).await?;
        let (user, kept) = match found {
            Some((user, kept)) => (Some(user), kept),
            None => (None, None),
        };
        let place = self.inner.hashers.place()?;
        let verdict = place.verify(password, kept.clone()).await?;
        let replacement = match verdict {
            Verdict::Wrong => return Ok(None),
            Verdict::Right => None,
            Verdict::RightAndRehashed(hash) => Some(hash),
        };
        let account = user.filter(|user| user.is_active).zip(kept);
        Ok(account.map(|(user, verified)| Compared {
            user: user.id,
            verified,
            replacement,
        }))
    }

    /// `None` when the password was changed or the account shut since it was compared.
    async fn open_password_session(
        &self,
        compared: Compared,
        client: Client<'_>,
        now: Timestamp,
    ) -> Result<Option<TokenPair>, Error> {
        let (session, refresh_jti) = self.fresh_session(client, now);
        let login = PasswordSession {
            user: compared.user,
            verified: compared.verified,
            replacement: compared.replacement,
            session,
            now,
        };
        let Some(session) = self.store().open_password_session(&login).await? else {
            return Ok(None);
        };
        self.session_opened(login.user);
        self.tell(Event::LoggedIn {
            user: login.user,
            session,
            is_new: false,
            client: login.session.client,
        });
        Ok(Some(self.first_pair(
            login.user,
            session,
            &refresh_jti,
            now,
        )))
    }

    fn fresh_session(&self, client: Client<'_>, now: Timestamp) -> (NewSession, String) {
        let mut rng = rand::rng();
        let (key, refresh_jti) = (random::token_id(&mut rng), random::token_id(&mut rng));
        (
            self.new_session(key, &refresh_jti, client, now),
            refresh_jti,
        )
    }

    fn first_pair(
        &self,
        user: UserId,
        session: SessionId,
        refresh_jti: &str,
        now: Timestamp,
    ) -> TokenPair {
        let refresh = self.refresh_token(user, session, refresh_jti, now, now);
        self.pair(user, session, Some(refresh), now)
    }
}

/// A right password of an account that may be used.
struct Compared {
    user: UserId,
    verified: PasswordHash,
    replacement: Option<PasswordHash>,
}

#[cfg(test)]
mod tests {
    use super::{PasswordLogin, PasswordResetting, Registration};
    use crate::config::{AuthMethod, Config};
    use crate::device::Client;
    use crate::error::Error;
    use crate::mobile::MobileNumber;
    use crate::service::Chelseru;
    use crate::store::{AccountName, MemoryStore};
    use crate::testing::{ManualClock, StubProvider};

    struct Fixture {
        service: Chelseru,
        sms: StubProvider,
        number: MobileNumber,
    }

    fn fixture() -> Fixture {
        let config = Config::builder()
            .signing_key("a key of at least 32 bytes, for tests")
            .auth_method(AuthMethod::Passwd)
            .password_memory_kib(1024)
            .password_iterations(1)
            .password_max_concurrent(1)
            .login_failures_per_user_per_hour(3)
            .build()
            .unwrap();
        let sms = StubProvider::new();
        let service = Chelseru::builder(config)
            .store(MemoryStore::new())
            .sms(sms.clone())
            .clock(ManualClock::default())
            .build()
            .unwrap();
        Fixture {
            service,
            sms,
            number: "09121234567".parse().unwrap(),
        }
    }

    impl Fixture {
        fn registration(&self) -> Registration<'static> {
            let code = self.sms.last_code_for(self.number.as_str()).unwrap();
            Registration {
                mobile_number: self.number,
                code: code.parse().unwrap(),
                password: "x7kq!m2pd".parse().unwrap(),
                username: None,
                group: 0,
                client: Client::default(),
            }
        }

        fn resetting(&self) -> PasswordResetting<'static> {
            let Registration { code, password, .. } = self.registration();
            PasswordResetting {
                mobile_number: self.number,
                group: 0,
                code,
                password,
                client: Client::default(),
            }
        }

        fn login(&self) -> PasswordLogin<'static> {
            PasswordLogin {
                account: AccountName::Number {
                    mobile_number: self.number,
                    group: 0,
                },
                password: "x7kq!m2pd".parse().unwrap(),
                client: Client::default(),
            }
        }
    }

    #[tokio::test]
    async fn who_is_refused_because_too_many_wait_loses_nothing() {
        let fixture = fixture();
        let service = &fixture.service;
        let full = || {
            let places = std::iter::repeat_with(|| service.inner.hashers.place());
            places.map_while(Result::ok).collect::<Vec<_>>()
        };
        let client = Client::default();
        service
            .send_registration_code(fixture.number, client)
            .await
            .unwrap();
        let places = full();
        for _ in 0..10 {
            let refused = service.register(fixture.registration()).await;
            assert!(matches!(refused, Err(Error::Overloaded)), "{refused:?}");
        }
        drop(places);
        service.register(fixture.registration()).await.unwrap();

        service
            .send_reset_code(fixture.number, client)
            .await
            .unwrap();
        let places = full();
        for _ in 0..10 {
            let refused = service.reset_password(fixture.resetting()).await;
            assert!(matches!(refused, Err(Error::Overloaded)), "{refused:?}");
            let refused = service.log_in_by_password(fixture.login()).await;
            assert!(matches!(refused, Err(Error::Overloaded)), "{refused:?}");
        }
        drop(places);
        service.reset_password(fixture.resetting()).await.unwrap();
        service.log_in_by_password(fixture.login()).await.unwrap();
    }
}
