//! Whole conversations with a Driver that says what the table tells it to.

use std::cell::{Cell, RefCell};

use serde_json::{Map, Value, json};

use super::*;
use crate::driver::http::{DriverCookie, FailureKind, MAX_COOKIE, TransportError};

/// Time that passes only when somebody sleeps.
#[derive(Default)]
struct FakeClock(Cell<Duration>, RefCell<Vec<u128>>);

impl Clock for FakeClock {
    fn elapsed(&self) -> Duration {
        self.0.get()
    }

    fn now(&self) -> Timestamp {
        "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + self.0.get()
    }

    fn sleep(&self, time: Duration) -> bool {
        self.0.set(self.0.get() + time);
        self.1.borrow_mut().push(time.as_millis());
        true
    }
}

/// Gives its answers in turn, the last one forever.
struct Scripted<'s> {
    answers: &'s [(u16, Option<&'s str>, &'s str)],
    seen: RefCell<Vec<String>>,
}

impl DriverTransport for Scripted<'_> {
    fn send(&self, request: &DriverRequest<'_>) -> Result<DriverResponse, TransportError> {
        let mut seen = self.seen.borrow_mut();
        let index = seen.len().min(self.answers.len() - 1);
        seen.push(format!(
            "{:?} {} {} {}",
            request.method,
            request.guresid,
            request.cookie.map_or("-", SecretValue::expose),
            request.body.map_or(0, |body| body.expose().len())
        ));
        let (status, cookie, body) = self.answers[index];
        if status == 0 {
            return Err(TransportError::Unreachable(body.to_owned()));
        }
        let set_cookie = cookie.map(|cookie| cookie.as_bytes().to_vec());
        Ok(DriverResponse { status, set_cookie, body: body.as_bytes().to_vec() })
    }
}

fn resource(cookie: &str) -> HttpResource {
    HttpResource { guresid: "abc".to_owned(), cookie: DriverCookie::new(cookie).unwrap(), secrets: Vec::new() }
}

fn caller<'c>(transport: &'c dyn DriverTransport, clock: &'c dyn Clock) -> Caller<'c> {
    Caller { transport, clock, remember: &|_| Ok(()) }
}

fn inputs() -> HttpInputs {
    let secrets = json!({"password": "canary-password", "pin": 4711});
    HttpInputs {
        res_type: "queue".to_owned(),
        resource: Map::new(),
        values: Map::new(),
        secrets: secrets.as_object().unwrap().clone(),
    }
}

const DONE: &str = r#"{"resource": {"values": {"host": "h"}}}"#;

/// The outcome, the cookie afterwards, the cookies that were sent, and the pauses.
fn put(
    cookie: &str,
    answers: &[(u16, Option<&str>, &str)],
) -> (Result<Value, HttpDriverError>, String, String, Vec<u128>) {
    let (driver, clock) = (Scripted { answers, seen: RefCell::default() }, FakeClock::default());
    let mut resource = resource(cookie);
    let found =
        provision(&caller(&driver, &clock), &mut resource, &inputs()).map(|outputs| Value::Object(outputs.values));
    let after = resource.cookie.text().map_or("-", SecretValue::expose).to_owned();
    let seen = driver.seen.borrow();
    assert!(seen.iter().all(|line| line.starts_with("Put abc ") && !line.ends_with(" 0")), "{seen:?}");
    let cookies: Vec<&str> = seen.iter().filter_map(|line| line.split(' ').nth(2)).collect();
    (found, after, cookies.join(" "), clock.1.take())
}

#[test]
fn a_put_is_repeated_until_it_is_done_and_the_cookie_follows() {
    let long = "x".repeat(MAX_COOKIE + 1);
    let done = || Ok(json!({"host": "h"}));
    for (name, before, answers, found, after, sent, pauses) in [
        ("at once", "", &[(200, None, DONE)][..], done(), "-", "-", &[][..]),
        ("later", "", &[(202, None, ""), (202, None, "{}"), (200, None, DONE)], done(), "-", "- - -", &[5000, 5000]),
        ("sent", "a", &[(200, None, DONE)], done(), "a", "a", &[]),
        ("set on the way", "", &[(202, Some("b"), ""), (200, None, DONE)], done(), "b", "- b", &[5000]),
        ("replaced", "a", &[(202, Some("b"), ""), (200, Some("c"), DONE)], done(), "c", "a b", &[5000]),
        ("cleared", "a", &[(202, Some(""), ""), (200, None, DONE)], done(), "-", "a -", &[5000]),
        (
            "too long",
            "a",
            &[(200, Some(&long), DONE)],
            Err(HttpDriverError::Cookie(crate::driver::http::CookieError::TooLong(MAX_COOKIE + 1))),
            "a",
            "a",
            &[],
        ),
    ] {
        assert_eq!(put(before, answers), (found, after.to_owned(), sent.to_owned(), pauses.to_vec()), "{name}");
    }
}

