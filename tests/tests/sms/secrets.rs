//! No secret is shown, whatever fails: no key, password, text, code or URL in an error, a `Debug` or
//! a log.

use std::sync::{Mutex, Once};
use std::time::Duration;

use chelseru_core::sms::SmsError;
use tokio::net::TcpListener;

use crate::server::{Answer, Server};
use crate::setup::{Api, Call, SECRET, config, provider, template, text};

/// Everything that any test of this process has logged, at every level.
struct Logged(Mutex<String>);

static LOGGED: Logged = Logged(Mutex::new(String::new()));

impl log::Log for Logged {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}\n", record.target(), record.args());
        self.0.lock().unwrap().push_str(&line);
    }

    fn flush(&self) {}
}

fn start_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&LOGGED).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
}

fn assert_shows_nothing(shown: &str, url: &str) {
    for secret in [
        SECRET,
        "867530",
        "your code",
        "://",
        url.trim_start_matches("http://"),
    ] {
        assert!(!shown.contains(secret), "{secret:?} in {shown:?}");
    }
}

fn assert_error_shows_nothing(error: &SmsError, url: &str) {
    assert_shows_nothing(&format!("{error} {error:?} {error:#?}"), url);
}

#[tokio::test]
async fn no_failure_shows_a_secret() {
    start_log();
    // A server that repeats whatever it was told, in every place where a reply has words.
    let echo = r#"{"return":{"status":403,"message":"hush-key your code is 867530"},
                   "entries":[{"messageid":"hush","localid":"867530","status":"hush"}],
                   "recId":0,"Message":"hush-console","errors":{"text":"your code is 867530"},
                   "amount":"hush","resultsAsCode":["hush"],
                   "Value":"your code is 867530","RetStatus":35,"StrRetStatus":"hush&pass=word",
                   "status":"100","message":"hush-token 867530"}"#;
    let longer_echo = r#"{"return":{"status":"your code is 867530"},"Value":"867530",
                          "RetStatus":"hush","status":"hush-token","recId":"867530 hush"}"#;
    let entries = r#"{"return":{"status":200,"message":"hush-key"},
                      "entries":[{"messageid":"your code is 867530","localid":"hush",
                                  "status":6,"remaincredit":"hush"}]}"#;
    let result = "<Envelope><Body><SendSimpleSMS2Response><SendSimpleSMS2Result>hush 867530\
                  </SendSimpleSMS2Result></SendSimpleSMS2Response></Body></Envelope>";
    let fault = |code: &str| {
        format!(
            "<Envelope><Body><Fault><faultcode>{code}</faultcode>\
             <faultstring>hush-user: your code is 867530</faultstring></Fault></Body></Envelope>"
        )
    };
    for answer in [
        Answer::json("200 OK", echo),
        Answer::json("200 OK", longer_echo),
        Answer::json("200 OK", entries),
        Answer::json("400 Bad Request", echo),
        Answer::xml("200 OK", result),
        Answer::xml("500 Internal Server Error", &fault("soap:Client.hush")),
        Answer::xml("500 Internal Server Error", &fault("soap:Server.hush")),
        Answer::xml("500 Internal Server Error", &fault("hush:867530")),
        Answer::json("403 Forbidden", "hush-key 867530 <html>"),
        Answer::json("502 Bad Gateway", "hush-key 867530 <html>"),
        Answer::json("302 Found", "hush-key"),
        Answer::cut(echo),
        Answer::close(),
        Answer::bytes(b"HTTP/9 hush-key\r\n\r\n"),
    ] {
        let server = Server::that_answers(answer).await;
        for api in Api::ALL {
            let provider = provider(&config(api, &server.url));
            for call in Call::all_of(api) {
                match call.make(&*provider, Duration::from_secs(5)).await {
                    Ok(result) => assert_shows_nothing(&result, &server.url),
                    Err(error) => assert_error_shows_nothing(&error, &server.url),
                }
            }
        }
    }
    let log = LOGGED.0.lock().unwrap();
    assert!(log.contains("reqwest"), "the client's log was not captured");
    for secret in [SECRET, "867530", "your code"] {
        assert!(!log.contains(secret), "{secret:?} in the log");
    }
}

