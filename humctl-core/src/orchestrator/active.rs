//! Active Resources: what a Deployment provisioned, and what became of it.
//!
//! An Active Resource outlives its reference: one that left the Deployment Set
//! stays listed, so that a rollback finds it again under the same `GUResID`.
//! What is behind it in the cluster is never touched from here: its custom
//! resource left Git with the Deployment, and carries the annotations that keep
//! Argo CD and Flux from deleting the object.

use std::collections::BTreeMap;

use humctl_api_types::id::{AppId, Class, DeploymentId, EnvId, IdError, OrgId, ResId, ResourceType};
use humctl_api_types::resource::ActiveResource;
use humctl_api_types::time::Timestamp;
use serde_json::Map;

use crate::context::{EnvironmentContext, ResourceKey};
use crate::driver::Outputs;
use crate::graph::GraphNode;
use crate::matching::{Pin, Pins};
use crate::orchestrator::documents::{self, DeploymentDoc};
use crate::orchestrator::write::Outcome;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode};
use crate::plan::{Plan, TargetPlan};
use crate::state::{Batch, Document, Key};

/// What the path of one Active Resource names: its type, perhaps with a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveResourceRef {
    /// Resource Type.
    pub res_type: ResourceType,
    /// Class; any when absent.
    pub class: Option<Class>,
    /// Resource id.
    pub id: ResId,
}

impl ActiveResourceRef {
    /// Reads `{type}` or `{type}.{class}`; a type has no dot.
    ///
    /// # Errors
    /// The rule of the part that does not fit.
    pub fn parse(type_and_class: &str, id: ResId) -> Result<Self> {
        let invalid = |error: IdError| OrchestratorError::Invalid(error.to_string());
        let (res_type, class) = match type_and_class.split_once('.') {
            Some((res_type, class)) => (res_type, Some(Class::new(class).map_err(invalid)?)),
            None => (type_and_class, None),
        };
        Ok(Self { res_type: ResourceType::new(res_type).map_err(invalid)?, class, id })
    }

    fn names(&self, resource: &ActiveResource) -> bool {
        resource.res_type == self.res_type
            && resource.res_id == self.id
            && self.class.as_ref().is_none_or(|class| *class == resource.class)
    }
}

/// What came of the wish to delete an Active Resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is marked; what is in the cluster has to be deleted there.
    Scheduled,
    /// It is forgotten.
    Forgotten,
}

/// An Active Resource as it was read.
struct ActiveDocument {
    key: Key,
    document: Document,
    resource: ActiveResource,
}

