//! What our providers make of everything that goes wrong, and what the receiver got meanwhile.
//!
//! Whatever happens, a message is never said to be not sent when it was, and no call sends twice.

use std::sync::Arc;
use std::time::Duration;

use chelseru_core::sms::SmsErrorKind::{
    self, NotSent, NumberRefused, PerhapsSent, TemplateRefused, TextRefused, Throttled,
};
use chelseru_core::sms::{Sms, SmsError, SmsProvider};
use chelseru_tests::{FakeProviders, Fault};

use super::{APIS, Api, RECEIVER, text};

/// Long enough for a request to arrive, short enough to be waited for.
const SHORT: Duration = Duration::from_millis(500);

/// One of our providers and its server. Making the client is slow, so many faults share it.
struct Pair {
    api: Api,
    fakes: FakeProviders,
    provider: Arc<dyn SmsProvider>,
}

impl Pair {
    fn new(api: Api) -> Self {
        let fakes = FakeProviders::start();
        let provider = api.provider(&fakes);
        Self {
            api,
            fakes,
            provider,
        }
    }

    /// The error that one fault makes of one message, and how many SMS the receiver got.
    async fn suffer(&self, sms: &Sms, fault: Fault) -> (SmsError, usize) {
        let fake = self.api.fake(&self.fakes);
        let (sent, connections) = (fake.sent().len(), fake.connections());
        let injected = fake.inject(fault);
        let error = self.provider.send(sms).await.unwrap_err();
        injected.arrived().await;
        fake.clear_faults();
        assert_eq!(injected.met(), 1, "{:?}: it was tried again", self.api);
        assert_eq!(fake.connections() - connections, 1, "{:?}", self.api);
        (error, fake.sent_to(RECEIVER).len() - sent)
    }
}

