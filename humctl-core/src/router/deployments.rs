//! Deltas, Deployment Sets and Deployments.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use humctl_api_types::delta::DeltaRequest;
use humctl_api_types::deployment::{ConvertScore, DeploymentRequest};
use humctl_api_types::error::ErrorBody;
use humctl_api_types::id::{AppId, DeltaId, DeploymentId, EnvId, OrgId, SetId};
use serde::Deserialize;
use serde_json::json;

use crate::router::Shared;
use crate::router::answer::{Answer, ApiError, Body, Ids, Parameters, call, call_or_text, json_response};
use crate::score;

/// The paths that lead from a change to a Deployment.
pub(super) fn routes() -> Router<Shared> {
    let app = |rest: &str| format!("/orgs/{{org}}/apps/{{app}}{rest}");
    let env = |rest: &str| format!("/orgs/{{org}}/apps/{{app}}/envs/{{env}}{rest}");
    Router::new()
        .route("/orgs/{org}/artefact-versions/convert-score", post(convert_score))
        .route(&app("/deltas"), get(list_deltas).post(create_delta))
        .route(&app("/deltas/{id}"), get(get_delta).patch(patch_delta).put(put_delta))
        .route(&app("/deltas/{id}/metadata/archived"), put(archive_delta))
        .route(&app("/deltas/{id}/metadata/env_id"), put(retarget_delta))
        .route(&app("/deltas/{id}/metadata/name"), put(rename_delta))
        .route(&app("/sets"), get(list_sets))
        .route(&app("/sets/{id}"), get(get_set).post(extend_set))
        .route(&app("/sets/{id}/resources"), get(set_resources))
        .route(&app("/sets/{id}/diff/{source}"), get(set_diff))
        .route(&app("/pipeline-runs"), post(no_pipelines))
        .route(&env("/deploys"), get(list_deploys).post(create_deploy))
        .route(&env("/deploys/{id}"), get(get_deploy))
        .route(&env("/deploys/{id}/errors"), get(deploy_errors))
}

async fn convert_score(Ids(_): Ids<OrgId>, Body(body): Body<ConvertScore>) -> Answer {
    match score::convert::convert(&body) {
        Ok(set) => Ok(json_response(StatusCode::OK, &set)),
        Err(findings) => {
            let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
            let details = json!({ "findings": text });
            let body = ErrorBody { error: "API-400".to_owned(), message: text.join("\n"), details: Some(details) };
            Err(ApiError { status: StatusCode::BAD_REQUEST, body: crate::json::to_value(&body) })
        }
    }
}

#[derive(Deserialize)]
struct DeltaFilter {
    env: Option<EnvId>,
    #[serde(default)]
    archived: bool,
}

async fn list_deltas(
    State(shared): State<Shared>,
    Ids((org, app)): Ids<(OrgId, AppId)>,
    Parameters(filter): Parameters<DeltaFilter>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.deltas(&org, &app, filter.env.as_ref(), filter.archived)).await
}

async fn create_delta(
    State(shared): State<Shared>,
    Ids((org, app)): Ids<(OrgId, AppId)>,
    Body(body): Body<DeltaRequest>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.create_delta(&org, &app, body)).await
}

type DeltaPath = (OrgId, AppId, DeltaId);

async fn get_delta(State(shared): State<Shared>, Ids((org, app, id)): Ids<DeltaPath>) -> Answer {
    call_or_text(StatusCode::OK, move || shared.orchestrator.delta(&org, &app, &id)).await
}

async fn patch_delta(
    State(shared): State<Shared>,
    Ids((org, app, id)): Ids<DeltaPath>,
    Body(body): Body<Vec<DeltaRequest>>,
) -> Answer {
    call_or_text(StatusCode::OK, move || shared.orchestrator.patch_delta(&org, &app, &id, &body)).await
}

async fn put_delta(
    State(shared): State<Shared>,
    Ids((org, app, id)): Ids<DeltaPath>,
    Body(body): Body<DeltaRequest>,
) -> Answer {
    call_or_text(StatusCode::NO_CONTENT, move || shared.orchestrator.replace_delta(&org, &app, &id, &body)).await
}

async fn archive_delta(
    State(shared): State<Shared>,
    Ids((org, app, id)): Ids<DeltaPath>,
    Body(archived): Body<bool>,
) -> Answer {
    call_or_text(StatusCode::NO_CONTENT, move || shared.orchestrator.archive_delta(&org, &app, &id, archived)).await
}

