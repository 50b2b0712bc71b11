//! The results as Markdown.

use std::iter::once;

use crate::Kind;
use crate::load::{PHASES, Phase, Round};
use crate::options::Options;

pub(crate) fn print(options: &Options, results: &[(Kind, Vec<Round>)]) {
    println!("{}\n", heading(options));
    println!(
        "| phase | server | requests/s (min–max) | chelseru / this | CPU ms/request | p50 ms | p99 ms |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (index, name) in PHASES.iter().enumerate() {
        let of = |rounds: &[Round], value: fn(&Phase) -> f64| {
            Spread::of(rounds.iter().map(|round| value(&round.phases[index])))
        };
        let chelseru = of(&results[0].1, |phase| phase.per_second).median;
        for (kind, rounds) in results {
            let speed = of(rounds, |phase| phase.per_second);
            let ratio = match kind {
                Kind::Chelseru => String::new(),
                _ => format!("{:.2}", chelseru / speed.median),
            };
            println!(
                "| {name} | {} | {:.0} ({:.0}–{:.0}) | {ratio} | {:.3} | {:.2} | {:.2} |",
                kind.name(),
                speed.median,
                speed.min,
                speed.max,
                of(rounds, |phase| phase.cpu_milliseconds).median,
                of(rounds, |phase| phase.p50_milliseconds).median,
                of(rounds, |phase| phase.p99_milliseconds).median,
            );
        }
    }
    let memory = results.iter().map(|(kind, rounds)| {
        let peak = Spread::of(rounds.iter().map(|round| round.peak_mib)).median;
        format!("{} {peak:.0} MiB", kind.name())
    });
    println!("\nPeak memory: {}.", memory.collect::<Vec<_>>().join(", "));
}

fn heading(options: &Options) -> String {
    let database = match options.database {
        Some(_) => {
            "PostgreSQL, chelseru alone; the CPU of PostgreSQL is not in the figures".to_owned()
        }
        None => format!("SQLite in {}", options.folder.display()),
    };
    let parts = [
        format!("rounds {}", options.rounds),
        format!("logins {}", options.logins),
        format!("reads {}", options.reads),
        format!("connections {}", options.connections),
    ];
    once(database).chain(parts).collect::<Vec<_>>().join(", ") + "; medians of the rounds"
}

struct Spread {
    min: f64,
    median: f64,
    max: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        Self {
            min: values[0],
            median: f64::midpoint(values[last / 2], values[last.div_ceil(2)]),
            max: values[last],
        }
    }
}
