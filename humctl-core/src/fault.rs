//! Step boundaries at which a test can kill the process.
//!
//! A Deployment has to survive the death of its process at any instant, so
//! each of its steps ends in a marker. Builds without debug assertions have
//! none of this.

#[cfg(debug_assertions)]
pub use armed::{arm, point};

/// Marks a step boundary; nothing in this build.
#[cfg(not(debug_assertions))]
#[inline]
pub fn point(_step: &str) {}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::atomic::{AtomicU64, Ordering};

    /// The marker at which to die; 0 is never.
    static FATAL: AtomicU64 = AtomicU64::new(0);
    static PASSED: AtomicU64 = AtomicU64::new(0);

    /// Lets the process die at its `number`th marker, counted from 1.
    pub fn arm(number: u64) {
        FATAL.store(number, Ordering::SeqCst);
    }

    /// Marks a step boundary.
    pub fn point(step: &str) {
        let fatal = FATAL.load(Ordering::SeqCst);
        if fatal == 0 {
            return;
        }
        let number = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
        tracing::debug!(target: "humctl::fault", "step {number}: {step}");
        if number == fatal {
            // Nothing is cleaned up, as when the power fails.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
    }
}
