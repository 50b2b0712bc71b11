//! Accounts, messages and the shortest way to send one.

use std::sync::Arc;
use std::time::Duration;

use chelseru_core::config::{MeliPayamakApi, SmsConfig, SmsService};
use chelseru_core::sms::{
    Content, LocalId, Sent, Sms, SmsError, SmsErrorKind, SmsProvider, TemplateId,
};

use crate::server::{Answer, Server};

/// Every secret in these tests contains this word, so that a leak is found wherever it is.
pub(crate) const SECRET: &str = "hush";

/// A text with a code.
pub(crate) const TEXT: &str = "your code is 867530";

/// What is behind the network: every provider, by each of its APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    Kavenegar,
    MeliRest,
    MeliSoap,
    MeliConsole,
    Parsian,
}

impl Api {
    pub(crate) const ALL: [Self; 5] = [
        Self::Kavenegar,
        Self::MeliRest,
        Self::MeliSoap,
        Self::MeliConsole,
        Self::Parsian,
    ];

    pub(crate) fn service(self) -> SmsService {
        match self {
            Self::Kavenegar => SmsService::KavenegarCom,
            Self::MeliRest | Self::MeliSoap | Self::MeliConsole => SmsService::MeliPayamakCom,
            Self::Parsian => SmsService::ParsianWebcoIr,
        }
    }
}

/// Settings with an account at every provider, all at `url`.
pub(crate) fn config(api: Api, url: &str) -> SmsConfig {
    let mut config = SmsConfig::default();
    config.services = vec![api.service()];
    config.timeout = Duration::from_secs(5);
    let settings = &mut config.settings;
    settings.kavenegar_com_api_key = "hush-key".into();
    settings.kavenegar_com_base_url = url.into();
    settings.meli_payamak_com_username = "hush-user".into();
    settings.meli_payamak_com_password = "hush&pass=word".into();
    settings.meli_payamak_com_from = "50004000".into();
    settings.meli_payamak_com_base_url = url.into();
    settings.parsian_webco_ir_api_key = "hush-token".into();
    settings.parsian_webco_ir_base_url = url.into();
    match api {
        Api::MeliSoap => settings.meli_payamak_com_api = MeliPayamakApi::Soap,
        Api::MeliConsole => settings.meli_payamak_com_console_token = "hush-console".into(),
        _ => {}
    }
    config
}

pub(crate) fn provider(config: &SmsConfig) -> Arc<dyn SmsProvider> {
    chelseru_sms::from_config(config).unwrap().remove(0)
}

pub(crate) fn text(text: &str) -> Sms {
    Sms::new(
        "+989121234567".parse().unwrap(),
        Content::Text(text.to_owned()),
    )
}

pub(crate) fn template(id: &str, variables: &[&str]) -> Sms {
    Sms::new(
        "+989121234567".parse().unwrap(),
        Content::Template {
            id: TemplateId::from(id),
            variables: variables.iter().map(ToString::to_string).collect(),
        },
    )
}

/// What the provider makes of this answer to a message.
pub(crate) async fn send(api: Api, sms: &Sms, answer: Answer) -> Result<Sent, SmsError> {
    let server = Server::that_answers(answer).await;
    provider(&config(api, &server.url)).send(sms).await
}

/// What the provider makes of each of these answers to the same message.
pub(crate) async fn send_each(
    api: Api,
    sms: &Sms,
    answers: Vec<Answer>,
) -> Vec<Result<Sent, SmsError>> {
    let count = answers.len();
    let server = Server::that_answers_in_turn(answers).await;
    let provider = provider(&config(api, &server.url));
    let mut results = Vec::new();
    for _ in 0..count {
        results.push(provider.send(sms).await);
    }
    results
}

/// The error with which the provider refuses a message before it sends anything.
pub(crate) async fn refusal(api: Api, sms: &Sms) -> SmsError {
    let mut server = Server::that_answers(Answer::close()).await;
    let error = provider(&config(api, &server.url))
        .send(sms)
        .await
        .unwrap_err();
    assert!(server.requests().is_empty(), "a request was made");
    error
}

