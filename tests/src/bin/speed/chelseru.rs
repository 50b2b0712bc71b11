//! The real thing: the routes of chelseru-actix over the store of chelseru-diesel.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web;
use async_trait::async_trait;
use chelseru_core::sms::{Content, Sent, Sms, SmsError, SmsProvider};
use chelseru_core::{Chelseru, Config, MobileNumber};
use chelseru_diesel::DieselStore;

use crate::Result;
use crate::serve::{self, code_lines};

pub(crate) fn serve(database: &str) -> Result<()> {
    actix_web::rt::System::new().block_on(async {
        let inbox = Inbox::default();
        let config = Config::builder()
            .signing_key("a signing key of at least 32 bytes")
            .build()?;
        let chelseru = Chelseru::builder(config)
            .store(DieselStore::open(database).await?)
            .sms(inbox.clone())
            .build()?;
        serve::serve(move |routes| {
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

/// A provider that keeps the texts.
#[derive(Clone, Debug, Default)]
struct Inbox(Arc<Mutex<Vec<(MobileNumber, String)>>>);

impl Inbox {
    fn lines(&self) -> String {
        let texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        if let Content::Text(text) = &sms.content {
            let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            texts.push((sms.to, text.clone()));
        }
        Ok(Sent::default())
    }
}
