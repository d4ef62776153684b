//! The contract of HTTP Drivers (spec/drivers.md §2): what is sent, what
//! answers mean, and the cookie.
//!
//! Pure: requests and answers as values. Whoever has a network supplies a
//! [`DriverTransport`]; `orchestrator::driver_client` asks until there is a
//! final answer.
//!
//! *Invariants.* Inputs, cookie and answers may hold secrets, and none of them
//! has a `Debug` that shows any. What a Driver says in an error is shown only
//! through a [`Redactor`].

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use humctl_api_types::error::ErrorBody;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::fragments::{self, Spelling, kind};
use crate::secret::{SecretScanner, SecretValue};

/// Request header that carries the cookie to the Driver.
pub const COOKIE_HEADER: &str = "Humanitec-Driver-Cookie";
/// Response header by which a Driver sets its cookie.
pub const SET_COOKIE_HEADER: &str = "Set-Humanitec-Driver-Cookie";
/// Longest cookie, in bytes.
pub const MAX_COOKIE: usize = 10_240;
/// Longest answer that is read, in bytes.
pub const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// The operations of the contract that every Driver has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriverMethod {
    /// Creates or updates.
    Put,
    /// Deletes.
    Delete,
}

/// What goes to a Driver.
#[derive(Debug)]
pub struct DriverRequest<'r> {
    /// The operation.
    pub method: DriverMethod,
    /// The resource, which is the path below the Driver's address.
    pub guresid: &'r str,
    /// Value of [`COOKIE_HEADER`], unless there is none.
    pub cookie: Option<&'r SecretValue>,
    /// JSON.
    pub body: Option<&'r SecretValue>,
}

/// What comes back, whatever its status.
pub struct DriverResponse {
    /// HTTP status.
    pub status: u16,
    /// Value of [`SET_COOKIE_HEADER`]; bytes, since nobody has checked it yet.
    pub set_cookie: Option<Vec<u8>>,
    /// At most [`MAX_ANSWER`] bytes.
    pub body: Vec<u8>,
}

impl fmt::Debug for DriverResponse {
    /// Shows no content: outputs and cookie may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DriverResponse({})", self.status)
    }
}

/// Carries requests to one Driver.
pub trait DriverTransport {
    /// Sends one request, once, and follows no redirection.
    ///
    /// # Errors
    /// [`TransportError`] when there is no answer.
    fn send(&self, request: &DriverRequest<'_>) -> Result<DriverResponse, TransportError>;
}

/// Why a Driver gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// There is no connection, or it broke off.
    #[error("it cannot be reached: {0}\n  hint: check that it runs, its address and the network")]
    Unreachable(String),
    /// The answer took too long.
    #[error("it gave no answer in time\n  hint: a Driver that needs long answers 202 at once, and is asked again")]
    TimedOut,
    /// Somebody asked to stop.
    #[error("it was not waited for any longer\n  hint: run the same again to go on waiting")]
    Cancelled,
    /// The answer is longer than [`MAX_ANSWER`].
    #[error("its answer is longer than {MAX_ANSWER} bytes\n  hint: put less into `manifests` and outputs")]
    TooLong,
}

/// What a Driver needs to make a resource: `InputData`.
pub struct HttpInputs {
    /// The Resource Type.
    pub res_type: String,
    /// Resource inputs; never secrets.
    pub resource: Map<String, Value>,
    /// `driver_inputs.values`, placeholders expanded.
    pub values: Map<String, Value>,
    /// Secrets by value, the Cloud Account's under `account`.
    pub secrets: Map<String, Value>,
}

impl fmt::Debug for HttpInputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpInputs({})", self.res_type)
    }
}

impl HttpInputs {
    /// The body of a PUT.
    #[must_use]
    pub fn body(&self) -> SecretValue {
        let body = json!({
            "type": self.res_type,
            "resource": self.resource,
            "driver": {"values": self.values, "secrets": self.secrets},
        });
        SecretValue::new(crate::json::canonical(&body))
    }
}

/// What a Driver made: `OutputData`.
#[derive(Clone, PartialEq)]
pub struct HttpOutputs {
    /// Outputs that are no secret.
    pub values: Map<String, Value>,
    /// Secret outputs, by value.
    pub secrets: Map<String, Value>,
    /// Kubernetes fragments as `{location, data}`.
    pub manifests: Vec<Value>,
}

impl fmt::Debug for HttpOutputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpOutputs(…)")
    }
}

/// What a Driver left for itself at its last answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DriverCookie(Option<SecretValue>);

/// A resource of an HTTP Driver.
#[derive(Debug)]
pub struct HttpResource {
    /// Its id, and the path at the Driver.
    pub guresid: String,
    /// What the Driver left last time.
    pub cookie: DriverCookie,
    /// Secrets that the Driver may have seen: no error shows them.
    pub secrets: Vec<SecretValue>,
}

