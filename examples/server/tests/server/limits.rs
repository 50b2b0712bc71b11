//! Limits hold for all processes together, and after they were restarted.

use chelseru_tests::{Database, on_both_databases};
use serde_json::json;

use crate::harness::{Installation, Server};

const NUMBER: &str = "09121234567";

async fn ask(server: &Server, number: &str) -> u16 {
    let body = json!({ "mobile_number": number });
    server.post("/api/otp/send/", &body).await.unwrap().0
}

async fn the_sixth_code_of_an_hour_is_sent_by_neither_of_two_processes(database: Database) {
    let installation = Installation::new(database).await;
    let servers = [installation.start(), installation.start()];
    for n in 0..5 {
        servers[n % 2].log_in(NUMBER).await.unwrap();
    }
    for server in &servers {
        assert_eq!(ask(server, NUMBER).await, 429);
    }
    let [one, other] = servers;
    one.terminate();
    other.terminate();
    let server = installation.start();
    assert_eq!(ask(&server, NUMBER).await, 429);
    assert_eq!(ask(&server, "09127654321").await, 200);
}

async fn two_processes_together_let_an_address_pump_ten_codes(database: Database) {
    let installation = Installation::new(database).await;
    let servers = [installation.start(), installation.start()];
    let mut sent = 0;
    for n in 0..30 {
        let status = ask(&servers[n % 2], &format!("091200000{n:02}")).await;
        assert!(matches!(status, 200 | 429), "{status}");
        sent += usize::from(status == 200);
    }
    assert_eq!(sent, 10);
}

on_both_databases! {
    the_sixth_code_of_an_hour_is_sent_by_neither_of_two_processes
    two_processes_together_let_an_address_pump_ten_codes
}
