//! The page in a real browser: what two users see who chat over a network that breaks.

use std::path::Path;

use chelseru_tests::{Browser, Database, Proxy, until};
use serde_json::json;

use crate::harness::{Installation, Server};

const SARA: &str = "۰۹۱۲۱۱۱۱۱۱۱";
const ALI: &str = "۰۹۱۲۲۲۲۲۲۲۲";

fn ascii(number: &str) -> String {
    number
        .chars()
        .map(|digit| char::from_digit(u32::from(digit) & 0xf, 10).unwrap())
        .collect()
}

fn persian(digits: &str) -> String {
    let digits = digits.chars().map(|digit| u32::from(digit) & 0xf);
    digits
        .map(|digit| char::from_u32(0x6f0 + digit).unwrap())
        .collect()
}

/// Logs in on the page at this address, in Persian digits; gives the name that others see.
async fn log_in(browser: &Browser, address: &str, server: &Server, number: &str) -> String {
    browser.open(&format!("http://{address}/")).await;
    browser.write("input[name=mobile_number]", number).await;
    browser.click("button.primary").await;
    browser.wait_for("input[name=code]").await;
    let code = server.code_for(&ascii(number)).await.unwrap();
    // The last digit sends the form.
    browser.write("input[name=code]", &persian(&code)).await;
    browser.click("a[href='#/you']").await;
    browser.wait_for(".about-head h2").await;
    let name = browser.texts(".about-head h2").await.remove(0);
    browser.run("location.hash = '#/';", &[]).await;
    name
}

/// Begins a room with somebody.
async fn open_pair(browser: &Browser, username: &str) {
    browser.click(".side button[aria-haspopup=menu]").await;
    browser.click(".menu button").await;
    browser.write("dialog input[name=username]", username).await;
    browser.click("dialog button.primary").await;
    browser.wait_for(".composer textarea").await;
}

async fn say(browser: &Browser, text: &str) {
    browser.write(".composer textarea", text).await;
    browser.click(".composer .send").await;
}

async fn messages(browser: &Browser) -> Vec<String> {
    browser.texts(".message .text").await
}

async fn sees(browser: &Browser, text: &str) {
    until(&format!("{text} is shown"), async || {
        messages(browser).await.iter().any(|shown| shown == text)
    })
    .await;
}

fn keep(name: &str, picture: &[u8]) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(path, picture).unwrap();
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn two_users_chat_and_who_was_cut_off_sees_what_the_other_sees() {
    let installation = Installation::new(Database::Sqlite).await;
    let server = installation.start();
    let mut proxy = Proxy::to(server.address().parse().unwrap()).await;
    let (sara, ali) = (Browser::start().await, Browser::start().await);
    log_in(&sara, server.address(), &server, SARA).await;
    let ali_through = proxy.address().to_string();
    let name = log_in(&ali, &ali_through, &server, ALI).await;
    open_pair(&sara, &name).await;
    say(&sara, "سلام علی").await;

    // He has not opened the room: one message that was not read, in the language's digits.
    ali.wait_for(".room .badge").await;
    assert_eq!(ali.texts(".room .badge").await, ["۱"]);
    ali.click(".room").await;
    sees(&ali, "سلام علی").await;
    sara.wait_for(".message.mine .state.checks").await;
    say(&ali, "سلام سارا، چه خبر؟").await;
    sees(&sara, "سلام سارا، چه خبر؟").await;
    assert_eq!(
        sara.run("return document.documentElement.dir;", &[]).await,
        "rtl"
    );
    keep("page-desktop.png", &sara.screenshot().await);

    proxy.refuse().await;
    ali.wait_for(".banner").await;
    say(&ali, "این را بی شبکه نوشتم").await;
    ali.wait_for(".message.mine .state.clock").await;
    say(&sara, "هستی؟").await;
    say(&sara, "منتظرم").await;
    sara.wait_for_no(".message .state.clock").await;
    assert!(!messages(&ali).await.contains(&"منتظرم".to_owned()));
    ali.become_a_phone(360, 740).await;
    keep("page-phone-cut.png", &ali.screenshot().await);

    proxy.recover().await;
    ali.wait_for_no(".banner").await;
    sees(&ali, "منتظرم").await;
    sees(&sara, "این را بی شبکه نوشتم").await;
    ali.wait_for_no(".message .state.clock").await;
    let expected = [
        "سلام علی",
        "سلام سارا، چه خبر؟",
        "هستی؟",
        "منتظرم",
        "این را بی شبکه نوشتم",
    ];
    assert_eq!(messages(&sara).await, expected);
    assert_eq!(messages(&ali).await, expected);
    let width = ali
        .run("return document.documentElement.scrollWidth;", &[])
        .await;
    assert_eq!(width, 360, "nothing is wider than a phone");
    keep("page-phone.png", &ali.screenshot().await);
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn a_device_without_network_keeps_what_is_written_over_a_reload_and_sends_it_once() {
    let installation = Installation::new(Database::Sqlite).await;
    let server = installation.start();
    let (sara, ali) = (Browser::start().await, Browser::start().await);
    log_in(&sara, server.address(), &server, SARA).await;
    let name = log_in(&ali, server.address(), &server, ALI).await;
    open_pair(&sara, &name).await;
    say(&sara, "یک").await;
    sara.wait_for(".message.mine .state.check").await;
    sara.set_offline(true).await;
    sara.wait_for(".shell[data-connection=offline] .banner")
        .await;
    say(&sara, "دو").await;
    sara.wait_for(".message.mine .state.clock").await;
    // The tab is closed before the network is back.
    sara.open("about:blank").await;
    sara.set_offline(false).await;
    sara.open(&server.url("/")).await;
    sara.click(".room").await;
    sees(&sara, "دو").await;
    sara.wait_for_no(".message .state.clock").await;
    ali.click(".room").await;
    sees(&ali, "دو").await;
    assert_eq!(messages(&ali).await, ["یک", "دو"]);
    assert_eq!(messages(&sara).await, ["یک", "دو"]);
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn a_session_that_is_ended_elsewhere_leads_back_to_the_login() {
    let installation = Installation::new(Database::Sqlite)
        .await
        .set("CHELSERU_AUTH__OPTIONS__OTP_EXPIRE_PER_MINUTES", "0.02");
    let server = installation.start();
    let sara = Browser::start().await;
    log_in(&sara, server.address(), &server, SARA).await;
    let mut elsewhere = None;
    until("the next code can be asked for", async || {
        let body = json!({ "mobile_number": ascii(SARA) });
        let (status, _) = server.post("/api/otp/send/", &body).await.unwrap();
        if status != 200 {
            return false;
        }
        let code = server.code_for(&ascii(SARA)).await.unwrap();
        let login = json!({ "mobile_number": ascii(SARA), "code": code });
        let (_, tokens) = server.post("/api/authenticate/", &login).await.unwrap();
        elsewhere = tokens["access"].as_str().map(str::to_owned);
        true
    })
    .await;
    let ended = server
        .http
        .delete(server.url("/api/sessions/"))
        .bearer_auth(elsewhere.unwrap())
        .send();
    assert_eq!(ended.await.unwrap().status(), 204);
    sara.wait_for("input[name=mobile_number]").await;
    assert_eq!(sara.texts(".notice[role=status]").await.len(), 1);
}
