//! Request bodies of the kinds that are plain data: they are kept and shown,
//! and nothing follows from them in this program (spec/cli.md §7).
//!
//! What is secret in them is optional here also where the API requires it: a
//! manifest that `get` printed does not have it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{AppId, DefinitionId, EnvId, EnvTypeId, ObjectId, ResourceType};
use crate::secret::SecretTree;

/// A Cloud Account: how Drivers log in at a cloud.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccountRequest {
    /// Id within the Organization.
    pub id: ObjectId,
    /// Name for people.
    pub name: String,
    /// Which cloud, and how to log in, as in `aws-role`.
    #[serde(rename = "type")]
    pub account_type: String,
    /// What logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<SecretTree>,
}

/// A class of a Resource Type.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResourceClassRequest {
    /// Id within the type.
    pub id: ObjectId,
    /// Text for people.
    pub description: String,
}

/// A place where secrets are kept: exactly one engine is given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecretStoreRequest {
    /// Id within the Organization.
    pub id: ObjectId,
    /// Whether new secrets go there.
    pub primary: bool,
    /// AWS Secrets Manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awssm: Option<AwsStore>,
    /// Azure Key Vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azurekv: Option<AzureStore>,
    /// Google Secret Manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gcpsm: Option<GoogleStore>,
    /// `HashiCorp` Vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultStore>,
}

/// A secret store as the API shows it, as far as a planner wants to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecretStoreInfo {
    /// Id within the Organization.
    pub id: String,
    /// Whether new secrets go there.
    pub primary: bool,
    /// The Vault that it is, without its credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultStore>,
}

/// AWS Secrets Manager.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AwsStore {
    /// Its region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Its address, unless it is that of AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// What logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<SecretTree>,
}

/// Azure Key Vault.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AzureStore {
    /// Its tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<SecretTree>,
}

/// Google Secret Manager.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GoogleStore {
    /// Its project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// What logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<SecretTree>,
}

/// `HashiCorp` Vault.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VaultStore {
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Path below which secrets lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The Agent that reaches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// What logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<SecretTree>,
}

/// A container registry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RegistryRequest {
    /// Id within the Organization.
    pub id: ObjectId,
    /// Its host.
    pub registry: String,
    /// How to log in.
    #[serde(rename = "type")]
    pub registry_type: RegistryType,
    /// User and password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creds: Option<SecretTree>,
    /// Image pull secrets in the clusters, by cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<BTreeMap<String, ClusterSecret>>,
    /// Whether CI jobs may push there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_ci: Option<bool>,
}

/// How to log in at a registry.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the API")]
pub enum RegistryType {
    Public,
    Basic,
    GoogleGcr,
    AmazonEcr,
    SecretRef,
}

/// A Secret of a cluster, by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClusterSecret {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub secret: String,
}

/// A public key in PEM form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyRequest {
    /// The text between and with the `PUBLIC KEY` lines.
    pub key: String,
}

/// A Humanitec Agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentRequest {
    /// Id within the Organization.
    pub id: ObjectId,
    /// What it proves itself with, in PEM form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// Text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A Workload Profile of an Organization's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WorkloadProfileRequest {
    /// Id within the Organization.
    pub id: ObjectId,
    /// Which properties a Workload may have.
    pub spec_definition: SpecDefinition,
    /// The chart that renders it.
    pub workload_profile_chart: ChartReference,
    /// Text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Version of the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why it should not be used any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecation_message: Option<String>,
}

/// Which properties a Workload of a profile may have.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SpecDefinition {
    /// Properties by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<BTreeMap<String, SpecProperty>>,
    /// Properties of what runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_properties: Option<Vec<RuntimeProperty>>,
}

/// A property of a Workload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SpecProperty {
    /// A feature, properties of its own, or what a schema says.
    #[serde(rename = "type")]
    pub kind: SpecPropertyType,
    /// The feature, as in `humanitec/annotations`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_name: Option<String>,
    /// Title for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Version of the feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How a form shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ui_hints: Option<UiHints>,
    /// JSON Schema of the property.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Map<String, Value>>,
    /// Properties of what runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_properties: Option<Vec<RuntimeProperty>>,
    /// Properties below this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<BTreeMap<String, SpecProperty>>,
}

/// What a property of a Workload is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the API")]
pub enum SpecPropertyType {
    Feature,
    Collection,
    Schema,
}

