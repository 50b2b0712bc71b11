//! What each provider says that it can do, and that it can do that and nothing else.

use chelseru_core::sms::{Capabilities, SmsErrorKind, SmsProvider};
use chelseru_sms::Console;

use crate::server::{Answer, Server};
use crate::setup::{Api, Call, LOCAL_ID, config, ids, provider, template, text};

fn capabilities(calls: &[Call]) -> Capabilities {
    let mut capabilities = Capabilities::default();
    capabilities.texts = calls.contains(&Call::Text);
    capabilities.templates = calls.contains(&Call::Template);
    capabilities.local_ids = calls.contains(&Call::Find);
    capabilities.deliveries = calls.contains(&Call::Deliveries);
    capabilities.credit = calls.contains(&Call::Credit);
    capabilities
}

#[test]
fn every_provider_says_what_it_can_do() {
    for api in Api::ALL {
        let provider = provider(&config(api, "https://provider.example"));
        let expected = capabilities(Call::all_of(api));
        assert_eq!(provider.capabilities(), expected, "{api:?}");
    }
    assert_eq!(Console::new().capabilities(), Capabilities::default());
}

#[tokio::test]
async fn what_a_provider_cannot_do_is_refused_before_anything_is_sent() {
    let mut server = Server::that_answers(Answer::close()).await;
    for api in Api::ALL {
        let provider = provider(&config(api, &server.url));
        let can = provider.capabilities();
        if !can.texts {
            let error = provider.send(&text("hi")).await.unwrap_err();
            assert_eq!(error.kind(), SmsErrorKind::TemplateRefused, "{api:?}");
        }
        if !can.templates {
            let error = provider.send(&template("1", &["2"])).await.unwrap_err();
            assert_eq!(error.kind(), SmsErrorKind::TemplateRefused, "{api:?}");
        }
        let mut errors = Vec::new();
        if !can.local_ids {
            errors.push(provider.find(LOCAL_ID).await.unwrap_err());
        }
        if !can.deliveries {
            errors.push(provider.deliveries(&ids(&["7"])).await.unwrap_err());
        }
        if !can.credit {
            errors.push(provider.credit().await.unwrap_err());
        }
        for error in errors {
            assert_eq!(error.kind(), SmsErrorKind::Unsupported, "{api:?}");
        }
    }
    assert!(server.requests().is_empty());
}
