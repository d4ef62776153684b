//! Typed endpoints: which request asks for which answer.
//!
//! A [`Call`] is data; a client sends it over whatever transport it has. Paths
//! are relative to the API's prefix and have their segments percent-encoded.

use std::marker::PhantomData;

use serde::Serialize;
use serde_json::Value;

use crate::application::{Application, CreateApplication, EnvironmentType};
use crate::definition::{
    CreateDefinition, DefinitionVersion, MatchingCriteria, MatchingCriteriaRule, ResourceDefinition, UpdateDefinition,
};
use crate::delta::{Delta, DeltaRequest, PlainDelta};
use crate::deployment::{
    BatchAnswer, BatchRequest, ConvertScore, Deployment, DeploymentError, DeploymentPlan, DeploymentRequest,
    PlanRequest, SyncTarget, TargetCheck,
};
use crate::driver::{CreateDriver, DriverInfo, UpdateDriver};
use crate::environment::{CreateEnvironment, Environment};
use crate::id::{
    AppId, DefinitionId, DeltaId, DeploymentId, DriverId, EnvId, EnvTypeId, OrgId, ResourceType, SetId, ValueKey,
};
use crate::plain::SecretStoreInfo;
use crate::resource::{ActiveResource, ResourceGraph};
use crate::resource_type::ResourceTypeInfo;
use crate::set::{DeploymentSet, SetResponse};
use crate::user::CurrentUser;
use crate::value::{CreateValue, SharedValue, UpdateValue};

/// Method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the five words of HTTP")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request whose answer is an `R`.
#[derive(Debug, Clone)]
pub struct Call<R> {
    /// Method.
    pub method: Method,
    /// Path and query, segments encoded.
    pub path: String,
    /// JSON body.
    pub body: Option<Value>,
    /// By this a server knows the request again when it comes twice.
    pub idempotency_key: Option<String>,
    answer: PhantomData<fn() -> R>,
}

impl<R> Call<R> {
    pub(crate) fn new(method: Method, path: String) -> Self {
        Self { method, path, body: None, idempotency_key: None, answer: PhantomData }
    }

    pub(crate) fn with_body(mut self, body: &impl Serialize) -> Self {
        // The bodies are our own types with string keys, which always serialize.
        self.body = serde_json::to_value(body).ok();
        self
    }
}

/// Encodes one path segment: everything but unreserved characters.
#[must_use]
pub fn encode_segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `/orgs/{org}`.
#[must_use]
pub fn org_path(org: &OrgId) -> String {
    format!("/orgs/{org}")
}

/// `/orgs/{org}/apps/{app}`.
#[must_use]
pub fn app_path(org: &OrgId, app: &AppId) -> String {
    format!("/orgs/{org}/apps/{app}")
}

/// `/orgs/{org}/apps/{app}/envs/{env}`.
#[must_use]
pub fn env_path(org: &OrgId, app: &AppId, env: &EnvId) -> String {
    format!("/orgs/{org}/apps/{app}/envs/{env}")
}

/// Asks who the token belongs to.
#[must_use]
pub fn current_user() -> Call<CurrentUser> {
    Call::new(Method::Get, "/current-user".to_owned())
}

/// Makes an Application.
#[must_use]
pub fn create_application(org: &OrgId, body: &CreateApplication) -> Call<Application> {
    Call::new(Method::Post, format!("{}/apps", org_path(org))).with_body(body)
}

/// Lists the Applications.
#[must_use]
pub fn applications(org: &OrgId) -> Call<Vec<Application>> {
    Call::new(Method::Get, format!("{}/apps", org_path(org)))
}

/// Asks for an Application.
#[must_use]
pub fn application(org: &OrgId, app: &AppId) -> Call<Application> {
    Call::new(Method::Get, app_path(org, app))
}

/// Renames an Application.
#[must_use]
pub fn rename_application(org: &OrgId, app: &AppId, name: &str) -> Call<Application> {
    Call::new(Method::Patch, app_path(org, app)).with_body(&serde_json::json!({ "name": name }))
}

