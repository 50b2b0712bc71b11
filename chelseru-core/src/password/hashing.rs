//! Hashing passwords with argon2id, and comparing them with hashes of every kind.
//!
//! Whoever has a password compared cannot tell from the time whether there is an account, whether it
//! has a password, or of which kind its hash is: every comparison does the same work, which is one
//! argon2id hash with the parameters of the settings and as many iterations of PBKDF2 as the settings
//! allow Django's hashes. What a kept hash needs less is done on top.

use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq;

use super::django::{self, DjangoHash};
use super::{Password, PasswordHash};
use crate::config::PasswordsConfig;

/// Bytes of a hash, and of a salt.
const OUTPUT_BYTES: usize = 32;
pub(crate) const SALT_BYTES: usize = 16;

/// What a kept hash may cost at most, whatever its text says: as much as the settings may.
const MOST_KIB: u32 = PasswordsConfig::MOST_MEMORY_KIB;
const MOST_PASSES: u32 = PasswordsConfig::MOST_ITERATIONS;
const MOST_LANES: u32 = 16;

/// No memory for a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password could not be hashed")]
pub(crate) struct HashingFailed;

/// What a comparison found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is another password, or there is none to compare with.
    Wrong,
    /// It is the password.
    Right,
    /// It is the password, and its hash should be replaced by this one, which is as the settings say.
    RightAndRehashed(PasswordHash),
}

/// Work that was done, to show that it does not depend on who asked.
#[cfg(any(test, feature = "testing"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PasswordWork {
    /// KiB that argon2 went over.
    pub argon2_kib: u64,
    /// Iterations of PBKDF2.
    pub pbkdf2_iterations: u64,
}

/// Hashes as the settings say.
#[derive(Debug)]
pub(crate) struct Hashing {
    params: Params,
    /// The most iterations that a hash of Django may have.
    django_iterations: u32,
    argon2_kib: AtomicU64,
    pbkdf2_iterations: AtomicU64,
}

/// A hash that can be compared with.
enum Kept<'a> {
    Argon2 {
        params: Params,
        salt: Salt,
        output: Output,
    },
    Django(DjangoHash<'a>),
}

impl Hashing {
    pub(crate) fn new(config: &PasswordsConfig) -> Self {
        let params = Params::new(
            config.memory_kib,
            config.iterations,
            Params::DEFAULT_P_COST,
            Some(OUTPUT_BYTES),
        );
        Self {
            params: params.unwrap_or_else(|_| unreachable!("the settings were checked")),
            django_iterations: config.django_iterations,
            argon2_kib: AtomicU64::new(0),
            pbkdf2_iterations: AtomicU64::new(0),
        }
    }

