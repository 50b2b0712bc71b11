//! Which SMS a receiver really gets when a provider fails.

use std::time::{Duration, Instant};

use chelseru_core::config::SmsService::{KavenegarCom, MeliPayamakCom, ParsianWebcoIr};
use chelseru_core::store::SmsStatus::{Accepted, NotSent, Unknown};
use chelseru_tests::{Database, FakeProviders, Fault, on_both_databases};

use super::{ask_for_code, attempts, log_in, send_message, server, statuses};

on_both_databases! {
    a_provider_that_refuses_connections_is_passed_over_and_one_sms_arrives
    a_provider_that_refuses_the_account_is_passed_over
    an_answer_that_is_cut_is_asked_for_by_our_id_and_one_sms_arrives
    a_page_of_a_gateway_is_no_answer_and_one_sms_arrives
    a_request_that_kavenegar_never_took_goes_to_the_next_provider
    without_an_id_a_code_whose_answer_is_cut_is_sent_once_more_and_flagged
    without_an_id_a_message_whose_answer_is_cut_is_sent_once
    a_provider_that_hangs_leaves_time_for_the_next_before_the_deadline
    a_number_that_a_provider_refuses_is_refused_by_all
    a_provider_that_is_down_is_not_asked_for_a_while
    a_code_goes_by_each_providers_own_template
}

const TO: &str = "09127654321";

fn named(service: chelseru_core::config::SmsService) -> String {
    service.name().to_owned()
}

async fn a_provider_that_refuses_connections_is_passed_over_and_one_sms_arrives(
    database: Database,
) {
    let fakes = FakeProviders::start();
    let server = server(database, &fakes, &[KavenegarCom, MeliPayamakCom], |c| c).await;
    fakes.kavenegar.refuse_connections().await;
    let started = Instant::now();
    ask_for_code(&server, TO).await.assert_status(200);
    assert!(started.elapsed() < Duration::from_secs(8));
    assert_eq!(fakes.sent_to(TO).len(), 1);
    assert_eq!(
        statuses(&server, TO).await,
        [
            (named(KavenegarCom), NotSent),
            (named(MeliPayamakCom), Accepted)
        ]
    );
}

async fn a_provider_that_refuses_the_account_is_passed_over(database: Database) {
    let fakes = FakeProviders::start();
    let server = server(database, &fakes, &[KavenegarCom, MeliPayamakCom], |c| c).await;
    let access = log_in(&server, &fakes, "09121234567").await.access;
    for code in [403, 418, 451, 409] {
        fakes.kavenegar.inject(Fault::refuse(code).times(1));
        send_message(&server, &access, TO).await.assert_status(200);
    }
    assert_eq!(fakes.kavenegar.sent_to(TO).len(), 0);
    assert_eq!(fakes.meli_payamak.sent_to(TO).len(), 4);
}

async fn an_answer_that_is_cut_is_asked_for_by_our_id_and_one_sms_arrives(database: Database) {
    let fakes = FakeProviders::start();
    let server = server(database, &fakes, &[KavenegarCom, MeliPayamakCom], |c| c).await;
    let access = log_in(&server, &fakes, "09121234567").await.access;
    for (n, fault) in [Fault::truncated(), Fault::reset(), Fault::close()]
        .into_iter()
        .enumerate()
    {
        let to = format!("0912000000{n}");
        let fault = fault.after_taking().only("sms/send").times(1);
        fakes.kavenegar.inject(fault);
        send_message(&server, &access, &to).await.assert_status(200);
        assert_eq!(fakes.sent_to(&to).len(), 1);
        assert_eq!(
            statuses(&server, &to).await,
            [(named(KavenegarCom), Accepted)]
        );
        let sent = &fakes.sent_to(&to)[0];
        let attempt = &attempts(&server, &to).await[0];
        assert_eq!(attempt.outcome.provider_id.as_ref(), Some(&sent.message_id));
        assert_eq!(attempt.sms.local_id.map(|id| id.0), sent.local_id);
    }
    let to = "09120000009";
    fakes
        .kavenegar
        .inject(Fault::reset().after_taking().only("sms/send").times(1));
    ask_for_code(&server, to).await.assert_status(200);
    assert_eq!(fakes.sent_to(to).len(), 1, "a code as well");
}

async fn a_page_of_a_gateway_is_no_answer_and_one_sms_arrives(database: Database) {
    let fakes = FakeProviders::start();
    let server = server(database, &fakes, &[KavenegarCom], |c| c).await;
    for (n, fault) in [Fault::html(502), Fault::html(500), Fault::garbage()]
        .into_iter()
        .enumerate()
    {
        let to = format!("0912000000{n}");
        let fault = fault.after_taking().only("sms/send").times(1);
        fakes.kavenegar.inject(fault);
        ask_for_code(&server, &to).await.assert_status(200);
        assert_eq!(fakes.sent_to(&to).len(), 1);
    }
}

