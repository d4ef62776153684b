//! Organizations, Environment Types, Resource Types, Drivers, Applications,
//! Environments.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, put};
use humctl_api_types::application::{CreateApplication, EnvironmentType, UpdateDescription, UpdateName};
use humctl_api_types::driver::{CreateDriver, UpdateDriver};
use humctl_api_types::environment::CreateEnvironment;
use humctl_api_types::id::{AppId, DeploymentId, DriverId, EnvId, EnvTypeId, OrgId, ResourceType};
use humctl_api_types::resource_type::ResourceTypeInfo;
use serde_json::{Map, Value};

use crate::decode;
use crate::router::Shared;
use crate::router::answer::{Answer, ApiError, Body, Ids, call, run};
use crate::router::not_supported::not_supported;

/// The paths of what holds everything else.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/current-user", get(current_user).patch(not_supported))
        .route("/orgs", get(list_orgs))
        .route("/orgs/{org}", get(get_org))
        .route("/orgs/{org}/env-types", get(list_env_types).post(create_env_type))
        .route("/orgs/{org}/env-types/{id}", get(get_env_type).patch(patch_env_type).delete(delete_env_type))
        .route("/orgs/{org}/resources/types", get(list_types).post(create_type))
        .route("/orgs/{org}/resources/types/{id}", put(put_type).patch(patch_type).delete(delete_type))
        .route("/orgs/{org}/resources/drivers", get(list_drivers).post(create_driver))
        .route("/orgs/{org}/resources/drivers/{id}", get(get_driver).put(put_driver).delete(delete_driver))
        .route("/orgs/{org}/apps", get(list_apps).post(create_app))
        .route("/orgs/{org}/apps/{app}", get(get_app).patch(patch_app).delete(delete_app))
        .route("/orgs/{org}/apps/{app}/envs", get(list_envs).post(create_env))
        .route("/orgs/{org}/apps/{app}/envs/{env}", get(get_env).patch(patch_env).delete(delete_env))
        .route("/orgs/{org}/apps/{app}/envs/{env}/from_deploy_id", put(rebase_env))
}

async fn current_user(State(shared): State<Shared>) -> Answer {
    call(StatusCode::OK, move || Ok(shared.orchestrator.current_user())).await
}

async fn list_orgs(State(shared): State<Shared>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.organizations(shared.default_org.as_ref())).await
}

async fn get_org(State(shared): State<Shared>, Ids(org): Ids<OrgId>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.organization(&org)).await
}

async fn list_env_types(State(shared): State<Shared>, Ids(org): Ids<OrgId>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.environment_types(&org)).await
}

async fn create_env_type(
    State(shared): State<Shared>,
    Ids(org): Ids<OrgId>,
    Body(body): Body<EnvironmentType>,
) -> Answer {
    call(StatusCode::CREATED, move || shared.orchestrator.create_environment_type(&org, body)).await
}

async fn get_env_type(State(shared): State<Shared>, Ids((org, id)): Ids<(OrgId, EnvTypeId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.environment_type(&org, &id)).await
}

async fn patch_env_type(
    State(shared): State<Shared>,
    Ids((org, id)): Ids<(OrgId, EnvTypeId)>,
    Body(body): Body<UpdateDescription>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.describe_environment_type(&org, &id, body.description)).await
}

async fn delete_env_type(State(shared): State<Shared>, Ids((org, id)): Ids<(OrgId, EnvTypeId)>) -> Answer {
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.delete_environment_type(&org, &id)).await
}

async fn list_types(State(shared): State<Shared>, Ids(org): Ids<OrgId>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.resource_types(&org)).await
}

async fn create_type(State(shared): State<Shared>, Ids(org): Ids<OrgId>, Body(body): Body<ResourceTypeInfo>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.put_resource_type(&org, body, false)).await
}

async fn put_type(
    State(shared): State<Shared>,
    Ids((org, id)): Ids<(OrgId, ResourceType)>,
    Body(fields): Body<Map<String, Value>>,
) -> Answer {
    let body = typed(&id, fields)?;
    call(StatusCode::OK, move || shared.orchestrator.put_resource_type(&org, body, true)).await
}