/// Makes an Environment.
#[must_use]
pub fn create_environment(org: &OrgId, app: &AppId, body: &CreateEnvironment) -> Call<Environment> {
    Call::new(Method::Post, format!("{}/envs", app_path(org, app))).with_body(body)
}

/// Asks for an Environment.
#[must_use]
pub fn environment(org: &OrgId, app: &AppId, env: &EnvId) -> Call<Environment> {
    Call::new(Method::Get, env_path(org, app, env))
}

/// Renames an Environment.
#[must_use]
pub fn rename_environment(org: &OrgId, app: &AppId, env: &EnvId, name: &str) -> Call<Environment> {
    Call::new(Method::Patch, env_path(org, app, env)).with_body(&serde_json::json!({ "name": name }))
}

/// Asks for an Environment Type.
#[must_use]
pub fn environment_type(org: &OrgId, id: &EnvTypeId) -> Call<EnvironmentType> {
    Call::new(Method::Get, format!("{}/env-types/{id}", org_path(org)))
}

/// Makes an Environment Type.
#[must_use]
pub fn create_environment_type(org: &OrgId, body: &EnvironmentType) -> Call<EnvironmentType> {
    Call::new(Method::Post, format!("{}/env-types", org_path(org))).with_body(body)
}

/// Changes the description of an Environment Type.
#[must_use]
pub fn describe_environment_type(org: &OrgId, body: &EnvironmentType) -> Call<EnvironmentType> {
    Call::new(Method::Patch, format!("{}/env-types/{}", org_path(org), body.id))
        .with_body(&serde_json::json!({ "description": body.description }))
}

/// Lists the Resource Definitions.
#[must_use]
pub fn definitions(org: &OrgId) -> Call<Vec<ResourceDefinition>> {
    Call::new(Method::Get, format!("{}/resources/defs", org_path(org)))
}

/// Lists the secret stores.
#[must_use]
pub fn secret_stores(org: &OrgId) -> Call<Vec<SecretStoreInfo>> {
    Call::new(Method::Get, format!("{}/secretstores", org_path(org)))
}

/// Asks for a Resource Definition.
#[must_use]
pub fn definition(org: &OrgId, id: &DefinitionId) -> Call<ResourceDefinition> {
    Call::new(Method::Get, format!("{}/resources/defs/{id}", org_path(org)))
}

/// Asks for a version of a Resource Definition.
#[must_use]
pub fn definition_version(org: &OrgId, id: &DefinitionId, version: &str) -> Call<DefinitionVersion> {
    Call::new(Method::Get, format!("{}/resources/defs/{id}/versions/{}", org_path(org), encode_segment(version)))
}

/// Makes a Resource Definition.
#[must_use]
pub fn create_definition(org: &OrgId, body: &CreateDefinition) -> Call<ResourceDefinition> {
    Call::new(Method::Post, format!("{}/resources/defs", org_path(org))).with_body(body)
}

/// Replaces a Resource Definition.
#[must_use]
pub fn update_definition(org: &OrgId, id: &DefinitionId, body: &UpdateDefinition) -> Call<ResourceDefinition> {
    Call::new(Method::Put, format!("{}/resources/defs/{id}", org_path(org))).with_body(body)
}

/// Replaces all Matching Criteria of a Resource Definition.
#[must_use]
pub fn replace_criteria(org: &OrgId, id: &DefinitionId, rules: &[MatchingCriteriaRule]) -> Call<Vec<MatchingCriteria>> {
    Call::new(Method::Put, format!("{}/resources/defs/{id}/criteria", org_path(org))).with_body(&rules)
}

/// Adds a rule to a Resource Definition.
#[must_use]
pub fn add_criteria(org: &OrgId, id: &DefinitionId, rule: &MatchingCriteriaRule) -> Call<MatchingCriteria> {
    Call::new(Method::Post, format!("{}/resources/defs/{id}/criteria", org_path(org))).with_body(rule)
}

/// Lists the Resource Types.
#[must_use]
pub fn resource_types(org: &OrgId) -> Call<Vec<ResourceTypeInfo>> {
    Call::new(Method::Get, format!("{}/resources/types", org_path(org)))
}

