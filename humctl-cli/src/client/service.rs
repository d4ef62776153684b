//! HTTP to the services that get secrets of a Deployment: Drivers and secret
//! stores.
//!
//! Requests go to the given address and nowhere else. No redirection is
//! followed, no token of ours is sent, and without TLS only loopback is spoken
//! to, past any proxy.

use std::time::{Duration, Instant};

use humctl_core::driver::http::{MAX_ANSWER, TransportError};
use humctl_core::git::process::CancelFlag;
use humctl_core::secret::SecretValue;
pub(super) use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client as Http, RequestBuilder, Url};
use tokio::runtime::Runtime;

use crate::client::http::{Connection, build, root_cause, runtime};

/// How often is looked whether somebody asked to stop.
const STEP: Duration = Duration::from_millis(100);

/// An HTTP client for one service.
pub(super) struct Service {
    runtime: Runtime,
    http: Http,
    address: Url,
    cancel: CancelFlag,
}

/// What a service is asked.
pub(super) struct Asked<'a> {
    pub(super) method: Method,
    /// Segments of the path below the address.
    pub(super) segments: &'a [&'a str],
    pub(super) query: Option<(&'static str, &'a str)>,
    /// A header that nobody may see.
    pub(super) header: Option<(&'static str, &'a SecretValue)>,
    /// JSON.
    pub(super) body: Option<&'a SecretValue>,
}

/// What a service answered.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The bytes of a header.
    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name).map(HeaderValue::as_bytes)
    }
}

impl Service {
    /// `timeout` is for one answer; whatever it waits for ends when `cancel` is set.
    ///
    /// # Errors
    /// What is wrong with the address or the connection: a sentence.
    pub(super) fn open(
        address: &str,
        connection: &Connection,
        timeout: Duration,
        cancel: CancelFlag,
    ) -> Result<Self, String> {
        let address = parse(address)?;
        let client = || build(connection.builder(address.scheme() == "http")?.timeout(timeout));
        let http = client().map_err(|error| error.text())?;
        let runtime = runtime().map_err(|error| error.text())?;
        Ok(Self { runtime, http, address, cancel })
    }

    /// Sends one request, once.
    pub(super) fn send(&self, asked: &Asked<'_>) -> Result<Answer, TransportError> {
        let mut url = self.address.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(asked.segments);
        }
        if let Some((name, value)) = asked.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let (started, place) = (Instant::now(), format!("{} {url}", asked.method));
        let mut request = self.http.request(asked.method.clone(), url);
        if let Some((name, text)) = asked.header {
            let value = HeaderValue::from_bytes(text.expose().as_bytes());
            let mut value =
                value.map_err(|_| TransportError::Unreachable(format!("what `{name}` holds is no header")))?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        if let Some(body) = asked.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.expose().to_owned());
        }
        let result = self.runtime.block_on(async {
            tokio::select! {
                answer = exchange(request) => answer,
                () = self.cancelled() => Err(TransportError::Cancelled),
            }
        });
        let shown = match &result {
            Ok(answer) => answer.status.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::debug!("{place}: {} in {:?}", shown.lines().next().unwrap_or_default(), started.elapsed());
        result
    }

    async fn cancelled(&self) {
        while !self.cancel.is_set() {
            tokio::time::sleep(STEP).await;
        }
    }
}

async fn exchange(request: RequestBuilder) -> Result<Answer, TransportError> {
    let mut response = request.send().await.map_err(failure)?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(TransportError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

fn failure(error: reqwest::Error) -> TransportError {
    match error.is_timeout() && !error.is_connect() {
        true => TransportError::TimedOut,
        false => TransportError::Unreachable(root_cause(&error)),
    }
}

/// Reads an address that may be given secrets.
fn parse(text: &str) -> Result<Url, String> {
    // The text itself is not shown: it could hold a password.
    let bad = |reason: &str| {
        Err(format!(
            "its address {reason}\n  hint: it is of the form http://localhost:8080 or https://service.example.com/v1"
        ))
    };
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return bad(&format!("is none: {error}")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return bad("holds a user or password, which such services do not take");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return bad("has a query or a fragment, and what is asked for is added to its path");
    }
    // A name of loopback is spelled out; any other could resolve to anything.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_loopback =
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback => Ok(url),
        "http" => bad("begins with `http://`, which would send secrets in clear; only loopback may be spoken to so"),
        other => bad(&format!("begins with `{other}`, which is neither http nor https")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_or_loopback() {
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
            ("driver", Err("is none")),
        ] {
            match (parse(text), expected) {
                (Ok(url), Ok(expected)) => assert_eq!(url.as_str(), expected),
                (Err(error), Err(expected)) => {
                    assert!(error.contains(expected) && !error.contains("canary"), "{text}: {error}");
                }
                (found, _) => panic!("{text}: {}", found.is_ok()),
            }
        }
    }
}
