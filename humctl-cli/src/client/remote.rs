//! The transport to a hosted Orchestrator: HTTPS with a bearer token.

use std::time::Duration;

use humctl_api_types::endpoint::Method;
use humctl_core::secret::SecretValue;
use reqwest::Client as Http;
use tokio::runtime::Runtime;

use crate::client::{ApiRequest, ApiResponse, Transport};
use crate::env;
use crate::error::CliError;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Attempts of a request that is safe to repeat.
const MAX_ATTEMPTS: u32 = 5;

/// Where the API is and how to be let in.
#[derive(Debug)]
pub(crate) struct RemoteSettings {
    prefix: String,
    host: String,
    token: Option<SecretValue>,
}

impl RemoteSettings {
    pub(crate) fn new(prefix: &str, token: Option<String>) -> Result<Self, CliError> {
        let bad = |reason: &str| {
            CliError::user(format!("API address `{prefix}`: {reason}"))
                .with_hint("give an https:// address, or `local` for the embedded Orchestrator")
        };
        let prefix_text = prefix.trim_end_matches('/');
        let (scheme, rest) = prefix_text.split_once("://").ok_or_else(|| bad("it is no address"))?;
        let host = rest.split('/').next().unwrap_or_default();
        if host.is_empty() || host.contains('@') {
            return Err(bad("it has no host, or holds a user"));
        }
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let is_loopback = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
        match scheme {
            "https" => {}
            "http" if is_loopback => {}
            "http" => return Err(bad("`http://` would send the token in clear")),
            _ => return Err(bad("it is neither https nor local")),
        }
        Ok(Self { prefix: prefix_text.to_owned(), host: host.to_owned(), token: token.map(SecretValue::new) })
    }

    /// Host and port, for messages.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }
}

/// Who we are, to servers.
pub(super) fn user_agent() -> String {
    let version = env!("CARGO_PKG_VERSION");
    env::get(env::USER_AGENT).unwrap_or_else(|| format!("app humctl/{version}; sdk humctl/{version}"))
}

/// What all HTTP clients of ours have in common.
pub(super) fn http_builder() -> reqwest::ClientBuilder {
    // Fails only when a provider is installed already, which is just as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Http::builder().connect_timeout(Duration::from_secs(10))
}

/// What an HTTP client runs on.
pub(super) fn runtime() -> Result<Runtime, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::user(format!("cannot start: {error}")))
}

/// The innermost reason of a failure, which is the one that says something.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// An HTTP client with its runtime.
pub(crate) struct RemoteTransport {
    runtime: Runtime,
    http: Http,
    prefix: String,
    host: String,
    token: Option<SecretValue>,
}

impl std::fmt::Debug for RemoteTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RemoteTransport({})", self.host)
    }
}

impl RemoteTransport {
    pub(crate) fn open(settings: &RemoteSettings) -> Result<Self, CliError> {
        let agent = user_agent();
        let mut headers = reqwest::header::HeaderMap::new();
        if let Ok(value) = agent.parse() {
            headers.insert("humanitec-user-agent", value);
        }
        let http = http_builder()
            .timeout(TIMEOUT)
            .user_agent(agent)
            .default_headers(headers)
            .build()
            .map_err(|error| CliError::user(format!("cannot set up HTTPS: {error}")))?;
        let runtime = runtime()?;
        Ok(Self {
            runtime,
            http,
            prefix: settings.prefix.clone(),
            host: settings.host.clone(),
            token: settings.token.clone(),
        })
    }

    async fn attempt(&self, request: &ApiRequest<'_>) -> Result<ApiResponse, reqwest::Error> {
        let url = format!("{}{}", self.prefix, request.path);
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut builder = self.http.request(method, url);
        if let Some(token) = &self.token {
            builder = builder.bearer_auth(token.expose());
        }
        if let Some((body, content_type)) = &request.body {
            builder = builder.header(reqwest::header::CONTENT_TYPE, *content_type).body(body.clone());
        }
        let response = builder.send().await?;
        let status = response.status().as_u16();
        Ok(ApiResponse { status, body: response.bytes().await?.to_vec() })
    }
}

impl Transport for RemoteTransport {
    fn send(&self, request: ApiRequest<'_>) -> Result<ApiResponse, CliError> {
        let is_repeatable = matches!(request.method, Method::Get | Method::Put | Method::Delete);
        let mut pause = Duration::from_millis(200);
        for attempt in 1.. {
            let started = std::time::Instant::now();
            let result = self.runtime.block_on(self.attempt(&request));
            let shown = match &result {
                Ok(response) => response.status.to_string(),
                Err(error) => error.to_string(),
            };
            tracing::debug!(
                "{} {}{}: {shown} in {:?}",
                request.method.as_str(),
                self.prefix,
                request.path,
                started.elapsed()
            );
            let may_pass = match &result {
                Ok(response) => matches!(response.status, 429 | 502..=504),
                Err(error) => error.is_connect() || error.is_timeout(),
            };
            if may_pass && is_repeatable && attempt < MAX_ATTEMPTS {
                std::thread::sleep(pause);
                pause *= 2;
                continue;
            }
            return result.map_err(|error| {
                CliError::user(format!("`{}` cannot be reached: {}", self.host, root_cause(&error)))
                    .with_hint("check the address (--api-prefix) and the network")
            });
        }
        unreachable!("the loop returns at its last attempt")
    }
}
