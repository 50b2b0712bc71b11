//! What became of each message, and the report of all of them.

use std::fmt;

use chelseru_core::{Error, MobileNumber};

use crate::cli::{in_one_line, table};
use crate::terminal::with_causes;

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A provider took it: this one, where it is known.
    Accepted(Option<String>),
    /// It certainly was not sent.
    NotSent(String),
    /// It may have been sent.
    PerhapsSent(String),
    /// It was not begun, so certainly not sent.
    NotBegun,
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        match &error {
            Error::Sms(error) if error.is_certain() => Self::NotSent(error.to_string()),
            Error::Sms(error) => Self::PerhapsSent(error.to_string()),
            Error::OverBudget { .. } | Error::Store(_) => {
                Self::NotSent(format!("not sent: {}", with_causes(&error)))
            }
            // Nothing else is told of an operator's message; if it is, nothing certain is known.
            _ => Self::PerhapsSent(format!("perhaps sent: {}", with_causes(&error))),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(Some(provider)) => write!(f, "accepted by {provider}"),
            Self::Accepted(None) => f.write_str("accepted"),
            Self::NotSent(why) | Self::PerhapsSent(why) => f.write_str(&in_one_line(why)),
            Self::NotBegun => f.write_str("not begun"),
        }
    }
}

/// What became of all messages.
///
/// Of one it is a line. Of several it is a table and the receivers that did not get theirs, written so
/// that the whole can be given to `--file` again: a line for each that certainly got nothing, and all
/// the rest, those in doubt with it, in comments.
pub(super) struct Report(Vec<(MobileNumber, Outcome)>);

impl Report {
    pub(super) fn new(results: Vec<(MobileNumber, Outcome)>) -> Self {
        Self(results)
    }

    pub(super) fn is_all_accepted(&self) -> bool {
        self.count(|outcome| matches!(outcome, Outcome::Accepted(_))) == self.0.len()
    }

    fn count(&self, is_counted: impl Fn(&Outcome) -> bool) -> usize {
        self.those(is_counted).count()
    }

    fn those(
        &self,
        is_one: impl Fn(&Outcome) -> bool,
    ) -> impl Iterator<Item = &(MobileNumber, Outcome)> {
        self.0.iter().filter(move |(_, outcome)| is_one(outcome))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [(to, outcome)] = self.0.as_slice() {
            return write!(f, "{to}: {outcome}");
        }
        let is_accepted = |outcome: &Outcome| matches!(outcome, Outcome::Accepted(_));
        let is_not_sent = |outcome: &Outcome| matches!(outcome, Outcome::NotSent(_));
        let is_in_doubt = |outcome: &Outcome| matches!(outcome, Outcome::PerhapsSent(_));
        let is_not_begun = |outcome: &Outcome| matches!(outcome, Outcome::NotBegun);
        let mut counts = table::new(&["OUTCOME", ">MESSAGES"]);
        for (name, count) in [
            ("accepted", self.count(is_accepted)),
            ("not sent", self.count(is_not_sent)),
            ("perhaps sent", self.count(is_in_doubt)),
            ("not begun", self.count(is_not_begun)),
        ] {
            counts.add_row([name.to_owned(), count.to_string()]);
        }
        let counts = table::text(&counts).replace('\n', "\n# ");
        write!(f, "# {counts}")?;
        if self.count(is_in_doubt) > 0 {
            write!(f, "\n\n# perhaps sent: sending again may be once too often")?;
            for (to, outcome) in self.those(is_in_doubt) {
                write!(f, "\n# {to}  # {outcome}")?;
            }
        }
        if self.count(is_not_sent) + self.count(is_not_begun) > 0 {
            write!(
                f,
                "\n\n# certainly not sent: --file takes this output and sends to these"
            )?;
            for (to, outcome) in self.those(|one| is_not_sent(one) || is_not_begun(one)) {
                write!(f, "\n{to}  # {outcome}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Report};

    fn report(results: &[(&str, Outcome)]) -> Report {
        let results = results.iter();
        Report::new(
            results
                .map(|(to, outcome)| (to.parse().unwrap(), outcome.clone()))
                .collect(),
        )
    }

    #[test]
    fn the_report_of_several_is_a_file_of_those_that_certainly_got_nothing() {
        let report = report(&[
            ("09120000001", Outcome::Accepted(None)),
            ("09120000002", Outcome::NotSent("not sent: a\nb".to_owned())),
            (
                "09120000003",
                Outcome::PerhapsSent("perhaps sent: c".to_owned()),
            ),
            ("09120000004", Outcome::NotBegun),
        ]);
        let text = report.to_string();
        let lines: Vec<_> = text
            .lines()
            .filter_map(|line| line.split('#').next())
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(lines, ["09120000002", "09120000004"], "{text}");
        assert!(
            text.contains("\n# 09120000003  # perhaps sent: c"),
            "{text}"
        );
        assert!(!report.is_all_accepted());
    }

    #[test]
    fn the_report_of_one_is_a_line() {
        let by = Outcome::Accepted(Some("KAVENEGAR_COM".to_owned()));
        let report = report(&[("09120000001", by)]);
        assert_eq!(report.to_string(), "09120000001: accepted by KAVENEGAR_COM");
        assert!(report.is_all_accepted());
    }
}
