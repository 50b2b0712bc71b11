//! The SOAP API: plain texts by `SendSimpleSMS2`, and nothing else.
//!
//! For accounts that only have this. Sources: Melipayamak's documentation, its service description
//! as several clients record it, and SOAP 1.1.

use async_trait::async_trait;
use chelseru_core::ConfigError;
use chelseru_core::config::{SmsConfig, SmsService};
use chelseru_core::sms::{Capabilities, Content, Sent, Sms, SmsError, SmsErrorKind, SmsProvider};

use super::{Account, LARGEST_CODE, codes};
use crate::http::{Http, Purpose, Reply, Request};
use crate::lenient::integer_text;
use crate::xml;

const RESULT: [&str; 4] = [
    "Envelope",
    "Body",
    "SendSimpleSMS2Response",
    "SendSimpleSMS2Result",
];

const FAULT_CODE: [&str; 4] = ["Envelope", "Body", "Fault", "faultcode"];

#[derive(Debug)]
pub(super) struct Soap {
    http: Http,
    account: Account,
}

impl Soap {
    pub(super) fn new(config: &SmsConfig) -> Result<Self, ConfigError> {
        let account = Account::new(config)?;
        for (key, text) in [
            ("USERNAME", account.username.expose()),
            ("PASSWORD", account.password.expose()),
            ("FROM", &account.from),
        ] {
            if !xml::can_carry(text) {
                return Err(ConfigError::about(
                    format!("SMS.SETTINGS.MELI_PAYAMAK_COM_{key}"),
                    "has a control character, which the SOAP API cannot take",
                ));
            }
        }
        Ok(Self {
            account,
            http: super::http(config, "https://api.payamak-panel.com")?,
        })
    }

    /// The elements in the order of the service description, which the server insists on.
    fn envelope(&self, to: &str, text: &str) -> Result<String, SmsError> {
        let account = &self.account;
        Ok(format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
             <soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>\
             <SendSimpleSMS2 xmlns=\"http://tempuri.org/\">\
             <username>{}</username><password>{}</password><to>{}</to><from>{}</from>\
             <text>{}</text><isflash>false</isflash>\
             </SendSimpleSMS2></soap:Body></soap:Envelope>",
            xml::escaped(account.username.expose())?,
            xml::escaped(account.password.expose())?,
            xml::escaped(to)?,
            xml::escaped(&account.from)?,
            xml::escaped(text)?,
        ))
    }
}

#[async_trait]
impl SmsProvider for Soap {
    fn name(&self) -> &str {
        SmsService::MeliPayamakCom.name()
    }

    fn capabilities(&self) -> Capabilities {
        let mut texts_only = Capabilities::default();
        texts_only.templates = false;
        texts_only
    }

    async fn send(&self, sms: &Sms) -> Result<Sent, SmsError> {
        let Content::Text(text) = &sms.content else {
            return Err(SmsError::new(
                SmsErrorKind::TemplateRefused,
                "Melipayamak's SOAP API sends texts only; its REST API and its console send templates",
            ));
        };
        let request = Request::Soap {
            action: "http://tempuri.org/SendSimpleSMS2",
            envelope: &self.envelope(sms.to.as_str(), text)?,
        };
        let purpose = Purpose::Send(sms.time_limit);
        let reply = self
            .http
            .call(&["post", "Send.asmx"], request, purpose)
            .await?;
        sent(&reply)
    }
}

/// The result is a **text** by the service description: an id of 19 digits or a code. It may be
/// absent, and then nothing says what became of the message.
fn sent(reply: &Reply) -> Result<Sent, SmsError> {
    let document = reply.text();
    let Some(result) = xml::text_at(document, &RESULT) else {
        return Err(match xml::text_at(document, &FAULT_CODE) {
            Some(code) => fault(reply, &code),
            None => reply.not_understood(),
        });
    };
    match integer_text(&result) {
        Some(id) if id > LARGEST_CODE => Ok(Sent::with_id(id.to_string())),
        Some(code) => Err(match codes::SEND_SIMPLE_SMS_2.find(code) {
            Some(&(_, kind, meaning)) => reply.error(kind, meaning, code),
            None => reply.error(
                SmsErrorKind::PerhapsSent,
                "a result that Melipayamak does not document",
                code,
            ),
        }),
        None => Err(reply.not_understood()),
    }
}

/// What a SOAP fault means, by its code (SOAP 1.1, section 4.4.1): the envelope was not accepted, or
/// processing it failed, who knows how far it had come. The words of a fault are not kept: a server
/// may quote the request in them.
fn fault(reply: &Reply, code: &str) -> SmsError {
    let code = code.trim();
    // A prefix, and then possibly a finer code after a dot.
    let name = code.rsplit_once(':').map_or(code, |(_, name)| name);
    let class = name.split('.').next().unwrap_or_default();
    let known = ["Client", "VersionMismatch", "MustUnderstand"];
    match known.into_iter().find(|known| *known == class) {
        Some(class) => reply.error(
            SmsErrorKind::NotSent,
            "the envelope was not accepted",
            format!("SOAP {class}"),
        ),
        None if class == "Server" => reply.error(
            SmsErrorKind::PerhapsSent,
            "the server failed while it worked on the message",
            "SOAP Server",
        ),
        None => reply.not_understood(),
    }
}
