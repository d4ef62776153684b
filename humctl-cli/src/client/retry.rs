//! Which requests are sent again, and after which pause.
//!
//! A policy without clock, network or randomness: what happened goes in, a
//! pause comes out. Nothing is repeated that could do its work twice: a request
//! that changes something is sent again only when the server cannot have
//! begun, when it says that it has not, or when it knows the request again.
//! A 500 is never tried again (ruling 40): the server has begun and failed.

use std::time::Duration;

use humctl_api_types::endpoint::Method;

/// Attempts of one request.
pub(crate) const MAX_ATTEMPTS: u32 = 5;

/// The pause after the first attempt; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause that a server may ask for.
const MAX_PAUSE: Duration = Duration::from_mins(1);

/// How one attempt went, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome<'a> {
    /// An answer, with its `Retry-After`.
    Answered { status: u16, retry_after: Option<&'a str> },
    /// There was no connection: nothing was sent.
    NotSent,
    /// The connection broke, or the answer did not come in time.
    Lost,
    /// Nothing that another attempt could change, such as a certificate that is not trusted.
    Hopeless,
}

/// True for requests that may be done twice.
pub(crate) fn is_repeatable(method: Method, has_idempotency_key: bool) -> bool {
    match method {
        Method::Get | Method::Put | Method::Delete => true,
        Method::Post | Method::Patch => has_idempotency_key,
    }
}

/// The pause before the next attempt; `None` when there is none. `attempt`
/// counts from 1, `jitter` lies between 0 and 1, `now` is in seconds since 1970.
pub(crate) fn pause(
    outcome: Outcome<'_>,
    is_repeatable: bool,
    attempt: u32,
    jitter: f64,
    now: i64,
) -> Option<Duration> {
    let may_pass = match outcome {
        Outcome::Answered { status: 429, .. } | Outcome::NotSent => true,
        Outcome::Answered { status: 502..=504, .. } | Outcome::Lost => is_repeatable,
        Outcome::Answered { .. } | Outcome::Hopeless => false,
    };
    if !may_pass || attempt >= MAX_ATTEMPTS {
        return None;
    }
    // Clients that fail together must not come back together.
    let own = (FIRST_PAUSE * 2_u32.pow(attempt - 1)).mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
    let asked = match outcome {
        Outcome::Answered { retry_after: Some(text), .. } => retry_after(text, now),
        _ => None,
    };
    Some(asked.map_or(own, |asked| asked.max(own)).min(MAX_PAUSE))
}

/// Reads `Retry-After`: seconds, or the date after which to come back.
fn retry_after(text: &str, now: i64) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    u64::try_from(date.timestamp().as_second() - now).ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16) -> Outcome<'static> {
        Outcome::Answered { status, retry_after: None }
    }

    #[test]
    fn only_what_may_pass_and_does_no_harm_is_tried_again() {
        for (outcome, repeatable, other) in [
            (answered(200), false, false),
            (answered(400), false, false),
            (answered(404), false, false),
            (answered(409), false, false),
            (answered(429), true, true),
            (answered(500), false, false),
            (answered(501), false, false),
            (answered(502), true, false),
            (answered(503), true, false),
            (answered(504), true, false),
            (answered(505), false, false),
            (Outcome::NotSent, true, true),
            (Outcome::Lost, true, false),
            (Outcome::Hopeless, false, false),
        ] {
            let is_retried = |is_repeatable| pause(outcome, is_repeatable, 1, 0.5, 0).is_some();
            assert_eq!((is_retried(true), is_retried(false)), (repeatable, other), "{outcome:?}");
        }
    }

    #[test]
    fn a_post_is_repeatable_with_a_key_only() {
        for (method, without, with) in [
            (Method::Get, true, true),
            (Method::Put, true, true),
            (Method::Delete, true, true),
            (Method::Post, false, true),
            (Method::Patch, false, true),
        ] {
            assert_eq!((is_repeatable(method, false), is_repeatable(method, true)), (without, with), "{method:?}");
        }
    }

    #[test]
    fn pauses_grow_and_end() {
        let pauses = |jitter| -> Vec<u128> {
            (1..)
                .map_while(|attempt| pause(Outcome::NotSent, true, attempt, jitter, 0))
                .map(|p| p.as_millis())
                .collect()
        };
        assert_eq!(pauses(1.0), [200, 400, 800, 1600]);
        assert_eq!(pauses(0.0), [100, 200, 400, 800]);
    }

    #[test]
    fn a_server_may_ask_for_a_longer_pause_within_limits() {
        // 2015-10-21 07:28:00 in seconds since 1970.
        const NOW: i64 = 1_445_412_480;
        for (text, expected) in [
            ("0", 200),
            ("3", 3000),
            (" 3 ", 3000),
            ("3600", 60_000),
            ("Wed, 21 Oct 2015 07:28:05 GMT", 5000),
            ("Wed, 21 Oct 2015 08:28:00 GMT", 60_000),
            ("Wed, 21 Oct 2015 07:27:00 GMT", 200),
            ("soon", 200),
            ("-5", 200),
            ("99999999999999999999", 200),
        ] {
            let outcome = Outcome::Answered { status: 429, retry_after: Some(text) };
            assert_eq!(pause(outcome, false, 1, 1.0, NOW), Some(Duration::from_millis(expected)), "{text}");
        }
    }
}