/// A property of what runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RuntimeProperty {
    /// A feature, or properties of its own.
    #[serde(rename = "type")]
    pub kind: RuntimePropertyType,
    /// The feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_name: Option<String>,
    /// Title for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Version of the feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How a form shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ui_hints: Option<UiHints>,
}

/// What a property of what runs is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the API")]
pub enum RuntimePropertyType {
    Feature,
    Collection,
}

/// How a form shows a property.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UiHints {
    /// Its place among the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<i64>,
    /// Whether it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
}

/// A version of a chart.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChartReference {
    /// Id of the chart; not empty.
    pub id: String,
    /// Its version, or `latest`; not empty.
    pub version: String,
}

/// An address that is told of events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebhookRequest {
    /// Id within the Application.
    pub id: ObjectId,
    /// Address without its scheme, which is HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Events that it is told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triggers: Option<Vec<WebhookTrigger>>,
    /// Headers that go with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<Map<String, Value>>,
    /// What is added to the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Map<String, Value>>,
    /// Whether it rests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// An event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebhookTrigger {
    /// `environment` or `deployment`.
    pub scope: String,
    /// `created`, `deleted`, `started` or `finished`.
    #[serde(rename = "type")]
    pub event: String,
}

/// A rule that deploys new artefacts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AutomationRuleRequest {
    /// What it does: `update`.
    #[serde(rename = "type")]
    pub rule_type: RuleType,
    /// Whether it works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Pattern of Git references.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_ref: Option<String>,
    /// Artefacts that it is for, or not for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artefacts_filter: Option<Vec<String>>,
    /// Whether the filter names what it is not for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude_artefacts_filter: Option<bool>,
    /// Deprecated: pattern of branches or tags.
    #[serde(rename = "match", default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Deprecated: `branch` or `tag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_to: Option<RefType>,
    /// Deprecated: images that it is for, or not for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images_filter: Option<Vec<String>>,
    /// Deprecated: whether the filter names what it is not for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude_images_filter: Option<bool>,
}

/// What an Automation Rule does.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the word of the API")]
pub enum RuleType {
    Update,
}

/// What an Automation Rule follows.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the API")]
pub enum RefType {
    Branch,
    Tag,
}

/// What a Pipeline runs for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PipelineCriteriaRequest {
    /// The event.
    pub trigger: PipelineTrigger,
    /// Environments of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_type: Option<EnvTypeId>,
    /// This Environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<EnvId>,
    /// This Application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<AppId>,
    /// `deploy` or `redeploy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_type: Option<String>,
}

/// The events that Pipelines have criteria for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the word of the API")]
pub enum PipelineTrigger {
    DeploymentRequest,
}

/// A version of an Artefact: an image, or a Workload with its Score file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ArtefactVersionRequest {
    /// `container` or `workload`.
    #[serde(rename = "type")]
    pub artefact_type: String,
    /// The image without its tag; of a Workload its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Version, of an image its tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Git reference that it was built from.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Git commit that it was built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Digest of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The Score file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<Value>,
    /// Image for containers that have none or `.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Score overrides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides: Option<Value>,
    /// Properties to set, by path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property_overrides: Option<Map<String, Value>>,
    /// Score extensions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Value>,
}

/// Where an object of one of these kinds is, in the words of its metadata.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Place {
    /// Its Application.
    #[serde(default)]
    pub app_id: Option<AppId>,
    /// Its Environment.
    #[serde(default)]
    pub env_id: Option<EnvId>,
    /// The Resource Type of a class.
    #[serde(default)]
    pub resource_type: Option<ResourceType>,
    /// The Pipeline of its criteria.
    #[serde(default)]
    pub pipeline_id: Option<ObjectId>,
    /// The Resource Definition of a rule.
    #[serde(default)]
    pub definition: Option<DefinitionId>,
}

impl Place {
    /// The value of a path's parameter.
    #[must_use]
    pub fn get(&self, parameter: &str) -> Option<&str> {
        match parameter {
            "app_id" => self.app_id.as_ref().map(AppId::as_str),
            "env_id" => self.env_id.as_ref().map(EnvId::as_str),
            "resource_type" => self.resource_type.as_ref().map(ResourceType::as_str),
            "pipeline_id" => self.pipeline_id.as_ref().map(ObjectId::as_str),
            "definition" => self.definition.as_ref().map(DefinitionId::as_str),
            _ => None,
        }
    }
}
