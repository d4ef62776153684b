//! Paths that the official API does not have. A hosted Orchestrator answers
//! them with 404.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use humctl_api_types::deployment::{BatchRequest, PlanRequest};
use humctl_api_types::id::{AppId, EnvId, OrgId};

use crate::router::Shared;
use crate::router::answer::{Answer, Body, Ids, call};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/orgs/{org}/apps/{app}/envs/{env}/actions/check-target", post(check_target))
        .route("/orgs/{org}/apps/{app}/envs/{env}/actions/plan", post(plan))
        .route("/orgs/{org}/apps/{app}/actions/deploy-environments", post(deploy_environments))
        .route("/orgs/{org}/apps/{app}/actions/plan-environments", post(plan_environments))
        .route("/orgs/{org}/apps/{app}/envs/{env}/sync-target", get(sync_target))
}

async fn plan(
    State(shared): State<Shared>,
    Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>,
    Body(body): Body<PlanRequest>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.plan_deployment(&org, &app, &env, &body)).await
}

async fn plan_environments(
    State(shared): State<Shared>,
    Ids((org, app)): Ids<(OrgId, AppId)>,
    Body(body): Body<BatchRequest>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.plan_environments(&org, &app, &body)).await
}

async fn deploy_environments(
    State(shared): State<Shared>,
    Ids((org, app)): Ids<(OrgId, AppId)>,
    Body(body): Body<BatchRequest>,
) -> Answer {
    call(StatusCode::CREATED, move || shared.orchestrator.deploy_environments(&org, &app, &body)).await
}

async fn check_target(State(shared): State<Shared>, Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.check_target(&org, &app, &env)).await
}

async fn sync_target(State(shared): State<Shared>, Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.sync_target(&org, &app, &env)).await
}
