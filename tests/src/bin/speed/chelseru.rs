//! The real thing: the routes of chelseru-actix over the store of chelseru-diesel.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web;
use async_trait::async_trait;
use chelseru_core::config::PumpingGuard;
use chelseru_core::sms::{Content, Sent, Sms, SmsError, SmsProvider};
use chelseru_core::{Chelseru, Config, MobileNumber};
use chelseru_diesel::DieselStore;

use crate::Result;
use crate::hanging::HANGING;
use crate::serve::{Front, code_lines};

/// Serves, with a provider at `hanging` for the numbers that begin with [`HANGING`].
pub(crate) fn serve(database: &str, hanging: Option<&str>) -> Result<()> {
    actix_web::rt::System::new().block_on(async {
        let config = Config::builder()
            .signing_key("a signing key of at least 32 bytes")
            // All the load comes from one address, and some of its codes are never verified.
            .otp_per_address_per_hour(0)
            .otp_failures_per_address_per_hour(0)
            .pumping_guard(PumpingGuard::Off)
            .kavenegar_com("a key")
            .kavenegar_com_base_url(hanging.unwrap_or("https://api.kavenegar.com"))
            .build()?;
        let inbox = Inbox {
            messages: Arc::default(),
            hanging: chelseru_sms::from_config(&config.sms)?.remove(0),
        };
        let chelseru = Chelseru::builder(config)
            .store(DieselStore::open(database).await?)
            .sms(inbox.clone())
            .build()?;
        Front::HttpServer
            .serve(move |routes| {
                let codes = move || {
                    let lines = inbox.lines();
                    async move { lines }
                };
                routes
                    .service(chelseru_actix::scope("/api", &chelseru))
                    .route("/codes", web::get().to(codes));
            })
            .await
    })
}

/// A provider that keeps the texts, but for the numbers whose provider hangs.
#[derive(Clone, Debug)]
struct Inbox {
    messages: Arc<Mutex<Vec<(MobileNumber, String)>>>,
    hanging: Arc<dyn SmsProvider>,
}

impl Inbox {
    fn lines(&self) -> String {
        let texts = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        code_lines(texts.iter().map(|(number, text)| {
            let digits = text.split(|char: char| !char.is_ascii_digit());
            (
                number.as_str(),
                digits.max_by_key(|digits| digits.len()).unwrap_or_default(),
            )
        }))
    }
}

#[async_trait]
impl SmsProvider for Inbox {
    fn name(&self) -> &'static str {
        "INBOX"
    }

    async fn send(&self, sms: &Sms) -> std::result::Result<Sent, SmsError> {
        if sms.to.as_str().starts_with(HANGING) {
            return self.hanging.send(sms).await;
        }
        if let Content::Text(text) = &sms.content {
            let mut texts = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
            texts.push((sms.to, text.clone()));
        }
        Ok(Sent::default())
    }
}