    /// The hash to be kept.
    pub(crate) fn hash(
        &self,
        password: &Password,
        salt: [u8; SALT_BYTES],
    ) -> Result<PasswordHash, HashingFailed> {
        let output = self.argon2(&self.params, password, &salt, OUTPUT_BYTES)?;
        let hash = phc::PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&self.params).map_err(|_| HashingFailed)?,
            salt: Some(Salt::new(&salt).map_err(|_| HashingFailed)?),
            hash: Some(Output::new(&output).map_err(|_| HashingFailed)?),
        };
        Ok(PasswordHash(hash.to_string()))
    }

    /// Compares a password, in the same time whatever there is to compare with. Where it is right and
    /// its hash is of another kind or of other parameters, it is hashed anew with this salt.
    pub(crate) fn verify(
        &self,
        password: &Password,
        kept: Option<&PasswordHash>,
        salt: [u8; SALT_BYTES],
    ) -> Result<Verdict, HashingFailed> {
        let (is_right, is_current) = match kept.and_then(|kept| self.read(kept)) {
            Some(Kept::Argon2 {
                params,
                salt,
                output,
            }) => {
                let found = self.argon2(&params, password, &salt, output.len())?;
                self.make_up_for(&params, password)?;
                self.stretch(password, self.django_iterations);
                let is_right = found.ct_eq(output.as_bytes());
                (bool::from(is_right), self.is_current(&params))
            }
            Some(Kept::Django(hash)) => {
                let (expected, found) = hash.compare(password);
                self.count_stretch(hash.iterations);
                self.stretch(password, self.django_iterations - hash.iterations);
                self.argon2(&self.params, password, &salt, OUTPUT_BYTES)?;
                (bool::from(found.ct_eq(&expected)), false)
            }
            None => {
                self.argon2(&self.params, password, &salt, OUTPUT_BYTES)?;
                self.stretch(password, self.django_iterations);
                (false, true)
            }
        };
        match (is_right, is_current) {
            (false, _) => Ok(Verdict::Wrong),
            (true, true) => Ok(Verdict::Right),
            (true, false) => Ok(Verdict::RightAndRehashed(self.hash(password, salt)?)),
        }
    }

    /// All work so far.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn work(&self) -> PasswordWork {
        PasswordWork {
            argon2_kib: self.argon2_kib.load(Ordering::Relaxed),
            pbkdf2_iterations: self.pbkdf2_iterations.load(Ordering::Relaxed),
        }
    }

    /// Reads a kept hash. Nobody logs in with one that cannot be read or costs too much; the operator
    /// is told, for it is a mistake in bringing accounts over.
    fn read<'a>(&self, kept: &'a PasswordHash) -> Option<Kept<'a>> {
        if let Some(hash) = DjangoHash::read(&kept.0) {
            if hash.iterations <= self.django_iterations {
                return Some(Kept::Django(hash));
            }
            tracing::error!(
                iterations = hash.iterations,
                allowed = self.django_iterations,
                "a password hash of Django's has more iterations than AUTH.PASSWORDS.DJANGO_ITERATIONS"
            );
            return None;
        }
        let argon2 = read_argon2(&kept.0);
        if argon2.is_none() {
            tracing::error!("a password hash is of an unknown kind, or costs too much");
        }
        argon2
    }

    fn is_current(&self, params: &Params) -> bool {
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        cost(params) == cost(&self.params)
    }

    /// Does what the parameters of a kept hash cost less than those of the settings.
    fn make_up_for(&self, params: &Params, password: &Password) -> Result<(), HashingFailed> {
        let missing = cost_kib(&self.params).saturating_sub(cost_kib(params));
        let Ok(memory @ Params::MIN_M_COST..=MOST_KIB) = u32::try_from(missing) else {
            // Less is lost among everything else, and more than a GiB is nobody's difference.
            return Ok(());
        };
        let params = Params::new(memory, 1, 1, Some(OUTPUT_BYTES)).map_err(|_| HashingFailed)?;
        self.argon2(&params, password, &[0; SALT_BYTES], OUTPUT_BYTES)?;
        Ok(())
    }

    fn argon2(
        &self,
        params: &Params,
        password: &Password,
        salt: &[u8],
        length: usize,
    ) -> Result<Vec<u8>, HashingFailed> {
        self.argon2_kib
            .fetch_add(cost_kib(params), Ordering::Relaxed);
        let mut output = vec![0; length];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into(password.normal().as_bytes(), salt, &mut output)
            .map_err(|_| HashingFailed)?;
        Ok(output)
    }

    fn stretch(&self, password: &Password, iterations: u32) {
        if iterations > 0 {
            self.count_stretch(iterations);
            std::hint::black_box(django::stretch(password, b"none", iterations));
        }
    }

    fn count_stretch(&self, iterations: u32) {
        self.pbkdf2_iterations
            .fetch_add(iterations.into(), Ordering::Relaxed);
    }
}

fn cost_kib(params: &Params) -> u64 {
    u64::from(params.m_cost()) * u64::from(params.t_cost())
}

