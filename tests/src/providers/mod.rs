//! Kavenegar, Melipayamak and Parsian as their documentation and their clients describe them, on ports
//! of this machine, with everything that can go wrong between us and them.
//!
//! Each provider has a port of its own, checks accounts, fields and documented rules by itself, and
//! keeps every message that it **really sent**: a test counts what a receiver got, whatever the sender
//! was told. [`Fault`]s go wrong on demand. The server runs on a thread of its own, so it answers also
//! while a test blocks its own, as when it waits for a child process.
//!
//! # In a test of the library
//!
//! ```
//! use chelseru_core::config::SmsService;
//! use chelseru_core::sms::{Content, Sms, SmsErrorKind};
//! use chelseru_tests::{FakeProviders, Fault};
//!
//! # chelseru_tests::run(async {
//! let fakes = FakeProviders::start();
//! let config = fakes.sms_config(&[SmsService::KavenegarCom]);
//! let provider = chelseru_sms::from_config(&config).unwrap().remove(0);
//!
//! // The message is sent, and its sender never learns it.
//! fakes.kavenegar.inject(Fault::reset().after_taking());
//! let sms = Sms::new("09121234567".parse().unwrap(), Content::Text("hi".into()));
//! let error = provider.send(&sms).await.unwrap_err();
//! assert_eq!(error.kind(), SmsErrorKind::PerhapsSent);
//! assert_eq!(fakes.kavenegar.sent_to("09121234567").len(), 1);
//! # });
//! ```
//!
//! # In a test of the server's binary
//!
//! [`FakeProviders::environment`] are the variables that send the messages of a child process here. To
//! kill it between the taking of a message and its being noted as taken:
//!
//! ```no_run
//! # use chelseru_core::config::SmsService;
//! # use chelseru_tests::{FakeProviders, Fault};
//! # async fn test(mut child: std::process::Child) {
//! let fakes = FakeProviders::start();
//! let variables = fakes.environment(&[SmsService::KavenegarCom]);
//! // … start the child with these variables …
//! let held = fakes.kavenegar.inject(Fault::hold().after_taking());
//! // … ask it for a code …
//! held.arrived().await;
//! child.kill().unwrap();
//! fakes.kavenegar.clear_faults();
//! # }
//! ```
//!
//! # The files
//!
//! `faults.rs` says what can go wrong and how to add to it, `server.rs` does it, `book.rs` is a
//! provider's memory, `http.rs` the protocol, and each provider's rules are in a file of its name.

mod book;
mod faults;
mod http;
mod kavenegar;
mod meli_payamak;
mod parsian;
mod server;

use chelseru_core::config::{ConfigBuilder, SmsConfig, SmsService};
use tokio::runtime::Runtime;

use self::book::Book;
pub use self::book::SentSms;
pub use self::faults::{Fault, Injected};
pub use self::http::Request;
pub use self::server::FakeProvider;

/// The key of the account at Kavenegar.
pub const KAVENEGAR_API_KEY: &str = "4A6F686E20446F65206B6579";
/// The user name at Melipayamak.
pub const MELI_PAYAMAK_USERNAME: &str = "fake user@panel";
/// The password at Melipayamak, with all that a careless encoding spoils.
pub const MELI_PAYAMAK_PASSWORD: &str = "p&ss=w+rd %41<۱>";
/// The token of the console API of Melipayamak.
pub const MELI_PAYAMAK_CONSOLE_TOKEN: &str = "c0ffee00c0ffee00c0ffee00c0ffee00";
/// The token of the account at Parsian.
pub const PARSIAN_API_KEY: &str = "fake-parsian-token";

/// The template of one variable that each knows from the start, by its id there. The receiver reads
/// `کد ورود شما: ` and the variable.
pub const TEMPLATES: [(SmsService, &str); 3] = [
    (SmsService::KavenegarCom, "login"),
    (SmsService::MeliPayamakCom, "4242"),
    (SmsService::ParsianWebcoIr, "12"),
];

/// All three providers. Dropping it ends them.
#[derive(Debug)]
pub struct FakeProviders {
    /// Kavenegar; its account has rial.
    pub kavenegar: FakeProvider,
    /// Melipayamak: REST, SOAP and console; its account has messages.
    pub meli_payamak: FakeProvider,
    /// Parsian.
    pub parsian: FakeProvider,
    runtime: Option<Runtime>,
}

