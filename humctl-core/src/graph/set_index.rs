//! The resources that a Deployment Set declares, under their keys.

use std::collections::BTreeMap;

use humctl_api_types::id::{Class, ResId, WorkloadId};
use humctl_api_types::set::{DeclaredResource, DeploymentSet};

use crate::context::ResourceKey;
use crate::placeholder::Reference;

/// Why a reference in a Deployment Set leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetReferenceError {
    /// It has no meaning in a set.
    NotAllowed(String),
    /// It names something that is not declared.
    Undeclared {
        /// What is missing.
        reason: String,
        /// What is there instead.
        known: Vec<String>,
    },
}

/// True for the places of a module in which text stays as it is: the platform
/// expands labels, variables and files, but never what is run
/// (spec/score.md §1.3, spec/resource-model.md §5.3).
#[must_use]
pub fn is_literal_place(pointer: &str) -> bool {
    let mut parts = pointer.strip_prefix("/spec/containers/").unwrap_or_default().split('/').skip(1);
    matches!(parts.next(), Some("command" | "args" | "image" | "id" | "liveness_probe" | "readiness_probe"))
}

/// A Deployment Set with the graph keys of everything it declares.
#[derive(Debug)]
pub struct SetIndex<'s> {
    /// The set.
    pub set: &'s DeploymentSet,
    externals: BTreeMap<&'s str, BTreeMap<&'s str, ResourceKey>>,
    shared: BTreeMap<&'s str, ResourceKey>,
}

impl<'s> SetIndex<'s> {
    /// Indexes a set.
    ///
    /// # Errors
    /// Names that cannot become part of a resource id, as sentences.
    pub fn new(set: &'s DeploymentSet) -> Result<Self, Vec<String>> {
        let mut errors = Vec::new();
        let mut externals: BTreeMap<&str, BTreeMap<&str, ResourceKey>> = BTreeMap::new();
        for (workload, module) in &set.modules {
            if let Err(error) = WorkloadId::new(workload) {
                errors.push(error.to_string());
                continue;
            }
            for (name, resource) in &module.externals {
                // A dot would make `modules.W.externals.N` ambiguous.
                if name.contains('.') {
                    errors.push(format!("resource `{name}` of Workload `{workload}`: a name may not have a dot"));
                    continue;
                }
                match ResId::new(format!("modules.{workload}.externals.{name}")) {
                    Ok(id) => {
                        externals.entry(workload).or_default().insert(name, key(resource, id));
                    }
                    Err(error) => errors.push(error.to_string()),
                }
            }
        }
        let mut shared = BTreeMap::new();
        for (name, resource) in &set.shared {
            match resource.id.clone().map_or_else(|| ResId::new(format!("shared.{name}")), Ok) {
                Ok(id) => drop(shared.insert(name.as_str(), key(resource, id))),
                Err(error) => errors.push(error.to_string()),
            }
        }
        if errors.is_empty() { Ok(Self { set, externals, shared }) } else { Err(errors) }
    }

    /// The private resource `name` of a Workload.
    #[must_use]
    pub fn external(&self, workload: &str, name: &str) -> Option<&ResourceKey> {
        self.externals.get(workload)?.get(name)
    }

    /// The shared resource under a key.
    #[must_use]
    pub fn shared(&self, key: &str) -> Option<&ResourceKey> {
        self.shared.get(key)
    }

    /// The resource that a reference in this set names; `None` for references
    /// that name no resource, such as `values.…`.
    ///
    /// # Errors
    /// [`SetReferenceError`] when the reference may not stand in a set, or
    /// names nothing that is declared.
    pub fn resolve(
        &self,
        workload: Option<&str>,
        reference: &Reference,
    ) -> Result<Option<&ResourceKey>, SetReferenceError> {
        let not_allowed = |reason: &str| SetReferenceError::NotAllowed(reason.to_owned());
        let output = |key: Option<&ResourceKey>, out: &[String]| match key {
            Some(_) if out.is_empty() => Err(not_allowed("it names no output; add one, as in `.host`")),
            _ => Ok(()),
        };
        match reference {
            Reference::Context(name) if name.starts_with("res.") => {
                Err(not_allowed("`context.res` exists only in Resource Definitions"))
            }
            Reference::Context(_) | Reference::Value(_) | Reference::Pod(_) | Reference::Container { .. } => Ok(None),
            Reference::External(name, out) => {
                let Some(workload) = workload else {
                    return Err(not_allowed(
                        "a shared resource has no `externals`; name the Workload: `modules.W.externals.N`",
                    ));
                };
                let key = self.external(workload, name);
                output(key, out)?;
                key.map(Some).ok_or_else(|| self.no_external(workload, name))
            }
            Reference::ModuleExternal(workload, name, out) => {
                let key = self.external(workload, name);
                output(key, out)?;
                key.map(Some).ok_or_else(|| self.no_external(workload, name))
            }
            Reference::Shared(name, out) => {
                let key = self.shared(name);
                output(key, out)?;
                key.map(Some).ok_or_else(|| SetReferenceError::Undeclared {
                    reason: format!("there is no shared resource `{name}`"),
                    known: self.shared.keys().map(|key| (*key).to_owned()).collect(),
                })
            }
            Reference::Service { workload, .. } => match self.set.modules.get(workload) {
                Some(_) => Ok(None),
                None => Err(SetReferenceError::Undeclared {
                    reason: format!("there is no Workload `{workload}` in the Deployment Set; deploy it first"),
                    known: self.set.modules.keys().cloned().collect(),
                }),
            },
            Reference::Resource(..) | Reference::Selected(..) => Err(not_allowed(
                "`resources` with a type is for Resource Definitions; a Workload names its own resources",
            )),
        }
    }

    fn no_external(&self, workload: &str, name: &str) -> SetReferenceError {
        if !self.set.modules.contains_key(workload) {
            return SetReferenceError::Undeclared {
                reason: format!("there is no Workload `{workload}` in the Deployment Set; deploy it first"),
                known: self.set.modules.keys().cloned().collect(),
            };
        }
        SetReferenceError::Undeclared {
            reason: format!("Workload `{workload}` declares no resource `{name}`"),
            known: self.externals_of(workload).map(|(name, _)| name.to_owned()).collect(),
        }
    }

    /// Private resources of a Workload, by name.
    pub fn externals_of(&self, workload: &str) -> impl Iterator<Item = (&'s str, &ResourceKey)> {
        self.externals.get(workload).into_iter().flatten().map(|(name, key)| (*name, key))
    }

    /// Shared resources, by key.
    pub fn all_shared(&self) -> impl Iterator<Item = (&'s str, &ResourceKey)> {
        self.shared.iter().map(|(name, key)| (*name, key))
    }
}

fn key(resource: &DeclaredResource, id: ResId) -> ResourceKey {
    ResourceKey {
        res_type: resource.res_type.clone(),
        class: resource.class.clone().unwrap_or_else(Class::default_class),
        id,
    }
}