/// Every interface makes this of each fault: when it happens before the message is taken nothing was
/// sent, and when it happens afterwards one SMS.
async fn assert_each(faults: &[Fault], kind: SmsErrorKind) {
    for api in APIS {
        let pair = Pair::new(api);
        for fault in faults {
            for (fault, sent) in [(fault.clone(), 0), (fault.clone().after_taking(), 1)] {
                let (error, received) = pair.suffer(&api.any_message(), fault.clone()).await;
                assert_eq!(error.kind(), kind, "{api:?} {fault:?}: {error}");
                assert_eq!(received, sent, "{api:?} {fault:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_it_open_whether_the_message_was_taken() {
    let faults = [Fault::reset(), Fault::close(), Fault::truncated()];
    assert_each(&faults, PerhapsSent).await;
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_request_is_read_is_not_made_again() {
    for api in APIS {
        let pair = Pair::new(api);
        for fault in [Fault::reset(), Fault::close()] {
            let fault = fault.before_reading();
            let (error, received) = pair.suffer(&api.any_message(), fault).await;
            // It is a matter of microseconds whether the client learns it while it still connects, and
            // so knows that nothing was sent, or later, when its request may have been read.
            let kind = error.kind();
            assert!(matches!(kind, NotSent | PerhapsSent), "{api:?}: {error}");
            assert_eq!(received, 0);
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_not_understood_leaves_it_open_whether_the_message_was_taken() {
    let faults = [
        Fault::garbage(),
        Fault::html(500),
        Fault::html(502),
        Fault::html(200),
        Fault::reply(200, "{}"),
    ];
    assert_each(&faults, PerhapsSent).await;
}

#[tokio::test]
async fn an_answer_that_never_comes_leaves_it_open_whether_the_message_was_taken() {
    for (fault, sent) in [
        (Fault::hang(), 0),
        (Fault::hang().after_taking(), 1),
        (Fault::hang().before_reading(), 0),
    ] {
        for api in APIS {
            let fakes = FakeProviders::start();
            let hanging = api.fake(&fakes).inject(fault.clone());
            let mut sms = api.any_message();
            sms.time_limit = SHORT;
            let error = api.provider(&fakes).send(&sms).await.unwrap_err();
            assert_eq!(error.kind(), PerhapsSent, "{api:?} {fault:?}: {error}");
            hanging.arrived().await;
            // Whoever has given up does not keep the connection.
            hanging.all_gone().await;
            assert_eq!(hanging.met(), 1, "{api:?}");
            assert_eq!(fakes.sent_to(RECEIVER).len(), sent, "{api:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    for fault in [Fault::hold(), Fault::hold().after_taking()] {
        for api in APIS {
            let fakes = FakeProviders::start();
            let held = api.fake(&fakes).inject(fault.clone());
            let (provider, sms) = (api.provider(&fakes), api.any_message());
            let sending = tokio::spawn(async move { provider.send(&sms).await });
            held.arrived().await;
            assert!(!sending.is_finished(), "{api:?}");
            held.release();
            sending.await.unwrap().unwrap();
            assert_eq!(fakes.sent_to(RECEIVER).len(), 1, "{api:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_message_that_is_given_up_while_it_is_held_was_sent_if_it_was_taken() {
    for (fault, sent) in [(Fault::hold(), 0), (Fault::hold().after_taking(), 1)] {
        let fakes = FakeProviders::start();
        let held = fakes.kavenegar.inject(fault);
        let (provider, sms) = (Api::Kavenegar.provider(&fakes), text("hi"));
        let sending = tokio::spawn(async move { provider.send(&sms).await });
        held.arrived().await;
        assert_eq!(fakes.sent_to(RECEIVER).len(), sent);
        sending.abort();
        held.all_gone().await;
        held.release();
        assert_eq!(fakes.sent_to(RECEIVER).len(), sent);
    }
}

#[tokio::test]
async fn nothing_was_sent_when_connections_are_refused() {
    for api in APIS {
        let fakes = FakeProviders::start();
        let provider = api.provider(&fakes);
        api.fake(&fakes).refuse_connections().await;
        let error = provider.send(&api.any_message()).await.unwrap_err();
        assert_eq!(error.kind(), NotSent, "{api:?}: {error}");
        assert_eq!(api.fake(&fakes).connections(), 0);

        api.fake(&fakes).accept_connections();
        provider.send(&api.any_message()).await.unwrap();
        assert_eq!(fakes.sent_to(RECEIVER).len(), 1, "{api:?}");
    }
}

#[tokio::test]
async fn a_provider_refuses_connections_while_the_others_take_them() {
    let fakes = FakeProviders::start();
    fakes.kavenegar.refuse_connections().await;
    for api in [Api::MeliPayamakRest, Api::Parsian] {
        let sent = api.provider(&fakes).send(&api.any_message()).await;
        assert!(sent.is_ok(), "{api:?}: {sent:?}");
    }
}

#[tokio::test]
async fn a_refusal_has_the_kind_of_the_providers_code() {
    let (of_text, of_template) = (true, false);
    let kavenegar = [
        (of_text, 402, PerhapsSent),
        (of_text, 409, Throttled),
        (of_text, 411, NumberRefused),
        (of_text, 413, TextRefused),
        (of_text, 418, NotSent),
        (of_text, 451, Throttled),
        (of_template, 424, TemplateRefused),
        (of_template, 431, TextRefused),
        (of_template, 607, NotSent),
    ];
    let rest = [
        (of_text, 6, Throttled),
        (of_text, 7, TextRefused),
        (of_text, -108, Throttled),
        (of_template, -4, TemplateRefused),
    ];
    let soap = [(of_text, 2, NotSent), (of_text, 35, NumberRefused)];
    let parsian = [(of_template, 100, NotSent), (of_template, 500, PerhapsSent)];
    for (api, cases) in [
        (Api::Kavenegar, &kavenegar[..]),
        (Api::MeliPayamakRest, &rest),
        (Api::MeliPayamakSoap, &soap),
        (Api::Parsian, &parsian),
    ] {
        let pair = Pair::new(api);
        for &(is_text, code, kind) in cases {
            let sms = if is_text {
                text("hi")
            } else {
                api.login_template("1")
            };
            let (error, received) = pair.suffer(&sms, Fault::refuse(code)).await;
            assert_eq!(error.kind(), kind, "{api:?} {code}: {error}");
            assert_eq!(error.code(), Some(code.to_string().as_str()), "{api:?}");
            assert_eq!(received, 0);
        }
    }
}

#[tokio::test]
async fn a_refusal_of_the_console_has_no_code_of_its_own() {
    let api = Api::MeliPayamakConsole;
    let pair = Pair::new(api);
    let (error, received) = pair.suffer(&api.any_message(), Fault::refuse(2)).await;
    assert_eq!((error.kind(), received), (NotSent, 0), "{error}");
}

#[tokio::test]
async fn a_recorded_reply_can_be_given_as_it_was() {
    let reply = r#"{"Value":"5","RetStatus":9,"StrRetStatus":"InvalidNumber"}"#;
    let fault = Fault::reply(200, reply);
    let pair = Pair::new(Api::MeliPayamakRest);
    let (error, _) = pair.suffer(&text("hi"), fault).await;
    assert_eq!((error.kind(), error.code()), (NotSent, Some("5")));
}

#[tokio::test]
async fn a_fault_happens_as_often_as_it_was_told_and_to_the_operation_it_was_told() {
    let fakes = FakeProviders::start();
    let provider = Api::Kavenegar.provider(&fakes);
    let fault = Fault::refuse(418).only("sms/send").times(2);
    let injected = fakes.kavenegar.inject(fault);
    let template = Api::Kavenegar.login_template("1");
    provider.send(&template).await.unwrap();
    for _ in 0..2 {
        provider.send(&text("hi")).await.unwrap_err();
    }
    provider.send(&text("hi")).await.unwrap();
    assert_eq!(injected.met(), 2);
}

#[tokio::test]
async fn a_fault_lasts_until_it_is_cleared() {
    let fakes = FakeProviders::start();
    let provider = Api::Kavenegar.provider(&fakes);
    let one = fakes.kavenegar.inject(Fault::refuse(409));
    fakes.kavenegar.inject(Fault::refuse(451));
    for code in ["409", "409"] {
        let error = provider.send(&text("hi")).await.unwrap_err();
        assert_eq!(error.code(), Some(code));
    }
    one.clear();
    let error = provider.send(&text("hi")).await.unwrap_err();
    assert_eq!(error.code(), Some("451"));
    fakes.kavenegar.clear_faults();
    provider.send(&text("hi")).await.unwrap();
}
