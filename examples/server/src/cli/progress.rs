//! How far a long work is: a bar on a terminal, now and then a line elsewhere.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::tell;

/// The bar that is drawn now.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Does what writes to standard error, with the bar out of the way.
pub(crate) fn above<T>(write: impl FnOnce() -> T) -> T {
    let bar = BAR.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// The progress of some messages.
pub(super) enum Progress {
    Bar(ProgressBar),
    /// A line at each tenth.
    Lines {
        done: usize,
        all: usize,
    },
    /// One message needs none.
    None,
}

impl Progress {
    /// A bar only where nothing else writes to the terminal meanwhile.
    pub(super) fn new(messages: usize, may_draw: bool) -> Self {
        if messages < 2 {
            return Self::None;
        }
        if !may_draw || !io::stderr().is_terminal() {
            return Self::Lines {
                done: 0,
                all: messages,
            };
        }
        let bar =
            ProgressBar::with_draw_target(Some(messages as u64), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos} of {len}, {eta} left") {
            bar.set_style(style);
        }
        *BAR.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        Self::Bar(bar)
    }

    /// One more is done.
    pub(super) fn step(&mut self) {
        match self {
            Self::Bar(bar) => bar.inc(1),
            Self::Lines { done, all } => {
                let tenths = *done * 10 / *all;
                *done += 1;
                if *done * 10 / *all > tenths {
                    tell(&format!("{done} of {all}"));
                }
            }
            Self::None => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Self::Bar(bar) = self {
            *BAR.lock().unwrap_or_else(PoisonError::into_inner) = None;
            bar.finish_and_clear();
        }
    }
}
