//! A real browser: Chromium, driven by chromedriver over the WebDriver protocol.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::until;

/// The key under which WebDriver hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How long a browser may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Chromium asks for nothing but what a test has it ask for.
const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--accept-lang=fa-IR,fa",
    "--window-size=1240,860",
];

/// One window of a browser that nobody else uses, with Persian as its language.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    session: String,
    http: reqwest::Client,
}

impl Browser {
    /// Starts one; `CHELSERU_TEST_CHROMEDRIVER` names the driver where it is not on the path.
    pub async fn start() -> Self {
        let driver = std::env::var("CHELSERU_TEST_CHROMEDRIVER");
        let mut driver = Command::new(driver.as_deref().unwrap_or("chromedriver"))
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver (package chromium-driver) starts");
        let mut lines = BufReader::new(driver.stdout.take().expect("piped")).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                line.split_once("successfully on port ")
                    .map(|(_, port)| port.to_owned())
            })
            .expect("chromedriver says where it listens");
        // It must not wait for somebody to read what else it says.
        std::thread::spawn(move || lines.for_each(drop));
        let port = port.trim_end_matches('.');
        let mut browser = Self {
            driver,
            session: format!("http://127.0.0.1:{port}/session"),
            http: reqwest::Client::new(),
        };
        let options = json!({ "goog:chromeOptions": { "args": ARGUMENTS } });
        let wanted = json!({ "capabilities": { "alwaysMatch": options } });
        let session = browser.post("", &wanted).await.expect("Chromium starts");
        let id = session["sessionId"].as_str().expect("a session has an id");
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    /// Makes the window as wide and high as a phone, with a phone's pixels and touch.
    pub async fn become_a_phone(&self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": true });
        self.tell_chromium("Emulation.setDeviceMetricsOverride", &size)
            .await;
    }

    /// Takes the network away from the browser, or gives it back.
    pub async fn set_offline(&self, is_offline: bool) {
        let network = json!({
            "offline": is_offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        self.tell_chromium("Network.enable", &json!({})).await;
        self.tell_chromium("Network.emulateNetworkConditions", &network)
            .await;
    }

    /// Goes to an address.
    pub async fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }))
            .await
            .expect("the page is opened");
    }

    /// Clicks the first element of a CSS selector, when it is there and can be clicked.
    pub async fn click(&self, selector: &str) {
        until(&format!("{selector} can be clicked"), async || {
            let Some(element) = self.find(selector).await else {
                return false;
            };
            let path = format!("/element/{element}/click");
            self.post(&path, &json!({})).await.is_ok()
        })
        .await;
    }

    /// Types into the first element of a selector, after what stands there.
    pub async fn write(&self, selector: &str, text: &str) {
        until(&format!("{selector} can be written into"), async || {
            let Some(element) = self.find(selector).await else {
                return false;
            };
            let path = format!("/element/{element}/value");
            self.post(&path, &json!({ "text": text })).await.is_ok()
        })
        .await;
    }

    /// Waits until there is an element that can be seen.
    pub async fn wait_for(&self, selector: &str) {
        until(&format!("{selector} is there"), async || {
            self.sees(selector).await
        })
        .await;
    }

    /// Waits until no such element can be seen any more.
    pub async fn wait_for_no(&self, selector: &str) {
        until(&format!("{selector} is gone"), async || {
            !self.sees(selector).await
        })
        .await;
    }

    /// Whether there is an element that can be seen.
    pub async fn sees(&self, selector: &str) -> bool {
        let script =
            "return [...document.querySelectorAll(arguments[0])].some((e) => e.checkVisibility());";
        self.run(script, &[json!(selector)]).await == true
    }

    /// The texts of all elements of a selector.
    pub async fn texts(&self, selector: &str) -> Vec<String> {
        let script =
            "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent);";
        let texts = self.run(script, &[json!(selector)]).await;
        serde_json::from_value(texts).expect("texts")
    }

    /// What a script returns in the page.
    pub async fn run(&self, script: &str, arguments: &[Value]) -> Value {
        let body = json!({ "script": script, "args": arguments });
        self.post("/execute/sync", &body)
            .await
            .expect("the script runs")
    }

    /// What is to be seen, as PNG.
    pub async fn screenshot(&self) -> Vec<u8> {
        let response = self
            .http
            .get(format!("{}/screenshot", self.session))
            .send()
            .await;
        let body: Value = response.expect("an answer").json().await.expect("JSON");
        let encoded = body["value"].as_str().expect("a picture");
        BASE64.decode(encoded).expect("Base64")
    }

    async fn find(&self, selector: &str) -> Option<String> {
        let by = json!({ "using": "css selector", "value": selector });
        let element = self.post("/element", &by).await.ok()?;
        element[ELEMENT].as_str().map(str::to_owned)
    }

    async fn tell_chromium(&self, command: &str, parameters: &Value) {
        let body = json!({ "cmd": command, "params": parameters });
        let done = self.post("/goog/cdp/execute", &body).await;
        done.unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    /// The value of an answer, or what the driver says instead.
    async fn post(&self, path: &str, body: &Value) -> Result<Value, Value> {
        let url = format!("{}{path}", self.session);
        let response = self.http.post(url).json(body).send().await;
        let response = response.expect("chromedriver answers");
        let is_done = response.status().is_success();
        let mut body: Value = response.json().await.expect("chromedriver answers JSON");
        let value = body["value"].take();
        if is_done { Ok(value) } else { Err(value) }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A driver that is told to stop leaves its browser running, so that one is ended first.
        if end_session(&self.session).is_none() {
            eprintln!("the browser of {} may still be running", self.session);
        }
        let _ = Command::new("kill")
            .arg(self.driver.id().to_string())
            .status();
        let _ = self.driver.wait();
    }
}

/// Ends a session, and with it its browser, without a runtime; `None` when nobody answers.
fn end_session(url: &str) -> Option<()> {
    let (address, path) = url.strip_prefix("http://")?.split_once('/')?;
    let mut driver = TcpStream::connect(address).ok()?;
    driver.set_read_timeout(Some(PATIENCE)).ok()?;
    let request =
        format!("DELETE /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    driver.write_all(request.as_bytes()).ok()?;
    // The answer comes when the browser has ended.
    driver.read_exact(&mut [0]).ok()
}