impl FakeProviders {
    /// Starts them, with accounts that have credit.
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("fake-providers")
            .enable_all()
            .build()
            .expect("a runtime");
        // Ids of as many digits as the real ones have.
        let kavenegar = Book::new(SmsService::KavenegarCom, 1_250_334_001, 10_000_000, 120);
        let meli_payamak = Book::new(
            SmsService::MeliPayamakCom,
            5_461_268_677_656_004_204,
            100_000,
            1,
        );
        let parsian = Book::new(SmsService::ParsianWebcoIr, 1, 100_000, 1);
        let handle = runtime.handle();
        let fakes = Self {
            kavenegar: FakeProvider::start(kavenegar::Kavenegar, kavenegar, handle),
            meli_payamak: FakeProvider::start(meli_payamak::MeliPayamak, meli_payamak, handle),
            parsian: FakeProvider::start(parsian::Parsian, parsian, handle),
            runtime: Some(runtime),
        };
        for ((service, id), placeholder) in TEMPLATES.into_iter().zip(["%token", "{0}", "__1__"]) {
            let text = format!("کد ورود شما: {placeholder}");
            fakes.of(service).add_template(id, &text);
        }
        fakes
    }

    /// The provider that stands for this service; there is none for the console.
    #[track_caller]
    pub fn of(&self, service: SmsService) -> &FakeProvider {
        match service {
            SmsService::KavenegarCom => &self.kavenegar,
            SmsService::MeliPayamakCom => &self.meli_payamak,
            SmsService::ParsianWebcoIr => &self.parsian,
            SmsService::Console => panic!("the console sends nothing"),
        }
    }

    /// The base URL of Kavenegar.
    pub fn kavenegar_url(&self) -> String {
        self.kavenegar.url()
    }

    /// The base URL of Melipayamak, for all of its interfaces.
    pub fn meli_payamak_url(&self) -> String {
        self.meli_payamak.url()
    }

    /// The base URL of Parsian.
    pub fn parsian_url(&self) -> String {
        self.parsian.url()
    }

    /// Every message that a receiver got, whoever sent it: each provider's in order.
    pub fn sent_to(&self, number: &str) -> Vec<SentSms> {
        let providers = [&self.kavenegar, &self.meli_payamak, &self.parsian];
        let messages = providers.into_iter().flat_map(|one| one.sent_to(number));
        messages.collect()
    }

    /// Settings that send by these services, with the accounts of all three.
    pub fn sms_config(&self, services: &[SmsService]) -> SmsConfig {
        let mut config = SmsConfig::default();
        config.services = services.to_vec();
        let settings = &mut config.settings;
        settings.kavenegar_com_api_key = KAVENEGAR_API_KEY.into();
        settings.kavenegar_com_base_url = self.kavenegar_url();
        settings.meli_payamak_com_username = MELI_PAYAMAK_USERNAME.into();
        settings.meli_payamak_com_password = MELI_PAYAMAK_PASSWORD.into();
        settings.meli_payamak_com_from = meli_payamak::LINE.into();
        settings.meli_payamak_com_base_url = self.meli_payamak_url();
        settings.parsian_webco_ir_api_key = PARSIAN_API_KEY.into();
        settings.parsian_webco_ir_base_url = self.parsian_url();
        config
    }

    /// [`sms_config`](Self::sms_config), for a service that is being configured in code.
    pub fn configure(&self, config: ConfigBuilder, services: &[SmsService]) -> ConfigBuilder {
        config
            .kavenegar_com(KAVENEGAR_API_KEY)
            .kavenegar_com_base_url(self.kavenegar_url())
            .meli_payamak_com(
                MELI_PAYAMAK_USERNAME,
                MELI_PAYAMAK_PASSWORD,
                meli_payamak::LINE,
            )
            .meli_payamak_com_base_url(self.meli_payamak_url())
            .parsian_webco_ir(PARSIAN_API_KEY)
            .parsian_webco_ir_base_url(self.parsian_url())
            .sms_services(services)
    }

    /// [`sms_config`](Self::sms_config) as variables of the environment, for a process of its own.
    pub fn environment(&self, services: &[SmsService]) -> Vec<(String, String)> {
        let names: Vec<&str> = services.iter().map(|service| service.name()).collect();
        let setting =
            |name: &str, value: &str| (format!("CHELSERU_SMS__SETTINGS__{name}"), value.to_owned());
        vec![
            ("CHELSERU_SMS__SMS_SERVICE".to_owned(), names.join(",")),
            setting("KAVENEGAR_COM_API_KEY", KAVENEGAR_API_KEY),
            setting("KAVENEGAR_COM_BASE_URL", &self.kavenegar_url()),
            setting("MELI_PAYAMAK_COM_USERNAME", MELI_PAYAMAK_USERNAME),
            setting("MELI_PAYAMAK_COM_PASSWORD", MELI_PAYAMAK_PASSWORD),
            setting("MELI_PAYAMAK_COM_FROM", meli_payamak::LINE),
            setting("MELI_PAYAMAK_COM_BASE_URL", &self.meli_payamak_url()),
            setting("PARSIAN_WEBCO_IR_API_KEY", PARSIAN_API_KEY),
            setting("PARSIAN_WEBCO_IR_BASE_URL", &self.parsian_url()),
        ]
    }
}

impl Drop for FakeProviders {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Does not wait, so it may be dropped by async tests.
            runtime.shutdown_background();
        }
    }
}
