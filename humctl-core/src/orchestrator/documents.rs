//! Keys and forms of the documents in the state.

use humctl_api_types::deployment::{Deployment, DeploymentError};
use humctl_api_types::id::{AppId, DefinitionId, DeploymentId, EnvId, EnvTypeId, Guresid, OrgId};
use humctl_api_types::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::state::Key;

pub(super) fn org(org: &OrgId) -> Key {
    Key::new(&["org", org.as_str()])
}

pub(super) fn env_type(org: &OrgId, id: &str) -> Key {
    self::org(org).child("env-type").child(id)
}

pub(super) fn resource_type(org: &OrgId, id: &str) -> Key {
    self::org(org).child("type").child(id)
}

/// A registered Driver.
pub(super) fn driver(org: &OrgId, id: &str) -> Key {
    drivers(org).child(id)
}

pub(super) fn drivers(org: &OrgId) -> Key {
    self::org(org).child("driver")
}

pub(super) fn definition(org: &OrgId, id: &str) -> Key {
    self::org(org).child("def").child(id)
}

pub(super) fn definition_versions(org: &OrgId, id: &str) -> Key {
    self::org(org).child("def-version").child(id)
}

/// One guard a type, so that two Definitions cannot get the same rule at once.
pub(super) fn criteria(org: &OrgId, res_type: &str) -> Key {
    self::org(org).child("criteria").child(res_type)
}

/// Sealed secrets lie outside the organization's tree, so that no listing of it meets them.
pub(super) fn definition_secrets(org: &OrgId, id: &str) -> Key {
    Key::new(&["secret", "org", org.as_str(), "def", id])
}

pub(super) fn app(org: &OrgId, id: &AppId) -> Key {
    self::org(org).child("app").child(id.as_str())
}

pub(super) fn apps(org: &OrgId) -> Key {
    self::org(org).child("app")
}

pub(super) fn env(org: &OrgId, app: &AppId, id: &EnvId) -> Key {
    envs(org, app).child(id.as_str())
}

pub(super) fn envs(org: &OrgId, app: &AppId) -> Key {
    self::app(org, app).child("env")
}

pub(super) fn set(org: &OrgId, app: &AppId, id: &str) -> Key {
    self::app(org, app).child("set").child(id)
}

pub(super) fn delta(org: &OrgId, app: &AppId, id: &str) -> Key {
    self::app(org, app).child("delta").child(id)
}

pub(super) fn deployment(env: &Key, id: &DeploymentId) -> Key {
    env.child("deploy").child(id.as_str())
}

pub(super) fn active(env: &Key, guresid: &str) -> Key {
    env.child("active").child(guresid)
}

/// What resources remember of their last run, sealed.
pub(super) fn memories(env: &Key) -> Key {
    env.child("memories")
}

/// What registered Drivers made, by `GUResID`.
pub(super) fn made(env: &Key) -> Key {
    env.child("made")
}

pub(super) fn graph(env: &Key, id: &str) -> Key {
    env.child("graph").child(id)
}

/// Secrets of an Application's Shared Values, and below `env` those of its Environments.
pub(super) fn app_secrets(org: &OrgId, app: &AppId) -> Key {
    Key::new(&["secret", "org", org.as_str(), "app", app.as_str()])
}

pub(super) fn env_secrets(org: &OrgId, app: &AppId, env: &EnvId) -> Key {
    app_secrets(org, app).child("env").child(env.as_str())
}

/// An Application without its Environments.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ApplicationDoc {
    pub(super) id: AppId,
    pub(super) name: String,
    pub(super) created_at: Timestamp,
    pub(super) created_by: String,
}

/// An Environment with what we know of its target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct EnvironmentDoc {
    pub(super) id: EnvId,
    pub(super) name: String,
    pub(super) env_type: EnvTypeId,
    pub(super) created_at: Timestamp,
    pub(super) created_by: String,
    /// Base of the next Deployment: the last one that succeeded, or the one
    /// that the Environment was rebased to.
    pub(super) from_deploy: Option<DeploymentId>,
    pub(super) last_deploy: Option<DeploymentId>,
    /// The last Deployment into this Environment that succeeded.
    #[serde(default)]
    pub(super) deployed: Option<DeploymentId>,
    /// `from_deploy` is not what is deployed: the next Deployment replaces it.
    #[serde(default)]
    pub(super) is_rebased: bool,
    /// Deployments whose end is not recorded yet.
    #[serde(default)]
    pub(super) unfinished: Vec<DeploymentId>,
    /// Where the last Deployment that succeeded wrote to.
    pub(super) target: Option<TargetDoc>,
}

impl EnvironmentDoc {
    /// An Environment that nothing was deployed into yet.
    pub(super) fn new(id: EnvId, name: String, env_type: EnvTypeId, now: Timestamp, user: &str) -> Self {
        Self {
            id,
            name,
            env_type,
            created_at: now,
            created_by: user.to_owned(),
            from_deploy: None,
            last_deploy: None,
            deployed: None,
            is_rebased: false,
            unfinished: Vec::new(),
            target: None,
        }
    }

    /// What the branch is known to hold; for an Environment that was made from
    /// a Deployment and never deployed into, that Deployment.
    pub(super) fn deployed(&self) -> Option<&DeploymentId> {
        if self.is_rebased { self.deployed.as_ref() } else { self.from_deploy.as_ref() }
    }

