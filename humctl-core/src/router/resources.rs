//! Active Resources and Resource Graphs of an Environment.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::{delete, get, patch, post, put};
use humctl_api_types::id::{AppId, EnvId, OrgId, ResId};
use humctl_api_types::resource::PinRequest;
use humctl_api_types::set::ResourceInputs;
use serde::Deserialize;

use crate::orchestrator::{ActiveResourceRef, Removal};
use crate::router::Shared;
use crate::router::answer::{Answer, ApiError, Body, Ids, Parameters, call, run};

/// The paths of what is deployed in an Environment.
pub(super) fn routes() -> Router<Shared> {
    let env = |rest: &str| format!("/orgs/{{org}}/apps/{{app}}/envs/{{env}}{rest}");
    Router::new()
        .route(&env("/resources"), get(active_resources))
        .route(&env("/resources/graph"), post(plan_graph_nodes))
        .route(&env("/resources/graphs"), post(plan_graph))
        .route(&env("/resources/graphs/{id}"), get(get_graph))
        .route(&env("/resources/{type}/{id}"), delete(delete_active_resource))
        .route(&env("/resources/{type}/{id}/actions/pin"), post(pin_active_resource))
        .route(&env("/runtime"), get(no_runtime))
        .route(&env("/runtime/paused"), put(no_control))
        .route(&env("/runtime/replicas"), patch(no_control))
        .route(&env("/logs"), get(no_runtime))
}

async fn plan_graph(
    State(shared): State<Shared>,
    Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>,
    Body(resources): Body<Vec<ResourceInputs>>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.plan_graph(&org, &app, &env, &resources)).await
}

/// The deprecated form: the nodes alone.
async fn plan_graph_nodes(
    State(shared): State<Shared>,
    Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>,
    Body(resources): Body<Vec<ResourceInputs>>,
) -> Answer {
    let nodes = move || shared.orchestrator.plan_graph(&org, &app, &env, &resources).map(|graph| graph.nodes);
    call(StatusCode::OK, nodes).await
}

#[derive(Deserialize)]
struct ActiveFilter {
    scheduled_deletion: Option<bool>,
}

async fn active_resources(
    State(shared): State<Shared>,
    Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>,
    Parameters(filter): Parameters<ActiveFilter>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.active_resources(&org, &app, &env, filter.scheduled_deletion))
        .await
}

/// The type in it may be `{type}.{class}`.
type ActivePath = (OrgId, AppId, EnvId, String, ResId);

#[derive(Deserialize)]
struct Detach {
    #[serde(default)]
    detach: bool,
}

async fn delete_active_resource(
    State(shared): State<Shared>,
    Ids((org, app, env, res_type, id)): Ids<ActivePath>,
    Parameters(parameters): Parameters<Detach>,
) -> Answer {
    let removal = run(move || {
        let wanted = ActiveResourceRef::parse(&res_type, id)?;
        shared.orchestrator.delete_active_resource(&org, &app, &env, &wanted, parameters.detach)
    });
    Ok(match removal.await? {
        Removal::Scheduled => StatusCode::ACCEPTED,
        Removal::Forgotten => StatusCode::NO_CONTENT,
    }
    .into_response())
}

async fn pin_active_resource(
    State(shared): State<Shared>,
    Ids((org, app, env, res_type, id)): Ids<ActivePath>,
    Body(body): Body<PinRequest>,
) -> Answer {
    call(StatusCode::OK, move || {
        let wanted = ActiveResourceRef::parse(&res_type, id)?;
        shared.orchestrator.pin_active_resource(&org, &app, &env, &wanted, body.target_def_version_id.as_deref())
    })
    .await
}

async fn get_graph(
    State(shared): State<Shared>,
    Ids((org, app, env, id)): Ids<(OrgId, AppId, EnvId, String)>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.graph(&org, &app, &env, &id)).await
}

async fn no_runtime() -> ApiError {
    ApiError::new(
        StatusCode::NOT_IMPLEMENTED,
        "runtime data is not supported by the embedded Orchestrator: it writes to Git and has no access to the cluster",
    )
}

async fn no_control() -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "an environment that is deployed through Git cannot be paused or scaled from here; change its Workloads instead",
    )
}
