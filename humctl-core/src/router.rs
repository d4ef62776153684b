//! The Humanitec REST API over [`Orchestrator`] methods.
//!
//! A thin adapter: it reads paths and bodies, calls one method, and writes the
//! status and body that the official document names. The same router serves
//! the command line in process and, later, a listener. Orchestrator methods
//! block on files and Git, so handlers hand them to a blocking thread.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use humctl_api_types::application::{CreateApplication, EnvironmentType, UpdateDescription, UpdateName};
use humctl_api_types::definition::{CreateDefinition, MatchingCriteriaRule, ResourceDefinition, UpdateDefinition};
use humctl_api_types::delta::DeltaRequest;
use humctl_api_types::deployment::{ConvertScore, DeploymentRequest};
use humctl_api_types::environment::CreateEnvironment;
use humctl_api_types::error::ErrorBody;
use humctl_api_types::id::{AppId, DefinitionId, DeltaId, DeploymentId, EnvId, EnvTypeId, OrgId, ResourceType, SetId};
use humctl_api_types::resource_type::ResourceTypeInfo;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::orchestrator::{Orchestrator, OrchestratorError};
use crate::{decode, score};

/// Largest body that is read.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// What every handler shares.
#[derive(Clone)]
struct Shared {
    orchestrator: Orchestrator,
    /// The Organization of the caller's context, listed even before it is written to.
    default_org: Option<OrgId>,
}

/// Builds the router of an Orchestrator.
pub fn router(orchestrator: Orchestrator, default_org: Option<OrgId>) -> Router {
    const ENV: &str = "/orgs/{org}/apps/{app}/envs/{env}";
    let env = |rest: &str| format!("{ENV}{rest}");
    Router::new()
        .route("/current-user", get(current_user))
        .route("/orgs", get(list_orgs))
        .route("/orgs/{org}", get(get_org))
        .route("/orgs/{org}/env-types", get(list_env_types).post(create_env_type))
        .route("/orgs/{org}/env-types/{id}", get(get_env_type).patch(patch_env_type).delete(delete_env_type))
        .route("/orgs/{org}/resources/types", get(list_types).post(create_type))
        .route("/orgs/{org}/resources/types/{id}", put(put_type).delete(delete_type))
        .route("/orgs/{org}/resources/drivers", get(list_drivers))
        .route("/orgs/{org}/resources/drivers/{id}", get(get_driver))
        .route("/orgs/{org}/resources/defs", get(list_definitions).post(create_definition))
        .route("/orgs/{org}/resources/defs/{id}", get(get_definition).put(put_definition).delete(delete_definition))
        .route("/orgs/{org}/resources/defs/{id}/resources", get(resources_of_definition))
        .route("/orgs/{org}/resources/defs/{id}/criteria", put(put_criteria).post(post_criteria))
        .route("/orgs/{org}/resources/defs/{id}/criteria/{rule}", delete(delete_criteria))
        .route("/orgs/{org}/artefact-versions/convert-score", post(convert_score))
        .route("/orgs/{org}/apps", get(list_apps).post(create_app))
        .route("/orgs/{org}/apps/{app}", get(get_app).patch(patch_app).delete(delete_app))
        .route("/orgs/{org}/apps/{app}/deltas", get(list_deltas).post(create_delta))
        .route("/orgs/{org}/apps/{app}/deltas/{id}", get(get_delta))
        .route("/orgs/{org}/apps/{app}/sets", get(list_sets))
        .route("/orgs/{org}/apps/{app}/sets/{id}", get(get_set))
        .route("/orgs/{org}/apps/{app}/pipeline-runs", post(no_pipelines))
        .route("/orgs/{org}/apps/{app}/envs", get(list_envs).post(create_env))
        .route(ENV, get(get_env).patch(patch_env).delete(delete_env))
        .route(&env("/deploys"), get(list_deploys).post(create_deploy))
        .route(&env("/deploys/{id}"), get(get_deploy))
        .route(&env("/deploys/{id}/errors"), get(deploy_errors))
        .route(&env("/resources"), get(active_resources))
        .route(&env("/resources/graphs/{id}"), get(get_graph))
        .route(&env("/runtime"), get(no_runtime))
        .route(&env("/runtime/paused"), put(no_control).get(no_runtime))
        .route(&env("/runtime/replicas"), axum::routing::patch(no_control))
        .route(&env("/logs"), get(no_runtime))
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .with_state(Shared { orchestrator, default_org })
}

