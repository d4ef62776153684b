//! Where a resource lives, and what it is called there.

use std::fmt;

use humctl_api_types::id::{AppId, Class, EnvId, EnvTypeId, Guresid, OrgId, ResId, ResourceType};

/// An Environment with everything that Matching Criteria and `${context.…}` ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentContext {
    /// Organization.
    pub org: OrgId,
    /// Application.
    pub app: AppId,
    /// Environment.
    pub env: EnvId,
    /// Its Environment Type.
    pub env_type: EnvTypeId,
}

impl EnvironmentContext {
    /// What `${context.<name>}` stands for in this Environment, for a resource
    /// of it where the name is one of `res.…`; `None` for other names.
    #[must_use]
    pub fn value(&self, name: &str, resource: Option<&ResourceKey>) -> Option<String> {
        Some(match name {
            "org.id" => self.org.to_string(),
            "app.id" => self.app.to_string(),
            "env.id" => self.env.to_string(),
            "env.type" => self.env_type.to_string(),
            "res.id" => resource?.id.to_string(),
            "res.type" => resource?.res_type.to_string(),
            "res.class" => resource?.class.to_string(),
            "res.guresid" => resource?.guresid(self).to_string(),
            _ => return None,
        })
    }
}

impl fmt::Display for EnvironmentContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.app, self.env)
    }
}

/// What makes a resource unique in its Environment, written `type.class#id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKey {
    /// Resource Type.
    pub res_type: ResourceType,
    /// Class.
    pub class: Class,
    /// Resource id.
    pub id: ResId,
}

impl fmt::Display for ResourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}#{}", self.res_type, self.class, self.id)
    }
}

impl ResourceKey {
    /// The permanent id of this resource (spec/resource-model.md §3.3).
    ///
    /// It depends on nothing but the names, so it needs no state and is the
    /// same on every machine.
    #[must_use]
    pub fn guresid(&self, context: &EnvironmentContext) -> Guresid {
        let text = [
            "guresid/1",
            context.org.as_str(),
            context.app.as_str(),
            context.env.as_str(),
            self.res_type.as_str(),
            self.class.as_str(),
            self.id.as_str(),
        ]
        .join("\0");
        let digest = crate::hash::sha256(text.as_bytes());
        // 40 lower-case hex digits always fit the pattern.
        Guresid::new(crate::hash::hex(&digest[..20])).unwrap_or_else(|_| unreachable!("40 hex digits are a GUResID"))
    }
}

/// Makes ids of text that is written in this program or was checked before.
pub(crate) mod known {
    use super::{Class, ResId, ResourceKey, ResourceType};

    /// The Resource Type of the deployment target.
    pub(crate) const K8S_CLUSTER: &str = "k8s-cluster";
    /// The Resource Type that names the namespace.
    pub(crate) const K8S_NAMESPACE: &str = "k8s-namespace";
    /// The Resource Type that every Environment has.
    pub(crate) const BASE_ENV: &str = "base-env";
    /// The Resource Type that every Workload has.
    pub(crate) const WORKLOAD: &str = "workload";
    /// A Resource Type that a Workload cannot share.
    pub(crate) const POD_AUTOSCALER: &str = "horizontal-pod-autoscaler";
    /// Id of the cluster that is asked for runtime data.
    pub(crate) const RUNTIME_CLUSTER: &str = "k8s-cluster-runtime";

    /// `type.default#type`, as the implicit resources of an Environment are called.
    pub(crate) fn implicit(res_type: &'static str) -> ResourceKey {
        key(res_type, res_type)
    }

    /// `workload.default#modules.W`.
    pub(crate) fn workload(name: &str) -> ResourceKey {
        key(WORKLOAD, &format!("modules.{name}"))
    }

    fn key(res_type: &'static str, id: &str) -> ResourceKey {
        ResourceKey {
            res_type: ResourceType::new(res_type).unwrap_or_else(|_| unreachable!("a built-in type")),
            class: Class::default_class(),
            id: ResId::new(id).unwrap_or_else(|_| unreachable!("module names are checked before they get here")),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn context() -> EnvironmentContext {
        EnvironmentContext {
            org: OrgId::new("acme").unwrap(),
            app: AppId::new("shop").unwrap(),
            env: EnvId::new("development").unwrap(),
            env_type: EnvTypeId::new("development").unwrap(),
        }
    }

    pub(crate) fn key(text: &str) -> ResourceKey {
        let (left, id) = text.split_once('#').unwrap();
        let (res_type, class) = left.split_once('.').unwrap();
        ResourceKey {
            res_type: ResourceType::new(res_type).unwrap(),
            class: Class::new(class).unwrap(),
            id: ResId::new(id).unwrap(),
        }
    }

    #[test]
    fn guresids_are_those_of_the_vectors() {
        // spec/resource-model.md §3.3
        for (resource, expected) in [
            ("workload.default#modules.api", "36ba752d475b522a0bd43ea59d7fe299dc6485b2"),
            ("base-env.default#base-env", "f5d1120a1244a32606a3951b5abd5b16bc3cc0ef"),
            ("postgres.default#modules.api.externals.db", "6443b8369f8d85f342fb4078c9a4aaf18b636d24"),
            ("s3.rw#modules.api.externals.files", "67e77cb4217f79336e44d63378a8db141c6a7044"),
            ("s3.concrete#modules.api.externals.files", "349755248701bbb59097634e6bb13e8cb82f2c11"),
        ] {
            assert_eq!(key(resource).guresid(&context()).as_str(), expected, "{resource}");
        }
    }
}
