//! What a receiver gets.

use std::sync::Arc;

use chelseru_core::Config;
use chelseru_core::config::SmsService;
use chelseru_core::sms::SmsErrorKind;
use chelseru_tests::{FakeProviders, Fault, SIGNING_KEY};

use super::{APIS, Api, RECEIVER, provider, template, text, with_local_id};

/// Everything that a careless encoding spoils.
const HARD_TEXT: &str =
    "کد ورود: ۱۲۳\u{200C}۴ & 50% + \"a=b\";<c>\\~\u{1F511}\t#7\r\n@shop.example #1234";

#[tokio::test]
async fn a_text_arrives_once_and_unchanged() {
    for api in APIS.into_iter().filter(|api| api.takes_texts()) {
        let fakes = FakeProviders::start();
        let sent = api.provider(&fakes).send(&text(HARD_TEXT)).await.unwrap();
        let received = fakes.sent_to(RECEIVER);
        assert_eq!(received.len(), 1, "{api:?}: {received:?}");
        assert_eq!(received[0].provider, api.service());
        assert_eq!(received[0].text, HARD_TEXT, "{api:?}");
        assert_eq!(sent.message_id.as_ref(), Some(&received[0].message_id));
        assert_eq!(api.fake(&fakes).connections(), 1);
    }
}

#[tokio::test]
async fn a_template_arrives_once_with_its_variable() {
    for api in APIS.into_iter().filter(|api| api.takes_templates()) {
        let fakes = FakeProviders::start();
        let sms = api.login_template("۱۲۳۴&%+");
        let sent = api.provider(&fakes).send(&sms).await.unwrap();
        let received = fakes.sent_to(RECEIVER);
        assert_eq!(received.len(), 1, "{api:?}: {received:?}");
        assert_eq!(received[0].provider, api.service());
        assert_eq!(received[0].text, "کد ورود شما: ۱۲۳۴&%+", "{api:?}");
        assert_eq!(received[0].variables, ["۱۲۳۴&%+"]);
        // Parsian's replies are not known to have an id.
        if api != Api::Parsian {
            assert_eq!(sent.message_id.as_ref(), Some(&received[0].message_id));
        }
    }
}

#[tokio::test]
async fn several_variables_arrive_at_their_places() {
    let variables = ["111", "b", "سه", "one two three", "1 2 3 4 5 6 7 8 9"];
    for (api, text, count) in [
        (
            Api::Kavenegar,
            "%token|%token2|%token3|%token10|%token20",
            5,
        ),
        (Api::MeliPayamakRest, "{0}|{1}|{2}", 3),
        (Api::MeliPayamakConsole, "{0}|{1}|{2}", 3),
        (Api::Parsian, "__1__|__2__|__3__", 3),
    ] {
        let fakes = FakeProviders::start();
        api.fake(&fakes).add_template("77", text);
        let variables = &variables[..count];
        let sms = template("77", variables);
        api.provider(&fakes).send(&sms).await.unwrap();
        let received = fakes.sent_to(RECEIVER).remove(0);
        assert_eq!(received.text, variables.join("|"), "{api:?}");
        assert_eq!(received.variables, variables, "{api:?}");
    }
}

#[tokio::test]
async fn a_variable_of_the_console_may_have_any_separator() {
    let fakes = FakeProviders::start();
    let api = Api::MeliPayamakConsole;
    let sms = api.login_template("a;b,c");
    api.provider(&fakes).send(&sms).await.unwrap();
    assert_eq!(fakes.sent_to(RECEIVER)[0].variables, ["a;b,c"]);
}

#[tokio::test]
async fn kavenegar_tells_the_cost_and_takes_it_from_the_credit() {
    let fakes = FakeProviders::start();
    fakes.kavenegar.set_credit(1000);
    fakes.kavenegar.set_cost(345);
    let sent = Api::Kavenegar.provider(&fakes).send(&text("hi")).await;
    assert_eq!(sent.unwrap().cost_rial, Some(345));
    assert_eq!(fakes.kavenegar.credit(), 655);
}