// --- Requests and answers ------------------------------------------------------

/// A failure on its way out.
struct ApiError {
    status: StatusCode,
    body: Value,
}

type Answer = Result<Response, ApiError>;

impl From<OrchestratorError> for ApiError {
    fn from(error: OrchestratorError) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, body: error.body() }
    }
}

impl ApiError {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let error = format!("API-{}", status.as_u16());
        Self { status, body: crate::json::to_value(&ErrorBody { error, message: message.into(), details: None }) }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        json_response(self.status, &self.body)
    }
}

fn json_response<T: Serialize>(status: StatusCode, body: &T) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], crate::json::to_value(body).to_string()).into_response()
}

/// Ids from the path, checked.
struct Ids<T>(T);

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
struct Parameters<T>(T);

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
struct Body<T>(T);

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

/// Runs an Orchestrator method on a blocking thread and answers with its result.
async fn call<T, F>(status: StatusCode, method: F) -> Answer
where
    T: Serialize + Send + 'static,
    F: FnOnce() -> Result<T, OrchestratorError> + Send + 'static,
{
    match tokio::task::spawn_blocking(method).await {
        Ok(Ok(body)) if status == StatusCode::NO_CONTENT => {
            drop(body);
            Ok(status.into_response())
        }
        Ok(Ok(body)) => Ok(json_response(status, &body)),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "the request ended unexpectedly")),
    }
}

async fn unknown_path() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "there is no such path in this API")
}

async fn unknown_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take this method")
}

async fn no_pipelines() -> ApiError {
    ApiError::new(StatusCode::NOT_IMPLEMENTED, "pipeline runs are not supported by the embedded Orchestrator")
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

// --- Handlers --------------------------------------------------------------------

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
    Body(body): Body<ResourceTypeInfo>,
) -> Answer {
    let body = ResourceTypeInfo { res_type: id, ..body };
    call(StatusCode::OK, move || shared.orchestrator.put_resource_type(&org, body, true)).await
}

async fn delete_type(State(shared): State<Shared>, Ids((org, id)): Ids<(OrgId, ResourceType)>) -> Answer {
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.delete_resource_type(&org, id.as_str())).await
}

async fn list_drivers(State(shared): State<Shared>, Ids(_): Ids<OrgId>) -> Answer {
    call(StatusCode::OK, move || Ok(shared.orchestrator.drivers())).await
}

async fn get_driver(State(shared): State<Shared>, Ids((_, id)): Ids<(OrgId, String)>) -> Answer {
    call(StatusCode::OK, move || {
        let mut drivers = shared.orchestrator.drivers().into_iter();
        drivers.find(|driver| driver.id == id).ok_or(OrchestratorError::NotFound { what: "driver", id })
    })
    .await
}

/// Filters of `GET …/resources/defs`: a Definition is listed unless it cannot
/// match what they name.
#[derive(Deserialize)]
struct DefinitionFilter {
    app: Option<String>,
    env: Option<String>,
    env_type: Option<String>,
    res: Option<String>,
    res_type: Option<String>,
    class: Option<String>,
}

impl DefinitionFilter {
    fn takes(&self, definition: &ResourceDefinition) -> bool {
        let fits = |filter: &Option<String>, rule: Option<&str>| match (filter, rule) {
            (Some(filter), Some(rule)) => filter == rule,
            _ => true,
        };
        let names_a_rule = [&self.app, &self.env, &self.env_type, &self.res, &self.class].iter().any(|f| f.is_some());
        self.res_type.as_ref().is_none_or(|res_type| res_type == definition.res_type.as_str())
            && (!names_a_rule
                || definition.criteria.iter().any(|rule| {
                    fits(&self.app, rule.app_id.as_ref().map(AppId::as_str))
                        && fits(&self.env, rule.env_id.as_ref().map(EnvId::as_str))
                        && fits(&self.env_type, rule.env_type.as_ref().map(EnvTypeId::as_str))
                        && fits(&self.res, rule.res_id.as_ref().map(AsRef::as_ref))
                        && fits(&self.class, Some(rule.class.as_str()))
                }))
    }
}

