//! Shared Values of Applications and Environments, and their versions. The
//! paths of the two levels differ by `/envs/{env}` alone.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use humctl_api_types::id::{AppId, EnvId, OrgId, ValueKey, ValueSetVersionId};
use humctl_api_types::value::{CreateValue, PatchValue, UpdateValue, ValueSetAction};
use serde::Deserialize;

use crate::orchestrator::ValueScope;
use crate::router::Shared;
use crate::router::answer::{Answer, Body, Ids, Parameters, call};

/// The paths of Shared Values below an Application or an Environment.
pub(super) fn routes(level: &str) -> Router<Shared> {
    let at = |rest: &str| format!("{level}{rest}");
    Router::new()
        .route(&at("/values"), get(list).post(create).delete(delete_all))
        .route(&at("/values/{key}"), put(update).patch(patch).delete(delete))
        .route(&at("/value-set-versions"), get(versions))
        .route(&at("/value-set-versions/{version}"), get(version))
        .route(&at("/value-set-versions/{version}/restore"), post(restore))
        .route(&at("/value-set-versions/{version}/restore/{key}"), post(restore))
        .route(&at("/value-set-versions/{version}/purge/{key}"), post(purge))
}

/// The level in a path.
#[derive(Deserialize)]
struct LevelPath {
    org: OrgId,
    app: AppId,
    env: Option<EnvId>,
}

impl LevelPath {
    fn scope(&self) -> ValueScope<'_> {
        ValueScope { org: &self.org, app: &self.app, env: self.env.as_ref() }
    }
}

/// A Shared Value in a path.
#[derive(Deserialize)]
struct ValuePath {
    org: OrgId,
    app: AppId,
    env: Option<EnvId>,
    key: ValueKey,
}

impl ValuePath {
    fn scope(&self) -> ValueScope<'_> {
        ValueScope { org: &self.org, app: &self.app, env: self.env.as_ref() }
    }
}

/// A value set version in a path, perhaps with a key of it.
#[derive(Deserialize)]
struct VersionPath {
    org: OrgId,
    app: AppId,
    env: Option<EnvId>,
    version: ValueSetVersionId,
    key: Option<ValueKey>,
}

impl VersionPath {
    fn scope(&self) -> ValueScope<'_> {
        ValueScope { org: &self.org, app: &self.app, env: self.env.as_ref() }
    }
}

async fn list(State(shared): State<Shared>, Ids(path): Ids<LevelPath>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.values(path.scope())).await
}

async fn create(State(shared): State<Shared>, Ids(path): Ids<LevelPath>, Body(body): Body<CreateValue>) -> Answer {
    call(StatusCode::CREATED, move || shared.orchestrator.create_value(path.scope(), &body)).await
}

async fn delete_all(State(shared): State<Shared>, Ids(path): Ids<LevelPath>) -> Answer {
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.delete_values(path.scope())).await
}

async fn update(State(shared): State<Shared>, Ids(path): Ids<ValuePath>, Body(body): Body<UpdateValue>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.update_value(path.scope(), &path.key, &body)).await
}

async fn patch(State(shared): State<Shared>, Ids(path): Ids<ValuePath>, Body(body): Body<PatchValue>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.patch_value(path.scope(), &path.key, &body)).await
}

async fn delete(State(shared): State<Shared>, Ids(path): Ids<ValuePath>) -> Answer {
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.delete_value(path.scope(), &path.key)).await
}

#[derive(Deserialize)]
struct VersionFilter {
    key_changed: Option<String>,
}

async fn versions(
    State(shared): State<Shared>,
    Ids(path): Ids<LevelPath>,
    Parameters(filter): Parameters<VersionFilter>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.value_set_versions(path.scope(), filter.key_changed.as_deref()))
        .await
}

async fn version(State(shared): State<Shared>, Ids(path): Ids<VersionPath>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.value_set_version(path.scope(), &path.version)).await
}

/// With a key in the path that one value, else all.
async fn restore(
    State(shared): State<Shared>,
    Ids(path): Ids<VersionPath>,
    Body(body): Body<ValueSetAction>,
) -> Answer {
    call(StatusCode::OK, move || {
        let comment = body.comment.unwrap_or_default();
        shared.orchestrator.restore_values(path.scope(), &path.version, path.key.as_ref(), &comment)
    })
    .await
}

/// The path of a purge.
#[derive(Deserialize)]
struct PurgePath {
    org: OrgId,
    app: AppId,
    env: Option<EnvId>,
    version: ValueSetVersionId,
    key: ValueKey,
}

async fn purge(State(shared): State<Shared>, Ids(path): Ids<PurgePath>, Body(body): Body<ValueSetAction>) -> Answer {
    call(StatusCode::NO_CONTENT, move || {
        let scope = ValueScope { org: &path.org, app: &path.app, env: path.env.as_ref() };
        let comment = body.comment.unwrap_or_default();
        shared.orchestrator.purge_value(scope, &path.version, &path.key, &comment)
    })
    .await
}
