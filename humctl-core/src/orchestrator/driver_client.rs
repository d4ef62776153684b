//! Calls an HTTP Driver until it gives a final answer (spec/drivers.md §2).
//!
//! The network and the clock come in as traits. A PUT or DELETE is repeated as
//! it is until the Driver is done; a failure ends it at once, since only
//! whoever called can know whether another try makes sense.

use std::time::Duration;

use jiff::Timestamp;

use crate::driver::http::{
    Answer, Deleted, DriverCookie, DriverMethod, DriverRequest, DriverResponse, DriverTransport, HttpDriverError,
    HttpInputs, HttpOutputs, HttpResource, ProgressHint, Redactor, TransportError, collect_secrets, read_delete,
    read_put,
};
use crate::git::process::CancelFlag;
use crate::secret::SecretValue;

/// Time between two questions (spec/drivers.md §2.2).
const PAUSE: Duration = Duration::from_secs(5);
/// Shortest time between two questions, also when a Driver expects to be done sooner.
const MIN_PAUSE: Duration = Duration::from_millis(500);
/// Longest time between two questions: an estimate may be wrong.
const MAX_PAUSE: Duration = Duration::from_mins(1);
/// How long a Driver is waited for at most.
pub const MAX_WAIT: Duration = Duration::from_mins(30);

/// The time, and how it passes.
pub trait Clock {
    /// Time since some moment; never goes back.
    fn elapsed(&self) -> Duration;
    /// The time of day, to read a Driver's times by.
    fn now(&self) -> Timestamp;
    /// Lets time pass; false when somebody asked to stop.
    fn sleep(&self, time: Duration) -> bool;
}

/// The clock on the wall.
#[derive(Debug)]
pub struct SystemClock {
    started: std::time::Instant,
    cancel: CancelFlag,
}

impl SystemClock {
    /// Starts counting. Once `cancel` is set, nobody sleeps any longer.
    #[must_use]
    pub fn start(cancel: CancelFlag) -> Self {
        Self { started: std::time::Instant::now(), cancel }
    }
}

impl Clock for SystemClock {
    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, time: Duration) -> bool {
        const STEP: Duration = Duration::from_millis(100);
        let mut left = time;
        while !left.is_zero() && !self.cancel.is_set() {
            let step = left.min(STEP);
            std::thread::sleep(step);
            left -= step;
        }
        !self.cancel.is_set()
    }
}

/// What it takes to ask a Driver.
pub struct Caller<'c> {
    /// The way to it.
    pub transport: &'c dyn DriverTransport,
    /// The clock to wait by.
    pub clock: &'c dyn Clock,
    /// Keeps a new cookie before anything else happens: without it nobody can
    /// delete what the Driver has made by then.
    pub remember: &'c dyn Fn(&DriverCookie) -> Result<(), String>,
}

/// Makes or updates a resource. The resource then has the Driver's new cookie,
/// also after a failure.
///
/// # Errors
/// [`HttpDriverError`], without secrets.
pub fn provision(
    caller: &Caller<'_>,
    resource: &mut HttpResource,
    inputs: &HttpInputs,
) -> Result<HttpOutputs, HttpDriverError> {
    for (_, secret) in &inputs.secrets {
        collect_secrets(secret, &mut resource.secrets);
    }
    let body = inputs.body();
    ask(caller, resource, DriverMethod::Put, Some(&body), read_put)
}

/// Deletes a resource, and with it the cookie.
///
/// # Errors
/// [`HttpDriverError`], without secrets.
pub fn destroy(caller: &Caller<'_>, resource: &mut HttpResource) -> Result<Deleted, HttpDriverError> {
    let deleted = ask(caller, resource, DriverMethod::Delete, None, read_delete)?;
    resource.cookie.reset();
    Ok(deleted)
}

/// Asks until the answer is final.
fn ask<T>(
    caller: &Caller<'_>,
    resource: &mut HttpResource,
    method: DriverMethod,
    body: Option<&SecretValue>,
    read: impl Fn(&DriverResponse) -> Result<Answer<T>, HttpDriverError>,
) -> Result<T, HttpDriverError> {
    let Caller { transport, clock, remember } = caller;
    let start = clock.elapsed();
    let mut limit = Limit { after: MAX_WAIT, is_own: false };
    let mut cookies = vec![resource.cookie.clone()];
    loop {
        let sent = DriverRequest { method, guresid: &resource.guresid, cookie: resource.cookie.text(), body };
        let answer = transport.send(&sent).map_err(HttpDriverError::from).and_then(|response| {
            // Kept whatever the answer is: the next call needs it.
            let set = resource.cookie.answered(response.set_cookie.as_deref());
            let mut kept = Ok(());
            if cookies.last() != Some(&resource.cookie) {
                cookies.push(resource.cookie.clone());
                kept = remember(&resource.cookie).map_err(HttpDriverError::NotKept);
            }
            let answer = read(&response)?;
            set?;
            kept.map(|()| answer)
        });
        let hint = match answer {
            Ok(Answer::Done(done)) => return Ok(done),
            Ok(Answer::Running(hint)) => hint,
            Err(error) => return Err(error.redacted(&Redactor::new(&resource.secrets, &cookies))),
        };
        let waited = clock.elapsed().saturating_sub(start);
        limit.follow(&hint, waited, clock.now());
        let Some(left) = limit.after.checked_sub(waited).filter(|left| !left.is_zero()) else {
            return Err(HttpDriverError::TimedOut { waited, is_own_limit: limit.is_own });
        };
        if !clock.sleep(pause(&hint, clock.now()).min(left)) {
            return Err(TransportError::Cancelled.into());
        }
    }
}

/// When nobody waits any longer, counted from the first question.
struct Limit {
    after: Duration,
    is_own: bool,
}

impl Limit {
    /// A Driver may set and move its own limit, below ours.
    fn follow(&mut self, hint: &ProgressHint, waited: Duration, now: Timestamp) {
        let Some(timeout) = hint.timeout else { return };
        let own = waited.saturating_add(until(timeout, hint, now));
        self.is_own = own < MAX_WAIT;
        self.after = own.min(MAX_WAIT);
    }
}

/// Time until the next question.
fn pause(hint: &ProgressHint, now: Timestamp) -> Duration {
    match hint.estimated_completion_time.map(|time| until(time, hint, now)) {
        Some(left) if !left.is_zero() => left.clamp(MIN_PAUSE, MAX_PAUSE),
        // None, or it has passed and was wrong.
        _ => PAUSE,
    }
}

/// Time until an instant of the Driver's clock.
fn until(time: Timestamp, hint: &ProgressHint, now: Timestamp) -> Duration {
    Duration::try_from(time.duration_since(hint.current_time.unwrap_or(now))).unwrap_or_default()
}

#[cfg(test)]
mod tests;
