//! The transport to an HTTP Driver.
//!
//! Requests carry secrets: they go to the given address and nowhere else. No
//! redirection is followed, no token of ours is sent, and without TLS only
//! loopback is spoken to, past any proxy.

use std::time::{Duration, Instant};

use humctl_core::driver::http::{
    COOKIE_HEADER, DriverMethod, DriverRequest, DriverResponse, DriverTransport, MAX_ANSWER, SET_COOKIE_HEADER,
    TransportError,
};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client as Http, Method, Url};
use tokio::runtime::Runtime;

use crate::client::http::{Connection, build, root_cause, runtime};
use crate::error::CliError;

/// How long one answer may take: some Drivers do their work before they answer.
const TIMEOUT: Duration = Duration::from_mins(5);

/// An HTTP client for one Driver.
pub(crate) struct DriverHttp {
    runtime: Runtime,
    http: Http,
    target: Url,
}

impl DriverHttp {
    /// `target` is the address to which ids of resources are added.
    pub(crate) fn open(target: &str, connection: &Connection) -> Result<Self, CliError> {
        let target = parse_target(target)?;
        let http = build(connection.builder(target.scheme() == "http")?.timeout(TIMEOUT))?;
        Ok(Self { runtime: runtime()?, http, target })
    }

    async fn exchange(&self, request: &DriverRequest<'_>) -> Result<DriverResponse, TransportError> {
        let mut url = self.target.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(request.guresid);
        }
        let method = match request.method {
            DriverMethod::Put => Method::PUT,
            DriverMethod::Delete => Method::DELETE,
        };
        let started = Instant::now();
        let mut builder = self.http.request(method.clone(), url.clone());
        if let Some(cookie) = request.cookie {
            let mut value = HeaderValue::from_bytes(cookie.expose().as_bytes())
                .map_err(|_| TransportError::Unreachable("the cookie is no header".to_owned()))?;
            value.set_sensitive(true);
            builder = builder.header(COOKIE_HEADER, value);
        }
        if let Some(body) = request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body.expose().to_owned());
        }
        let result = builder.send().await;
        let shown = match &result {
            Ok(response) => response.status().as_u16().to_string(),
            Err(error) => root_cause(error),
        };
        tracing::debug!("{method} {url}: {shown} in {:?}", started.elapsed());
        let mut response = result.map_err(failure)?;
        let set_cookie = response.headers().get(SET_COOKIE_HEADER).map(|value| value.as_bytes().to_vec());
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(TransportError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(DriverResponse { status, set_cookie, body })
    }
}

impl DriverTransport for DriverHttp {
    fn send(&self, request: &DriverRequest<'_>) -> Result<DriverResponse, TransportError> {
        self.runtime.block_on(self.exchange(request))
    }
}

fn failure(error: reqwest::Error) -> TransportError {
    match error.is_timeout() && !error.is_connect() {
        true => TransportError::TimedOut,
        false => TransportError::Unreachable(root_cause(&error)),
    }
}

fn parse_target(text: &str) -> Result<Url, CliError> {
    // The text itself is not shown: it could hold a password.
    let bad = |reason: &str| {
        CliError::user(format!("--driver-url: {reason}")).with_hint(
            "give the `target` of the Driver, for example http://localhost:8080 or https://driver.example.com/v1",
        )
    };
    let url = Url::parse(text).map_err(|error| bad(&format!("it is no address: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("it holds a user or password, which Drivers do not take"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("it has a query or a fragment, and the id of the resource is added to its path"));
    }
    // A name of loopback is spelled out; any other could resolve to anything.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_loopback =
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback => Ok(url),
        "http" => Err(bad("`http://` would send secrets in clear; only loopback may be spoken to so")),
        other => Err(bad(&format!("`{other}` is neither http nor https"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_https_or_loopback() {
        for (text, expected) in [
            ("https://driver.example.com/v1/", Ok("https://driver.example.com/v1/")),
            ("http://localhost:8080", Ok("http://localhost:8080/")),
            ("http://127.0.0.2:1", Ok("http://127.0.0.2:1/")),
            ("http://[::1]:1/x", Ok("http://[::1]:1/x")),
            ("http://driver.example.com", Err("in clear")),
            ("http://localhost.example.com", Err("in clear")),
            ("http://127.0.0.1@example.com", Err("user or password")),
            ("https://u:canary@example.com", Err("user or password")),
            ("https://example.com?x=1", Err("query")),
            ("ftp://example.com", Err("neither")),
            ("localhost:8080", Err("neither")),
            ("driver", Err("no address")),
        ] {
            match (parse_target(text), expected) {
                (Ok(url), Ok(expected)) => assert_eq!(url.as_str(), expected),
                (Err(error), Err(expected)) => {
                    let error = error.text();
                    assert!(error.contains(expected) && !error.contains("canary"), "{text}: {error}");
                }
                (found, _) => panic!("{text}: {}", found.is_ok()),
            }
        }
    }
}
