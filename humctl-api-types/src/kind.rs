//! Every kind of manifest (spec/cli.md §7): its names, where its objects are,
//! and how an object's fields are spread over a manifest.

/// A kind of manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Output only.
    Organization,
    /// `EnvironmentType`.
    EnvironmentType,
    /// `ResourceType`.
    ResourceType,
    /// A class of a Resource Type.
    ResourceClass,
    /// `Driver`.
    Driver,
    /// `SecretStore`.
    SecretStore,
    /// A Cloud Account.
    Account,
    /// A container registry.
    Registry,
    /// A public key that operators sign with.
    Key,
    /// A Humanitec Agent.
    Agent,
    /// A Workload Profile of the Organization's own.
    WorkloadProfile,
    /// A Resource Definition.
    Definition,
    /// One rule of a Resource Definition, by itself.
    MatchingCriteria,
    /// `Application`.
    Application,
    /// `Environment`.
    Environment,
    /// A Shared Value.
    Value,
    /// `Webhook`.
    Webhook,
    /// A rule that deploys new artefacts.
    AutomationRule,
    /// A Pipeline with its document.
    Pipeline,
    /// What a Pipeline runs for.
    PipelineCriteria,
    /// A version of an Artefact.
    ArtefactVersion,
    /// `DeploymentDelta`.
    DeploymentDelta,
    /// Output only.
    DeploymentSet,
    /// Output only.
    Deployment,
    /// Output only.
    DeploymentError,
    /// Output only.
    ActiveResource,
    /// Output only.
    PipelineRun,
    /// Output only.
    Artefact,
    /// Output only.
    User,
    /// Output only: what is known of an API token, never its text.
    Token,
    /// Output only.
    AuditLog,
}

/// How the fields of an API object are spread over a manifest.
#[derive(Debug, Clone, Copy)]
pub struct KindInfo {
    /// The kind.
    pub kind: Kind,
    /// The word printed as `kind`.
    pub name: &'static str,
    /// Further words accepted as `kind`, in any case.
    pub aliases: &'static [&'static str],
    /// Path of the API that makes objects of this kind, and that lists them unless
    /// [`KindInfo::list`] says otherwise. Its parameters other than `{org}` and
    /// `{user}` are fields of the manifest's metadata.
    pub collection: &'static str,
    /// API fields that identify the object.
    pub metadata: &'static [&'static str],
    /// API fields of its create or update request; the rest is status.
    pub entity: &'static [&'static str],
    /// Whether `apply` takes it.
    pub is_applicable: bool,
}