/// Why a text is no cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CookieError {
    /// It has more than [`MAX_COOKIE`] bytes.
    #[error("a cookie has at most {MAX_COOKIE} bytes, and this one has {0}")]
    TooLong(usize),
    /// It has characters that no HTTP header can carry.
    #[error("a cookie is text of one line without control characters; base64 of JSON is usual")]
    Unprintable,
}

impl DriverCookie {
    /// Takes a cookie from before; an empty one is none.
    ///
    /// # Errors
    /// [`CookieError`].
    pub fn new(text: &str) -> Result<Self, CookieError> {
        let mut cookie = Self::default();
        cookie.answered(Some(text.as_bytes()))?;
        Ok(cookie)
    }

    /// Follows an answer: its header replaces the cookie, an empty one clears
    /// it, and no header keeps it.
    ///
    /// # Errors
    /// [`CookieError`], and the cookie stays what it was.
    pub fn answered(&mut self, header: Option<&[u8]>) -> Result<(), CookieError> {
        let Some(header) = header else { return Ok(()) };
        if header.len() > MAX_COOKIE {
            return Err(CookieError::TooLong(header.len()));
        }
        let text = std::str::from_utf8(header).map_err(|_| CookieError::Unprintable)?;
        if text.chars().any(|c| c.is_control() && c != '\t') {
            return Err(CookieError::Unprintable);
        }
        self.0 = Some(text.trim()).filter(|text| !text.is_empty()).map(SecretValue::new);
        Ok(())
    }

    /// Forgets the cookie, as after the resource is deleted.
    pub fn reset(&mut self) {
        self.0 = None;
    }

    /// The text, when there is one.
    #[must_use]
    pub fn text(&self) -> Option<&SecretValue> {
        self.0.as_ref()
    }

    /// The cookie and what it holds, as far as that can be read: Drivers keep
    /// credentials in it.
    fn secrets(&self) -> Vec<SecretValue> {
        let Some(text) = self.text() else { return Vec::new() };
        let mut secrets = vec![text.clone()];
        let bare = text.expose().trim_end_matches('=');
        let decoded = STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare)).unwrap_or_default();
        let decoded = SecretValue::new(String::from_utf8(decoded).unwrap_or_default());
        for json in [text, &decoded] {
            if let Ok(value) = serde_json::from_str::<Value>(json.expose()) {
                collect_secrets(&value, &mut secrets);
            }
        }
        secrets.push(decoded);
        secrets
    }
}

/// The leaves of a tree of secrets.
pub fn collect_secrets(value: &Value, secrets: &mut Vec<SecretValue>) {
    match value {
        Value::String(text) => secrets.push(SecretValue::new(text.clone())),
        Value::Number(number) => secrets.push(SecretValue::new(number.to_string())),
        Value::Array(items) => items.iter().for_each(|item| collect_secrets(item, secrets)),
        Value::Object(object) => object.values().for_each(|item| collect_secrets(item, secrets)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Keeps secrets out of what a Driver says.
#[derive(Debug, Default)]
pub struct Redactor {
    scanner: SecretScanner,
    /// Secrets that the scanner leaves alone, the longest first.
    short: Vec<SecretValue>,
}

/// From how many bytes on a secret is looked for in the middle of a word.
const MIN_INSIDE: usize = 3;

impl Redactor {
    /// Knows `secrets`, however short, and the content of cookies.
    #[must_use]
    pub fn new(secrets: &[SecretValue], cookies: &[DriverCookie]) -> Self {
        let of_cookies: Vec<SecretValue> = cookies.iter().flat_map(DriverCookie::secrets).collect();
        let mut short: Vec<SecretValue> = secrets.iter().filter(|secret| secret.expose().len() < 8).cloned().collect();
        short.retain(|secret| !secret.expose().trim().is_empty());
        short.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        Self { scanner: SecretScanner::new(secrets.iter().chain(&of_cookies)), short }
    }

    /// The text without secrets.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let text = self.scanner.redact(text);
        self.short.iter().fold(text, |text, secret| match secret.expose() {
            secret if secret.len() >= MIN_INSIDE => text.replace(secret, "[secret]"),
            secret => replace_word(&text, secret),
        })
    }
}

/// Replaces a text of a letter or two where it stands by itself.
fn replace_word(text: &str, word: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(word) {
        let (before, after) = (&rest[..start], &rest[start + word.len()..]);
        let is_inside = out.chars().chain(before.chars()).next_back().is_some_and(char::is_alphanumeric)
            || after.chars().next().is_some_and(char::is_alphanumeric);
        out.push_str(before);
        out.push_str(if is_inside { word } else { "[secret]" });
        rest = after;
    }
    out + rest
}

/// What a Driver says while it is at work; all of it is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgressHint {
    /// `creating`, `updating` or `deleting`.
    pub status: Option<String>,
    /// When it expects to be done.
    pub estimated_completion_time: Option<Timestamp>,
    /// When it gives up.
    pub timeout: Option<Timestamp>,
    /// Its clock, which may differ from ours.
    pub current_time: Option<Timestamp>,
}

impl ProgressHint {
    /// Reads an `AsyncProgressHint`. What cannot be read is no hint.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        let Ok(Value::Object(object)) = serde_json::from_slice(body) else { return Self::default() };
        let time = |key: &str| instant(object.get(key)?.as_str()?);
        Self {
            status: object.get("status").and_then(Value::as_str).map(str::to_owned),
            estimated_completion_time: time("estimated_completion_time"),
            // The field has one name in the schema and another in its example.
            timeout: time("timeout").or_else(|| time("timeout_deadline")),
            current_time: time("current_time"),
        }
    }
}

