//! Our providers against servers that behave as the real ones are known to, and that fail as networks
//! and providers do.

mod faults;
mod messages;
mod official_clients;
mod questions;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use chelseru_core::config::{MeliPayamakApi, SmsConfig, SmsService};
use chelseru_core::sms::{Content, LocalId, Sms, SmsProvider, TemplateId};
use chelseru_tests::providers::{
    FakeProvider, FakeProviders, MELI_PAYAMAK_CONSOLE_TOKEN, TEMPLATES,
};

const RECEIVER: &str = "09121234567";

/// An interface of a provider that we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    Kavenegar,
    MeliPayamakRest,
    MeliPayamakSoap,
    MeliPayamakConsole,
    Parsian,
}

const APIS: [Api; 5] = [
    Api::Kavenegar,
    Api::MeliPayamakRest,
    Api::MeliPayamakSoap,
    Api::MeliPayamakConsole,
    Api::Parsian,
];

impl Api {
    fn service(self) -> SmsService {
        match self {
            Self::Kavenegar => SmsService::KavenegarCom,
            Self::Parsian => SmsService::ParsianWebcoIr,
            _ => SmsService::MeliPayamakCom,
        }
    }

    fn takes_texts(self) -> bool {
        self != Self::Parsian
    }

    fn takes_templates(self) -> bool {
        self != Self::MeliPayamakSoap
    }

    fn fake(self, fakes: &FakeProviders) -> &FakeProvider {
        fakes.of(self.service())
    }

    fn config(self, fakes: &FakeProviders) -> SmsConfig {
        let mut config = fakes.sms_config(&[self.service()]);
        match self {
            Self::MeliPayamakSoap => config.settings.meli_payamak_com_api = MeliPayamakApi::Soap,
            Self::MeliPayamakConsole => {
                config.settings.meli_payamak_com_console_token = MELI_PAYAMAK_CONSOLE_TOKEN.into();
            }
            _ => {}
        }
        config
    }

    fn provider(self, fakes: &FakeProviders) -> Arc<dyn SmsProvider> {
        provider(&self.config(fakes))
    }

    /// The template that the server knows from the start, with this variable.
    fn login_template(self, code: &str) -> Sms {
        let known = TEMPLATES.iter().find(|(of, _)| *of == self.service());
        template(known.unwrap().1, &[code])
    }

    /// A message that it takes.
    fn any_message(self) -> Sms {
        if self.takes_texts() {
            text("your code is 867530")
        } else {
            self.login_template("867530")
        }
    }
}

fn provider(config: &SmsConfig) -> Arc<dyn SmsProvider> {
    chelseru_sms::from_config(config).unwrap().remove(0)
}

fn text(text: &str) -> Sms {
    message(Content::Text(text.to_owned()))
}

fn template(id: &str, variables: &[&str]) -> Sms {
    message(Content::Template {
        id: TemplateId::from(id),
        variables: variables.iter().map(ToString::to_string).collect(),
    })
}

fn message(content: Content) -> Sms {
    let mut sms = Sms::new(RECEIVER.parse().unwrap(), content);
    // No test waits for it; those about the limit set their own.
    sms.time_limit = Duration::from_secs(60);
    sms
}

fn with_local_id(mut sms: Sms, local_id: i64) -> Sms {
    sms.local_id = Some(LocalId(local_id));
    sms
}
