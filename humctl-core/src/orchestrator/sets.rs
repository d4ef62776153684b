//! Deployment Sets in the state: content under its own hash, never changed.

use humctl_api_types::delta::{DeltaRequest, PlainDelta};
use humctl_api_types::id::{AppId, Class, OrgId, SetId};
use humctl_api_types::set::{DeploymentSet, ResourceInputs, SetResponse};
use serde_json::{Map, Value, json};

use crate::context::{ResourceKey, known};
use crate::delta::merge;
use crate::diff::diff;
use crate::graph::SetIndex;
use crate::orchestrator::documents;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode};
use crate::set::{apply_delta, set_id};
use crate::state::Batch;

impl Orchestrator {
    /// The Deployment Sets of an Application that were ever made.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn sets(&self, org: &OrgId, app: &AppId) -> Result<Vec<SetResponse>> {
        self.application(org, app)?;
        let prefix = documents::app(org, app).child("set").prefix();
        let documents = self.store().list(&prefix)?;
        documents.iter().map(|(key, document)| Ok(response(decode(key, document)?))).collect()
    }

    /// One Deployment Set; the empty one always exists.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn set(&self, org: &OrgId, app: &AppId, id: &SetId) -> Result<SetResponse> {
        self.application(org, app)?;
        self.deployment_set(org, app, id).map(response)
    }

    /// The Delta that turns the set `source` into the set `id`.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn set_diff(&self, org: &OrgId, app: &AppId, id: &SetId, source: &SetId) -> Result<PlainDelta> {
        self.application(org, app)?;
        Ok(diff(&self.deployment_set(org, app, source)?, &self.deployment_set(org, app, id)?))
    }

    /// Applies a Delta to a set, and returns the id of the set that this makes.
    /// The former one stays as it is.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` for a Delta that does not fit.
    pub fn extend_set(&self, org: &OrgId, app: &AppId, id: &SetId, delta: &DeltaRequest) -> Result<SetId> {
        self.application(org, app)?;
        let set = self.deployment_set(org, app, id)?;
        let made = merge(PlainDelta::default(), delta)
            .and_then(|delta| apply_delta(&set, &delta.modules, &delta.shared))
            .map_err(|error| {
                OrchestratorError::Invalid(format!(
                    "the Delta does not fit the deployment set `{id}`: {error}\n  hint: compare with: humctl get deployment-set {id} --app {app} -o yaml"
                ))
            })?;
        let made_id = set_id(&made);
        let mut batch = Batch::new();
        // The key is the hash of the content, so whoever was faster wrote the same.
        batch.put(&documents::set(org, app, made_id.as_str()), &made);
        self.store().commit(&batch)?;
        Ok(made_id)
    }

    /// The resources of a set with their inputs, sorted by id: what the graph
    /// of a Deployment of it starts from.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` for a set whose names cannot be resource ids.
    pub fn set_resources(&self, org: &OrgId, app: &AppId, id: &SetId) -> Result<Vec<ResourceInputs>> {
        self.application(org, app)?;
        let set = self.deployment_set(org, app, id)?;
        let index = SetIndex::new(&set).map_err(|reasons| OrchestratorError::Invalid(reasons.join("\n")))?;
        let mut inputs = Vec::new();
        for (workload, module) in &set.modules {
            let resource = Map::from_iter([
                ("id".to_owned(), json!(workload)),
                ("spec".to_owned(), Value::Object(module.spec.clone())),
            ]);
            inputs.push(resource_inputs(&known::workload(workload), Some(resource)));
            for (name, key) in index.externals_of(workload) {
                let params = module.externals.get(name).and_then(|resource| resource.params.clone());
                inputs.push(resource_inputs(key, params));
            }
        }
        for (name, key) in index.all_shared() {
            inputs.push(resource_inputs(key, set.shared.get(name).and_then(|resource| resource.params.clone())));
        }
        inputs.sort_by(|a, b| (&a.id, &a.res_type, &a.class).cmp(&(&b.id, &b.res_type, &b.class)));
        Ok(inputs)
    }

    pub(super) fn deployment_set(&self, org: &OrgId, app: &AppId, id: &SetId) -> Result<DeploymentSet> {
        // Any number of zeros names the empty set.
        if id.as_str().bytes().all(|b| b == b'0') {
            return Ok(DeploymentSet::default());
        }
        let key = documents::set(org, app, id.as_str());
        match self.store().get(&key)? {
            Some(document) => decode(&key, &document),
            None => Err(OrchestratorError::NotFound { what: "deployment set", id: id.to_string() }),
        }
    }
}

fn response(set: DeploymentSet) -> SetResponse {
    SetResponse { id: set_id(&set), modules: set.modules, shared: set.shared, version: 0 }
}

fn resource_inputs(key: &ResourceKey, resource: Option<Map<String, Value>>) -> ResourceInputs {
    ResourceInputs {
        id: key.id.clone(),
        res_type: key.res_type.clone(),
        class: (key.class != Class::default_class()).then(|| key.class.clone()),
        resource,
    }
}