/// An ISO 8601 instant; without an offset it is UTC.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })
}

/// An answer that is no failure.
#[derive(Debug, PartialEq)]
pub enum Answer<T> {
    /// It is at work and is to be asked again.
    Running(ProgressHint),
    /// The final answer.
    Done(T),
}

/// What a status means that is no success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// 400: it will never work with these inputs.
    Refused,
    /// 409: it is at work on other inputs.
    Busy,
    /// 422: it could not read the request.
    Unreadable,
    /// 401, 403: it lets nobody in without credentials.
    Denied,
    /// 404, 405 for a PUT: nothing of the contract is at this address.
    NoDriver,
    /// 429, 5xx: it has trouble of its own.
    Unavailable,
    /// Statuses that the contract does not have.
    Unexpected,
}

impl FailureKind {
    fn of(status: u16) -> Self {
        match status {
            400 => Self::Refused,
            401 | 403 => Self::Denied,
            404 | 405 => Self::NoDriver,
            409 => Self::Busy,
            422 => Self::Unreadable,
            429 | 500..=599 => Self::Unavailable,
            _ => Self::Unexpected,
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Refused => "it refuses for good",
            Self::Busy => "it is at work on this resource with other inputs, and cannot stop",
            Self::Unreadable => "it cannot read the request",
            Self::Denied => "it asks for credentials of the caller",
            Self::NoDriver => "there is no Driver at this address",
            Self::Unavailable => "it has failed",
            Self::Unexpected => "it answers with a status that the contract does not have",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Refused => {
                "correct what it gets: the inputs of the Definition, or the values and the cookie of an inputs file"
            }
            Self::Busy => "wait until it has ended, then run the same again",
            Self::Unreadable => "it must accept JSON with `type`, `resource` and `driver`; see its own log",
            Self::Denied => "none are sent: let it accept calls without a token, from here at least",
            Self::NoDriver => "the address is the `target` of the Driver, to which the resource's id is added",
            Self::Unavailable => "see its own log; then run the same again, which a Driver must allow",
            Self::Unexpected => "it must answer 200, 202 or 400 to PUT, and 204, 202 or 400 to DELETE",
        }
    }
}

/// Why a Driver made nothing. A sentence that goes on from the Driver's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpDriverError {
    /// There is no answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The answer is a failure.
    #[error("{} (HTTP-{status}){}\n  hint: {}", kind.what(), said_lines(said), kind.hint())]
    Failed {
        /// What it means.
        kind: FailureKind,
        /// HTTP status.
        status: u16,
        /// What the Driver said.
        said: String,
    },
    /// The answer is a success that cannot be read.
    #[error("its answer cannot be used: {0}")]
    BadAnswer(String),
    /// The cookie that it sets is none.
    #[error("it sets a cookie that cannot be kept: {0}")]
    Cookie(#[from] CookieError),
    /// The cookie cannot be written down.
    #[error("its cookie cannot be kept: {0}")]
    NotKept(String),
    /// It is still at work, and nobody waits any longer.
    #[error(
        "it is still at work after {} s, {}\n  hint: run the same again to go on waiting",
        waited.as_secs(),
        if *is_own_limit { "which is more time than it gives itself" } else { "and nobody waits longer" }
    )]
    TimedOut {
        /// How long it was waited for.
        waited: std::time::Duration,
        /// The Driver itself set the limit.
        is_own_limit: bool,
    },
}

/// Most of what a Driver said, in characters.
const MAX_SAID: usize = 2_000;

fn said_lines(said: &str) -> String {
    let mut shown: String = said.chars().take(MAX_SAID).collect();
    if shown.len() < said.len() {
        shown.push('…');
    }
    shown.lines().filter(|line| !line.trim().is_empty()).map(|line| format!("\n  driver: {}", line.trim())).collect()
}

