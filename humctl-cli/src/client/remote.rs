//! The transport to a hosted Orchestrator: HTTPS with a bearer token, sent
//! again where that is safe and may help.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use humctl_api_types::endpoint::Method;
use humctl_core::secret::{SecretValue, random_bytes};
use reqwest::Client as Http;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::runtime::Runtime;

use crate::client::http::{Connection, build, is_untrusted, root_cause, runtime, user_agent};
use crate::client::retry::{self, Outcome};
use crate::client::token::Token;
use crate::client::trace::{self, Way};
use crate::client::{ApiRequest, ApiResponse, Transport};
use crate::error::CliError;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// How often to look whether Ctrl-C was pressed.
const TICK: Duration = Duration::from_millis(50);

/// The largest answer that is read.
const MAX_ANSWER: usize = 256 * 1024 * 1024;

/// Where the API is and how to be let in.
#[derive(Debug)]
pub(crate) struct RemoteSettings {
    prefix: String,
    host: String,
    token: Token,
    connection: Connection,
    /// Set by Ctrl-C, where somebody has asked for that.
    cancel: Arc<AtomicBool>,
}

/// Checks the address of an API; returns it without slashes at its end, and its host.
pub(crate) fn check_address(prefix: &str) -> Result<(String, String), CliError> {
    let bad = |reason: &str| {
        // A password before the host is not shown.
        let shown = prefix.rsplit_once('@').map_or(prefix, |(_, host)| host);
        CliError::user(format!("API address `{shown}`: {reason}"))
            .with_hint("give an https:// address, or `local` for the embedded Orchestrator")
            .with_hint("where the configuration has it: humctl config set apiPrefix --delete")
    };
    let prefix_text = prefix.trim_end_matches('/');
    let (scheme, rest) = prefix_text.split_once("://").ok_or_else(|| bad("it is no address"))?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || host.contains(['@', '\\']) {
        return Err(bad("it has no host, or holds a user"));
    }
    if rest.contains(['?', '#']) {
        return Err(bad("paths are added to it, so it has no query and no fragment"));
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_loopback = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    match scheme {
        "https" => {}
        "http" if is_loopback => {}
        "http" => return Err(bad("`http://` would send the token in clear")),
        _ => return Err(bad("it is neither https nor local")),
    }
    Ok((prefix_text.to_owned(), host.to_owned()))
}

impl RemoteSettings {
    pub(crate) fn new(prefix: &str, token: Token, connection: Connection) -> Result<Self, CliError> {
        let (prefix, host) = check_address(prefix)?;
        Ok(Self { prefix, host, token, connection, cancel: Arc::default() })
    }

    /// Host and port, for messages.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The address that paths are added to.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The flag that Ctrl-C sets; requests and pauses end at once then.
    pub(crate) fn cancel_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancel)
    }
}

/// An HTTP client with its runtime.
pub(crate) struct RemoteTransport {
    runtime: Runtime,
    http: Http,
    prefix: String,
    host: String,
    token: Option<SecretValue>,
    cancel: Arc<AtomicBool>,
}

impl std::fmt::Debug for RemoteTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RemoteTransport({})", self.host)
    }
}

/// Why an attempt gave no answer.
enum Failure {
    Http(reqwest::Error),
    TooLong,
}

impl RemoteTransport {
    pub(crate) fn open(settings: &RemoteSettings) -> Result<Self, CliError> {
        let is_plain = settings.prefix.starts_with("http://");
        let builder = settings.connection.builder(is_plain)?.timeout(TIMEOUT);
        Ok(Self {
            runtime: runtime()?,
            http: build(builder)?,
            prefix: settings.prefix.clone(),
            host: settings.host.clone(),
            token: settings.token.read()?,
            cancel: settings.cancel_flag(),
        })
    }

