//! The variables of a template as Kavenegar's tokens, by the rules of `verify/lookup`.
//!
//! A variable that breaks a rule is refused, never changed: the receiver gets what was meant.

use chelseru_core::sms::{SmsError, SmsErrorKind};

/// The names of the tokens in the order of the variables, and how many spaces each may have.
const TOKENS: [(&str, usize); 5] = [
    ("token", 0),
    ("token2", 0),
    ("token3", 0),
    ("token10", 5),
    ("token20", 8),
];

const LONGEST_TOKEN: usize = 100;

/// The form fields of these variables.
pub(super) fn from_variables(
    variables: &[String],
) -> Result<impl Iterator<Item = (&'static str, &str)>, SmsError> {
    if !(1..=TOKENS.len()).contains(&variables.len()) {
        return Err(SmsError::new(
            SmsErrorKind::TemplateRefused,
            "a Kavenegar template has 1 to 5 variables",
        ));
    }
    for (index, (variable, (name, spaces))) in variables.iter().zip(TOKENS).enumerate() {
        if let Some(rule) = broken_rule(variable, spaces) {
            return Err(SmsError::new(
                SmsErrorKind::TextRefused,
                format!("variable {}: Kavenegar's {name} may have {rule}", index + 1),
            ));
        }
    }
    Ok(TOKENS
        .iter()
        .zip(variables)
        .map(|(&(name, _), variable)| (name, variable.as_str())))
}

/// The documentation forbids "a newline, a space, an underscore or a separator" (code 431) and does
/// not say what a separator is: white space, control characters and the comma are taken for one.
fn broken_rule(token: &str, spaces: usize) -> Option<String> {
    if token.chars().count() > LONGEST_TOKEN {
        return Some(format!("at most {LONGEST_TOKEN} characters"));
    }
    if token
        .chars()
        .any(|c| c.is_control() || (c.is_whitespace() && c != ' '))
    {
        return Some("no line break, tab or control character".to_owned());
    }
    if token.matches(' ').count() > spaces {
        return Some(match spaces {
            0 => "no space".to_owned(),
            _ => format!("at most {spaces} spaces"),
        });
    }
    if spaces == 0 && token.contains(['_', ',']) {
        return Some("no '_' and no ','".to_owned());
    }
    None
}
