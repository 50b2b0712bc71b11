//! Names: a setting's variable in the environment, and which setting a misspelt name means.

pub(super) const VARIABLE_PREFIX: &str = "CHELSERU_";
pub(super) const VARIABLE_SEPARATOR: &str = "__";

/// A name with more differences than these is taken for another name, not for a slip.
const MOST_SLIPS: usize = 3;

/// `AUTH.OPTIONS.OTP_LENGTH` is `CHELSERU_AUTH__OPTIONS__OTP_LENGTH`.
pub(super) fn variable_of(key: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", key.replace('.', VARIABLE_SEPARATOR))
}

/// The key of a variable whose prefix is taken off.
pub(super) fn key_of(path: &str) -> String {
    path.replace(VARIABLE_SEPARATOR, ".")
}

/// The known key that an unknown one most probably means: spelt almost alike, or the same name in
/// another table.
pub(super) fn key_meant_by<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let slips_to = |candidate: &str| {
        if last(candidate).eq_ignore_ascii_case(last(key)) {
            0
        } else {
            slips(&key.to_ascii_uppercase(), candidate)
        }
    };
    let nearest = known.min_by_key(|candidate| slips_to(candidate))?;
    (slips_to(nearest) <= MOST_SLIPS).then_some(nearest)
}

/// The variable that one without levels most probably means, as in `CHELSERU_DATABASE_URL` or
/// `CHELSERU_SIGNING_KEY`.
///
/// Others are left alone: the names of a program's own options, and those that an orchestrator makes
/// for a service called chelseru, have no levels either.
pub(super) fn variable_meant_by(variable: &str, settings: &[&str]) -> Option<String> {
    let path = variable.strip_prefix(VARIABLE_PREFIX)?;
    let is_meant = |setting: &&&str| last(setting) == path || setting.replace('.', "_") == path;
    settings
        .iter()
        .find(is_meant)
        .map(|setting| variable_of(setting))
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// The number of characters to insert, remove or replace to make one text the other (Levenshtein).
fn slips(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, char) in one.chars().enumerate() {
        let mut diagonal = index;
        row[0] = index + 1;
        for column in 1..row.len() {
            let replaced = diagonal + usize::from(char != other[column - 1]);
            diagonal = row[column];
            row[column] = replaced.min(diagonal + 1).min(row[column - 1] + 1);
        }
    }
    row[other.len()]
}