#[tokio::test]
async fn kavenegar_sends_a_local_id_once() {
    let fakes = FakeProviders::start();
    let provider = Api::Kavenegar.provider(&fakes);
    let sms = with_local_id(text("hi"), i64::MAX);
    let first = provider.send(&sms).await.unwrap();
    let second = provider.send(&sms).await.unwrap();
    assert_eq!(second.message_id, first.message_id);
    let received = fakes.sent_to(RECEIVER);
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(received[0].local_id, Some(i64::MAX));

    provider.send(&with_local_id(text("hi"), 7)).await.unwrap();
    assert_eq!(
        fakes.sent_to(RECEIVER).len(),
        2,
        "another id is another SMS"
    );
}

#[tokio::test]
async fn a_text_whose_answer_was_lost_is_sent_once_when_it_is_sent_again_with_its_local_id() {
    let fakes = FakeProviders::start();
    let provider = Api::Kavenegar.provider(&fakes);
    fakes
        .kavenegar
        .inject(Fault::close().after_taking().times(1));
    let sms = with_local_id(text("hi"), 7);
    let error = provider.send(&sms).await.unwrap_err();
    assert_eq!(error.kind(), SmsErrorKind::PerhapsSent);
    provider.send(&sms).await.unwrap();
    assert_eq!(fakes.sent_to(RECEIVER).len(), 1);
}

#[tokio::test]
async fn a_template_has_no_local_id_at_kavenegar() {
    let fakes = FakeProviders::start();
    let provider = Api::Kavenegar.provider(&fakes);
    let sms = with_local_id(Api::Kavenegar.login_template("1"), 7);
    provider.send(&sms).await.unwrap();
    provider.send(&sms).await.unwrap();
    assert_eq!(fakes.sent_to(RECEIVER).len(), 2, "nothing holds it back");
}

#[tokio::test]
async fn nothing_is_sent_without_credit() {
    for api in APIS {
        let fakes = FakeProviders::start();
        api.fake(&fakes).set_credit(0);
        let error = api.provider(&fakes).send(&api.any_message()).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), SmsErrorKind::NotSent, "{api:?}: {error}");
        assert_eq!(fakes.sent_to(RECEIVER), []);
    }
}

#[tokio::test]
async fn nothing_is_sent_with_wrong_credentials() {
    for (api, code) in [
        (Api::Kavenegar, "403"),
        (Api::MeliPayamakRest, "0"),
        (Api::MeliPayamakSoap, "0"),
        (Api::MeliPayamakConsole, "HTTP 400"),
        (Api::Parsian, "401"),
    ] {
        let fakes = FakeProviders::start();
        let mut config = api.config(&fakes);
        config.settings.kavenegar_com_api_key = "wrong".into();
        config.settings.meli_payamak_com_password = "wrong".into();
        if api == Api::MeliPayamakConsole {
            config.settings.meli_payamak_com_console_token = "wrong".into();
        }
        config.settings.parsian_webco_ir_api_key = "wrong".into();
        let error = provider(&config).send(&api.any_message()).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), SmsErrorKind::NotSent, "{api:?}: {error}");
        assert_eq!(error.code(), Some(code));
        assert_eq!(fakes.sent_to(RECEIVER), []);
    }
}

#[tokio::test]
async fn an_unknown_template_is_refused() {
    for (api, id, code) in [
        (Api::Kavenegar, "no-such", "424"),
        (Api::MeliPayamakRest, "999", "-4"),
    ] {
        let fakes = FakeProviders::start();
        let error = api.provider(&fakes).send(&template(id, &["1"])).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), SmsErrorKind::TemplateRefused, "{error}");
        assert_eq!(error.code(), Some(code));
    }
}

