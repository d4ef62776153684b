//! Drivers that run in process: what turns driver inputs into outputs.
//!
//! Pure functions of their inputs. Drivers that need the outside world are not
//! here: their inputs travel to the cluster in a custom resource.

mod cluster;
mod echo;

use serde_json::{Map, Value};

/// What a Driver gets: inputs with every placeholder expanded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DriverCall {
    /// `driver_inputs.values`.
    pub values: Map<String, Value>,
    /// `driver_inputs.secret_refs`, whose leaves name secrets and hold none.
    pub secret_refs: Map<String, Value>,
}

/// What a Driver makes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outputs {
    /// Outputs that are no secret.
    pub values: Map<String, Value>,
    /// References to the secret outputs.
    pub secret_refs: Map<String, Value>,
}

/// A Driver that runs in process.
pub trait Driver {
    /// Turns inputs into outputs.
    ///
    /// # Errors
    /// What is wrong with the inputs, as a sentence.
    fn provision(&self, call: DriverCall) -> Result<Outputs, String>;
}

/// The Driver of this type, when it runs in process.
#[must_use]
pub fn in_process(driver_type: &str) -> Option<&'static dyn Driver> {
    Some(match driver_type {
        // `static` is the older name of `echo` (spec/drivers.md §5).
        "humanitec/echo" | "humanitec/static" => &echo::Echo,
        "humanitec/k8s-cluster-git" => &cluster::Cluster { cluster_type: "git" },
        "humanitec/k8s-cluster" => &cluster::Cluster { cluster_type: "k8s" },
        "humanitec/k8s-cluster-gke" => &cluster::Cluster { cluster_type: "gke" },
        "humanitec/k8s-cluster-eks" => &cluster::Cluster { cluster_type: "eks" },
        "humanitec/k8s-cluster-aks" => &cluster::Cluster { cluster_type: "aks" },
        _ => return None,
    })
}
