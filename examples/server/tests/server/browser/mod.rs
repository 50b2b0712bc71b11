//! The page in a real browser, as its users see it.

mod conversation;
mod files;
mod groups;
mod network;
mod passwords;

use std::path::Path;

use chelseru_tests::{Browser, Database, until};
use serde_json::{Value, json};

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

/// A server, and two who have a room together, both of them looking at it.
struct Pair {
    installation: Installation,
    server: Server,
    sara: Browser,
    ali: Browser,
}

impl Pair {
    async fn meet() -> Self {
        let installation = Installation::new(Database::Sqlite).await;
        let server = installation.start();
        let (sara, ali) = (Browser::start().await, Browser::start().await);
        log_in(&sara, server.address(), &server, SARA).await;
        let name = log_in(&ali, server.address(), &server, ALI).await;
        open_pair(&sara, &name).await;
        ali.click(".room").await;
        ali.wait_for(".composer textarea").await;
        Self {
            installation,
            server,
            sara,
            ali,
        }
    }

    /// Calls a route as the user of this browser.
    async fn call(&self, browser: &Browser, path: &str, body: Option<&Value>) -> Value {
        let script = "return JSON.parse(localStorage.getItem('chelseru.tokens')).access;";
        let access = browser.run(script, &[]).await;
        let url = self.server.url(path);
        let request = match body {
            Some(body) => self.server.http.post(url).json(body),
            None => self.server.http.get(url),
        };
        let request = request.bearer_auth(access.as_str().unwrap());
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{path}");
        response.json().await.unwrap()
    }

    /// The room that the browser shows.
    async fn room(&self) -> i64 {
        let hash = self.sara.run("return location.hash;", &[]).await;
        let id = hash.as_str().unwrap().rsplit('/').next().unwrap();
        id.parse().unwrap()
    }
}

/// Chooses from the menu that is open, or that the click on a button opens.
async fn choose(browser: &Browser, button: &str, label: &str) {
    browser.click(button).await;
    browser.wait_for(".menu").await;
    click_text(browser, ".menu button", label).await;
}

/// Clicks the element of a selector that has this text.
async fn click_text(browser: &Browser, selector: &str, text: &str) {
    let script = "const all = [...document.querySelectorAll(arguments[0])];
        const found = all.find((element) => element.textContent === arguments[1]);
        found?.click();
        return Boolean(found);";
    until(&format!("{text} can be chosen"), async || {
        browser.run(script, &[json!(selector), json!(text)]).await == true
    })
    .await;
}