    /// Chooses the base of the next Deployment; what is deployed stays known.
    pub(super) fn rebase(&mut self, id: DeploymentId) {
        if !self.is_rebased && self.target.is_some() {
            self.deployed = self.from_deploy.take();
        }
        self.is_rebased = self.deployed.as_ref() != Some(&id);
        self.from_deploy = Some(id);
    }

    /// Notes that a Deployment has ended.
    pub(super) fn ended(&mut self, id: &DeploymentId) {
        self.unfinished.retain(|unfinished| unfinished != id);
    }

    /// Notes that the branch holds a Deployment. A rebase that this Deployment
    /// did not start from came later, and still stands.
    pub(super) fn landed(&mut self, deployment: &Deployment, target: Option<&TargetDoc>) {
        let is_base = self.from_deploy.as_ref().is_some_and(|from| from.as_str() == deployment.from_id);
        if !self.is_rebased || is_base {
            self.from_deploy = Some(deployment.id.clone());
            self.is_rebased = false;
        }
        self.deployed = Some(deployment.id.clone());
        self.last_deploy = self.last_deploy.take().max(Some(deployment.id.clone()));
        self.target = target.cloned();
        self.ended(&deployment.id);
    }
}

/// A Git target as it was used; its credentials are those of the Definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TargetDoc {
    pub(super) url: String,
    pub(super) branch: String,
    pub(super) path: String,
    /// Directory of the objects that belong to no namespace, when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cluster_path: Option<String>,
    pub(super) definition: DefinitionId,
    pub(super) commit: String,
}

/// A Deployment with its errors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DeploymentDoc {
    pub(super) deployment: Deployment,
    #[serde(default)]
    pub(super) errors: Vec<DeploymentError>,
    /// Where it writes to, known before it does.
    #[serde(default)]
    pub(super) target: Option<TargetDoc>,
    /// Every resource of it, those of the target included; empty until it succeeded.
    #[serde(default)]
    pub(super) resources: Vec<Guresid>,
}

pub(super) fn organization(org: &OrgId, now: &Timestamp, user: &str) -> Value {
    json!({"id": org, "name": org, "created_at": now, "created_by": user, "trial_expires_at": null, "logo": {}})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orchestrator::deployment_doc::new_doc;

    fn id(text: &str) -> DeploymentId {
        DeploymentId::new(text).unwrap()
    }

    fn environment() -> EnvironmentDoc {
        let (env, env_type) = (EnvId::new("dev").unwrap(), EnvTypeId::new("development").unwrap());
        EnvironmentDoc::new(env, "dev".to_owned(), env_type, Timestamp::default(), "local")
    }

    /// A Deployment that starts from what the Environment says now.
    fn begin(environment: &mut EnvironmentDoc, name: &str) -> Deployment {
        environment.unfinished.push(id(name));
        let set = crate::set::set_id(&humctl_api_types::set::DeploymentSet::default());
        let from = environment.from_deploy.as_ref();
        new_doc(id(name), &environment.id, &set, from, Timestamp::default(), "local").deployment
    }

    fn target() -> TargetDoc {
        TargetDoc {
            url: "/r".to_owned(),
            branch: "main".to_owned(),
            path: String::new(),
            cluster_path: None,
            definition: DefinitionId::new("git-target").unwrap(),
            commit: "c".to_owned(),
        }
    }

    fn deploy(environment: &mut EnvironmentDoc, name: &str) {
        let deployment = begin(environment, name);
        environment.landed(&deployment, Some(&target()));
    }

    #[test]
    fn a_rebase_is_used_up_by_the_deployment_that_starts_from_it() {
        let mut environment = environment();
        deploy(&mut environment, "d1");
        deploy(&mut environment, "d2");
        assert_eq!((environment.deployed(), environment.from_deploy.as_ref()), (Some(&id("d2")), Some(&id("d2"))));
        environment.rebase(id("d1"));
        assert!(environment.is_rebased);
        assert_eq!((environment.deployed(), environment.from_deploy.as_ref()), (Some(&id("d2")), Some(&id("d1"))));
        deploy(&mut environment, "d3");
        assert!(!environment.is_rebased && environment.unfinished.is_empty());
        assert_eq!((environment.deployed(), environment.from_deploy.as_ref()), (Some(&id("d3")), Some(&id("d3"))));
    }

    #[test]
    fn a_rebase_while_a_deployment_runs_still_stands_when_that_landed() {
        let mut environment = environment();
        deploy(&mut environment, "d1");
        let running = begin(&mut environment, "d2");
        environment.rebase(id("0"));
        environment.landed(&running, Some(&target()));
        assert!(environment.is_rebased);
        assert_eq!((environment.deployed(), environment.from_deploy.as_ref()), (Some(&id("d2")), Some(&id("0"))));
    }

    #[test]
    fn a_rebase_to_what_is_deployed_is_none() {
        let mut environment = environment();
        deploy(&mut environment, "d1");
        deploy(&mut environment, "d2");
        environment.rebase(id("d1"));
        environment.rebase(id("d2"));
        assert!(!environment.is_rebased);
        assert_eq!(environment.deployed(), Some(&id("d2")));
    }

    #[test]
    fn environments_of_former_states_are_read() {
        let former = json!({"id": "dev", "name": "dev", "env_type": "development", "created_at": "", "created_by": "",
                            "from_deploy": "d1", "last_deploy": "d2", "target": null});
        let read: EnvironmentDoc = crate::decode::tolerant(&former).unwrap();
        assert_eq!((read.deployed(), read.unfinished.len()), (Some(&id("d1")), 0));
    }
}