impl Orchestrator {
    /// The Active Resources of an Environment, sorted by type, class and id;
    /// only those that are or are not scheduled for deletion, if asked.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn active_resources(
        &self,
        org: &OrgId,
        app: &AppId,
        env: &EnvId,
        scheduled_deletion: Option<bool>,
    ) -> Result<Vec<ActiveResource>> {
        self.environment_doc(org, app, env)?;
        let documents = self.active_documents(&documents::env(org, app, env))?;
        let mut resources: Vec<ActiveResource> = documents.into_iter().map(|active| active.resource).collect();
        resources.retain(|resource| scheduled_deletion.is_none_or(|wanted| resource.scheduled_deletion == wanted));
        resources.sort_by(|a, b| (&a.res_type, &a.class, &a.res_id).cmp(&(&b.res_type, &b.class, &b.res_id)));
        Ok(resources)
    }

    fn active_documents(&self, env: &Key) -> Result<Vec<ActiveDocument>> {
        let documents = self.store().list(&env.child("active").prefix())?.into_iter();
        documents
            .map(|(key, document)| {
                let resource = decode(&key, &document)?;
                Ok(ActiveDocument { key, document, resource })
            })
            .collect()
    }

    /// The one Active Resource that a path names. `ambiguous` makes the error
    /// for several that differ by class alone.
    fn active_document(
        &self,
        env: &Key,
        wanted: &ActiveResourceRef,
        ambiguous: fn(String) -> OrchestratorError,
    ) -> Result<ActiveDocument> {
        let mut found = self.active_documents(env)?;
        found.retain(|active| wanted.names(&active.resource));
        let (res_type, id) = (&wanted.res_type, &wanted.id);
        match found.len() {
            0 => {
                let class = wanted.class.as_ref().map(|class| format!(".{class}")).unwrap_or_default();
                Err(OrchestratorError::NotFound { what: "active resource", id: format!("{res_type}{class}#{id}") })
            }
            1 => Ok(found.remove(0)),
            n_found => {
                let mut classes: Vec<&str> = found.iter().map(|active| active.resource.class.as_str()).collect();
                classes.sort_unstable();
                Err(ambiguous(format!(
                    "there are {n_found} active resources `{res_type}#{id}`, of the classes {}\n  hint: name the class, as in `{res_type}.{}`",
                    classes.join(", "),
                    classes[0]
                )))
            }
        }
    }

    /// Deletes an Active Resource that the current Deployment does not use, or
    /// with `detach` forgets any.
    ///
    /// A registered Driver that made it is asked to delete it. What a Driver made
    /// in the cluster nothing here can delete: that happens there, when the
    /// custom resource is deleted. So without `detach` such an Active Resource is
    /// marked, and stays until it is detached, or until a Deployment uses it again.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Conflict` while the current Deployment uses it,
    /// when several have the type and id, and when its Driver does not delete it.
    pub fn delete_active_resource(
        &self,
        org: &OrgId,
        app: &AppId,
        env: &EnvId,
        wanted: &ActiveResourceRef,
        detach: bool,
    ) -> Result<Removal> {
        self.refresh(org, app, env)?;
        let _lock = self.lock_environment(org, app, env)?.ok_or_else(|| {
            OrchestratorError::Conflict(format!("a deployment of environment `{env}` is in progress"))
        })?;
        let (context, env_key) = (self.context(org, app, env)?, documents::env(org, app, env));
        let ActiveDocument { resource, .. } = self.active_document(&env_key, wanted, OrchestratorError::Conflict)?;
        let guresid = resource.gu_res_id.to_string();
        if !detach {
            self.refuse_used(org, app, env, &resource)?;
        }
        let mut is_gone = detach;
        if detach {
            self.forget_made(&context, &guresid)?;
        } else if let Some(made) = self.made(&context, &guresid)? {
            self.unmake(&context, &guresid, &made)?;
            is_gone = true;
        }
        self.transact(|| {
            let ActiveDocument { key, document, mut resource } =
                self.active_document(&env_key, wanted, OrchestratorError::Conflict)?;
            let mut batch = Batch::new();
            batch.expect(&key, Some(&document));
            if is_gone {
                batch.delete(&key);
                self.forget_memory(&context, &guresid, &mut batch)?;
                return Ok((Removal::Forgotten, batch));
            }
            resource.scheduled_deletion = true;
            "deleting".clone_into(&mut resource.status);
            batch.put(&key, &resource);
            Ok((Removal::Scheduled, batch))
        })
    }

    /// Refuses what the current Deployment uses. The caller holds the lock of the
    /// Environment, so that no other Deployment starts to use it.
    fn refuse_used(&self, org: &OrgId, app: &AppId, env: &EnvId, resource: &ActiveResource) -> Result<()> {
        let (_, env_doc) = self.environment_doc(org, app, env)?;
        match env_doc.deployed() {
            Some(id)
                if env_doc.target.is_some()
                    && self.deployment_doc(org, app, env, id)?.resources.contains(&resource.gu_res_id) =>
            {
                Err(OrchestratorError::Conflict(format!(
                    "active resource `{}` is used by deployment `{id}`\n  hint: deploy without it first, or forget it with `detach` (--detach)",
                    resource_key(resource)
                )))
            }
            _ => Ok(()),
        }
    }

    /// Lets an Active Resource be provisioned from a chosen version of its
    /// Definition from the next Deployment on, or with `None` from the active one.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` for a version that its Definition does
    /// not have or that is archived, and when several have the type and id.
    pub fn pin_active_resource(
        &self,
        org: &OrgId,
        app: &AppId,
        env: &EnvId,
        wanted: &ActiveResourceRef,
        version: Option<&str>,
    ) -> Result<ActiveResource> {
        self.environment_doc(org, app, env)?;
        let env_key = documents::env(org, app, env);
        self.transact(|| {
            let ActiveDocument { key, document, mut resource } =
                self.active_document(&env_key, wanted, OrchestratorError::Invalid)?;
            if let Some(version) = version {
                self.check_pin(org, &resource.def_id, version)?;
            }
            resource.target_def_version_id = version.map(ToOwned::to_owned);
            let mut batch = Batch::new();
            batch.expect(&key, Some(&document)).put(&key, &resource);
            Ok((resource, batch))
        })
    }

    /// The pins of an Environment, as the planner takes them.
    pub(super) fn pins(&self, context: &EnvironmentContext) -> Result<Pins> {
        let env = documents::env(&context.org, &context.app, &context.env);
        let mut pins = Vec::new();
        for active in self.active_documents(&env)? {
            if let Some(version) = active.resource.target_def_version_id.clone() {
                let definition = self.pinned_definition(&context.org, &version)?;
                pins.push((resource_key(&active.resource), Pin { version, definition }));
            }
        }
        Ok(pins.into_iter().collect())
    }

    /// Records the resources of a Deployment. A pin stays; an incremental
    /// Deployment leaves alone what it did not change.
    pub(super) fn write_active(
        &self,
        context: &EnvironmentContext,
        outcome: &Outcome,
        doc: &mut DeploymentDoc,
        batch: &mut Batch,
    ) -> Result<()> {
        let is_incremental = doc.deployment.mode.as_deref() == Some("incremental");
        let env = documents::env(&context.org, &context.app, &context.env);
        let known = self.active_documents(&env)?.into_iter();
        let mut known: BTreeMap<Key, ActiveDocument> = known.map(|active| (active.key.clone(), active)).collect();
        for planned in &outcome.active {
            let key = documents::active(&env, planned.gu_res_id.as_str());
            let mut resource = planned.clone();
            let old = known.remove(&key);
            batch.expect(&key, old.as_ref().map(|old| &old.document));
            if let Some(old) = old {
                resource.target_def_version_id.clone_from(&old.resource.target_def_version_id);
                if is_incremental && !outcome.wrote(&resource) && is_as_before(&old.resource, &resource) {
                    continue;
                }
            }
            batch.put(&key, &resource);
        }
        doc.resources = outcome.active.iter().map(|resource| resource.gu_res_id.clone()).collect();
        Ok(())
    }
}