async fn a_request_that_kavenegar_never_took_goes_to_the_next_provider(database: Database) {
    let fakes = FakeProviders::start();
    let server = server(database, &fakes, &[KavenegarCom, MeliPayamakCom], |c| c).await;
    let access = log_in(&server, &fakes, "09121234567").await.access;
    fakes
        .kavenegar
        .inject(Fault::html(502).only("sms/send").times(1));
    send_message(&server, &access, TO).await.assert_status(200);
    assert_eq!(fakes.kavenegar.sent_to(TO).len(), 0);
    assert_eq!(fakes.meli_payamak.sent_to(TO).len(), 1);
    let attempts = attempts(&server, TO).await;
    assert_eq!(attempts[1].sms.may_repeat, None, "it is certain");
}

async fn without_an_id_a_code_whose_answer_is_cut_is_sent_once_more_and_flagged(
    database: Database,
) {
    let fakes = FakeProviders::start();
    let server = server(database, &fakes, &[MeliPayamakCom, KavenegarCom], |c| c).await;
    fakes
        .meli_payamak
        .inject(Fault::truncated().after_taking().times(1));
    ask_for_code(&server, TO).await.assert_status(200);
    let sent = fakes.sent_to(TO);
    assert_eq!(sent.len(), 2, "one too many at most");
    assert_eq!(sent[0].text, sent[1].text, "with the same code");
    assert_eq!(
        statuses(&server, TO).await,
        [
            (named(MeliPayamakCom), Unknown),
            (named(KavenegarCom), Accepted)
        ]
    );
    let attempts = attempts(&server, TO).await;
    assert_eq!(attempts[1].sms.may_repeat, Some(attempts[0].id));
}

async fn without_an_id_a_message_whose_answer_is_cut_is_sent_once(database: Database) {
    let fakes = FakeProviders::start();
    let server = server(database, &fakes, &[MeliPayamakCom, KavenegarCom], |c| c).await;
    let access = log_in(&server, &fakes, "09121234567").await.access;
    fakes
        .meli_payamak
        .inject(Fault::truncated().after_taking().times(1));
    send_message(&server, &access, TO).await.assert_status(502);
    assert_eq!(fakes.sent_to(TO).len(), 1);
    assert_eq!(
        statuses(&server, TO).await,
        [(named(MeliPayamakCom), Unknown)]
    );
}

async fn a_provider_that_hangs_leaves_time_for_the_next_before_the_deadline(database: Database) {
    let fakes = FakeProviders::start();
    let server = server(
        database,
        &fakes,
        &[MeliPayamakCom, KavenegarCom],
        |config| config.sms_timeout(Duration::from_secs(2)),
    )
    .await;
    fakes.meli_payamak.inject(Fault::hang());
    let started = Instant::now();
    ask_for_code(&server, TO).await.assert_status(200);
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(fakes.sent_to(TO).len(), 1);
}

async fn a_number_that_a_provider_refuses_is_refused_by_all(database: Database) {
    let fakes = FakeProviders::start();
    let server = server(database, &fakes, &[KavenegarCom, MeliPayamakCom], |c| c).await;
    fakes.kavenegar.inject(Fault::refuse(411).times(1));
    ask_for_code(&server, TO).await.assert_status(502);
    assert!(fakes.sent_to(TO).is_empty());
    assert!(fakes.meli_payamak.requests().is_empty());
    ask_for_code(&server, TO).await.assert_status(200);
}

async fn a_provider_that_is_down_is_not_asked_for_a_while(database: Database) {
    let fakes = FakeProviders::start();
    let server = server(
        database,
        &fakes,
        &[KavenegarCom, MeliPayamakCom],
        |config| config.sms_breaker(3, Duration::from_secs(60)),
    )
    .await;
    let access = log_in(&server, &fakes, "09121234567").await.access;
    fakes.kavenegar.inject(Fault::refuse(409));
    fakes.kavenegar.forget_requests();
    for _ in 0..10 {
        send_message(&server, &access, TO).await.assert_status(200);
    }
    let asked = |operation: &str| {
        let requests = fakes.kavenegar.requests();
        let sends = requests.iter().filter(|one| one.path().contains(operation));
        sends.count()
    };
    assert_eq!(asked("sms/send"), 3);
    assert_eq!(fakes.meli_payamak.sent_to(TO).len(), 10);

    fakes.kavenegar.clear_faults();
    server.clock.advance(Duration::from_secs(60));
    send_message(&server, &access, TO).await.assert_status(200);
    assert_eq!(fakes.kavenegar.sent_to(TO).len(), 1, "it is back");
}

async fn a_code_goes_by_each_providers_own_template(database: Database) {
    let fakes = FakeProviders::start();
    fakes.kavenegar.add_template("verify", "Code: %token");
    fakes.meli_payamak.add_template("77", "Code: {0}");
    fakes.parsian.add_template("5", "Code: __1__");
    let services = [KavenegarCom, MeliPayamakCom, ParsianWebcoIr];
    let server = server(database, &fakes, &services, |config| {
        config
            .template_of(KavenegarCom, "CODE", "verify")
            .template_of(MeliPayamakCom, "CODE", 77)
            .template_of(ParsianWebcoIr, "CODE", 5)
            .otp_sms_template("CODE")
    })
    .await;
    for (n, service) in services.into_iter().enumerate() {
        let number = format!("0912000000{n}");
        log_in(&server, &fakes, &number).await;
        let sent = fakes.sent_to(&number);
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].provider, service);
        assert!(sent[0].template.is_some());
        fakes.of(service).refuse_connections().await;
    }
}
