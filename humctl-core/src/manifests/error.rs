//! What is wrong with objects that should be written to Git, and what people
//! should know of those that are.

use std::fmt;

use crate::manifests::file::MAX_BYTES;

/// Whoever gave an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A resource.
    Resource {
        /// The resource, `type.class#id`.
        resource: String,
        /// Name of its manifest.
        manifest: String,
    },
    /// A Workload.
    Workload {
        /// Its name.
        workload: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource { resource, manifest } => write!(f, "resource `{resource}`, manifest `{manifest}`"),
            Self::Workload { workload } => write!(f, "workload `{workload}`"),
        }
    }
}

/// A place in what somebody gave.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Who gave it.
    pub source: Source,
    /// JSON pointer into the manifest; empty for the whole of it.
    pub pointer: String,
}

impl Place {
    pub(super) fn of(source: Source) -> Self {
        Self { source, pointer: String::new() }
    }

    pub(super) fn inside(&self, pointer: &str) -> Self {
        Self { source: self.source.clone(), pointer: format!("{}{pointer}", self.pointer) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)?;
        if self.pointer.is_empty() { Ok(()) } else { write!(f, " at {}", self.pointer) }
    }
}

/// One thing that keeps the target from being written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{place}: {}{problem}", .object.as_ref().map(|object| format!("{object}: ")).unwrap_or_default())]
pub struct ManifestError {
    /// Where.
    pub place: Place,
    /// Kind and name of the object, if it has both.
    pub object: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What may be wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Problem {
    /// It is something else.
    #[error("a Kubernetes object is expected here, not {found}")]
    NoObject {
        /// What was found.
        found: &'static str,
    },
    /// A field that every object has.
    #[error("`{field}` is missing, or no text\n  hint: every object needs `apiVersion`, `kind` and `metadata.name`")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// The server would make up a name.
    #[error(
        "`generateName` stands for a name, so that every sync would make one more object\n  hint: give it a `metadata.name`"
    )]
    GenerateName,
    /// No cluster would take the name.
    #[error(
        "`{name}` is no name that Kubernetes takes\n  hint: names have lower-case letters, digits, `-` and `.`, and begin and end with a letter or digit"
    )]
    BadName {
        /// The name.
        name: String,
    },
    /// What a template prints for a key that is not there.
    #[error(
        "`<no value>` stands here, which a template prints for a key that is not there\n  hint: mend the key, or give it a `default`"
    )]
    NoValue,
    /// A field that is a mapping.
    #[error("`{field}` is no mapping")]
    NoMapping {
        /// The field.
        field: &'static str,
    },
    /// A secret that would be text in Git.
    #[error(
        "a secret cannot stand here: this file goes to Git\n  hint: put it under `stringData` of a manifest of kind Secret, and name that Secret here (`secretKeyRef`, `secretName`)"
    )]
    MisplacedSecret,
    /// A field of a Pod.
    #[error(
        "what only the Pod knows cannot stand here\n  hint: use `fieldRef` or `resourceFieldRef` in the `env` of a container"
    )]
    PodField,
    /// An output that nobody knows.
    #[error(
        "it refers to an output of a resource that is not known before the cluster makes it\n  hint: let the Definition of that resource use a driver that runs here, or write custom resources to this target"
    )]
    Unsettled,
    /// Not what tells where a secret lies.
    #[error("a reference to a secret has `store` and `ref`, perhaps `version`, and nothing else")]
    BadReference,
    /// A secret that no cluster can read.
    #[error(
        "the secret lies in the store `humanitec`, which no cluster can read\n  hint: put it into a secret store, and give its `store` and `ref`"
    )]
    OwnStore,
    /// Neither text nor secret.
    #[error("the text of a Secret is expected here, not {found}")]
    NoText {
        /// What was found.
        found: &'static str,
    },
    /// A secret among base64.
    #[error(
        "a secret cannot stand under `data`, which is base64\n  hint: use `stringData`, which takes the text as it is"
    )]
    SecretInData,
    /// Not base64.
    #[error("it is no base64\n  hint: `data` of a Secret is base64; `stringData` takes the text as it is")]
    NoBase64,
    /// Bytes beside secrets.
    #[error(
        "bytes that are no UTF-8 cannot stand beside secrets from a store\n  hint: put them into a Secret of their own, or into the store"
    )]
    NoUtf8,
    /// More than a `SecretMapping` can do.
    #[error(
        "a SecretMapping cannot do this: {what}\n  hint: let the target write secrets as `ExternalSecret`, which can"
    )]
    NoMappingFor {
        /// What was found.
        what: &'static str,
    },
    /// No place for it.
    #[error(
        "it belongs to the whole cluster, and this target takes only what lies in the Environment's namespace\n  hint: the input `cluster_path` of the cluster's Definition names the directory for such objects"
    )]
    ClusterScoped,
    /// Somebody else gives another object of this name.
    #[error("a different object of that kind and name comes from {}\n  hint: rename one of them", join(.others))]
    Clash {
        /// Where else.
        others: Vec<Place>,
    },
    /// No cluster would take it.
    #[error(
        "`{file}` has {n_bytes} bytes, and {MAX_BYTES} are the limit\n  hint: move large files into the image or a volume"
    )]
    TooLarge {
        /// Name of the file.
        file: String,
        /// Its size.
        n_bytes: usize,
    },
}

impl Problem {
    /// The error at a place where no object can be named yet.
    pub(super) fn at(self, place: &Place) -> ManifestError {
        ManifestError { place: place.clone(), object: None, problem: self }
    }
}

fn join(places: &[Place]) -> String {
    places.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// What people should know, though it keeps nothing from being written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ManifestWarning {
    /// An object outside of the Environment's namespace.
    OtherNamespace {
        /// Where it comes from.
        place: Place,
        /// The object.
        object: String,
        /// Its namespace.
        namespace: String,
    },
    /// A Secret whose text everybody can read who reads the repository.
    PlainSecret {
        /// Where it comes from.
        place: Place,
        /// The Secret.
        object: String,
    },
}

impl fmt::Display for ManifestWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherNamespace { place, object, namespace } => write!(
                f,
                "{place}: {object} names the namespace `{namespace}`: Argo CD must allow it as a destination of the project, and a `targetNamespace` of Flux overrides it"
            ),
            Self::PlainSecret { place, object } => write!(
                f,
                "{place}: the text of {object} goes to Git as it is\n  hint: keep it in a secret store, and use a reference to it under `stringData`"
            ),
        }
    }
}