    fn headers(&self, request: &ApiRequest<'_>) -> Result<HeaderMap, CliError> {
        let mut headers = HeaderMap::new();
        let mut add = |name: &str, value: &str| {
            let bad = || CliError::user(format!("`{name}` with its value is no header of HTTP"));
            let value = HeaderValue::from_str(value).map_err(|_| bad())?;
            headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?, value);
            Ok::<(), CliError>(())
        };
        add("accept", "application/json, */*;q=0.5")?;
        add("humanitec-user-agent", &user_agent())?;
        if let Some((_, content_type)) = &request.body {
            add(CONTENT_TYPE.as_str(), content_type)?;
        }
        for (name, value) in request.headers {
            add(name, value)?;
        }
        if let Some(token) = &self.token {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                .map_err(|_| CliError::user("the token is no text that can be sent"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(headers)
    }

    async fn attempt(&self, request: &ApiRequest<'_>, headers: &HeaderMap) -> Result<ApiResponse, Failure> {
        let token = self.token.as_ref().map(SecretValue::expose);
        let url = format!("{}{}", self.prefix, request.path);
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut builder = self.http.request(method, url).headers(headers.clone());
        let body = request.body.as_ref().map_or(&[][..], |(body, _)| body);
        trace::message(Way::Out, request.path, shown(headers), body, token);
        if request.body.is_some() {
            builder = builder.body(body.to_vec());
        }
        let mut response = builder.send().await.map_err(Failure::Http)?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Failure::Http)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(Failure::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        trace::message(Way::In, request.path, shown(&headers), &body, token);
        let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        Ok(ApiResponse {
            status,
            body,
            link: text("link"),
            retry_after: text("retry-after"),
            location: text("location"),
        })
    }

    /// Waits for some work, unless Ctrl-C comes first.
    fn wait_for<T>(&self, work: impl Future<Output = T>) -> Result<T, CliError> {
        self.runtime.block_on(async {
            let mut work = Box::pin(work);
            loop {
                match tokio::time::timeout(TICK, &mut work).await {
                    Ok(done) => return Ok(done),
                    Err(_) if self.cancel.load(Ordering::Relaxed) => {
                        return Err(CliError::user("interrupted").interrupted());
                    }
                    Err(_) => {}
                }
            }
        })
    }

    fn failure(&self, failure: &Failure) -> CliError {
        let error = match failure {
            Failure::TooLong => {
                return CliError::user(format!("the answer of `{}` is larger than {MAX_ANSWER} bytes", self.host));
            }
            Failure::Http(error) => error,
        };
        let unreachable = CliError::user(format!("`{}` cannot be reached: {}", self.host, root_cause(error)));
        if is_untrusted(error) {
            return unreachable
                .with_hint("name the certificate of your CA with HUMCTL_CA_FILE=FILE, or in ~/.humctl as caFile");
        }
        unreachable.may_pass().with_hint("check the address (--api-prefix), the network, and HTTPS_PROXY")
    }
}

/// Headers as text.
fn shown(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or("[no text]")))
}

fn outcome(result: &Result<ApiResponse, Failure>) -> Outcome<'_> {
    match result {
        Ok(response) => Outcome::Answered { status: response.status, retry_after: response.retry_after.as_deref() },
        Err(Failure::Http(error)) if error.is_builder() || is_untrusted(error) => Outcome::Hopeless,
        Err(Failure::Http(error)) if error.is_connect() => Outcome::NotSent,
        Err(Failure::Http(_)) => Outcome::Lost,
        Err(Failure::TooLong) => Outcome::Hopeless,
    }
}

impl Transport for RemoteTransport {
    fn send(&self, request: ApiRequest<'_>) -> Result<ApiResponse, CliError> {
        let headers = self.headers(&request)?;
        let is_repeatable = retry::is_repeatable(request.method, headers.contains_key("idempotency-key"));
        for attempt in 1.. {
            let started = Instant::now();
            let result = self.wait_for(self.attempt(&request, &headers))?;
            let told = match &result {
                Ok(response) => response.status.to_string(),
                Err(Failure::Http(error)) => root_cause(error),
                Err(Failure::TooLong) => "too long".to_owned(),
            };
            let url = format!("{}{}", self.prefix, request.path);
            trace::line(request.method.as_str(), &url, &told, started.elapsed());
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            let now = i64::try_from(now).unwrap_or_default();
            let jitter = random_bytes::<1>().map_or(0.5, |[byte]| f64::from(byte) / 255.0);
            let Some(pause) = retry::pause(outcome(&result), is_repeatable, attempt, jitter, now) else {
                return result.map_err(|failure| self.failure(&failure));
            };
            tracing::info!("{told}: trying again in {pause:.1?}");
            self.wait_for(async { tokio::time::sleep(pause).await })?;
        }
        unreachable!("the policy ends at its last attempt")
    }
}
