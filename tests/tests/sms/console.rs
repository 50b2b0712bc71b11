//! The console: an inbox of what was sent.

use chelseru_core::config::SmsConfig;
use chelseru_core::sms::{Sent, SmsProvider};
use chelseru_sms::Console;

use crate::setup::{template, text};

#[tokio::test]
async fn clones_share_one_inbox_with_the_newest_message_first() {
    let console = Console::new();
    let sender = console.clone();
    assert_eq!(sender.send(&text("first")).await, Ok(Sent::with_id("1")));
    assert_eq!(sender.send(&text("second")).await, Ok(Sent::with_id("2")));
    let messages = console.messages();
    let shown: Vec<_> = messages
        .iter()
        .map(|message| (message.id, message.to.as_str(), message.text.as_str()))
        .collect();
    assert_eq!(
        shown,
        [(2, "09121234567", "second"), (1, "09121234567", "first")]
    );
}

#[tokio::test]
async fn a_template_shows_its_id_and_variables() {
    let console = Console::new();
    console
        .send(&template("login", &["123456", "علی"]))
        .await
        .unwrap();
    assert_eq!(
        console.messages()[0].text,
        "template login\n1: 123456\n2: علی"
    );
}

#[tokio::test]
async fn the_last_thousand_messages_are_kept() {
    let console = Console::new();
    for n in 1..=1003 {
        console.send(&text(&n.to_string())).await.unwrap();
    }
    let messages = console.messages();
    assert_eq!(messages.len(), 1000);
    assert_eq!(messages[0].text, "1003");
    assert_eq!(messages[999].text, "4");
}

#[tokio::test]
async fn debug_shows_no_text() {
    let console = Console::new();
    console.send(&text("your code is 867530")).await.unwrap();
    let shown = format!("{console:?} {:?}", console.messages());
    assert!(!shown.contains("867530"), "{shown}");
    assert!(!shown.contains("09121234567"), "{shown}");
}

#[test]
fn it_is_the_default_and_needs_no_settings() {
    let providers = chelseru_sms::from_config(&SmsConfig::default()).unwrap();
    assert_eq!(providers.len(), 1);
    assert_eq!(providers[0].name(), "CONSOLE");
}