#[tokio::test]
async fn the_longest_text_and_the_longest_variables_are_taken() {
    let fakes = FakeProviders::start();
    let all = "%token%token2%token3%token10%token20";
    fakes.kavenegar.add_template("all", all);
    let provider = Api::Kavenegar.provider(&fakes);
    provider.send(&text(&"ک".repeat(900))).await.unwrap();
    let longest = "ک".repeat(100);
    let sms = template("all", &[longest.as_str(); 5]);
    provider.send(&sms).await.unwrap();
    let received = fakes.sent_to(RECEIVER);
    assert_eq!(received[0].text.chars().count(), 900);
    assert_eq!(received[1].text.chars().count(), 500);
}

#[tokio::test]
async fn a_text_goes_out_on_the_configured_line() {
    let fakes = FakeProviders::start();
    let mut config = Api::Kavenegar.config(&fakes);
    config.settings.kavenegar_com_from = "2000500666".to_owned();
    provider(&config).send(&text("hi")).await.unwrap();
    assert_eq!(fakes.sent_to(RECEIVER)[0].sender, "2000500666");
}

const SERVICES: [SmsService; 3] = [
    SmsService::KavenegarCom,
    SmsService::MeliPayamakCom,
    SmsService::ParsianWebcoIr,
];

async fn assert_each_sends(config: &Config, fakes: &FakeProviders) {
    let providers = chelseru_sms::from_config(&config.sms).unwrap();
    let apis = [Api::Kavenegar, Api::MeliPayamakRest, Api::Parsian];
    assert_eq!(providers.len(), apis.len());
    for (provider, api) in providers.iter().zip(apis) {
        provider.send(&api.any_message()).await.unwrap();
        assert_eq!(api.fake(fakes).sent().len(), 1, "{api:?}");
    }
}

#[tokio::test]
async fn accounts_that_are_configured_in_code_are_those_of_the_servers() {
    let fakes = FakeProviders::start();
    let config = fakes
        .configure(Config::builder(), &SERVICES)
        .signing_key(SIGNING_KEY)
        .template("LOGIN", "12")
        .otp_sms_template("LOGIN")
        .build()
        .unwrap();
    assert_each_sends(&config, &fakes).await;
}

#[tokio::test]
async fn accounts_that_are_configured_by_the_environment_are_those_of_the_servers() {
    let fakes = FakeProviders::start();
    let more = [
        ("AUTH__JWT__SIGNING_KEY", SIGNING_KEY),
        ("AUTH__OPTIONS__OTP_SMS_TEMPLATE_ID", "12"),
    ];
    let more = more.map(|(name, value)| (format!("CHELSERU_{name}"), value.to_owned()));
    let variables = fakes.environment(&SERVICES).into_iter().chain(more);
    let config = Config::load(None, variables).unwrap();
    assert_each_sends(&config, &fakes).await;
}

#[tokio::test]
async fn six_hundred_messages_at_once_arrive_once_each() {
    const MESSAGES: u32 = 600;
    for api in APIS {
        let fakes = FakeProviders::start();
        let held = api.fake(&fakes).inject(Fault::hold().after_taking());
        let provider = api.provider(&fakes);
        let number = |index: u32| format!("0912{index:07}");
        let sending: Vec<_> = (0..MESSAGES)
            .map(|index| {
                let provider = Arc::clone(&provider);
                let mut sms = with_local_id(api.any_message(), i64::from(index) + 1);
                sms.to = number(index).parse().unwrap();
                tokio::spawn(async move { provider.send(&sms).await })
            })
            .collect();
        held.arrived_many(MESSAGES).await;
        assert_eq!(held.waiting(), MESSAGES as usize, "all at the same time");
        held.release();
        for sent in sending {
            sent.await.unwrap().unwrap();
        }
        for index in 0..MESSAGES {
            assert_eq!(fakes.sent_to(&number(index)).len(), 1, "{api:?}");
        }
    }
}