/// True when provisioning `new` would do nothing that `old` does not have.
fn is_as_before(old: &ActiveResource, new: &ActiveResource) -> bool {
    let (deploy_id, updated_at) = (old.deploy_id.clone(), old.updated_at.clone());
    *old == ActiveResource { deploy_id, updated_at, ..new.clone() }
}

/// What the planner calls an Active Resource.
pub(super) fn resource_key(resource: &ActiveResource) -> ResourceKey {
    ResourceKey { res_type: resource.res_type.clone(), class: resource.class.clone(), id: resource.res_id.clone() }
}

/// The Active Resources after a Deployment, those of the target included.
pub(super) fn active_resources(
    plan: &Plan<'_>,
    target: &TargetPlan<'_>,
    context: &EnvironmentContext,
    deployment: &DeploymentId,
    now: &Timestamp,
) -> Vec<ActiveResource> {
    let outputs = |key: &ResourceKey| plan.outputs.get(key).or_else(|| target.outputs.get(key));
    let nodes = plan.graph.nodes.iter().chain(&target.graph.nodes);
    nodes.map(|node| active_resource(node, outputs(&node.key), context, deployment, now)).collect()
}

fn active_resource(
    node: &GraphNode<'_>,
    outputs: Option<&Outputs>,
    context: &EnvironmentContext,
    deployment: &DeploymentId,
    now: &Timestamp,
) -> ActiveResource {
    let definition = node.rule.definition;
    ActiveResource {
        org_id: context.org.clone(),
        app_id: context.app.clone(),
        env_id: context.env.clone(),
        env_type: context.env_type.clone(),
        res_type: node.key.res_type.clone(),
        class: node.key.class.clone(),
        res_id: node.key.id.clone(),
        gu_res_id: node.guresid.clone(),
        def_id: definition.id.clone(),
        def_version_id: definition.active_version_id.clone(),
        target_def_version_id: None,
        criteria_id: Some(node.rule.criteria.id.clone()),
        deploy_id: deployment.clone(),
        driver_type: node.driver.driver_type.to_string(),
        driver_account: definition.driver_account.clone(),
        status: "active".to_owned(),
        resource: outputs.map(|outputs| outputs.values.clone()).unwrap_or_default(),
        secret_refs: outputs.map_or_else(Map::new, |outputs| outputs.secret_refs.clone()),
        scheduled_deletion: false,
        updated_at: now.clone(),
    }
}
