//! Rendered Kubernetes objects → files of a Git target that holds plain
//! manifests, one object a file (spec/gitops.md §2.2, §3, §5.1, §6.2).
//!
//! *Invariants.* Pure; the order of what comes in changes nothing. No secret is
//! ever text: what is secret becomes an object that tells the cluster where to
//! fetch it, or an error. Every object has one file, and every file one object.
//! All errors are told at once.

mod check;
mod claims;
mod error;
mod external_secret;
mod file;
mod file_name;
mod references;
mod retention;
mod scope;
mod secret;
mod secret_mapping;
mod split;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::context::EnvironmentContext;
use crate::manifests::check::{Draft, Traits};
use crate::manifests::secret::SecretDraft;
use crate::objects::{Object, SecretKeys, belonging};

pub use error::{ManifestError, ManifestWarning, Place, Problem, Source};

/// What a Workload was rendered to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WorkloadObjects {
    /// Its name.
    pub workload: String,
    /// Its objects.
    pub objects: Vec<Object>,
    /// Secrets that they use.
    pub secrets: Vec<SecretKeys>,
    /// When they come.
    pub wave: Wave,
}

/// The place of an object in the order in which a sync tool brings them into
/// the cluster; the first unless something else is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wave(pub u8);

/// Where a Resource Definition says that its manifest belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// Into the namespace of the Environment.
    Namespace,
    /// Into the cluster as a whole.
    Cluster,
}

/// A manifest that a resource came to.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceManifest {
    /// The resource, `type.class#id`.
    pub resource: String,
    /// Name of the manifest among those of the resource.
    pub name: String,
    /// Where it belongs.
    pub location: Location,
    /// True when data is lost with the resource.
    pub is_stateful: bool,
    /// When it comes.
    pub wave: Wave,
    /// The object, or a list of objects; what is left of reference nodes are
    /// `$secretRef` with a store, and `$concat` of text with these.
    pub object: Value,
}

/// Kind of the secret stores that `ExternalSecret`s name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StoreKind {
    /// One for the whole cluster.
    #[default]
    ClusterSecretStore,
    /// One in the namespace.
    SecretStore,
}

/// What tells the cluster where a secret lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretObjects {
    /// `ExternalSecret` of the External Secrets Operator.
    ExternalSecrets {
        /// Kind of the stores.
        store_kind: StoreKind,
    },
    /// Our own `SecretMapping`.
    SecretMappings,
}

impl Default for SecretObjects {
    fn default() -> Self {
        Self::ExternalSecrets { store_kind: StoreKind::default() }
    }
}

/// What the target asks for.
#[derive(Debug, Clone, Copy)]
pub struct TargetOptions<'t> {
    /// The Environment.
    pub context: &'t EnvironmentContext,
    /// Its namespace, when it is known.
    pub namespace: Option<&'t str>,
    /// How secrets become objects.
    pub secrets: SecretObjects,
    /// True when the target has a place for objects of the whole cluster.
    pub allows_cluster_scoped: bool,
}

/// A file of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFile {
    /// Name without directory.
    pub name: String,
    /// Content.
    pub content: String,
    /// Kind of the object in it.
    pub kind: String,
    /// Name of the object in it.
    pub object: String,
    /// True when the object belongs to no namespace.
    pub is_cluster_scoped: bool,
}

/// What everything comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifests {
    /// Files, sorted by name.
    pub files: Vec<ManifestFile>,
    /// What people should know, sorted.
    pub warnings: Vec<ManifestWarning>,
}

