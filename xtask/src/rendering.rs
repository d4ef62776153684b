//! Definitions and a Deployment Set → the files of Kubernetes objects, in this
//! process, without a state and without Git.

use anyhow::{Result, anyhow};
use humctl_api_types::definition::ResourceDefinition;
use humctl_api_types::resource_type::ResourceTypeInfo;
use humctl_api_types::set::DeploymentSet;
use humctl_api_types::time::Timestamp;
use humctl_core::builtin;
use humctl_core::context::EnvironmentContext;
use humctl_core::graph::build::GraphInput;
use humctl_core::graph::{ResourceTypes, SetIndex};
use humctl_core::matching::Definitions;
use humctl_core::object_preview::preview_objects;
use humctl_core::plan::DeployContext;
use humctl_core::provision::{GivenOutputs, ProvisionedFiles};
use humctl_core::values::SharedValues;
use serde_json::{Value, json};

pub(crate) const ORG: &str = "acme-org";

/// An Environment of type `development`.
pub(crate) fn environment(app: &str, env: &str) -> Result<EnvironmentContext> {
    Ok(EnvironmentContext { org: ORG.parse()?, app: app.parse()?, env: env.parse()?, env_type: "development".parse()? })
}

/// A Definition as the state keeps it, from the `entity` of its manifest.
pub(crate) fn definition(id: &str, entity: &Value) -> Result<ResourceDefinition> {
    let mut whole = json!({"org_id": ORG, "id": id, "name": id, "active_version_id": "", "created_at": "", "created_by": "",
        "criteria": [{}]});
    for (key, value) in entity.as_object().into_iter().flatten() {
        whole[key] = value.clone();
    }
    for rule in whole["criteria"].as_array_mut().into_iter().flatten() {
        rule["id"] = json!("rule");
    }
    Ok(serde_json::from_value(whole)?)
}

/// Where deployments go.
pub(crate) fn cluster() -> Result<ResourceDefinition> {
    let url = json!({"values": {"url": "file:///gitops.git"}});
    definition(
        "git-target",
        &json!({"type": "k8s-cluster", "driver_type": "humanitec/k8s-cluster-git", "driver_inputs": url}),
    )
}

/// What all Environments have in common.
pub(crate) struct Organization {
    definitions: Vec<ResourceDefinition>,
    types: Vec<ResourceTypeInfo>,
}

impl Organization {
    /// With these Definitions and those of the platform.
    pub(crate) fn new(own: impl IntoIterator<Item = ResourceDefinition>) -> Result<Self> {
        let mut definitions = builtin::definitions(&ORG.parse()?, &Timestamp::default());
        definitions.extend(own);
        Ok(Self { definitions, types: builtin::resource_types() })
    }

    /// Indexes of it, to render any number of Environments with.
    pub(crate) fn library(&self) -> Library<'_> {
        Library { definitions: Definitions::new(&self.definitions), types: ResourceTypes::new(&self.types) }
    }
}

/// An Organization, indexed.
pub(crate) struct Library<'o> {
    definitions: Definitions<'o>,
    types: ResourceTypes<'o>,
}

impl Library<'_> {
    /// Plans, provisions and renders everything; an error has a line for each
    /// that is wrong.
    pub(crate) fn render(
        &self,
        context: &EnvironmentContext,
        set: &DeploymentSet,
        values: &SharedValues,
    ) -> Result<ProvisionedFiles> {
        let index = SetIndex::new(set).map_err(|errors| anyhow!(errors.join("\n")))?;
        let input = GraphInput {
            values,
            secret_store: Some("vault"),
            ..GraphInput::new(context, &self.definitions, &self.types)
        };
        let deploy = DeployContext { deployment: "1a".parse()?, set: "0".parse()? };
        preview_objects(input, &index, &deploy, &GivenOutputs::default()).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(|error| format!("{}: {error}", error.code())).collect();
            anyhow!(lines.join("\n"))
        })
    }
}