/// Fields as the server records them.
pub(crate) fn fields(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Ids as a caller has them.
pub(crate) fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// One of the calls that a provider takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Text,
    Template,
    Find,
    Deliveries,
    Credit,
}

/// The id that [`Call::Find`] looks for.
pub(crate) const LOCAL_ID: LocalId = LocalId(8_675_309);

impl Call {
    /// All that a provider can be asked for.
    pub(crate) fn all_of(api: Api) -> &'static [Self] {
        use Call::{Credit, Deliveries, Find, Template, Text};
        match api {
            Api::Kavenegar => &[Text, Template, Find, Deliveries, Credit],
            Api::MeliRest | Api::MeliConsole => &[Text, Template, Deliveries, Credit],
            Api::MeliSoap => &[Text],
            Api::Parsian => &[Template],
        }
    }

    /// Every call of every provider.
    pub(crate) fn all() -> impl Iterator<Item = (Api, Self)> {
        Api::ALL
            .into_iter()
            .flat_map(|api| Self::all_of(api).iter().map(move |call| (api, *call)))
    }

    /// Makes the call; what it gives is for people.
    pub(crate) async fn make(
        self,
        provider: &dyn SmsProvider,
        time_limit: Duration,
    ) -> Result<String, SmsError> {
        let mut sms = match self {
            Self::Text => text(TEXT),
            Self::Template => template("12", &["867530"]),
            Self::Find => return provider.find(LOCAL_ID).await.map(shown),
            Self::Deliveries => return provider.deliveries(&ids(&["8792343"])).await.map(shown),
            Self::Credit => return provider.credit().await.map(shown),
        };
        sms.time_limit = time_limit;
        provider.send(&sms).await.map(shown)
    }

    /// What a failure that has this kind for a message means for this call.
    pub(crate) fn meaning_of(self, kind: SmsErrorKind) -> SmsErrorKind {
        match self {
            Self::Text | Self::Template => kind,
            Self::Find => SmsErrorKind::PerhapsSent,
            Self::Deliveries | Self::Credit if kind == SmsErrorKind::Throttled => kind,
            Self::Deliveries | Self::Credit => SmsErrorKind::NotSent,
        }
    }

    /// An answer that is a success.
    pub(crate) fn success(self, api: Api) -> &'static str {
        match (api, self) {
            (Api::Kavenegar, Self::Credit) => {
                r#"{"return":{"status":200},"entries":{"remaincredit":1}}"#
            }
            (Api::Kavenegar, _) => {
                r#"{"return":{"status":200},"entries":[{"messageid":8792343,"status":1}]}"#
            }
            (Api::MeliRest, Self::Deliveries | Self::Credit) => r#"{"Value":"1","RetStatus":1}"#,
            (Api::MeliRest, _) => r#"{"Value":"5461268677656004204","RetStatus":1}"#,
            (Api::MeliSoap, _) => SOAP_SUCCESS,
            (Api::MeliConsole, Self::Deliveries) => r#"{"resultsAsCode":[1]}"#,
            (Api::MeliConsole, Self::Credit) => r#"{"amount":1}"#,
            (Api::MeliConsole, _) => r#"{"recId":4707203589561557161}"#,
            (Api::Parsian, _) => r#"{"status":200}"#,
        }
    }
}

/// The recorded reply.
pub(crate) const SOAP_SUCCESS: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
    <soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>\
    <SendSimpleSMS2Response xmlns=\"http://tempuri.org/\">\
    <SendSimpleSMS2Result>5461268677656004204</SendSimpleSMS2Result>\
    </SendSimpleSMS2Response></soap:Body></soap:Envelope>";

fn shown(result: impl std::fmt::Debug) -> String {
    format!("{result:?}")
}
