//! The Humanitec REST API over [`Orchestrator`] methods.
//!
//! A thin adapter: it reads paths and bodies, calls one method, and writes the
//! status and body that the official document names. The same router serves
//! the command line in process, and others behind a listener. Orchestrator methods
//! block on files and Git, so handlers hand them to a blocking thread.

mod answer;
mod containers;
mod definitions;
mod deployments;
mod extensions;
mod not_supported;
mod plain;
mod resources;
mod values;

use axum::Router;
use axum::http::StatusCode;
use humctl_api_types::id::OrgId;

use crate::orchestrator::Orchestrator;
use crate::router::answer::ApiError;

/// What every handler shares.
#[derive(Clone)]
struct Shared {
    orchestrator: Orchestrator,
    /// The Organization of the caller's context, listed even before it is written to.
    default_org: Option<OrgId>,
}

/// Builds the router of an Orchestrator.
pub fn router(orchestrator: Orchestrator, default_org: Option<OrgId>) -> Router {
    Router::new()
        .merge(containers::routes())
        .merge(definitions::routes())
        .merge(deployments::routes())
        .merge(extensions::routes())
        .merge(not_supported::routes())
        .merge(plain::routes())
        .merge(resources::routes())
        .merge(values::routes("/orgs/{org}/apps/{app}"))
        .merge(values::routes("/orgs/{org}/apps/{app}/envs/{env}"))
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .with_state(Shared { orchestrator, default_org })
}

async fn unknown_path() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "there is no such path in this API")
}

async fn unknown_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take this method")
}
