//! Reading requests and writing answers in the official forms.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use humctl_api_types::error::ErrorBody;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::decode;
use crate::orchestrator::OrchestratorError;

/// Largest body that is read.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// A failure on its way out.
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

pub(super) type Answer = Result<Response, ApiError>;

impl From<OrchestratorError> for ApiError {
    fn from(error: OrchestratorError) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, body: error.body() }
    }
}

impl ApiError {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let error = format!("API-{}", status.as_u16());
        Self { status, body: crate::json::to_value(&ErrorBody { error, message: message.into(), details: None }) }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        json_response(self.status, &self.body)
    }
}

pub(super) fn json_response<T: Serialize>(status: StatusCode, body: &T) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], crate::json::to_value(body).to_string()).into_response()
}

/// Ids from the path, checked.
pub(super) struct Ids<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Ids<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(ids)) => Ok(Self(ids)),
            Err(rejection) => Err(ApiError::new(StatusCode::BAD_REQUEST, rejection.body_text())),
        }
    }
}

/// Query parameters.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(ApiError::new(StatusCode::BAD_REQUEST, rejection.body_text())),
        }
    }
}

/// A JSON body. Error texts never show its content.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bad = |message: String| ApiError::new(StatusCode::BAD_REQUEST, message);
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts, axum::body::Body::new(http_body_limit(body)));
        let bytes = Bytes::from_request(request, state).await.map_err(|error| bad(error.body_text()))?;
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|error| bad(format!("the body is no JSON: line {}, column {}", error.line(), error.column())))?;
        decode::tolerant(&value).map(Self).map_err(|error| bad(format!("the body does not fit: {error}")))
    }
}

fn http_body_limit(body: axum::body::Body) -> http_body_util::Limited<axum::body::Body> {
    http_body_util::Limited::new(body, MAX_BODY)
}

/// As [`call`], for paths whose 404 is a bare JSON string in the official document.
pub(super) async fn call_or_text<T, F>(status: StatusCode, method: F) -> Answer
where
    T: Serialize + Send + 'static,
    F: FnOnce() -> Result<T, OrchestratorError> + Send + 'static,
{
    call(status, method).await.map_err(|error| match (error.status, error.body.get("message")) {
        (StatusCode::NOT_FOUND, Some(message)) => ApiError { status: error.status, body: message.clone() },
        _ => error,
    })
}

/// Runs an Orchestrator method and answers with its result.
pub(super) async fn call<T, F>(status: StatusCode, method: F) -> Answer
where
    T: Serialize + Send + 'static,
    F: FnOnce() -> Result<T, OrchestratorError> + Send + 'static,
{
    let body = run(method).await?;
    Ok(match status {
        StatusCode::NO_CONTENT => status.into_response(),
        status => json_response(status, &body),
    })
}

/// Runs an Orchestrator method on a blocking thread.
pub(super) async fn run<T, F>(method: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, OrchestratorError> + Send + 'static,
{
    match tokio::task::spawn_blocking(method).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "the request ended unexpectedly")),
    }
}