async fn list_definitions(
    State(shared): State<Shared>,
    Ids(org): Ids<OrgId>,
    Parameters(filter): Parameters<DefinitionFilter>,
) -> Answer {
    call(StatusCode::OK, move || {
        let mut definitions = shared.orchestrator.definitions(&org)?;
        definitions.retain(|definition| filter.takes(definition));
        Ok(definitions)
    })
    .await
}

async fn create_definition(
    State(shared): State<Shared>,
    Ids(org): Ids<OrgId>,
    Body(body): Body<CreateDefinition>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.create_definition(&org, &body)).await
}

async fn get_definition(State(shared): State<Shared>, Ids((org, id)): Ids<(OrgId, DefinitionId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.definition(&org, &id)).await
}

async fn put_definition(
    State(shared): State<Shared>,
    Ids((org, id)): Ids<(OrgId, DefinitionId)>,
    Body(body): Body<UpdateDefinition>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.update_definition(&org, &id, &body)).await
}

#[derive(Deserialize)]
struct DeleteDefinition {
    #[serde(default)]
    force: bool,
}

async fn delete_definition(
    State(shared): State<Shared>,
    Ids((org, id)): Ids<(OrgId, DefinitionId)>,
    Parameters(parameters): Parameters<DeleteDefinition>,
) -> Answer {
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.delete_definition(&org, &id, parameters.force)).await
}

async fn resources_of_definition(State(shared): State<Shared>, Ids((org, id)): Ids<(OrgId, DefinitionId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.resources_of_definition(&org, &id)).await
}

async fn put_criteria(
    State(shared): State<Shared>,
    Ids((org, id)): Ids<(OrgId, DefinitionId)>,
    Body(body): Body<Vec<MatchingCriteriaRule>>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.replace_criteria(&org, &id, &body)).await
}

async fn post_criteria(
    State(shared): State<Shared>,
    Ids((org, id)): Ids<(OrgId, DefinitionId)>,
    Body(body): Body<MatchingCriteriaRule>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.add_criteria(&org, &id, &body)).await
}

async fn delete_criteria(
    State(shared): State<Shared>,
    Ids((org, id, rule)): Ids<(OrgId, DefinitionId, String)>,
) -> Answer {
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.delete_criteria(&org, &id, &rule)).await
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

#[derive(Deserialize)]
struct DeltaFilter {
    env: Option<EnvId>,
}

async fn list_deltas(
    State(shared): State<Shared>,
    Ids((org, app)): Ids<(OrgId, AppId)>,
    Parameters(filter): Parameters<DeltaFilter>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.deltas(&org, &app, filter.env.as_ref())).await
}

async fn create_delta(
    State(shared): State<Shared>,
    Ids((org, app)): Ids<(OrgId, AppId)>,
    Body(body): Body<DeltaRequest>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.create_delta(&org, &app, body)).await
}

async fn get_delta(State(shared): State<Shared>, Ids((org, app, id)): Ids<(OrgId, AppId, DeltaId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.delta(&org, &app, &id)).await
}

async fn list_sets(State(shared): State<Shared>, Ids((org, app)): Ids<(OrgId, AppId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.sets(&org, &app)).await
}

async fn get_set(State(shared): State<Shared>, Ids((org, app, id)): Ids<(OrgId, AppId, SetId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.set(&org, &app, &id)).await
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

async fn list_deploys(State(shared): State<Shared>, Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.deployments(&org, &app, &env)).await
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

async fn active_resources(State(shared): State<Shared>, Ids((org, app, env)): Ids<(OrgId, AppId, EnvId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.active_resources(&org, &app, &env)).await
}

async fn get_graph(
    State(shared): State<Shared>,
    Ids((org, app, env, id)): Ids<(OrgId, AppId, EnvId, String)>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.graph(&org, &app, &env, &id)).await
}
