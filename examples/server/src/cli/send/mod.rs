//! `sms send`: a message to one number or to many, through whatever the service sends through: the
//! order of providers, the budgets, the log, the breakers.

mod confirm;
mod outcome;
mod receivers;
mod run;

use chelseru_core::config::SmsService;
use chelseru_core::sms::TemplateId;
use chelseru_core::{Config, Message};

use self::outcome::Report;
use super::progress::Progress;
use super::{Found, Refusal, database, service};
use crate::options::SendOptions;
use crate::terminal::print;

pub(super) async fn run(options: SendOptions, config: Config) -> Result<Found, Refusal> {
    if options.text.trim().is_empty() {
        return Err("the text is empty".into());
    }
    let receivers = receivers::read(&options)?;
    let store = database(&config.database).await?;
    let chelseru = service(config, store)?;
    confirm::confirm(&options, &receivers, chelseru.config())?;

    let sms = &chelseru.config().sms;
    let concurrency = options.concurrency.get().min(sms.max_concurrent);
    // What CONSOLE prints would fall into the bar.
    let may_draw = !sms.services.contains(&SmsService::Console);
    let mut progress = Progress::new(receivers.len(), may_draw);
    let message = |to| {
        let message = Message::new(to, options.text.clone());
        match &options.template {
            Some(template) => message.with_template(TemplateId(template.clone())),
            None => message,
        }
    };
    let results = run::send(&chelseru, &receivers, message, concurrency, &mut progress).await;
    drop(progress);

    let report = Report::new(results);
    print(&report.to_string());
    Ok(Found::well_if(report.is_all_accepted()))
}