async fn patch_type(
    State(shared): State<Shared>,
    Ids((org, id)): Ids<(OrgId, ResourceType)>,
    Body(fields): Body<Map<String, Value>>,
) -> Answer {
    let (orchestrator, place, wanted) = (shared.orchestrator.clone(), org.clone(), id.clone());
    let current = run(move || orchestrator.custom_resource_type(&place, wanted.as_str())).await?;
    let mut merged = crate::json::to_object(&current);
    merged.extend(fields);
    let body = typed(&id, merged)?;
    call(StatusCode::OK, move || shared.orchestrator.put_resource_type(&org, body, true)).await
}

/// The body of a change, which does not say the type's own name.
fn typed(id: &ResourceType, mut fields: Map<String, Value>) -> Result<ResourceTypeInfo, ApiError> {
    fields.insert("type".to_owned(), id.as_str().into());
    decode::tolerant(&Value::Object(fields))
        .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, format!("the body does not fit: {error}")))
}

async fn delete_type(State(shared): State<Shared>, Ids((org, id)): Ids<(OrgId, ResourceType)>) -> Answer {
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.delete_resource_type(&org, id.as_str())).await
}

async fn list_drivers(State(shared): State<Shared>, Ids(org): Ids<OrgId>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.drivers(&org)).await
}

async fn create_driver(State(shared): State<Shared>, Ids(org): Ids<OrgId>, Body(body): Body<CreateDriver>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.create_driver(&org, body)).await
}

async fn get_driver(State(shared): State<Shared>, Ids((org, id)): Ids<(OrgId, String)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.driver(&org, &id)).await
}

async fn put_driver(
    State(shared): State<Shared>,
    Ids((org, id)): Ids<(OrgId, DriverId)>,
    Body(body): Body<UpdateDriver>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.update_driver(&org, &id, body)).await
}

async fn delete_driver(State(shared): State<Shared>, Ids((org, id)): Ids<(OrgId, DriverId)>) -> Answer {
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.delete_driver(&org, &id)).await
}

async fn list_apps(State(shared): State<Shared>, Ids(org): Ids<OrgId>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.applications(&org)).await
}

async fn create_app(State(shared): State<Shared>, Ids(org): Ids<OrgId>, Body(body): Body<CreateApplication>) -> Answer {
    call(StatusCode::CREATED, move || shared.orchestrator.create_application(&org, body)).await
}

async fn get_app(State(shared): State<Shared>, Ids((org, app)): Ids<(OrgId, AppId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.application(&org, &app)).await
}

async fn patch_app(
    State(shared): State<Shared>,
    Ids((org, app)): Ids<(OrgId, AppId)>,
    Body(body): Body<UpdateName>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.rename_application(&org, &app, body.name)).await
}

async fn delete_app(State(shared): State<Shared>, Ids((org, app)): Ids<(OrgId, AppId)>) -> Answer {
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.delete_application(&org, &app)).await
}

async fn list_envs(State(shared): State<Shared>, Ids((org, app)): Ids<(OrgId, AppId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.environments(&org, &app)).await
}

async fn create_env(
    State(shared): State<Shared>,
    Ids((org, app)): Ids<(OrgId, AppId)>,
    Body(body): Body<CreateEnvironment>,
) -> Answer {
    call(StatusCode::CREATED, move || shared.orchestrator.create_environment(&org, &app, body)).await
}

async fn get_env(State(shared): State<Shared>, Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.environment(&org, &app, &env)).await
}

async fn patch_env(
    State(shared): State<Shared>,
    Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>,
    Body(body): Body<UpdateName>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.rename_environment(&org, &app, &env, body.name)).await
}

async fn delete_env(State(shared): State<Shared>, Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>) -> Answer {
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.delete_environment(&org, &app, &env)).await
}

async fn rebase_env(
    State(shared): State<Shared>,
    Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>,
    Body(from): Body<DeploymentId>,
) -> Answer {
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.rebase_environment(&org, &app, &env, &from)).await
}