fn read_argon2(text: &str) -> Option<Kept<'static>> {
    let hash = phc::PasswordHash::new(text).ok()?;
    let is_ours = hash.algorithm == ARGON2ID_IDENT && hash.version == Some(Version::V0x13.into());
    let params = Params::try_from(&hash).ok()?;
    let is_bounded = params.m_cost() <= MOST_KIB
        && params.t_cost() <= MOST_PASSES
        && params.p_cost() <= MOST_LANES;
    (is_ours && is_bounded).then_some(Kept::Argon2 {
        params,
        salt: hash.salt?,
        output: hash.hash?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Hashing, PasswordWork, Verdict};
    use crate::config::PasswordsConfig;
    use crate::password::{Password, PasswordHash};

    /// Of "lètmein", made with Python's `hashlib.pbkdf2_hmac`, as Django does.
    const DJANGO: &str = "pbkdf2_sha256$1000$seasalt$JgZryXe2Ga8ysg6XbzkLpTdyPQrHqsinbL9BnnhgX4A=";

    fn hashing(memory_kib: u32, iterations: u32) -> Hashing {
        Hashing::new(&PasswordsConfig {
            memory_kib,
            iterations,
            django_iterations: 2000,
            ..PasswordsConfig::default()
        })
    }

    fn password(text: &str) -> Password {
        text.parse().unwrap()
    }

    fn verify(hashing: &Hashing, text: &str, kept: &PasswordHash) -> Verdict {
        let verdict = hashing.verify(&password(text), Some(kept), [9; 16]);
        verdict.unwrap()
    }

    #[test]
    fn a_password_is_known_by_its_hash_however_it_is_composed() {
        let hashing = hashing(64, 1);
        let hash = hashing.hash(&password("گذر caf\u{e9}"), [7; 16]).unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert_eq!(verify(&hashing, "گذر cafe\u{301}", &hash), Verdict::Right);
        assert_eq!(verify(&hashing, "گذر cafe", &hash), Verdict::Wrong);
        assert_eq!(verify(&hashing, " گذر caf\u{e9}", &hash), Verdict::Wrong);
    }

    /// The vector of RFC 9106 has a secret; this one is of the reference implementation's tests.
    #[test]
    fn the_hash_is_argon2id_as_others_compute_it() {
        let kept = PasswordHash::new(
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        );
        let hashing = hashing(65536, 2);
        assert_eq!(verify(&hashing, "password", &kept), Verdict::Right);
        assert_eq!(verify(&hashing, "Password", &kept), Verdict::Wrong);
    }

    #[test]
    fn another_salt_gives_another_hash() {
        let hashing = hashing(64, 1);
        let hash = |salt| hashing.hash(&password("same"), [salt; 16]).unwrap();
        assert_ne!(hash(1), hash(2));
    }

    #[test]
    fn a_hash_of_other_parameters_or_of_django_is_replaced_when_the_password_is_right() {
        let old = hashing(32, 1).hash(&password("lètmein"), [1; 16]).unwrap();
        let now = hashing(64, 2);
        for kept in [old, PasswordHash::new(DJANGO)] {
            assert_eq!(verify(&now, "wrong", &kept), Verdict::Wrong);
            let Verdict::RightAndRehashed(new) = verify(&now, "lètmein", &kept) else {
                panic!("not rehashed");
            };
            assert!(new.expose().starts_with("$argon2id$v=19$m=64,t=2,p=1$"));
            assert_eq!(verify(&now, "lètmein", &new), Verdict::Right);
        }
    }

    #[test]
    fn a_hash_that_costs_too_much_or_cannot_be_read_lets_nobody_in() {
        let hashing = hashing(64, 1);
        for text in [
            "",
            "hunter2",
            "!unusable",
            "pbkdf2_sha256$2001$seasalt$JgZryXe2Ga8ysg6XbzkLpTdyPQrHqsinbL9BnnhgX4A=",
            "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=64,t=4294967295,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ",
            "$argon2id$v=19$m=64,t=1,p=1",
        ] {
            let kept = PasswordHash::new(text);
            assert_eq!(verify(&hashing, "lètmein", &kept), Verdict::Wrong, "{text}");
        }
    }

    #[test]
    fn every_comparison_that_fails_does_the_same_work() {
        let old = hashing(32, 1).hash(&password("right"), [1; 16]).unwrap();
        let current = hashing(64, 2).hash(&password("right"), [1; 16]).unwrap();
        let kinds = [
            None,
            Some(old),
            Some(current),
            Some(PasswordHash::new(DJANGO)),
            Some(PasswordHash::new("!unusable")),
        ];
        for kept in kinds {
            let hashing = hashing(64, 2);
            let verdict = hashing.verify(&password("wrong"), kept.as_ref(), [0; 16]);
            assert_eq!(verdict, Ok(Verdict::Wrong));
            let expected = PasswordWork {
                argon2_kib: 128,
                pbkdf2_iterations: 2000,
            };
            assert_eq!(hashing.work(), expected);
        }
    }
}
