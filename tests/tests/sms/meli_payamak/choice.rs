//! Which API the settings choose, and at which address.

use chelseru_core::config::MeliPayamakApi;

use super::{CONSOLE, REST, SOAP};
use crate::server::{Answer, Server};
use crate::setup::{Call, config, provider};

const ALL: [crate::setup::Api; 3] = [REST, SOAP, CONSOLE];

#[test]
fn the_name_is_that_of_the_service_whichever_api_is_used() {
    for api in ALL {
        let provider = provider(&config(api, "https://provider.example"));
        assert_eq!(provider.name(), "MELI_PAYAMAK_COM", "{api:?}");
    }
}

#[test]
fn every_api_has_an_address_of_its_own_when_none_is_set() {
    for api in ALL {
        let made = chelseru_sms::from_config(&config(api, ""));
        assert!(made.is_ok(), "{api:?}: {made:?}");
    }
}

#[tokio::test]
async fn a_console_token_wins_and_needs_no_user_name_and_password() {
    for other in [MeliPayamakApi::Rest, MeliPayamakApi::Soap] {
        let mut server = Server::that_answers(Answer::close()).await;
        let mut config = config(CONSOLE, &server.url);
        config.settings.meli_payamak_com_api = other;
        config.settings.meli_payamak_com_username.clear();
        config.settings.meli_payamak_com_password = "".into();
        let provider = provider(&config);
        let _ = Call::Text.make(&*provider, config.timeout).await;
        assert_eq!(
            server.request().line,
            "POST /api/send/simple/hush-console HTTP/1.1"
        );
    }
}

#[test]
fn an_account_that_xml_cannot_carry_is_refused_by_the_name_of_its_setting() {
    for key in ["USERNAME", "PASSWORD", "FROM"] {
        let mut config = config(SOAP, "https://provider.example");
        let settings = &mut config.settings;
        match key {
            "USERNAME" => settings.meli_payamak_com_username = "hush\u{1}".into(),
            "PASSWORD" => settings.meli_payamak_com_password = "hush\u{1}".into(),
            _ => settings.meli_payamak_com_from = "hush\u{1}".into(),
        }
        let error = chelseru_sms::from_config(&config).unwrap_err();
        let key = format!("SMS.SETTINGS.MELI_PAYAMAK_COM_{key}");
        assert_eq!(error.problems()[0].key, key);
        assert!(!error.to_string().contains("hush"), "{error}");
    }
}
