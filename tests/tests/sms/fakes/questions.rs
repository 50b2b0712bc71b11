//! What our providers learn when they ask: deliveries, their own ids, and the credit.

use chelseru_core::sms::{Credit, Delivery, LocalId, SmsErrorKind};
use chelseru_tests::{FakeProviders, Fault};

use super::{Api, text, with_local_id};

/// The interfaces that report deliveries and credit.
const APIS: [Api; 3] = [
    Api::Kavenegar,
    Api::MeliPayamakRest,
    Api::MeliPayamakConsole,
];

#[tokio::test]
async fn a_message_is_pending_and_then_delivered() {
    for api in APIS {
        let fakes = FakeProviders::start();
        api.fake(&fakes).deliver_after(2);
        let provider = api.provider(&fakes);
        let sent = provider.send(&text("hi")).await.unwrap();
        let ids = [sent.message_id.unwrap()];
        let mut seen = Vec::new();
        for _ in 0..3 {
            let reports = provider.deliveries(&ids).await.unwrap();
            assert_eq!(reports.len(), 1, "{api:?}");
            assert_eq!(reports[0].message_id, ids[0], "{api:?}");
            seen.push(reports[0].delivery);
        }
        let expected = [Delivery::Pending, Delivery::Pending, Delivery::Delivered];
        assert_eq!(seen, expected, "{api:?}");
    }
}

#[tokio::test]
async fn several_messages_are_asked_for_at_once_and_each_has_its_own_answer() {
    for api in APIS {
        let (failed, blocked) = match api {
            Api::Kavenegar => (11, 14),
            _ => (2, 35),
        };
        let fakes = FakeProviders::start();
        let provider = api.provider(&fakes);
        let mut ids = Vec::new();
        for _ in 0..3 {
            let sent = provider.send(&text("hi")).await.unwrap();
            ids.push(sent.message_id.unwrap());
        }
        api.fake(&fakes).deliver_after(0);
        api.fake(&fakes).set_delivery(&ids[0], failed);
        api.fake(&fakes).set_delivery(&ids[2], blocked);
        let mut reports = provider.deliveries(&ids).await.unwrap();
        reports.sort_by_key(|report| ids.iter().position(|id| *id == report.message_id));
        let deliveries: Vec<_> = reports.iter().map(|report| report.delivery).collect();
        let expected = [Delivery::Failed, Delivery::Delivered, Delivery::Blocked];
        assert_eq!(deliveries, expected, "{api:?}");
        assert_eq!(reports[0].code, Some(failed.to_string()), "{api:?}");
    }
}

#[tokio::test]
async fn a_message_that_was_never_sent_is_unknown_or_left_out() {
    for api in APIS {
        let fakes = FakeProviders::start();
        let reports = api.provider(&fakes).deliveries(&["1".to_owned()]).await;
        let known = reports
            .unwrap()
            .into_iter()
            .filter(|report| report.delivery != Delivery::Unknown);
        assert_eq!(known.count(), 0, "{api:?}");
    }
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_found_by_its_local_id() {
    let fakes = FakeProviders::start();
    let provider = Api::Kavenegar.provider(&fakes);
    fakes
        .kavenegar
        .inject(Fault::reset().after_taking().only("sms/send").times(1));
    let error = provider.send(&with_local_id(text("hi"), 4711)).await;
    assert_eq!(error.unwrap_err().kind(), SmsErrorKind::PerhapsSent);
    let found = provider.find(LocalId(4711)).await.unwrap();
    let sent = fakes.kavenegar.sent().remove(0);
    assert_eq!(found.map(|report| report.message_id), Some(sent.message_id));
}

#[tokio::test]
async fn a_message_that_was_not_taken_is_not_found_by_its_local_id() {
    let fakes = FakeProviders::start();
    let provider = Api::Kavenegar.provider(&fakes);
    fakes
        .kavenegar
        .inject(Fault::reset().only("sms/send").times(1));
    let error = provider.send(&with_local_id(text("hi"), 4711)).await;
    assert_eq!(error.unwrap_err().kind(), SmsErrorKind::PerhapsSent);
    assert_eq!(provider.find(LocalId(4711)).await, Ok(None));
}

#[tokio::test]
async fn nobody_knows_about_a_message_while_the_question_fails() {
    let fakes = FakeProviders::start();
    let provider = Api::Kavenegar.provider(&fakes);
    for fault in [
        Fault::reset(),
        Fault::refuse(403),
        Fault::refuse(451),
        Fault::html(502),
        Fault::truncated().after_taking(),
        Fault::garbage(),
    ] {
        let fault = fault.only("sms/statuslocalmessageid").times(1);
        fakes.kavenegar.inject(fault.clone());
        let error = provider.find(LocalId(1)).await.unwrap_err();
        assert_eq!(error.kind(), SmsErrorKind::PerhapsSent, "{fault:?}");
    }
    fakes.kavenegar.refuse_connections().await;
    let error = provider.find(LocalId(1)).await.unwrap_err();
    assert_eq!(error.kind(), SmsErrorKind::PerhapsSent, "{error}");
}

#[tokio::test]
async fn the_credit_is_told_in_the_providers_own_unit() {
    for (api, credit) in [
        (Api::Kavenegar, Credit::Rial(1234)),
        (Api::MeliPayamakRest, Credit::Messages(1234)),
        (Api::MeliPayamakConsole, Credit::Rial(1234)),
    ] {
        let fakes = FakeProviders::start();
        api.fake(&fakes).set_credit(1234);
        assert_eq!(api.provider(&fakes).credit().await, Ok(credit), "{api:?}");
    }
}

#[tokio::test]
async fn a_question_that_fails_leaves_no_message_in_doubt() {
    for api in APIS {
        let fakes = FakeProviders::start();
        let provider = api.provider(&fakes);
        for fault in [Fault::reset(), Fault::html(502), Fault::garbage()] {
            api.fake(&fakes).clear_faults();
            api.fake(&fakes).inject(fault);
            let error = provider.credit().await.unwrap_err();
            assert_eq!(error.kind(), SmsErrorKind::NotSent, "{api:?}: {error}");
            let error = provider.deliveries(&["1".to_owned()]).await.unwrap_err();
            assert_eq!(error.kind(), SmsErrorKind::NotSent, "{api:?}: {error}");
        }
    }
}

#[tokio::test]
async fn a_wrong_account_learns_no_credit() {
    for api in APIS {
        let fakes = FakeProviders::start();
        let mut config = api.config(&fakes);
        config.settings.kavenegar_com_api_key = "wrong".into();
        config.settings.meli_payamak_com_password = "wrong".into();
        if api == Api::MeliPayamakConsole {
            config.settings.meli_payamak_com_console_token = "wrong".into();
        }
        let credit = super::provider(&config).credit().await;
        assert!(credit.is_err(), "{api:?}: {credit:?}");
    }
}
