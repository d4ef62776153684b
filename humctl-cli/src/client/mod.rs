//! The one way to the API: typed calls over interchangeable transports.

pub(crate) mod driver;
pub(crate) mod http;
pub(crate) mod keyring;
pub(crate) mod local;
mod network;
mod paging;
pub(crate) mod remote;
mod retry;
mod service;
pub(crate) mod token;
mod trace;
mod vault;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use humctl_api_types::endpoint::{Call, Method};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::local::{LocalSettings, LocalTransport};
use crate::client::remote::{RemoteSettings, RemoteTransport};
use crate::error::CliError;

pub(crate) use trace::{BODIES, HEADERS};

/// A request before it goes out.
#[derive(Debug)]
pub(crate) struct ApiRequest<'r> {
    pub(crate) method: Method,
    /// Path and query, sent as they are.
    pub(crate) path: &'r str,
    /// Body and its content type.
    pub(crate) body: Option<(Vec<u8>, &'r str)>,
    /// Further headers.
    pub(crate) headers: &'r [(String, String)],
}

impl<'r> ApiRequest<'r> {
    pub(crate) fn new(method: Method, path: &'r str) -> Self {
        Self { method, path, body: None, headers: &[] }
    }

    pub(crate) fn with_json(mut self, body: Option<&Value>) -> Self {
        self.body = body.map(|body| (body.to_string().into_bytes(), "application/json"));
        self
    }
}

/// An answer, whatever its status.
#[derive(Debug, Default)]
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// `Link`: further pages.
    link: Option<String>,
    /// `Retry-After`: when to come back.
    retry_after: Option<String>,
    /// `Location`: where else to ask.
    location: Option<String>,
}

/// Something that carries requests.
trait Transport {
    fn send(&self, request: ApiRequest<'_>) -> Result<ApiResponse, CliError>;
}

/// A client of the API; opens its transport when it is first used.
#[derive(Debug)]
pub(crate) enum Client {
    Local { settings: LocalSettings, transport: OnceLock<LocalTransport> },
    Remote { settings: RemoteSettings, transport: OnceLock<RemoteTransport> },
}

impl Client {
    pub(crate) fn local(settings: LocalSettings) -> Self {
        Self::Local { settings, transport: OnceLock::new() }
    }

    pub(crate) fn remote(settings: RemoteSettings) -> Self {
        Self::Remote { settings, transport: OnceLock::new() }
    }

    /// True when the Orchestrator runs in this process.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Self::Local { .. })
    }

    /// True for Humanitec's own service, which has a portal.
    pub(crate) fn is_hosted(&self) -> bool {
        matches!(self, Self::Remote { settings, .. } if settings.host().ends_with("humanitec.io"))
    }

    /// The settings of the embedded Orchestrator.
    pub(crate) fn local_settings(&self) -> Option<&LocalSettings> {
        match self {
            Self::Local { settings, .. } => Some(settings),
            Self::Remote { .. } => None,
        }
    }

    /// The flag that Ctrl-C sets to end what the client does.
    pub(crate) fn cancel_flag(&self) -> Arc<AtomicBool> {
        match self {
            Self::Local { settings, .. } => settings.cancel_flag(),
            Self::Remote { settings, .. } => settings.cancel_flag(),
        }
    }

    /// Host and port of a hosted Orchestrator, for messages.
    pub(crate) fn host(&self) -> Option<&str> {
        match self {
            Self::Local { .. } => None,
            Self::Remote { settings, .. } => Some(settings.host()),
        }
    }

    /// Waits for Deployments of this process.
    pub(crate) fn finish(&self) {
        if let Self::Local { transport, .. } = self
            && let Some(transport) = transport.get()
        {
            transport.finish();
        }
    }

    /// Sends a request and returns the answer, whatever its status.
    pub(crate) fn exchange(&self, request: ApiRequest<'_>) -> Result<ApiResponse, CliError> {
        match self {
            Self::Local { settings, transport } => {
                let transport = open(transport, || {
                    tracing::info!("the Orchestrator is the embedded one");
                    LocalTransport::open(settings)
                });
                transport?.send(request)
            }
            Self::Remote { settings, transport } => {
                let transport = open(transport, || {
                    tracing::info!("the Orchestrator is the one at {}", settings.host());
                    RemoteTransport::open(settings)
                });
                transport?.send(request)
            }
        }
    }

    /// Sends a request that must succeed. A list that comes in pages is put
    /// together, unless the path says which page is wanted.
    pub(crate) fn request(&self, request: ApiRequest<'_>) -> Result<ApiResponse, CliError> {
        let (method, path, headers) = (request.method, request.path, request.headers);
        let mut response = self.succeed(request)?;
        let Self::Remote { settings, .. } = self else { return Ok(response) };
        if method != Method::Get || paging::is_paged_by_hand(path) {
            return Ok(response);
        }
        let mut link = response.link.take();
        let mut pages = vec![response.body];
        let mut at = path.to_owned();
        while let Some(next) = link.as_deref().and_then(paging::next_link) {
            if pages.len() == paging::MAX_PAGES {
                return Err(CliError::user(format!("{path} has more than {} pages", paging::MAX_PAGES)));
            }
            at = paging::resolve(next, settings.prefix(), &at)?;
            let page = self.succeed(ApiRequest { headers, ..ApiRequest::new(Method::Get, &at) })?;
            link = page.link;
            pages.push(page.body);
        }
        response.body = match pages.as_slice() {
            [_] => pages.swap_remove(0),
            _ => paging::concatenate(&pages)
                .ok_or_else(|| CliError::user(format!("{path} comes in pages, but one of them is no list")))?,
        };
        Ok(response)
    }

    fn succeed(&self, request: ApiRequest<'_>) -> Result<ApiResponse, CliError> {
        let path = request.path;
        let response = self.exchange(request)?;
        if (200..300).contains(&response.status) {
            return Ok(response);
        }
        trace::failure(path, &response.body);
        let error = CliError::api(response.status, &response.body, self.host());
        Err(match response.location {
            Some(location) if (300..400).contains(&response.status) => error.with_hint(format!(
                "the answer points to {location}, where the token is not sent; check the address (--api-prefix)"
            )),
            _ => error,
        })
    }

    /// Makes a typed call.
    pub(crate) fn call<R: DeserializeOwned>(&self, call: &Call<R>) -> Result<R, CliError> {
        let headers: Vec<(String, String)> =
            call.idempotency_key.iter().map(|key| ("Idempotency-Key".to_owned(), key.clone())).collect();
        let request = ApiRequest { headers: &headers, ..ApiRequest::new(call.method, &call.path) };
        let value = self.json(request.with_json(call.body.as_ref()))?;
        humctl_core::decode::tolerant(&value).map_err(|error| {
            CliError::user(format!("the answer of {} {} cannot be read: {error}", call.method.as_str(), call.path))
        })
    }

    /// Sends a request and reads the answer as JSON; null for an empty one.
    pub(crate) fn value(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, CliError> {
        self.json(ApiRequest::new(method, path).with_json(body))
    }

    fn json(&self, request: ApiRequest<'_>) -> Result<Value, CliError> {
        let (method, path) = (request.method, request.path);
        let response = self.request(request)?;
        if response.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&response.body)
            .map_err(|_| CliError::user(format!("the answer of {} {path} is no JSON", method.as_str())))
    }

    /// Asks for JSON.
    pub(crate) fn get(&self, path: &str) -> Result<Value, CliError> {
        self.value(Method::Get, path, None)
    }
}

fn open<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T, CliError>) -> Result<&T, CliError> {
    if let Some(made) = cell.get() {
        return Ok(made);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}
