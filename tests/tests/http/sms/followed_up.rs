//! What the providers say later.

use std::time::Duration;

use chelseru_core::config::SmsService::{KavenegarCom, MeliPayamakCom};
use chelseru_core::sms::{Credit, Delivery};
use chelseru_core::store::SmsStatus;
use chelseru_tests::{Database, FakeProviders, Fault, on_both_databases};

use super::{ask_for_code, attempts, log_in, send_message, server};

on_both_databases! {
    deliveries_are_asked_for_until_the_last_word
    a_message_that_hung_is_asked_for_later_and_not_sent_again
    balances_are_told_in_each_providers_own_unit
}

const TO: &str = "09127654321";

async fn deliveries_are_asked_for_until_the_last_word(database: Database) {
    for service in [KavenegarCom, MeliPayamakCom] {
        let fakes = FakeProviders::start();
        let server = server(database, &fakes, &[service], |config| config).await;
        ask_for_code(&server, TO).await.assert_status(200);
        let delivery = async || attempts(&server, TO).await[0].outcome.delivery;
        assert_eq!(delivery().await, None);
        server.clock.advance(Duration::from_secs(300));
        assert_eq!(server.chelseru.follow_up_sms().await.unwrap(), 1);
        assert!(!delivery().await.unwrap().is_final());
        server.clock.advance(Duration::from_secs(600));
        assert_eq!(server.chelseru.follow_up_sms().await.unwrap(), 1);
        assert_eq!(delivery().await, Some(Delivery::Delivered));
        server.clock.advance(Duration::from_secs(86_400));
        assert_eq!(server.chelseru.follow_up_sms().await.unwrap(), 0);
    }
}

async fn a_message_that_hung_is_asked_for_later_and_not_sent_again(database: Database) {
    let fakes = FakeProviders::start();
    let server = server(database, &fakes, &[KavenegarCom], |config| {
        config.sms_timeout(Duration::from_secs(1))
    })
    .await;
    let access = log_in(&server, &fakes, "09121234567").await.access;
    let hanging = fakes.kavenegar.inject(Fault::hang().after_taking());
    send_message(&server, &access, TO).await.assert_status(502);
    assert_eq!(
        attempts(&server, TO).await[0].outcome.status,
        SmsStatus::Unknown
    );
    hanging.clear();
    server.clock.advance(Duration::from_secs(30));
    server.chelseru.follow_up_sms().await.unwrap();
    assert_eq!(
        attempts(&server, TO).await[0].outcome.status,
        SmsStatus::Accepted
    );
    assert_eq!(fakes.sent_to(TO).len(), 1);
}

async fn balances_are_told_in_each_providers_own_unit(database: Database) {
    let fakes = FakeProviders::start();
    fakes.kavenegar.set_credit(1_234_567);
    fakes.meli_payamak.set_credit(42);
    let server = server(
        database,
        &fakes,
        &[KavenegarCom, MeliPayamakCom],
        |config| config.sms_low_balance_messages(100),
    )
    .await;
    let balances = server.chelseru.sms_balances().await;
    assert_eq!(balances[0].credit, Ok(Credit::Rial(1_234_567)));
    assert_eq!(balances[1].credit, Ok(Credit::Messages(42)));
    assert_eq!([balances[0].is_low, balances[1].is_low], [false, true]);
}
