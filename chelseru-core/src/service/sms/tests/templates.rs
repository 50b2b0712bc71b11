//! Which of a text and a template goes through which provider.

use super::{Fixture, NUMBER, kind, number};
use crate::config::{ConfigBuilder, TemplateIds};
use crate::service::Message;
use crate::sms::{Content, SmsErrorKind};
use crate::testing::StubProvider;

fn login_templates(config: ConfigBuilder) -> ConfigBuilder {
    let mut ids = TemplateIds::default();
    ids.of.insert("A".to_owned(), "verify".into());
    ids.of.insert("B".to_owned(), 12.into());
    config.template("LOGIN", ids).otp_sms_template("LOGIN")
}

/// The template and its first variable in what a provider took last.
fn template(provider: &StubProvider) -> Option<(String, String)> {
    match provider.last()?.content {
        Content::Template { id, variables } => Some((id.0, variables[0].clone())),
        Content::Text(_) => None,
    }
}

fn text(provider: &StubProvider) -> String {
    match provider.last().unwrap().content {
        Content::Text(text) => text,
        Content::Template { .. } => panic!("a template"),
    }
}

fn fail_once(provider: &StubProvider) {
    provider.fail_next(super::error(SmsErrorKind::NotSent));
}

#[tokio::test(start_paused = true)]
async fn a_code_goes_as_the_template_that_each_provider_has_for_it() {
    let (a, b) = (StubProvider::named("A"), StubProvider::named("B"));
    let service = Fixture::with(&[&a, &b], login_templates);
    service.send_code().await.unwrap();
    let code = a.last_code_for(NUMBER).unwrap();
    assert_eq!(template(&a), Some(("verify".to_owned(), code)));

    fail_once(&a);
    service.clock.advance(std::time::Duration::from_secs(600));
    service.send_code().await.unwrap();
    let code = b.last_code_for(NUMBER).unwrap();
    assert_eq!(template(&b), Some(("12".to_owned(), code)));
}

#[tokio::test(start_paused = true)]
async fn a_code_goes_as_text_through_a_provider_without_a_template_for_it() {
    let without = StubProvider::named("C");
    let service = Fixture::with(&[&without], login_templates);
    service.send_code().await.unwrap();
    let code = without.last_code_for(NUMBER).unwrap();
    assert!(text(&without).contains(&code));

    let texts_only = StubProvider::named("A").that_can(|can| can.templates = false);
    let service = Fixture::with(&[&texts_only], login_templates);
    service.send_code().await.unwrap();
    assert!(text(&texts_only).contains(&texts_only.last_code_for(NUMBER).unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_provider_of_templates_only_is_not_asked_for_a_text() {
    let a = StubProvider::named("A").that_can(|can| can.texts = false);
    let b = StubProvider::named("B");
    let service = Fixture::new(&[&a, &b]);
    service.send_code().await.unwrap();
    service.send_text().await.unwrap();
    assert_eq!((a.calls(), b.sent()), (0, 2));

    let service = Fixture::new(&[&a]);
    assert_eq!(
        kind(service.send_code().await),
        SmsErrorKind::TemplateRefused
    );
    assert!(service.log().await.is_empty(), "nobody was asked");
}

#[tokio::test(start_paused = true)]
async fn a_message_names_a_template_by_its_name_or_by_its_id() {
    let (a, b) = (StubProvider::named("A"), StubProvider::named("B"));
    let service = Fixture::with(&[&a, &b], login_templates);
    let message = |template: &str| {
        let message = Message::new(number(NUMBER), "Sara").with_template(template);
        service.chelseru.send_sms(message)
    };
    message("LOGIN").await.unwrap();
    assert_eq!(template(&a), Some(("verify".to_owned(), "Sara".to_owned())));
    message("77").await.unwrap();
    assert_eq!(template(&a), Some(("77".to_owned(), "Sara".to_owned())));
    fail_once(&a);
    message("LOGIN").await.unwrap();
    assert_eq!(template(&b), Some(("12".to_owned(), "Sara".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_message_never_goes_as_text_in_the_place_of_its_template() {
    let c = StubProvider::named("C");
    let service = Fixture::with(&[&c], login_templates);
    let message = Message::new(number(NUMBER), "Sara").with_template("LOGIN");
    assert_eq!(
        kind(service.chelseru.send_sms(message).await),
        SmsErrorKind::TemplateRefused
    );
    assert_eq!(c.calls(), 0);
}