impl HttpDriverError {
    /// The error without secrets in what the Driver said.
    #[must_use]
    pub fn redacted(self, redactor: &Redactor) -> Self {
        match self {
            Self::Failed { kind, status, said } => Self::Failed { kind, status, said: redactor.redact(&said) },
            Self::BadAnswer(reason) => Self::BadAnswer(redactor.redact(&reason)),
            Self::Transport(TransportError::Unreachable(reason)) => {
                Self::Transport(TransportError::Unreachable(redactor.redact(&reason)))
            }
            other => other,
        }
    }

    fn failed(status: u16, body: &[u8]) -> Self {
        let said = match ErrorBody::read(body) {
            Some(ErrorBody { error, message, .. }) if !error.is_empty() && !message.is_empty() => {
                format!("{error}: {message}")
            }
            Some(ErrorBody { error, message, .. }) => error + &message,
            None => String::new(),
        };
        Self::Failed { kind: FailureKind::of(status), status, said }
    }
}

/// Reads the answer to a PUT.
///
/// # Errors
/// [`HttpDriverError::Failed`] or [`HttpDriverError::BadAnswer`], both with
/// what the Driver said and not yet redacted.
pub fn read_put(response: &DriverResponse) -> Result<Answer<HttpOutputs>, HttpDriverError> {
    match response.status {
        200 => outputs(&response.body).map(Answer::Done).map_err(HttpDriverError::BadAnswer),
        202 => Ok(Answer::Running(ProgressHint::read(&response.body))),
        409 => Err(busy(&response.body)),
        status => Err(HttpDriverError::failed(status, &response.body)),
    }
}

/// What a DELETE came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// The resource is gone.
    Now,
    /// The Driver does not know it.
    Before,
}

/// Reads the answer to a DELETE.
///
/// # Errors
/// As [`read_put`].
pub fn read_delete(response: &DriverResponse) -> Result<Answer<Deleted>, HttpDriverError> {
    match response.status {
        204 => Ok(Answer::Done(Deleted::Now)),
        404 => Ok(Answer::Done(Deleted::Before)),
        202 => Ok(Answer::Running(ProgressHint::read(&response.body))),
        409 => Err(busy(&response.body)),
        status => Err(HttpDriverError::failed(status, &response.body)),
    }
}

/// The body of a 409 is a hint, and of some Drivers an error.
fn busy(body: &[u8]) -> HttpDriverError {
    let hint = ProgressHint::read(body);
    let said = match (&hint.status, hint.estimated_completion_time) {
        (None, None) => return HttpDriverError::failed(409, body),
        (status, None) => status.clone().unwrap_or_default(),
        (status, Some(time)) => {
            format!("{}, done at about {time}", status.as_deref().unwrap_or("at work"))
        }
    };
    HttpDriverError::Failed { kind: FailureKind::Busy, status: 409, said }
}

fn outputs(body: &[u8]) -> Result<HttpOutputs, String> {
    // The reader's own message could show a secret.
    let body: Value = serde_json::from_slice(body).map_err(|error| {
        format!("it is no JSON at line {}, column {}\n  hint: {SHAPE}", error.line(), error.column())
    })?;
    let Value::Object(mut body) = body else {
        return Err(format!("it is {}, and has to be a mapping\n  hint: {SHAPE}", kind(&body)));
    };
    let mut resource = mapping("resource", body.remove("resource"))?;
    let values = mapping("resource.values", resource.remove("values"))?;
    let secrets = mapping("resource.secrets", resource.remove("secrets"))?;
    let manifests = match body.remove("manifests") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(other) => return Err(format!("`manifests` is {}, and has to be a list\n  hint: {SHAPE}", kind(&other))),
    };
    let manifests = manifests
        .into_iter()
        .enumerate()
        .map(|(index, item)| {
            fragments::read(item, Spelling::Wire).map_err(|reason| format!("manifests.{index}: {reason}"))
        })
        .collect::<Result<Vec<Value>, String>>()?;
    let labels: Vec<String> = (0..manifests.len()).map(|index| format!("manifests.{index}")).collect();
    fragments::check_names(labels.iter().zip(&manifests))?;
    Ok(HttpOutputs { values, secrets, manifests })
}

/// What a Driver answers.
const SHAPE: &str = "it must be {id, type, resource: {values, secrets}, manifests: [{location, data}]}";

fn mapping(key: &str, value: Option<Value>) -> Result<Map<String, Value>, String> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object),
        Some(other) => Err(format!("`{key}` is {}, and has to be a mapping\n  hint: {SHAPE}", kind(&other))),
    }
}

#[cfg(test)]
mod tests;
