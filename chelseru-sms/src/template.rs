//! Templates of the providers that number them and take all variables joined in one field.

use chelseru_core::sms::{SmsError, SmsErrorKind, TemplateId};

/// The number of a template.
///
/// Refuses an id that is not a positive integer: it is certain that no template has it.
pub(crate) fn number(id: &TemplateId) -> Result<u64, SmsError> {
    id.0.trim()
        .parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| {
            SmsError::new(
                SmsErrorKind::TemplateRefused,
                "the template id is not a positive integer, and this provider numbers its templates",
            )
        })
}

/// The variables in one field.
///
/// Refuses a variable with the separator in it: no provider documents a way to escape it, and the
/// receiver would get another message than the one meant.
pub(crate) fn joined(variables: &[String], separator: char) -> Result<String, SmsError> {
    if let Some(index) = variables
        .iter()
        .position(|variable| variable.contains(separator))
    {
        return Err(SmsError::new(
            SmsErrorKind::TextRefused,
            format!(
                "variable {} has a '{separator}', which separates the variables at this provider",
                index + 1
            ),
        ));
    }
    Ok(variables.join(&separator.to_string()))
}
