//! A provider that hangs is nobody else's trouble.

use std::time::Duration;

use chelseru_core::config::SmsService::KavenegarCom;
use chelseru_tests::{Database, FakeProviders, Fault, on_both_databases};
use futures_util::future::{join, join_all};

use super::{ask_for_code, log_in, server};

on_both_databases! {
    five_hundred_sends_wait_while_everybody_else_is_served
}

const SENDS: usize = 500;
/// What reaches the provider at once.
const SLOTS: u32 = 20;
/// What opens the breaker.
const FAILURES: u32 = 5;

async fn five_hundred_sends_wait_while_everybody_else_is_served(database: Database) {
    let fakes = FakeProviders::start();
    let server = server(database, &fakes, &[KavenegarCom], |config| {
        config
            .sms_max_concurrent(SLOTS as usize)
            .sms_timeout(Duration::from_secs(6))
            .sms_breaker(FAILURES, Duration::from_secs(30))
    })
    .await;
    let access = log_in(&server, &fakes, "09121234567").await.access;
    let hanging = fakes.kavenegar.inject(Fault::hang().only("sms/send"));
    let sends = join_all((0..SENDS).map(|n| {
        let number = format!("0935{n:07}");
        let server = &server;
        async move { ask_for_code(server, &number).await.status }
    }));
    let meanwhile = async {
        hanging.arrived_many(SLOTS).await;
        for _ in 0..100 {
            server
                .get("/api/sessions/")
                .bearer(&access)
                .await
                .assert_status(200);
        }
        // All of them were served while the provider still hung.
        assert_eq!(hanging.waiting(), SLOTS as usize);
    };
    let (statuses, ()) = join(sends, meanwhile).await;
    assert_eq!(statuses, [502; SENDS], "everybody is answered");
    // Those that failed before the breaker opened have let others in.
    assert!(
        hanging.met() < (SLOTS + FAILURES) as usize,
        "the breaker spared the others the wait: {} tried",
        hanging.met()
    );
}