async fn retarget_delta(
    State(shared): State<Shared>,
    Ids((org, app, id)): Ids<DeltaPath>,
    Body(env): Body<EnvId>,
) -> Answer {
    call_or_text(StatusCode::NO_CONTENT, move || shared.orchestrator.retarget_delta(&org, &app, &id, &env)).await
}

async fn rename_delta(
    State(shared): State<Shared>,
    Ids((org, app, id)): Ids<DeltaPath>,
    Body(name): Body<String>,
) -> Answer {
    call_or_text(StatusCode::NO_CONTENT, move || shared.orchestrator.rename_delta(&org, &app, &id, &name)).await
}

async fn list_sets(State(shared): State<Shared>, Ids((org, app)): Ids<(OrgId, AppId)>) -> Answer {
    call_or_text(StatusCode::OK, move || shared.orchestrator.sets(&org, &app)).await
}

type SetPath = (OrgId, AppId, SetId);

#[derive(Deserialize)]
struct SetDiff {
    /// The set to compare with.
    diff: Option<SetId>,
}

async fn get_set(
    State(shared): State<Shared>,
    Ids((org, app, id)): Ids<SetPath>,
    Parameters(parameters): Parameters<SetDiff>,
) -> Answer {
    match parameters.diff {
        None => call_or_text(StatusCode::OK, move || shared.orchestrator.set(&org, &app, &id)).await,
        Some(source) => {
            call_or_text(StatusCode::OK, move || shared.orchestrator.set_diff(&org, &app, &id, &source)).await
        }
    }
}

async fn set_diff(
    State(shared): State<Shared>,
    Ids((org, app, id, source)): Ids<(OrgId, AppId, SetId, SetId)>,
) -> Answer {
    call_or_text(StatusCode::OK, move || shared.orchestrator.set_diff(&org, &app, &id, &source)).await
}

async fn extend_set(
    State(shared): State<Shared>,
    Ids((org, app, id)): Ids<SetPath>,
    Body(body): Body<DeltaRequest>,
) -> Answer {
    call_or_text(StatusCode::OK, move || shared.orchestrator.extend_set(&org, &app, &id, &body)).await
}

async fn set_resources(State(shared): State<Shared>, Ids((org, app, id)): Ids<SetPath>) -> Answer {
    call_or_text(StatusCode::OK, move || shared.orchestrator.set_resources(&org, &app, &id)).await
}

#[derive(Deserialize)]
struct DeploymentFilter {
    /// `PIPELINE,RUN`.
    #[serde(rename = "pipelineRunId")]
    run: Option<String>,
}

async fn list_deploys(
    State(shared): State<Shared>,
    Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>,
    Parameters(filter): Parameters<DeploymentFilter>,
) -> Answer {
    let run = filter.run.map(|run| match run.split_once(',') {
        Some((pipeline, run)) => Ok((pipeline.to_owned(), run.to_owned())),
        None => {
            Err(ApiError::new(StatusCode::BAD_REQUEST, "pipelineRunId is a pipeline and a run, as in `PIPELINE,RUN`"))
        }
    });
    let run = run.transpose()?;
    call(StatusCode::OK, move || {
        let run = run.as_ref().map(|(pipeline, run)| (pipeline.as_str(), run.as_str()));
        shared.orchestrator.deployments(&org, &app, &env, run)
    })
    .await
}

async fn create_deploy(
    State(shared): State<Shared>,
    Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>,
    Body(body): Body<DeploymentRequest>,
) -> Answer {
    call(StatusCode::CREATED, move || shared.orchestrator.deploy(&org, &app, &env, &body)).await
}

type DeploymentPath = (OrgId, AppId, EnvId, DeploymentId);

async fn get_deploy(State(shared): State<Shared>, Ids((org, app, env, id)): Ids<DeploymentPath>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.deployment(&org, &app, &env, &id)).await
}

async fn deploy_errors(State(shared): State<Shared>, Ids((org, app, env, id)): Ids<DeploymentPath>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.deployment_errors(&org, &app, &env, &id)).await
}

async fn no_pipelines() -> ApiError {
    ApiError::new(StatusCode::NOT_IMPLEMENTED, "pipeline runs are not supported by the embedded Orchestrator")
}
