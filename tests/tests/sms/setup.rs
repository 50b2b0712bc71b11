//! Accounts, messages and the shortest way to send one.

use std::sync::Arc;
use std::time::Duration;

use chelseru_core::config::{SmsConfig, SmsService};
use chelseru_core::sms::{Content, Sent, Sms, SmsError, SmsProvider, TemplateId};

use crate::server::{Answer, Server};

/// Every secret in these tests contains this word, so that a leak is found wherever it is.
pub(crate) const SECRET: &str = "hush";

/// A text with a code.
pub(crate) const TEXT: &str = "your code is 867530";

/// The services that send over the network.
pub(crate) const NETWORK_SERVICES: [SmsService; 3] = [
    SmsService::KavenegarCom,
    SmsService::MeliPayamakCom,
    SmsService::ParsianWebcoIr,
];

/// Settings with an account at every provider, all at `url`.
pub(crate) fn config(service: SmsService, url: &str) -> SmsConfig {
    let mut config = SmsConfig::default();
    config.services = vec![service];
    config.timeout = Duration::from_secs(5);
    config.settings.kavenegar_com_api_key = "hush-key".into();
    config.settings.kavenegar_com_base_url = url.into();
    config.settings.meli_payamak_com_username = "hush-user".into();
    config.settings.meli_payamak_com_password = "hush&pass=word".into();
    config.settings.meli_payamak_com_from = "50004000".into();
    config.settings.meli_payamak_com_base_url = url.into();
    config.settings.parsian_webco_ir_api_key = "hush-token".into();
    config.settings.parsian_webco_ir_base_url = url.into();
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

/// A message with a code that this service takes.
pub(crate) fn any_message(service: SmsService) -> Sms {
    match service {
        SmsService::ParsianWebcoIr => template("12", &["867530"]),
        _ => text(TEXT),
    }
}

/// What the service makes of this answer to a message.
pub(crate) async fn send(service: SmsService, sms: &Sms, answer: Answer) -> Result<Sent, SmsError> {
    let server = Server::that_answers(answer).await;
    provider(&config(service, &server.url)).send(sms).await
}

/// What the service makes of each of these answers to the same message.
pub(crate) async fn send_each(
    service: SmsService,
    sms: &Sms,
    answers: Vec<Answer>,
) -> Vec<Result<Sent, SmsError>> {
    let count = answers.len();
    let server = Server::that_answers_in_turn(answers).await;
    let provider = provider(&config(service, &server.url));
    let mut results = Vec::new();
    for _ in 0..count {
        results.push(provider.send(sms).await);
    }
    results
}

/// The error with which the service refuses a message before it sends anything.
pub(crate) async fn refusal(service: SmsService, sms: &Sms) -> SmsError {
    let mut server = Server::that_answers(Answer::close()).await;
    let error = provider(&config(service, &server.url))
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
