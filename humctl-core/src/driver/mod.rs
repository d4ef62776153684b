//! Drivers that run in process: what turns driver inputs into outputs.
//!
//! Pure functions of their inputs. Drivers that need the outside world do not
//! run here: their inputs travel to the cluster in a custom resource. Of HTTP
//! Drivers only the contract is here; who speaks it is in `orchestrator`.

mod cluster;
mod echo;
mod fragments;
mod hazards;
pub mod http;
mod markers;
pub mod template;
#[cfg(test)]
mod tests;
pub mod trial;

use serde_json::{Map, Value};

use crate::template::{Random, Value as TemplateValue};

/// What a Driver gets: inputs with every placeholder expanded.
#[derive(Debug, Default)]
pub struct DriverCall<'c> {
    /// `driver_inputs.values`.
    pub values: Map<String, Value>,
    /// `driver_inputs.secret_refs`, whose leaves name secrets and hold none.
    pub secret_refs: Map<String, Value>,
    /// Resource inputs; what is not known here is [`TemplateValue::Hidden`].
    pub resource: TemplateValue,
    /// The `GUResID` of the resource.
    pub guresid: String,
    /// What the Driver left for itself at its last run; null at the first.
    pub cookie: Value,
    /// Where random values come from; without it they are unknown.
    pub random: Option<&'c mut Random>,
}

/// What a Driver makes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outputs {
    /// Outputs that are no secret.
    pub values: Map<String, Value>,
    /// References to the secret outputs.
    pub secret_refs: Map<String, Value>,
    /// Kubernetes fragments, name → `{location, data}`; none when they are not
    /// known here.
    pub manifests: Map<String, Value>,
}

/// Why a Driver made nothing. Both are sentences without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DriverError {
    /// The inputs are wrong.
    #[error("{0}")]
    Failed(String),
    /// The outputs depend on what is known only in the cluster.
    #[error("{0}")]
    Unknown(String),
}

/// A Driver that runs in process.
pub trait Driver {
    /// Turns inputs into outputs.
    ///
    /// # Errors
    /// [`DriverError`].
    fn provision(&self, call: DriverCall<'_>) -> Result<Outputs, DriverError>;

    /// True when it looks at more than `driver_inputs`: a caller may leave out
    /// the resource inputs otherwise.
    fn reads_resource_inputs(&self) -> bool {
        false
    }
}

/// The Driver of this type, when it runs in process.
#[must_use]
pub fn in_process(driver_type: &str) -> Option<&'static dyn Driver> {
    Some(match driver_type {
        // `static` is the older name of `echo` (spec/drivers.md §5).
        "humanitec/echo" | "humanitec/static" => &echo::Echo,
        template::DRIVER_TYPE => &template::TemplateDriver,
        "humanitec/k8s-cluster-git" => &cluster::Cluster { cluster_type: "git" },
        "humanitec/k8s-cluster" => &cluster::Cluster { cluster_type: "k8s" },
        "humanitec/k8s-cluster-gke" => &cluster::Cluster { cluster_type: "gke" },
        "humanitec/k8s-cluster-eks" => &cluster::Cluster { cluster_type: "eks" },
        "humanitec/k8s-cluster-aks" => &cluster::Cluster { cluster_type: "aks" },
        _ => return None,
    })
}
