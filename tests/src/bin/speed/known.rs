//! What it costs to let a known access token in, beside its signature: every request pays both.

use std::hint::black_box;
use std::time::Instant;

use chelseru_core::store::MemoryStore;
use chelseru_core::testing::{ManualClock, StubProvider};
use chelseru_core::{Chelseru, Client, Config, Login, TokenPair};

use crate::Result;

const NUMBER: &str = "09121234567";
const ROUNDS: usize = 9;
const CALLS: u32 = 100_000;

/// Measures, and prints a line for each.
pub(crate) fn measure() -> Result<()> {
    actix_web::rt::System::new().block_on(async {
        let (chelseru, tokens) = known_token().await?;
        let refresh = tokens.refresh.ok_or("no refresh token")?;
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            // One of the wrong type is refused when its signature and claims were looked at.
            let signature = nanoseconds(&chelseru, &refresh, false).await?;
            let known = nanoseconds(&chelseru, &tokens.access, true).await?;
            rounds.push((signature, known));
        }
        let median = |pick: fn(&(f64, f64)) -> f64| {
            let mut times: Vec<_> = rounds.iter().map(pick).collect();
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        };
        let (signature, known) = (median(|round| round.0), median(|round| round.1));
        println!("signature alone       {signature:>6.0} ns");
        println!("a known token         {known:>6.0} ns");
        println!("beyond the signature  {:>6.0} ns", known - signature);
        Ok(())
    })
}

/// A service that remembers a token. Its clock stands still, so that it does so for as long as it is
/// measured.
async fn known_token() -> Result<(Chelseru, TokenPair)> {
    let sms = StubProvider::new();
    let config = Config::builder().signing_key("a signing key of at least 32 bytes");
    let chelseru = Chelseru::builder(config.build()?)
        .store(MemoryStore::new())
        .sms(sms.clone())
        .clock(ManualClock::default())
        .build()?;
    let client = Client::default();
    chelseru.send_code(NUMBER.parse()?, client).await?;
    let code = sms.last_code_for(NUMBER).ok_or("no code was sent")?;
    let login = Login {
        mobile_number: NUMBER.parse()?,
        code: code.parse()?,
        group: 0,
        client,
    };
    let tokens = chelseru.log_in(login).await?;
    chelseru.watch().await?;
    Ok((chelseru, tokens))
}

/// How long one call takes.
async fn nanoseconds(chelseru: &Chelseru, token: &str, comes_in: bool) -> Result<f64> {
    let start = Instant::now();
    for _ in 0..CALLS {
        let answer = chelseru
            .authenticate(black_box(token), Client::default())
            .await;
        if black_box(&answer).is_ok() != comes_in {
            return Err("the service did not answer as it should".into());
        }
    }
    Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS))
}