/// Makes a custom Resource Type.
#[must_use]
pub fn create_resource_type(org: &OrgId, body: &ResourceTypeInfo) -> Call<ResourceTypeInfo> {
    Call::new(Method::Post, format!("{}/resources/types", org_path(org))).with_body(body)
}

/// Replaces a custom Resource Type.
#[must_use]
pub fn update_resource_type(org: &OrgId, id: &ResourceType, body: &ResourceTypeInfo) -> Call<ResourceTypeInfo> {
    Call::new(Method::Put, format!("{}/resources/types/{}", org_path(org), encode_segment(id.as_str()))).with_body(body)
}

/// Lists the Drivers.
#[must_use]
pub fn drivers(org: &OrgId) -> Call<Vec<DriverInfo>> {
    Call::new(Method::Get, format!("{}/resources/drivers", org_path(org)))
}

/// Reads one Driver of the Organization, or one that it may use.
#[must_use]
pub fn driver(org: &OrgId, id: &DriverId) -> Call<DriverInfo> {
    Call::new(Method::Get, format!("{}/resources/drivers/{id}", org_path(org)))
}

/// Registers a Driver.
#[must_use]
pub fn create_driver(org: &OrgId, body: &CreateDriver) -> Call<DriverInfo> {
    Call::new(Method::Post, format!("{}/resources/drivers", org_path(org))).with_body(body)
}

/// Replaces a registered Driver.
#[must_use]
pub fn update_driver(org: &OrgId, id: &DriverId, body: &UpdateDriver) -> Call<DriverInfo> {
    Call::new(Method::Put, format!("{}/resources/drivers/{id}", org_path(org))).with_body(body)
}

/// Converts a Score file to a Deployment Set.
#[must_use]
pub fn convert_score(org: &OrgId, body: &ConvertScore) -> Call<DeploymentSet> {
    Call::new(Method::Post, format!("{}/artefact-versions/convert-score", org_path(org))).with_body(body)
}

/// Makes a Delta.
#[must_use]
pub fn create_delta(org: &OrgId, app: &AppId, body: &DeltaRequest) -> Call<Delta> {
    Call::new(Method::Post, format!("{}/deltas", app_path(org, app))).with_body(body)
}

/// Asks for a Deployment Set.
#[must_use]
pub fn set(org: &OrgId, app: &AppId, id: &SetId) -> Call<SetResponse> {
    Call::new(Method::Get, format!("{}/sets/{id}", app_path(org, app)))
}

/// Asks for a Delta.
#[must_use]
pub fn delta(org: &OrgId, app: &AppId, id: &DeltaId) -> Call<Delta> {
    Call::new(Method::Get, format!("{}/deltas/{id}", app_path(org, app)))
}

/// Merges Deltas into one that is there.
#[must_use]
pub fn patch_delta(org: &OrgId, app: &AppId, id: &DeltaId, body: &[DeltaRequest]) -> Call<Delta> {
    Call::new(Method::Patch, format!("{}/deltas/{id}", app_path(org, app))).with_body(&body)
}

/// Replaces a Delta; the answer is empty.
#[must_use]
pub fn replace_delta(org: &OrgId, app: &AppId, id: &DeltaId, body: &DeltaRequest) -> Call<()> {
    Call::new(Method::Put, format!("{}/deltas/{id}", app_path(org, app))).with_body(body)
}

/// Asks for the Delta that turns the set `source` into the set `id`.
#[must_use]
pub fn set_diff(org: &OrgId, app: &AppId, id: &SetId, source: &SetId) -> Call<PlainDelta> {
    Call::new(Method::Get, format!("{}/sets/{id}/diff/{source}", app_path(org, app)))
}

/// The path of the Shared Values of an Application, or of one of its Environments.
#[must_use]
pub fn values_path(org: &OrgId, app: &AppId, env: Option<&EnvId>) -> String {
    match env {
        None => format!("{}/values", app_path(org, app)),
        Some(env) => format!("{}/values", env_path(org, app, env)),
    }
}

/// Lists Shared Values.
#[must_use]
pub fn values(org: &OrgId, app: &AppId, env: Option<&EnvId>) -> Call<Vec<SharedValue>> {
    Call::new(Method::Get, values_path(org, app, env))
}

