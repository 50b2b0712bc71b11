//! Sending one-time codes and trying them, whatever they are for.

use std::net::IpAddr;

use super::Chelseru;
use super::limits::{Permit, Series};
use crate::clock::Timestamp;
use crate::device::Client;
use crate::error::Error;
use crate::events::Event;
use crate::mobile::MobileNumber;
use crate::otp::{Code, CodePurpose};
use crate::random;
use crate::store::{CodeId, LiveCode, NewCode, Reservation};

/// A code that was right, to be used up by the store.
#[must_use]
pub(super) struct RightCode {
    pub(super) id: CodeId,
    permit: Permit,
    address: Option<IpAddr>,
}

impl Chelseru {
    /// Sends a code that does one thing only: [`send_code`](Self::send_code) says how. It never depends on
    /// whether the number has an account.
    pub(super) async fn send_code_for(
        &self,
        purpose: CodePurpose,
        mobile_number: MobileNumber,
        client: Client<'_>,
    ) -> Result<(), Error> {
        let now = self.now();
        let options = &self.config().auth.options;
        if options.known_prefixes_only && !mobile_number.has_known_prefix() {
            return Err(Error::NumberNotAccepted);
        }
        let (id, code) = self.new_code(mobile_number);
        let reservation = self
            .store()
            .reserve_code(&NewCode {
                id,
                mobile_number,
                hash: self.inner.codes.hash(purpose, mobile_number, &code),
                created_at: now,
                expires_at: now + options.lifetime,
            })
            .await?;
        if let Reservation::Live(live) = reservation {
            return self
                .send_again(purpose, mobile_number, client, live, now)
                .await;
        }
        let series = Series {
            code: id,
            sent_before: 0,
            until: now + options.lifetime,
        };
        // After the reservation, so that asking while a code is live costs nothing.
        let permit = match self
            .permit_code(purpose, mobile_number, client.address, series)
            .await
        {
            Ok(permit) => permit,
            Err(error) => {
                self.withdraw_code(mobile_number, id).await;
                return Err(error);
            }
        };
        match self.hand_over_code(mobile_number, &code).await {
            Ok(()) => Ok(()),
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
        let code = match (self.test_code(mobile_number), self.resends_after()) {
            (Some(code), _) => code.clone(),
            (None, Some(_)) => {
                Code::derived(&self.inner.repeatable_codes, mobile_number, id, length)
            }
            (None, None) => Code::random(&mut rng, length),
        };
        (id, code)
    }

    /// The fixed code of a test number.
    fn test_code(&self, mobile_number: MobileNumber) -> Option<&Code> {
        self.inner.test_codes.get(&mobile_number)
    }

    /// Hands a code to a provider, and tells of it. Who has a test number knows the code.
    async fn hand_over_code(&self, mobile_number: MobileNumber, code: &Code) -> Result<(), Error> {
        if self.test_code(mobile_number).is_some() {
            tracing::info!(?mobile_number, "the code of a test number can be used");
            return Ok(());
        }
        self.deliver_code(mobile_number, code).await?;
        self.tell(Event::CodeSent { mobile_number });
        Ok(())
    }

    /// Sends a live code once more, if it is time. The code stays as it is, whatever becomes of it.
    async fn send_again(
        &self,
        purpose: CodePurpose,
        mobile_number: MobileNumber,
        client: Client<'_>,
        live: LiveCode,
        now: Timestamp,
    ) -> Result<(), Error> {
        let rest = live.until.since(now);
        let still_valid = Err(Error::CodeStillValid { wait: rest });
        let Some(code) = self.repeatable(purpose, mobile_number, &live) else {
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
            .permit_code(purpose, mobile_number, client.address, series)
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
        match self.hand_over_code(mobile_number, &code).await {
            Ok(()) => Ok(()),
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
    fn repeatable(
        &self,
        purpose: CodePurpose,
        mobile_number: MobileNumber,
        live: &LiveCode,
    ) -> Option<Code> {
        self.resends_after()?;
        let auth = &self.config().auth;
        let most = auth.limits.otp_attempts;
        if most > 0 && live.attempts >= most {
            return None;
        }
        let key = &self.inner.repeatable_codes;
        let code = Code::derived(key, mobile_number, live.id, auth.options.length);
        let hashes = &self.inner.codes;
        let is_the_same = hashes.verify(purpose, mobile_number, &code, Some(&live.hash));
        is_the_same.then_some(code)
    }

    pub(super) async fn withdraw_code(&self, mobile_number: MobileNumber, id: CodeId) {
        if let Err(error) = self.store().withdraw_code(mobile_number, id).await {
            tracing::error!(
                ?mobile_number,
                ?error,
                "a code that was not sent could not be withdrawn"
            );
        }
    }

    /// Counts a try and compares the code. What it is good for is then up to the store, which uses it up;
    /// [`note_right_code`](Self::note_right_code) is to be told what came of it.
    ///
    /// # Errors
    ///
    /// [`Error::WrongCode`], [`Error::LimitReached`], [`Error::Store`].
    pub(super) async fn try_code(
        &self,
        purpose: CodePurpose,
        mobile_number: MobileNumber,
        code: &Code,
        client: Client<'_>,
    ) -> Result<RightCode, Error> {
        let auth = &self.config().auth;
        // A code of another length cannot be right: a slip of the thumb that costs no try.
        let length = self.test_code(mobile_number).map(Code::len);
        if code.len() != length.unwrap_or(auth.options.length.into()) {
            return Err(Error::WrongCode);
        }
        let max_attempts = match auth.limits.otp_attempts {
            0 => i32::MAX.unsigned_abs(),
            limit => limit,
        };
        let address = client.address;
        let permit = self.permit_try(purpose, mobile_number, address).await?;
        let counted = self
            .store()
            .count_attempt(mobile_number, self.now(), max_attempts)
            .await?;
        let hash = counted.as_ref().map(|code| &code.hash);
        let is_right = self.inner.codes.verify(purpose, mobile_number, code, hash);
        let could_be_right = counted.is_some();
        if let Some(counted) = counted.filter(|_| is_right) {
            return Ok(RightCode {
                id: counted.id,
                permit,
                address,
            });
        }
        if !could_be_right {
            self.give_back_to_number(&permit).await;
        }
        self.tell(Event::CodeRefused { mobile_number });
        Err(Error::WrongCode)
    }

    /// Gives the try of a right code back, and tells the guard against pumping if the code was used up.
    pub(super) async fn note_right_code(&self, code: &RightCode, was_used: bool) {
        self.return_try(&code.permit, code.address, was_used).await;
    }
}
