//! Requests with an idempotency key: the same key is the same message, however often it is asked for.

use std::fmt;

use super::super::Chelseru;
use super::Message;
use crate::error::Error;
use crate::keyed_hash::KeyedHashes;
use crate::store::{NewSmsRequest, SmsClaim, SmsRequestId, SmsStatus};
use crate::user::UserId;

/// The longest key that is taken.
const LONGEST_KEY: usize = 255;

/// A caller's own name for a message: visible ASCII, 1 to 255 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// The text is no idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 255 visible ASCII characters")]
pub struct InvalidIdempotencyKey;

impl std::str::FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    /// Takes the bare key, and the quoted string of the header's draft standard
    /// (draft-ietf-httpapi-idempotency-key-header).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let key = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .unwrap_or(text);
        let is_right = (1..=LONGEST_KEY).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_graphic());
        is_right
            .then(|| Self(key.to_owned()))
            .ok_or(InvalidIdempotencyKey)
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What to do with a request.
pub(super) enum Admitted {
    /// Send it, and settle this.
    Send(Option<SmsRequestId>),
    /// It was sent before.
    SentBefore,
}

impl Chelseru {
    /// Claims the key of a message, if it has one.
    pub(super) async fn admit(&self, user: UserId, message: &Message) -> Result<Admitted, Error> {
        let Some(key) = &message.idempotency_key else {
            return Ok(Admitted::Send(None));
        };
        let fingerprints = Fingerprints::of(message, &self.inner.requests);
        let mut request = NewSmsRequest {
            user,
            key: key.0.clone(),
            fingerprint: fingerprints.current,
            now: self.now(),
        };
        let mut claim = self.store().claim_sms_request(&request).await?;
        // The first request may have come before the signing key was changed.
        for fingerprint in fingerprints.previous {
            if !matches!(claim, SmsClaim::OtherMessage) {
                break;
            }
            request.fingerprint = fingerprint;
            claim = self.store().claim_sms_request(&request).await?;
        }
        match claim {
            SmsClaim::Yours(id) => Ok(Admitted::Send(Some(id))),
            SmsClaim::Taken(SmsStatus::Accepted) => Ok(Admitted::SentBefore),
            SmsClaim::Taken(SmsStatus::Sending) => Err(Error::RequestInProgress),
            SmsClaim::Taken(_) => Err(Error::SentUnderKey),
            SmsClaim::OtherMessage => Err(Error::KeyOfAnotherMessage),
        }
    }

    /// Notes what became of a claimed request.
    pub(super) async fn settle_request(&self, id: SmsRequestId, result: &Result<(), Error>) {
        let status = match result {
            Ok(()) => SmsStatus::Accepted,
            Err(Error::Sms(error)) if !error.is_certain() => SmsStatus::Unknown,
            // What else can go wrong does so before anything is sent.
            Err(_) => SmsStatus::NotSent,
        };
        if let Err(error) = self.store().settle_sms_request(id, status).await {
            tracing::error!(request = id.0, ?error, "a request could not be settled");
        }
    }
}

/// Tells messages apart without keeping their texts.
pub(super) struct Fingerprints {
    pub(super) current: [u8; 32],
    /// Under the previous keys.
    previous: Vec<[u8; 32]>,
}

impl Fingerprints {
    pub(super) fn of(message: &Message, hashes: &KeyedHashes) -> Self {
        let template = message.template.as_ref().map_or("", |id| &id.0);
        let parts = [message.to.as_str(), template, &message.text];
        Self {
            current: hashes.of(&parts),
            previous: hashes.previous_of(&parts).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::IdempotencyKey;

    #[test]
    fn a_key_is_bare_or_quoted() {
        for text in ["7f3a-b", "\"7f3a-b\"", " 7f3a-b "] {
            assert_eq!(
                text.parse::<IdempotencyKey>().unwrap().to_string(),
                "7f3a-b"
            );
        }
    }

    #[test]
    fn a_key_of_nothing_or_with_anything_invisible_is_refused() {
        for text in ["", "\"\"", "a b", "کلید", "a\nb", &"x".repeat(256)] {
            assert!(text.parse::<IdempotencyKey>().is_err(), "{text:?}");
        }
        assert!("x".repeat(255).parse::<IdempotencyKey>().is_ok());
    }
}