#[tokio::test]
async fn no_failure_to_connect_shows_a_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refusing = nobody.local_addr().unwrap();
    drop(nobody);
    for url in [
        format!("http://{refusing}"),
        // Never answers: no TLS, then no HTTP.
        format!("https://{address}"),
        format!("http://{address}"),
        format!("http://{}.invalid", "a".repeat(64)),
    ] {
        for api in Api::ALL {
            let mut config = config(api, &url);
            config.timeout = Duration::from_millis(100);
            let provider = provider(&config);
            for call in Call::all_of(api) {
                let error = call.make(&*provider, config.timeout).await.unwrap_err();
                assert_error_shows_nothing(&error, &url);
            }
        }
    }
}

#[tokio::test]
async fn no_refusal_before_sending_shows_a_secret() {
    let url = "http://127.0.0.1:9";
    for (api, sms) in [
        (Api::Kavenegar, text(&"your code is 867530 ".repeat(50))),
        (Api::Kavenegar, template("login", &["your code"])),
        (Api::Kavenegar, template("login", &["867530_"])),
        (Api::Kavenegar, template("login", &["867530"; 6])),
        (Api::MeliRest, template("12", &["867530;"])),
        (Api::MeliRest, template("login", &["867530"])),
        (Api::MeliSoap, template("12", &["867530"])),
        (Api::MeliSoap, text("your code is \u{1B}867530")),
        (Api::MeliConsole, template("login", &["867530"])),
        (Api::Parsian, template("12", &["867530,"])),
        (Api::Parsian, text("your code is 867530")),
    ] {
        let error = provider(&config(api, url)).send(&sms).await.unwrap_err();
        assert!(error.is_certain());
        assert_error_shows_nothing(&error, url);
    }
}

#[test]
fn no_debug_shows_a_secret() {
    let url = "http://127.0.0.1:9/hush";
    for api in Api::ALL {
        let provider = provider(&config(api, url));
        assert_shows_nothing(&format!("{provider:?} {provider:#?}"), url);
        assert_eq!(provider.name(), api.service().name());
    }
}

#[test]
fn an_account_without_a_credential_is_refused_by_the_name_of_its_setting() {
    for (api, key) in [
        (Api::Kavenegar, "KAVENEGAR_COM_API_KEY"),
        (Api::MeliRest, "MELI_PAYAMAK_COM_USERNAME"),
        (Api::MeliRest, "MELI_PAYAMAK_COM_PASSWORD"),
        (Api::MeliSoap, "MELI_PAYAMAK_COM_USERNAME"),
        (Api::MeliSoap, "MELI_PAYAMAK_COM_PASSWORD"),
        (Api::Parsian, "PARSIAN_WEBCO_IR_API_KEY"),
    ] {
        let mut config = config(api, "https://provider.example");
        let settings = &mut config.settings;
        match key {
            "KAVENEGAR_COM_API_KEY" => settings.kavenegar_com_api_key = "".into(),
            "MELI_PAYAMAK_COM_USERNAME" => settings.meli_payamak_com_username.clear(),
            "MELI_PAYAMAK_COM_PASSWORD" => settings.meli_payamak_com_password = "".into(),
            _ => settings.parsian_webco_ir_api_key = "".into(),
        }
        let error = chelseru_sms::from_config(&config).unwrap_err();
        assert_eq!(error.problems()[0].key, format!("SMS.SETTINGS.{key}"));
        assert_shows_nothing(&error.to_string(), "https://provider.example");
    }
}

#[test]
fn a_base_url_that_is_none_is_refused_by_the_name_of_its_setting() {
    for (api, key) in [
        (Api::Kavenegar, "KAVENEGAR_COM_BASE_URL"),
        (Api::MeliRest, "MELI_PAYAMAK_COM_BASE_URL"),
        (Api::MeliSoap, "MELI_PAYAMAK_COM_BASE_URL"),
        (Api::MeliConsole, "MELI_PAYAMAK_COM_BASE_URL"),
        (Api::Parsian, "PARSIAN_WEBCO_IR_BASE_URL"),
    ] {
        for url in [
            "//hush.example",
            "api.hush.example",
            "ftp://hush.example",
            "mailto:hush",
            "http://",
        ] {
            let error = chelseru_sms::from_config(&config(api, url)).unwrap_err();
            assert_eq!(error.problems()[0].key, format!("SMS.SETTINGS.{key}"));
            assert!(!error.to_string().contains(SECRET), "{error}");
        }
    }
}
