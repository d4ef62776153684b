//! Trying again what may pass, with a growing pause in between.

use std::time::{Duration, Instant};

use crate::git::error::GitError;
use crate::git::process::{CancelFlag, Limits};
use crate::secret::random_bytes;

/// How often a command that met a network failure is repeated.
pub(super) const N_RETRIES: u32 = 5;

/// 0.2 s × 1.7 a time, at most 10 s, half of it random (spec/gitops.md §7.5).
#[must_use]
pub(super) fn backoff(n_attempts: u32) -> Duration {
    let base = (0.2 * 1.7_f64.powi(i32::try_from(n_attempts).unwrap_or(8).clamp(1, 8) - 1)).min(10.0);
    let random = random_bytes::<1>().map_or(128, |[byte]| byte);
    Duration::from_secs_f64(base * (0.5 + f64::from(random) / 512.0))
}

/// Waits before the next attempt.
///
/// # Errors
/// [`GitError::Cancelled`] as soon as somebody asks to stop.
pub(super) fn pause(n_attempts: u32, cancel: &CancelFlag) -> Result<(), GitError> {
    const STEP: Duration = Duration::from_millis(20);
    let until = Instant::now() + backoff(n_attempts);
    while !cancel.is_set() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(STEP));
    }
    Err(GitError::Cancelled)
}

/// Repeats an attempt while its failure may pass: within the limits' time, all
/// attempts and pauses together, and as often as they allow.
///
/// # Errors
/// That of the last attempt, or [`GitError::Cancelled`].
pub(super) fn retrying<T>(
    limits: Limits,
    cancel: &CancelFlag,
    mut attempt: impl FnMut(Limits) -> Result<T, GitError>,
) -> Result<T, GitError> {
    let began = Instant::now();
    let never = CancelFlag::default();
    let cancel = if limits.is_cancellable { cancel } else { &never };
    let mut n_attempts = 1;
    loop {
        let timeout = limits.timeout.saturating_sub(began.elapsed());
        match attempt(Limits { timeout, ..limits }) {
            Err(error) if error.may_pass() && n_attempts <= limits.n_retries && began.elapsed() < limits.timeout => {
                tracing::debug!(target: "humctl::git", "attempt {n_attempts} failed: {}", error.summary());
                pause(n_attempts, cancel)?;
                n_attempts += 1;
            }
            // Earlier attempts have taken their part of the time.
            Err(GitError::Timeout { url, command, .. }) => {
                return Err(GitError::Timeout { url, command, seconds: limits.timeout.as_secs() });
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    fn network() -> GitError {
        GitError::Network { url: String::new(), words: String::new() }
    }

    fn limits(n_retries: u32) -> Limits {
        Limits { timeout: Duration::from_mins(1), is_cancellable: true, n_retries }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for (error, n_retries, n_expected) in [
            (network as fn() -> GitError, 1, 2),
            (network, 0, 1),
            (|| GitError::Cancelled, 5, 1),
            (|| GitError::NotFound { url: String::new(), words: String::new() }, 5, 1),
            (|| GitError::Timeout { url: String::new(), command: String::new(), seconds: 1 }, 5, 1),
        ] {
            let mut n_attempts = 0;
            let result = retrying(limits(n_retries), &CancelFlag::default(), |_| -> Result<(), _> {
                n_attempts += 1;
                Err(error())
            });
            assert_eq!((result.is_err(), n_attempts), (true, n_expected));
        }
    }

    #[test]
    fn a_pause_ends_when_somebody_asks_to_stop() {
        let cancel = CancelFlag::new(Arc::new(AtomicBool::new(true)));
        assert!(matches!(pause(8, &cancel), Err(GitError::Cancelled)));
        let result = retrying(limits(5), &cancel, |_| -> Result<(), _> { Err(network()) });
        assert!(matches!(result, Err(GitError::Cancelled)));
        // A push that has begun is finished all the same.
        let mut n_attempts = 0;
        let finishing = Limits { is_cancellable: false, ..limits(1) };
        let result = retrying(finishing, &cancel, |_| {
            n_attempts += 1;
            if n_attempts == 1 { Err(network()) } else { Ok(()) }
        });
        assert!(result.is_ok());
    }

    #[test]
    fn pauses_grow_and_stay_bounded() {
        for (n_attempts, low, high) in [(1, 0.1, 0.2), (3, 0.28, 0.58), (8, 4.1, 8.3), (1000, 4.1, 8.3), (0, 0.1, 0.2)]
        {
            let pause = backoff(n_attempts).as_secs_f64();
            assert!((low..=high).contains(&pause), "{n_attempts}: {pause}");
        }
    }
}