#[test]
fn pauses_follow_the_estimate() {
    let at = |estimate: &str, current: &str| {
        let hint = json!({"estimated_completion_time": estimate, "current_time": current}).to_string();
        put("", &[(202, None, &hint), (200, None, DONE)]).3
    };
    for (name, estimate, current, expected) in [
        ("our clock", "2026-01-01T00:00:12Z", "", 12_000),
        ("its clock", "2030-01-01T00:00:08Z", "2030-01-01T00:00:00Z", 8_000),
        ("at most a minute", "2026-01-01T01:00:00Z", "", 60_000),
        ("at least a moment", "2026-01-01T00:00:00.001Z", "", 500),
        ("passed", "2025-01-01T00:00:00Z", "", 5_000),
        ("no time", "soon", "", 5_000),
    ] {
        assert_eq!(at(estimate, current), [expected], "{name}");
    }
}

#[test]
fn nobody_waits_forever() {
    let timed_out = |body: &str| match put("", &[(202, None, body)]) {
        (Err(HttpDriverError::TimedOut { waited, is_own_limit }), _, _, _) => (waited.as_secs(), is_own_limit),
        other => panic!("{other:?}"),
    };
    for (body, expected) in [
        ("", (1800, false)),
        (r#"{"timeout": "2026-01-01T00:00:42Z"}"#, (42, true)),
        (r#"{"timeout_deadline": "2026-01-01T00:00:42Z"}"#, (42, true)),
        (r#"{"timeout": "2026-01-02T00:00:00Z"}"#, (1800, false)),
        (r#"{"timeout": "2025-01-01T00:00:00Z"}"#, (0, true)),
        (r#"{"timeout": "2026-01-01T00:00:07Z", "estimated_completion_time": "2026-01-01T01:00:00Z"}"#, (7, true)),
    ] {
        assert_eq!(timed_out(body), expected, "{body}");
    }
    let error = HttpDriverError::TimedOut { waited: Duration::from_secs(42), is_own_limit: true };
    assert_eq!(
        error.to_string(),
        "it is still at work after 42 s, which is more time than it gives itself\n  hint: run the same again to go on waiting"
    );
}

#[test]
fn failures_are_classified_and_show_no_secret() {
    for (status, body, expected) in [
        (400, r#"{"error": "RES-104", "message": "password canary-password is wrong"}"#, FailureKind::Refused),
        (409, r#"{"status": "updating"}"#, FailureKind::Busy),
        (422, "pin 4711", FailureKind::Unreadable),
        (503, "canary-cookie-1 canary-cookie-2", FailureKind::Unavailable),
        (418, "", FailureKind::Unexpected),
    ] {
        let answers = [(202, Some("canary-cookie-2"), ""), (status, None, body)];
        let (found, cookie, _, _) = put("canary-cookie-1", &answers);
        let error = found.unwrap_err();
        assert!(matches!(&error, HttpDriverError::Failed { kind, .. } if *kind == expected), "{error}");
        let text = error.to_string();
        assert!(!text.contains("canary-password") && !text.contains("4711"), "{text}");
        assert!(!text.contains("canary-cookie"), "{text}");
        assert!(text.contains(&format!("HTTP-{status}")) && text.contains("\n  hint: "), "{text}");
        assert_eq!(cookie, "canary-cookie-2");
    }
    let (found, ..) = put("", &[(0, None, "connection refused")]);
    assert_eq!(
        found.unwrap_err().to_string(),
        "it cannot be reached: connection refused\n  hint: check that it runs, its address and the network"
    );
    let (found, ..) = put("", &[(200, None, "{canary-password")]);
    let text = found.unwrap_err().to_string();
    assert!(
        text.starts_with("its answer cannot be used: it is no JSON at line 1") && !text.contains("canary"),
        "{text}"
    );
}

#[test]
fn a_delete_sends_the_cookie_and_ends_with_it() {
    for (answers, expected, sent) in [
        (&[(204, None, "")][..], Ok(Deleted::Now), "Delete abc c 0"),
        (&[(202, None, ""), (204, Some("left"), "")], Ok(Deleted::Now), "Delete abc c 0|Delete abc c 0"),
        (&[(202, Some("d"), ""), (404, None, "")], Ok(Deleted::Before), "Delete abc c 0|Delete abc d 0"),
        (&[(400, None, "")], Err(()), "Delete abc c 0"),
    ] {
        let (driver, clock) = (Scripted { answers, seen: RefCell::default() }, FakeClock::default());
        let mut resource = resource("c");
        let found = destroy(&caller(&driver, &clock), &mut resource).map_err(|_| ());
        assert_eq!(found, expected, "{answers:?}");
        assert_eq!(resource.cookie.text().is_none(), expected.is_ok(), "{answers:?}");
        assert_eq!(driver.seen.borrow().join("|"), sent);
    }
}
