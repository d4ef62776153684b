//! Paths that the official API does not have. A hosted Orchestrator answers
//! them with 404.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use humctl_api_types::id::{AppId, EnvId, OrgId};

use crate::router::Shared;
use crate::router::answer::{Answer, Ids, call};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/orgs/{org}/apps/{app}/envs/{env}/actions/check-target", post(check_target))
        .route("/orgs/{org}/apps/{app}/envs/{env}/sync-target", get(sync_target))
}

async fn check_target(State(shared): State<Shared>, Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.check_target(&org, &app, &env)).await
}

async fn sync_target(State(shared): State<Shared>, Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.sync_target(&org, &app, &env)).await
}
