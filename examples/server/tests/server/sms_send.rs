//! Sending from the command line: each receiver once, and nobody unknown.

use std::io::{BufRead, BufReader};
use std::process::Output;

use chelseru_core::config::SmsService;
use chelseru_tests::{Database, FakeProviders, Fault};

use crate::harness::{Installation, signal, stderr, stdout};

const FIVE: [&str; 5] = [
    "09120000001",
    "09120000002",
    "09120000003",
    "09120000004",
    "09120000005",
];

async fn installation(fakes: &FakeProviders, services: &[SmsService]) -> Installation {
    let installation = Installation::new(Database::Sqlite)
        .await
        .send_by(fakes, services);
    installation.make_database().await;
    installation
}

fn send(installation: &Installation, arguments: &[&str]) -> Output {
    let mut all = vec!["sms", "send"];
    all.extend(arguments);
    installation.run(&all)
}

fn count_in(report: &str, outcome: &str) -> Option<usize> {
    let lines = report.lines();
    let mut counts = lines.filter_map(|line| line.strip_prefix(&format!("# {outcome}")));
    counts.find_map(|count| count.trim().parse().ok())
}

#[tokio::test]
async fn one_message_is_one_line() {
    let fakes = FakeProviders::start();
    let services = [SmsService::KavenegarCom, SmsService::MeliPayamakCom];
    let installation = installation(&fakes, &services).await;
    let output = send(&installation, &["--to", "+98 912 ۰۰۰ ۰۰۰۱", "سلام"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), "09120000001: accepted by KAVENEGAR_COM\n");
    assert_eq!(fakes.sent_to(FIVE[0]).len(), 1);

    fakes.kavenegar.inject(Fault::refuse(418).times(1));
    let output = send(&installation, &["--to", FIVE[0], "سلام"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("accepted by MELI_PAYAMAK_COM"));

    fakes.kavenegar.inject(Fault::refuse(411));
    let output = send(&installation, &["--to", FIVE[1], "سلام"]);
    assert_eq!(output.status.code(), Some(1));
    let line = stdout(&output);
    assert!(line.starts_with("09120000002: number refused: "), "{line}");
}

#[tokio::test]
async fn a_template_is_named_as_in_the_settings() {
    let fakes = FakeProviders::start();
    let installation = installation(&fakes, &[SmsService::KavenegarCom])
        .await
        .set("CHELSERU_SMS__TEMPLATES__GREETING", "login");
    let arguments = ["--template", "GREETING", "--to", FIVE[0], "1234"];
    let output = send(&installation, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let sent = fakes.sent_to(FIVE[0]);
    assert!(sent[0].text.contains("1234"), "{sent:?}");
}

#[tokio::test]
async fn every_wrong_line_is_named_before_anything_is_sent() {
    let fakes = FakeProviders::start();
    let installation = installation(&fakes, &[SmsService::KavenegarCom]).await;
    installation.write("numbers.txt", "09120000001\n0912\n\n# 1\n+1 202 555 0123\n");
    let output = send(&installation, &["--yes", "--file", "numbers.txt", "text"]);
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    for place in ["numbers.txt:2:", "numbers.txt:5:"] {
        assert!(message.contains(place), "{place} is missing in {message}");
    }
    assert!(fakes.kavenegar.sent().is_empty());
}

#[tokio::test]
async fn several_messages_are_confirmed_and_where_nobody_can_be_asked_that_is_an_argument() {
    let fakes = FakeProviders::start();
    let installation = installation(&fakes, &[SmsService::KavenegarCom]).await;
    let to = FIVE.join(",");
    let text = "ب".repeat(71);
    let output = send(&installation, &["--to", &to, &text]);
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    for word in ["5 messages of 2 parts each, 10 parts in all", "--yes"] {
        assert!(message.contains(word), "{word} is missing in {message}");
    }
    assert!(fakes.kavenegar.sent().is_empty());
    let output = send(&installation, &["--yes", "--to", &to, &text]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(count_in(&stdout(&output), "accepted"), Some(5));
}

#[tokio::test]
async fn a_receiver_who_is_named_twice_gets_one_message() {
    let fakes = FakeProviders::start();
    let installation = installation(&fakes, &[SmsService::KavenegarCom]).await;
    installation.write(
        "numbers.txt",
        "9120000001\r\n۰۹۱۲۰۰۰۰۰۰۱ # again\r\n09120000002",
    );
    let arguments = ["--yes", "--file", "numbers.txt", "--to", FIVE[1], "text"];
    let output = send(&installation, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(fakes.kavenegar.sent().len(), 2);
}

/// Of five, one is in doubt and one is refused; the next run sends to the refused one alone.
#[tokio::test]
async fn the_report_given_to_the_next_run_sends_to_nobody_twice() {
    let fakes = FakeProviders::start();
    let installation = installation(&fakes, &[SmsService::MeliPayamakCom]).await;
    let provider = &fakes.meli_payamak;
    provider.inject(Fault::reset().after_taking().times(1));
    provider.inject(Fault::refuse(2).times(1));
    let to = FIVE.join(",");
    let first = send(
        &installation,
        &["--yes", "--concurrency", "1", "--to", &to, "text"],
    );
    assert_eq!(first.status.code(), Some(1), "{}", stderr(&first));
    let report = stdout(&first);
    for (outcome, count) in [
        ("accepted", 3),
        ("not sent", 1),
        ("perhaps sent", 1),
        ("not begun", 0),
    ] {
        assert_eq!(count_in(&report, outcome), Some(count), "{report}");
    }
    assert_eq!(provider.sent().len(), 4);

    installation.write("report.txt", &report);
    let second = send(&installation, &["--yes", "--file", "report.txt", "text"]);
    assert_eq!(second.status.code(), Some(0), "{}", stderr(&second));
    for number in FIVE {
        assert_eq!(provider.sent_to(number).len(), 1, "{number}");
    }
}

#[tokio::test]
async fn ctrl_c_begins_nothing_more_and_waits_for_what_is_under_way() {
    let fakes = FakeProviders::start();
    let installation = installation(&fakes, &[SmsService::KavenegarCom]).await;
    let held = fakes.kavenegar.inject(Fault::hold());
    let to = FIVE.join(",");
    let arguments = [
        "sms",
        "send",
        "--yes",
        "--concurrency",
        "2",
        "--to",
        &to,
        "text",
    ];
    let mut child = installation.spawn(&arguments);
    held.arrived_many(2).await;
    signal(&child, "-INT");
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let stopping = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("stopping")));
    assert!(stopping.is_some());
    fakes.kavenegar.clear_faults();
    held.release();
    // A closed standard error is no reason to lose the report.
    drop(lines);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let report = stdout(&output);
    assert_eq!(count_in(&report, "accepted"), Some(2), "{report}");
    assert_eq!(count_in(&report, "not begun"), Some(3), "{report}");
    assert_eq!(fakes.kavenegar.sent().len(), 2);
}

#[tokio::test]
async fn a_budget_that_is_used_up_ends_the_run() {
    let fakes = FakeProviders::start();
    let installation = installation(&fakes, &[SmsService::KavenegarCom])
        .await
        .set("CHELSERU_AUTH__LIMITS__SMS_PER_DAY", "2")
        .set("CHELSERU_AUTH__LIMITS__SMS_RESERVE_PERCENT", "0");
    let to = FIVE.join(",");
    let output = send(
        &installation,
        &["--yes", "--concurrency", "1", "--to", &to, "text"],
    );
    assert_eq!(output.status.code(), Some(1));
    let report = stdout(&output);
    for (outcome, count) in [("accepted", 2), ("not sent", 1), ("not begun", 2)] {
        assert_eq!(count_in(&report, outcome), Some(count), "{report}");
    }
    assert!(report.contains("budget"), "{report}");
    assert_eq!(fakes.kavenegar.sent().len(), 2);
}