/// Makes a Shared Value.
#[must_use]
pub fn create_value(org: &OrgId, app: &AppId, env: Option<&EnvId>, body: &CreateValue) -> Call<SharedValue> {
    Call::new(Method::Post, values_path(org, app, env)).with_body(body)
}

/// Changes a Shared Value.
#[must_use]
pub fn update_value(
    org: &OrgId,
    app: &AppId,
    env: Option<&EnvId>,
    key: &ValueKey,
    body: &UpdateValue,
) -> Call<SharedValue> {
    Call::new(Method::Put, format!("{}/{key}", values_path(org, app, env))).with_body(body)
}

/// Starts a Deployment.
#[must_use]
pub fn create_deployment(org: &OrgId, app: &AppId, env: &EnvId, body: &DeploymentRequest) -> Call<Deployment> {
    Call::new(Method::Post, format!("{}/deploys", env_path(org, app, env))).with_body(body)
}

/// Works out what a Deployment would change (an extension of ours).
#[must_use]
pub fn plan_deployment(org: &OrgId, app: &AppId, env: &EnvId, request: &PlanRequest) -> Call<DeploymentPlan> {
    Call::new(Method::Post, format!("{}/actions/plan", env_path(org, app, env))).with_body(request)
}

/// Deploys every Environment of an Application again (an extension of ours).
#[must_use]
pub fn deploy_environments(org: &OrgId, app: &AppId, request: &BatchRequest) -> Call<Vec<BatchAnswer>> {
    Call::new(Method::Post, format!("{}/actions/deploy-environments", app_path(org, app))).with_body(request)
}

/// As [`deploy_environments`], but nothing is deployed (an extension of ours).
#[must_use]
pub fn plan_environments(org: &OrgId, app: &AppId, request: &BatchRequest) -> Call<Vec<DeploymentPlan>> {
    Call::new(Method::Post, format!("{}/actions/plan-environments", app_path(org, app))).with_body(request)
}

/// Looks at the Git target of an Environment (an extension of ours).
#[must_use]
pub fn check_target(org: &OrgId, app: &AppId, env: &EnvId) -> Call<TargetCheck> {
    Call::new(Method::Post, format!("{}/actions/check-target", env_path(org, app, env)))
}

/// Asks where the files of an Environment are (an extension of ours).
#[must_use]
pub fn sync_target(org: &OrgId, app: &AppId, env: &EnvId) -> Call<SyncTarget> {
    Call::new(Method::Get, format!("{}/sync-target", env_path(org, app, env)))
}

/// Asks for a Deployment.
#[must_use]
pub fn deployment(org: &OrgId, app: &AppId, env: &EnvId, id: &DeploymentId) -> Call<Deployment> {
    Call::new(Method::Get, format!("{}/deploys/{id}", env_path(org, app, env)))
}

/// Lists the Deployments of an Environment, newest first.
#[must_use]
pub fn deployments(org: &OrgId, app: &AppId, env: &EnvId) -> Call<Vec<Deployment>> {
    Call::new(Method::Get, format!("{}/deploys", env_path(org, app, env)))
}

/// Lists the errors of a Deployment.
#[must_use]
pub fn deployment_errors(org: &OrgId, app: &AppId, env: &EnvId, id: &DeploymentId) -> Call<Vec<DeploymentError>> {
    Call::new(Method::Get, format!("{}/deploys/{id}/errors", env_path(org, app, env)))
}

/// Lists the Active Resources of an Environment.
#[must_use]
pub fn active_resources(org: &OrgId, app: &AppId, env: &EnvId) -> Call<Vec<ActiveResource>> {
    Call::new(Method::Get, format!("{}/resources", env_path(org, app, env)))
}

/// Asks for a stored Resource Graph.
#[must_use]
pub fn graph(org: &OrgId, app: &AppId, env: &EnvId, id: &str) -> Call<ResourceGraph> {
    Call::new(Method::Get, format!("{}/resources/graphs/{}", env_path(org, app, env), encode_segment(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_encoded() {
        assert_eq!(encode_segment("my-org/queue"), "my-org%2Fqueue");
        assert_eq!(encode_segment("a b%ü"), "a%20b%25%C3%BC");
    }
}
