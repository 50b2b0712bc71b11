//! What is wrong with a configuration: all of it at once, each by its key.

use std::fmt;

use super::schema::Names;

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting's path, as in `AUTH.OPTIONS.OTP_LENGTH`; the file or the variable where there is no
    /// such path.
    pub key: String,
    /// What was found (never a secret) and what is allowed, as one sentence.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

/// A configuration that cannot be used, with every problem in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// One error about one key.
    pub fn about(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(vec![Problem {
            key: key.into(),
            message: message.into(),
        }])
    }

    /// Every problem, in the order of the settings.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// The problems found so far, at most one for each key: the first says what to repair first.
#[derive(Clone, Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, key: &str, message: String) {
        if !self.has(key) {
            self.0.push(Problem {
                key: key.to_owned(),
                message,
            });
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|problem| problem.key == key)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Problem> {
        self.0.iter_mut()
    }

    pub(super) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The error, if there is a problem at all, with the problems in the order of the settings.
    pub(super) fn into_result(mut self, names: &Names) -> Result<(), ConfigError> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by_key(|problem| names.rank(&problem.key));
        Err(ConfigError::new(self.0))
    }
}
