//! A spinner for long steps, on a terminal only, unless --no-progress.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Set by --no-progress.
static IS_OFF: AtomicBool = AtomicBool::new(false);

/// Shows no progress from now on.
pub(crate) fn turn_off() {
    IS_OFF.store(true, Ordering::Relaxed);
}

/// Shown until dropped; invisible unless stderr is a terminal.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn start(message: &str) -> Self {
        if IS_OFF.load(Ordering::Relaxed) || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner().with_message(message.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
