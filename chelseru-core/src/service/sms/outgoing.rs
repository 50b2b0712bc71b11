//! What is to be sent, and how it is said through each provider.

use super::super::Chelseru;
use super::Message;
use super::gateway::Gateway;
use crate::mobile::MobileNumber;
use crate::otp::Code;
use crate::sms::{Content, SmsError, SmsErrorKind, TemplateId, code_text};
use crate::store::{SmsPurpose, SmsRequestId};
use crate::user::UserId;

/// One message on its way out.
pub(in crate::service) struct Outgoing<'a> {
    pub(super) to: MobileNumber,
    pub(super) user: Option<UserId>,
    pub(super) request: Option<SmsRequestId>,
    pub(super) what: What<'a>,
}

pub(super) enum What<'a> {
    Code(&'a Code),
    Message(&'a Message),
}

impl Outgoing<'_> {
    pub(super) fn purpose(&self) -> SmsPurpose {
        match self.what {
            What::Code(_) => SmsPurpose::Code,
            What::Message(_) => SmsPurpose::Message,
        }
    }
}

impl Chelseru {
    /// How this provider says it; the error is what it cannot say, without having been asked.
    ///
    /// A code goes as the provider's template where there is one: providers deliver those at once and
    /// to numbers that block texts.
    pub(super) fn content_for(
        &self,
        outgoing: &Outgoing<'_>,
        gateway: &Gateway,
    ) -> Result<Content, SmsError> {
        let can = gateway.provider.capabilities();
        let template = |id: &TemplateId, variable: &str| Content::Template {
            id: id.clone(),
            variables: vec![variable.to_owned()],
        };
        match outgoing.what {
            What::Code(code) => {
                let options = &self.config().auth.options;
                let of_provider = options.sms_template.as_ref();
                let of_provider = of_provider.and_then(|ids| ids.with(gateway.name()));
                match of_provider.filter(|_| can.templates) {
                    Some(id) => Ok(template(id, code.expose())),
                    None if can.texts => Ok(Content::Text(code_text(options, code))),
                    None => Err(no_template()),
                }
            }
            What::Message(message) => match &message.template {
                Some(named) => {
                    let known = self.config().sms.templates.get(&named.0);
                    let id = known.map_or(Some(named), |ids| ids.with(gateway.name()));
                    let id = id.filter(|_| can.templates).ok_or_else(no_template)?;
                    Ok(template(id, &message.text))
                }
                None if can.texts => Ok(Content::Text(message.text.clone())),
                None => Err(no_template()),
            },
        }
    }
}

fn no_template() -> SmsError {
    SmsError::new(
        SmsErrorKind::TemplateRefused,
        "there is no template of this provider for it",
    )
}