/// Every kind, in the order in which `apply` sends them (dependencies first).
pub const KINDS: &[KindInfo] = &[
    KindInfo {
        kind: Kind::Organization,
        name: "Organization",
        aliases: &["Org"],
        collection: "/orgs",
        metadata: &["id"],
        entity: &["name"],
        is_applicable: false,
    },
    KindInfo {
        kind: Kind::EnvironmentType,
        name: "EnvironmentType",
        aliases: &["EnvType"],
        collection: "/orgs/{org}/env-types",
        metadata: &["id"],
        entity: &["description"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::ResourceType,
        name: "ResourceType",
        aliases: &["Type"],
        collection: "/orgs/{org}/resources/types",
        metadata: &["type"],
        entity: &["use", "name", "category", "inputs_schema", "outputs_schema"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::ResourceClass,
        name: "ResourceClass",
        aliases: &["Class"],
        collection: "/orgs/{org}/resources/types/{resource_type}/classes",
        metadata: &["id", "resource_type"],
        entity: &["description"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Driver,
        name: "Driver",
        aliases: &["ResourceDriver"],
        collection: "/orgs/{org}/resources/drivers",
        metadata: &["id", "org_id"],
        entity: &["type", "target", "template", "account_types", "inputs_schema", "is_public"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::SecretStore,
        name: "SecretStore",
        aliases: &[],
        collection: "/orgs/{org}/secretstores",
        metadata: &["id"],
        entity: &["primary", "awssm", "azurekv", "gcpsm", "vault"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Account,
        name: "Account",
        aliases: &["ResourceAccount", "CloudAccount"],
        collection: "/orgs/{org}/resources/accounts",
        metadata: &["id"],
        entity: &["name", "type", "credentials"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Registry,
        name: "Registry",
        aliases: &[],
        collection: "/orgs/{org}/registries",
        metadata: &["id"],
        entity: &["registry", "type", "creds", "secrets", "enable_ci"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Key,
        name: "Key",
        aliases: &["PublicKey"],
        collection: "/orgs/{org}/keys",
        metadata: &["id"],
        entity: &["key"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Agent,
        name: "Agent",
        aliases: &[],
        collection: "/orgs/{org}/agents",
        metadata: &["id"],
        entity: &["public_key", "description"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::WorkloadProfile,
        name: "WorkloadProfile",
        aliases: &[],
        collection: "/orgs/{org}/workload-profiles",
        metadata: &["id", "org_id"],
        entity: &["spec_definition", "workload_profile_chart", "description", "version", "deprecation_message"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Definition,
        name: "Definition",
        aliases: &["ResourceDefinition"],
        collection: "/orgs/{org}/resources/defs",
        metadata: &["id", "org_id"],
        entity: &[
            "name",
            "type",
            "driver_type",
            "driver_account",
            "driver_inputs",
            "provision",
            "criteria",
            "in_place_driver_change",
        ],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::MatchingCriteria,
        name: "MatchingCriteria",
        aliases: &["Criteria"],
        collection: "/orgs/{org}/resources/defs/{definition}/criteria",
        metadata: &["id", "definition"],
        entity: &["app_id", "env_id", "env_type", "res_id", "class"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Application,
        name: "Application",
        aliases: &["App"],
        collection: "/orgs/{org}/apps",
        metadata: &["id", "org_id"],
        entity: &["name"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Environment,
        name: "Environment",
        aliases: &["Env"],
        collection: "/orgs/{org}/apps/{app_id}/envs",
        metadata: &["id", "app_id"],
        entity: &["name", "type", "from_deploy"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Value,
        name: "Value",
        aliases: &["SharedValue", "AppValue"],
        collection: "/orgs/{org}/apps/{app_id}/values",
        metadata: &["key", "app_id", "env_id"],
        entity: &["value", "description", "is_secret", "secret_ref"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Webhook,
        name: "Webhook",
        aliases: &[],
        collection: "/orgs/{org}/apps/{app_id}/webhooks",
        metadata: &["id", "app_id"],
        entity: &["url", "triggers", "headers", "payload", "disabled"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::AutomationRule,
        name: "AutomationRule",
        aliases: &["Rule"],
        collection: "/orgs/{org}/apps/{app_id}/envs/{env_id}/rules",
        metadata: &["id", "app_id", "env_id"],
        entity: &[
            "type",
            "active",
            "match_ref",
            "artefacts_filter",
            "exclude_artefacts_filter",
            "match",
            "update_to",
            "images_filter",
            "exclude_images_filter",
        ],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Pipeline,
        name: "Pipeline",
        aliases: &[],
        collection: "/orgs/{org}/apps/{app_id}/pipelines",
        metadata: &["id", "org_id", "app_id"],
        entity: &[],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::PipelineCriteria,
        name: "PipelineCriteria",
        aliases: &[],
        collection: "/orgs/{org}/apps/{app_id}/pipelines/{pipeline_id}/criteria",
        metadata: &["id", "pipeline_id"],
        entity: &["trigger", "env_type", "env_id", "app_id", "deployment_type"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::ArtefactVersion,
        name: "ArtefactVersion",
        aliases: &[],
        collection: "/orgs/{org}/artefact-versions",
        metadata: &["id"],
        entity: &[
            "type",
            "name",
            "version",
            "ref",
            "commit",
            "digest",
            "spec",
            "image",
            "overrides",
            "property_overrides",
            "extensions",
        ],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::DeploymentDelta,
        name: "DeploymentDelta",
        aliases: &["Delta"],
        collection: "/orgs/{org}/apps/{app_id}/deltas",
        metadata: &["id", "app_id"],
        entity: &["metadata", "modules", "shared"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::DeploymentSet,
        name: "DeploymentSet",
        aliases: &["Set"],
        collection: "/orgs/{org}/apps/{app_id}/sets",
        metadata: &["id"],
        entity: &["modules", "shared", "version"],
        is_applicable: false,
    },
    KindInfo {
        kind: Kind::Deployment,
        name: "Deployment",
        aliases: &["Deploy"],
        collection: "/orgs/{org}/apps/{app_id}/envs/{env_id}/deploys",
        metadata: &["id", "app_id", "env_id"],
        entity: &["comment", "delta_id", "set_id", "value_set_version_id", "mode"],
        is_applicable: false,
    },
    KindInfo {
        kind: Kind::DeploymentError,
        name: "DeploymentError",
        aliases: &["DeployError"],
        collection: "/orgs/{org}/apps/{app_id}/envs/{env_id}/deploys",
        metadata: &[],
        entity: &[],
        is_applicable: false,
    },
    KindInfo {
        kind: Kind::ActiveResource,
        name: "ActiveResource",
        aliases: &[],
        collection: "/orgs/{org}/apps/{app_id}/envs/{env_id}/resources",
        metadata: &["type", "class", "res_id", "gu_res_id", "org_id", "app_id", "env_id"],
        entity: &[],
        is_applicable: false,
    },
    KindInfo {
        kind: Kind::PipelineRun,
        name: "PipelineRun",
        aliases: &[],
        collection: "/orgs/{org}/pipeline-runs",
        metadata: &["id", "pipeline_id", "org_id", "app_id"],
        entity: &[],
        is_applicable: false,
    },
    KindInfo {
        kind: Kind::Artefact,
        name: "Artefact",
        aliases: &[],
        collection: "/orgs/{org}/artefacts",
        metadata: &["id"],
        entity: &["name", "type"],
        is_applicable: false,
    },
    KindInfo {
        kind: Kind::User,
        name: "User",
        aliases: &[],
        collection: "/orgs/{org}/users",
        metadata: &["id"],
        entity: &["name", "email", "role", "type"],
        is_applicable: false,
    },
    KindInfo {
        kind: Kind::Token,
        name: "Token",
        aliases: &[],
        collection: "/users/{user}/tokens",
        metadata: &["id"],
        entity: &["type", "description", "expires_at"],
        is_applicable: false,
    },
    KindInfo {
        kind: Kind::AuditLog,
        name: "AuditLog",
        aliases: &["AuditLogEntry"],
        collection: "/orgs/{org}/audit-logs",
        metadata: &["org_id"],
        entity: &[],
        is_applicable: false,
    },
];

impl Kind {
    /// Reads the word after `kind:`, in any case and with its aliases.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        KINDS
            .iter()
            .find(|info| {
                info.name.eq_ignore_ascii_case(word)
                    || info.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(word))
            })
            .map(|info| info.kind)
    }

    /// The row of [`KINDS`] for this kind.
    #[must_use]
    pub fn info(self) -> &'static KindInfo {
        let index = KINDS.iter().position(|info| info.kind == self).unwrap_or_default();
        &KINDS[index]
    }
}

impl KindInfo {
    /// Path of the API that lists objects of this kind: some are made below
    /// something that their list spans.
    #[must_use]
    pub fn list(&self) -> &'static str {
        match self.kind {
            Kind::ResourceClass => "/orgs/{org}/resources/classes",
            Kind::PipelineCriteria => "/orgs/{org}/apps/{app_id}/pipeline-criteria",
            _ => self.collection,
        }
    }

    /// The metadata fields that say where an object is, as its collection has them.
    pub fn place(&self) -> impl Iterator<Item = &'static str> {
        parameters(self.collection).filter(|name| !matches!(*name, "org" | "user"))
    }
}

/// The names of a path's parameters, in their order.
pub fn parameters(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_alias_in_any_case() {
        assert_eq!(Kind::parse("resourcedefinition"), Some(Kind::Definition));
        assert_eq!(Kind::parse("APP"), Some(Kind::Application));
        assert_eq!(Kind::parse("Nope"), None);
        for info in KINDS {
            assert_eq!(info.kind.info().name, info.name);
        }
    }

    #[test]
    fn a_place_is_what_the_path_asks_for() {
        let place = |kind: Kind| kind.info().place().collect::<Vec<_>>();
        assert_eq!(place(Kind::AutomationRule), ["app_id", "env_id"]);
        assert_eq!(place(Kind::PipelineCriteria), ["app_id", "pipeline_id"]);
        assert!(place(Kind::Registry).is_empty());
    }
}
