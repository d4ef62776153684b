//! The one way to the API: typed calls over interchangeable transports.

pub(crate) mod driver;
pub(crate) mod keyring;
pub(crate) mod local;
pub(crate) mod remote;

use std::sync::OnceLock;

use humctl_api_types::endpoint::{Call, Method};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::local::{LocalSettings, LocalTransport};
use crate::client::remote::{RemoteSettings, RemoteTransport};
use crate::error::CliError;

/// A request before it goes out.
#[derive(Debug)]
pub(crate) struct ApiRequest<'r> {
    pub(crate) method: Method,
    /// Path and query, sent as they are.
    pub(crate) path: &'r str,
    /// Body and its content type.
    pub(crate) body: Option<(Vec<u8>, &'r str)>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
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

    /// The settings of the embedded Orchestrator.
    pub(crate) fn local_settings(&self) -> Option<&LocalSettings> {
        match self {
            Self::Local { settings, .. } => Some(settings),
            Self::Remote { .. } => None,
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
            Self::Local { settings, transport } => open(transport, || LocalTransport::open(settings))?.send(request),
            Self::Remote { settings, transport } => open(transport, || RemoteTransport::open(settings))?.send(request),
        }
    }

    /// Sends a request that must succeed.
    pub(crate) fn request(&self, request: ApiRequest<'_>) -> Result<ApiResponse, CliError> {
        let response = self.exchange(request)?;
        if (200..300).contains(&response.status) {
            return Ok(response);
        }
        let host = match self {
            Self::Local { .. } => None,
            Self::Remote { settings, .. } => Some(settings.host()),
        };
        Err(CliError::api(response.status, &response.body, host))
    }

    /// Makes a typed call.
    pub(crate) fn call<R: DeserializeOwned>(&self, call: &Call<R>) -> Result<R, CliError> {
        let value = self.value(call.method, &call.path, call.body.as_ref())?;
        humctl_core::decode::tolerant(&value).map_err(|error| {
            CliError::user(format!("the answer of {} {} cannot be read: {error}", call.method.as_str(), call.path))
        })
    }

    /// Sends a request and reads the answer as JSON; null for an empty one.
    pub(crate) fn value(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, CliError> {
        let body = body.map(|body| (body.to_string().into_bytes(), "application/json"));
        let response = self.request(ApiRequest { method, path, body })?;
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
