//! Paths of the official document for which a program without a server and
//! without a cluster has nothing to say: users and tokens, runs of Pipelines,
//! Artefacts, logs of audits, builds. They answer 501, so that callers know a
//! path that is not served from one that does not exist.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;

use crate::router::Shared;
use crate::router::answer::ApiError;

const PATHS: &[&str] = &[
    "/users/{user}/tokens",
    "/users/{user}/tokens/{id}",
    "/orgs/{org}/agents/{agent}/keys/{id}",
    "/orgs/{org}/apps/{app}/approvals",
    "/orgs/{org}/apps/{app}/jobs",
    "/orgs/{org}/apps/{app}/pipeline-runs",
    "/orgs/{org}/apps/{app}/pipelines/{id}/batches/{type}",
    "/orgs/{org}/apps/{app}/pipelines/{id}/runs",
    "/orgs/{org}/apps/{app}/pipelines/{id}/runs/{*rest}",
    "/orgs/{org}/apps/{app}/pipelines/{id}/versions",
    "/orgs/{org}/apps/{app}/runtime",
    "/orgs/{org}/apps/{app}/users",
    "/orgs/{org}/apps/{app}/users/{id}",
    "/orgs/{org}/artefact-versions",
    "/orgs/{org}/artefact-versions/{id}",
    "/orgs/{org}/artefact-versions/{id}/workload-deployment-set",
    "/orgs/{org}/artefact-versions/{id}/workload-spec",
    "/orgs/{org}/artefacts",
    "/orgs/{org}/artefacts/{*rest}",
    "/orgs/{org}/audit-logs",
    "/orgs/{org}/env-types/{id}/users",
    "/orgs/{org}/env-types/{id}/users/{user}",
    "/orgs/{org}/events",
    "/orgs/{org}/groups",
    "/orgs/{org}/groups/{*rest}",
    "/orgs/{org}/humanitec-keys",
    "/orgs/{org}/images",
    "/orgs/{org}/images/{*rest}",
    "/orgs/{org}/invitations",
    "/orgs/{org}/pipeline-runs",
    "/orgs/{org}/pipeline-schemas/latest",
    "/orgs/{org}/pipelines",
    "/orgs/{org}/registries/{id}/creds",
    "/orgs/{org}/resources/account-types",
    "/orgs/{org}/resources/accounts/{id}/actions/check",
    "/orgs/{org}/runtime/actions/check-connectivity",
    "/orgs/{org}/users",
    "/orgs/{org}/users/{*rest}",
    "/orgs/{org}/workload-profile-chart-versions",
    "/orgs/{org}/workload-profile-features",
    "/orgs/{org}/workload-profiles/{id}/versions",
    "/orgs/{org}/workload-profiles/{id}/versions/latest",
];

pub(super) fn routes() -> Router<Shared> {
    PATHS.iter().fold(Router::new(), |router, path| router.route(path, any(not_supported)))
}

pub(super) async fn not_supported() -> ApiError {
    ApiError::new(StatusCode::NOT_IMPLEMENTED, "not supported by the embedded Orchestrator: it needs a hosted one")
}