/// Makes the files of a target from what Workloads and resources came to.
///
/// # Errors
/// Everything that keeps it from being written, sorted.
pub fn to_files(
    workloads: &[WorkloadObjects],
    resources: &[ResourceManifest],
    options: TargetOptions<'_>,
) -> Result<Manifests, Vec<ManifestError>> {
    let mut intake = Intake { options, drafts: Vec::new(), warnings: Vec::new(), errors: Vec::new() };
    for workload in workloads {
        let place = Place::of(Source::Workload { workload: workload.workload.clone() });
        for object in &workload.objects {
            intake.take(&place, Location::Namespace, Traits { is_stateful: false, wave: workload.wave }, &object.0);
        }
        for keys in &workload.secrets {
            intake.take_keys(&place, workload.wave, keys);
        }
    }
    for manifest in resources {
        let source = Source::Resource { resource: manifest.resource.clone(), manifest: manifest.name.clone() };
        let traits = Traits { is_stateful: manifest.is_stateful, wave: manifest.wave };
        intake.take(&Place::of(source), manifest.location, traits, &manifest.object);
    }
    let Intake { drafts, mut warnings, mut errors, .. } = intake;
    let files = file::write(claims::unique(drafts, &mut errors), &mut errors);
    errors.sort();
    errors.dedup();
    warnings.sort();
    warnings.dedup();
    if errors.is_empty() { Ok(Manifests { files, warnings }) } else { Err(errors) }
}

/// Collects objects, and everything that is wrong with them.
struct Intake<'t> {
    options: TargetOptions<'t>,
    drafts: Vec<Draft>,
    warnings: Vec<ManifestWarning>,
    errors: Vec<ManifestError>,
}

impl Intake<'_> {
    /// Takes in a manifest: an object, or a list of them.
    fn take(&mut self, place: &Place, location: Location, traits: Traits, manifest: &Value) {
        for (pointer, item) in split::objects(manifest) {
            let place = place.inside(&pointer);
            let read = item
                .map_err(|problem| vec![problem.at(&place)])
                .and_then(|object| check::read(&place, object, location, self.options.namespace));
            match read {
                Ok(draft) => self.accept(Draft { traits, ..draft }),
                Err(errors) => self.errors.extend(errors),
            }
        }
    }

    fn accept(&mut self, draft: Draft) {
        if draft.is_cluster_scoped && !self.options.allows_cluster_scoped {
            self.errors.push(draft.error("", Problem::ClusterScoped));
        }
        if let Some(namespace) = &draft.id.namespace {
            self.warnings.push(ManifestWarning::OtherNamespace {
                place: draft.place.clone(),
                object: draft.id.label(),
                namespace: namespace.clone(),
            });
        }
        match secret::of_manifest(&draft) {
            Ok(None) => self.drafts.push(draft),
            Ok(Some(secret)) => self.accept_secret(&draft, secret),
            Err(errors) => self.errors.extend(errors),
        }
    }

    fn take_keys(&mut self, place: &Place, wave: Wave, keys: &SecretKeys) {
        match secret::of_keys(place, keys) {
            Ok((draft, secret)) => {
                let traits = Traits { is_stateful: false, wave };
                self.accept_secret(&Draft { traits, ..draft }, secret);
            }
            Err(errors) => self.errors.extend(errors),
        }
    }

    /// A Secret, as whatever tells the cluster where its text lies.
    fn accept_secret(&mut self, draft: &Draft, secret: SecretDraft) {
        if secret.is_plain() {
            if secret.has_text() {
                let (place, object) = (draft.place.clone(), draft.id.label());
                self.warnings.push(ManifestWarning::PlainSecret { place, object });
            }
            self.drafts.push(Draft { object: secret.into_plain(), ..draft.clone() });
            return;
        }
        let labels = self.labels(&draft.place.source);
        let object = match self.options.secrets {
            SecretObjects::ExternalSecrets { store_kind } => {
                Ok(external_secret::external_secret(draft, &secret, store_kind, labels))
            }
            SecretObjects::SecretMappings => secret_mapping::secret_mapping(draft, &secret, labels),
        };
        match object {
            Ok(object) => self.drafts.push(draft.clone().becoming(object)),
            Err(errors) => self.errors.extend(errors),
        }
    }

    /// Labels of the objects that stand for Secrets (spec/score.md §7.1).
    fn labels(&self, source: &Source) -> BTreeMap<String, String> {
        let workload = match source {
            Source::Workload { workload } => Some(workload.as_str()),
            Source::Resource { .. } => None,
        };
        belonging(self.options.context, workload)
    }
}
